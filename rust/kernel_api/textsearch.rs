// SPDX-License-Identifier: GPL-2.0

//! Searching for text in packets.
//!
//! C header: [`include/linux/textsearch.h`](srctree/include/linux/textsearch.h)

use super::{
    bindings,
    net::skb::Skb, //
};
use core::{
    ops::Range,
    ptr::NonNull, //
};
use kernel::{
    error::from_err_ptr,
    prelude::*, //
};

/// A text that can be searched for.
///
/// # Invariants
///
/// The pointer came from `textsearch_prepare`.
pub(crate) struct TextSearch(NonNull<bindings::ts_config>);

// SAFETY: A search can be used and destroyed from any thread.
unsafe impl Send for TextSearch {}
// SAFETY: A search keeps its state on the stack of who searches. What searching writes to it are the
// functions that read packets, each time the same ones.
unsafe impl Sync for TextSearch {}

impl TextSearch {
    /// Prepares to search for a pattern, and loads the algorithm if need be. May sleep.
    ///
    /// # Errors
    ///
    /// `EINVAL` when the pattern is empty, `ENOENT` when the kernel does not have the algorithm, and `ENOMEM`.
    pub(crate) fn prepare(algorithm: &CStr, pattern: &[u8], ignores_case: bool) -> Result<Self> {
        let length = u32::try_from(pattern.len()).map_err(|_| EINVAL)?;
        let flags = bindings::TS_AUTOLOAD
            | if ignores_case {
                bindings::TS_IGNORECASE
            } else {
                0
            };
        // SAFETY: The name is a C string, and the pattern is valid for reads of its length; it is copied.
        let config = from_err_ptr(unsafe {
            bindings::palisade_textsearch_prepare(
                algorithm.as_char_ptr(),
                pattern.as_ptr().cast(),
                length,
                flags as c_int,
            )
        })?;
        // INVARIANT: It was just prepared.
        NonNull::new(config).map(Self).ok_or(ENOMEM)
    }

    /// Whether the text is in a packet, within these offsets from the start of its data.
    #[inline]
    pub(crate) fn is_in(&self, skb: &Skb, place: Range<u32>) -> bool {
        // The function takes their difference.
        if place.is_empty() {
            return false;
        }
        // SAFETY: By the type invariant; the packet is valid and only read.
        let found = unsafe {
            bindings::skb_find_text(skb.as_raw(), place.start, place.end, self.0.as_ptr())
        };
        found != u32::MAX
    }
}

impl Drop for TextSearch {
    fn drop(&mut self) {
        // SAFETY: By the type invariant; whoever searches uses a reference, so there are none.
        unsafe { bindings::textsearch_destroy(self.0.as_ptr()) };
    }
}
