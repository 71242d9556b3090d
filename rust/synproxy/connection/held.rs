// SPDX-License-Identifier: GPL-2.0

//! What a client has sent before its server was asked.
//!
//! The window of 0 in the SYN-ACK keeps clients from that, but not those that have a cookie of TCP Fast Open: their SYN
//! had data, which was not acknowledged, and so they send it again at once, instead of the last part of the handshake. The
//! server gets it with that, since they would not send it once more before their time-out has passed.

use crate::{
    kernel_api::net::skb::Skb,
    synproxy::tcp::segment::{
        flags,
        Segment, //
    },
};
use kernel::{
    alloc::flags::__GFP_NOWARN,
    prelude::*, //
};

/// The most that is held of a connection, in bytes: a segment of Ethernet.
pub(in crate::synproxy) const HELD_MAX: usize = 1460;

/// Bit of the flags that has nothing to wait for.
const PUSH: u8 = 0x08;

/// The first data of a connection, or its end, or both.
pub(in crate::synproxy) struct Held {
    bytes: KVec<u8>,
    /// Whether the client has finished, and whether the server's program is to have it at once.
    pub(in crate::synproxy) flags: u8,
}

impl Held {
    /// What a segment brings that begins with the first byte of its connection; none if that is nothing, or too much, or
    /// there is no memory. In softirq.
    pub(in crate::synproxy) fn of(skb: &Skb, segment: &Segment) -> Option<Self> {
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

    /// The data, if a server takes it all at once that has announced that window and maximum segment size; of which
    /// options take so many bytes.
    pub(in crate::synproxy) fn fitting(
        &self,
        window: u16,
        mss: u16,
        options: usize,
    ) -> Option<&[u8]> {
        let size = self.bytes.len();
        let is_fitting = size <= window.into() && size.wrapping_add(options) <= mss.into();
        is_fitting.then_some(&self.bytes)
    }
}
