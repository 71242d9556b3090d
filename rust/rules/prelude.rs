// SPDX-License-Identifier: GPL-2.0

//! What nearly every match and every target needs.

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
