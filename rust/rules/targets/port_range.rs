// SPDX-License-Identifier: GPL-2.0

//! Ranges of ports that connections are translated to.

use crate::{
    packet::has_ports,
    rules::prelude::*, //
};

/// A range of ports, both ends included.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct PortRange {
    first: u16,
    last: u16,
}

impl PortRange {
    /// The first and the last port of a range, whose attribute is of type `kind`.
    ///
    /// # Errors
    ///
    /// `EINVAL` if the rule is not for a protocol that has ports.
    pub(super) fn checked<'a>(
        range: Option<&Self>,
        kind: u16,
        context: &DecodeContext<'a, '_>,
    ) -> NetlinkResult<'a, Option<(u16, u16)>> {
        if range.is_some() && !context.protocol.is_some_and(has_ports) {
            let message = c"the rule has to be for a protocol that has ports";
            return Err(context.refuse(kind, message));
        }
        Ok(range.map(|range| (range.first, range.last)))
    }
}

/// The attributes of the first and of the last port. Without the latter it is the first.
impl OptionalGroup for PortRange {
    fn read(nest: Attributes<'_>, kind: u16) -> NetlinkResult<'_, Option<Self>> {
        let [first_kind, last_kind] = nest::kinds(kind);
        let first: Option<u16> = nest::optional(nest, first_kind)?;
        let last = nest::optional(nest, last_kind)?.or(first);
        match (first, last) {
            (None, None) => Ok(None),
            (Some(first), Some(last)) if first <= last => Ok(Some(Self { first, last })),
            _ => Err(nest.refuse(last_kind, c"a range of ports has a first and a last port")),
        }
    }

    fn write(&self, kind: u16, message: &mut Message<'_>) -> Result {
        let [first, last] = nest::kinds(kind);
        message.put_u16(first, self.first)?;
        message.put_u16(last, self.last)
    }
}
