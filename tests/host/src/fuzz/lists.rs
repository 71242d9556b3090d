// SPDX-License-Identifier: GPL-2.0

//! A recent list beside one that is as simple as can be: after each operation both hold the same, but for whom
//! the list chose to make room.

use super::Bytes;
use crate::{
    c,
    kernel_api::work::Background,
    packet::{Address, Family},
    recent::{
        Ageing, Ages, Ipv4Key, Ipv6Key, Key, Limits, List, Lists, Past, Question, Settings,
        Stamped, Window, AGE_MAX,
    },
};
use kernel::sync::{rcu, Arc};
use std::{collections::HashMap, sync::Once};

type Id = (bool, [u32; 4], u16);

/// What is known of an address: when it was seen, the latest first.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    seen: Vec<u64>,
    time_to_live: u8,
    packets: u32,
}

struct Model {
    entries: HashMap<Id, Entry>,
    settings: Settings,
    now: u64,
}

impl Model {
    fn entry(&self, id: &Id) -> Option<&Entry> {
        let entry = self.entries.get(id)?;
        (self.now - entry.seen[0] <= self.settings.timeout.into()).then_some(entry)
    }

    /// As [`List::check`].
    fn check(&self, id: &Id, time_to_live: u8, window: &Window) -> Option<bool> {
        let entry = self.entry(id)?;
        if time_to_live != 0 && entry.time_to_live != 0 && entry.time_to_live != time_to_live {
            return None;
        }
        let counted = entry
            .seen
            .iter()
            .filter(|seen| self.now - **seen <= window.age.into());
        Some(counted.count() >= window.hits as usize)
    }

    fn push(&mut self, id: &Id, time_to_live: Option<u8>) {
        let mut entry = self.entry(id).cloned().unwrap_or(Entry {
            seen: Vec::new(),
            time_to_live: 0,
            packets: 0,
        });
        entry.seen.insert(0, self.now);
        entry.seen.truncate(self.settings.hits as usize);
        entry.time_to_live = time_to_live.unwrap_or(entry.time_to_live);
        entry.packets = entry.packets.saturating_add(1);
        self.entries.insert(*id, entry);
    }

    fn alive(&self) -> HashMap<Id, Entry> {
        let ids = self.entries.keys().filter(|id| self.entry(id).is_some());
        ids.map(|id| (*id, self.entries[id].clone())).collect()
    }
}

fn start() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        core::mem::forget(crate::kernel_api::rcu::Reclaimer::start());
    });
}

fn id(key: &Key) -> Id {
    (key.family == Family::Ipv6, key.address.words(), key.port)
}

fn key(byte: u8) -> Key {
    let number = u32::from(byte & 0x1f);
    let (family, words) = match byte & 0x20 {
        0 => (Family::Ipv4, [number, 0, 0, 0]),
        _ => (Family::Ipv6, [1, number & 1, 3, number >> 1]),
    };
    Key {
        family,
        address: Address::new(words),
        port: u16::from(byte >> 6 == 3),
    }
}

fn settings(bytes: &mut Bytes<'_>) -> Settings {
    let [size, hits, timeout] = bytes.array();
    Settings {
        size: u32::from(size % 12) + 1,
        hits: u32::from(hits % 6) + 1,
        timeout: if timeout & 0x80 != 0 {
            AGE_MAX
        } else {
            u32::from(timeout) * 4
        },
    }
}

/// All that the list tells.
fn contents(list: &List, ages: &mut Ages, now: u64) -> HashMap<Id, Entry> {
    let mut contents = HashMap::new();
    for number in 0.. {
        match list.snapshot(number, ages) {
            Err(_) => break,
            Ok(None) => {}
            Ok(Some(shown)) => {
                let entry = Entry {
                    seen: shown.ages.iter().map(|age| now - u64::from(*age)).collect(),
                    time_to_live: shown.time_to_live,
                    packets: shown.packets,
                };
                assert!(
                    contents.insert(id(&shown.key), entry).is_none(),
                    "shown twice"
                );
            }
        }
    }
    contents
}

