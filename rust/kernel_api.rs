// SPDX-License-Identifier: GPL-2.0

//! Safe wrappers over the C interfaces that the `kernel` crate lacks.
//!
//! All unsafe code of Palisade lives here. Nothing here knows what Palisade is for: a wrapper takes
//! and gives types whose states the compiler checks, so that it could be proposed upstream.

#[cfg(not(palisade_host))]
mod bindings;
// The stand-ins for C have C's types.
#[cfg(palisade_host)]
pub(crate) mod bindings;

pub(crate) mod conntrack;
mod demands;
pub(crate) mod hash;
pub(crate) mod memory_cgroup;
pub(crate) mod net;
pub(crate) mod netfilter;
pub(crate) mod netlink;
pub(crate) mod sync;
#[cfg(CONFIG_KUNIT = "y")]
pub(crate) mod testing;
pub(crate) mod textsearch;
pub(crate) mod time;
pub(crate) mod work;
pub(crate) mod zeroed;
