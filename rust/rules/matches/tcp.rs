// SPDX-License-Identifier: GPL-2.0

//! The match `tcp`: ports and flags of a TCP segment.

use super::ports::Ports;
use crate::{
    packet::{
        tcp::segment::flags,
        IPPROTO_TCP,
        TCP_HEADER_LENGTH, //
    },
    rules::prelude::*, //
};

/// Offset of the flags in the header.
const FLAGS_OFFSET: usize = 13;

/// Which flags are set.
#[derive(PartialEq, Eq)]
struct FlagsMatch {
    mask: u8,
    set: u8,
    invert: bool,
}

impl FlagsMatch {
    /// Whether all segments that match have the flag.
    fn requires(&self, flag: u8) -> bool {
        self.set & flag != 0 && !self.invert
    }

    #[inline]
    fn matches(&self, flags: u8) -> bool {
        (flags & self.mask == self.set) != self.invert
    }
}

/// The attributes of the mask, the flags that are set, and the inversion.
impl OptionalGroup for FlagsMatch {
    fn read(nest: Attributes<'_>, first: u16) -> NetlinkResult<'_, Option<Self>> {
        let [mask, set, invert] = nest::kinds(first);
        let numbers: [Option<u8>; 2] = [nest::optional(nest, mask)?, nest::optional(nest, set)?];
        match numbers {
            [None, None] if !nest.has(invert) => Ok(None),
            [Some(mask), Some(set)] if set & !mask == 0 => Ok(Some(Self {
                mask,
                set,
                invert: nest.has(invert),
            })),
            _ => {
                let message = c"flags have a mask, and those that are set are within it";
                let mut at = [set, mask, invert].into_iter();
                let at = at.find(|kind| nest.has(*kind)).unwrap_or(first);
                Err(nest.refuse(at, message))
            }
        }
    }

    fn write(&self, first: u16, message: &mut Message<'_>) -> Result {
        let [mask, set, invert] = nest::kinds(first);
        message.put_u8(mask, self.mask)?;
        message.put_u8(set, self.set)?;
        message.put_flag(invert, self.invert)
    }
}

nest! {
    /// Ports and flags of a TCP segment.
    #[derive(PartialEq, Eq)]
    pub(crate) struct Tcp: attribute::tcp {
        ports: Ports = SOURCE_FIRST, group;
        flags: Option<FlagsMatch> = FLAGS_MASK, group;
    }
}

impl PacketMatch for Tcp {
    type Attributes = Self;

    fn new<'a>(
        tcp: Self,
        _nest: Attributes<'a>,
        context: &mut DecodeContext<'_, '_>,
    ) -> NetlinkResult<'a, Self> {
        context.require_protocol(IPPROTO_TCP, Ports::WRONG_PROTOCOL)?;
        context.is_syn |= (tcp.flags.as_ref()).is_some_and(|match_| match_.requires(flags::SYN));
        Ok(tcp)
    }

    fn attributes(&self) -> &Self {
        self
    }

    /// A later fragment has no ports and does not match; one that would overwrite the flags of the
    /// first is dropped, and so is a packet with a truncated header, as by iptables.
    #[inline]
    fn matches(&self, packet: &Packet<'_>) -> MatchResult {
        let offset = match packet.transport() {
            Transport::Header { offset, .. } => offset,
            Transport::Fragment { position: 8, .. } => return MatchResult::Hotdrop,
            Transport::Fragment { .. } | Transport::Malformed => return MatchResult::Mismatch,
        };
        let Some(header) = packet.read::<TCP_HEADER_LENGTH>(offset) else {
            return MatchResult::Hotdrop;
        };
        let agrees = self.ports.matches(&header)
            && (self.flags.as_ref()).is_none_or(|flags| flags.matches(header[FLAGS_OFFSET]));
        MatchResult::from(agrees)
    }

    fn pattern(&self) -> Pattern {
        self.ports.pattern()
    }

    fn is_pattern_exact(&self) -> bool {
        self.ports.is_pattern_exact() && self.flags.is_none()
    }
}
