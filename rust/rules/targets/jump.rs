// SPDX-License-Identifier: GPL-2.0

//! Going on in another chain.

use super::Action;
use crate::{
    kernel_api::{
        extended_ack::{
            ExtAckError,
            NetlinkResult, //
        },
        message::Message,
        netlink::Attribute, //
    },
    rules::{
        chains::{
            ChainId,
            ChainNames, //
        },
        resources::Surroundings, //
    },
    spec::attribute::target as attributes, //
};
use kernel::prelude::*;

/// Going on in another chain. It is known by its number, so that it can be renamed.
#[derive(PartialEq, Eq)]
pub(in crate::rules) struct Jump {
    destination: ChainId,
    /// Whether it goes on behind the rule when that chain ends.
    returns: bool,
}

impl Jump {
    #[inline]
    pub(super) fn action(&self) -> Action {
        if self.returns {
            Action::Jump(self.destination)
        } else {
            Action::Goto(self.destination)
        }
    }

    pub(super) fn destination(&self) -> ChainId {
        self.destination
    }

    pub(super) fn decode<'a>(
        attribute: Attribute<'a>,
        surroundings: &Surroundings<'_>,
    ) -> NetlinkResult<'a, Self> {
        let site = &surroundings.site;
        let table = site.table().ok_or(EINVAL)?;
        let destination = site
            .draft
            .find(table, attribute.string())
            .ok_or(ExtAckError::new(
                ENOENT,
                c"there is no such chain to jump to",
            ))?;
        if destination.base().is_some() {
            let message = c"a rule cannot jump to a built-in chain";
            return Err(ExtAckError::new(EINVAL, message));
        }
        Ok(Self {
            destination,
            returns: attribute.kind() == attributes::JUMP,
        })
    }

    pub(super) fn encode(&self, names: &dyn ChainNames, message: &mut Message) -> Result {
        let name = names.name_of(self.destination).ok_or(EINVAL)?;
        let kind = if self.returns {
            attributes::JUMP
        } else {
            attributes::GOTO
        };
        message.put_string(kind, name.as_bytes())
    }
}
