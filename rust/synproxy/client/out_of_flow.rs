// SPDX-License-Identifier: GPL-2.0

//! Segments out of flow: connection tracking knows no connection for them.

use super::incoming::Incoming;
use crate::{
    kernel_api::net::sockets,
    synproxy::{
        connection::{
            established::EstablishedMark,
            lost::{
                fits,
                reset_both,
                RESETS, //
            },
        },
        prelude::*, //
    },
};

impl Incoming<'_, '_> {
    /// A segment out of flow. This machine may have a connection for it that is older than the
    /// rule, and than connection tracking; otherwise the segment is dropped.
    pub(crate) fn out_of_flow(
        &mut self,
        mark: Option<EstablishedMark<'_>>,
        event: Event,
    ) -> Option<Verdict> {
        match sockets::find(self.packet.context(), self.packet.skb(), &self.endpoints) {
            Some(socket) if fits(&socket, &self.segment) => return self.belongs_to_socket(),
            Some(_) => {
                reset_both(self.synproxy, self.packet, &self.segment, &self.endpoints);
            }
            None if mark.is_some_and(|mark| mark.may_have_been_replaced())
                && self.may_be_answered() =>
            {
                self.count(event);
                return self.reset_sender();
            }
            None => {}
        }
        self.count(event);
        Some(Verdict::Drop)
    }

    /// Whether to answer a segment that may belong to one of SYNPROXY's connections whose mark was
    /// replaced, so that nothing is known of it any more. The answer is that of a closed port; the
    /// server is told when it sends next.
    #[cold]
    fn may_be_answered(&self) -> bool {
        matches!(self.segment.kind(), Kind::Ack | Kind::Fin)
            && self.synproxy.resets.take(&RESETS)
            && self.has_right_checksum()
    }
}
