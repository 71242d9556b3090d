// SPDX-License-Identifier: GPL-2.0

//! IP options and extension headers, as far as they decide whether a host accepts the packet.

use super::{
    Family,
    Packet, //
};
use crate::kernel_api::net::skb::Skb;
use core::borrow::BorrowMut;

/// The maximum number of extension headers to walk.
const HEADERS_MAX: usize = 8;

/// IPv4 options (RFC 791).
mod option {
    pub(super) const END: u8 = 0;
    pub(super) const NOTHING: u8 = 1;
    pub(super) const LOOSE_SOURCE_ROUTE: u8 = 131;
    pub(super) const STRICT_SOURCE_ROUTE: u8 = 137;
}

/// IPv6 extension headers (RFC 8200).
mod extension {
    pub(super) const HOP_BY_HOP: u8 = 0;
    pub(super) const ROUTING: u8 = 43;
    pub(super) const FRAGMENT: u8 = 44;
    pub(super) const AUTHENTICATION: u8 = 51;
    pub(super) const DESTINATION: u8 = 60;
}

impl<S: BorrowMut<Skb>> Packet<'_, S> {
    /// Whether hosts refuse the packet for its options: a source route, whose ends cannot be
    /// verified, or options that are malformed or that hosts must understand. `transport` is the
    /// offset of the transport header from the start of the data.
    #[inline]
    pub(crate) fn has_refused_options(&self, transport: u32) -> bool {
        let (start, length) = (self.skb().network_offset(), self.header_length());
        let options = start.wrapping_add(length);
        if options == transport {
            return false;
        }
        match self.family {
            Family::Ipv4 => self.options_are_accepted(options, transport) != Some(true),
            Family::Ipv6 => self.extensions_are_accepted(start, transport) != Some(true),
        }
    }

    fn header_length(&self) -> u32 {
        match self.family {
            Family::Ipv4 => 20,
            Family::Ipv6 => 40,
        }
    }

    #[cold]
    #[inline(never)]
    fn options_are_accepted(&self, mut offset: u32, end: u32) -> Option<bool> {
        while offset < end {
            let [kind] = self.read::<1>(offset)?;
            let length = match kind {
                option::END => return Some(true),
                option::NOTHING => 1,
                option::LOOSE_SOURCE_ROUTE | option::STRICT_SOURCE_ROUTE => return Some(false),
                _ => {
                    let [length] = self.read::<1>(offset.wrapping_add(1))?;
                    match u32::from(length) {
                        0 | 1 => return Some(false),
                        length => length,
                    }
                }
            };
            offset = offset.wrapping_add(length);
        }
        Some(offset == end)
    }

    #[cold]
    #[inline(never)]
    fn extensions_are_accepted(&self, start: u32, end: u32) -> Option<bool> {
        let [mut next] = self.read::<1>(start.wrapping_add(6))?;
        let mut offset = start.wrapping_add(self.header_length());
        for _ in 0..HEADERS_MAX {
            if offset == end {
                return Some(true);
            }
            let [following, length, _, segments_left] = self.read::<4>(offset)?;
            let words = u32::from(length);
            let bytes = match next {
                extension::ROUTING if segments_left != 0 => return Some(false),
                extension::HOP_BY_HOP | extension::ROUTING | extension::DESTINATION => {
                    words.wrapping_add(1).wrapping_mul(8)
                }
                extension::FRAGMENT => 8,
                extension::AUTHENTICATION => words.wrapping_add(2).wrapping_mul(4),
                _ => return Some(false),
            };
            let next_offset = offset.wrapping_add(bytes);
            if next == extension::DESTINATION && !self.is_ignorable(offset, next_offset)? {
                return Some(false);
            }
            (next, offset) = (following, next_offset);
        }
        Some(false)
    }

    /// Whether all options of a header may be skipped by hosts that do not know them.
    fn is_ignorable(&self, header: u32, end: u32) -> Option<bool> {
        let mut offset = header.wrapping_add(2);
        while offset < end {
            let [kind] = self.read::<1>(offset)?;
            if kind >> 6 != 0 {
                return Some(false);
            }
            offset = match kind {
                // Pad1, the only option without a length.
                0 => offset.wrapping_add(1),
                _ => {
                    let [length] = self.read::<1>(offset.wrapping_add(1))?;
                    offset.wrapping_add(length.into()).wrapping_add(2)
                }
            };
        }
        Some(offset == end)
    }
}
