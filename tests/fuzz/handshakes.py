# SPDX-License-Identifier: GPL-2.0
"""Handshakes with SYNPROXY for the packet fuzzer: SYNs of all shapes, and what may follow on the cookies that come back."""

import socket
import struct

from packet_frames import (
    FRAGMENT, HOP_BY_HOP, HOSTS, ICMP, ICMPV6, IPV4, IPV6, SERVER, TCP, TCP_OPTIONS, checked_icmp, checked_tcp, ip, tcp)

FIN, SYN, RST, PSH, ACK, ECE, CWR = 1, 2, 4, 8, 16, 64, 128
ETH_P_ALL = 3
# Those of the rules with SYNPROXY: in PREROUTING, there once SYNs come often, and behind connection tracking.
PORTS = (80, 21, 443)
# A server beyond the one that has the rules, for which this fuzzer answers.
BEYOND = {4: bytes([10, 0, 1, 1]), 6: b"\xfd" + bytes(6) + b"\1" + bytes(7) + b"\1"}
EDGES = (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)


def timestamps(value, echo):
    return b"\1\1\x08\x0a" + struct.pack("!II", value & 0xFFFFFFFF, echo & 0xFFFFFFFF)


class Segment:
    """A TCP segment that was received; ValueError if the frame is none."""

    def __init__(self, frame):
        kind, = struct.unpack_from("!H", frame.ljust(14, b"\0"), 12)
        if kind == IPV4 and len(frame) >= 54 and frame[23] == TCP:
            self.version, start = 4, 14 + 4 * (frame[14] & 15)
            self.source, self.destination = frame[26:30], frame[30:34]
        elif kind == IPV6 and len(frame) >= 74 and frame[20] == TCP:
            self.version, start = 6, 54
            self.source, self.destination = frame[22:38], frame[38:54]
        else:
            raise ValueError("no TCP segment")
        self.packet, self.start = frame[14:], start - 14
        if len(frame) < start + 20:
            raise ValueError("no whole header")
        (self.source_port, self.port, self.sequence, self.acknowledgement, words, self.flags) = struct.unpack_from(
            "!HHIIBB", frame, start)
        self.options = frame[start + 20:start + (words >> 4) * 4]

    def timestamp(self):
        """What is to be echoed, if there is any."""
        at = 0
        while at + 1 < len(self.options):
            kind, length = self.options[at], self.options[at + 1]
            if kind == 1:
                at += 1
                continue
            if kind == 0 or length < 2:
                return None
            if (kind, length) == (8, 10):
                return struct.unpack_from("!I", self.options.ljust(at + 10, b"\0"), at + 2)[0]
            at += length
        return None


