// SPDX-License-Identifier: GPL-2.0

//! The JSON of a frame.

use serde_json::json;

use super::{
    events::{entry, flood},
    flooded,
    view::full,
};
use crate::{
    error::Error,
    netlink::spec::command,
    top::{json::frame, state::State},
};

#[test]
fn a_frame_has_rates_and_totals() {
    let mut state = full();
    let value = frame(&mut state);
    assert_eq!(value["time"], 1_796_040_186_000_u64);
    assert_eq!(value["interval_ms"], 2000);
    assert_eq!(value["error"], json!(null));
    let port = &value["ports"][0];
    assert_eq!(
        port["rates"].to_string(),
        r#"{"syns":20000.0,"cookies_sent":19500.0,"cookies_valid":10.0,"cookies_invalid":3.0,"opened":9.0,"refused":2.0,"unanswered":1.0,"out_of_flow":4.0}"#
    );
    assert_eq!(
        port["totals"].to_string(),
        r#"{"syns":40000,"cookies_sent":39000,"cookies_valid":20,"cookies_invalid":6,"opened":18,"refused":4,"unanswered":2,"out_of_flow":8}"#
    );
    assert_eq!((&port["port"], &port["ports"]), (&json!(80), &json!("80")));
    assert_eq!(
        (&port["address"], &port["flooded"]),
        (&json!("any"), &json!(true))
    );
    assert_eq!(value["ports"][1]["address"], "192.0.2.1");
    assert_eq!(
        value["rules"][1].to_string(),
        r#"{"table":"raw","chain":"PREROUTING","position":3,"rule":"-A PREROUTING -m recent --rcheck --name ban --rsource -j DROP","packets_per_second":50.0,"bytes_per_second":3000.0,"packets":105,"bytes":6300}"#
    );
    assert_eq!(value["lists"][1]["name"], "ban");
    assert_eq!(value["lists"][1]["entries"], 7);
    let busiest = &value["busiest"];
    assert_eq!(
        (&busiest["list"], &busiest["entries"]),
        (&json!("ban"), &json!(7))
    );
    assert_eq!(
        busiest["addresses"][0].to_string(),
        r#"{"address":"203.0.113.7","prefix":null,"port":null,"packets":1234,"packets_per_second":17.333,"age_ms":40,"left_ms":14400000,"permanent":false}"#
    );
    assert_eq!(busiest["addresses"][1]["prefix"], 24);
    assert_eq!(busiest["addresses"][1]["permanent"], true);
    let events: Vec<_> = value["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| &event["event"])
        .collect();
    assert_eq!(events, ["entry-add", "flood-start"]);
    assert_eq!(value["events_lost"], 0);
}

#[test]
fn events_are_told_once() {
    let mut state = flooded();
    state.lately.add(flood(1));
    state.lately.add(entry(command::ENTRY_ADD_NTF, 2, 7, true));
    state.lately.lost_more = true;
    let first = frame(&mut state);
    assert_eq!(first["events"].as_array().unwrap().len(), 2);
    assert_eq!(first["events_lost"], json!(null));
    let second = frame(&mut state);
    assert_eq!(second["events"], json!([]));
    assert_eq!(second["events_lost"], 0);
}

#[test]
fn a_module_that_is_gone_is_told() {
    let mut state = flooded();
    state.lose(&Error::NotLoaded("why".to_owned()));
    let value = frame(&mut state);
    assert_eq!(
        value["error"],
        "the palisade kernel module is not loaded: why"
    );
    for name in ["ports", "rules", "lists"] {
        assert_eq!(value[name], json!([]), "{name}");
    }
    assert_eq!(value["busiest"], json!(null));
    let nothing = frame(&mut State::new(None));
    assert_eq!(nothing["interval_ms"], json!(null));
}
