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

/// A pattern to search packets for.
///
/// # Invariants
///
/// The pointer came from `textsearch_prepare` and was not destroyed.
///
/// # Examples
///
/// ```ignore
/// let search = TextSearch::prepare(c"bm", b"GET /", false)?;
/// let start = skb.network_offset();
/// let is_found = search.is_in(skb, start..start.wrapping_add(1500));
/// ```
pub(crate) struct TextSearch(NonNull<bindings::ts_config>);

// SAFETY: A `ts_config` belongs to no task and can be destroyed by any.
unsafe impl Send for TextSearch {}
// SAFETY: The state of a search is on the searcher's stack. `skb_find_text` writes two function
// pointers to the configuration, the same ones each time.
unsafe impl Sync for TextSearch {}

impl TextSearch {
    /// Prepares the search for a pattern, and loads the algorithm's module if necessary. May sleep.
    ///
    /// # Errors
    ///
    /// `EINVAL` when the pattern is empty, `ENOENT` when the kernel lacks the algorithm, `ENOMEM`
    /// when there is no memory.
    pub(crate) fn prepare(algorithm: &CStr, pattern: &[u8], ignores_case: bool) -> Result<Self> {
        let length = u32::try_from(pattern.len()).map_err(|_| EINVAL)?;
        let flags = bindings::TS_AUTOLOAD
            | if ignores_case {
                bindings::TS_IGNORECASE
            } else {
                0
            };
        // SAFETY: The name is a C string. The pattern is valid for reads of its length, and is
        // copied.
        let config = from_err_ptr(unsafe {
            bindings::palisade_textsearch_prepare(
                algorithm.as_char_ptr(),
                pattern.as_ptr().cast(),
                length,
                flags as c_int,
            )
        })?;
        // INVARIANT: `config` is what `textsearch_prepare` returned.
        NonNull::new(config).map(Self).ok_or(ENOMEM)
    }

    /// Whether the pattern is in a packet within a range of offsets from the start of its data.
    #[inline]
    pub(crate) fn is_in(&self, skb: &Skb, range: Range<u32>) -> bool {
        // `skb_find_text` subtracts the start from the end.
        if range.is_empty() {
            return false;
        }
        // SAFETY: By the type invariant, the search is valid; by that of `Skb`, the packet is. The
        // start of the range is below its end.
        let found = unsafe {
            bindings::skb_find_text(skb.as_raw(), range.start, range.end, self.0.as_ptr())
        };
        found != u32::MAX
    }
}

impl Drop for TextSearch {
    fn drop(&mut self) {
        // SAFETY: By the type invariant, the pointer came from `textsearch_prepare`. Searching
        // borrows `self`, so nobody does.
        unsafe { bindings::textsearch_destroy(self.0.as_ptr()) };
    }
}
