// SPDX-License-Identifier: GPL-2.0

//! Data that a client sent before its server was asked.
//!
//! The zero window of the SYN-ACK prevents that, but not from clients with a TCP Fast Open cookie:
//! the data in their SYN was not acknowledged, so they retransmit it at once, in place of the bare
//! ACK. The server gets it with the ACK, since the client would not retransmit it again before its
//! RTO.

use crate::synproxy::prelude::*;
use kernel::alloc::flags::__GFP_NOWARN;

/// The maximum held for a connection, in bytes: one Ethernet segment.
pub(crate) const HELD_MAX: usize = 1460;

/// PSH.
const PUSH: u8 = 0x08;

/// The first data of a connection, its FIN, or both.
pub(crate) struct Held {
    bytes: KVec<u8>,
    /// FIN and PSH of the client's segment.
    pub(crate) flags: u8,
}

impl Held {
    /// The data of a segment that starts at the first byte of its connection; `None` if there is
    /// none, too much, or not enough memory. In softirq.
    pub(crate) fn of(skb: &Skb, segment: &Segment) -> Option<Self> {
        let start = segment.offset.wrapping_add(segment.header_length);
        let length = skb.len().checked_sub(start)? as usize;
        let flags = segment.flags & (flags::FIN | PUSH);
        if length > HELD_MAX || length == 0 && flags & flags::FIN == 0 {
            return None;
        }
        let mut bytes = KVec::from_elem(0, length, GFP_ATOMIC | __GFP_NOWARN).ok()?;
        skb.read_into(start, &mut bytes)
            .then_some(Self { bytes, flags })
    }

    /// The data.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The data, if all of it fits into the window and MSS that the server announced, with
    /// `options` bytes of options.
    pub(crate) fn fitting(&self, window: u16, mss: u16, options: usize) -> Option<&[u8]> {
        let size = self.bytes.len();
        let is_fitting = size <= window.into() && size.wrapping_add(options) <= mss.into();
        is_fitting.then_some(&self.bytes)
    }
}
