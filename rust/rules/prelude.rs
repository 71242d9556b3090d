// SPDX-License-Identifier: GPL-2.0

//! Imports of nearly every match and target.

pub(super) use super::{
    chain::Chain,
    chains::{
        ChainId,
        ChainNames, //
    },
    context::{
        DecodeContext,
        IPV4_BITS, //
    },
    jumps::Restriction,
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
    kernel_api::{
        netfilter::{
            HookNumber,
            Verdict, //
        },
        netlink::{
            extended_ack::{
                ExtAckError,
                NetlinkResult, //
            },
            message::Message,
            nest::{
                self,
                nest,
                OptionalGroup,
                Payload, //
            },
            Attribute,
            Attributes, //
        },
    },
    packet::{
        Address,
        Family,
        Packet,
        Pattern,
        Transport, //
    },
    recent::List,
    spec::{
        attribute,
        Table, //
    },
};
pub(super) use kernel::{
    prelude::*,
    sync::Arc, //
};
