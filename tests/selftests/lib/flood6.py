#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Floods an IPv6 address, as hping3 does for IPv4.

flood6.py FLAGS ADDRESS [COUNT]: sends COUNT segments, or segments without end, from random addresses to port 80. FLAGS is
the number in the TCP header.
"""

import itertools
import random
import socket
import sys
import time

from packet_frames import TCP, checked_tcp, ipv6, tcp

PORT = 80
PREFIX = bytes.fromhex("20010db8")
OPTIONS = b"\2\4\5\xa0\4\2\x08\x0a" + bytes(8) + b"\1\3\3\7"
SYN = 2
# Made beforehand, since making a packet takes longer than sending it.
DISTINCT = 5000
A_WHILE, PACKETS_IN_IT = 0.01, 50


def packet(flags, destination):
    source = PREFIX + random.randbytes(12)
    segment = tcp(random.randrange(1024, 65536), PORT, flags, OPTIONS if flags & SYN else b"",
                  number=random.getrandbits(32), acknowledgement=random.getrandbits(32))
    return ipv6(TCP, checked_tcp(source, destination, segment), source=source, destination=destination)


def main(flags, address, count=None):
    destination = socket.inet_pton(socket.AF_INET6, address)
    packets = [packet(int(flags), destination) for _ in range(min(int(count or DISTINCT), DISTINCT))]
    sender = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)
    print("flooding", flush=True)
    for number, one in enumerate(itertools.islice(itertools.cycle(packets), int(count) if count else None)):
        sender.sendto(one, (address, 0))
        if number % PACKETS_IN_IT == 0:
            time.sleep(A_WHILE)


main(*sys.argv[1:])
