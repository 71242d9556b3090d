# SPDX-License-Identifier: GPL-2.0
"""Both ends of a connection through the proxy, played by the test, which knows each number."""

import itertools
import random
import subprocess
import time

from tcp_segments import ACK, FIN, MODULUS, PSH, SYN, Options, Segment

numbers = random.Random(1)
client_ports = itertools.count(20000)
# The proxy remembers the options of a server, so that each scenario has a new one.
server_ports = itertools.count(100)
current_port = [next(server_ports)]
ALL = Options(mss=1460, scale=7, sack=True, timestamps=(1, 0))
# The proxy waits so many seconds for an answer of the server's, or for the one that is repeated.
SILENCE_OF_SERVER = 1
# After so many seconds it gives up a server that has not answered at all, and resets the client.
PATIENCE = 10
# Those of the scenario that is being played.
servers = []


def use_new_server():
    current_port[0] = next(server_ports)


class Wrong(Exception):
    """An expectation failed."""


def expect(condition, explanation):
    if not condition:
        raise Wrong(str(explanation))


def expect_equal(what, found, wanted):
    expect(found == wanted, f"{what} is {found}, not {wanted}")


def distance(start, end):
    """How far `end` is ahead of `start`, modulo 2^32. Negative if it is behind."""
    return (end - start + MODULUS // 2) % MODULUS - MODULUS // 2


class End:
    """One end of a connection, with its addresses, ports and sequence numbers."""

    def __init__(self, hosts, wire, own, own_port, other, port, options):
        self.hosts, self.wire = hosts, wire
        self.own, self.own_port, self.other, self.port = own, own_port, other, port
        self.options = options
        self.initial = numbers.randrange(MODULUS)
        # The next number to send, the next one to receive, the own timestamp, and the other end's latest.
        self.sequence, self.acknowledged, self.clock, self.echo = self.initial, 0, numbers.randrange(MODULUS), 0
        self.has_timestamps = options.timestamps is not None

    def segment(self, flags=ACK, payload=b"", options=None, **changes):
        self.clock = (self.clock + 10) % MODULUS
        clocks = (self.clock, self.echo) if self.has_timestamps else None
        if options is None:
            options = Options(timestamps=clocks)
        elif options.timestamps is not None:
            options = Options(options.mss, options.scale, options.sack, clocks, options.blocks)
        fields = {"sequence": self.sequence, "acknowledged": self.acknowledged if flags & ACK else 0} | changes
        return Segment(self.own, self.other, self.own_port, self.port, flags=flags, payload=payload, options=options,
                       **fields)

    def send(self, *arguments, **changes):
        """Sends the next segment, and waits until all answers have arrived."""
        segment = self.segment(*arguments, **changes)
        self.put(segment)
        self.sequence = (segment.sequence + segment.length()) % MODULUS
        return segment

    def put(self, segment):
        """Sends a segment without changing this end's state."""
        self.wire.send(segment)
        self.hosts.settle()
        self.hosts.right.settle()

    def is_own(self, one):
        return (one.destination, one.port, one.source_port) == (self.own, self.own_port, self.port)

    def take(self):
        """Takes the segments that have arrived for this end."""
        taken = self.wire.take(self.is_own)
        for one in taken:
            expect(one.right, f"a checksum is wrong: {one}")
            expect(one.source == self.other, f"the source is wrong: {one}")
            expect(one.time_to_live >= 32, f"the TTL is low: {one}, {one.time_to_live}")
        return taken

    def nothing(self, why):
        taken = self.take()
        expect(not taken, f"{why}, but here is {' and '.join(map(str, taken))}")

    def one(self, what):
        """Takes the only segment that has arrived."""
        taken = self.take()
        expect(len(taken) == 1, f"{what}: there are {len(taken)} segments{''.join(f', {one}' for one in taken)}")
        return taken[0]

    def accept(self, segment):
        """Updates this end's state by a segment that it received."""
        self.acknowledged = (segment.sequence + segment.length()) % MODULUS
        if segment.options.timestamps:
            self.echo = segment.options.timestamps[0]


class Client(End):
    def __init__(self, hosts, wire, server, port=None, options=ALL, own_port=None, own=None):
        super().__init__(hosts, wire, own or wire.own[server.version], own_port or next(client_ports), server,
                         port or current_port[0], options)
        # Before any timer of the proxy for it starts.
        self.begun = time.monotonic()

    def ask(self, flags=SYN, **changes):
        """Sends a SYN, and takes the SYN-ACK."""
        self.syn_sent = self.send(flags, options=self.options, **changes)
        answer = self.one("the answer to a SYN")
        expect(answer.has(SYN | ACK), f"the answer to a SYN is {answer}")
        expect_equal("what the SYN-ACK acknowledges", answer.acknowledged, (self.initial + 1) % MODULUS)
        self.sequence = (self.initial + 1) % MODULUS
        self.accept(answer)
        self.has_timestamps &= answer.options.timestamps is not None
        self.announced = answer
        return answer

    def is_tracked(self):
        """Whether conntrack has this connection. Others may be removed at any time, so their number says nothing."""
        found = self.hosts.run("conntrack", "-L", "-p", "tcp", "-s", str(self.own), "--sport", str(self.own_port),
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return bool(found.stdout)


class Server(End):
    """The server's end of a client's connection."""

    def __init__(self, client, options=ALL):
        hosts = client.hosts
        super().__init__(hosts, hosts.right, client.other, client.port, client.own, client.own_port, options)
        self.offered = options.timestamps is not None
        self.client = client
        # The SYN, the SYN-ACK, and the SYN that came after it. When its handshake was over.
        self.syn, self.sent, self.again, self.over = None, None, None, None
        servers.append(self)

    def accept(self, segment):
        super().accept(segment)
        if self.over is None and not segment.has(SYN):
            self.over = time.monotonic()

    def was_slow(self):
        """Whether this machine was so slow that the proxy may not have waited for the SYN-ACK, or until it was repeated."""
        waited = (self.over or time.monotonic()) - self.client.begun
        return waited >= (PATIENCE if self.sent is None else SILENCE_OF_SERVER)

    def take(self):
        """Takes what has arrived, without SYNs that were retransmitted because this machine was slow to answer."""
        taken = super().take()
        syns = [one for one in taken if one.has(SYN)]
        if not syns or time.monotonic() - self.client.begun < SILENCE_OF_SERVER:
            return taken
        again = [one for one in syns if one.sequence == (self.syn or syns[0]).sequence]
        others = [one for one in taken if one not in again]
        return others if self.syn and others else others + again[-1:]

    def expect_syn(self):
        syn = self.one("what the server got")
        expect(syn.has(SYN), f"the server got this instead of a SYN: {syn}")
        expect(not syn.payload, f"the SYN has a payload: {syn}")
        self.accept(syn)
        self.has_timestamps = self.offered and syn.options.timestamps is not None
        self.syn = syn
        return syn

    def answer(self):
        """Sends the SYN-ACK, and once more if there is another SYN."""
        self.send_syn_ack()
        self.repeat()
        return self.sent

    def send_syn_ack(self, **changes):
        """Sends the SYN-ACK, with the options that the SYN had as well."""
        asked, own = self.syn.options, self.options
        options = Options(own.mss, own.scale if asked.scale is not None else None, own.sack and asked.sack,
                          (1, 1) if self.has_timestamps else None)
        self.sent = self.send(SYN | ACK, options=options, **changes)

    def repeat(self):
        """Repeats the SYN-ACK if there is another SYN, as TCP does."""
        for self.again in self.wire.take(lambda one: one.has(SYN) and self.is_own(one))[-1:]:
            expect_equal("the number of the repeated SYN", self.again.sequence, self.syn.sequence)
            self.put(self.sent)


class Connection:
    """A connection between a client and a server, both played by the test."""

    def __init__(self, hosts, version, client_options=ALL, server_options=ALL, client=None):
        self.client = client or Client(hosts, hosts.left, hosts.right.own[version], options=client_options)
        self.server = Server(self.client, server_options)

    def ask(self):
        self.client.ask()
        self.server.nothing("the server gets nothing before the cookie is back")
        return self

    def open(self):
        """Opens the connection: the whole handshake."""
        self.ask()
        self.client.send()
        self.server.expect_syn()
        self.client.nothing("the server has not answered yet")
        self.establish()
        return self

    def open_half(self):
        """The server answers, and has not repeated it yet."""
        self.ask()
        self.client.send()
        self.server.expect_syn()
        self.server.send_syn_ack()
        return self

    def establish(self, early=b"", end=0):
        """The server answers. It gets the data and the FIN that the client has sent before."""
        self.server.answer()
        self.take_handshake(early, end)

    def take_handshake(self, early=b"", end=0):
        """Takes the ends of both handshakes."""
        client, server = self.client, self.server
        self.server_ack = server.one("the end of the server's handshake")
        expect(self.server_ack.has(ACK | end), f"the server got this instead of an ACK: {self.server_ack}")
        expect_equal("what the server got with it", self.server_ack.payload, early)
        self.update = client.one("the window update")
        expect(self.update.has(ACK), f"the client got this instead of a window update: {self.update}")
        for side, got in (server, self.server_ack), (client, self.update):
            expect_equal("the sequence number", got.sequence, side.acknowledged)
            expect_equal("what is acknowledged", got.acknowledged, side.sequence)
            side.accept(got)
        client.sequence = server.acknowledged

    @staticmethod
    def carry(source, target, payload=b"", flags=ACK | PSH, **more):
        """Sends a segment from one end to the other, and returns what arrived there."""
        source.send(flags, payload, **more)
        arrived = target.one("what was sent")
        expect_equal("the payload", arrived.payload, payload)
        expect_equal("the sequence number", arrived.sequence, target.acknowledged)
        expect_equal("what is acknowledged", arrived.acknowledged, target.sequence)
        target.accept(arrived)
        return arrived

    def exchange(self):
        """Sends data and acknowledgements in both directions."""
        self.carry(self.client, self.server, b"a question")
        self.carry(self.server, self.client, b"an answer that is longer")
        self.carry(self.client, self.server, flags=ACK)

    def close(self):
        self.carry(self.server, self.client, flags=FIN | ACK)
        self.carry(self.client, self.server, flags=FIN | ACK)
        self.carry(self.server, self.client, flags=ACK)
