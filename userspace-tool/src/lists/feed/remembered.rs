// SPDX-License-Identifier: GPL-2.0

//! What a feed has added, so that a list that got lost can be filled again.

use std::collections::HashMap;

use super::super::{clock, expiry::Expiry, key::EntryKey, wire::NewEntry};

/// Addresses below this number are not looked through for those that have expired.
const FEW: usize = 4096;

/// When an address expires.
#[derive(Clone, Copy, Debug)]
enum End {
    /// As its list says.
    List,
    Never,
    /// At that time, in milliseconds since 1970.
    At(u64),
}

impl End {
    fn has_come(self, now: u64) -> bool {
        matches!(self, Self::At(end) if end <= now)
    }
}

/// The addresses that were added and not deleted since.
#[derive(Debug)]
pub(super) struct Remembered {
    ends: HashMap<EntryKey, End>,
    /// With so many addresses, those that have expired are forgotten.
    most: usize,
}

impl Default for Remembered {
    fn default() -> Self {
        Self {
            ends: HashMap::new(),
            most: FEW,
        }
    }
}

impl Remembered {
    pub(super) fn add(&mut self, entry: &NewEntry) {
        self.add_at(entry, clock::now());
    }

    fn add_at(&mut self, entry: &NewEntry, now: u64) {
        if self.ends.len() >= self.most {
            self.ends.retain(|_, end| !end.has_come(now));
            self.most = self.ends.len().saturating_mul(2).max(FEW);
        }
        let end = match entry.expiry {
            None => End::List,
            Some(Expiry::Never) => End::Never,
            Some(Expiry::After(milliseconds)) => End::At(now.saturating_add(milliseconds)),
        };
        self.ends.insert(entry.key, end);
    }

    pub(super) fn delete(&mut self, key: EntryKey) {
        self.ends.remove(&key);
    }

    pub(super) fn clear(&mut self) {
        self.ends.clear();
    }

    /// All that have not expired, with the time that is left.
    pub(super) fn entries(&self) -> Vec<NewEntry> {
        self.entries_at(clock::now())
    }

    fn entries_at(&self, now: u64) -> Vec<NewEntry> {
        let left = self.ends.iter().filter(|(_, end)| !end.has_come(now));
        left.map(|(key, end)| NewEntry {
            key: *key,
            expiry: match end {
                End::List => None,
                End::Never => Some(Expiry::Never),
                End::At(end) => Some(Expiry::After(end.saturating_sub(now))),
            },
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn entry(number: u32, expiry: Option<Expiry>) -> NewEntry {
        let key = EntryKey::from(std::net::IpAddr::from(Ipv4Addr::from(number)));
        NewEntry { key, expiry }
    }

    #[test]
    fn what_is_left_is_what_was_added_last() {
        let mut remembered = Remembered::default();
        for new in [
            entry(1, Some(Expiry::After(100))),
            entry(2, Some(Expiry::After(100))),
            entry(3, None),
            entry(4, None),
            entry(1, Some(Expiry::After(500))),
            entry(3, Some(Expiry::Never)),
        ] {
            remembered.add_at(&new, 1000);
        }
        let mut left = remembered.entries_at(1100);
        left.sort_by_key(|entry| entry.key);
        let expected = [
            entry(1, Some(Expiry::After(400))),
            entry(3, Some(Expiry::Never)),
            entry(4, None),
        ];
        assert_eq!(left, expected);
        remembered.delete(entry(3, None).key);
        assert_eq!(remembered.entries_at(1100).len(), 2);
        remembered.clear();
        assert_eq!(remembered.entries_at(0), []);
    }

    #[test]
    fn who_has_expired_takes_no_memory_for_ever() {
        let mut remembered = Remembered::default();
        for number in 0..100_000 {
            remembered.add_at(&entry(number, Some(Expiry::After(10))), u64::from(number));
        }
        assert!(remembered.ends.len() <= FEW, "{}", remembered.ends.len());
    }
}
