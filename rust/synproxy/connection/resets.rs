// SPDX-License-Identifier: GPL-2.0

//! Resets in the name of one side.

use super::proxy_state::next_before_answer;
use crate::{
    kernel_api::{
        conntrack::connection_end::EndedConnection,
        net::{
            route::RoutingDomain,
            transmit::Sender, //
        },
    },
    synproxy::prelude::*, //
};

/// A reset between these endpoints. The receiver accepts it if it expects this sequence number.
pub(crate) fn reset(
    endpoints: &Endpoints,
    sequence: u32,
    acknowledgement: u32,
    time_to_live: u8,
) -> Result<NewPacket> {
    let fields = Fields {
        sequence,
        acknowledgement,
        flags: flags::RST | flags::ACK,
        window: 0,
    };
    compose::packet(endpoints, time_to_live, &fields, &Options::default(), &[])
}

/// Sends a reset, as for [`reset`], from a hook. Connection tracking has no connection for it, or
/// would take it for part of another. If there is no memory, it is lost.
pub(crate) fn send_untracked(
    context: &Context<'_>,
    endpoints: &Endpoints,
    sequence: u32,
    acknowledgement: u32,
) {
    let time_to_live = context.initial_time_to_live(endpoints.family);
    if let Ok(mut reset) = reset(endpoints, sequence, acknowledgement, time_to_live) {
        reset.set_untracked();
        reset.send(context);
    }
}

/// Resets both sides of a connection that connection tracking has forgotten, each with the sequence
/// number that it expects, as far as its segments came through here.
pub(crate) fn reset_both(connection: &EndedConnection, sender: &Sender) {
    let [client, server] = &connection.endpoints;
    let [client_next, server_next] = connection.next;
    let time_to_live = sender.initial_time_to_live(client.family);
    let shifted =
        next_before_answer(connection.words).unwrap_or(server_next.wrapping_add(connection.shift));
    let to_client = reset(&client.reversed(), shifted, client_next, time_to_live);
    let to_server = reset(&server.reversed(), client_next, server_next, time_to_live);
    for mut packet in [to_client, to_server].into_iter().flatten() {
        // Addresses are translated already, and there is no connection any more.
        packet.set_untracked();
        sender.send(packet, RoutingDomain::default());
    }
}
