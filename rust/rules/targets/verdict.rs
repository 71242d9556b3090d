// SPDX-License-Identifier: GPL-2.0

//! The targets ACCEPT, DROP and RETURN.

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
        Verdict, //
    },
};
use kernel::prelude::*;

/// A verdict.
#[derive(PartialEq, Eq)]
pub(in crate::rules) struct VerdictTarget(Verdict);

impl PacketTarget for VerdictTarget {
    const ATTRIBUTE: u16 = attributes::VERDICT;

    #[inline]
    fn apply(&self, _packet: &Packet<'_>) -> Action {
        match self.0 {
            Verdict::Accept => Action::Accept,
            Verdict::Drop => Action::Drop,
            Verdict::Return => Action::Return,
        }
    }

    fn decode<'a>(
        attribute: Attribute<'a>,
        _surroundings: &Surroundings<'_>,
        _resources: &mut Resources<'_>,
    ) -> NetlinkResult<'a, Self> {
        let verdict = attribute.u32().and_then(Verdict::from_number);
        verdict
            .map(Self)
            .ok_or_else(|| ExtAckError::new(EINVAL, c"there is no such verdict").at(attribute))
    }

    fn encode(&self, message: &mut Message) -> Result {
        message.put_u32(attributes::VERDICT, self.0.number())
    }
}
