// SPDX-License-Identifier: GPL-2.0

//! A ring that packets put events into, without a lock and without memory of its own.
//!
//! Each slot has a turn, which says whether it is free for the writer of that turn or written for
//! the reader. A writer takes the head, then writes its slot, then passes the turn on. One that is
//! interrupted in between holds up the reader, and no other writer.

use crate::kernel_api::sync::words::{
    CacheAligned,
    Word, //
};
use kernel::{
    prelude::*,
    sync::atomic::{
        Acquire,
        Atomic,
        Relaxed,
        Release, //
    },
};

/// The words of an event.
pub(super) const WORDS: usize = 8;

/// How many events fit: a power of two, as turns wrap.
pub(super) const CAPACITY: u32 = 128;

struct Slot {
    /// The turn of whoever may write it; one more once it is written.
    turn: Atomic<u32>,
    words: [Word; WORDS],
}

/// The ring.
pub(super) struct Ring {
    slots: KVec<Slot>,
    /// The turn of the next writer.
    head: CacheAligned<Atomic<u32>>,
    /// The turn of the reader.
    tail: CacheAligned<Word>,
}

impl Ring {
    /// An empty ring. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM` if there is not enough memory.
    pub(super) fn new() -> Result<Self> {
        Self::starting_at(0)
    }

    /// An empty ring whose first turn is that one.
    pub(super) fn starting_at(first: u32) -> Result<Self> {
        let mut slots = KVec::with_capacity(CAPACITY as usize, GFP_KERNEL_ACCOUNT)?;
        for number in 0..CAPACITY {
            let slot = Slot {
                // The first turn from `first` on that is for this slot.
                turn: Atomic::new(first.wrapping_add(number.wrapping_sub(first) % CAPACITY)),
                words: [const { Word::new(0) }; WORDS],
            };
            slots.push(slot, GFP_KERNEL_ACCOUNT)?;
        }
        Ok(Self {
            slots,
            head: CacheAligned(Atomic::new(first)),
            tail: CacheAligned(Word::new(first)),
        })
    }

    fn slot(&self, turn: u32) -> Option<&Slot> {
        self.slots.get((turn % CAPACITY) as usize)
    }

    /// Puts an event into the ring, in any context. Returns whether there was room.
    pub(super) fn push(&self, event: [u32; WORDS]) -> bool {
        let mut turn = self.head.load(Relaxed);
        while let Some(slot) = self.slot(turn) {
            let ahead = slot.turn.load(Acquire).wrapping_sub(turn) as i32;
            if ahead < 0 {
                // The reader has not read what was written a round ago.
                return false;
            }
            if ahead > 0 {
                // Somebody else took this turn.
                turn = self.head.load(Relaxed);
                continue;
            }
            match self.head.cmpxchg(turn, turn.wrapping_add(1), Relaxed) {
                Ok(_) => {
                    for (word, value) in slot.words.iter().zip(event) {
                        word.store(value);
                    }
                    slot.turn.store(turn.wrapping_add(1), Release);
                    return true;
                }
                Err(head) => turn = head,
            }
        }
        false
    }

    /// The first event. One task at a time may call this, or [`Ring::pop`].
    pub(super) fn peek(&self) -> Option<[u32; WORDS]> {
        let turn = self.tail.load();
        let slot = self.slot(turn)?;
        let is_written = slot.turn.load(Acquire) == turn.wrapping_add(1);
        is_written.then(|| slot.words.each_ref().map(Word::load))
    }

    /// Takes the first event out.
    pub(super) fn pop(&self) -> Option<[u32; WORDS]> {
        let (event, turn) = (self.peek()?, self.tail.load());
        self.slot(turn)?
            .turn
            .store(turn.wrapping_add(CAPACITY), Release);
        self.tail.store(turn.wrapping_add(1));
        Some(event)
    }
}
