// SPDX-License-Identifier: GPL-2.0

//! The target REJECT: the packet is dropped, and its sender told.

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
        netlink::Attribute,
        reject, //
    },
    packet::{
        Family,
        Packet, //
    },
    rules::resources::{
        Resources,
        Surroundings, //
    },
    spec::{
        attribute::{
            reject as attributes,
            target, //
        },
        Table, //
    },
};
use kernel::prelude::*;

/// IPPROTO_TCP.
const TCP: u8 = 6;

/// ICMP_PORT_UNREACH.
const PORT_UNREACHABLE: u8 = 3;

/// ICMPV6_PORT_UNREACH.
const PORT_UNREACHABLE_V6: u8 = 4;

/// Unreachable are the net, the host, the protocol and the port; prohibited are the net, the host, and all of
/// it by the administrator. The other codes of ICMP say what no packet filter can know.
const CODES: [u8; 7] = [0, 1, 2, PORT_UNREACHABLE, 9, 10, 13];

/// Tells the sender, and drops the packet.
#[derive(PartialEq, Eq)]
pub(in crate::rules) enum Reject {
    /// With a TCP segment that has the flag RST.
    Reset,
    /// With a code of "destination unreachable", in the ICMP of the packet's IP version.
    Unreachable {
        /// The code for IPv4.
        code: u8,
        /// The code for IPv6.
        code_v6: u8,
    },
}

impl PacketTarget for Reject {
    const ATTRIBUTE: u16 = target::REJECT;

    fn apply(&self, packet: &Packet<'_>) -> Action {
        let (skb, context) = (packet.skb(), packet.context());
        match (self, packet.family) {
            (Self::Reset, _) => reject::send_reset(skb, context),
            (Self::Unreachable { code, .. }, Family::Ipv4)
            | (Self::Unreachable { code_v6: code, .. }, Family::Ipv6) => {
                reject::send_unreachable(skb, context, *code);
            }
        }
        Action::Drop
    }

    fn decode<'a>(
        attribute: Attribute<'a>,
        surroundings: &Surroundings<'_>,
        _resources: &mut Resources<'_>,
    ) -> NetlinkResult<'a, Self> {
        // All chains of this table are in hooks that packets can be refused in.
        if surroundings.site.table() != Some(Table::Filter) {
            return Err(ExtAckError::new(EINVAL, c"REJECT is for the table filter"));
        }
        let reject = attribute.nested();
        let v4 = reject.get(attributes::ICMP_CODE);
        let v6 = reject.get(attributes::ICMPV6_CODE);
        if let Some(reset) = reject.get(attributes::TCP_RESET) {
            let refuse = |message| Err(ExtAckError::new(EINVAL, message).at(reset));
            return if surroundings.header.protocol() != Some(TCP) {
                refuse(c"only a rule for TCP can reset connections")
            } else if v4.or(v6).is_some() {
                refuse(c"a packet is refused in one way only")
            } else {
                Ok(Self::Reset)
            };
        }
        for (code, other_family) in [(v4, Family::Ipv6), (v6, Family::Ipv4)] {
            if let Some(code) = code.filter(|_| surroundings.header.family() == Some(other_family))
            {
                let message = c"the rule is not for the IP version of this kind of refusal";
                return Err(ExtAckError::new(EINVAL, message).at(code));
            }
        }
        let code = v4.and_then(|attribute| attribute.u8());
        let code = code.unwrap_or(PORT_UNREACHABLE);
        if !CODES.contains(&code) {
            let refusal = ExtAckError::new(EINVAL, c"packets are not refused with this code");
            return Err(v4.map_or(refusal, |at| refusal.at(at)));
        }
        let code_v6 = v6.and_then(|attribute| attribute.u8());
        Ok(Self::Unreachable {
            code,
            code_v6: code_v6.unwrap_or(PORT_UNREACHABLE_V6),
        })
    }

    /// The codes for port unreachable, which are there if no others are, are left out.
    fn encode(&self, message: &mut Message) -> Result {
        message.nest(Self::ATTRIBUTE, |message| {
            let (code, code_v6) = match *self {
                Self::Reset => return message.put_flag(attributes::TCP_RESET, true),
                Self::Unreachable { code, code_v6 } => (code, code_v6),
            };
            if code != PORT_UNREACHABLE {
                message.put_u8(attributes::ICMP_CODE, code)?;
            }
            if code_v6 != PORT_UNREACHABLE_V6 {
                message.put_u8(attributes::ICMPV6_CODE, code_v6)?;
            }
            Ok(())
        })
    }
}
