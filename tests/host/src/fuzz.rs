// SPDX-License-Identifier: GPL-2.0

//! What the fuzzer runs: bytes make a sequence of operations, and each says whether what came out is right.

mod lists;
mod netlink;
mod packets;

use std::sync::LazyLock;

/// The targets.
const TARGETS: [(&str, fn(&mut Bytes<'_>)); 6] = [
    ("packets", packets::run),
    ("lists", lists::run),
    ("netlink", netlink::run),
    ("cookies", crate::synproxy::fuzz::cookies),
    ("segments", crate::synproxy::fuzz::segments),
    ("servers", crate::synproxy::fuzz::servers),
];

/// Runs the target that the variable `PALISADE_TARGET` names.
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

/// The fuzzer's bytes, which are zero in the end.
pub(crate) struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    /// Whether there are none any more.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next so many.
    pub(crate) fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut array = [0; N];
        let (some, rest) = self.0.split_at(N.min(self.0.len()));
        array[..some.len()].copy_from_slice(some);
        self.0 = rest;
        array
    }

    /// The next.
    pub(crate) fn u8(&mut self) -> u8 {
        let [byte] = self.array();
        byte
    }

    /// The next two.
    pub(crate) fn u16(&mut self) -> u16 {
        u16::from_ne_bytes(self.array())
    }

    /// The next four.
    pub(crate) fn u32(&mut self) -> u32 {
        u32::from_ne_bytes(self.array())
    }

    /// Up to so many.
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
