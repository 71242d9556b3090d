// SPDX-License-Identifier: GPL-2.0

//! The target LOG: a line in the kernel's log.

use super::{
    Action,
    PacketTarget, //
};
use crate::{
    kernel_api::{
        extended_ack::{
            ExtAckError,
            NetlinkResult, //
        },
        log::{
            Logger,
            Style, //
        },
        message::Message,
        netlink::Attribute, //
    },
    packet::Packet,
    rules::resources::{
        Resources,
        Surroundings, //
    },
    spec::{
        attribute::{
            log as attributes,
            target, //
        },
        LOG_PREFIX_LENGTH_MAX, //
    },
};
use kernel::prelude::*;

/// LOG_WARNING.
const DEFAULT_LEVEL: u8 = 4;

/// TCP sequence numbers, TCP options, IP options, the user id, and the link layer's header.
const FLAGS: u8 = 1 | 2 | 4 | 8 | 32;

/// A prefix, filled up with zeroes, of which there is one at least.
type Prefix = [u8; LOG_PREFIX_LENGTH_MAX as usize + 1];

/// Writes a line to the kernel's log.
pub(in crate::rules) struct Log {
    logger: Logger,
    style: Style,
    level: u8,
    flags: u8,
    prefix: Prefix,
}

impl PartialEq for Log {
    fn eq(&self, other: &Self) -> bool {
        (self.level, self.flags, self.prefix) == (other.level, other.flags, other.prefix)
    }
}

impl Log {
    fn prefix(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.prefix).unwrap_or_default()
    }
}

impl PacketTarget for Log {
    const ATTRIBUTE: u16 = target::LOG;

    fn apply(&self, packet: &Packet<'_>) -> Action {
        let (skb, context) = (packet.skb(), packet.context());
        self.logger.log(skb, context, &self.style, self.prefix());
        Action::Continue
    }

    fn decode<'a>(
        attribute: Attribute<'a>,
        _surroundings: &Surroundings<'_>,
        _resources: &mut Resources<'_>,
    ) -> NetlinkResult<'a, Self> {
        let log = attribute.nested();
        let level = log
            .get(attributes::LEVEL)
            .and_then(|attribute| attribute.u8());
        let level = level.unwrap_or(DEFAULT_LEVEL);
        let mut flags = 0;
        if let Some(attribute) = log.get(attributes::FLAGS) {
            flags = attribute
                .u32()
                .and_then(|flags| u8::try_from(flags).ok())
                .filter(|flags| flags & !FLAGS == 0)
                .ok_or_else(|| ExtAckError::new(EINVAL, c"there is no such flag").at(attribute))?;
        }
        let mut prefix = Prefix::default();
        if let Some(attribute) = log.get(attributes::PREFIX) {
            let given = attribute.string();
            // A new line would let who may log packets of a namespace write what looks like other lines.
            if given.iter().any(|byte| byte.is_ascii_control()) {
                let refusal = ExtAckError::new(EINVAL, c"a prefix has no control characters");
                return Err(refusal.at(attribute));
            }
            prefix
                .get_mut(..given.len())
                .ok_or(ExtAckError::new(EINVAL, c"the prefix is too long").at(attribute))?
                .copy_from_slice(given);
        }
        let logger = Logger::get()
            .map_err(|error| ExtAckError::new(error, c"this kernel cannot log packets"))?;
        Ok(Self {
            logger,
            style: Style::new(level, flags),
            level,
            flags,
            prefix,
        })
    }

    fn encode(&self, message: &mut Message) -> Result {
        message.nest(Self::ATTRIBUTE, |message| {
            message.put_u8(attributes::LEVEL, self.level)?;
            message.put_string(attributes::PREFIX, self.prefix().to_bytes())?;
            message.put_u32(attributes::FLAGS, self.flags.into())
        })
    }
}
