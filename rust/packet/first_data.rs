// SPDX-License-Identifier: GPL-2.0

//! What a client has said so far.

use super::{
    tcp::{
        options::Options,
        segment::{
            Kind,
            Segment, //
        },
    },
    Packet,
    TCP_HEADER_LENGTH, //
};
use crate::kernel_api::net::skb::Skb;

/// The data of a TCP segment.
pub(crate) struct FirstData<'a> {
    skb: &'a Skb,
    /// Offset from the start of the packet's data.
    start: u32,
    length: u32,
}

impl Packet<'_> {
    /// What the client has said, as far as this packet has it; `None` without a whole TCP header.
    #[inline]
    pub(crate) fn first_data(&self) -> Option<FirstData<'_>> {
        let segment = Segment::of(self)?;
        let start = segment.offset.wrapping_add(segment.header_length);
        Some(FirstData {
            skb: self.skb(),
            start,
            length: self.skb().len().checked_sub(start)?,
        })
    }

    /// How many bytes further behind the client's first data are in the SYN that carries them than in
    /// the client's own segment: a SYN has more options.
    #[inline]
    pub(crate) fn data_displacement(&self) -> u32 {
        let is_own = |packet: &Self| {
            let connection = packet.skb().tracked();
            connection.is_some_and(|connection| connection.proxy().is_some())
        };
        let displaced = || {
            let segment = Segment::of(self).filter(|segment| segment.kind() == Kind::Syn)?;
            let options = Options::read(self.skb(), &segment)?;
            let usual = match options.timestamps {
                Some(_) => TCP_HEADER_LENGTH as u32 + TIMESTAMPS_LENGTH,
                None => TCP_HEADER_LENGTH as u32,
            };
            segment.header_length.checked_sub(usual)
        };
        if is_own(self) {
            displaced().unwrap_or(0)
        } else {
            0
        }
    }
}

/// Length of timestamps with what aligns them (RFC 7323, appendix A), in bytes.
const TIMESTAMPS_LENGTH: u32 = 12;

impl FirstData<'_> {
    /// Copies the bytes from an offset on, as many as there are and as there is room for. Returns how
    /// many.
    #[inline]
    pub(crate) fn copy(&self, offset: usize, to: &mut [u8]) -> usize {
        let left = (self.length as usize).saturating_sub(offset);
        let Some(to) = to.get_mut(..left.min(to.len())) else {
            return 0;
        };
        let offset = self.start.wrapping_add(offset as u32);
        if self.skb.read_into(offset, to) {
            to.len()
        } else {
            0
        }
    }
}
