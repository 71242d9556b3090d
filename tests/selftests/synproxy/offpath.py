#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
"""SYNPROXY and off-path attackers: RFC 5961, RFC 4987, ICMP errors with wrong numbers, amplification.

offpath.py [SCENARIO...]: all scenarios, or some. No guess here is right. RFC 5961 has each end answer guesses that are
in the window, or nearly so. lib/synproxy/hosts.py draws the hosts.
"""

import itertools
import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from genetlink import Report
from synproxy.ends import ALL, Client, Connection, Server, expect
from synproxy.failures import is_reset, unreachable
from synproxy.hosts import Hosts
from synproxy.play import play
from tcp_segments import ACK, FIN, MODULUS, PSH, RST, SYN, Segment

# Offsets from the expected number: next to it, in the window and beyond, behind it, and anywhere.
OFFSETS = 1, 1000, 30000, 100000, 1 << 30, -1, -1000, -(1 << 30), 0x5A5A5A5A
COMBINATIONS = range(64)
# The proxy gives up a silent server after ten seconds. A connection is replaced by a new one before that.
PATIENCE = 8
# An answer may be longer than the packet by so much, which is what the options of a SYN-ACK take.
MORE = 40


def waiting(hosts, version):
    """The server has the SYN and has not answered."""
    connection = Connection(hosts, version).ask()
    connection.client.send()
    connection.server.expect_syn()
    return connection


def opened(hosts, version):
    """Both ends have sent data."""
    connection = Connection(hosts, version).open()
    connection.exchange()
    return connection


def closing(hosts, version):
    """The client has closed, and the server still sends."""
    connection = opened(hosts, version)
    connection.carry(connection.client, connection.server, flags=FIN | ACK)
    connection.carry(connection.server, connection.client, flags=ACK)
    return connection


def goes_on(connection, state):
    """Checks that the connection works as if nothing had happened."""
    for end in connection.client, connection.server:
        end.take()
    if state is waiting:
        connection.establish()
    if state is closing:
        connection.carry(connection.server, connection.client, b"an answer that is longer")
        connection.carry(connection.client, connection.server, flags=ACK)
    else:
        connection.exchange()


def exact_reset(arrived, end):
    """Whether a reset has arrived that the end accepts at once (RFC 5961)."""
    return any(one.flags & RST and one.sequence == end.acknowledged for one in arrived)


def guesses(end, flags, payload=b""):
    """Segments in the name of one end, by an attacker who does not know the numbers."""
    for away in OFFSETS:
        sequence = (end.sequence + away) % MODULUS
        for acknowledged in ((end.acknowledged, end.acknowledged + 0x40000000) if flags & ACK else (0,)):
            yield end.segment(flags, payload, sequence=sequence, acknowledged=acknowledged % MODULUS)


BLIND = {
    "resets": ((RST, b""), (RST | ACK, b"")),
    "SYNs": ((SYN, b""), (SYN | ACK, b"")),
    "data": ((ACK | PSH, b"forged"), (ACK, b""), (PSH, b"forged"), (0, b"")),
    "ends": ((FIN | ACK, b""), (FIN, b""), (FIN | PSH | ACK, b"forged")),
}


def blind(what, state, of):
    def scenario(hosts, version, _):
        connection = state(hosts, version)
        for flags, payload in BLIND[what]:
            forger = getattr(connection, of)
            saved = forger.clock, forger.echo
            for segment in guesses(forger, flags, payload):
                if (state is waiting and of == "server" and flags in (SYN | ACK, RST | ACK)
                        and segment.acknowledged == forger.acknowledged):
                    # RFC 793: a segment that acknowledges the SYN is accepted, whatever its sequence number.
                    continue
                if state is waiting and time.monotonic() - connection.client.begun > PATIENCE:
                    goes_on(connection, state)
                    connection = state(hosts, version)
                    forger = getattr(connection, of)
                    break
                forger.put(segment)
                for end in connection.client, connection.server:
                    arrived = end.take()
                    expect(not exact_reset(arrived, end), f"{segment} resets: {' and '.join(map(str, arrived))}")
            forger.clock, forger.echo = saved
        goes_on(connection, state)
    scenario.__doc__ = f"{what} in the name of the {of} with wrong numbers change nothing: {state.__doc__}"
    scenario.__name__ = f"blind_{what}_{state.__name__}_{of}"
    return scenario


