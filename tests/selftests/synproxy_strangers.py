# SPDX-License-Identifier: GPL-2.0
"""Somebody who is not on the way, but knows between whom a connection is, and has guessed a cookie or two."""

from synproxy_ends import ALL, Client, Connection, distance, expect, expect_equal
from tcp_segments import ACK, FIN, PSH, RST, SYN, Options


def guess(connection, options):
    """The last part of a handshake in the name of the client, with other numbers: a cookie that was not guessed, but got
    before there was a connection, as that is no different."""
    own = connection.client
    other = Client(own.hosts, own.wire, own.other, own.port, options, own_port=own.own_port)
    other.ask()
    return other


def harmless(client, what):
    """Whatever the client got does not concern it."""
    for one in client.take():
        expect(one.flags & RST, f"{what}: the client got {one}")
        expect(abs(distance(client.acknowledged, one.sequence)) > 1 << 20, f"{what}: the client may take {one} for its own")


def open_one(hosts, version, _):
    """a valid cookie neither ends an open connection nor replaces it, nor does a SYN"""
    for is_used in False, True:
        for options in ALL, Options(mss=1460):
            connection = Connection(hosts, version)
            client, server = connection.client, connection.server
            others = [guess(connection, options) for _ in range(4)]
            connection.open()
            if is_used:
                connection.exchange()
            for other, flags in zip(others, (ACK, ACK | PSH, FIN | ACK, ACK)):
                what = f"{'used' if is_used else 'not used'}, {options}, flags {flags}"
                other.put(other.segment(flags, b"data" if flags & PSH else b""))
                # Connection tracking lets what seems to be old go on to the server, which knows better.
                for one in server.take():
                    expect(not one.flags & (SYN | RST), f"{what}: the server got {one}")
                harmless(client, what)
                other.put(other.segment(SYN, options=other.options, sequence=other.initial))
                # It asks back.
                expect(server.one("what the server got").has(SYN), what)
                server.put(server.segment())
                challenge = client.one("the challenge")
                expect_equal("its number", challenge.sequence, client.acknowledged)
                expect_equal("what it acknowledges", challenge.acknowledged, client.sequence)
            connection.exchange()
            connection.close()


def waiting_one(hosts, version, _):
    """nor one that waits for the server"""
    for options in ALL, Options(mss=1460):
        connection = Connection(hosts, version)
        client, server = connection.client, connection.server
        others = [guess(connection, options) for _ in range(3)]
        connection.ask()
        client.send()
        server.expect_syn()
        for other, flags in zip(others, (ACK, ACK | PSH, FIN | ACK)):
            other.put(other.segment(flags, b"data" if flags & PSH else b""))
            expect(all(one.sequence == client.initial for one in server.take()), f"{flags}: the server is asked for others")
            harmless(client, f"{options}, flags {flags}")
        connection.establish()
        connection.exchange()
        connection.close()


SCENARIOS = open_one, waiting_one
