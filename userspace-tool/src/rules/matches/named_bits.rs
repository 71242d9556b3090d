// SPDX-License-Identifier: GPL-2.0

//! Sets of bits that are written as a list of their names.

use crate::error::suggestion;

/// A name and its bit, in the order in which iptables prints them.
pub(super) type NamedBit = (&'static str, u32);

/// Read a list of names. As in iptables, case does not matter, and the start of a name will do: the first that has it.
pub(super) fn parse(text: &str, what: &str, known: &[NamedBit]) -> Result<u32, String> {
    let mut bits = 0;
    for word in text.split(',') {
        let is_meant = |name: &str| {
            let start = name.get(..word.len()).filter(|_| !word.is_empty());
            start.is_some_and(|start| start.eq_ignore_ascii_case(word))
        };
        let one = known.iter().find(|(name, _)| is_meant(name));
        let (_, bit) = one.ok_or_else(|| {
            let known: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
            let suggestion = suggestion(&word.to_uppercase(), &known);
            format!("there is no {what} \"{word}\": {suggestion}")
        })?;
        bits |= bit;
    }
    Ok(bits)
}

/// The names of bits.
pub(super) fn names(bits: u32, known: &[NamedBit]) -> Vec<&'static str> {
    let wanted = known.iter().filter(|(_, bit)| bits & bit != 0);
    wanted.map(|(name, _)| *name).collect()
}
