// SPDX-License-Identifier: GPL-2.0

//! SYNPROXY's own state, used by several CPUs at once.

use super::{
    connection::{
        held::{
            Held,
            HeldMemory, //
        },
        proxy_state::ProxyState,
        syn_sent::{
            RetransmitWork,
            SynSentTable,
            Wait, //
        },
    },
    server::{
        floods::{
            FloodState,
            QUIET, //
        },
        servers::Servers, //
    },
};
use crate::{
    c,
    kernel_api::{
        conntrack::connections::Endpoints,
        netfilter::Family,
        sync::words::Word,
        testing::{
            initial_scope,
            TestPacket, //
        },
        work::Background, //
    },
    packet::tcp::segment::Segment,
    races::{
        at_once,
        explore, //
    },
};
use core::sync::atomic::{
    AtomicUsize,
    Ordering::SeqCst, //
};
use kernel::{
    prelude::*,
    sync::Arc, //
};

fn wait(number: u32) -> Wait {
    let endpoints = Endpoints {
        family: Family::Ipv4,
        addresses: ([number, 0, 0, 0], [1, 0, 0, 0]),
        ports: ([1, 2], [0, 80]),
    };
    Wait::plain(endpoints, number)
}

#[test]
fn who_is_waited_for_is_looked_after() {
    explore(|| {
        c::set_jiffies(0x1_0000_0000);
        let servers = Arc::new(Servers::new().unwrap(), GFP_KERNEL).unwrap();
        let memory = Arc::new(HeldMemory::new(0), GFP_KERNEL).unwrap();
        let syn_sent = SynSentTable::new(&initial_scope().unwrap(), servers, memory).unwrap();
        let asked = Word::new(0);
        let retransmit_work = RetransmitWork(syn_sent.clone());
        let look = || {
            retransmit_work.run();
            retransmit_work.run();
        };
        let insert = || {
            if syn_sent.insert(&wait(1), None) {
                asked.store(1);
            }
            assert!(!syn_sent.is_idle(), "nobody looks");
        };
        let begin_and_end = || {
            if syn_sent.insert(&wait(2), None) {
                asked.store(1);
            }
            syn_sent.end(&wait(2).endpoints);
            assert!(syn_sent.find(&wait(2).endpoints).is_none());
        };
        at_once(&[&look, &insert, &begin_and_end]);
        let found = syn_sent.find(&wait(1).endpoints);
        assert_eq!(found.map(|wait| wait.cookie), Some(1));
        assert!(!syn_sent.is_idle() && asked.load() == 1, "nobody looks");
    });
}

#[test]
fn one_notes_what_the_server_has_announced() {
    explore(|| {
        let words = [const { Word::new(0) }; 3];
        let firsts = [const { Word::new(0) }; 3];
        let open = |index: usize| {
            if ProxyState::new(&words).try_start_opening() {
                firsts[index].store(1);
            }
        };
        at_once(&[&|| open(0), &|| open(1), &|| open(2)]);
        assert_eq!(firsts.iter().map(Word::load).sum::<u32>(), 1);
    });
}

#[test]
fn no_more_is_held_than_there_is_room_for() {
    const MAX: u16 = 2048;
    explore(|| {
        let memory = Arc::new(HeldMemory::new(MAX.into()), GFP_KERNEL).unwrap();
        // What is held, in the sizes of the allocator.
        let held = AtomicUsize::new(0);
        let hold = |sizes: &[usize]| {
            for size in sizes {
                let packet = TestPacket::new(Family::Ipv4, &vec![0x45; 40 + size]).unwrap();
                let segment = Segment {
                    offset: 20,
                    ports: ([0; 2], [0; 2]),
                    sequence: 0,
                    acknowledgement: 0,
                    header_length: 20,
                    flags: 0,
                    window: 0,
                };
                if let Some(one) = Held::of(&memory, 0, packet.skb(), &segment) {
                    let now = held.fetch_add(*size, SeqCst) + size;
                    assert!(now <= MAX.into(), "{now} bytes");
                    assert_eq!(one.bytes().len(), *size);
                    held.fetch_sub(*size, SeqCst);
                }
            }
        };
        at_once(&[&|| hold(&[1024, 2048]), &|| hold(&[512, 1024]), &|| {
            hold(&[2048, 512])
        }]);
        assert_eq!(memory.room(), MAX / 3);
    });
}

#[test]
fn a_flood_begins_and_ends_once() {
    explore(|| {
        let (state, begun, ended) = (FloodState::new(), AtomicUsize::new(0), AtomicUsize::new(0));
        let begin = || {
            begun.fetch_add(state.note(1000).into(), SeqCst);
        };
        at_once(&[&begin, &begin]);
        let end = || {
            ended.fetch_add(state.end(u64::from(1000 + QUIET)).into(), SeqCst);
        };
        at_once(&[&end, &end]);
        assert_eq!((begun.load(SeqCst), ended.load(SeqCst)), (1, 1));
    });
}
