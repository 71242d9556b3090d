// SPDX-License-Identifier: GPL-2.0

//! The target REJECT: drops the packet and tells its sender.

use crate::{
    kernel_api::netfilter::reject,
    packet::IPPROTO_TCP,
    rules::prelude::*, //
};

/// ICMP_PORT_UNREACH.
const PORT_UNREACHABLE: u8 = 3;

/// ICMPV6_PORT_UNREACH.
const PORT_UNREACHABLE_V6: u8 = 4;

/// Net, host, protocol and port unreachable; net, host and communication administratively
/// prohibited. The other ICMP codes say what no packet filter can know.
const CODES: [u8; 7] = [0, 1, 2, PORT_UNREACHABLE, 9, 10, 13];

nest! {
    /// Tells the sender, and drops the packet.
    #[derive(PartialEq, Eq)]
    pub(crate) struct Reject: attribute::reject {
        /// With a TCP reset instead of an ICMP error.
        tcp_reset: bool = TCP_RESET, flag;
        /// The code of "destination unreachable" for IPv4; `None` stands for port unreachable.
        code: Option<u8> = ICMP_CODE, optional;
        /// Likewise for IPv6.
        code_v6: Option<u8> = ICMPV6_CODE, optional;
    }
}

impl PacketTarget for Reject {
    type Attributes = Self;

    fn new<'a>(mut reject: Self, context: &mut DecodeContext<'a, '_>) -> NetlinkResult<'a, Self> {
        use attribute::reject::*;
        let refuse = |kind, message| Err(context.refuse(kind, message));
        // All chains of this table are in hooks that support it.
        if context.site.table != Table::Filter {
            return Err(ExtAckError::new(EINVAL, c"REJECT is for the table filter"));
        }
        if reject.tcp_reset {
            if context.protocol != Some(IPPROTO_TCP) {
                return refuse(TCP_RESET, c"only a rule for TCP can reset connections");
            }
            if reject.code.or(reject.code_v6).is_some() {
                return refuse(TCP_RESET, c"a packet is refused in one way only");
            }
        }
        for (kind, other_family) in [(ICMP_CODE, Family::Ipv6), (ICMPV6_CODE, Family::Ipv4)] {
            if context.nest.has(kind) && context.family == Some(other_family) {
                let message = c"the rule is not for the IP version of this kind of refusal";
                return refuse(kind, message);
            }
        }
        if reject.code.is_some_and(|code| !CODES.contains(&code)) {
            return refuse(ICMP_CODE, c"packets are not refused with this code");
        }
        reject.code = reject.code.filter(|&code| code != PORT_UNREACHABLE);
        reject.code_v6 = (reject.code_v6).filter(|&code| code != PORT_UNREACHABLE_V6);
        Ok(reject)
    }

    fn attributes(&self) -> &Self {
        self
    }

    fn apply(&self, packet: &mut Packet<'_>) -> Decision {
        let context = *packet.context();
        let code = match packet.family {
            Family::Ipv4 => self.code.unwrap_or(PORT_UNREACHABLE),
            Family::Ipv6 => self.code_v6.unwrap_or(PORT_UNREACHABLE_V6),
        };
        match self.tcp_reset {
            true => reject::send_reset(packet.hook_skb(), &context),
            false => reject::send_unreachable(packet.hook_skb(), &context, code),
        }
        Decision::Verdict(Verdict::Drop)
    }
}
