// SPDX-License-Identifier: GPL-2.0

//! Netfilter hooks, NAT, logging and rejecting packets.

mod hook;
pub(crate) mod kernel_synproxy;
pub(crate) mod log;
pub(crate) mod nat;
pub(super) mod nat_rules;
pub(crate) mod reject;

pub(crate) use hook::{
    Context,
    Family,
    Hook,
    HookNumber,
    HookRegistration,
    HookType,
    InterfaceName,
    Priority,
    Verdict, //
};
