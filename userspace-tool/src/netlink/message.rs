// SPDX-License-Identifier: GPL-2.0

//! A request to the family, in the form that the netlink crates send.

use netlink_packet_core::Emitable;
use netlink_packet_generic::GenlFamily;

use super::spec::{FAMILY_NAME, FAMILY_VERSION};

/// A command and its attributes, already encoded.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) command: u8,
    pub(super) attributes: Vec<u8>,
}

impl GenlFamily for Message {
    fn family_name() -> &'static str {
        FAMILY_NAME.to_str().unwrap_or_default()
    }

    fn command(&self) -> u8 {
        self.command
    }

    fn version(&self) -> u8 {
        FAMILY_VERSION
    }
}

impl Emitable for Message {
    fn buffer_len(&self) -> usize {
        self.attributes.len()
    }

    fn emit(&self, buffer: &mut [u8]) {
        buffer.copy_from_slice(&self.attributes);
    }
}
