// SPDX-License-Identifier: GPL-2.0

//! Imports of nearly every netlink operation.

pub(super) use super::namespace;
pub(super) use crate::{
    kernel_api::{
        netlink::{
            extended_ack::{
                ExtAckError,
                NetlinkResult, //
            },
            genetlink::{
                Cursor,
                Doit,
                Dumpit,
                Output,
                Request, //
            },
            message::Message,
            nest::Payload,
            Attribute,
            Attributes, //
        },
        sync::counters::Totals,
        work::cond_resched, //
    },
    packet::Family,
    recent::{
        milliseconds,
        List, //
    },
    rules::{
        chains::ChainId,
        Chain, //
    },
    spec::{
        Table,
        Verdict, //
    },
};
pub(super) use kernel::{
    prelude::*,
    sync::Arc, //
};
