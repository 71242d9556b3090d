// SPDX-License-Identifier: GPL-2.0

//! Speaking with the module over generic netlink.

mod connection;
mod message;
mod reader;
mod refusal;
#[path = "../../../rust/spec.rs"]
pub(crate) mod spec;
mod transport;
mod writer;

pub(crate) use connection::{Connection, TOO_LONG, explain};
#[cfg(test)]
pub(crate) use reader::attributes;
pub(crate) use reader::{Attribute, Nest};
pub(crate) use refusal::Refusal;
pub(crate) use writer::Writer;
