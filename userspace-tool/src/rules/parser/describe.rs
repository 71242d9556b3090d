// SPDX-License-Identifier: GPL-2.0

//! The options that describe a rule and need no match or target.

use super::{
    CommandLine,
    base::set_once,
    foreign::{self, KEEP},
    options::Base,
    specification::Addresses,
};
use crate::{
    error::{Error, suggestion},
    fields::Negatable,
    netlink::spec::INTERFACE_NAME_LENGTH_MAX,
    rules::{
        matches,
        model::{
            extension::{ExtensionType, Loaded},
            protocol,
            rule::Counters,
        },
        targets,
    },
    text::quote,
};

impl CommandLine<'_> {
    pub(super) fn describe(
        &mut self,
        base: Base,
        spelled: &str,
        given: Negatable<String>,
    ) -> Result<(), Error> {
        let prefix = given.prefix();
        let Negatable { inverted, value } = given;
        let error =
            |reason: String| Error::usage(format!("{prefix}{spelled} {}: {reason}", quote(&value)));
        let specification = &mut self.specification;
        match base {
            Base::Protocol => {
                let number = protocol::parse(&value, self.names).map_err(error)?;
                if number == 0 && inverted {
                    return Err(error("no packet matches this".to_owned()));
                }
                let protocol = Negatable {
                    inverted,
                    value: number,
                };
                set_once(&mut specification.protocol, protocol, spelled)
            }
            Base::Source | Base::Destination => {
                let slot = match base {
                    Base::Source => &mut specification.source,
                    _ => &mut specification.destination,
                };
                let addresses = Addresses {
                    option: spelled.to_owned(),
                    list: Negatable { inverted, value },
                };
                set_once(slot, addresses, spelled)
            }
            Base::InInterface | Base::OutInterface => {
                check_interface(&value).map_err(error)?;
                let slot = match base {
                    Base::InInterface => &mut specification.in_interface,
                    _ => &mut specification.out_interface,
                };
                set_once(slot, Negatable { inverted, value }, spelled)
            }
            Base::Match => {
                if foreign::is_match(&value) {
                    return Err(error(format!("Palisade has no match {value}: {KEEP}")));
                }
                let kind = find(matches::ALL, &value).map_err(error)?;
                specification.matches.push(Loaded::new(kind));
                Ok(())
            }
            Base::Jump | Base::Goto => {
                let known = targets::ALL.iter().find(|kind| kind.name == value);
                let target = match known.filter(|_| base == Base::Jump) {
                    Some(kind) => Loaded::new(kind),
                    None => targets::jump(value.clone(), base == Base::Goto).map_err(error)?,
                };
                if let Some(earlier) = &specification.target {
                    let earlier = earlier.instance.target_option();
                    if earlier != target.instance.target_option() {
                        return Err(Error::usage("-j and -g: a rule has one target"));
                    }
                }
                set_once(&mut specification.target, target, spelled)
            }
            _ => {
                let bytes = self.arguments.operand();
                let counters = Counters::parse(&value, bytes.as_deref().unwrap_or_default());
                let counters = counters.ok_or_else(|| {
                    error("counters are two numbers, packets and bytes".to_owned())
                })?;
                set_once(&mut specification.counters, counters, spelled)
            }
        }
    }
}

fn find(kinds: &[&'static ExtensionType], name: &str) -> Result<&'static ExtensionType, String> {
    kinds
        .iter()
        .find(|kind| kind.name == name)
        .copied()
        .ok_or_else(|| {
            let known: Vec<&str> = kinds.iter().map(|kind| kind.name).collect();
            format!("there is none of this name: {}", suggestion(name, &known))
        })
}

fn check_interface(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("the name of an interface is empty".to_owned());
    }
    if name.len() > INTERFACE_NAME_LENGTH_MAX as usize {
        return Err(format!(
            "the name of an interface has at most {INTERFACE_NAME_LENGTH_MAX} bytes"
        ));
    }
    let excluded =
        |character: char| character == '/' || character.is_whitespace() || character.is_control();
    if name.contains(excluded) {
        return Err("the name of an interface has no space or slash".to_owned());
    }
    Ok(())
}
