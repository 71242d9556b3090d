// SPDX-License-Identifier: GPL-2.0

//! Netfilter hooks, NAT, logging and rejecting packets.

mod context;
mod hook;
mod hook_type;
pub(crate) mod kernel_synproxy;
pub(crate) mod log;
pub(crate) mod nat;
pub(super) mod nat_rules;
pub(crate) mod reject;

pub(crate) use context::{
    Context,
    Family,
    InterfaceName, //
};
pub(crate) use hook::{
    Hook,
    HookRegistration,
    Verdict, //
};
pub(crate) use hook_type::{
    HookNumber,
    HookType,
    Priority, //
};
