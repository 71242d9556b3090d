// SPDX-License-Identifier: GPL-2.0

//! Reading bytes one after another.

use super::{
    Found,
    Missing,
    LENGTH_MAX, //
};
use crate::packet::FirstData;

/// The first bytes of a connection, as many as there are so far.
pub(crate) trait Bytes {
    /// Copies the bytes from an offset on; returns how many, which are fewer than there is room for if
    /// there are no more.
    fn copy(&self, offset: usize, to: &mut [u8]) -> usize;
}

impl Bytes for [u8] {
    #[inline]
    fn copy(&self, offset: usize, to: &mut [u8]) -> usize {
        let from = self.get(offset..).unwrap_or_default();
        let length = from.len().min(to.len());
        match (to.get_mut(..length), from.get(..length)) {
            (Some(to), Some(from)) => to.copy_from_slice(from),
            _ => return 0,
        }
        length
    }
}

impl Bytes for FirstData<'_> {
    #[inline]
    fn copy(&self, offset: usize, to: &mut [u8]) -> usize {
        self.copy(offset, to)
    }
}

/// How many bytes are copied at once.
const WINDOW: usize = 64;

/// A position in the bytes.
pub(super) struct Reader<'a, B: ?Sized> {
    bytes: &'a B,
    position: usize,
    /// A copy of the bytes from `start` to `end`.
    window: [u8; WINDOW],
    start: usize,
    end: usize,
}

impl<'a, B: Bytes + ?Sized> Reader<'a, B> {
    /// At an offset.
    pub(super) fn at(bytes: &'a B, position: usize) -> Self {
        Self {
            bytes,
            position,
            window: [0; WINDOW],
            start: position,
            end: position,
        }
    }

    /// The offset of the next byte.
    #[inline]
    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// The next byte.
    #[inline]
    pub(super) fn byte(&mut self) -> Found<u8> {
        if self.position >= self.end {
            self.fill()?;
        }
        let index = self.position.wrapping_sub(self.start);
        let byte = self.window.get(index).ok_or(Missing::Incomplete)?;
        self.position = self.position.wrapping_add(1);
        Ok(*byte)
    }

    /// The next bytes, if they are copied already.
    #[inline]
    pub(super) fn copied<const N: usize>(&mut self) -> Option<[u8; N]> {
        let start = self.position.checked_sub(self.start)?;
        let end = self.end.checked_sub(self.start)?;
        let bytes = *self.window.get(start..end)?.first_chunk()?;
        self.position = self.position.wrapping_add(N);
        Some(bytes)
    }

    /// Passes bytes over, which need not be there yet.
    #[inline]
    pub(super) fn skip(&mut self, length: usize) {
        self.position = self.position.saturating_add(length);
    }

    #[inline(never)]
    fn fill(&mut self) -> Found<()> {
        if self.position >= LENGTH_MAX {
            return Err(Missing::Absent);
        }
        let length = self.bytes.copy(self.position, &mut self.window);
        if length == 0 {
            return Err(Missing::Incomplete);
        }
        self.start = self.position;
        self.end = self.position.wrapping_add(length);
        Ok(())
    }
}
