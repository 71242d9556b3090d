// SPDX-License-Identifier: GPL-2.0

//! The counters of a rule with the target SYNPROXY.

use serde_json::{Value, json};

use crate::{
    error::Error,
    fields::{Decode, Field, nest},
    netlink::{Nest, Writer},
};

nest! {
    #[derive(Clone, Copy)]
    pub(crate) struct Statistics: synproxy_statistics {
        pub(crate) syns: u64 = SYNS;
        pub(crate) cookies_sent: u64 = COOKIES_SENT;
        pub(crate) cookies_valid: u64 = COOKIES_VALID;
        pub(crate) cookies_invalid: u64 = COOKIES_INVALID;
        pub(crate) out_of_flow: u64 = OUT_OF_FLOW;
        /// The counters of the rule's servers when the rule was appended.
        pub(crate) opened_before: u64 = OPENED_BEFORE;
        pub(crate) refused_before: u64 = REFUSED_BEFORE;
        pub(crate) unanswered_before: u64 = UNANSWERED_BEFORE;
        pub(crate) handed_over_before: u64 = HANDED_OVER_BEFORE;
        pub(crate) dropped_before: u64 = DROPPED_BEFORE;
        pub(crate) opened_by_data_before: u64 = OPENED_BY_DATA_BEFORE;
        pub(crate) opened_by_timeout_before: u64 = OPENED_BY_TIMEOUT_BEFORE;
        pub(crate) given_up_before: u64 = GIVEN_UP_BEFORE;
    }
}

/// Read only: the kernel sets them.
impl Field for Statistics {
    type Kinds = u16;
    type Given = Self;

    fn read(nest: &Nest<'_>, kind: u16) -> Result<Option<Self>, Error> {
        let statistics = nest.get(kind);
        statistics
            .map(|statistics| Self::decode(&statistics.nest()?))
            .transpose()
    }

    fn write(&self, _kind: u16, _nest: &mut Writer) {}

    fn given(value: Self, _inverted: bool) -> Self {
        value
    }

    fn words(&self, _option: &str) -> Option<String> {
        None
    }

    fn value(&self) -> Value {
        json!({
            "syns": self.syns,
            "cookies_sent": self.cookies_sent,
            "cookies_valid": self.cookies_valid,
            "cookies_invalid": self.cookies_invalid,
            "out_of_flow": self.out_of_flow,
        })
    }
}
