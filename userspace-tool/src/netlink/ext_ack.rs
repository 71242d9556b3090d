// SPDX-License-Identifier: GPL-2.0

//! Errors that the kernel returns, with their extended acknowledgement.

use std::fmt;

use netlink_packet_core::{DoneMessage, ErrorMessage};

use super::reader::attributes;

/// Attributes of an extended acknowledgement, as in linux/netlink.h.
const NLMSGERR_ATTR_MSG: u16 = 1;
const NLMSGERR_ATTR_OFFS: u16 = 2;

/// Attributes start behind the netlink header and the generic netlink header.
const ATTRIBUTES_OFFSET: usize = NETLINK_HEADER_LENGTH + 4;

/// Length of the header of the request, which comes before the extended acknowledgement.
const NETLINK_HEADER_LENGTH: usize = 16;

/// An error that the kernel returned for a request.
#[derive(Debug, thiserror::Error)]
pub(crate) struct ExtAckError {
    /// The positive error number.
    pub(crate) errno: i32,
    /// What the kernel says about it.
    pub(crate) message: Option<String>,
    /// Offset of the attribute that is wrong, from the start of the request's attributes.
    pub(crate) offset: Option<usize>,
    /// The words of the command line that the attribute stands for.
    pub(crate) label: Option<String>,
}

impl ExtAckError {
    pub(super) fn from_error(error: &ErrorMessage) -> Self {
        let extended = error.header.get(NETLINK_HEADER_LENGTH..);
        Self::new(error.raw_code(), extended.unwrap_or_default())
    }

    pub(super) fn from_done(done: &DoneMessage) -> Self {
        Self::new(done.code, &done.extended_ack)
    }

    fn new(code: i32, extended_acknowledgement: &[u8]) -> Self {
        let mut refusal = Self {
            errno: code.saturating_abs(),
            message: None,
            offset: None,
            label: None,
        };
        // An acknowledgement that cannot be read is as good as none: the error number counts.
        for attribute in attributes(extended_acknowledgement).map_while(Result::ok) {
            match attribute.kind {
                NLMSGERR_ATTR_MSG => refusal.message = attribute.string().ok(),
                NLMSGERR_ATTR_OFFS => {
                    refusal.offset = attribute
                        .u32()
                        .ok()
                        .and_then(|offset| usize::try_from(offset).ok())
                        .and_then(|offset| offset.checked_sub(ATTRIBUTES_OFFSET));
                }
                _ => {}
            }
        }
        refusal
    }

    #[cfg(test)]
    pub(crate) fn of(errno: nix::errno::Errno, message: &str, label: Option<&str>) -> Self {
        Self {
            errno: errno as i32,
            message: Some(message.to_owned()),
            offset: None,
            label: label.map(str::to_owned),
        }
    }

    /// What went wrong, in the kernel's words where it has any.
    pub(crate) fn reason(&self) -> String {
        match &self.message {
            Some(message) => message.clone(),
            None => nix::errno::Errno::from_raw(self.errno)
                .desc()
                .to_lowercase(),
        }
    }

    pub(crate) fn is(&self, errno: nix::errno::Errno) -> bool {
        self.errno == errno as i32
    }
}

impl fmt::Display for ExtAckError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(label) = &self.label {
            write!(out, "{label}: ")?;
        }
        write!(out, "{}", self.reason())
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroI32;

    use netlink_packet_core::{ErrorBuffer, Parseable};

    use super::*;
    use crate::netlink::Writer;

    /// What the kernel sends behind the netlink header of an error.
    fn error_message(code: i32, fill: impl FnOnce(&mut Writer)) -> ErrorMessage {
        let mut extended = Writer::default();
        fill(&mut extended);
        let mut bytes = code.to_ne_bytes().to_vec();
        bytes.extend([0; NETLINK_HEADER_LENGTH]);
        bytes.extend(extended.as_bytes());
        ErrorMessage::parse(&ErrorBuffer::new(&bytes)).unwrap()
    }

    #[test]
    fn an_extended_acknowledgement_is_read() {
        let error = error_message(-22, |extended| {
            extended.string(NLMSGERR_ATTR_MSG, "integer out of range");
            extended.u32(NLMSGERR_ATTR_OFFS, 44);
        });
        assert_eq!(error.code, NonZeroI32::new(-22));
        let refusal = ExtAckError::from_error(&error);
        assert!(refusal.is(nix::errno::Errno::EINVAL));
        assert_eq!(refusal.offset, Some(24));
        assert_eq!(refusal.to_string(), "integer out of range");
    }

    #[test]
    fn an_error_number_alone_has_words_too() {
        let refusal = ExtAckError::from_error(&error_message(-12, |_| {}));
        assert_eq!(refusal.to_string(), "out of memory");
        let refusal = ExtAckError::from_error(&ErrorMessage::default());
        assert_eq!(refusal.offset, None);
    }
}
