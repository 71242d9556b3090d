// SPDX-License-Identifier: GPL-2.0

//! Rules and chains, and what they are made of.

pub(crate) mod address;
pub(crate) mod chain;
pub(crate) mod change;
pub(crate) mod command;
pub(crate) mod extension;
pub(crate) mod family;
pub(crate) mod mark;
pub(crate) mod names;
pub(crate) mod options;
pub(crate) mod policy;
pub(crate) mod protocol;
pub(crate) mod range;
pub(crate) mod rule;
