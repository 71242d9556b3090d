// SPDX-License-Identifier: GPL-2.0

//! The target TCPMSS: lowers the MSS that a SYN announces, as `xt_TCPMSS` does.

use crate::{
    packet::{
        tcp::{
            options::{
                self,
                kind,
                Walk,
                MSS_DEFAULT,
                MSS_DEFAULT_IPV6, //
            },
            segment::{
                Segment,
                CHECKSUM_OFFSET, //
            },
        },
        IPPROTO_TCP,
        TCP_HEADER_LENGTH, //
    },
    rules::prelude::*, //
};

/// For what asks for the packet's route.
static WHERE_ROUTED: Restriction = Restriction {
    hooknums: &[
        HookNumber::Forward,
        HookNumber::LocalOut,
        HookNumber::PostRouting,
    ],
    message: c"the MTU of a route is known in FORWARD, OUTPUT and POSTROUTING",
};

nest! {
    /// What the MSS is lowered to.
    #[derive(PartialEq, Eq)]
    pub(crate) struct Tcpmss: attribute::tcpmss {
        /// So many bytes.
        mss: Option<u16> = MSS, optional;
        /// As many as fit into the MTUs of both directions.
        clamp_to_pmtu: bool = CLAMP_TO_PMTU, flag;
    }
}

impl PacketTarget for Tcpmss {
    type Attributes = Self;

    fn new<'a>(tcpmss: Self, context: &mut DecodeContext<'a, '_>) -> NetlinkResult<'a, Self> {
        use attribute::tcpmss::*;
        context.require_protocol(IPPROTO_TCP, c"the rule has to be for TCP")?;
        if !context.is_syn {
            let message = c"the rule has to match the flag SYN: only SYNs announce an MSS";
            return Err(ExtAckError::new(EINVAL, message));
        }
        match (tcpmss.mss, tcpmss.clamp_to_pmtu) {
            (Some(_), true) => Err(context.refuse(CLAMP_TO_PMTU, c"the MSS is given already")),
            (None, false) => Err(context.refuse(MSS, c"an MSS is missing")),
            _ => Ok(tcpmss),
        }
    }

    fn attributes(&self) -> &Self {
        self
    }

    fn restriction(&self) -> Option<&'static Restriction> {
        self.clamp_to_pmtu.then_some(&WHERE_ROUTED)
    }

    /// Drops a packet whose header is truncated, or that there is no memory for.
    fn apply(&self, packet: &mut Packet<'_>) -> Decision {
        match packet.transport() {
            Transport::Header { offset, .. } => match self.lower(packet, offset) {
                Ok(()) => Decision::Continue,
                Err(_) => Decision::Verdict(Verdict::Drop),
            },
            Transport::Fragment { .. } | Transport::Malformed => Decision::Continue,
        }
    }
}

impl Tcpmss {
    fn lower(&self, packet: &mut Packet<'_>, offset: u32) -> Result {
        let skb = packet.skb();
        let segment = Segment::read(skb, offset).ok_or(EINVAL)?;
        let limit = self.mss.unwrap_or_else(|| {
            let source = packet.source().words();
            (packet.context()).path_mss(skb, packet.family, source)
        });
        let mut bytes = [0; options::LENGTH_MAX];
        let bytes = options::raw(skb, &segment, &mut bytes).ok_or(EINVAL)?;
        let start = offset.wrapping_add(TCP_HEADER_LENGTH as u32);
        let [high, low] = limit.to_be_bytes();
        for (kind, body_offset, body) in Walk::new(bytes) {
            if let (kind::MSS, &[a, b]) = (kind, body) {
                // It is never raised: the host may be unable to take more.
                if u16::from_be_bytes([a, b]) <= limit {
                    return Ok(());
                }
                let option = start.wrapping_add(body_offset).wrapping_sub(2);
                let checksum = offset.wrapping_add(CHECKSUM_OFFSET);
                return packet
                    .skb_mut()
                    .amend(checksum, option, [kind::MSS, 4, high, low]);
            }
        }
        // With data, the segment might become too large for the way.
        let has_data = segment.offset.wrapping_add(segment.header_length) != skb.len();
        if has_data || bytes.len() == options::LENGTH_MAX {
            return Ok(());
        }
        let default = match packet.family {
            Family::Ipv4 => MSS_DEFAULT,
            Family::Ipv6 => MSS_DEFAULT_IPV6,
        };
        let [high, low] = limit.min(default).to_be_bytes();
        packet.insert_option(&segment, [kind::MSS, 4, high, low])
    }
}
