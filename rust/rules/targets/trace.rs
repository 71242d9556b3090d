// SPDX-License-Identifier: GPL-2.0

//! The target TRACE: what rules the packet meets is told.

use crate::{
    kernel_api::net::skb::Skb,
    rules::prelude::*, //
};

/// Has the packet traced from the rule on.
pub(crate) struct Trace;

impl PacketTarget for Trace {
    type Attributes = ();

    fn new<'a>((): (), context: &mut DecodeContext<'a, '_>) -> NetlinkResult<'a, Self> {
        if !Skb::can_be_traced() {
            let message = c"this kernel traces no packets";
            return Err(ExtAckError::new(EOPNOTSUPP, message));
        }
        let message = c"packets are traced from the table raw on, which sees them first";
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
        packet.skb_mut().set_traced();
        Decision::Continue
    }
}
