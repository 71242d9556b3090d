// SPDX-License-Identifier: GPL-2.0

//! Network namespaces, packets, routes and sockets.

pub(crate) mod address_type;
mod ethernet;
mod fib4;
mod fib6;
pub(crate) mod listeners;
pub(crate) mod netns;
pub(crate) mod own_addresses;
pub(crate) mod rewrite;
pub(crate) mod route;
pub(super) mod send_back;
mod short_way;
pub(crate) mod skb;
pub(crate) mod sockets;
pub(crate) mod transmit;
pub(crate) mod way_back;
