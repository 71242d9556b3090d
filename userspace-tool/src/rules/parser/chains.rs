// SPDX-License-Identifier: GPL-2.0

//! Names of new chains.

use crate::rules::{
    model::chain::{check, is_built_in},
    targets,
};

/// Whether a new chain may get this name.
pub(crate) fn check_new(name: &str) -> Result<(), String> {
    check(name)?;
    let no_word = |character: char| character.is_whitespace() || character.is_control();
    if name.contains(no_word) {
        Err("the name of a chain has no spaces".to_owned())
    } else if is_built_in(name) {
        Err("this is the name of a built-in chain".to_owned())
    } else if targets::ALL.iter().any(|target| target.name == name) {
        Err("this is the name of a target".to_owned())
    } else {
        Ok(())
    }
}
