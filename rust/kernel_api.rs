// SPDX-License-Identifier: GPL-2.0

//! Safe wrappers over the C interfaces that the `kernel` crate lacks.
//!
//! All unsafe code of Palisade lives here. Nothing here knows what Palisade is for: a wrapper takes
//! and gives types whose states the compiler checks, so that it could be proposed upstream.

#[cfg(not(palisade_host))]
mod bindings;
// What stands in for C there has the types of C.
#[cfg(palisade_host)]
pub(crate) mod bindings;

pub(crate) mod bh;
pub(crate) mod buckets;
pub(crate) mod conncount;
pub(crate) mod connection_end;
pub(crate) mod connections;
pub(crate) mod conntrack;
pub(crate) mod counters;
mod demands;
mod ethernet;
pub(crate) mod extended_ack;
mod fib4;
mod fib6;
pub(crate) mod genetlink;
pub(crate) mod hash;
pub(crate) mod kernel_synproxy;
mod lkmm;
pub(crate) mod lockdep;
pub(crate) mod log;
pub(crate) mod memory_cgroup;
pub(crate) mod message;
pub(crate) mod nat;
mod nat_rules;
pub(crate) mod nest;
pub(crate) mod netfilter;
pub(crate) mod netlink;
pub(crate) mod netns;
pub(crate) mod own_addresses;
pub(crate) mod proxy_template;
pub(crate) mod queue;
pub(crate) mod rcu;
pub(crate) mod records;
pub(crate) mod reject;
pub(crate) mod rewrite;
pub(crate) mod route;
mod send_back;
mod short_way;
pub(crate) mod skb;
pub(crate) mod sockets;
pub(crate) mod softirq_lock;
#[cfg(CONFIG_KUNIT = "y")]
pub(crate) mod testing;
pub(crate) mod textsearch;
pub(crate) mod time;
pub(crate) mod transmit;
pub(crate) mod way_back;
pub(crate) mod words;
pub(crate) mod work;
