// SPDX-License-Identifier: GPL-2.0

//! Socket buffers, the packets of the kernel.
//!
//! C header: [`include/linux/skbuff.h`](srctree/include/linux/skbuff.h)

use crate::kernel_api::bindings;
use core::{
    borrow::{
        Borrow,
        BorrowMut, //
    },
    ops::{
        Deref,
        DerefMut, //
    }, //
};
use kernel::types::Opaque;

/// A packet that somebody else owns. What changes it takes it exclusively, and so ends all borrows
/// of it.
///
/// # Invariants
///
/// A reference to this points to a valid `struct sk_buff`, which nobody else changes meanwhile.
/// While it is borrowed exclusively, it keeps its connection, if it has one, and the connection its
/// extensions: see [`HookSkb`].
#[repr(transparent)]
pub(crate) struct Skb(Opaque<bindings::sk_buff>);

/// The packet of a hook. What may give it another connection, or move the extensions of the one
/// that it has, takes this exclusively, and so ends all borrows of the connection.
///
/// A hook has one packet, so there are no two that could be swapped.
///
/// # Invariants
///
/// Those of [`Skb`] for a shared reference; nobody else uses what an exclusive one points to.
#[repr(transparent)]
pub(crate) struct HookSkb(Skb);

impl HookSkb {
    /// # Safety
    ///
    /// The pointer has to be valid for `'a`, and nobody else may use the packet meanwhile.
    #[inline]
    pub(in crate::kernel_api) unsafe fn from_raw<'a>(skb: *mut bindings::sk_buff) -> &'a mut Self {
        // SAFETY: By the function's safety requirements, `skb` is valid for `'a` and nobody else
        // uses it. The type is transparent.
        unsafe { &mut *skb.cast() }
    }
}

impl Deref for HookSkb {
    type Target = Skb;

    #[inline]
    fn deref(&self) -> &Skb {
        &self.0
    }
}

impl DerefMut for HookSkb {
    #[inline]
    fn deref_mut(&mut self) -> &mut Skb {
        &mut self.0
    }
}

impl Borrow<Skb> for HookSkb {
    #[inline]
    fn borrow(&self) -> &Skb {
        self
    }
}

impl BorrowMut<Skb> for HookSkb {
    #[inline]
    fn borrow_mut(&mut self) -> &mut Skb {
        self
    }
}

/// Length of an IPv6 header without extension headers, in bytes.
const IPV6_HEADER_LENGTH: usize = 40;

/// The upper-layer header of an IPv6 packet.
#[derive(Clone, Copy)]
pub(crate) struct Ipv6Transport {
    /// The protocol: the first next-header value that is not an extension header.
    pub(crate) protocol: u8,
    /// Offset of the header from the start of the packet's data.
    pub(crate) offset: u32,
    /// The fragment offset, in bytes. Only the fragment at 0 contains the upper-layer header.
    pub(crate) fragment_position: u16,
}

impl Skb {
    /// # Safety
    ///
    /// The pointer has to be valid for `'a`, and nobody else may change the packet meanwhile.
    #[inline]
    pub(in crate::kernel_api) unsafe fn from_raw<'a>(skb: *mut bindings::sk_buff) -> &'a Self {
        // SAFETY: By the function's safety requirements, `skb` is valid for `'a`, and the type is
        // transparent.
        unsafe { &*skb.cast() }
    }

    #[inline]
    pub(in crate::kernel_api) fn as_raw(&self) -> *mut bindings::sk_buff {
        self.0.get()
    }

    /// The packet mark.
    #[inline]
    pub(crate) fn mark(&self) -> u32 {
        // SAFETY: By the type invariant, the packet is valid.
        unsafe { bindings::palisade_mark(self.as_raw()) }
    }

    /// Sets the packet mark.
    #[inline]
    pub(crate) fn set_mark(&mut self, mark: u32) {
        // SAFETY: By the type invariant, the packet is valid, and nobody else uses its mark
        // meanwhile.
        unsafe { bindings::palisade_set_mark(self.as_raw(), mark) };
    }

    /// Whether this kernel traces packets.
    pub(crate) const fn can_be_traced() -> bool {
        bindings::PALISADE_CAN_TRACE != 0
    }

    /// Whether somebody wants to know what rules the packet meets: Palisade, iptables or nftables.
    #[inline]
    pub(crate) fn is_traced(&self) -> bool {
        // SAFETY: By the type invariant, the packet is valid.
        unsafe { bindings::palisade_is_traced(self.as_raw()) }
    }

    /// Has everybody tell what rules the packet meets.
    pub(crate) fn set_traced(&mut self) {
        // SAFETY: By the type invariant, the packet is valid, and nobody else changes it meanwhile.
        unsafe { bindings::palisade_set_traced(self.as_raw()) };
    }

    /// Where the packet is in memory, to tell it from others while it is there.
    pub(crate) fn place(&self) -> u64 {
        self.as_raw().addr() as u64
    }

    /// Whether the packet was received from a device, rather than made by this host.
    #[inline]
    pub(crate) fn was_received(&self) -> bool {
        // SAFETY: By the type invariant, the packet is valid.
        unsafe { bindings::palisade_skb_device(self.as_raw()) != 0 }
    }

    /// Length of the packet's data in bytes, including nonlinear data.
    #[inline]
    pub(crate) fn len(&self) -> u32 {
        // SAFETY: By the type invariant, the packet is valid.
        unsafe { (*self.0.get()).len }
    }

