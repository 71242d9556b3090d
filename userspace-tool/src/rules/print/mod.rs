// SPDX-License-Identifier: GPL-2.0

//! Rules as text and as JSON.

mod json;
mod save;
mod table;

pub(crate) use json::json;
pub(crate) use save::{save_chain, save_file, save_rule, specification};
pub(crate) use table::{address as shown_address, interface as shown_interface, table};
