# SPDX-License-Identifier: GPL-2.0
"""TCP segments, built and parsed byte by byte, valid or not."""

import dataclasses
import ipaddress
import struct

FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = (1 << bit for bit in range(8))
NAMES = dict(zip((FIN, SYN, RST, PSH, ACK, URG, ECE, CWR), ("FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR")))
TCP, DESTINATION_OPTIONS, FRAGMENT = 6, 60, 44
MODULUS = 1 << 32


def total(data):
    """The sum of the Internet checksum (RFC 1071), before it is inverted."""
    data += bytes(len(data) % 2)
    words = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while words >> 16:
        words = (words & 0xFFFF) + (words >> 16)
    return words


def pseudo_header(source, destination, length):
    if source.version == 4:
        return source.packed + destination.packed + struct.pack("!HH", TCP, length)
    return source.packed + destination.packed + struct.pack("!II", length, TCP)


@dataclasses.dataclass(frozen=True)
class Options:
    """The options of a segment. Timestamps are the value and the echo reply (TSval, TSecr)."""

    mss: int | None = None
    scale: int | None = None
    sack: bool = False
    timestamps: tuple[int, int] | None = None
    blocks: tuple[tuple[int, int], ...] = ()

    def pack(self):
        data = b""
        if self.mss is not None:
            data += struct.pack("!BBH", 2, 4, self.mss)
        if self.sack:
            data += b"\4\2"
        if self.timestamps:
            data += struct.pack("!BBII", 8, 10, *(clock % MODULUS for clock in self.timestamps))
        if self.scale is not None:
            data += b"\1" + struct.pack("!BBB", 3, 3, self.scale)
        if self.blocks:
            data += struct.pack("!BB", 5, 2 + 8 * len(self.blocks))
            data += b"".join(struct.pack("!II", start % MODULUS, end % MODULUS) for start, end in self.blocks)
        return data + b"\1" * (-len(data) % 4)

    @classmethod
    def parse(cls, data):
        found, at = {}, 0
        while at < len(data) and data[at] != 0:
            if data[at] == 1:
                at += 1
                continue
            length = data[at + 1] if at + 1 < len(data) else 0
            if length < 2 or at + length > len(data):
                raise ValueError(f"options {data.hex()}")
            body = data[at + 2:at + length]
            match data[at], length:
                case 2, 4:
                    found["mss"] = struct.unpack("!H", body)[0]
                case 3, 3:
                    found["scale"] = body[0]
                case 4, 2:
                    found["sack"] = True
                case 5, _:
                    edges = struct.unpack(f"!{len(body) // 4}I", body)
                    found["blocks"] = tuple(zip(edges[::2], edges[1::2]))
                case 8, 10:
                    found["timestamps"] = struct.unpack("!II", body)
            at += length
        return cls(**found)


@dataclasses.dataclass(frozen=True)
class Segment:
    source: ipaddress.IPv4Address | ipaddress.IPv6Address
    destination: ipaddress.IPv4Address | ipaddress.IPv6Address
    source_port: int
    port: int
    sequence: int
    acknowledged: int
    flags: int
    window: int = 64240
    options: Options = Options()
    payload: bytes = b""
    # By default these follow from the fields above.
    raw_options: bytes | None = None
    words: int | None = None
    checksum: int | None = None
    # Of a received segment: whether its checksums were right, and the TTL or hop limit.
    right: bool = True
    time_to_live: int = 64

    def tcp(self):
        options = self.options.pack() if self.raw_options is None else self.raw_options
        words = 5 + len(options) // 4 if self.words is None else self.words
        header = struct.pack("!HHIIBBHHH", self.source_port, self.port, self.sequence % MODULUS,
                             self.acknowledged % MODULUS, words << 4, self.flags, self.window, 0, 0)
        data = header + options + self.payload
        checksum = self.checksum
        if checksum is None:
            checksum = ~total(pseudo_header(self.source, self.destination, len(data)) + data) & 0xFFFF
        return data[:16] + struct.pack("!H", checksum) + data[18:]

    def packet(self):
        return packet(self.source, self.destination, self.tcp(), self.time_to_live)

    def has(self, flags):
        """Whether it has these flags and no others. ECE, CWR and PSH do not count."""
        return self.flags & ~(ECE | CWR | PSH) == flags

    def length(self):
        """How much sequence space it takes up."""
        return len(self.payload) + bool(self.flags & SYN) + bool(self.flags & FIN)

    def __str__(self):
        flags = "+".join(name for flag, name in NAMES.items() if self.flags & flag) or "none"
        options = ", ".join(f"{field.name} {getattr(self.options, field.name)}" for field in dataclasses.fields(Options)
                            if getattr(self.options, field.name) not in (None, False, ()))
        return (f"{self.source}:{self.source_port} > {self.destination}:{self.port} {flags} {self.sequence}"
                f" ack {self.acknowledged} window {self.window} length {len(self.payload)} [{options}]"
                f"{'' if self.right else ' WRONG CHECKSUM'}")


def packet(source, destination, payload, time_to_live=64, fragment=0, identifier=0, following=TCP):
    """An IP packet. For IPv4, fragment is the field of the header."""
    if source.version == 6:
        return (struct.pack("!IHBB", 6 << 28, len(payload), following, time_to_live) + source.packed
                + destination.packed + payload)
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), identifier, fragment, time_to_live, following, 0)
    header += source.packed + destination.packed
    return header[:10] + struct.pack("!H", ~total(header) & 0xFFFF) + header[12:] + payload


def fragments(segment, size=24):
    """The IP fragments of a segment."""
    data = segment.tcp()
    for at in range(0, len(data), size):
        more = at + size < len(data)
        part = data[at:at + size]
        if segment.source.version == 4:
            yield packet(segment.source, segment.destination, part, fragment=at >> 3 | more << 13,
                         identifier=segment.source_port)
        else:
            header = struct.pack("!BBHI", TCP, 0, at | more, segment.source_port)
            yield packet(segment.source, segment.destination, header + part, following=FRAGMENT)


def with_destination_options(segment):
    """The packet of a segment behind an IPv6 extension header with padding alone."""
    return packet(segment.source, segment.destination, bytes([TCP, 0, 1, 4, 0, 0, 0, 0]) + segment.tcp(),
                  following=DESTINATION_OPTIONS)


def parse(data):
    """The segment in an IP packet, or None if there is none."""
    version = data[0] >> 4
    if version == 4:
        size, length = (data[0] & 15) * 4, int.from_bytes(data[2:4])
        time_to_live, protocol = data[8], data[9]
        source, destination = ipaddress.ip_address(data[12:16]), ipaddress.ip_address(data[16:20])
        body = data[size:length]
        right = total(data[:size]) == 0xFFFF
    else:
        protocol, time_to_live = data[6], data[7]
        source, destination = ipaddress.ip_address(data[8:24]), ipaddress.ip_address(data[24:40])
        body = data[40:40 + int.from_bytes(data[4:6])]
        if protocol == DESTINATION_OPTIONS and len(body) >= 8:
            protocol, body = body[0], body[8 + body[1] * 8:]
        right = True
    if protocol != TCP:
        return None
    right = right and total(pseudo_header(source, destination, len(body)) + body) == 0xFFFF
    source_port, port, sequence, acknowledged, words, flags, window = struct.unpack("!HHIIBBH", body[:16])
    size = (words >> 4) * 4
    return Segment(source, destination, source_port, port, sequence, acknowledged, flags, window,
                   Options.parse(body[20:size]), body[size:], right=right, time_to_live=time_to_live)
