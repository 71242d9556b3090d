# SPDX-License-Identifier: GPL-2.0
"""Segments without a connection, and malformed ones: none reaches the server, and none leaves any state."""

from synproxy.ends import ALL, Client, Connection, Server, expect, expect_equal, numbers
from tcp_segments import (
    ACK, FIN, MODULUS, PSH, RST, SYN, URG, Options, fragments, packet, with_destination_options)

STRAY = {
    "SYN+FIN": SYN | FIN, "SYN+RST": SYN | RST, "no flags": 0, "FIN+PSH+URG": FIN | PSH | URG, "FIN": FIN,
    "FIN+ACK": FIN | ACK, "RST": RST, "RST+ACK": RST | ACK, "SYN+ACK": SYN | ACK, "SYN+FIN+ACK": SYN | FIN | ACK,
    "all flags": 255, "SYN+ACK+RST": SYN | ACK | RST, "PSH": PSH, "URG": URG,
}


def fresh(hosts, version):
    client = Client(hosts, hosts.left, hosts.right.own[version])
    return client, Server(client)


def untouched(hosts, client, server, before, what):
    server.nothing(f"{what}: it must not reach the server")
    for answer in client.take():
        # A segment that may be of a connection that was lost has the answer of a closed port.
        expect(answer.has(RST) and not answer.payload, f"{what}: an answer that is no reset: {answer}")
    expect(hosts.connections() <= before, f"{what}: {hosts.connections()} connections, {before} before")


def stray(hosts, version, _):
    """segments whose flags open no connection reach no server"""
    before = hosts.connections()
    for what, flags in STRAY.items():
        for payload in b"", b"data":
            client, server = fresh(hosts, version)
            client.put(client.segment(flags, payload, acknowledged=numbers.randrange(MODULUS)))
            untouched(hosts, client, server, before, what)


def wrong_cookies(hosts, version, _):
    """an ACK without a valid cookie reaches no server and leaves no state"""
    before = hosts.connections()
    client, server = fresh(hosts, version)
    for _ in range(200):
        sequence, acknowledged = numbers.randrange(MODULUS), numbers.randrange(MODULUS)
        hosts.left.send(client.segment(sequence=sequence, acknowledged=acknowledged).packet())
    hosts.settle()
    untouched(hosts, client, server, before, "a random number")
    client.ask()
    other, other_server = fresh(hosts, version)
    wrong = {
        "a number after it": client.segment(acknowledged=client.acknowledged + 100),
        "a number before it": client.segment(acknowledged=client.acknowledged - 100),
        "0": client.segment(acknowledged=0),
        "another sequence": client.segment(sequence=client.sequence + 1000),
        "a cookie and RST": client.segment(ACK | RST),
        "a cookie and SYN": client.segment(ACK | SYN),
    }
    for what, segment in wrong.items():
        client.put(segment)
        untouched(hosts, client, server, before, what)
    other.put(other.segment(sequence=client.sequence, acknowledged=client.acknowledged))
    untouched(hosts, other, other_server, before, "the cookie of another port")
    # The client itself is still served.
    client.send()
    server.expect_syn()


def wrong_checksums(hosts, version, _):
    """segments with a wrong checksum are ignored"""
    before = hosts.connections()
    client, server = fresh(hosts, version)
    client.put(client.segment(SYN, options=ALL, checksum=0x1234))
    untouched(hosts, client, server, before, "a SYN")
    client.ask()
    client.put(client.segment(checksum=0x1234))
    untouched(hosts, client, server, before, "an ACK")
    client.send()
    server.expect_syn()


def truncated(hosts, version, _):
    """truncated headers, and header lengths that do not fit, reach no server"""
    before = hosts.connections()
    for flags in SYN, ACK, SYN | ACK, RST:
        client, server = fresh(hosts, version)
        whole = client.segment(flags, options=ALL)
        for length in 0, 1, 4, 8, 12, 13, 14, 19, 20, 24, 39:
            cut = whole.tcp()[:length]
            hosts.left.send(packet(client.own, client.other, cut))
        for words in 0, 1, 4, 11, 15:
            hosts.left.send(client.segment(flags, options=ALL, words=words))
        client.put(client.segment(flags, words=15))
        untouched(hosts, client, server, before, f"flags {flags}")


BAD_OPTIONS = {
    "a length of 0": b"\2\0\5\xb4",
    "a length of 1": b"\3\1\7\0",
    "a length beyond the header": b"\1\1\x08\x0a",
    "no length": b"\1\1\1\3",
    "an MSS of 3 bytes": b"\2\3\5\1",
    "a window scale of 4 bytes": b"\3\4\7\7",
    "timestamps of 4 bytes": b"\x08\4\0\0",
    "SACK of 3 bytes": b"\4\3\0\1",
    "an MSS after the end": b"\0\2\4\5\xb4\0\0\0",
    "40 bytes of one unknown option": bytes([254, 40]) + bytes(38),
    "40 ends": bytes(40),
    "40 bytes of nothing": b"\1" * 40,
}


def bad_options(hosts, version, _):
    """a SYN with malformed options is ignored, or answered as one without them"""
    for what, options in BAD_OPTIONS.items():
        client, server = fresh(hosts, version)
        client.put(client.segment(SYN, raw_options=options))
        server.nothing(f"{what}: it must not reach the server")
        for answer in client.take():
            expect(answer.has(SYN | ACK), f"{what}: {answer}")
            told = answer.options
            expect(told.scale is None and told.timestamps is None and not told.sack, f"{what}: {answer}")
    for scale in 15, 255:
        client, server = fresh(hosts, version)
        client.put(client.segment(SYN, options=Options(1460, scale, True, (1, 0))))
        if not client.take():
            continue
        connection = Connection(hosts, version, Options(1460, scale, True, (1, 0))).open()
        expect(connection.server.syn.options.scale in (None, 14), f"the server is told of a window scale {scale}")


def in_fragments(hosts, version, _):
    """a SYN in fragments is answered or ignored, and other clients are served"""
    client, server = fresh(hosts, version)
    for size in 8, 16, 24, 32:
        for part in fragments(client.segment(SYN, options=ALL), size):
            hosts.left.send(part)
        # Without the first fragment, and without the last one.
        parts = list(fragments(client.segment(SYN, options=ALL, sequence=size), size))
        for part in parts[1:] + parts[:-1]:
            hosts.left.send(part)
    hosts.settle()
    server.nothing("no cookie came back")
    for answer in client.take():
        expect(answer.has(SYN | ACK), str(answer))
    Connection(hosts, version).open().exchange()


def extension_headers(hosts, version, _):
    """IPv6 extension headers before the TCP header do not hide it"""
    if version == 4:
        return
    client, server = fresh(hosts, version)
    hosts.left.send(with_destination_options(client.segment(SYN, options=ALL)))
    hosts.settle()
    answer = client.one("the answer to the SYN")
    expect(answer.has(SYN | ACK), str(answer))
    expect_equal("what it acknowledges", answer.acknowledged, (client.initial + 1) % MODULUS)
    server.nothing("no cookie came back")
    client.sequence += 1
    client.accept(answer)
    client.announced = answer
    hosts.left.send(with_destination_options(client.segment(ACK)))
    hosts.settle()
    connection = Connection(hosts, version, client=client)
    connection.server.expect_syn()
    connection.establish()
    connection.exchange()


SCENARIOS = stray, wrong_cookies, wrong_checksums, truncated, bad_options, in_fragments, extension_headers
