// SPDX-License-Identifier: GPL-2.0

//! The fuzz targets: each turns bytes into a sequence of operations and checks the results.

mod content;
mod lists;
mod netlink;
mod packets;

use std::sync::LazyLock;

/// The targets.
const TARGETS: [(&str, fn(&mut Bytes<'_>)); 8] = [
    ("packets", packets::run),
    ("lists", lists::run),
    ("netlink", netlink::run),
    ("cookies", crate::synproxy::fuzz::cookies),
    ("segments", crate::synproxy::fuzz::segments),
    ("servers", crate::synproxy::fuzz::servers),
    ("tls", content::tls),
    ("http", content::http),
];

/// Runs the target named by the variable `PALISADE_TARGET`.
pub fn run(data: &[u8]) {
    static TARGET: LazyLock<fn(&mut Bytes<'_>)> = LazyLock::new(|| {
        let wanted = std::env::var("PALISADE_TARGET").expect("PALISADE_TARGET is not set");
        let target = TARGETS.iter().find(|(name, _)| *name == wanted);
        target.expect("there is no such target").1
    });
    TARGET(&mut Bytes(data));
    kernel::alloc::fail_after(None);
    crate::c::run_retired();
}

/// The fuzzer's bytes, followed by zeroes.
pub(crate) struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    /// Whether none are left.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next `N` bytes.
    pub(crate) fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut array = [0; N];
        let (some, rest) = self.0.split_at(N.min(self.0.len()));
        array[..some.len()].copy_from_slice(some);
        self.0 = rest;
        array
    }

    /// The next byte.
    pub(crate) fn u8(&mut self) -> u8 {
        let [byte] = self.array();
        byte
    }

    /// The next two bytes.
    pub(crate) fn u16(&mut self) -> u16 {
        u16::from_ne_bytes(self.array())
    }

    /// The next four bytes.
    pub(crate) fn u32(&mut self) -> u32 {
        u32::from_ne_bytes(self.array())
    }

    /// Up to `length` bytes.
    pub(crate) fn slice(&mut self, length: usize) -> &'a [u8] {
        let (some, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        some
    }

    /// All that are left.
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        self.slice(usize::MAX)
    }
}
