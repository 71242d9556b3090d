// SPDX-License-Identifier: GPL-2.0

//! Texts with wildcards.

use kernel::prelude::*;

/// Stands for any bytes, also none.
const STAR: u8 = b'*';

/// The longest pattern, in bytes, so that offsets in it are bytes.
pub(crate) const GLOB_MAX: usize = 255;

/// A pattern of texts between stars.
pub(crate) struct Glob {
    pattern: KVec<u8>,
    /// For each byte of a text behind a star, how long the longest start of the text is that ends with this
    /// byte, and is not all of it up to there (Knuth, Morris and Pratt).
    borders: KVec<u8>,
    ignores_case: bool,
}

impl Glob {
    /// # Errors
    ///
    /// `EINVAL` if the pattern is too long, `ENOMEM` without memory.
    pub(crate) fn new(text: &[u8], ignores_case: bool) -> Result<Self> {
        if text.len() > GLOB_MAX {
            return Err(EINVAL);
        }
        let mut pattern = KVec::with_capacity(text.len(), GFP_KERNEL_ACCOUNT)?;
        for byte in text {
            pattern.push(folded(*byte, ignores_case), GFP_KERNEL_ACCOUNT)?;
        }
        let mut borders = KVec::with_capacity(text.len(), GFP_KERNEL_ACCOUNT)?;
        for piece in pattern.split(|byte| *byte == STAR) {
            let start = borders.len();
            let mut matched = 0;
            for (index, byte) in piece.iter().enumerate() {
                if index > 0 {
                    let known = borders.get(start..).unwrap_or_default();
                    matched = extended(piece, known, matched, *byte);
                }
                borders.push(matched as u8, GFP_KERNEL_ACCOUNT)?;
            }
            // That of the star.
            if borders.len() < pattern.len() {
                borders.push(0, GFP_KERNEL_ACCOUNT)?;
            }
        }
        Ok(Self {
            pattern,
            borders,
            ignores_case,
        })
    }

    /// Whether a text matches.
    pub(crate) fn matches(&self, text: impl IntoIterator<Item = u8>) -> bool {
        let mut matcher = self.matcher();
        for byte in text {
            matcher.push(byte);
        }
        matcher.is_match()
    }

    /// For a text whose bytes come one after another.
    pub(crate) fn matcher(&self) -> Matcher<'_> {
        let mut matcher = Matcher {
            glob: self,
            start: 0,
            piece: self.piece_at(0),
            matched: 0,
            is_dead: false,
        };
        matcher.enter_next();
        matcher
    }

    /// The text from an index of the pattern up to the next star.
    fn piece_at(&self, start: usize) -> &[u8] {
        let rest = self.pattern.get(start..).unwrap_or_default();
        rest.split(|byte| *byte == STAR).next().unwrap_or_default()
    }
}

/// A byte, in lower case if that makes no difference.
#[inline]
fn folded(byte: u8, ignores_case: bool) -> u8 {
    match ignores_case {
        true => byte.to_ascii_lowercase(),
        false => byte,
    }
}

/// How much of a piece matches the end of a text once this byte has come, if `matched` did before.
#[inline]
fn extended(piece: &[u8], borders: &[u8], mut matched: usize, byte: u8) -> usize {
    loop {
        if piece.get(matched) == Some(&byte) {
            return matched.wrapping_add(1);
        }
        // A border is shorter than what it is of, so that this ends.
        match matched.checked_sub(1).and_then(|last| borders.get(last)) {
            Some(border) => matched = usize::from(*border).min(matched.wrapping_sub(1)),
            None => return 0,
        }
    }
}

/// How far a text has matched.
pub(crate) struct Matcher<'a> {
    glob: &'a Glob,
    /// The piece that is looked for, and its index in the pattern.
    start: usize,
    piece: &'a [u8],
    /// How much of it has been found.
    matched: usize,
    is_dead: bool,
}

impl Matcher<'_> {
    /// Whether no star comes behind the piece.
    #[inline]
    fn is_last(&self) -> bool {
        self.start.wrapping_add(self.piece.len()) >= self.glob.pattern.len()
    }

    /// Passes the pieces over that are complete: what the first place leaves is the most.
    #[inline]
    fn enter_next(&mut self) {
        while self.matched == self.piece.len() && !self.is_last() {
            let star = self.start.wrapping_add(self.piece.len());
            self.start = star.wrapping_add(1);
            self.piece = self.glob.piece_at(self.start);
            self.matched = 0;
        }
    }

    /// The next byte of the text.
    #[inline]
    pub(crate) fn push(&mut self, byte: u8) {
        let byte = folded(byte, self.glob.ignores_case);
        if self.start > 0 {
            let borders = self.glob.borders.get(self.start..).unwrap_or_default();
            self.matched = extended(self.piece, borders, self.matched, byte);
        } else if self.piece.get(self.matched) == Some(&byte) {
            self.matched = self.matched.wrapping_add(1);
        } else {
            self.is_dead = true;
        }
        self.enter_next();
    }

    /// Whether the text, which ends here, matches.
    #[inline]
    pub(crate) fn is_match(&self) -> bool {
        !self.is_dead && self.is_last() && self.matched == self.piece.len()
    }
}
