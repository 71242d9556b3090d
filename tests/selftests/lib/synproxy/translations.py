# SPDX-License-Identifier: GPL-2.0
"""Open connections: numbers, timestamps and windows are translated, and connections end as they should."""

import dataclasses

from synproxy.ends import ALL, Client, Connection, distance, expect, expect_equal
from tcp_segments import ACK, FIN, MODULUS, PSH, RST, SYN, Options


def numbers(hosts, version, _):
    """sequence numbers and acknowledgements are translated until the connection is closed"""
    connection = Connection(hosts, version).open()
    for _ in range(5):
        connection.exchange()
    connection.close()


def selective(hosts, version, _):
    """selective acknowledgements are translated"""
    connection = Connection(hosts, version).open()
    client, server = connection.client, connection.server
    # The client misses the first ten bytes and acknowledges the next ones selectively.
    lost = server.segment(payload=b"0123456789")
    server.sequence += len(lost.payload)
    sent = server.send(ACK | PSH, b"abcdefghij")
    arrived = client.one("the second part")
    expect_equal("its number", arrived.sequence, (client.acknowledged + 10) % MODULUS)
    block = arrived.sequence, (arrived.sequence + 10) % MODULUS
    client.send(options=Options(timestamps=(0, 0), blocks=(block,)))
    got = server.one("the selective acknowledgement")
    expect_equal("the block", got.options.blocks, ((sent.sequence, (sent.sequence + 10) % MODULUS),))
    expect_equal("what is acknowledged", got.acknowledged, lost.sequence)


def clocks(hosts, version, _):
    """timestamps are translated in both directions"""
    connection = Connection(hosts, version).open()
    client, server = connection.client, connection.server
    offset = distance(server.clock, connection.update.options.timestamps[0])
    last = client.announced.options.timestamps[0]
    for _ in range(3):
        arrived = connection.carry(server, client, b"tick")
        expect(distance(last, arrived.options.timestamps[0]) >= 0, "the timestamp goes back")
        expect_equal("the offset of the server's timestamp", distance(server.clock, arrived.options.timestamps[0]), offset)
        expect_equal("the echo of the client's timestamp", arrived.options.timestamps[1], server.echo)
        last = arrived.options.timestamps[0]
        arrived = connection.carry(client, server, b"tock")
        expect_equal("the echo of the server's timestamp", arrived.options.timestamps[1], server.clock)
        expect_equal("the client's timestamp", arrived.options.timestamps[0], client.clock)


def windows(hosts, version, kind):
    """windows are rescaled if the server's window scale is not the one that the client was told"""
    for scale in 7, 0, 14, 9, None, 7:
        for own_scale in 7, 0, 14, None:
            connection = Connection(hosts, version, dataclasses.replace(ALL, scale=own_scale),
                                    dataclasses.replace(ALL, scale=scale)).open()
            client, server = connection.client, connection.server
            told = client.announced.options.scale
            heard = server.syn.options.scale
            # A SYN-ACK has a window scale only if the SYN had one.
            real = scale if heard is not None else None
            client_shift = own_scale if told is not None and own_scale is not None else 0
            server_shift = real or 0
            believed = heard if real is not None else 0
            what = f"server's scale {scale}, client's {own_scale}, told {told}"
            for window in 1, 200, 8000, 65535:
                server.send(window=window)
                compare(f"{what}, from the server", client.one("a window"), told or 0, window << server_shift)
                client.send(window=window)
                compare(f"{what}, from the client", server.one("a window"), believed, window << client_shift)


def compare(what, arrived, shift, meant):
    """Checks that a window is as large as it was sent, within the precision of its scale."""
    expect(arrived.window, f"{what}: the window is 0")
    seen = arrived.window << shift
    largest = 65535 << shift
    # A window below one unit of the scale may be rounded up.
    expect(seen <= meant or meant < 1 << shift == seen, f"{what}: {seen} bytes instead of {meant}, which is too much")
    expect(min(meant, largest) - seen < 1 << shift, f"{what}: {seen} bytes instead of {meant}")


def refused(hosts, version, _):
    """if the server refuses, the client is reset, and nothing remains"""
    connection = Connection(hosts, version).ask()
    client, server = connection.client, connection.server
    client.send()
    server.expect_syn()
    server.put(server.segment(RST | ACK, sequence=0, options=Options(), window=0))
    reset = client.one("the reset")
    expect(reset.flags & RST, f"the client got this instead of a reset: {reset}")
    expect_equal("the reset's number", reset.sequence, client.acknowledged)
    if reset.flags & ACK:
        expect_equal("what it acknowledges", reset.acknowledged, client.sequence)
    server.nothing("the server has refused")
    # The same ports can be used again.
    again_client = Client(hosts, client.wire, client.other, client.port, own_port=client.own_port)
    again = Connection(hosts, version, client=again_client).open()
    again.exchange()


