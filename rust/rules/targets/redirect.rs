// SPDX-License-Identifier: GPL-2.0

//! The target REDIRECT: the connection is sent to this machine.

use super::{
    Action,
    PacketTarget,
    Restriction, //
};
use crate::{
    kernel_api::{
        extended_ack::{
            ExtAckError,
            NetlinkResult, //
        },
        message::Message,
        nat::Redirection,
        netfilter::{
            HookNumber,
            Verdict, //
        },
        netlink::Attribute, //
    },
    packet::{
        has_ports,
        Packet, //
    },
    rules::resources::{
        Resources,
        Surroundings, //
    },
    spec::{
        attribute::{
            redirect as attributes,
            target, //
        },
        Table, //
    },
};
use core::ops::RangeInclusive;
use kernel::prelude::*;

/// In the table nat.
static WHERE_TRANSLATED: Restriction = Restriction {
    hooknums: &[HookNumber::PreRouting, HookNumber::LocalOut],
    message: c"REDIRECT is for packets of PREROUTING and OUTPUT",
};

/// In the table filter.
static WHERE_ARRIVED: Restriction = Restriction {
    hooknums: &[HookNumber::LocalIn],
    message: c"in the table filter REDIRECT is for packets of INPUT: elsewhere use the table nat",
};

/// Sends connections to this machine.
pub(in crate::rules) struct Redirect {
    ports: Option<RangeInclusive<u16>>,
    random: bool,
    /// None in the table filter: packets of INPUT have come to this machine already, and pass.
    redirection: Option<Redirection>,
}

impl PartialEq for Redirect {
    fn eq(&self, other: &Self) -> bool {
        self.ports == other.ports && self.random == other.random
    }
}

impl PacketTarget for Redirect {
    const ATTRIBUTE: u16 = target::REDIRECT;

    const NEEDS_CONNTRACK: bool = true;

    fn restriction(&self) -> Option<&'static Restriction> {
        Some(match self.redirection {
            Some(_) => &WHERE_TRANSLATED,
            None => &WHERE_ARRIVED,
        })
    }

    #[inline]
    fn apply(&self, packet: &Packet<'_>) -> Action {
        let Some(redirection) = &self.redirection else {
            return Action::Accept;
        };
        match redirection.apply(packet.skb(), packet.context()) {
            Verdict::Accept => Action::Accept,
            Verdict::Drop => Action::Drop,
        }
    }

    fn decode<'a>(
        attribute: Attribute<'a>,
        surroundings: &Surroundings<'_>,
        _resources: &mut Resources<'_>,
    ) -> NetlinkResult<'a, Self> {
        let redirect = attribute.nested();
        let first = redirect.get(attributes::PORT_FIRST);
        let last = redirect.get(attributes::PORT_LAST);
        let random = redirect.get(attributes::RANDOM);
        let start = first.and_then(|attribute| attribute.u16());
        let end = last.and_then(|attribute| attribute.u16());
        let ports = match (start, end) {
            (None, None) => None,
            (Some(start), None) => Some(start..=start),
            (Some(start), Some(end)) if start <= end => Some(start..=end),
            _ => {
                let refusal =
                    ExtAckError::new(EINVAL, c"a range of ports has a first and a last port");
                return Err(last.map_or(refusal, |at| refusal.at(at)));
            }
        };
        if let Some(at) = first.filter(|_| !surroundings.header.protocol().is_some_and(has_ports)) {
            let message = c"the rule has to be for a protocol that has ports";
            return Err(ExtAckError::new(EINVAL, message).at(at));
        }
        let redirection = match surroundings.site.table() {
            Some(Table::Nat) => Some(Redirection::new(ports.as_ref(), random.is_some())),
            Some(Table::Filter) => {
                if let Some(at) = first.or(random) {
                    let message =
                        c"the table filter cannot change ports: use PREROUTING of the table nat";
                    return Err(ExtAckError::new(EINVAL, message).at(at));
                }
                None
            }
            _ => return Err(ExtAckError::new(EINVAL, c"REDIRECT is for the table nat")),
        };
        Ok(Self {
            ports,
            random: random.is_some(),
            redirection,
        })
    }

    fn encode(&self, message: &mut Message) -> Result {
        message.nest(Self::ATTRIBUTE, |message| {
            if let Some(ports) = &self.ports {
                message.put_u16(attributes::PORT_FIRST, *ports.start())?;
                message.put_u16(attributes::PORT_LAST, *ports.end())?;
            }
            message.put_flag(attributes::RANDOM, self.random)
        })
    }
}
