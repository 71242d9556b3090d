// SPDX-License-Identifier: GPL-2.0

//! Names of interfaces.

use crate::{
    kernel_api::netfilter::InterfaceName,
    rules::prelude::*, //
};

/// Size of an interface name, including the terminating zero byte.
const NAME_LENGTH: usize = size_of::<InterfaceName>();

/// The name of an interface, or a prefix.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct InterfaceMatch {
    name: InterfaceName,
    /// The bits of the name that count.
    mask: InterfaceName,
    invert: bool,
}

impl InterfaceMatch {
    #[inline]
    pub(super) fn matches(&self, name: &InterfaceName) -> bool {
        let [a, b] = self.name;
        let [c, d] = self.mask;
        let [e, f] = *name;
        (((a ^ e) & c) | ((b ^ f) & d) == 0) != self.invert
    }
}

/// The attributes of the name, and of the inversion.
impl OptionalGroup for InterfaceMatch {
    fn read(nest: Attributes<'_>, kind: u16) -> NetlinkResult<'_, Option<Self>> {
        let Some(attribute) = nest.get(kind) else {
            return Ok(None);
        };
        let name = attribute.string();
        let refuse = |message| ExtAckError::new(EINVAL, message).at(attribute);
        let (beginning, is_whole) = match name {
            [] => return Err(refuse(c"an interface has a name")),
            // As dev_valid_name() in net/core/dev.c.
            _ if name
                .iter()
                .any(|byte| byte.is_ascii_whitespace() || b"/:".contains(byte)) =>
            {
                return Err(refuse(c"no interface has such a name"));
            }
            [beginning @ .., b'+'] => (beginning, false),
            whole => (whole, true),
        };
        let mut name = [0; NAME_LENGTH];
        name.get_mut(..beginning.len())
            .ok_or_else(|| refuse(c"the interface's name is too long"))?
            .copy_from_slice(beginning);
        // A full name includes the zero byte after it.
        let compared = beginning.len().saturating_add(is_whole.into());
        let mask = core::array::from_fn(|index| if index < compared { 0xff } else { 0 });
        Ok(Some(Self {
            name: words_of_name(name),
            mask: words_of_name(mask),
            invert: nest.has(kind.wrapping_add(1)),
        }))
    }

    fn write(&self, kind: u16, message: &mut Message<'_>) -> Result {
        let mut name = bytes_of_name(self.name);
        let length = name.iter().take_while(|&&byte| byte != 0).count();
        let is_whole = bytes_of_name(self.mask).get(length) == Some(&0xff);
        let mut end = length;
        if let Some(byte) = name.get_mut(length).filter(|_| !is_whole) {
            *byte = b'+';
            end = length.saturating_add(1);
        }
        message.put_string(kind, name.get(..end).unwrap_or_default())?;
        message.put_flag(kind.wrapping_add(1), self.invert)
    }
}

fn words_of_name(bytes: [u8; NAME_LENGTH]) -> InterfaceName {
    let word = |start: usize| {
        u64::from_ne_bytes(core::array::from_fn(|index| {
            bytes
                .get(start.wrapping_add(index))
                .copied()
                .unwrap_or_default()
        }))
    };
    [word(0), word(8)]
}

fn bytes_of_name(name: InterfaceName) -> [u8; NAME_LENGTH] {
    let mut bytes = [0; NAME_LENGTH];
    for (index, word) in bytes.chunks_exact_mut(8).zip(name) {
        index.copy_from_slice(&word.to_ne_bytes());
    }
    bytes
}
