# SPDX-License-Identifier: GPL-2.0
"""Looks at what comes back when a few packets are sent, which is not measured."""
import collections
import contextlib
import socket
import struct

FLAGS = ((0x02, "SYN"), (0x10, "ACK"), (0x04, "RST"), (0x01, "FIN"), (0x08, "PSH"))
OPTIONS = {2: "MSS", 3: "WS", 4: "SACK", 8: "TS"}
SO_RCVBUFFORCE = 33
ETH_P_IP, ETH_P_IPV6 = 0x0800, 0x86dd


def options_of(segment):
    """The names of a segment's options, and their values where all answers have to have the same."""
    rest = segment[20:(segment[12] >> 4) * 4]
    found = []
    while rest and rest[0] != 0:
        if rest[0] == 1:
            rest = rest[1:]
            continue
        name = OPTIONS.get(rest[0], str(rest[0]))
        value = int.from_bytes(rest[2:rest[1]], "big")
        found.append(f"{name} {value}" if name in ("MSS", "WS") else name)
        rest = rest[rest[1]:]
    return found


def segment_of(frame):
    """The TCP segment in a frame, if it has one."""
    if frame[14] >> 4 == 6:
        protocol, start = frame[20], 54
    else:
        protocol, start = frame[23], (frame[14] & 15) * 4 + 14
    return frame[start:] if protocol == socket.IPPROTO_TCP else None


def described(segment):
    """Its source port, flags and options, as one line."""
    port, = struct.unpack_from("!H", segment)
    flags = "-".join(name for bit, name in FLAGS if segment[13] & bit)
    return ", ".join([f"{flags} from {port}", *sorted(options_of(segment))])


@contextlib.contextmanager
def watched(interface, protocol):
    """Counts the segments of IPv4 or IPv6 that come in while the body runs, by what they are."""
    seen = collections.Counter()
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 25)
        receiver.bind((interface, protocol))
        yield seen
        receiver.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                frame, origin = receiver.recvfrom(2048)
                # Sockets of a protocol do not see what is sent, but may one day.
                segment = segment_of(frame)
                if origin[2] != socket.PACKET_OUTGOING and segment:
                    seen[described(segment)] += 1
