// SPDX-License-Identifier: GPL-2.0

//! The target REDIRECT: redirects the connection to this machine.

use crate::{
    kernel_api::netfilter::nat::Redirection,
    packet::has_ports,
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
        first: Option<u16> = PORT_FIRST, optional;
        /// `None` in a request stands for the first.
        last: Option<u16> = PORT_LAST, optional;
        random: bool = RANDOM, flag;
    }
}

/// Redirects connections to this machine.
pub(crate) struct Redirect {
    attributes: RedirectAttributes,
    /// `None` in the table filter: packets in INPUT have reached this machine already, and are
    /// accepted.
    redirection: Option<Redirection>,
}

impl PacketTarget for Redirect {
    type Attributes = RedirectAttributes;

    const NEEDS_CONNTRACK: bool = true;

    fn new<'a>(
        mut attributes: RedirectAttributes,
        context: &mut DecodeContext<'a, '_>,
    ) -> NetlinkResult<'a, Self> {
        use attribute::redirect::*;
        let refuse = |kind, message| Err(context.refuse(kind, message));
        attributes.last = attributes.last.or(attributes.first);
        if attributes.first.is_none() != attributes.last.is_none()
            || attributes.first > attributes.last
        {
            return refuse(PORT_LAST, c"a range of ports has a first and a last port");
        }
        if attributes.first.is_some() && !context.protocol.is_some_and(has_ports) {
            let message = c"the rule has to be for a protocol that has ports";
            return refuse(PORT_FIRST, message);
        }
        let ports = (attributes.first).zip(attributes.last);
        let redirection = match context.site.table {
            Table::Nat => Some(Redirection::new(ports, attributes.random)),
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
            redirection,
        })
    }

    fn attributes(&self) -> &RedirectAttributes {
        &self.attributes
    }

    fn restriction(&self) -> Option<&'static Restriction> {
        Some(match self.redirection {
            Some(_) => &WHERE_TRANSLATED,
            None => &WHERE_ARRIVED,
        })
    }

    #[inline]
    fn apply(&self, packet: &mut Packet<'_>) -> Decision {
        let context = *packet.context();
        Decision::Verdict(match &self.redirection {
            Some(redirection) => redirection.apply(packet.hook_skb(), &context),
            None => Verdict::Accept,
        })
    }
}