pub(super) fn run(bytes: &mut Bytes<'_>) {
    start();
    // A few buckets, or all of them; and time that is about to wrap, or did.
    let [mask, time] = bytes.array();
    c::set_hash_mask(if mask & 1 == 0 {
        u32::MAX
    } else {
        u32::from(mask >> 1)
    });
    let mut now = 0x3_ffff_ff00 + u64::from(time);
    c::set_jiffies(now);
    let chosen = settings(bytes);
    let lists = Lists::new(Limits {
        lists: 2,
        entries: 100,
        timeout: AGE_MAX,
    })
    .unwrap();
    let list = lists.create(b"list", chosen).unwrap();
    let ageing = Ageing::new(lists.clone());
    let mut model = Model {
        entries: HashMap::new(),
        settings: chosen,
        now,
    };
    let mut ages = Ages::new().unwrap();
    while !bytes.is_empty() {
        let [operation, who, byte] = bytes.array();
        let key = key(who);
        let id = id(&key);
        let before = (model.alive(), list.statistics());
        let guard = rcu::read_lock();
        let ttl = byte & 3;
        match operation % 12 {
            0 | 1 => {
                kernel::alloc::fail_after((byte & 0xf0 == 0xf0).then_some(0));
                let is_quick = match (key.family, key.port) {
                    _ if byte & 4 == 0 => false,
                    (Family::Ipv4, 0) => {
                        list.stamp_quickly(&Ipv4Key(key.address.words()[0]), ttl, &guard)
                    }
                    (Family::Ipv6, 0) => {
                        list.stamp_quickly(&Ipv6Key(key.address.words()), ttl, &guard)
                    }
                    _ => list.stamp_quickly(&key, ttl, &guard),
                };
                if !is_quick {
                    list.stamp(&key, ttl, &guard);
                }
                kernel::alloc::fail_after(None);
                let refused = list.statistics().refused - before.1.refused;
                assert!(refused == 0 || byte & 0xf0 == 0xf0);
                if refused == 0 {
                    model.push(&id, Some(ttl));
                }
            }
            2 | 3 => {
                let window = Window {
                    age: if byte & 0x80 != 0 {
                        Window::any().age
                    } else {
                        u32::from(byte)
                    },
                    hits: u32::from(byte >> 2 & 7) + 1,
                    reap: operation & 0x80 != 0,
                };
                let question = Question {
                    key,
                    time_to_live: ttl,
                    window: &window,
                };
                let expected = model.check(&id, ttl, &window);
                if operation % 12 == 2 {
                    if let (false, Some(answer)) =
                        (window.reap, list.check_quickly(&question, &guard))
                    {
                        assert_eq!(answer, expected == Some(true));
                    }
                    assert_eq!(list.check(&question, &guard), expected == Some(true));
                } else {
                    let invert = byte & 0x40 != 0;
                    let quick = match window.reap || operation & 0x40 == 0 {
                        true => None,
                        false => list.update_quickly(&question, invert, 9, &guard),
                    };
                    let answer = quick.unwrap_or_else(|| list.update(&question, invert, 9, &guard));
                    assert_eq!(answer, expected == Some(true));
                    if expected.is_some_and(|agrees| agrees != invert) {
                        model.push(&id, Some(9));
                    }
                }
                if window.reap {
                    // Those may be gone that were not seen for that long, and nobody else.
                    let kept = contents(&list, &mut ages, now);
                    let (now, age) = (model.now, u64::from(window.age));
                    model
                        .entries
                        .retain(|id, entry| kept.contains_key(id) || now - entry.seen[0] <= age);
                }
            }
            4 => {
                let expected = model.entry(&id).is_some_and(|entry| {
                    ttl == 0 || entry.time_to_live == 0 || entry.time_to_live == ttl
                });
                assert_eq!(list.remove(&key, ttl), expected);
                if expected {
                    model.entries.remove(&id);
                }
            }
            5 => {
                let time_to_live = (byte & 4 != 0).then_some(ttl);
                let is_known = model.entry(&id).is_some();
                kernel::alloc::fail_after((byte & 0xf0 == 0xf0).then_some(0));
                let stamped = list.add(&key, time_to_live);
                kernel::alloc::fail_after(None);
                assert!(stamped != Stamped::Refused || byte & 0xf0 == 0xf0);
                assert!(!is_known || stamped == Stamped::Known);
                if stamped != Stamped::Refused {
                    model.push(&id, time_to_live);
                }
            }
            6 => {
                let step = u64::from(byte >> 4) + 1;
                let past = Past {
                    time_to_live: ttl,
                    packets: u32::from(byte),
                    ages: (0..u32::from(byte >> 2 & 3) + 1)
                        .map(|count| (u64::from(count) * step) as u32),
                };
                list.restore(&key, &past);
                let mut seen: Vec<u64> =
                    past.ages.clone().map(|age| now - u64::from(age)).collect();
                seen.truncate(model.settings.hits as usize);
                let entry = Entry {
                    seen,
                    time_to_live: ttl,
                    packets: byte.into(),
                };
                model.entries.insert(id, entry);
            }
            7 => {
                now += match who & 3 {
                    3 => u64::from(byte) << 20,
                    _ => u64::from(byte),
                };
                c::set_jiffies(now);
                model.now = now;
                // The ageing comes by at least every hour.
                ageing.run();
                for entry in model.entries.values_mut() {
                    entry.seen.retain(|seen| now - seen <= AGE_MAX.into());
                }
                model.entries.retain(|_, entry| !entry.seen.is_empty());
            }
            8 => {
                assert!(list.flush().is_ok());
                model.entries.clear();
            }
            9 => {
                let timeout = settings(bytes).timeout;
                // Who is gone does not come back.
                model.entries = model.alive();
                ageing.run();
                list.set_timeout(timeout);
                model.settings.timeout = timeout;
            }
            10 => {
                let chosen = settings(bytes);
                model.entries = model.alive();
                // A longer timeout brings back who is not gone so far.
                ageing.run();
                kernel::alloc::fail_after((byte < 32).then_some(byte.into()));
                let prepared = list.prepare(chosen);
                kernel::alloc::fail_after(None);
                if let Ok(prepared) = prepared {
                    let lost = prepared.install();
                    model.settings = chosen;
                    for entry in model.entries.values_mut() {
                        entry.seen.truncate(chosen.hits as usize);
                    }
                    let alive = model.alive();
                    let spare = alive.len().saturating_sub(chosen.size as usize);
                    assert_eq!(lost, spare as u64);
                    // The oldest made room.
                    let kept = contents(&list, &mut ages, now);
                    let newest_lost = alive.iter().filter(|(id, _)| !kept.contains_key(*id));
                    let newest_lost = newest_lost.map(|(_, entry)| entry.seen[0]).max();
                    let oldest_kept = kept.values().map(|entry| entry.seen[0]).min();
                    assert!(newest_lost.is_none() || newest_lost <= oldest_kept);
                    model.entries = alive;
                    model.entries.retain(|id, _| kept.contains_key(id));
                }
            }
            _ => {
                let _ = list.reserve(byte.into());
            }
        }
        drop(guard);
        c::run_retired();
        compare(&list, &mut model, &before.0, &id, &mut ages);
    }
    c::set_hash_mask(u32::MAX);
}

/// The list holds what the model does, but one entry less for each that had to make room.
fn compare(
    list: &Arc<List>,
    model: &mut Model,
    before: &HashMap<Id, Entry>,
    who: &Id,
    ages: &mut Ages,
) {
    let held = contents(list, ages, model.now);
    let expected = model.alive();
    for (id, entry) in &held {
        assert_eq!(Some(entry), expected.get(id), "{id:?}");
    }
    let gone: Vec<_> = expected
        .keys()
        .filter(|id| !held.contains_key(*id))
        .collect();
    // One operation takes at most one entry away, and only where the list is full or there was no memory.
    assert!(gone.len() <= 1, "{gone:?}");
    assert!(gone.is_empty() || !before.contains_key(who) && gone[0] != who);
    assert!(held.len() <= model.settings.size as usize);
    assert!(list.statistics().entries as usize >= held.len());
    model
        .entries
        .retain(|id, _| held.contains_key(id) || !expected.contains_key(id));
}
