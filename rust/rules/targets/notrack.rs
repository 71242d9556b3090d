// SPDX-License-Identifier: GPL-2.0

//! The target NOTRACK, also known as `CT --notrack`.

use crate::rules::prelude::*;

/// Has connection tracking skip the packet.
pub(crate) struct Notrack;

impl PacketTarget for Notrack {
    type Attributes = ();

    fn new<'a>((): (), context: &mut DecodeContext<'a, '_>) -> NetlinkResult<'a, Self> {
        let message = c"only the table raw sees packets before connection tracking does";
        match context.site.table {
            Table::Raw => Ok(Self),
            _ => Err(ExtAckError::new(EINVAL, message)),
        }
    }

    fn attributes(&self) -> &() {
        &()
    }

    #[inline]
    fn apply(&self, packet: &mut Packet<'_>) -> Decision {
        packet.skb_mut().set_untracked();
        Decision::Continue
    }
}
