// SPDX-License-Identifier: GPL-2.0

//! What readers see of a value while it is replaced: a whole one, not dropped yet.

use super::{
    at_once,
    explore, //
};
use crate::kernel_api::sync::{
    rcu::{
        Published,
        RcuBox,
        Retirable, //
    },
    words::Word, //
};
use kernel::{
    prelude::*,
    sync::rcu, //
};

/// A value that can be told from a dropped one.
struct Value {
    first: Word,
    second: Word,
}

impl Value {
    fn new(number: u32) -> Self {
        Self {
            first: Word::new(number),
            second: Word::new(!number),
        }
    }

    fn number(&self) -> u32 {
        let number = self.first.load();
        assert_eq!(self.second.load(), !number, "a value that is none");
        assert!(number < 10, "a value that is none");
        number
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        self.first.store(u32::MAX);
    }
}

fn value(number: u32) -> KBox<Retirable<Value>> {
    Retirable::new(Value::new(number), GFP_KERNEL).unwrap()
}

#[test]
fn who_reads_has_the_value_until_it_is_done() {
    explore(|| {
        let shared = RcuBox::new(value(0));
        let read = || {
            let mut last = 0;
            for _ in 0..3 {
                let guard = rcu::read_lock();
                let value = shared.read(&guard);
                let number = value.number();
                assert!(number >= last, "an older value");
                last = number;
                assert_eq!(value.number(), number);
            }
        };
        let replace = || {
            for number in 1..4 {
                shared.replace(value(number));
            }
        };
        at_once(&[&read, &read, &replace]);
        assert_eq!(shared.read(&rcu::read_lock()).number(), 3);
    });
}

#[test]
fn two_who_replace_lose_no_value() {
    explore(|| {
        let shared = RcuBox::new(value(0));
        let replace = |number: u32| {
            shared.replace(value(number));
            shared.replace(value(number + 1));
        };
        let read = || {
            let guard = rcu::read_lock();
            shared.read(&guard).number();
        };
        at_once(&[&|| replace(1), &|| replace(3), &read]);
        assert!([2, 4].contains(&shared.read(&rcu::read_lock()).number()));
    });
}

#[test]
fn what_c_code_was_given_outlasts_its_owner() {
    explore(|| {
        let address = Word::new(0);
        let published = [value_of(1), value_of(2)];
        let pointers = published
            .each_ref()
            .map(|one| one.value() as *const Value as usize);
        let owners = published.map(|one| std::sync::Mutex::new(Some(one)));
        address.store(1);
        let read = || {
            for _ in 0..3 {
                let _guard = rcu::read_lock();
                let which = address.load() as usize;
                if which != 0 {
                    // SAFETY: Its owner drops it after unpublishing it, and it is freed after a
                    // grace period only.
                    let value = unsafe { &*(pointers[which - 1] as *const Value) };
                    assert_eq!(value.number(), which as u32);
                    assert_eq!(value.number(), which as u32);
                }
            }
        };
        let unregister = || {
            for next in [2, 0] {
                let which = address.load() as usize;
                address.store(next);
                drop(owners[which - 1].lock().unwrap().take());
            }
        };
        at_once(&[&read, &read, &unregister]);
    });
}

fn value_of(number: u32) -> Published<Value> {
    Published::new(Value::new(number), GFP_KERNEL).unwrap()
}
