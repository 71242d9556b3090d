// SPDX-License-Identifier: GPL-2.0

//! What happened lately: bans, evictions and floods, as events tell them.

use std::{cmp::Reverse, collections::VecDeque};

use crate::{
    error::Error,
    monitor::{Event, What, decode, sentences},
    netlink::{Listener, Received},
};

/// Most events that are kept of a kind.
const LENGTH: usize = 100;

/// Most messages that are read at once, so that the screen need not wait for who makes many.
const MESSAGES_MAX: usize = 10_000;

/// The last events. Each kind has room of its own, so that addresses which packets bring by the thousand push out neither
/// what a person banned nor a flood's beginning.
#[derive(Default)]
pub(super) struct Lately {
    kinds: [VecDeque<Event>; 4],
    /// Events that could not be told, and whether there were more of which nobody knows how many.
    pub(super) lost: u64,
    pub(super) lost_more: bool,
}

/// A line about an event.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Milliseconds since 1970.
    pub(super) time: u64,
    pub(super) text: String,
}

impl Lately {
    /// Take the events that have come. Returns whether the module is still there.
    pub(super) fn listen(&mut self, listener: &mut Listener) -> Result<bool, Error> {
        for _ in 0..MESSAGES_MAX {
            match listener.try_next()? {
                None => break,
                Some(Received::Event {
                    command,
                    attributes,
                }) => {
                    if let Some(event) = decode(command, &attributes)? {
                        self.add(event);
                    }
                }
                Some(Received::Overrun) => self.lost_more = true,
                Some(Received::Unloaded) => return Ok(false),
            }
        }
        Ok(true)
    }

    pub(super) fn add(&mut self, event: Event) {
        if event.tells_of_loss() {
            match event.lost {
                Some(lost) => self.lost = self.lost.saturating_add(lost.into()),
                None => self.lost_more = true,
            }
            return;
        }
        let is_by_hand = event.process.is_some();
        let [by_hand, floods, added, evicted] = &mut self.kinds;
        let kind = match event.what {
            What::EntriesAdded | What::EntriesDeleted | What::ListFlushed if is_by_hand => by_hand,
            What::FloodStarted | What::FloodEnded => floods,
            What::EntriesAdded => added,
            What::EntriesEvicted => evicted,
            _ => return,
        };
        kind.push_front(event);
        kind.truncate(LENGTH);
    }

    /// So many lines, the latest first. Where there is not room for all, each kind gets some.
    pub(super) fn lines(&self, room: usize) -> Vec<Line> {
        let lines = |events: &'_ VecDeque<Event>| -> VecDeque<Line> {
            let lines = events.iter().flat_map(|event| {
                let time = event.time;
                let texts = sentences(event).into_iter();
                texts.map(move |text| Line { time, text })
            });
            lines.take(room).collect()
        };
        let mut kinds: Vec<_> = self.kinds.iter().map(lines).collect();
        let mut chosen = Vec::new();
        while chosen.len() < room && kinds.iter().any(|kind| !kind.is_empty()) {
            let round = kinds.iter_mut().filter_map(VecDeque::pop_front);
            chosen.extend(round.take(room - chosen.len()));
        }
        chosen.sort_by_key(|line| Reverse(line.time));
        chosen
    }

    /// All events that were kept, the earliest first, which are forgotten.
    pub(super) fn drain(&mut self) -> Vec<Event> {
        let kinds = std::mem::take(&mut self.kinds);
        let mut events: Vec<_> = kinds.into_iter().flatten().collect();
        events.sort_by_key(|event| event.time);
        events
    }
}