class Connection:
    """A client's side of one."""

    def __init__(self, random):
        self.random = random
        self.version = random.choice((4, 6))
        self.client = random.choice(HOSTS[self.version])
        self.server = random.choice((SERVER, BEYOND))[self.version]
        self.client_port, self.port = random.randrange(1024, 65536), random.choice(PORTS)
        self.sequence = random.choice((*EDGES, random.randrange(1 << 32)))
        self.value = random.randrange(1 << 32)
        self.cookie = self.echo = None

    def key(self):
        return self.version, self.client, self.client_port, self.server, self.port

    def segment(self, flags, sequence, acknowledgement, options=b"", payload=b"", window=None, **more):
        """From the client to the server."""
        return self.between(self.client, self.server, self.client_port, self.port, flags, sequence, acknowledgement,
                            options, payload, window, **more)

    def answer(self, flags, sequence, acknowledgement, options=b"", payload=b"", window=None, **more):
        """In the server's name."""
        return self.between(self.server, self.client, self.port, self.client_port, flags, sequence, acknowledgement,
                            options, payload, window, **more)

    def between(self, source, destination, source_port, port, flags, sequence, acknowledgement, options, payload, window,
                **more):
        options = options[:40]
        options += bytes(-len(options) % 4)
        window = self.random.choice((0, 1, 1024, 65535)) if window is None else window
        segment = tcp(source_port, port, flags, options, payload=payload, number=sequence & 0xFFFFFFFF,
                      acknowledgement=acknowledgement & 0xFFFFFFFF, window=window)
        if self.random.random() < 0.97:
            segment = checked_tcp(source, destination, segment)
        return self.packet(segment, source, destination, **more)

    def packet(self, segment, source, destination, fragmented=False):
        """In one packet, perhaps with more headers than needed, or in fragments."""
        if fragmented:
            identifier = self.random.randrange(1 << 16)
            cut = self.random.choice((8, 16, 24, 32))
            parts = [(at, segment[at:at + cut], at + cut < len(segment)) for at in range(0, len(segment), cut)]
            if self.version == 4:
                return [ip(4, TCP, part, source=source, destination=destination, identifier=identifier,
                           fragment=at >> 3 | more << 13) for at, part, more in parts]
            return [ip(6, FRAGMENT, struct.pack("!BBHI", TCP, 0, at | more, identifier) + part, source=source,
                       destination=destination) for at, part, more in parts]
        if self.random.random() < 0.9:
            return [ip(self.version, TCP, segment, source=source, destination=destination)]
        if self.version == 4:
            words = self.random.choice((1, 2, 10))
            return [ip(4, TCP, segment, source=source, destination=destination, options=b"\1" * 4 * words)]
        size = self.random.choice((0, 1, 5))
        header = bytes([TCP, size, 1, 4 + 8 * size]) + bytes(4 + 8 * size)
        return [ip(6, HOP_BY_HOP, header + segment, source=source, destination=destination)]

    def options(self):
        """Of a SYN: mostly what systems send, in any order."""
        parts = [b"\2\4" + struct.pack("!H", self.random.choice((0, 1, 535, 536, 1220, 1460, 8960, 65535))),
                 b"\1\3\3" + bytes([self.random.choice((0, 7, 14, 15, 255))]), b"\1\1\4\2", timestamps(self.value, 0)]
        parts = [part for part in parts if self.random.random() < 0.7]
        self.random.shuffle(parts)
        if self.random.random() < 0.3:
            kind, size = self.random.choice(TCP_OPTIONS), self.random.choice((0, 1, 2, 3, 4, 9, 10, 11, 40, 255))
            parts.insert(self.random.randrange(len(parts) + 1), bytes([kind, size]) + bytes(max(min(size, 40) - 2, 0)))
        return b"".join(parts)

    def syn(self):
        more = self.random.choice((0, 0, 0, ECE | CWR, PSH, ECE))
        payload = self.random.choice((b"", b"", b"", b"early", bytes(1400)))
        return self.segment(SYN | more, self.sequence, self.random.choice((0, 0, 5)), self.options(), payload,
                            fragmented=self.random.random() < 0.05)

    def stamps(self, change=0):
        return b"" if self.echo is None else timestamps(self.value + 1, self.echo + change)

    def acknowledgement(self):
        """What may come when a cookie came: mostly what opens a connection."""
        next_one, all_of_it = self.sequence + 1, self.cookie + 1
        right = self.segment(ACK, next_one, all_of_it, self.stamps())
        match self.random.randrange(16):
            case 0 | 1 | 2 | 3 | 4:
                return right
            case 5:
                return right + right
            case 6:
                return self.segment(ACK, self.sequence, all_of_it, self.stamps(), self.random.choice((b"", b"\0")))
            case 7:
                payload = self.random.choice((b"GET / HTTP/1.0\r\n\r\n", bytes(1000), bytes(9000)))
                return self.segment(ACK | PSH, next_one, all_of_it, self.stamps(), payload) + right
            case 8:
                return self.segment(ACK, next_one, all_of_it + self.random.choice((-1, 1, 2, 1 << 23, 1 << 31)), self.stamps())
            case 9:
                # What was agreed on comes back from the client, who may say anything.
                return self.segment(ACK, next_one, all_of_it, self.stamps(self.random.randrange(1 << 10)))
            case 10:
                return self.segment(ACK, next_one, all_of_it, b"" if self.stamps() else timestamps(1, 2))
            case 11:
                return self.segment(ACK, next_one, all_of_it, self.random.randbytes(self.random.randrange(41)))
            case 12:
                return self.segment(ACK, next_one, all_of_it, self.stamps(), fragmented=True)
            case 13:
                return self.segment(self.random.randrange(256), next_one, all_of_it, self.stamps())
            case 14:
                return self.error(self.random.choice((True, False)), all_of_it)
            case _:
                return self.segment(SYN, self.sequence, 0, self.options()) + right

    def later(self):
        """What may come when the connection is open, in some order."""
        frames = []
        number, seen = self.sequence + 1, self.cookie + 1
        for _ in range(self.random.choice((0, 1, 3, 6))):
            data = self.random.randbytes(self.random.choice((0, 1, 100, 1400)))
            sacks = b"\1\1\5" + bytes([self.random.choice((10, 18, 2, 3, 255))]) + struct.pack(
                "!II", seen & 0xFFFFFFFF, seen + 1000 & 0xFFFFFFFF)
            options = self.random.choice((self.stamps(), self.stamps() + sacks, sacks + self.stamps(), b"\1" + self.stamps()))
            match self.random.randrange(8):
                case 0:
                    frames += self.segment(RST | ACK, number, seen)
                case 1:
                    frames += self.segment(FIN | ACK, number, seen, options)
                case 2:
                    frames += self.error(self.random.choice((True, False)), seen)
                case 3:
                    frames += self.segment(self.random.randrange(256), number, seen, options)
                case 4:
                    frames += self.segment(ACK, self.random.randrange(1 << 32), self.random.randrange(1 << 32), options)
                case _:
                    frames += self.segment(ACK | PSH, number, seen, options, data)
                    number += len(data)
        return frames

    def error(self, is_of_client, sequence):
        """An ICMP error about a segment of the server, or of the client."""
        source, destination, ports = self.server, self.client, (self.port, self.client_port)
        if not is_of_client:
            source, destination, ports = destination, source, ports[::-1]
        inner = ip(self.version, TCP, tcp(*ports, ACK, number=sequence & 0xFFFFFFFF), source=source, destination=destination)
        inner = inner[14:14 + self.random.choice((28, 40, 48, 60, 8, 200))]
        kinds = {4: ((3, 0), (3, 1), (3, 3), (3, 4), (11, 0), (12, 0)), 6: ((1, 0), (1, 4), (2, 0), (3, 0), (4, 0))}
        kind, code = self.random.choice(kinds[self.version])
        message = struct.pack("!BBHHH", kind, code, 0, 0, self.random.choice((0, 68, 1280, 1400))) + inner
        from_where = self.client if is_of_client else self.server
        to = self.server if is_of_client else self.client
        message = checked_icmp(self.version, from_where, to, message)
        return [ip(self.version, ICMP if self.version == 4 else ICMPV6, message, source=from_where, destination=to)]

    def serve(self, syn):
        """What the server beyond may answer to the SYN that it got."""
        number = self.random.choice((*EDGES, self.random.randrange(1 << 32)))
        stamp = syn.timestamp()
        options = self.options()
        if stamp is not None and self.random.random() < 0.8:
            options = b"\2\4\5\xb4" + timestamps(self.random.choice(EDGES), stamp)
            options += b"\1\3\3" + bytes([self.random.randrange(16)])
        accept = self.answer(SYN | ACK, number, syn.sequence + 1, options)
        match self.random.randrange(10):
            case 0:
                return self.answer(RST | ACK, 0, syn.sequence + 1)
            case 1:
                return self.error(False, syn.sequence)
            case 2:
                return accept + accept
            case 3:
                return self.answer(self.random.randrange(256), number, syn.sequence + 1, options)
            case 4:
                return self.answer(SYN | ACK, number, syn.sequence + 2, options)
            case 5:
                return accept + self.answer(RST, number + 1, 0)
            case 6:
                return self.answer(SYN | ACK, number, syn.sequence + 1, options, fragmented=True)
        data = [frame for size in (1, 100) for frame in self.answer(
            ACK | PSH, number + 1, syn.sequence + 1, b"" if stamp is None else timestamps(number, stamp), bytes(size))]
        return accept + data


