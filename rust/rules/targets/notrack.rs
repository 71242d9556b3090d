// SPDX-License-Identifier: GPL-2.0

//! The target NOTRACK, which is also known as `CT --notrack`.

use super::{
    Action,
    PacketTarget, //
};
use crate::{
    kernel_api::{
        extended_ack::{
            ExtAckError,
            NetlinkResult, //
        },
        message::Message,
        netlink::Attribute, //
    },
    packet::Packet,
    rules::resources::{
        Resources,
        Surroundings, //
    },
    spec::{
        attribute::target as attributes,
        Table, //
    },
};
use kernel::prelude::*;

/// Has connection tracking pass a packet over.
#[derive(PartialEq, Eq)]
pub(in crate::rules) struct Notrack;

impl PacketTarget for Notrack {
    const ATTRIBUTE: u16 = attributes::NOTRACK;

    #[inline]
    fn apply(&self, packet: &Packet<'_>) -> Action {
        packet.skb().set_untracked();
        Action::Continue
    }

    fn decode<'a>(
        attribute: Attribute<'a>,
        surroundings: &Surroundings<'_>,
        _resources: &mut Resources<'_>,
    ) -> NetlinkResult<'a, Self> {
        if surroundings.site.table() != Some(Table::Raw) {
            let message = c"only the table raw sees packets before connection tracking does";
            return Err(ExtAckError::new(EINVAL, message).at(attribute));
        }
        Ok(Self)
    }

    fn encode(&self, message: &mut Message) -> Result {
        message.put_flag(Self::ATTRIBUTE, true)
    }
}
