// SPDX-License-Identifier: GPL-2.0

//! Tests of events: what messages say, as text and as JSON.

use super::{
    Event,
    event::{What, decode},
    is_wanted, show,
};
use crate::netlink::{
    Writer,
    spec::{
        Table,
        attribute::{chain, entry, event, list, server},
        command,
    },
};

/// 2026-11-30T12:03:04.123Z.
const TIME: u64 = 1_796_040_184_123;

fn message(fill: impl FnOnce(&mut Writer)) -> Writer {
    let mut message = Writer::default();
    message.u64(event::TIME, TIME);
    fill(&mut message);
    message
}

fn event(command: u8, message: &Writer) -> Event {
    decode(command, message.as_bytes()).unwrap().unwrap()
}

/// The lines without their times.
fn lines(event: &Event) -> Vec<String> {
    let text = show::text(event);
    text.lines()
        .map(|line| {
            line.strip_prefix("2026-11-30T12:03:04.123Z ")
                .unwrap()
                .to_owned()
        })
        .collect()
}

fn by_hand(message: &mut Writer) {
    message.u32(event::PID, 12);
    message.string(event::PROCESS, "palisade");
}

#[test]
fn a_change_of_rules_names_chains_and_who_made_it() {
    let changed = message(|message| {
        by_hand(message);
        message.u32(event::GENERATION, 7);
        message.u32(event::COUNT, 2);
        message.nested(event::CHAIN, |nest| {
            nest.u32(chain::TABLE, Table::Filter.number());
            nest.string(chain::NAME, "INPUT");
        });
        message.nested(event::CHAIN, |nest| {
            nest.u32(chain::TABLE, Table::Raw.number())
        });
    });
    let changed = event(command::RULESET_CHANGE_NTF, &changed);
    assert_eq!(
        lines(&changed),
        ["rules changed by palisade[12]: 2 changes in filter INPUT, raw, generation 7"]
    );
    assert_eq!(
        show::json(&changed).to_string(),
        format!(
            r#"{{"event":"ruleset-change","time":{TIME},"pid":12,"process":"palisade","count":2,"generation":7,"chain":[{{"table":"filter","name":"INPUT"}},{{"table":"raw","name":null}}]}}"#
        )
    );
}

fn added(count: u32) -> Event {
    let added = message(|message| {
        by_hand(message);
        message.u32(event::COUNT, count);
        message.nested(event::LIST, |nest| {
            nest.string(list::NAME, "ban");
            nest.nested(list::ENTRY, |nest| {
                nest.address(entry::ADDRESS, [203, 0, 113, 7].into());
                nest.u64(entry::EXPIRES, 14_400_000);
            });
            nest.nested(list::ENTRY, |nest| {
                nest.address(entry::ADDRESS, [198, 51, 100, 0].into());
                nest.u8(entry::PREFIX, 24);
                nest.flag(entry::PERMANENT);
            });
            nest.nested(list::ENTRY, |nest| {
                nest.address(entry::ADDRESS, "2001:db8::1".parse().unwrap());
                nest.u16(entry::PORT, 80);
            });
        });
        message.u32(event::EVICTED, 1);
    });
    event(command::ENTRY_ADD_NTF, &added)
}

#[test]
fn each_address_has_a_line() {
    assert_eq!(
        lines(&added(3)),
        [
            "list ban: 203.0.113.7 added for 4h by palisade[12]",
            "list ban: 198.51.100.0/24 added for ever by palisade[12]",
            "list ban: [2001:db8::1]:80 added by palisade[12]",
            "list ban: 1 evicted",
        ]
    );
    let more = lines(&added(40));
    assert_eq!(more[3], "list ban: 37 more added by palisade[12]");
    let json = show::json(&added(3));
    assert_eq!(json["event"], "entry-add");
    assert_eq!(
        json["list"].to_string(),
        r#"{"name":"ban","entry":[{"address":"203.0.113.7","expires":14400000},{"address":"198.51.100.0","prefix":24,"permanent":true},{"address":"2001:db8::1","port":80}]}"#
    );
}

#[test]
fn lists_are_told_with_their_settings() {
    let created = message(|message| {
        message.nested(event::LIST, |nest| {
            nest.string(list::NAME, "x\n");
            nest.u32(list::SIZE, 5);
            nest.u32(list::HITS, 20);
            nest.u64(list::TIMEOUT, 90_000);
            nest.string(list::EXCEPT, "good");
            nest.flag(list::NETWORKS);
        });
    });
    let created = event(command::LIST_CREATE_NTF, &created);
    assert_eq!(
        lines(&created),
        ["list x? created: size=5 hits=20 timeout=1m30s except=good networks"]
    );
    assert_eq!(
        show::json(&created)["list"].to_string(),
        r#"{"name":"x\n","size":5,"hits":20,"timeout":90000,"except":"good","networks":true}"#
    );
}

#[test]
fn servers_and_floods_are_told() {
    let of_server = |command, fill: fn(&mut Writer)| {
        let told = message(|message| {
            message.nested(event::SERVER, |nest| {
                nest.address(server::ADDRESS, [198, 51, 100, 1].into());
                nest.u16(server::PORT, 80);
                fill(nest);
            });
        });
        event(command, &told)
    };
    let learned = of_server(command::SERVER_LEARN_NTF, |nest| {
        nest.u16(server::MSS, 1460);
        nest.u8(server::WSCALE, 7);
        nest.flag(server::SACK_PERM);
    });
    assert_eq!(
        lines(&learned),
        ["server 198.51.100.1:80 learned: mss 1460, wscale 7, sack-perm"]
    );
    assert_eq!(show::json(&learned)["server"]["sack-perm"], true);
    let begins = of_server(command::FLOOD_START_NTF, |_| {});
    assert_eq!(lines(&begins), ["flood at 198.51.100.1:80 begins"]);
    let ends = of_server(command::FLOOD_END_NTF, |_| {});
    assert_eq!(lines(&ends), ["flood at 198.51.100.1:80 ends"]);
    assert_eq!(show::json(&ends)["event"], "flood-end");
}

#[test]
fn a_loss_is_never_hidden() {
    let lost = event(
        command::LOST_NTF,
        &message(|message| message.u32(event::LOST, 17)),
    );
    assert_eq!(lines(&lost), ["17 events were lost"]);
    assert_eq!(show::json(&lost)["lost"], 17);
    let overrun = Event::overrun();
    assert!(show::text(&overrun).contains("events were lost"));
    assert!(show::json(&overrun)["lost"].is_null());
    for event in [lost, overrun] {
        assert!(is_wanted(&event, &["ban".to_owned()]));
    }
}

#[test]
fn lists_are_chosen_by_name() {
    let (ban, other) = (["ban".to_owned()], ["other".to_owned()]);
    assert!(is_wanted(&added(3), &[]) && is_wanted(&added(3), &ban));
    assert!(!is_wanted(&added(3), &other));
    let flood = Event {
        what: What::FloodEnded,
        list: None,
        ..added(3)
    };
    assert!(is_wanted(&flood, &[]) && !is_wanted(&flood, &ban));
}

#[test]
fn unknown_events_are_passed_over_and_broken_ones_are_errors() {
    assert_eq!(decode(255, &[]).unwrap(), None);
    assert!(decode(command::LOST_NTF, &[]).is_err());
    let nameless = message(|message| message.nested(event::LIST, |_| {}));
    assert!(decode(command::LIST_FLUSH_NTF, nameless.as_bytes()).is_err());
}
