// SPDX-License-Identifier: GPL-2.0

//! The targets that `-j` names. A new one is a new file and a line in this list.

mod jump;
mod log;
mod mark;
mod masquerade;
mod nat;
mod notrack;
mod redirect;
mod reject;
mod synproxy;
mod synproxy_statistics;
mod tcpmss;
mod to_ports;
mod trace;
mod verdict;

use super::model::extension::ExtensionType;
pub(crate) use jump::jump;
pub(crate) use synproxy::Synproxy;
pub(crate) use synproxy_statistics::Statistics;

/// All targets with a name of their own.
pub(crate) static ALL: &[&ExtensionType] = &[
    &verdict::ACCEPT,
    &verdict::DROP,
    &verdict::RETURN,
    &mark::TYPE,
    &notrack::CT,
    &notrack::NOTRACK,
    &reject::TYPE,
    &log::TYPE,
    &redirect::TYPE,
    &nat::DNAT,
    &nat::SNAT,
    &masquerade::TYPE,
    &synproxy::TYPE,
    &tcpmss::TYPE,
    &trace::TYPE,
];

/// The types for `-j` and `-g` with the name of a chain.
pub(crate) static CHAINS: &[&ExtensionType] = &[&jump::JUMP, &jump::GOTO];
