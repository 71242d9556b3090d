// SPDX-License-Identifier: GPL-2.0

//! Memory that the allocator clears, which costs less than writing each byte.

use kernel::{
    alloc::{
        flags::__GFP_ZERO,
        AllocError,
        Flags, //
    },
    prelude::*, //
};

/// So many bytes, all 0, as `KVec::zeroed` of Linux 7.3.
pub(crate) fn bytes(size: usize, flags: Flags) -> Result<KVec<u8>, AllocError> {
    let mut bytes = KVec::with_capacity(size, flags | __GFP_ZERO)?;
    // SAFETY: There is room for `size` bytes in the vector, which is empty, and `__GFP_ZERO` has made
    // them 0.
    unsafe { bytes.inc_len(size) };
    Ok(bytes)
}
