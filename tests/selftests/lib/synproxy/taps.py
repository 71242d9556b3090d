# SPDX-License-Identifier: GPL-2.0
"""Packet sockets on the proxy's host see packets as they arrived, whatever SYNPROXY changes afterwards."""

import socket

from synproxy.ends import Connection, expect, expect_equal
from synproxy.hosts import ETH_P_ALL, ETHERNET, PACKET_OUTGOING, PROXY, SO_RCVBUFFORCE, WIRES, enter
from tcp_segments import ACK, PSH, Options


class Tap:
    """A packet socket on one of the proxy's interfaces."""

    def __init__(self, interface):
        enter(PROXY)
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 23)
        self.socket.bind((interface, ETH_P_ALL))
        self.socket.setblocking(False)
        enter(WIRES)

    def received(self):
        """The IP packets that have come in since the last call."""
        packets = []
        while True:
            try:
                frame, address = self.socket.recvfrom(65536)
            except BlockingIOError:
                return packets
            if address[2] != PACKET_OUTGOING and frame[12:14] in ETHERNET.values():
                packets.append(frame[14:])


def taps(hosts, version, _):
    """packet sockets on the proxy's host see packets unchanged"""
    left, right = Tap("left"), Tap("right")

    def was_seen(tap, segment, what):
        seen = tap.received()
        expect(segment.packet() in seen, f"{what} is not among the {len(seen)} packets that were seen")

    connection = Connection(hosts, version, server_options=Options(mss=1400, scale=3, sack=True, timestamps=(1, 0)))
    client, server = connection.client, connection.server
    connection.ask()
    was_seen(left, client.syn_sent, "the SYN")
    was_seen(left, client.send(), "the acknowledgement with the cookie")
    server.expect_syn()
    was_seen(right, server.answer(), "the server's SYN-ACK")
    for end in server, client:
        end.accept(end.one("the end of the handshake"))
    was_seen(left, client.send(ACK | PSH, b"a question"), "the client's data")
    server.accept(server.one("the client's data"))
    was_seen(right, server.send(ACK | PSH, b"an answer"), "the server's data")
    expect_equal("the answer", client.one("the server's data").payload, b"an answer")


SCENARIOS = [taps]
