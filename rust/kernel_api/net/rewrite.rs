// SPDX-License-Identifier: GPL-2.0

//! Changing packets in place.
//!
//! C header: [`include/linux/skbuff.h`](srctree/include/linux/skbuff.h)

use super::{
    skb::Skb,
    way_back::WayBack, //
};
use crate::kernel_api::{
    bindings,
    demands,
    netfilter::Context, //
};
use core::mem::size_of_val;
use kernel::prelude::*;

/// Says that a packet was written anew, in memory that is no clone's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rewritten {
    /// Whether it has been found out that it goes back to the neighbour that it came from, by plain Ethernet.
    goes_to_sender: bool,
}

impl Rewritten {
    /// The same packet, which goes by this way, which was found for it.
    pub(crate) fn by(self, way: &WayBack) -> Self {
        Self {
            goes_to_sender: way.leads_to_sender(),
        }
    }

    pub(in crate::kernel_api) fn goes_to_sender(&self) -> bool {
        self.goes_to_sender
    }
}

impl Skb {
    /// Whether the checksum of the segment whose header is at `offset` is right, as far as anybody can tell
    /// in this hook: that of a packet of this machine may not be there yet.
    pub(crate) fn has_right_checksum(
        &self,
        context: &Context<'_>,
        offset: u32,
        protocol: u8,
    ) -> bool {
        let state = context.as_raw();
        // SAFETY: By the type, the packet is valid, and its IP header is linear in all hooks of IP.
        let checksum = unsafe {
            bindings::nf_checksum(
                self.as_raw(),
                state.hook.into(),
                offset,
                protocol,
                state.pf.into(),
            )
        };
        checksum == 0
    }

    /// Has the packet end with these words, which begin at `offset` from the start of its data, whatever
    /// came there before. It is one packet then, with no checksum and no segment that a device has to make.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory; then the packet may have been cut off behind the words' end. `EINVAL` when
    /// the words would begin behind the packet's end.
    pub(crate) fn end_with(&self, offset: u32, words: &[u32]) -> Result<Rewritten> {
        let skb = self.as_raw();
        let size = size_of_val(words);
        let end = offset.checked_add(size as u32).ok_or(EINVAL)?;
        if offset > self.len() {
            return Err(EINVAL);
        }
        demands::unshared(self);
        // SAFETY: By the type, the packet is valid.
        kernel::error::to_result(unsafe { bindings::palisade_skb_unclone(skb) })?;
        let length = self.len();
        if end < length {
            // SAFETY: As above; nobody else sees the data, as the header is no clone's.
            kernel::error::to_result(unsafe { bindings::palisade_skb_trim(skb, end) })?;
        }
        // SAFETY: As above.
        if !unsafe { bindings::palisade_skb_may_pull(skb, length.min(end)) } {
            return Err(ENOMEM);
        }
        if end > length {
            self.grow(end.wrapping_sub(length))?;
        }
        // SAFETY: As above; all `end` bytes lie in one piece now, from the start of the data.
        unsafe {
            let place = (*skb).data.add(offset as usize);
            core::ptr::copy_nonoverlapping(words.as_ptr().cast(), place, size);
            bindings::palisade_skb_forget_offloads(skb);
        }
        Ok(Rewritten {
            goes_to_sender: false,
        })
    }

    /// Makes room at the end of a packet that lies in one piece.
    fn grow(&self, bytes: u32) -> Result {
        let skb = self.as_raw();
        // SAFETY: By the type, the packet is valid.
        let tailroom = unsafe { bindings::palisade_skb_tailroom(skb) };
        let wanted = i32::try_from(bytes).map_err(|_| EINVAL)?;
        if tailroom < wanted {
            // SAFETY: As above; nobody else refers to the packet.
            kernel::error::to_result(unsafe { bindings::palisade_skb_expand(skb, wanted) })?;
        }
        // SAFETY: As above, and there is so much room now.
        unsafe { bindings::skb_put(skb, bytes) };
        Ok(())
    }

    /// Overwrites bytes at `offset` from the start of the data.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory for a copy of one's own, or the packet is too short.
    pub(crate) fn overwrite<const N: usize>(&self, offset: u32, bytes: [u8; N]) -> Result {
        let skb = self.as_raw();
        let end = offset.checked_add(N as u32).ok_or(EINVAL)?;
        demands::unshared(self);
        // SAFETY: By the type, the packet is valid; the function checks its length.
        kernel::error::to_result(unsafe { bindings::skb_ensure_writable(skb, end) })?;
        // SAFETY: So many bytes lie in one piece now, and nobody else sees them.
        unsafe {
            (*skb)
                .data
                .add(offset as usize)
                .cast::<[u8; N]>()
                .write(bytes)
        };
        Ok(())
    }

    /// Overwrites a word of a header whose Internet checksum is at `checksum` from the start of the data,
    /// and mends that, if somebody will not compute it anyway. Offsets are from the start of the data; the
    /// word need not be aligned to the header.
    ///
    /// # Errors
    ///
    /// As for [`Skb::overwrite`].
    pub(crate) fn amend(&self, checksum: u32, offset: u32, new: [u8; 4]) -> Result {
        let old = self.read::<4>(offset).ok_or(EINVAL)?;
        if old == new {
            return Ok(());
        }
        self.overwrite(offset, new)?;
        self.overwrite(checksum, self.read::<2>(checksum).ok_or(EINVAL)?)?;
        // At an odd place, the bytes count in the other halves of the checksum's words.
        let swap = offset.wrapping_sub(checksum) % 2;
        let word = |bytes: [u8; 4]| u32::from_ne_bytes(bytes).rotate_left(swap.wrapping_mul(8));
        let skb = self.as_raw();
        // SAFETY: By the type, the packet is valid; the checksum was just made writable.
        unsafe {
            let place = (*skb).data.add(checksum as usize).cast();
            bindings::inet_proto_csum_replace4(place, skb, word(old), word(new), false);
        }
        Ok(())
    }

    /// Whether the packet has come round by the loopback interface, so that the hooks on its way out have
    /// seen it.
    #[inline]
    pub(crate) fn is_looped(&self) -> bool {
        // SAFETY: By the type, the packet is valid.
        unsafe { bindings::palisade_skb_is_looped(self.as_raw()) }
    }
}
