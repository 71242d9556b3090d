// SPDX-License-Identifier: GPL-2.0

//! Data that clients send before their server has answered.
//!
//! A client was told the window that the server announced last, so that it need not wait for the
//! server, and one with a TCP Fast Open cookie sends the data of its SYN again at once, whatever the
//! window is. For the server they would be part of no connection yet. So they are held, and it gets
//! them with the ACK.
//!
//! The server gets what is held from the first byte on without a gap. The client has to send again what
//! comes behind a gap that is not closed in time, and all that there is no room for.

use crate::{
    kernel_api::zeroed,
    synproxy::prelude::*, //
};
use kernel::alloc::flags::__GFP_NOWARN;

/// The maximum held for a connection, in bytes: what one packet can carry behind its headers of 60
/// bytes each at most.
pub(crate) const HELD_MAX: usize = u16::MAX as usize - 120;

/// PSH.
const PUSH: u8 = 0x08;

/// How many pieces behind gaps a connection can have.
const PIECES_MAX: usize = 16;

/// The memory of a network namespace for what is held.
pub(crate) struct HeldMemory {
    /// Bytes in use; for a moment also those that were refused.
    used: Atomic<i32>,
    max: i32,
}

impl HeldMemory {
    /// `max` bytes, all of them free.
    pub(crate) fn new(max: u32) -> Self {
        Self {
            used: Atomic::new(0),
            max: i32::try_from(max).unwrap_or(i32::MAX),
        }
    }

    /// The most that can be held of one more connection, in bytes. A buffer that grows takes three
    /// times as much at most, until its data are copied.
    #[inline]
    pub(crate) fn room(&self) -> u16 {
        let free = self.max.saturating_sub(self.used.load(Relaxed));
        (free / 3).clamp(0, HELD_MAX as i32) as u16
    }

    /// Takes memory, unless that would be more than there is.
    fn take(&self, bytes: i32) -> bool {
        let before = self.used.fetch_add(bytes, Relaxed);
        let has_room = before <= self.max.saturating_sub(bytes);
        if !has_room {
            self.give_back(bytes);
        }
        has_room
    }

    fn give_back(&self, bytes: i32) {
        self.used.fetch_sub(bytes, Relaxed);
    }
}

/// A buffer whose memory is counted.
struct Buffer {
    bytes: KVec<u8>,
    memory: Arc<HeldMemory>,
}

impl Buffer {
    /// A buffer for `length` bytes; `None` if there is no memory. The sizes that the allocator has are
    /// powers of two.
    fn new(memory: &Arc<HeldMemory>, length: usize) -> Option<Self> {
        let size = match length {
            0 => 0,
            _ => length.checked_next_power_of_two()?,
        };
        let counted = i32::try_from(size).ok()?;
        if !memory.take(counted) {
            return None;
        }
        let Ok(bytes) = zeroed::bytes(size, GFP_ATOMIC | __GFP_NOWARN) else {
            memory.give_back(counted);
            return None;
        };
        Some(Self {
            bytes,
            memory: memory.clone(),
        })
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.memory.give_back(self.bytes.len() as i32);
    }
}

/// Pieces of data behind gaps, by where they start and end. None is next to another, or empty unless it
/// is free.
#[derive(Default)]
struct Pieces([(u16, u16); PIECES_MAX]);

impl Pieces {
    /// Adds a piece. Returns whether there was room.
    fn add(&mut self, start: u16, end: u16) -> bool {
        let mut all = (start, end);
        for piece in &mut self.0 {
            let (first, last) = *piece;
            if first < last && first <= all.1 && all.0 <= last {
                all = (all.0.min(first), all.1.max(last));
                *piece = (0, 0);
            }
        }
        let free = self.0.iter_mut().find(|(start, end)| start == end);
        free.map(|free| *free = all).is_some()
    }

    /// Takes out what is there from `end` on without a gap, or before it. Returns where that ends.
    fn join(&mut self, end: usize) -> usize {
        let mut joined = end;
        for piece in &mut self.0 {
            let (first, last) = *piece;
            if usize::from(first) <= end {
                joined = joined.max(last.into());
                *piece = (0, 0);
            }
        }
        joined
    }

    fn is_empty(&self) -> bool {
        self.0.iter().all(|(start, end)| start == end)
    }
}

/// The first data of a connection, its FIN, or both.
pub(crate) struct Held {
    buffer: Buffer,
    /// How much of the buffer is data without a gap.
    length: usize,
    pieces: Pieces,
    /// FIN and PSH of the client's last segment.
    pub(crate) flags: u8,
}

