// SPDX-License-Identifier: GPL-2.0

//! The target REDIRECT: redirects the connection to this machine.

use super::port_range::PortRange;
use crate::{
    kernel_api::netfilter::nat::{
        NatRange,
        Translation,
        TranslationKind, //
    },
    rules::prelude::*, //
};

/// For the table nat.
static WHERE_TRANSLATED: Restriction = Restriction {
    hooknums: &[HookNumber::PreRouting, HookNumber::LocalOut],
    message: c"REDIRECT is for packets of PREROUTING and OUTPUT",
};

/// For the table filter.
static WHERE_ARRIVED: Restriction = Restriction {
    hooknums: &[HookNumber::LocalIn],
    message: c"in the table filter REDIRECT is for packets of INPUT: elsewhere use the table nat",
};

nest! {
    /// The ports that connections are redirected to; `None` keeps theirs.
    #[derive(PartialEq, Eq)]
    pub(crate) struct RedirectAttributes: attribute::redirect {
        ports: Option<PortRange> = PORT_FIRST, group;
        random: bool = RANDOM, flag;
    }
}

/// Redirects connections to this machine.
pub(crate) struct Redirect {
    attributes: RedirectAttributes,
    /// `None` in the table filter: packets in INPUT have reached this machine already, and are
    /// accepted.
    translation: Option<Translation>,
}

impl PacketTarget for Redirect {
    type Attributes = RedirectAttributes;

    const NEEDS_CONNTRACK: bool = true;

    const TRANSLATES: bool = true;

    fn new<'a>(
        attributes: RedirectAttributes,
        context: &mut DecodeContext<'a, '_>,
    ) -> NetlinkResult<'a, Self> {
        use attribute::redirect::*;
        let refuse = |kind, message| Err(context.refuse(kind, message));
        let ports = PortRange::checked(attributes.ports.as_ref(), PORT_FIRST, context)?;
        let translation = match context.site.table {
            Table::Nat => {
                let range = NatRange {
                    ports,
                    is_random: attributes.random,
                    ..NatRange::default()
                };
                Some(Translation::new(TranslationKind::Redirect, range))
            }
            Table::Filter => {
                let message =
                    c"the table filter cannot change ports: use PREROUTING of the table nat";
                match (ports, attributes.random) {
                    (Some(_), _) => return refuse(PORT_FIRST, message),
                    (None, true) => return refuse(RANDOM, message),
                    (None, false) => None,
                }
            }
            Table::Raw | Table::Mangle => {
                return Err(ExtAckError::new(EINVAL, c"REDIRECT is for the table nat"));
            }
        };
        Ok(Self {
            attributes,
            translation,
        })
    }

    fn attributes(&self) -> &RedirectAttributes {
        &self.attributes
    }

    fn restriction(&self) -> Option<&'static Restriction> {
        Some(match self.translation {
            Some(_) => &WHERE_TRANSLATED,
            None => &WHERE_ARRIVED,
        })
    }

    #[inline]
    fn apply(&self, packet: &mut Packet<'_>) -> Decision {
        let context = *packet.context();
        Decision::Verdict(match &self.translation {
            Some(translation) => translation.apply(packet.hook_skb(), &context),
            None => Verdict::Accept,
        })
    }
}
