// SPDX-License-Identifier: GPL-2.0

//! The targets that continue in another chain.

use crate::{
    rules::prelude::*,
    spec::attribute::target as attributes, //
};

/// Continues in another chain, known by its number so that it can be renamed.
#[derive(PartialEq, Eq)]
pub(crate) struct Jump {
    destination: ChainId,
    /// Whether the packet continues after the rule when that chain ends.
    returns: bool,
}

impl Jump {
    #[inline]
    pub(super) fn decision(&self) -> Decision {
        if self.returns {
            Decision::Jump(self.destination)
        } else {
            Decision::Goto(self.destination)
        }
    }

    pub(super) fn destination(&self) -> ChainId {
        self.destination
    }

    pub(super) fn decode<'a>(
        attribute: Attribute<'a>,
        context: &DecodeContext<'_, '_>,
    ) -> NetlinkResult<'a, Self> {
        let site = &context.site;
        let destination = (site.chains.find(site.table, attribute.string())).ok_or(
            ExtAckError::new(ENOENT, c"there is no such chain to jump to"),
        )?;
        if destination.base().is_some() {
            let message = c"a rule cannot jump to a built-in chain";
            return Err(ExtAckError::new(EINVAL, message));
        }
        Ok(Self {
            destination,
            returns: attribute.kind() == attributes::JUMP,
        })
    }

    pub(super) fn encode(&self, names: &dyn ChainNames, message: &mut Message<'_>) -> Result {
        let name = names.name_of(self.destination).ok_or(EINVAL)?;
        let kind = if self.returns {
            attributes::JUMP
        } else {
            attributes::GOTO
        };
        message.put_string(kind, name.as_bytes())
    }
}
