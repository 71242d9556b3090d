// SPDX-License-Identifier: GPL-2.0

//! Changes of the rules as netlink attributes.

use super::rule::encode_rule;
use crate::{
    netlink::{
        Writer,
        spec::{
            Table,
            attribute::{change as attribute, ruleset},
        },
    },
    rules::model::{change::Change, extension::Extension, rule::Counters},
};

/// The label of an attribute that names a chain.
pub(crate) fn chain_label(chain: &str) -> String {
    format!("chain {chain}")
}

/// Write the nest of a change, behind what belongs to its rule.
pub(crate) fn encode_change(change: &Change<'_>, table: Table, request: &mut Writer) {
    for extension in change.rule.iter().flat_map(|rule| &rule.matches) {
        extension.write_before(request);
    }
    request.nested(ruleset::CHANGE, |nest| {
        nest.u32(attribute::KIND, change.kind.number());
        nest.labelled(format_args!("-t {table}"), |nest| {
            nest.u32(attribute::TABLE, table.number());
        });
        if let Some(chain) = change.chain {
            nest.labelled(chain_label(chain), |nest| {
                nest.string(attribute::CHAIN_NAME, chain);
            });
        }
        if let Some(position) = change.position {
            nest.labelled(format_args!("position {position}"), |nest| {
                nest.u32(attribute::POSITION, position);
            });
        }
        if let Some(rule) = change.rule {
            nest.nested(attribute::RULE, |nest| encode_rule(rule, nest));
        }
        if let Some(policy) = change.policy {
            nest.labelled(format_args!("policy {}", policy.name()), |nest| {
                nest.u32(attribute::POLICY, policy.number());
            });
        }
        if let Some(Counters { packets, bytes }) = change.counters {
            nest.u64(attribute::PACKETS, packets);
            nest.u64(attribute::BYTES, bytes);
        }
        if let Some(family) = change.family {
            nest.labelled(family.option(), |nest| {
                nest.u32(attribute::FAMILY, family.number());
            });
        }
        if let Some(name) = change.new_name {
            nest.labelled(chain_label(name), |nest| {
                nest.string(attribute::NEW_NAME, name);
            });
        }
    });
}
