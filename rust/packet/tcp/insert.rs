// SPDX-License-Identifier: GPL-2.0

//! Inserting options.

use super::segment::{
    Segment,
    CHECKSUM_OFFSET,
    LENGTH_OFFSET, //
};
use crate::{
    kernel_api::net::rewrite::Covered,
    packet::{
        Packet,
        TCP_HEADER_LENGTH, //
    }, //
};
use kernel::prelude::*;

impl Packet<'_> {
    /// Puts an option of 4 bytes before those of a segment, as `tcpmss_mangle_packet` does. The
    /// header has to have room for it.
    ///
    /// # Errors
    ///
    /// Those of [`Skb::insert`](crate::kernel_api::net::skb::Skb::insert); the packet may be half
    /// changed by then. `EINVAL` when the header has no room.
    pub(crate) fn insert_option(&mut self, segment: &Segment, option: [u8; 4]) -> Result {
        let skb = self.skb_mut();
        let header = segment.offset;
        let checksum = header.wrapping_add(CHECKSUM_OFFSET);
        let length = skb.len().wrapping_sub(header);
        let [first, flags, w0, w1] = skb.read(header.wrapping_add(LENGTH_OFFSET)).ok_or(EINVAL)?;
        // The upper half counts words.
        let first = u8::checked_add(first, 0x10).ok_or(EINVAL)?;
        skb.insert(header.wrapping_add(TCP_HEADER_LENGTH as u32), option)?;
        skb.amend_checksum(checksum, 0, u32::from_ne_bytes(option), Covered::Segment)?;
        let word = |length: u32| length.to_be();
        let longer = length.wrapping_add(4);
        skb.amend_checksum(checksum, word(length), word(longer), Covered::PseudoHeader)?;
        skb.amend(
            checksum,
            header.wrapping_add(LENGTH_OFFSET),
            [first, flags, w0, w1],
        )?;
        self.correct_length()
    }
}