def wrong_error(hosts, version, _):
    """ICMP errors about the SYN reset the client only if they have the SYN's number"""
    connection = waiting(hosts, version)
    client, syn = connection.client, connection.server.syn
    for away in OFFSETS:
        hosts.right.send(unreachable(hosts.right, changed(syn, sequence=syn.sequence + away)))
        hosts.right.settle()
        hosts.settle()
        client.nothing(f"the error is about a SYN {away} away")
    goes_on(connection, waiting)
    other = waiting(hosts, version)
    hosts.right.send(unreachable(hosts.right, other.server.syn))
    hosts.right.settle()
    expect(is_reset(other.client, 30), "the error is about the SYN itself, and the client is not reset")


def changed(segment, **fields):
    return Segment(**{name: getattr(segment, name) for name in segment.__dataclass_fields__} | fields)


def open_error(hosts, version, _):
    """ICMP errors about segments of an open connection reset no end, whatever their numbers"""
    connection = opened(hosts, version)
    client, server = connection.client, connection.server
    for away in (0, *OFFSETS):
        for wire, sender in (hosts.right, client), (hosts.left, server):
            # An error from the other side of the proxy quotes a segment as it is on that side.
            receiver = server if sender is client else client
            quoted = sender.segment(ACK, sequence=receiver.acknowledged + away, acknowledged=receiver.sequence)
            wire.send(unreachable(wire, quoted))
            hosts.settle()
            hosts.right.settle()
        for end in client, server:
            expect(not any(one.flags & RST for one in end.take()), f"an error {away} away resets")
    goes_on(connection, opened)


def cookie_error(hosts, version, _):
    """ICMP errors about the SYN-ACK with the cookie have no effect"""
    client = Client(hosts, hosts.left, hosts.right.own[version])
    answer = client.ask()
    before = hosts.connections()
    hosts.left.send(unreachable(hosts.left, answer))
    hosts.settle()
    hosts.right.settle()
    client.nothing("it is about a SYN-ACK")
    Server(client).nothing("it is about a SYN-ACK")
    expect(hosts.connections() <= before, "conntrack has something new")
    connection = Connection(hosts, version, client=client)
    client.send()
    connection.server.expect_syn()
    connection.establish()
    connection.exchange()


class Meter:
    """Measures what the proxy sends in answer to one packet, on all wires."""

    def __init__(self, hosts):
        self.hosts, self.wires = hosts, (hosts.left, hosts.right, hosts.vlan)

    def send(self, wire, segment, again=None):
        """The packets that a segment causes, without those of other connections and retransmissions."""
        self.hosts.settle()
        self.hosts.right.settle()
        for one in self.wires:
            one.inbox.clear()
            one.arrivals.clear()
        wire.send(segment)
        self.hosts.settle()
        self.hosts.right.settle()
        ports = {segment.source_port, segment.port}
        return [(length, one) for each in self.wires for length, of, one in each.arrivals
                if of == ports and not (again and one and one.has(SYN) and one.sequence == again.sequence)]

    def is_small(self, wire, segment, again=None, what="", most=1):
        """Checks that a segment causes no more than `most` packets, and no more than MORE bytes more than it has."""
        arrived = self.send(wire, segment, again)
        length = len(segment.packet())
        more = sum(length for length, _ in arrived) - length
        expect(len(arrived) <= most and more <= (most - 1) * length + MORE,
               f"{what}{segment}: {len(arrived)} packets, {more} bytes more:"
               f" {' and '.join(str(one or 'an error') for _, one in arrived)}")


