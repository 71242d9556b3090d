# SPDX-License-Identifier: GPL-2.0
"""Ethernet frames for the packet fuzzer and the selftests: valid ones, and all the ways in which they can be wrong."""

import struct

CLIENT_MAC, SERVER_MAC = bytes.fromhex("020000000002"), bytes.fromhex("020000000001")
IPV4, IPV6, VLAN, SERVICE_VLAN = 0x0800, 0x86DD, 0x8100, 0x88A8
ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
HOP_BY_HOP, ROUTING, FRAGMENT, ESP, AUTHENTICATION, NO_NEXT, DESTINATION, MOBILITY, HIP, SHIM6 = (
    0, 43, 44, 50, 51, 59, 60, 135, 139, 140)
EXTENSIONS = (HOP_BY_HOP, ROUTING, FRAGMENT, AUTHENTICATION, DESTINATION, MOBILITY, HIP, SHIM6, ESP, NO_NEXT, 253)
NUMBERS = (0, 1, 21, 22, 23, 53, 80, 1023, 1024, 65535)
TCP_OPTIONS = (0, 1, 2, 3, 4, 5, 8, 19, 28, 29, 30, 34, 69, 253, 254, 255)
SERVER = {4: bytes([10, 0, 0, 1]), 6: b"\xfd" + bytes(14) + b"\1"}
HOSTS = {4: [bytes([10, 0, 0, host]) for host in range(2, 8)], 6: [b"\xfd" + bytes(14) + bytes([host]) for host in range(2, 8)]}
# The server forwards what is for these.
BEHIND = {4: bytes([10, 0, 1, 2]), 6: b"\xfd" + bytes(6) + b"\1" + bytes(7) + b"\2"}


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data[:len(data) & ~1]))
    total += data[-1] << 8 if len(data) & 1 else 0
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ethernet(payload, kind):
    return SERVER_MAC + CLIENT_MAC + struct.pack("!H", kind) + payload


def ipv4(protocol, payload, source=HOSTS[4][0], destination=SERVER[4], fragment=0, identifier=0, words=None, length=None,
         version=4, ttl=64, options=b""):
    words = 5 + len(options) // 4 if words is None else words
    length = 20 + len(options) + len(payload) if length is None else length
    header = struct.pack("!BBHHHBBH", version << 4 | words & 15, 0, length & 0xFFFF, identifier, fragment, ttl, protocol, 0)
    header += source + destination + options
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + payload


def ipv6(protocol, payload, source=HOSTS[6][0], destination=SERVER[6], length=None, version=6, ttl=64):
    length = len(payload) if length is None else length
    return struct.pack("!IHBB", version << 28, length & 0xFFFF, protocol, ttl) + source + destination + payload


def tcp(source_port, port, flags, options=b"", words=None, payload=b"", number=1, acknowledgement=0, window=8192):
    words = (20 + len(options)) // 4 if words is None else words
    return struct.pack("!HHIIBBHHH", source_port, port, number, acknowledgement, (words & 15) << 4, flags, window, 0, 0) \
        + options + payload


def checked_tcp(source, destination, segment):
    """The segment with its checksum."""
    total = checksum(source + destination + struct.pack("!HH", TCP, len(segment)) + segment)
    return segment[:16] + struct.pack("!H", total) + segment[18:]


def checked_icmp(version, source, destination, message):
    """The message with its checksum."""
    header = b"" if version == 4 else source + destination + struct.pack("!II", len(message), ICMPV6)
    return message[:2] + struct.pack("!H", checksum(header + message)) + message[4:]


def udp(source_port, port, payload=b"data", length=None):
    return struct.pack("!HHHH", source_port, port, 8 + len(payload) if length is None else length, 0) + payload


def icmp(version, kind=None, payload=b"payload!"):
    return struct.pack("!BBHHH", (8 if version == 4 else 128) if kind is None else kind, 0, 0, 1, 1) + payload


