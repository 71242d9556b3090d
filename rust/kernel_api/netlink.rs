// SPDX-License-Identifier: GPL-2.0

//! Generic netlink: families, requests, and the attributes of messages.

mod attributes;
pub(crate) mod extended_ack;
pub(crate) mod genetlink;
pub(crate) mod message;
pub(crate) mod multicast;
pub(crate) mod nest;

pub(crate) use attributes::{
    Attribute,
    Attributes,
    Policy,
    Range, //
};