def amplification(state):
    def scenario(hosts, version, _):
        meter = Meter(hosts)
        connection = None
        for flags, exact, of in itertools.product(COMBINATIONS, (True, False), ("client", "server")):
            if connection is None or exact or (state is waiting and
                                               time.monotonic() - connection.client.begun > PATIENCE):
                # A segment with the right numbers may change the state.
                connection = state(hosts, version) if state else Connection(hosts, version)
            end = getattr(connection, of)
            numbers = {} if exact else {"sequence": 0x11111111, "acknowledged": 0x22222222}
            # After the server's SYN-ACK, the server gets the SYN once more and the client a window update.
            most = 2 if exact and of == "server" and flags & (SYN | ACK | RST | FIN) == SYN | ACK else 1
            meter.is_small(end.wire, end.segment(flags, b"x" * (flags % 3), **numbers), connection.server.syn,
                           f"in the name of the {of}, {'right' if exact else 'wrong'} numbers: ", most)
    scenario.__doc__ = (f"any packet causes at most one packet, with at most {MORE} bytes more:"
                        f" {state.__doc__ if state else 'There is no connection.'}")
    scenario.__name__ = f"amplification_{state.__name__ if state else 'closed'}"
    return scenario


def syn_flood(hosts, version, _):
    """a flood of SYNs leaves no connection, and each SYN has one answer at most"""
    meter, before = Meter(hosts), None
    sources = [hosts.left.own[version] + number for number in range(1, 60)]
    for number, source in enumerate(sources):
        client = Client(hosts, hosts.left, hosts.right.own[version], own=source, own_port=1024 + number)
        meter.is_small(hosts.left, client.segment(SYN, options=ALL))
        before = hosts.connections() if before is None else before
    expect(hosts.connections() <= before, "conntrack has something new")
    Server(client).nothing("nobody has returned a cookie")


def own_source(hosts, version, _):
    """a SYN from the server's own address, or from this host's, has no answer"""
    meter, wrong = Meter(hosts), []
    for target in hosts.right.own[version], hosts.left.proxy[version]:
        for source in dict.fromkeys((target, hosts.left.proxy[version], hosts.right.proxy[version])):
            client = Client(hosts, hosts.left, target, own=source, own_port=100)
            arrived = meter.send(hosts.left, client.segment(SYN, options=ALL))
            wrong += [f"{source} > {target}: {one}" for _, one in arrived if one and one.has(SYN | ACK)]
    expect(not wrong, "; ".join(wrong))


def ack_flood(hosts, version, _):
    """nothing of a flood of ACKs with invented cookies reaches the server, and it leaves no connection"""
    meter = Meter(hosts)
    connection = opened(hosts, version)
    before = hosts.connections()
    for number in range(60):
        client = Client(hosts, hosts.left, hosts.right.own[version], own_port=2000 + number)
        for flags in ACK, ACK | PSH, SYN | ACK:
            meter.is_small(hosts.left, client.segment(flags, acknowledged=number * 0x01234567 % MODULUS))
            expect(not hosts.right.inbox, f"the server's side gets {' and '.join(map(str, hosts.right.inbox))}")
    expect(hosts.connections() <= before, "conntrack has something new")
    goes_on(connection, opened)


def reflected(hosts, version, _):
    """SYN-ACKs from the protected port, as reflected by spoofed SYNs, cause no more packets than any other segment"""
    meter = Meter(hosts)
    for number in range(20):
        client = Client(hosts, hosts.left, hosts.right.own[version], own_port=3000 + number)
        server = Server(client)
        meter.is_small(hosts.right, server.segment(SYN | ACK, acknowledged=number))
        expect(not any(one.flags & SYN and not one.flags & ACK for one in hosts.right.inbox), "a SYN comes back")
    Connection(hosts, version).open().exchange()


STATES = waiting, opened, closing
SCENARIOS = [blind(what, state, of) for what in BLIND for state in STATES for of in ("client", "server")]
SCENARIOS += [wrong_error, open_error, cookie_error, syn_flood, own_source, ack_flood, reflected]
SCENARIOS += [amplification(state) for state in (None, *STATES)]
IS_DEBUG = os.path.isdir("/sys/kernel/debug/kunit")


def main():
    report = Report()
    hosts = Hosts()
    try:
        hosts.use("learned")
        for scenario in SCENARIOS:
            if sys.argv[1:] and scenario.__name__ not in sys.argv[1:]:
                continue
            # The debug kernel is slow. IPv4 alone is enough there, since most of the code is the same for IPv6.
            for version in (4, 6) if not IS_DEBUG else (4,):
                play(hosts, "learned", version, scenario, report)
    finally:
        hosts.clear()
        hosts.remove()
    report.finish()


if __name__ == "__main__":
    main()
