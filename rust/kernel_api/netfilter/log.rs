// SPDX-License-Identifier: GPL-2.0

//! Logging packets.
//!
//! C header: [`include/net/netfilter/nf_log.h`](srctree/include/net/netfilter/nf_log.h)

use super::Context;
use crate::kernel_api::{
    bindings,
    net::skb::Skb, //
};
use kernel::prelude::*;

/// The module with the loggers for all IP versions.
const MODULE: &CStr = c"nf_log_syslog";

const PROTOCOLS: c_int = bindings::NFPROTO_INET as c_int;

/// The format of log entries.
pub(crate) struct Style(bindings::nf_loginfo);

impl Style {
    /// Logs at a syslog level, with the parts of a line that `flags` (NF_LOG_*) ask for.
    pub(crate) fn new(level: u8, flags: u8) -> Self {
        let mut info = bindings::nf_loginfo {
            type_: bindings::nf_log_type_NF_LOG_TYPE_LOG as u8,
            ..Default::default()
        };
        info.u.log.level = level;
        info.u.log.logflags = flags;
        Self(info)
    }
}

/// The logger for IPv4 and IPv6 packets. Its module stays loaded until this is dropped.
///
/// # Invariants
///
/// This holds a reference to the logger of each IP version.
///
/// # Examples
///
/// ```ignore
/// let logger = Logger::get()?;
/// let style = Style::new(4, 0); // LOGLEVEL_WARNING
/// logger.log(skb, context, &style, c"dropped: ");
/// ```
pub(crate) struct Logger(());

impl Logger {
    /// Finds the logger, and loads its module if necessary. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOENT` when the kernel has no such logger.
    pub(crate) fn get() -> Result<Self> {
        Self::find().or_else(|_| {
            // Whether that worked shows in the next attempt.
            // SAFETY: The name is a C string, and the caller may sleep.
            unsafe { bindings::palisade_request_module(MODULE.as_char_ptr()) };
            Self::find()
        })
    }

    fn find() -> Result<Self> {
        // SAFETY: `nf_logger_find_get` has no requirements but a protocol and a type in range.
        kernel::error::to_result(unsafe {
            bindings::nf_logger_find_get(PROTOCOLS, bindings::nf_log_type_NF_LOG_TYPE_LOG)
        })?;
        // INVARIANT: The function has taken a reference for each IP version.
        Ok(Self(()))
    }

    /// Logs a packet that is in a hook, after the prefix.
    pub(crate) fn log(&self, skb: &Skb, context: &Context<'_>, style: &Style, prefix: &CStr) {
        // SAFETY: By the type invariants of `Context` and `Skb`, the state and the packet are
        // valid. The prefix is a C string.
        unsafe {
            bindings::palisade_log_packet(
                context.as_raw(),
                skb.as_raw(),
                &style.0,
                prefix.as_char_ptr(),
            );
        };
    }
}

impl Drop for Logger {
    fn drop(&mut self) {
        // SAFETY: By the type invariant, this holds a reference, which is released here.
        unsafe { bindings::nf_logger_put(PROTOCOLS, bindings::nf_log_type_NF_LOG_TYPE_LOG) };
    }
}
