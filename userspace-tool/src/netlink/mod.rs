// SPDX-License-Identifier: GPL-2.0

//! Generic netlink to the module.

mod compatibility;
mod connection;
mod ext_ack;
mod listener;
mod message;
mod module;
mod reader;
#[path = "../../../rust/spec.rs"]
pub(crate) mod spec;
mod transport;
mod writer;

pub(crate) use compatibility::{RELEASE, loaded_release};
pub(crate) use connection::{Connection, TOO_LONG, explain};
pub(crate) use ext_ack::ExtAckError;
pub(crate) use listener::{Listener, Received};
pub(crate) use module::is_loaded;
#[cfg(test)]
pub(crate) use reader::attributes;
pub(crate) use reader::{Attribute, Nest};
pub(crate) use writer::Writer;
