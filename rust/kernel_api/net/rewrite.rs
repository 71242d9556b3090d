// SPDX-License-Identifier: GPL-2.0

//! Modifying packets in place.
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
use core::{
    marker::PhantomData,
    mem::size_of_val,
    ops::Range, //
};
use kernel::prelude::*;

/// What is true of the packet in the hook. It is not `Send`, so that no hook can keep it for another
/// packet: nothing that outlives a hook's run, and that others can reach, may hold it.
pub(in crate::kernel_api) type OfThisPacket = PhantomData<*mut ()>;

/// Proof that a packet's data was replaced, in memory that is not shared with a clone.
pub(crate) struct Rewritten(OfThisPacket);

/// Proof that a packet was turned into an answer, and that its way was found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Whether it goes back by plain Ethernet to the neighbour that sent the packet.
    goes_to_sender: bool,
    of_this_packet: OfThisPacket,
}

impl Rewritten {
    /// The answer that goes by `way`, which was found for it.
    pub(crate) fn by(self, way: WayBack) -> Answer {
        Answer {
            goes_to_sender: way.leads_to_sender(),
            of_this_packet: self.0,
        }
    }
}

impl Answer {
    pub(in crate::kernel_api) fn goes_to_sender(&self) -> bool {
        self.goes_to_sender
    }
}

/// What a word belongs to that a checksum covers.
#[derive(Clone, Copy)]
pub(crate) enum Covered {
    /// The IPv4 header, whose checksum no device computes later.
    IpHeader,
    /// The header of TCP or UDP, or the data; a device may compute the checksum later.
    Segment,
    /// What TCP or UDP count besides: addresses, length, protocol.
    PseudoHeader,
}

