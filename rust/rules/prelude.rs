// SPDX-License-Identifier: GPL-2.0

//! Imports of nearly every match and target.

pub(super) use super::{
    context::DecodeContext,
    matches::{
        MatchResult,
        PacketMatch, //
    },
    targets::{
        Decision,
        PacketTarget, //
    },
};
pub(super) use crate::{
    kernel_api::netlink::{
        extended_ack::{
            ExtAckError,
            NetlinkResult, //
        },
        nest::nest,
        Attributes, //
    },
    packet::Packet,
    spec::attribute, //
};
pub(super) use kernel::prelude::*;
