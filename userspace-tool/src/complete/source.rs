// SPDX-License-Identifier: GPL-2.0

//! The names that this machine has.

use super::Source;
use crate::{
    lists,
    netlink::{is_loaded, spec::Table},
    rules,
};

/// The module, where it is loaded and may be asked, and the kernel. Completing a line must not load it.
pub(super) struct Kernel;

impl Source for Kernel {
    fn chains(&self, table: Table) -> Vec<String> {
        let chains = is_loaded().then(|| rules::user_defined_chains(table));
        chains.and_then(Result::ok).unwrap_or_default()
    }

    fn lists(&self) -> Vec<String> {
        let lists = is_loaded().then(lists::names);
        lists.and_then(Result::ok).unwrap_or_default()
    }

    fn interfaces(&self) -> Vec<String> {
        let entries = std::fs::read_dir("/sys/class/net").into_iter().flatten();
        let mut names: Vec<String> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .collect();
        names.sort();
        names
    }
}