def server_resets(hosts, version, _):
    """a reset by either end reaches the other"""
    connection = Connection(hosts, version).open()
    connection.exchange()
    connection.server.send(RST | ACK)
    reset = connection.client.one("the server's reset")
    expect(reset.flags & RST, str(reset))
    expect_equal("its number", reset.sequence, connection.client.acknowledged)
    connection = Connection(hosts, version).open()
    connection.exchange()
    connection.client.send(RST)
    reset = connection.server.one("the client's reset")
    expect(reset.flags & RST, str(reset))
    expect_equal("its number", reset.sequence, connection.server.acknowledged)


def request_after_reset(hosts, version, _):
    """data that the client sends before it knows of the server's reset opens no connection"""
    connection = Connection(hosts, version).open()
    client, server = connection.client, connection.server
    server.send(RST | ACK)
    client.take()
    # Its cookie is valid if the client has sent as many bytes as it has received.
    client.send(ACK | PSH, b"a question")
    for one in server.take():
        expect(not one.flags & SYN, f"the server got {one}")


def lost_by_client(hosts, version, _):
    """a client that has forgotten its connection opens another one between the same ports"""
    for is_used in False, True:
        old = Connection(hosts, version).open()
        if is_used:
            old.exchange()
        own = old.client
        client = Client(hosts, own.wire, own.other, own.port, own_port=own.own_port)
        connection = Connection(hosts, version, client=client)
        # The server sends a challenge ACK (RFC 5961), and the client's reset ends the old connection.
        client.put(client.segment(SYN, options=client.options))
        arrived = old.server.one("what the server got")
        expect(arrived.has(SYN), f"the server got this instead of a SYN: {arrived}")
        expect_equal("the SYN's number", arrived.sequence, client.initial)
        old.server.put(old.server.segment())
        challenge = client.one("the server's challenge")
        expect(challenge.has(ACK), f"the client got this instead of a challenge: {challenge}")
        expect_equal("what it acknowledges", challenge.acknowledged, own.sequence)
        client.put(client.segment(RST, sequence=challenge.acknowledged, options=Options(), window=0))
        reset = old.server.one("the client's reset")
        expect(reset.flags & RST, f"the server got this instead of a reset: {reset}")
        expect_equal("the reset's number", reset.sequence, old.server.acknowledged)
        connection.open()
        connection.exchange()


def reopen(hosts, version, old):
    """Opens a connection between the same ports again."""
    own = old.client
    client = Client(hosts, own.wire, own.other, own.port, own_port=own.own_port)
    # Linux advances initial sequence numbers by so much in a second, which is beyond the old window.
    client.initial = client.sequence = (own.sequence + 15625000) % MODULUS
    client.clock = own.clock + 1000
    connection = Connection(hosts, version, client=client)
    connection.open()
    connection.exchange()
    return connection


def reopened(hosts, version, _):
    """a closed connection is opened again between the same ports"""
    connection = Connection(hosts, version).open()
    for _ in range(2):
        connection.exchange()
        connection.close()
        connection = reopen(hosts, version, connection)


def reopened_after_reset(hosts, version, _):
    """a connection that either end has reset is opened again between the same ports"""
    connection = Connection(hosts, version).open()
    for end in connection.server, connection.client:
        connection.exchange()
        end = connection.server if end.wire is hosts.right else connection.client
        end.send(RST | ACK)
        connection.client.take()
        connection.server.take()
        connection = reopen(hosts, version, connection)


def reopened_near(hosts, version, _):
    """a connection is opened again with a sequence number close to the last one's, or behind what that has sent"""
    for ahead in 1, 10, 5000:
        for last in "closed", "reset", "unused":
            connection = Connection(hosts, version).open()
            if last != "unused":
                connection.exchange()
            if last == "closed":
                connection.close()
            else:
                connection.server.send(RST | ACK)
                connection.client.take()
            own = connection.client
            client = Client(hosts, own.wire, own.other, own.port, own_port=own.own_port)
            client.initial = client.sequence = (own.initial + ahead) % MODULUS
            client.clock = own.clock + 1000
            Connection(hosts, version, client=client).open().exchange()


def half_closed(hosts, version, _):
    """a half-closed connection still carries data in the other direction"""
    connection = Connection(hosts, version).open()
    client, server = connection.client, connection.server
    connection.carry(client, server, b"all there is", FIN | ACK)
    for _ in range(3):
        connection.carry(server, client, b"a long answer")
        connection.carry(client, server, flags=ACK)
    connection.carry(server, client, flags=FIN | ACK)
    connection.carry(client, server, flags=ACK)


def from_the_server(hosts, version, _):
    """a connection that a server opens itself, from a protected port, passes unchanged"""
    connection = Connection(hosts, version)
    client, server = connection.client, connection.server
    sent = server.send(SYN, options=ALL)
    arrived = client.one("the SYN")
    expect_equal("its number", arrived.sequence, sent.sequence)
    client.accept(arrived)
    client.send(SYN | ACK, options=ALL)
    server.accept(server.one("the SYN-ACK"))
    connection.carry(server, client, b"hello")


SCENARIOS = (numbers, selective, clocks, windows, refused, server_resets, request_after_reset, lost_by_client, reopened,
             reopened_after_reset, reopened_near, half_closed, from_the_server)
