// SPDX-License-Identifier: GPL-2.0

//! SYNPROXY's own state, used by several CPUs at once.

use super::{
    connection::{
        proxy_state::ProxyState,
        syn_sent::{
            RetransmitWork,
            SynSentTable,
            Wait, //
        },
    },
    server::servers::Servers, //
};
use crate::{
    c,
    kernel_api::{
        conntrack::connections::Endpoints,
        netfilter::Family,
        sync::words::Word,
        testing::initial_scope,
        work::Background, //
    },
    races::{
        at_once,
        explore, //
    },
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
        let syn_sent = SynSentTable::new(&initial_scope().unwrap(), servers).unwrap();
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
