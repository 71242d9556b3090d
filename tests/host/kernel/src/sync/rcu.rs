// SPDX-License-Identifier: GPL-2.0

//! Readers: what is retired is dropped when those are gone who were there then, or when a test says so.

use crate::races;
use std::sync::Mutex;

/// A CPU that reads.
struct Reader {
    cpu: usize,
    /// How many guards it has.
    guards: usize,
    /// When it began, counted in readers.
    since: u64,
}

/// Who reads, and how many have begun.
static READERS: Mutex<(Vec<Reader>, u64)> = Mutex::new((Vec::new(), 0));

/// A reader.
pub struct Guard(());

/// Begins to read.
pub fn read_lock() -> Guard {
    if let Some(cpu) = races::cpu() {
        let mut readers = READERS.lock().unwrap();
        let (readers, count) = &mut *readers;
        match readers.iter_mut().find(|reader| reader.cpu == cpu) {
            Some(reader) => reader.guards += 1,
            None => {
                *count += 1;
                readers.push(Reader {
                    cpu,
                    guards: 1,
                    since: *count,
                });
            }
        }
    }
    Guard(())
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(cpu) = races::cpu() {
            let mut readers = READERS.lock().unwrap();
            readers.0.retain_mut(|reader| {
                reader.guards -= usize::from(reader.cpu == cpu);
                reader.guards != 0
            });
        }
    }
}

/// A grace period, which ends when all are gone who read as it began.
pub struct GracePeriod(u64);

impl GracePeriod {
    /// Begins now.
    pub fn start() -> Self {
        Self(READERS.lock().unwrap().1)
    }

    /// Whether it is over. Where there are no other CPUs, it is over when somebody asks.
    pub fn is_over(&self) -> bool {
        let mut readers = READERS.lock().unwrap();
        if !races::is_running() {
            readers.0.clear();
        }
        readers.0.iter().all(|reader| reader.since > self.0)
    }
}
