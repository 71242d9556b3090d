// SPDX-License-Identifier: GPL-2.0

//! The target REJECT: the packet is dropped, and its sender told.

use crate::{
    kernel_api::netfilter::{
        reject,
        Verdict, //
    },
    packet::{
        Family,
        IPPROTO_TCP, //
    },
    rules::prelude::*,
    spec::Table, //
};

/// ICMP_PORT_UNREACH.
const PORT_UNREACHABLE: u8 = 3;

/// ICMPV6_PORT_UNREACH.
const PORT_UNREACHABLE_V6: u8 = 4;

/// Unreachable are the net, the host, the protocol and the port; prohibited are the net, the host, and all of
/// it by the administrator. The other codes of ICMP say what no packet filter can know.
const CODES: [u8; 7] = [0, 1, 2, PORT_UNREACHABLE, 9, 10, 13];

nest! {
    /// Tells the sender, and drops the packet.
    #[derive(PartialEq, Eq)]
    pub(in crate::rules) struct Reject: attribute::reject {
        /// With a TCP segment that has the flag RST, and not with a message.
        tcp_reset: bool = TCP_RESET, flag;
        /// The code of "destination unreachable" in IPv4; None stands for port unreachable.
        code: Option<u8> = ICMP_CODE, optional;
        /// Likewise in IPv6.
        code_v6: Option<u8> = ICMPV6_CODE, optional;
    }
}

impl PacketTarget for Reject {
    type Attributes = Self;

    fn new<'a>(
        mut reject: Self,
        nest: Attributes<'a>,
        context: &mut DecodeContext<'_, '_>,
    ) -> NetlinkResult<'a, Self> {
        use attribute::reject::*;
        let refuse = |kind, message| Err(nest.refuse(kind, message));
        // All chains of this table are in hooks that packets can be refused in.
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
            if nest.has(kind) && context.family == Some(other_family) {
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

    fn apply(&self, packet: &Packet<'_>) -> Decision {
        let (skb, context) = (packet.skb(), packet.context());
        let code = match packet.family {
            Family::Ipv4 => self.code.unwrap_or(PORT_UNREACHABLE),
            Family::Ipv6 => self.code_v6.unwrap_or(PORT_UNREACHABLE_V6),
        };
        match self.tcp_reset {
            true => reject::send_reset(skb, context),
            false => reject::send_unreachable(skb, context, code),
        }
        Decision::Verdict(Verdict::Drop)
    }
}