def ip(version, protocol, payload, /, **rest):
    if version == 4:
        return ethernet(ipv4(protocol, payload, **rest), IPV4)
    return ethernet(ipv6(protocol, payload, **rest), IPV6)


def transports(version):
    yield TCP, tcp(40000, 22, 2, options=b"\2\4\5\xb4\4\2\x08\x0a" + bytes(8) + b"\1\3\3\7")
    yield UDP, udp(40000, 53)
    yield (ICMP, icmp(4)) if version == 4 else (ICMPV6, icmp(6))


def counted(data):
    """The data behind its length."""
    return struct.pack("!H", len(data)) + data


# What a client says first: a ClientHello of TLS with a name and a protocol, and a request of HTTP.
EXTENSIONS_OF_TLS = b"\0\0" + counted(counted(b"\0" + counted(b"www.example.org"))) + b"\0\x10" + counted(counted(b"\2h2"))
CLIENT_HELLO = b"\3\3" + bytes(32) + b"\0" + counted(b"\x13\1") + b"\1\0" + counted(EXTENSIONS_OF_TLS)
FIRST_DATA = (b"\x16\3\1" + counted(b"\1\0" + counted(CLIENT_HELLO)), b"GET * HTTP/1.1\r\nHost: www.example.org\r\n\r\n")


def samples():
    """Valid packets, at least one for any rule."""
    for version in (4, 6):
        kind = ICMP if version == 4 else ICMPV6
        for source in HOSTS[version]:
            for data in FIRST_DATA:
                yield ip(version, TCP, tcp(1024, 22, 16, payload=data), source=source)
            for destination in SERVER[version], BEHIND[version]:
                echo = checked_icmp(version, source, destination, icmp(version))
                yield ip(version, kind, echo, source=source, destination=destination)
            for flags in [0] + [2] * 25 + [16]:
                yield ip(version, TCP, tcp(1023, 22, flags), source=source)
            for source_port in (1, 52, 53, 65535):
                yield ip(version, UDP, udp(source_port, 53), source=source)
            for _ in range(5):
                yield ip(version, kind, icmp(version), source=source)


def sweep():
    """Every truncation, header length and TCP option, once each."""
    for version in (4, 6):
        for protocol, payload in transports(version):
            for length in range(len(payload) + 1):
                yield ip(version, protocol, payload[:length])
            # The IP header gives a length that is too large, or too small.
            for length in range(0, 60, 3):
                yield ip(version, protocol, payload, length=length)
        for words in range(16):
            for length in (0, 20, 40):
                yield ip(version, TCP, tcp(1, 22, 2, b"\1" * length, words=words))
        for kind in TCP_OPTIONS:
            for length in range(42):
                option = bytes([kind, length]) + bytes(max(length - 2, 0))
                option = option[:40]
                yield ip(version, TCP, tcp(1, 22, 2, option + bytes(-len(option) % 4)))
        for flags in range(256):
            yield ip(version, TCP, tcp(flags + 1, 22, flags))
    for words in range(16):
        for given in (0, 4, 40):
            yield ethernet(ipv4(TCP, tcp(1, 22, 2), words=words, options=b"\1" * given), IPV4)
    for protocol, payload in transports(6):
        for extension in EXTENSIONS:
            for length in (0, 1, 2, 16, 255):
                yield ip(6, extension, (bytes([protocol, length]) + bytes(6) + payload))
            # Chains of one kind of header, some longer than any parser reads, with a transport header or without.
            for count in (1, 2, 8, 9, 64, 180):
                chain = bytes([extension, 0]) + bytes(6)
                yield ip(6, extension, chain * (count - 1) + bytes([protocol, 0]) + bytes(6) + payload)
                yield ip(6, extension, chain * count)
        for cut in range(24):
            yield ip(6, HOP_BY_HOP, (bytes([DESTINATION, 0]) + bytes(6) + bytes([protocol, 0]) + bytes(6) + payload)[:cut])
    for kind in (VLAN, SERVICE_VLAN):
        for cut in range(24):
            yield ethernet((struct.pack("!HH", 5, IPV4) + ipv4(UDP, udp(1, 53)))[:cut], kind)


