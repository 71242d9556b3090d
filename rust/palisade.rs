// SPDX-License-Identifier: GPL-2.0

//! Palisade: recent lists and SYNPROXY as a netfilter module.

#![deny(unsafe_code)]

mod attributes;
mod content;
mod control;
mod hooks;
#[allow(unsafe_code, reason = "this is the room that unsafe code has")]
mod kernel_api;
mod monitor;
mod namespace;
mod packet;
#[cfg(CONFIG_KUNIT = "y")]
mod packet_tests;
mod parameters;
mod policies;
mod rates;
mod recent;
mod release;
mod rules;
mod spec;
mod synproxy;
mod token_bucket;
#[cfg(CONFIG_KUNIT = "y")]
mod token_bucket_tests;

use kernel::prelude::*;

module! {
    type: Palisade,
    name: "palisade",
    authors: ["The Palisade developers"],
    description: "Packet filter with recent lists",
    license: "GPL",
    // What the kernel asks modprobe for when somebody looks for the netlink family (MODULE_ALIAS_GENL_FAMILY).
    alias: ["net-pf-16-proto-16-family-palisade"],
    params: {
        max_entries: i64 {
            default: 65536,
            description: "Most entries of a recent list, and the size of a list that is given none (1-16777216, default 65536)",
        },
        max_lists: i64 {
            default: 256,
            description: "Most recent lists in a network namespace (1-65536, default 256)",
        },
        max_rules: i64 {
            default: 65536,
            description: "Most rules in a network namespace (1-1048576, default 65536)",
        },
        max_chains: i64 {
            default: 4096,
            description: "Most user-defined chains in a network namespace (1-65536, default 4096)",
        },
        entry_timeout: i64 {
            default: 0,
            description: "Seconds after which an address that was not seen is forgotten, where its list does not say otherwise (default 0: the longest time that can be measured, 86 days at HZ=250)",
        },
        max_held: i64 {
            default: 4194304,
            description: "Most bytes of memory in a network namespace for what clients of SYNPROXY send before their server has answered (0-67108864, default 4194304)",
        },
    },
}

/// The loaded module. Fields are dropped in this order: the netlink family first, so that nobody
/// configures what is going away.
struct Palisade {
    _family: kernel_api::netlink::genetlink::Family,
    _namespaces: kernel_api::net::netns::Registration<namespace::Namespace>,
    _reclaimer: kernel_api::sync::rcu::Reclaimer,
    _masquerade: kernel_api::netfilter::nat::MasqueradeUse,
}

impl kernel::Module for Palisade {
    fn init(module: &'static ThisModule) -> Result<Self> {
        parameters::Parameters::set(
            module_parameters::max_entries.value(),
            module_parameters::max_lists.value(),
            module_parameters::max_rules.value(),
            module_parameters::max_chains.value(),
            module_parameters::entry_timeout.value(),
            module_parameters::max_held.value(),
        )?;
        let masquerade = kernel_api::netfilter::nat::MasqueradeUse::new()?;
        let reclaimer = kernel_api::sync::rcu::Reclaimer::start()?;
        let namespaces = kernel_api::net::netns::Registration::new()?;
        let family = control::register(module)?;
        Ok(Self {
            _family: family,
            _namespaces: namespaces,
            _reclaimer: reclaimer,
            _masquerade: masquerade,
        })
    }
}