impl Skb {
    /// Whether the checksum of the segment whose header is at `offset` is correct, or cannot be
    /// checked in this hook: outgoing packets may not have one yet.
    pub(crate) fn has_right_checksum(
        &self,
        context: &Context<'_>,
        offset: u32,
        protocol: u8,
    ) -> bool {
        let state = context.as_raw();
        // SAFETY: By the type invariant, the packet is valid. Its IP header is linear in all hooks
        // of IP.
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

    /// Replaces the packet's data from `offset` on with `words` and `data`, which end the packet. It
    /// is one packet then, without offloaded checksum or segmentation.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory; the packet may have been trimmed by then. `EINVAL` when
    /// `offset` is behind the packet's end, or `data` is too long.
    pub(crate) fn end_with(
        &mut self,
        offset: u32,
        words: &[u32],
        data: &[u8],
    ) -> Result<Rewritten> {
        let skb = self.as_raw();
        let size = size_of_val(words);
        let length = u32::try_from(size.wrapping_add(data.len())).map_err(|_| EINVAL)?;
        let end = offset.checked_add(length).ok_or(EINVAL)?;
        if offset > self.len() {
            return Err(EINVAL);
        }
        self.unclone()?;
        let length = self.len();
        if end < length {
            // SAFETY: By the type invariant, the packet is valid. Its header was uncloned, so
            // nobody else sees the data.
            kernel::error::to_result(unsafe { bindings::palisade_skb_trim(skb, end) })?;
        }
        self.pull(length.min(end))?;
        if end > length {
            self.grow(end.wrapping_sub(length))?;
        }
        // SAFETY: By the type invariant, the packet is valid. Its first `end` bytes are linear now
        // and not shared. `words` is other memory of `size` bytes, and so is `data`, for which there
        // is room behind them.
        unsafe {
            let pointer = (*skb).data.add(offset as usize);
            core::ptr::copy_nonoverlapping(words.as_ptr().cast(), pointer, size);
            core::ptr::copy_nonoverlapping(data.as_ptr(), pointer.add(size), data.len());
            bindings::palisade_skb_forget_offloads(skb);
        }
        Ok(Rewritten(PhantomData))
    }

    /// Has the packet pass where it is too large for the device, which it must not get to.
    pub(crate) fn ignore_mtu(&mut self) {
        // SAFETY: By the type invariant, the packet is valid, and nobody else changes it.
        unsafe { bindings::palisade_skb_ignore_mtu(self.as_raw()) };
    }

    /// Gets a header that no clone shares.
    #[inline]
    fn unclone(&mut self) -> Result {
        demands::unshared(self);
        // SAFETY: By the type invariant, the packet is valid. Nobody else refers to it, as debug
        // kernels check above.
        kernel::error::to_result(unsafe { bindings::palisade_skb_unclone(self.as_raw()) })
    }

    /// Makes the first `length` bytes linear, of a packet whose header was uncloned.
    #[inline]
    fn pull(&mut self, length: u32) -> Result {
        // SAFETY: By the type invariant, the packet is valid, and an exclusive reference says that
        // nobody else uses it.
        match unsafe { bindings::palisade_skb_may_pull(self.as_raw(), length) } {
            true => Ok(()),
            false => Err(ENOMEM),
        }
    }

    /// Makes room at the end of a packet whose data is linear.
    fn grow(&mut self, bytes: u32) -> Result {
        let skb = self.as_raw();
        // SAFETY: By the type invariant, the packet is valid.
        let tailroom = unsafe { bindings::palisade_skb_tailroom(skb) };
        let wanted = i32::try_from(bytes).map_err(|_| EINVAL)?;
        if tailroom < wanted {
            // SAFETY: By the type invariant, the packet is valid. Nobody else refers to it, and
            // `wanted` is not negative.
            kernel::error::to_result(unsafe { bindings::palisade_skb_expand(skb, wanted) })?;
        }
        // SAFETY: By the type invariant, the packet is valid. It is linear, and has that much
        // tailroom now.
        unsafe { bindings::skb_put(skb, bytes) };
        Ok(())
    }

    /// Overwrites `N` bytes at `offset` from the start of the data.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory for a private copy or the packet is too short, `EINVAL`
    /// when the offset overflows.
    pub(crate) fn overwrite<const N: usize>(&mut self, offset: u32, bytes: [u8; N]) -> Result {
        let skb = self.as_raw();
        let end = offset.checked_add(N as u32).ok_or(EINVAL)?;
        demands::unshared(self);
        // SAFETY: By the type invariant, the packet is valid. Nobody else refers to it; the
        // function checks its length.
        kernel::error::to_result(unsafe { bindings::skb_ensure_writable(skb, end) })?;
        // SAFETY: The first `end` bytes are linear and writable now, and not shared.
        unsafe {
            (*skb)
                .data
                .add(offset as usize)
                .cast::<[u8; N]>()
                .write(bytes)
        };
        Ok(())
    }

    /// Inserts a word at `offset`, and moves what follows it. Lengths and checksums in headers are the
    /// caller's to correct.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory, `EINVAL` when `offset` is behind the packet's end.
    pub(crate) fn insert(&mut self, offset: u32, word: [u8; 4]) -> Result {
        let skb = self.as_raw();
        let length = self.len();
        let moved = length.checked_sub(offset).ok_or(EINVAL)?;
        self.unclone()?;
        self.pull(length)?;
        self.grow(size_of_val(&word) as u32)?;
        // SAFETY: By the type invariant, the packet is valid. Its data is linear, not shared, and a
        // word longer than `length`, so that what follows `offset` can move by a word.
        unsafe {
            let pointer = (*skb).data.add(offset as usize);
            core::ptr::copy(pointer, pointer.add(word.len()), moved as usize);
            pointer.cast::<[u8; 4]>().write(word);
            bindings::palisade_skb_forget_sum(skb);
        }
        Ok(())
    }

    /// Overwrites a word at `offset` and updates the Internet checksum at `checksum` that covers
    /// it, unless a device will compute that. Both offsets are from the start of the data; the word
    /// need not be aligned to the header.
    ///
    /// # Errors
    ///
    /// As for [`Skb::overwrite`]; `EINVAL` when the packet is too short.
    pub(crate) fn amend(&mut self, checksum: u32, offset: u32, new: [u8; 4]) -> Result {
        let old = self.read::<4>(offset).ok_or(EINVAL)?;
        if old == new {
            return Ok(());
        }
        self.overwrite(offset, new)?;
        // At an odd offset, the bytes count in the other halves of the checksum's words.
        let swap = offset.wrapping_sub(checksum) % 2;
        let word = |bytes: [u8; 4]| u32::from_ne_bytes(bytes).rotate_left(swap.wrapping_mul(8));
        self.amend_checksum(checksum, word(old), word(new), Covered::Segment)
    }

    /// Has `change` change these bytes in place, and updates the Internet checksum at `checksum`, which
    /// covers them, once for all changes, unless a device will compute it. All offsets are from the
    /// start of the data. The bytes start, and end, at words of the checksum; it may be among them, but
    /// is not to be changed.
    ///
    /// # Errors
    ///
    /// As for [`Skb::overwrite`].
    pub(crate) fn amend_with(
        &mut self,
        checksum: u32,
        bytes: Range<u32>,
        change: impl FnOnce(&mut [u8]),
    ) -> Result {
        let skb = self.as_raw();
        let length = bytes.end.checked_sub(bytes.start).ok_or(EINVAL)?;
        let covered = i32::try_from(length).map_err(|_| EINVAL)?;
        let writable = bytes.end.max(checksum.checked_add(2).ok_or(EINVAL)?);
        demands::unshared(self);
        // SAFETY: By the type invariant, the packet is valid. Nobody else refers to it; the
        // function checks its length.
        kernel::error::to_result(unsafe { bindings::skb_ensure_writable(skb, writable) })?;
        // SAFETY: As many bytes are linear and writable now, and not shared. Nothing else refers to
        // them while `change` runs. The checksum is written after that.
        unsafe {
            let data = (*skb).data;
            let start = data.add(bytes.start as usize);
            let before = bindings::csum_partial(start.cast(), covered, 0);
            change(core::slice::from_raw_parts_mut(start, length as usize));
            let after = bindings::csum_partial(start.cast(), covered, 0);
            let pointer = data.add(checksum as usize).cast();
            bindings::inet_proto_csum_replace4(pointer, skb, before, after, false);
        }
        Ok(())
    }

    /// Updates the Internet checksum at `checksum` for a word of what it covers, in network byte
    /// order and aligned to the checksum's words.
    ///
    /// # Errors
    ///
    /// As for [`Skb::overwrite`]; `EINVAL` when the packet is too short.
    pub(crate) fn amend_checksum(
        &mut self,
        checksum: u32,
        old: u32,
        new: u32,
        covered: Covered,
    ) -> Result {
        self.overwrite(checksum, self.read::<2>(checksum).ok_or(EINVAL)?)?;
        let skb = self.as_raw();
        // SAFETY: By the type invariant, the packet is valid; the two bytes of the checksum were
        // just made writable.
        unsafe {
            let pointer = (*skb).data.add(checksum as usize).cast();
            let is_pseudo = matches!(covered, Covered::PseudoHeader);
            match covered {
                Covered::IpHeader => bindings::palisade_csum_replace4(pointer, old, new),
                Covered::Segment | Covered::PseudoHeader => {
                    bindings::inet_proto_csum_replace4(pointer, skb, old, new, is_pseudo);
                }
            }
        }
        Ok(())
    }

    /// Whether the packet came in through the loopback interface, so that the hooks on its way out
    /// have seen it.
    #[inline]
    pub(crate) fn is_looped(&self) -> bool {
        // SAFETY: By the type invariant, the packet is valid.
        unsafe { bindings::palisade_skb_is_looped(self.as_raw()) }
    }
}