class Handshakes:
    """Several at a time, with what comes back."""

    def __init__(self):
        """In the client's network namespace."""
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.socket.bind(("eth0", ETH_P_ALL))
        self.socket.setblocking(False)
        self.cookies = self.opened = 0

    def received(self):
        """The segments that have come since the last time."""
        while True:
            try:
                frame, (_, _, kind, *_) = self.socket.recvfrom(65536)
            except BlockingIOError:
                return
            # Not what this host sends itself.
            if kind == socket.PACKET_OUTGOING:
                continue
            try:
                yield Segment(frame)
            except ValueError:
                pass

    def rounds(self, random):
        """What to send, in three rounds: between them, answers come."""
        for _ in self.received():
            pass
        connections = [Connection(random) for _ in range(random.choice((1, 4, 12)))]
        known = {connection.key(): connection for connection in connections}
        yield [frame for connection in connections for frame in connection.syn()]
        for segment in self.received():
            key = segment.version, segment.destination, segment.port, segment.source, segment.source_port
            connection = known.get(key)
            if connection and segment.flags & (SYN | ACK | RST) == SYN | ACK:
                connection.cookie, connection.echo = segment.sequence, segment.timestamp()
                self.cookies += 1
        answered = [connection for connection in connections if connection.cookie is not None]
        yield [frame for connection in answered for frame in connection.acknowledgement()]
        served = []
        for segment in self.received():
            key = segment.version, segment.source, segment.source_port, segment.destination, segment.port
            connection = known.get(key)
            if connection and segment.flags & (SYN | ACK) == SYN:
                self.opened += 1
                served += connection.serve(segment)
        yield served
        yield [frame for connection in answered for frame in connection.later()]
