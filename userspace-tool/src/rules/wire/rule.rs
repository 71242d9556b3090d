// SPDX-License-Identifier: GPL-2.0

//! The nest of a rule.

use std::rc::Rc;

use crate::{
    error::Error,
    fields::{Field, Label, read},
    netlink::{Attribute, Nest, Writer, spec::attribute::rule as attribute},
    rules::{
        matches,
        model::{
            extension::{Extension, ExtensionType, Unknown},
            protocol,
            rule::{Counters, Rule},
        },
        targets,
    },
};

/// The attributes of addresses and interfaces.
const SOURCE: ((u16, u16), u16) = (
    (attribute::SOURCE, attribute::SOURCE_MASK),
    attribute::SOURCE_INVERT,
);
const DESTINATION: ((u16, u16), u16) = (
    (attribute::DESTINATION, attribute::DESTINATION_MASK),
    attribute::DESTINATION_INVERT,
);
const IN_INTERFACE: (u16, u16) = (attribute::IN_INTERFACE, attribute::IN_INTERFACE_INVERT);
const OUT_INTERFACE: (u16, u16) = (attribute::OUT_INTERFACE, attribute::OUT_INTERFACE_INVERT);
const PROTOCOL: (u16, u16) = (attribute::PROTOCOL, attribute::PROTOCOL_INVERT);

/// Write the attributes of a rule.
pub(crate) fn encode_rule(rule: &Rule, nest: &mut Writer) {
    rule.family.write(attribute::FAMILY, nest);
    if let Some(protocol) = rule.protocol {
        let name = protocol::name(protocol.value);
        nest.labelled(format_args!("{}-p {name}", protocol.prefix()), |nest| {
            protocol.write(PROTOCOL, nest);
        });
    }
    write(&rule.source, "-s", SOURCE, nest);
    write(&rule.destination, "-d", DESTINATION, nest);
    write(&rule.in_interface, "-i", IN_INTERFACE, nest);
    write(&rule.out_interface, "-o", OUT_INTERFACE, nest);
    nest.flag_if(attribute::FRAGMENT, rule.fragment == Some(true));
    nest.flag_if(attribute::FRAGMENT_INVERT, rule.fragment == Some(false));
    for extension in &rule.matches {
        nest.labelled(format_args!("-m {}", extension.name()), |nest| {
            nest.nested(attribute::MATCH, |nest| extension.encode(nest));
        });
    }
    if let Some(target) = &rule.target {
        nest.labelled(target_label(target.as_ref()), |nest| {
            nest.nested(attribute::TARGET, |nest| target.encode(nest));
        });
    }
    let Counters { packets, bytes } = rule.counters;
    if rule.counters != Counters::default() {
        nest.labelled(format_args!("-c {packets} {bytes}"), |nest| {
            nest.u64(attribute::PACKETS, packets);
            nest.u64(attribute::BYTES, bytes);
        });
    }
}

/// Write the part of a rule that belongs to an option.
fn write<F: Field>(field: &F, option: &'static str, kinds: F::Kinds, nest: &mut Writer) {
    let prefix = if field.is_inverted() { "! " } else { "" };
    let label = Label(field, option);
    nest.labelled(format_args!("{prefix}{label}"), |nest| {
        field.write(kinds, nest)
    });
}

/// The label of the attribute of a target.
pub(crate) fn target_label(target: &dyn Extension) -> String {
    format!("{} {}", target.target_option(), target.name())
}

/// Read the nest of a rule. Unknown attributes of a newer module are ignored, but not unknown matches and targets:
/// the rule would look as if it did something else.
pub(crate) fn decode_rule(rule: &Attribute<'_>) -> Result<Rule, Error> {
    let nest = rule.nest()?;
    let matches = nest.all(attribute::MATCH);
    let matches = matches.map(|one| decode_extension(one, matches::ALL.iter()));
    let targets = targets::ALL.iter().chain(targets::CHAINS);
    let target = nest.get(attribute::TARGET);
    let fragment = nest.has(attribute::FRAGMENT).then_some(true);
    let no_fragment = nest.has(attribute::FRAGMENT_INVERT).then_some(false);
    Ok(Rule {
        family: read(&nest, attribute::FAMILY)?,
        protocol: read(&nest, PROTOCOL)?,
        source: read(&nest, SOURCE)?,
        destination: read(&nest, DESTINATION)?,
        in_interface: read(&nest, IN_INTERFACE)?,
        out_interface: read(&nest, OUT_INTERFACE)?,
        fragment: fragment.or(no_fragment),
        matches: matches.collect::<Result<_, _>>()?,
        target: target
            .map(|target| decode_extension(target, targets))
            .transpose()?,
        counters: read_counters(&nest, attribute::PACKETS, attribute::BYTES)?,
    })
}

fn decode_extension<'a>(
    nest: &Attribute<'_>,
    kinds: impl Iterator<Item = &'a &'static ExtensionType> + Clone,
) -> Result<Rc<dyn Extension>, Error> {
    let mut unknown = Unknown { attribute: 0 };
    let nest = nest.nest()?;
    for attribute in nest.iter() {
        match kinds.clone().find(|kind| kind.attribute == attribute.kind) {
            Some(kind) => return (kind.decode)(attribute, &nest),
            None => unknown.attribute = attribute.kind,
        }
    }
    Ok(Rc::new(unknown))
}

/// Read counters, which are zero where they are absent.
pub(super) fn read_counters(nest: &Nest<'_>, packets: u16, bytes: u16) -> Result<Counters, Error> {
    Ok(Counters {
        packets: read(nest, packets)?.unwrap_or(0),
        bytes: read(nest, bytes)?.unwrap_or(0),
    })
}