/// The length of a segment's data; `None` if it has neither data nor a FIN.
pub(crate) fn length(skb: &Skb, segment: &Segment) -> Option<usize> {
    let start = segment.offset.wrapping_add(segment.header_length);
    let length = skb.len().checked_sub(start)? as usize;
    (length > 0 || segment.flags & flags::FIN != 0).then_some(length)
}

/// Holds a segment with data, or a FIN, of a connection whose first byte has the number `first`, behind
/// what is held of it already. `None` if the segment starts before that byte, as keep-alives do, or else
/// whether all of it is held.
pub(crate) fn hold(
    held: &mut Option<Held>,
    memory: &Arc<HeldMemory>,
    first: u32,
    skb: &Skb,
    segment: &Segment,
) -> Option<bool> {
    let position = segment.sequence.wrapping_sub(first);
    if (position as i32) < 0 || length(skb, segment).is_none() {
        return None;
    }
    Some(match held {
        Some(held) => held.hold(position as usize, skb, segment),
        None => {
            *held = Held::of(memory, position as usize, skb, segment);
            held.is_some()
        }
    })
}

impl Held {
    /// What a segment has that starts `position` bytes behind the first byte of its connection; `None`
    /// if that is nothing, or cannot be held.
    pub(crate) fn of(
        memory: &Arc<HeldMemory>,
        position: usize,
        skb: &Skb,
        segment: &Segment,
    ) -> Option<Self> {
        length(skb, segment)?;
        let mut held = Self {
            buffer: Buffer::new(memory, 0)?,
            length: 0,
            pieces: Pieces::default(),
            flags: 0,
        };
        held.hold(position, skb, segment).then_some(held)
    }

    /// Holds a segment that starts `position` bytes behind the first byte of the connection. Returns
    /// whether all of it is held; if not, the client has to send it again.
    pub(crate) fn hold(&mut self, position: usize, skb: &Skb, segment: &Segment) -> bool {
        let length = length(skb, segment).unwrap_or(0);
        let (end, next) = (position.saturating_add(length), self.length);
        let is_last = segment.flags & flags::FIN != 0;
        // The client sends again what is held. Nothing comes behind a FIN.
        if self.flags & flags::FIN != 0 || end < next || end == next && !is_last {
            return end <= next;
        }
        // The end of a connection is not held behind a gap.
        let is_behind_gap = position > next;
        if end > HELD_MAX || is_behind_gap && is_last || !self.reserve(end) {
            return false;
        }
        let start = position.max(next);
        let skipped = start.wrapping_sub(position) as u32;
        let Some(new) = self.buffer.bytes.get_mut(start..end) else {
            return false;
        };
        let data = segment.offset.wrapping_add(segment.header_length);
        if !skb.read_into(data.wrapping_add(skipped), new) {
            return false;
        }
        if is_behind_gap {
            return self.pieces.add(start as u16, end as u16);
        }
        self.length = self.pieces.join(end);
        self.flags = match self.length == end {
            true => segment.flags & (flags::FIN | PUSH),
            false => PUSH,
        };
        true
    }

    /// Makes room for `length` bytes in all.
    fn reserve(&mut self, length: usize) -> bool {
        if length <= self.buffer.bytes.len() {
            return true;
        }
        let Some(mut buffer) = Buffer::new(&self.buffer.memory, length) else {
            return false;
        };
        let Some(start) = buffer.bytes.get_mut(..self.buffer.bytes.len()) else {
            return false;
        };
        start.copy_from_slice(&self.buffer.bytes);
        self.buffer = buffer;
        true
    }

    /// The data.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.buffer.bytes.get(..self.length).unwrap_or_default()
    }

    /// Whether there is more than the first `length` bytes.
    pub(crate) fn has_more_than(&self, length: usize) -> bool {
        length < self.length || !self.pieces.is_empty()
    }

    /// How much of the client's sequence space is held, as far as there is no gap.
    pub(crate) fn sequence_length(&self) -> u32 {
        let end = u32::from(self.flags & flags::FIN != 0);
        (self.length as u32).wrapping_add(end)
    }

    /// The data of the segment that starts at `position`, and its flags: no more than `size` bytes,
    /// and nothing beyond `window`.
    pub(crate) fn segment(&self, position: usize, window: u16, size: usize) -> (&[u8], u8) {
        let bytes = self.bytes();
        let end = position
            .saturating_add(size)
            .min(window.into())
            .min(bytes.len());
        let data = bytes.get(position..end).unwrap_or_default();
        let is_last = position.saturating_add(data.len()) == bytes.len();
        (data, if is_last { self.flags } else { 0 })
    }
}
