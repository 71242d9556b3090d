// SPDX-License-Identifier: GPL-2.0

//! Names of hosts, as clients give them.

use super::{
    Found,
    Missing, //
};

/// The longest name (RFC 1035, section 2.3.4), with a dot behind it and a port.
const LENGTH: usize = 253 + ".:65535".len();

/// A name in lower case, perhaps with a port.
#[derive(Clone, Copy)]
pub(crate) struct HostName {
    bytes: [u8; LENGTH],
    length: usize,
    /// How long the name is without a dot at its end.
    name: usize,
    /// Where the colon is in front of the port, or the end.
    colon: usize,
}

impl HostName {
    /// An empty one.
    pub(super) const fn new() -> Self {
        Self {
            bytes: [0; LENGTH],
            length: 0,
            name: 0,
            colon: 0,
        }
    }

    /// Adds a byte; one too many makes it no name.
    #[inline]
    pub(super) fn push(&mut self, byte: u8) -> Found<()> {
        let end = self.bytes.get_mut(self.length).ok_or(Missing::Absent)?;
        *end = byte.to_ascii_lowercase();
        self.length = self.length.wrapping_add(1);
        Ok(())
    }

    /// Ends it, if it is a name.
    pub(super) fn end(&mut self, may_have_port: bool) -> Found<()> {
        let all = self.range(0, self.length);
        // The colons of an IPv6 address are in brackets.
        let is_end = |byte: &u8| *byte == b':' || *byte == b']';
        let colon = all.iter().rposition(is_end).filter(|index| {
            may_have_port && all.get(*index) == Some(&b':') //
        });
        self.colon = colon.unwrap_or(self.length);
        let name = self.range(0, self.colon);
        self.name = name.strip_suffix(b".").unwrap_or(name).len();
        if self.name == 0 {
            return Err(Missing::Absent);
        }
        Ok(())
    }

    #[inline]
    fn range(&self, start: usize, end: usize) -> &[u8] {
        self.bytes.get(start..end).unwrap_or_default()
    }

    /// The name, without a dot at its end.
    #[inline]
    pub(crate) fn name(&self) -> &[u8] {
        self.range(0, self.name)
    }

    /// The colon and the port, if it has one.
    #[inline]
    pub(crate) fn port(&self) -> &[u8] {
        self.range(self.colon, self.length)
    }
}
