// SPDX-License-Identifier: GPL-2.0

//! The ring of events: several CPUs put events in while one takes them out.

use super::ring::{
    Ring,
    CAPACITY,
    WORDS, //
};
use crate::races::{
    at_once,
    explore, //
};
use core::sync::atomic::{
    AtomicU32,
    Ordering::SeqCst, //
};

fn event(number: u32) -> [u32; WORDS] {
    core::array::from_fn(|index| number << 8 | index as u32)
}

/// Takes events out, which have to be whole, and each CPU's in its order. Returns how many.
fn take(ring: &Ring, last: &mut [u32; 2]) -> u32 {
    let mut taken = 0;
    while let Some(words) = ring.pop() {
        let number = words[0] >> 8;
        assert_eq!(words, event(number), "half an event");
        let last = &mut last[(number & 1) as usize];
        assert!(number > *last, "an event comes again");
        *last = number;
        taken += 1;
    }
    taken
}

#[test]
fn events_are_whole_and_come_once() {
    explore(|| {
        // Turns wrap, and there is room for two of the four.
        let ring = Ring::starting_at(u32::MAX - CAPACITY).unwrap();
        for _ in 0..CAPACITY - 2 {
            assert!(ring.push(event(0)));
        }
        for _ in 0..CAPACITY - 4 {
            assert_eq!(ring.pop(), Some(event(0)));
        }
        let (pushed, taken) = (AtomicU32::new(0), AtomicU32::new(0));
        let put = |cpu: u32| {
            for number in 1..4 {
                let is_in = ring.push(event(number << 1 | cpu));
                pushed.fetch_add(is_in.into(), SeqCst);
            }
        };
        let read = || {
            assert_eq!(ring.pop(), Some(event(0)));
            assert_eq!(ring.pop(), Some(event(0)));
            let mut last = [0; 2];
            for _ in 0..3 {
                taken.fetch_add(take(&ring, &mut last), SeqCst);
            }
        };
        at_once(&[&|| put(0), &|| put(1), &read]);
        let mut last = [0; 2];
        let left = take(&ring, &mut last);
        assert_eq!(taken.load(SeqCst) + left, pushed.load(SeqCst));
    });
}

#[test]
fn a_full_ring_loses_what_comes_and_nothing_else() {
    explore(|| {
        let ring = Ring::starting_at(0).unwrap();
        for number in 0..CAPACITY - 1 {
            assert!(ring.push(event(number + 10)));
        }
        let pushed = AtomicU32::new(0);
        let put = |number: u32| {
            pushed.fetch_add(ring.push(event(number)).into(), SeqCst);
        };
        at_once(&[&|| put(1), &|| put(2), &|| put(3)]);
        assert_eq!(pushed.load(SeqCst), 1);
        for number in 0..CAPACITY - 1 {
            assert_eq!(ring.pop(), Some(event(number + 10)));
        }
        let one = ring.pop().map(|words| words[0] >> 8);
        assert!(matches!(one, Some(1..=3)), "{one:?}");
        assert_eq!(ring.pop(), None);
    });
}
