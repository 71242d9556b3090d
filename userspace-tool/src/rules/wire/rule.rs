// SPDX-License-Identifier: GPL-2.0

//! The nest of a rule.

use std::rc::Rc;

use crate::{
    error::Error,
    netlink::{
        Attribute, Writer,
        spec::{Family, attribute::rule as attribute},
    },
    rules::{
        matches,
        model::{
            address::{self, Network, full_mask},
            extension::{Extension, ExtensionType, Unknown},
            protocol,
            rule::{Counters, Negatable, Rule},
        },
        targets,
    },
};

/// The attributes of a source or destination address.
struct End {
    option: &'static str,
    address: u16,
    mask: u16,
    invert: u16,
}

const SOURCE: End = End {
    option: "-s",
    address: attribute::SOURCE,
    mask: attribute::SOURCE_MASK,
    invert: attribute::SOURCE_INVERT,
};

const DESTINATION: End = End {
    option: "-d",
    address: attribute::DESTINATION,
    mask: attribute::DESTINATION_MASK,
    invert: attribute::DESTINATION_INVERT,
};

/// Write what the nest of a rule holds.
pub(crate) fn encode_rule(rule: &Rule, nest: &mut Writer) {
    if let Some(family) = rule.family {
        nest.u32(attribute::FAMILY, family.number());
    }
    if let Some(protocol) = rule.protocol {
        let name = protocol::name(protocol.value);
        nest.labelled(format_args!("{}-p {name}", protocol.prefix()), |nest| {
            nest.u8(attribute::PROTOCOL, protocol.value);
            flag_if(nest, attribute::PROTOCOL_INVERT, protocol.inverted);
        });
    }
    encode_network(rule.source.as_ref(), &SOURCE, nest);
    encode_network(rule.destination.as_ref(), &DESTINATION, nest);
    for (option, interface, kind, invert) in [
        (
            "-i",
            &rule.in_interface,
            attribute::IN_INTERFACE,
            attribute::IN_INTERFACE_INVERT,
        ),
        (
            "-o",
            &rule.out_interface,
            attribute::OUT_INTERFACE,
            attribute::OUT_INTERFACE_INVERT,
        ),
    ] {
        let Some(interface) = interface else { continue };
        let prefix = interface.prefix();
        nest.labelled(
            format_args!("{prefix}{option} {}", interface.value),
            |nest| {
                nest.string(kind, &interface.value);
                flag_if(nest, invert, interface.inverted);
            },
        );
    }
    flag_if(nest, attribute::FRAGMENT, rule.fragment == Some(true));
    flag_if(
        nest,
        attribute::FRAGMENT_INVERT,
        rule.fragment == Some(false),
    );
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

fn encode_network(network: Option<&Negatable<Network>>, end: &End, nest: &mut Writer) {
    let Some(network) = network else {
        return;
    };
    let (prefix, option) = (network.prefix(), end.option);
    nest.labelled(format_args!("{prefix}{option} {}", network.value), |nest| {
        nest.address(end.address, network.value.address());
        if !network.value.is_host() {
            nest.address(end.mask, network.value.mask());
        }
        flag_if(nest, end.invert, network.inverted);
    });
}

/// What the attribute of a target stands for on the command line.
pub(crate) fn target_label(target: &dyn Extension) -> String {
    format!("{} {}", target.target_option(), target.name())
}

fn flag_if(nest: &mut Writer, kind: u16, condition: bool) {
    if condition {
        nest.flag(kind);
    }
}

/// Read the nest of a rule. What a newer module has added is passed over, except for matches and
/// targets: without them a rule would look as if it did something else.
pub(crate) fn decode_rule(nest: &Attribute<'_>) -> Result<Rule, Error> {
    let mut rule = Rule::default();
    let (mut protocol_inverted, mut in_inverted, mut out_inverted) = (false, false, false);
    for attribute in nest.nested() {
        let attribute = attribute?;
        match attribute.kind {
            attribute::FAMILY => rule.family = Some(attribute.one_of(Family::from_number)?),
            attribute::PROTOCOL => rule.protocol = Some(plain(attribute.u8()?)),
            attribute::PROTOCOL_INVERT => protocol_inverted = true,
            attribute::IN_INTERFACE => rule.in_interface = Some(plain(attribute.string()?)),
            attribute::IN_INTERFACE_INVERT => in_inverted = true,
            attribute::OUT_INTERFACE => rule.out_interface = Some(plain(attribute.string()?)),
            attribute::OUT_INTERFACE_INVERT => out_inverted = true,
            attribute::FRAGMENT => rule.fragment = Some(true),
            attribute::FRAGMENT_INVERT => rule.fragment = Some(false),
            attribute::MATCH => rule
                .matches
                .push(decode_extension(&attribute, matches::ALL.iter())?),
            attribute::TARGET => {
                let kinds = targets::ALL.iter().chain(targets::CHAINS);
                rule.target = Some(decode_extension(&attribute, kinds)?);
            }
            attribute::PACKETS => rule.counters.packets = attribute.u64()?,
            attribute::BYTES => rule.counters.bytes = attribute.u64()?,
            _ => {}
        }
    }
    rule.source = decode_network(nest, &SOURCE)?;
    rule.destination = decode_network(nest, &DESTINATION)?;
    if let Some(protocol) = &mut rule.protocol {
        protocol.inverted = protocol_inverted;
    }
    if let Some(interface) = &mut rule.in_interface {
        interface.inverted = in_inverted;
    }
    if let Some(interface) = &mut rule.out_interface {
        interface.inverted = out_inverted;
    }
    Ok(rule)
}

fn plain<T>(value: T) -> Negatable<T> {
    Negatable {
        inverted: false,
        value,
    }
}

fn decode_network(nest: &Attribute<'_>, end: &End) -> Result<Option<Negatable<Network>>, Error> {
    let (mut address, mut mask, mut inverted) = (None, None, false);
    for attribute in nest.nested() {
        let attribute = attribute?;
        match attribute.kind {
            kind if kind == end.address => address = Some(attribute.address()?),
            kind if kind == end.mask => mask = Some(attribute.address()?),
            kind if kind == end.invert => inverted = true,
            _ => {}
        }
    }
    let Some(address) = address else {
        return Ok(None);
    };
    let mask = mask.unwrap_or_else(|| full_mask(address::family(address)));
    let value = Network::new(address, mask)
        .ok_or_else(|| Error::Answer(format!("the mask {mask} does not fit {address}")))?;
    Ok(Some(Negatable { inverted, value }))
}

fn decode_extension<'a>(
    nest: &Attribute<'_>,
    kinds: impl Iterator<Item = &'a &'static ExtensionType> + Clone,
) -> Result<Rc<dyn Extension>, Error> {
    let mut unknown = Unknown { attribute: 0 };
    for attribute in nest.nested() {
        let attribute = attribute?;
        match kinds.clone().find(|kind| kind.attribute == attribute.kind) {
            Some(kind) => return (kind.decode)(&attribute),
            None => unknown.attribute = attribute.kind,
        }
    }
    Ok(Rc::new(unknown))
}
