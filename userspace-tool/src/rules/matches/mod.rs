// SPDX-License-Identifier: GPL-2.0

//! The matches that `-m` loads. A new one is a new file and a line in this list.

mod port_range;
mod ports;
mod recent;
mod tcp;
mod tcp_flags;
mod udp;

use super::extension::ExtensionType;
pub(crate) use recent::parse_list_name as list_name;

pub(crate) static ALL: &[&ExtensionType] = &[&tcp::TYPE, &udp::TYPE, &recent::TYPE];
