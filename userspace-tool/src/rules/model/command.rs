// SPDX-License-Identifier: GPL-2.0

//! What a command line asks for.

use super::rule::{Counters, Family, Rule};
use crate::netlink::spec::{Table, Verdict};

/// A command with what it applies to.
#[derive(Debug)]
pub(crate) struct Invocation {
    pub(crate) table: Table,
    pub(crate) command: Command,
    /// The family that was given with `-4` or `-6`.
    pub(crate) family: Option<Family>,
    pub(crate) display: Display,
}

#[derive(Debug)]
pub(crate) enum Command {
    Append {
        chain: String,
        rules: Vec<Rule>,
    },
    /// Without a position at the start of the chain.
    Insert {
        chain: String,
        position: u32,
        rules: Vec<Rule>,
    },
    Replace {
        chain: String,
        position: u32,
        rule: Rule,
    },
    Delete {
        chain: String,
        rules: Vec<Rule>,
    },
    DeletePosition {
        chain: String,
        position: u32,
    },
    /// Whether there are such rules.
    Check {
        chain: String,
        rules: Vec<Rule>,
    },
    Flush {
        chain: Option<String>,
    },
    NewChain {
        chain: String,
    },
    /// Without a name all chains that are not built in.
    DeleteChain {
        chain: Option<String>,
    },
    RenameChain {
        chain: String,
        new_name: String,
    },
    Policy {
        chain: String,
        policy: Verdict,
        counters: Option<Counters>,
    },
    Zero {
        chain: Option<String>,
        position: Option<u32>,
    },
    Show {
        form: Form,
        chain: Option<String>,
        position: Option<u32>,
        /// Reset the counters after they were read.
        zero: bool,
    },
    /// Text that needs no module.
    Print(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// -L: tables to look at.
    Table,
    /// -S: rules to feed back.
    Rules,
}

/// How to show rules.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Display {
    pub(crate) verbose: bool,
    pub(crate) exact: bool,
    pub(crate) line_numbers: bool,
    pub(crate) json: bool,
    /// Only rules for this family.
    pub(crate) family: Option<Family>,
}
