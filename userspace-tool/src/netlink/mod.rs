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
pub(crate) use reader::{Attribute, Nest, attributes};
pub(crate) use refusal::Refusal;
pub(crate) use writer::Writer;