class Frames:
    """A source of frames, which uses a given source of random numbers."""

    def __init__(self, random):
        self.random = random

    def chance(self, probability):
        return self.random.random() < probability

    def some(self):
        """A frame, or several that belong together."""
        makers = (self.plain, self.lying, self.options, self.extensions, self.fragments, self.vlan, self.large, self.noise)
        frames = self.random.choices(makers, (6, 3, 3, 3, 2, 1, 0.3, 1))[0]()
        if self.chance(0.3):
            frames = [self.mutate(frame) for frame in frames]
        return frames

    def version(self):
        return self.random.choice((4, 6))

    def source(self, version):
        if self.chance(0.8):
            return self.random.choice(HOSTS[version])
        return self.random.choice(HOSTS[version])[:-2] + self.random.randbytes(2)

    def port(self):
        return self.random.choice(NUMBERS)

    def transport(self, version):
        match self.random.randrange(4):
            case 0 | 1:
                payload = self.random.choice((b"", bytes(9)) + FIRST_DATA)
                return TCP, tcp(self.port(), self.port(), self.random.randrange(256), payload=payload,
                                number=self.random.randrange(1 << 32))
            case 2:
                return UDP, udp(self.port(), self.port(), bytes(self.random.choice((0, 1, 9, 600))))
            case _:
                kind = self.random.choice((None, None, self.random.randrange(256)))
                return (ICMP if version == 4 else ICMPV6), icmp(version, kind)

    def plain(self):
        version = self.version()
        protocol, payload = self.transport(version)
        if self.chance(0.1):
            protocol = self.random.randrange(256)
        if self.chance(0.3):
            payload = payload[:self.random.randrange(len(payload) + 1)]
        destination = SERVER[version] if self.chance(0.95) else self.random.randbytes(len(SERVER[version]))
        return [ip(version, protocol, payload, source=self.source(version), destination=destination,
                   ttl=self.random.choice((1, 64, 255)))]

    def lying(self):
        version = self.version()
        protocol, payload = self.transport(version)
        lies = {"length": self.random.choice((0, 19, 20, 21, 40, 48, len(payload), 65535))}
        if self.chance(0.2):
            lies["version"] = self.random.randrange(16)
        if version == 4 and self.chance(0.7):
            lies.update(words=self.random.randrange(16), options=self.random.randbytes(4 * self.random.randrange(11)))
            if self.chance(0.8):
                del lies["length"]
        if protocol == UDP and self.chance(0.5):
            payload = udp(self.port(), self.port(), length=self.random.choice((0, 7, 8, 9, 65535)))
        return [ip(version, protocol, payload, source=self.source(version), **lies)]

    def options(self):
        options = b""
        while len(options) < 40 and self.chance(0.85):
            kind = self.random.choice(TCP_OPTIONS)
            size = self.random.choice((0, 1, 2, 3, 4, 8, 10, 18, 40, 255))
            options += bytes([kind]) if kind < 2 else bytes([kind, size]) + self.random.randbytes(max(size - 2, 0))
        options = options[:40]
        options += bytes(-len(options) % 4)
        words = None if self.chance(0.7) else self.random.randrange(16)
        segment = tcp(self.port(), self.port(), self.random.choice((2, 2, 16, 18, 24)), options, words)
        version = self.version()
        return [ip(version, TCP, segment, source=self.source(version))]

    def extensions(self):
        kinds = [self.random.choice(EXTENSIONS) for _ in range(self.random.choice((1, 1, 2, 3, 7, 40)))]
        protocol, payload = self.transport(6)
        after = protocol
        for kind in reversed(kinds):
            size = self.random.choice((0, 0, 0, 1, 2, 30))
            header = bytes([after, size if self.chance(0.9) else self.random.randrange(256)])
            header += self.random.randbytes(6) if self.chance(0.3) else bytes(6)
            payload = header + (bytes(8 * size) if kind != FRAGMENT else b"") + payload
            after = kind
        length = None if self.chance(0.9) else self.random.randrange(1 << 16)
        return [ip(6, after, payload[:60000], source=self.source(6), length=length)]

    def fragments(self):
        version = self.version()
        protocol, payload = self.transport(version)
        payload += bytes(self.random.choice((8, 24, 100)))
        source, identifier = self.source(version), self.random.randrange(1 << 16)
        size = self.random.choice((8, 8, 16, 24, 40))
        pieces = [(at, payload[at:at + size], at + size < len(payload)) for at in range(0, len(payload), size)]
        match self.random.randrange(6):
            case 0:
                pieces = pieces[1:]
            case 1:
                self.random.shuffle(pieces)
            case 2:
                # They overlap, in part or completely.
                pieces += [(max(at - 8, 0), part, more) for at, part, more in pieces]
            case 3:
                pieces = [(at, part[:self.random.randrange(len(part) + 1)], more) for at, part, more in pieces]
            case 4:
                pieces = [(65528, payload, self.chance(0.5))]
        return [self.fragment(version, protocol, source, identifier, *piece) for piece in pieces]

    def fragment(self, version, protocol, source, identifier, at, part, more):
        if version == 4:
            return ip(4, protocol, part, source=source, identifier=identifier, fragment=at >> 3 | more << 13)
        header = struct.pack("!BBHI", protocol, 0, at & 0xFFF8 | more, identifier)
        return ip(6, FRAGMENT, header + part, source=source)

    def vlan(self):
        frame = self.plain()[0]
        for _ in range(self.random.choice((1, 1, 2, 3))):
            tag = struct.pack("!HH", self.random.choice((VLAN, SERVICE_VLAN)), self.random.choice((0, 5, 6, 0x2005, 4095)))
            frame = frame[:12] + tag + frame[12:]
        return [frame]

    def large(self):
        version = self.version()
        size = self.random.choice((1500, 4096, 9000, 60000, 65400))
        protocol, payload = self.random.choice(((TCP, tcp(1, 22, 16, payload=bytes(size))), (UDP, udp(1, 53, bytes(size)))))
        return [ip(version, protocol, payload, source=self.source(version))]

    def noise(self):
        kind = self.random.choice((IPV4, IPV6, IPV4, IPV6, self.random.randrange(1 << 16)))
        noise = bytearray(self.random.randbytes(self.random.choice((0, 1, 19, 20, 39, 40, 60, 200))))
        if noise and self.chance(0.8):
            noise[0] = 0x45 if kind == IPV4 else 0x60
            noise[2:4] = struct.pack("!H", len(noise))[:len(noise[2:4])]
        frame = ethernet(bytes(noise), kind)
        return [self.repair(bytearray(frame)) if self.chance(0.7) else frame]

    def mutate(self, frame):
        data = bytearray(frame)
        for _ in range(self.random.choice((1, 1, 2, 6))):
            at = self.random.randrange(14, len(data)) if len(data) > 14 else 0
            match self.random.randrange(4):
                case 0:
                    data[at:at + 1] = bytes([self.random.choice((0, 1, 127, 128, 255))])
                case 1:
                    data[at:at + 1] = self.random.randbytes(1)
                case 2:
                    del data[max(at, 14):]
                case 3:
                    data += self.random.randbytes(self.random.randrange(64))
        return self.repair(data) if self.chance(0.8) else bytes(data)

    @staticmethod
    def repair(data):
        """Fixes the checksum of an IPv4 header. With a wrong one, a packet reaches no hook."""
        if len(data) >= 34 and data[12:14] == b"\x08\x00":
            header = data[14:14 + 4 * (data[14] & 15)]
            if 20 <= len(header):
                header[10:12] = b"\0\0"
                data[24:26] = struct.pack("!H", checksum(bytes(header)))
        return bytes(data)
