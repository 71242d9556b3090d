// SPDX-License-Identifier: GPL-2.0

//! A text with wildcards that something must be, or must not be.

use crate::{
    content::glob::Glob,
    kernel_api::netlink::nest::Text,
    rules::prelude::*, //
};

/// A pattern, and whether it is inverted. On the heap, so that no match grows by it.
pub(super) struct GlobOption<const IGNORES_CASE: bool>(KBox<Inner>);

struct Inner {
    text: Text,
    glob: Glob,
    invert: bool,
}

impl<const IGNORES_CASE: bool> PartialEq for GlobOption<IGNORES_CASE> {
    fn eq(&self, other: &Self) -> bool {
        self.0.text == other.0.text && self.0.invert == other.0.invert
    }
}

impl<const IGNORES_CASE: bool> GlobOption<IGNORES_CASE> {
    /// The text of the pattern.
    pub(super) fn text(&self) -> &[u8] {
        self.0.text.as_bytes()
    }

    /// The pattern.
    #[inline]
    pub(super) fn glob(&self) -> &Glob {
        &self.0.glob
    }

    /// Whether what was found is right, where `is_match` says whether the pattern matches it.
    #[inline]
    pub(super) fn agrees(&self, is_match: bool) -> bool {
        is_match != self.0.invert
    }
}

/// The attributes of the pattern, and of the inversion.
impl<const IGNORES_CASE: bool> OptionalGroup for GlobOption<IGNORES_CASE> {
    fn read(nest: Attributes<'_>, kind: u16) -> NetlinkResult<'_, Option<Self>> {
        let [_, invert] = nest::kinds(kind);
        let Some(text) = nest::optional::<Text>(nest, kind)? else {
            if nest.has(invert) {
                return Err(nest.refuse(invert, c"there is nothing to invert"));
            }
            return Ok(None);
        };
        if text.as_bytes().is_empty() {
            return Err(nest.refuse(kind, c"the pattern is empty"));
        }
        let inner = Inner {
            glob: Glob::new(text.as_bytes(), IGNORES_CASE)?,
            text,
            invert: nest.has(invert),
        };
        Ok(Some(Self(KBox::new(inner, GFP_KERNEL_ACCOUNT)?)))
    }

    fn write(&self, kind: u16, message: &mut Message<'_>) -> Result {
        let [text, invert] = nest::kinds(kind);
        self.0.text.write(text, message)?;
        message.put_flag(invert, self.0.invert)
    }
}
