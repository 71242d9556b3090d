// SPDX-License-Identifier: GPL-2.0

//! SYNPROXY's own state, used by several CPUs at once.

use super::{
    proxied::Proxied,
    servers::Servers,
    waiting::{LookAfter, Wait, Waiting},
};
use crate::{
    c,
    kernel_api::{
        connections::Endpoints, netfilter::Family, testing::initial_scope, words::Word,
        work::Background,
    },
    races::{at_once, explore},
};
use kernel::{prelude::*, sync::Arc};

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
        let waiting = Waiting::new(&initial_scope().unwrap(), servers).unwrap();
        let asked = Word::new(0);
        let look_after = LookAfter(waiting.clone());
        let look = || {
            look_after.run();
            look_after.run();
        };
        let begin = || {
            if waiting.begin(&wait(1), None) {
                asked.store(1);
            }
            assert!(!waiting.is_idle(), "nobody looks");
        };
        let begin_and_end = || {
            if waiting.begin(&wait(2), None) {
                asked.store(1);
            }
            waiting.end(&wait(2).endpoints);
            assert!(waiting.find(&wait(2).endpoints).is_none());
        };
        at_once(&[&look, &begin, &begin_and_end]);
        let found = waiting.find(&wait(1).endpoints);
        assert_eq!(found.map(|wait| wait.cookie), Some(1));
        assert!(!waiting.is_idle() && asked.load() == 1, "nobody looks");
    });
}

#[test]
fn one_notes_what_the_server_has_announced() {
    explore(|| {
        let words = [const { Word::new(0) }; 3];
        let firsts = [const { Word::new(0) }; 3];
        let open = |index: usize| {
            if Proxied::new(&words).begin_to_open() {
                firsts[index].store(1);
            }
        };
        at_once(&[&|| open(0), &|| open(1), &|| open(2)]);
        assert_eq!(firsts.iter().map(Word::load).sum::<u32>(), 1);
    });
}
