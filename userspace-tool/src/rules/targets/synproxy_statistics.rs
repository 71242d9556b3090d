// SPDX-License-Identifier: GPL-2.0

//! What a rule with the target SYNPROXY has seen.

use serde_json::{Value, json};

use crate::{
    error::Error,
    netlink::{Attribute, spec::attribute::synproxy_statistics as attribute},
};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Statistics {
    pub(crate) syns: u64,
    pub(crate) cookies_sent: u64,
    pub(crate) cookies_valid: u64,
    pub(crate) cookies_invalid: u64,
    pub(crate) out_of_flow: u64,
    /// What had become of connections to the rule's servers before the rule came.
    pub(crate) opened_before: u64,
    pub(crate) refused_before: u64,
    pub(crate) unanswered_before: u64,
}

impl Statistics {
    pub(super) fn decode(nest: &Attribute<'_>) -> Result<Self, Error> {
        let mut decoded = Self::default();
        for attribute in nest.nested() {
            let attribute = attribute?;
            match attribute.kind {
                attribute::SYNS => decoded.syns = attribute.u64()?,
                attribute::COOKIES_SENT => decoded.cookies_sent = attribute.u64()?,
                attribute::COOKIES_VALID => decoded.cookies_valid = attribute.u64()?,
                attribute::COOKIES_INVALID => decoded.cookies_invalid = attribute.u64()?,
                attribute::OUT_OF_FLOW => decoded.out_of_flow = attribute.u64()?,
                attribute::OPENED_BEFORE => decoded.opened_before = attribute.u64()?,
                attribute::REFUSED_BEFORE => decoded.refused_before = attribute.u64()?,
                attribute::UNANSWERED_BEFORE => decoded.unanswered_before = attribute.u64()?,
                _ => {}
            }
        }
        Ok(decoded)
    }

    pub(crate) fn json(self) -> Value {
        json!({
            "syns": self.syns,
            "cookies_sent": self.cookies_sent,
            "cookies_valid": self.cookies_valid,
            "cookies_invalid": self.cookies_invalid,
            "out_of_flow": self.out_of_flow,
        })
    }
}
