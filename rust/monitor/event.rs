// SPDX-License-Identifier: GPL-2.0

//! What packets tell of, packed into a few words.

use super::ring::WORDS;
use crate::{
    kernel_api::netlink::message::Message,
    packet::{
        Address,
        Family, //
    },
    spec::attribute::server, //
};
use kernel::prelude::*;

/// WORDS: the command with the family above it and these flags above that; jiffies; the address; the
/// list, or the port of a server; and what the subject has besides.
const IS_ENTRY: u32 = 1 << 16;
const HAS_PREFIX: u32 = 1 << 17;
const HAS_OPTIONS: u32 = 1 << 18;
const HAS_SCALE: u32 = 1 << 19;
const HAS_SACK: u32 = 1 << 20;
const HAS_TIMESTAMPS: u32 = 1 << 21;
const HAS_ECN: u32 = 1 << 22;

/// Something that happened to a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MonitorEvent {
    /// The command of the notification.
    pub(crate) command: u8,
    /// Jiffies when it happened.
    pub(crate) time: u32,
    /// The address family.
    pub(crate) family: Family,
    /// The address of the entry or the server.
    pub(crate) address: Address,
    /// What it happened to.
    pub(crate) subject: Subject,
}

/// What an event happened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// An entry.
    Entry {
        /// The number of its list.
        list: u32,
        /// Its port, in host byte order; 0 if ports are ignored.
        port: u16,
        /// The length of a network's prefix.
        prefix: Option<u8>,
    },
    /// A server.
    Server {
        /// Its port, in host byte order.
        port: u16,
        /// Its options, if the event is about those.
        options: Option<LearnedOptions>,
    },
}

/// The options of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LearnedOptions {
    /// MSS, in bytes.
    pub(crate) mss: u16,
    /// Window scale, if it scales windows.
    pub(crate) scale: Option<u8>,
    /// SACK.
    pub(crate) sack: bool,
    /// Timestamps.
    pub(crate) timestamps: bool,
    /// ECN.
    pub(crate) ecn: bool,
}

fn flag(is_set: bool, flag: u32) -> u32 {
    match is_set {
        true => flag,
        false => 0,
    }
}

impl LearnedOptions {
    /// Writes them as attributes of a server.
    ///
    /// # Errors
    ///
    /// `EMSGSIZE` when the message is full.
    pub(crate) fn encode(&self, message: &mut Message<'_>) -> Result {
        message.put_u16(server::MSS, self.mss)?;
        if let Some(scale) = self.scale {
            message.put_u8(server::WSCALE, scale)?;
        }
        message.put_flag(server::SACK_PERM, self.sack)?;
        message.put_flag(server::TIMESTAMP, self.timestamps)?;
        message.put_flag(server::ECN, self.ecn)
    }

    fn pack(&self) -> (u32, u32) {
        let flags = HAS_OPTIONS
            | flag(self.scale.is_some(), HAS_SCALE)
            | flag(self.sack, HAS_SACK)
            | flag(self.timestamps, HAS_TIMESTAMPS)
            | flag(self.ecn, HAS_ECN);
        let scale = u32::from(self.scale.unwrap_or(0));
        (flags, u32::from(self.mss) | scale << 16)
    }

    fn unpack(flags: u32, besides: u32) -> Option<Self> {
        (flags & HAS_OPTIONS != 0).then_some(Self {
            mss: besides as u16,
            scale: (flags & HAS_SCALE != 0).then_some((besides >> 16) as u8),
            sack: flags & HAS_SACK != 0,
            timestamps: flags & HAS_TIMESTAMPS != 0,
            ecn: flags & HAS_ECN != 0,
        })
    }
}

impl MonitorEvent {
    /// Packs it.
    pub(super) fn pack(&self) -> [u32; WORDS] {
        let (flags, subject, besides) = match self.subject {
            Subject::Entry { list, port, prefix } => {
                let length = u32::from(prefix.unwrap_or(0));
                let flags = IS_ENTRY | flag(prefix.is_some(), HAS_PREFIX);
                (flags, list, u32::from(port) | length << 16)
            }
            Subject::Server { port, options } => {
                let (flags, besides) = options.map_or((0, 0), |options| options.pack());
                (flags, u32::from(port), besides)
            }
        };
        let kind = u32::from(self.command) | self.family.version() << 8 | flags;
        let [a, b, c, d] = self.address.words();
        [kind, self.time, a, b, c, d, subject, besides]
    }

    /// Unpacks it; `None` if that is none.
    pub(super) fn unpack(words: [u32; WORDS]) -> Option<Self> {
        let [kind, time, a, b, c, d, subject, besides] = words;
        let subject = match kind & IS_ENTRY != 0 {
            true => Subject::Entry {
                list: subject,
                port: besides as u16,
                prefix: (kind & HAS_PREFIX != 0).then_some((besides >> 16) as u8),
            },
            false => Subject::Server {
                port: subject as u16,
                options: LearnedOptions::unpack(kind, besides),
            },
        };
        Some(Self {
            command: kind as u8,
            time,
            family: Family::from_version(kind >> 8 & 0xff)?,
            address: Address::new([a, b, c, d]),
            subject,
        })
    }
}
