// SPDX-License-Identifier: GPL-2.0

//! The busiest addresses of a list.
//!
//! The kernel tells all entries of a list or none, in no order, and there may be a million. So they are read by a thread
//! of their own, and the more rarely the longer that takes.

use std::{
    cmp::Ordering,
    collections::HashMap,
    sync::mpsc::{Receiver, Sender, TryRecvError, channel},
    thread,
    time::{Duration, Instant},
};

use super::rates::per_second;
use crate::{
    error::Error,
    lists::{self, Entry, EntryKey, Expiry},
    netlink::Connection,
};

/// Most addresses that are shown.
const SHOWN: usize = 100;

/// A list is read again after so many times the time that reading it took.
const PAUSE: u32 = 9;

/// An address of a list.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Busy {
    pub(super) key: EntryKey,
    pub(super) packets: u32,
    /// Packets per second; none where the address was not there before.
    pub(super) rate: Option<f64>,
    /// Milliseconds since the last packet.
    pub(super) age: Option<u64>,
    pub(super) expiry: Option<Expiry>,
}

/// What was read of a list.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) list: String,
    /// How many entries it had.
    pub(super) entries: usize,
    /// The busiest first.
    pub(super) busiest: Vec<Busy>,
    pub(super) at: Instant,
    pub(super) took: Duration,
}

impl Reading {
    /// Whether the list need not be read again yet.
    pub(super) fn is_fresh(&self) -> bool {
        self.at.elapsed() < self.took.saturating_mul(PAUSE)
    }
}

/// Reads a list, and remembers its counters for the next time.
#[derive(Default)]
pub(super) struct Reader {
    list: String,
    before: Option<(Instant, HashMap<EntryKey, u32>)>,
}

impl Reader {
    pub(super) fn read(&mut self, list: &str) -> Result<Reading, Error> {
        let begun = Instant::now();
        let mut connection = Connection::open()?;
        let read = lists::entries_as(&mut connection, list, busy)?;
        if self.list != list {
            *self = Self::default();
            self.list = list.to_owned();
        }
        let at = Instant::now();
        let counters = read.iter().map(|one| (one.key, one.packets)).collect();
        let before = self.before.replace((at, counters));
        Ok(Reading {
            list: list.to_owned(),
            entries: read.len(),
            busiest: busiest(read, before.as_ref(), at),
            at,
            took: begun.elapsed(),
        })
    }
}

fn busy(entry: Entry) -> Busy {
    Busy {
        key: entry.key,
        packets: entry.packets,
        rate: None,
        age: entry.ages.first().copied(),
        expiry: entry.expiry,
    }
}

/// The busiest, with their rates.
pub(super) fn busiest(
    mut all: Vec<Busy>,
    before: Option<&(Instant, HashMap<EntryKey, u32>)>,
    now: Instant,
) -> Vec<Busy> {
    if let Some((at, counters)) = before {
        let elapsed = now.saturating_duration_since(*at);
        for one in &mut all {
            let before = counters.get(&one.key);
            one.rate = before
                .map(|before| per_second(u64::from(*before), u64::from(one.packets), elapsed));
        }
    }
    if all.len() > SHOWN {
        all.select_nth_unstable_by(SHOWN, order);
        all.truncate(SHOWN);
        all.shrink_to_fit();
    }
    all.sort_unstable_by(order);
    all
}

/// By rate, then by number, then by who was seen last.
fn order(one: &Busy, other: &Busy) -> Ordering {
    let rate = |busy: &Busy| busy.rate.unwrap_or_default();
    let age = |busy: &Busy| busy.age.unwrap_or(u64::MAX);
    rate(other)
        .total_cmp(&rate(one))
        .then(other.packets.cmp(&one.packets))
        .then(age(one).cmp(&age(other)))
        .then(one.key.cmp(&other.key))
}

/// A thread that reads.
pub(super) struct Worker {
    requests: Sender<String>,
    answers: Receiver<(String, Result<Reading, Error>)>,
    is_busy: bool,
}

impl Worker {
    pub(super) fn start() -> Result<Self, Error> {
        let (requests, names) = channel::<String>();
        let (results, answers) = channel();
        let work = move || {
            let mut reader = Reader::default();
            for name in names {
                let reading = reader.read(&name);
                if results.send((name, reading)).is_err() {
                    break;
                }
            }
        };
        let thread = thread::Builder::new().spawn(work);
        thread.map_err(|error| Error::Failure(format!("top: cannot start a thread: {error}")))?;
        Ok(Self {
            requests,
            answers,
            is_busy: false,
        })
    }

    /// Have a list read, unless one is being read already.
    pub(super) fn ask(&mut self, list: &str) {
        if !self.is_busy {
            self.is_busy = self.requests.send(list.to_owned()).is_ok();
        }
    }

    /// The list that has been read, if that is done, and what was read of it.
    pub(super) fn answer(&mut self) -> Option<(String, Result<Reading, Error>)> {
        match self.answers.try_recv() {
            Ok(answer) => {
                self.is_busy = false;
                Some(answer)
            }
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => None,
        }
    }
}
