// SPDX-License-Identifier: GPL-2.0

//! The target LOG: a line in the kernel log.

use crate::{
    kernel_api::netfilter::log::{
        Logger,
        Style, //
    },
    rules::prelude::*,
    spec::LOG_PREFIX_LENGTH_MAX, //
};

/// LOG_WARNING.
const DEFAULT_LEVEL: u8 = 4;

/// TCP sequence numbers, TCP options, IP options, the user ID, and the link layer's header.
const FLAGS: u32 = 1 | 2 | 4 | 8 | 32;

/// The prefix of a line, padded with at least one zero byte.
#[derive(Default, PartialEq, Eq)]
struct Prefix([u8; LOG_PREFIX_LENGTH_MAX as usize + 1]);

impl Prefix {
    fn as_cstr(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.0).unwrap_or_default()
    }
}

impl Payload for Prefix {
    fn read(attribute: Attribute<'_>) -> NetlinkResult<'_, Self> {
        let mut prefix = Self::default();
        let given = attribute.string();
        // A newline would let whoever may log a namespace's packets forge other log lines.
        if given.iter().any(|byte| byte.is_ascii_control()) {
            return Err(ExtAckError::new(
                EINVAL,
                c"a prefix has no control characters",
            ));
        }
        let room = prefix.0.get_mut(..given.len());
        room.ok_or(ExtAckError::new(EINVAL, c"the prefix is too long"))?
            .copy_from_slice(given);
        Ok(prefix)
    }

    fn write(&self, kind: u16, message: &mut Message<'_>) -> Result {
        message.put_padded(kind, &self.0)
    }
}

nest! {
    /// The contents of a line.
    #[derive(PartialEq, Eq)]
    pub(crate) struct Line: attribute::log {
        level: u8 = LEVEL, or DEFAULT_LEVEL;
        prefix: Prefix = PREFIX, or Prefix::default();
        flags: u32 = FLAGS, or 0;
    }
}

/// Writes a line to the kernel log.
pub(crate) struct Log {
    line: Line,
    logger: Logger,
    style: Style,
}

impl PacketTarget for Log {
    type Attributes = Line;

    fn new<'a>(line: Line, context: &mut DecodeContext<'a, '_>) -> NetlinkResult<'a, Self> {
        if line.flags & !FLAGS != 0 {
            return Err(context.refuse(attribute::log::FLAGS, c"there is no such flag"));
        }
        let logger = Logger::get()
            .map_err(|error| ExtAckError::new(error, c"this kernel cannot log packets"))?;
        Ok(Self {
            logger,
            style: Style::new(line.level, line.flags as u8),
            line,
        })
    }

    fn attributes(&self) -> &Line {
        &self.line
    }

    fn apply(&self, packet: &mut Packet<'_>) -> Decision {
        let (skb, context) = (packet.skb(), packet.context());
        let prefix = self.line.prefix.as_cstr();
        self.logger.log(skb, context, &self.style, prefix);
        Decision::Continue
    }
}
