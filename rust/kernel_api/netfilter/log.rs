// SPDX-License-Identifier: GPL-2.0

//! Writing packets to the kernel's log.
//!
//! C header: [`include/net/netfilter/nf_log.h`](srctree/include/net/netfilter/nf_log.h)

use super::Context;
use crate::kernel_api::{
    bindings,
    net::skb::Skb, //
};
use kernel::prelude::*;

/// The module that logs packets of all kinds.
const MODULE: &CStr = c"nf_log_syslog";

const PROTOCOLS: c_int = bindings::NFPROTO_INET as c_int;

/// How a packet is logged.
pub(crate) struct Style(bindings::nf_loginfo);

impl Style {
    /// At a syslog level, with what flags (NF_LOG_*) add to the line.
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

/// What logs IPv4 and IPv6 packets; it stays loaded until this is dropped.
///
/// # Invariants
///
/// A reference is held to it.
pub(crate) struct Logger(());

impl Logger {
    /// Finds it, and loads it if need be. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOENT` when the kernel has none.
    pub(crate) fn get() -> Result<Self> {
        Self::find().or_else(|_| {
            // Whether that worked is seen next.
            // SAFETY: The name is a C string.
            unsafe { bindings::palisade_request_module(MODULE.as_char_ptr()) };
            Self::find()
        })
    }

    fn find() -> Result<Self> {
        // SAFETY: There are no requirements.
        kernel::error::to_result(unsafe {
            bindings::nf_logger_find_get(PROTOCOLS, bindings::nf_log_type_NF_LOG_TYPE_LOG)
        })?;
        // INVARIANT: The function has taken a reference.
        Ok(Self(()))
    }

    /// Writes a packet that is in a hook to the log, the prefix before it.
    pub(crate) fn log(&self, skb: &Skb, context: &Context<'_>, style: &Style, prefix: &CStr) {
        // SAFETY: The state and the packet are valid while the hook runs, and the prefix is a C string.
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
        // SAFETY: By the type invariant there is a reference, and it is given back here.
        unsafe { bindings::nf_logger_put(PROTOCOLS, bindings::nf_log_type_NF_LOG_TYPE_LOG) };
    }
}