    /// Offset of the network header from the start of the packet's data.
    #[inline]
    pub(crate) fn network_offset(&self) -> u32 {
        let skb = self.0.get();
        // SAFETY: By the type invariant, the packet is valid. PALISADE_NETWORK_HEADER is the offset
        // of `network_header`, a `u16`, in it.
        let (head, data, header) = unsafe {
            let header = skb.byte_add(bindings::PALISADE_NETWORK_HEADER as usize);
            ((*skb).head, (*skb).data, header.cast::<u16>().read())
        };
        // As `skb_network_offset`. In the hooks of IP the network header lies within the data,
        // usually at its start.
        let offset = (head.addr().wrapping_add(header.into())).wrapping_sub(data.addr());
        offset as u32
    }

    /// The linear part of the packet's data: its start, and its length in bytes.
    #[inline]
    fn linear(&self) -> (*const u8, u32) {
        let skb = self.0.get();
        // SAFETY: By the type invariant, the packet is valid.
        unsafe { ((*skb).data, (*skb).len.wrapping_sub((*skb).data_len)) }
    }

    /// Whether `length` bytes at `offset` from the start of the data are linear.
    #[inline]
    fn is_linear(offset: u32, length: usize, linear: u32) -> bool {
        u64::from(offset).wrapping_add(length as u64) <= u64::from(linear)
    }

    /// Copies `N` bytes at `offset` from the start of the data. None if the packet is too short.
    #[inline]
    pub(crate) fn read<const N: usize>(&self, offset: u32) -> Option<[u8; N]> {
        let (data, linear) = self.linear();
        if !Self::is_linear(offset, N, linear) {
            return self.read_beyond(offset);
        }
        // SAFETY: `linear` bytes are readable from `data` on, and the bytes at `offset` are among
        // them.
        Some(unsafe { data.add(offset as usize).cast::<[u8; N]>().read() })
    }

    /// As [`Skb::read`], for `N` words, which need not be aligned, in the linear part, which has
    /// the IP header in all hooks of IP.
    #[inline]
    pub(crate) fn linear_words<const N: usize>(&self, offset: u32) -> Option<[u32; N]> {
        let (data, linear) = self.linear();
        if !Self::is_linear(offset, size_of::<[u32; N]>(), linear) {
            return None;
        }
        // One by one, so that they can stay in registers.
        Some(core::array::from_fn(|index| {
            // SAFETY: `linear` bytes are readable from `data` on, and the words at `offset` are
            // among them.
            unsafe {
                let words = data.add(offset as usize).cast::<u32>();
                words.add(index).read_unaligned()
            }
        }))
    }

    /// The word at `offset` from the start of the data, if `length` bytes from there on are linear
    /// and have room for a word.
    #[inline]
    pub(crate) fn linear_word(&self, offset: u32, length: usize) -> Option<u32> {
        let (data, linear) = self.linear();
        if length < size_of::<u32>() || !Self::is_linear(offset, length, linear) {
            return None;
        }
        // SAFETY: `linear` bytes are readable from `data` on, and the word at `offset` is among
        // them.
        Some(unsafe { (data.add(offset as usize).cast::<u32>()).read_unaligned() })
    }

    /// As [`Skb::read`], into a buffer. Returns whether the packet is long enough.
    #[inline]
    pub(crate) fn read_into(&self, offset: u32, bytes: &mut [u8]) -> bool {
        let (data, linear) = self.linear();
        if Self::is_linear(offset, bytes.len(), linear) {
            // SAFETY: `linear` bytes are readable from `data` on, and the bytes at `offset` are
            // among them. The buffer is borrowed exclusively, so it does not overlap with them.
            unsafe {
                core::ptr::copy_nonoverlapping(
                    data.add(offset as usize),
                    bytes.as_mut_ptr(),
                    bytes.len(),
                );
            }
            return true;
        }
        let (Ok(offset), Ok(length)) = (i32::try_from(offset), i32::try_from(bytes.len())) else {
            return false;
        };
        let buffer = bytes.as_mut_ptr().cast();
        // SAFETY: By the type invariant, the packet is valid. The buffer is valid for writes of its
        // length, and the function checks the packet's length.
        unsafe { bindings::skb_copy_bits(self.0.get(), offset, buffer, length) == 0 }
    }

    /// As [`Skb::read`], for bytes that are not linear.
    #[cold]
    #[inline(never)]
    fn read_beyond<const N: usize>(&self, offset: u32) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        let offset = i32::try_from(offset).ok()?;
        // SAFETY: By the type invariant, the packet is valid. The buffer is valid for writes of its
        // length, and the function checks the packet's length.
        let error = unsafe {
            bindings::skb_copy_bits(self.0.get(), offset, bytes.as_mut_ptr().cast(), N as i32)
        };
        (error == 0).then_some(bytes)
    }

    /// Skips the extension headers of an IPv6 packet. None if they are malformed or truncated.
    #[inline(never)]
    pub(crate) fn ipv6_transport(&self) -> Option<Ipv6Transport> {
        let mut offset = 0;
        let mut fragment_position = 0;
        // `ipv6_find_hdr` requires a linear IP header.
        self.linear_words::<{ IPV6_HEADER_LENGTH / size_of::<u32>() }>(self.network_offset())?;
        // SAFETY: By the type invariant, the packet is valid, and its IP header is linear. The
        // pointers are valid for writes or, for the flags, null.
        let protocol = unsafe {
            bindings::ipv6_find_hdr(
                self.0.get(),
                &mut offset,
                -1,
                &mut fragment_position,
                core::ptr::null_mut(),
            )
        };
        Some(Ipv6Transport {
            protocol: u8::try_from(protocol).ok()?,
            offset,
            fragment_position,
        })
    }
}
