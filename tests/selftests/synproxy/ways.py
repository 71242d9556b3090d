#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Which SYNs SYNPROXY answers, by which way, and which MSS it announces there.

A host does not answer a SYN that its source cannot have sent, or that was sent to other hosts as well. Each row is a SYN,
and the wire on which its answer has to appear.

lib/synproxy/hosts.py draws the hosts. check_tun adds a tun device to the proxy's, check_own_addresses a pair of veths:

    +----------------------------------+
    |              proxy               |
    |                                  |
    |  tun9   10.9.0.1/24              |      the test reads and writes tun9 by its file
    |  spare  198.51.100.7/32, spare2  |
    +----------------------------------+
"""

import contextlib
import fcntl
import ipaddress
import os
import pathlib
import socket
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from genetlink import Report
from synproxy.ends import Client, Connection, use_new_server
from synproxy.hosts import ETH_P_ALL, ETHERNET, PROXY, WIRES, Hosts, enter, run
from tcp_segments import ACK, SYN, Options, Segment, parse, total

OPTIONS = Options(1460, 7, True, (1, 0))
FAR = {4: "198.51.100.7", 6: "2001:db8::7"}
EVERYBODY = b"\xff" * 6
# The MAC address of another host on the left, such as a director that has passed the SYN on.
ANOTHER = bytes([2, 0, 0, 0, 1, 9])
# IFF_TUN | IFF_NO_PI, and the ioctl that makes such a device.
TUN, TUNSETIFF = 0x1001, 0x400454CA
LEFT, RIGHT = "left", "right"
ports = iter(range(30000, 40000))


def with_ip_options(packet, options):
    """Adds options to an IPv4 packet."""
    options += b"\1" * (-len(options) % 4)
    header = bytes([0x40 | (20 + len(options)) // 4, packet[1]]) + struct.pack("!H", len(packet) + len(options))
    header += packet[4:10] + b"\0\0" + packet[12:20] + options
    return header[:10] + struct.pack("!H", ~total(header) & 0xFFFF) + header[12:] + packet[20:]


def with_extension(packet, kind, extension):
    """Adds an extension header, given from its second byte on, to an IPv6 packet."""
    extension = bytes([packet[6]]) + extension
    length = struct.unpack("!H", packet[4:6])[0] + len(extension)
    return packet[:4] + struct.pack("!HB", length, kind) + packet[7:40] + extension + packet[40:]


def nothing_else(packet):
    return packet


def ip_options(options):
    return lambda packet: with_ip_options(packet, options)


def extension(kind, data):
    return lambda packet: with_extension(packet, kind, data)


def time_to_live(packet):
    """Sets the TTL or hop limit of a packet to 1."""
    if packet[0] >> 4 == 6:
        return packet[:7] + b"\1" + packet[8:]
    header = packet[:8] + b"\1" + packet[9:10] + b"\0\0" + packet[12:20]
    return header[:10] + struct.pack("!H", ~total(header) & 0xFFFF) + header[12:] + packet[20:]


class Answers:
    """Sends SYNs, and tells on which wire their answers appear."""

    def __init__(self, hosts):
        self.hosts, self.wires = hosts, {LEFT: hosts.left, RIGHT: hosts.right}

    def to(self, source, destination, wire=LEFT, address=None, sender=None, change=nothing_else):
        """Sends a SYN. Returns the wire of the answer, its destination MAC address, and the answer."""
        hosts, wire = self.hosts, self.wires[wire]
        port = next(ports)
        segment = Segment(ipaddress.ip_address(source), ipaddress.ip_address(destination), port, 80, 1000, 0, SYN,
                          options=OPTIONS)
        data = change(segment.packet())
        for one in self.wires.values():
            one.inbox.clear()
        frame = (address or wire.proxy_mac) + (sender or wire.mac) + ETHERNET[data[0] >> 4] + data
        wire.socket.send(frame)
        hosts.settle()
        hosts.right.settle()
        for name, one in self.wires.items():
            for answer in one.take(lambda segment: True):
                if answer.flags & (SYN | ACK) == SYN | ACK and answer.port == port:
                    return name, one.addressed_to, answer
        return None, None, None

    def at(self, *arguments, **more):
        return self.to(*arguments, **more)[0]


def rows(hosts, version):
    """SYNs, and where a host that forwards answers each of them."""
    left, right = hosts.left, hosts.right
    own, host, server = left.own[version], left.proxy[version], right.own[version]
    yield "to this host", LEFT, (own, host), {}
    yield "to a server behind it", LEFT, (own, server), {}
    for what, destination in ("this host", host), ("a server behind it", server):
        yield f"in a broadcast of the link, to {what}", None, (own, destination), {"address": EVERYBODY}
        yield f"in a multicast of the link, to {what}", None, (own, destination), {"address": b"\1\0\x5e\0\0\1"}
    yield "from another network behind this host", RIGHT, (right.own[version], host), {}
    yield "from an address without a route", None, (FAR[version], host), {}
    yield "from this host's own address", None, (host, host), {}
    yield "from this host's other address", None, (right.proxy[version], host), {}
    yield "with TTL 1, to this host", LEFT, (own, host), {"change": time_to_live}
    yield "with TTL 1, to a server", None, (own, server), {"change": time_to_live}
    if version == 4:
        for source in "0.0.0.0", "127.0.0.1", "224.0.0.5", "240.0.0.1", "255.255.255.255", "10.1.0.255":
            yield f"from {source}", None, (source, host), {}
        for destination in "127.0.0.1", "224.0.0.1", "255.255.255.255", "10.1.0.255", "10.2.0.255", "0.0.0.0":
            yield f"to {destination}", None, (own, destination), {}
        route = struct.pack("!BBB4s", 131, 7, 4, server.packed)
        yield "with a loose source route", None, (own, host), {"change": ip_options(route)}
        yield "with a strict source route", None, (own, host), {"change": ip_options(b"\x89" + route[1:])}
        yield "with a source route behind other options", None, (own, host), {
            "change": ip_options(b"\1\x94\4\0\0" + route)}
        yield "with a malformed option", None, (own, host), {"change": ip_options(b"\x94\1")}
        yield "with a harmless option", LEFT, (own, host), {"change": ip_options(b"\x94\4\0\0")}
        return
    for source in "::", "::1", "ff02::1", "::ffff:10.1.0.2":
        yield f"from {source}", None, (source, host), {}
    for destination in "::1", "ff02::1", "ff0e::1":
        yield f"to {destination}", None, (own, destination), {}
    yield "from a link-local address, to a server", None, ("fe80::2", server), {}
    yield "with a routing header with segments left", None, (own, host), {
        "change": extension(43, b"\2\0\1\0\0\0\0" + server.packed)}
    yield "with a routing header without segments left", LEFT, (own, host), {
        "change": extension(43, b"\2\0\0\0\0\0\0" + server.packed)}
    yield "with an unknown option that must not be skipped", None, (own, host), {"change": extension(60, b"\0\x9e\4\0\0\0\0")}
    yield "with an unknown option that may be skipped", LEFT, (own, host), {"change": extension(60, b"\0\x1e\4\0\0\0\0")}


def check_rows(hosts, report, version):
    answers = Answers(hosts)
    for what, expected, arguments, more in rows(hosts, version):
        found = answers.at(*arguments, **more)
        report.check(f"IPv{version}: a SYN {what} is {'answered' if expected else 'not answered'}", found == expected,
                     f"answered on {found}, not on {expected}")
    # Without forwarding, a host answers only for itself.
    own, host, server = hosts.left.own[version], hosts.left.proxy[version], hosts.right.own[version]
    name = "net.ipv4.ip_forward" if version == 4 else "net.ipv6.conf.all.forwarding"
    hosts.run("sysctl", "-qw", f"{name}=0")
    found = answers.at(own, host), answers.at(own, server)
    hosts.run("sysctl", "-qw", f"{name}=1")
    report.check(f"IPv{version}: without forwarding, the host answers only for itself", found == (LEFT, None), found)


def check_reverse_path(hosts, report):
    answers = Answers(hosts)
    source, host = hosts.right.own[4], hosts.left.proxy[4]
    for value, expected, unroutable in ("1", None, None), ("2", RIGHT, None), ("0", RIGHT, None):
        hosts.run("sysctl", "-qw", f"net.ipv4.conf.left.rp_filter={value}")
        found = answers.at(source, host), answers.at(FAR[4], host), answers.at(hosts.left.own[4], host)
        report.check(f"rp_filter={value} decides which SYNs are answered", found == (expected, unroutable, LEFT), found)


def check_own_addresses(hosts, report):
    """No other host may send with an address of this host, even while the device with the address is down."""
    answers = Answers(hosts)
    own, host = FAR[4], hosts.left.proxy[4]
    hosts.run("ip", "route", "add", "default", "via", str(hosts.left.own[4]))
    found = [answers.at(own, host)]
    for command in ("link", "add", "spare", "type", "veth", "peer", "name", "spare2"), (
            "address", "add", f"{own}/32", "dev", "spare"), ("link", "set", "spare", "up"), (
            "link", "set", "spare", "down"), ("link", "delete", "spare"):
        hosts.run("ip", *command)
        found.append(answers.at(own, host))
    hosts.run("ip", "route", "delete", "default")
    report.check("a SYN from an address of a device that is down is not answered",
                 found == [LEFT, LEFT, None, None, None, LEFT], found)


def check_ways(hosts, report, version):
    answers = Answers(hosts)
    left, right = hosts.left, hosts.right
    ip = "ip", f"-{version}"
    # A director passes a SYN on with its own MAC address.
    for what, server in ("this host", left.proxy[version]), ("a server", right.own[version]):
        wire, address, _ = answers.to(left.own[version], server, sender=ANOTHER)
        report.check(f"IPv{version}: a SYN that a director passed on to {what} is answered to the client",
                     (wire, address) == (LEFT, left.mac), wire, address)
    # Two uplinks. By the main table, all packets leave on the left.
    hosts.run(*ip, "route", "add", "default", "via", str(left.own[version]))
    hosts.run(*ip, "route", "add", "default", "via", str(right.own[version]), "table", "102")
    far, host = FAR[version], right.proxy[version]
    wire, address, _ = answers.to(far, host, wire=RIGHT)
    report.check(f"IPv{version}: a SYN from another uplink is answered by the routing table",
                 (wire, address) == (LEFT, left.mac), wire, address)
    hosts.run(*ip, "rule", "add", "fwmark", "2", "table", "102")
    wire, address, _ = answers.to(far, host, wire=RIGHT)
    report.check(f"IPv{version}: or on its own uplink, if a rule for marks may lead there",
                 (wire, address) == (RIGHT, right.mac), wire, address)
    hosts.run(*ip, "rule", "delete", "fwmark", "2", "table", "102")
    hosts.run(*ip, "route", "flush", "table", "102")
    hosts.run(*ip, "route", "delete", "default")


def check_sizes(hosts, report, version):
    answers = Answers(hosts)
    headers = 40 if version == 4 else 60
    left, right = hosts.left, hosts.right

    def told(*how):
        hosts.run("ip", f"-{version}", "route", "replace", f"{FAR[version]}", "via", str(left.own[version]), *how)
        _, _, answer = answers.to(FAR[version], right.own[version])
        return answer and answer.options.mss
    for how, expected in ((), 1500 - headers), (("mtu", "1400"), 1400 - headers), (("advmss", "1000"), 1000):
        found = told(*how)
        report.check(f"IPv{version}: the MSS is no larger than the route to the client allows{' by ' + how[0] if how else ''}",
                     found == expected, f"{found}, not {expected}")
    hosts.run("ip", f"-{version}", "route", "delete", FAR[version])

    # Rules that clamp the server's MSS (as TCPMSS does), in nftables' language.
    use_new_server()
    connection = Connection(hosts, version)
    whole = connection.client.ask().options.mss
    hosts.run("nft", "-f", "-", input="""
        table inet clamps {
            chain one {
                type filter hook postrouting priority mangle
                oifname "left" tcp flags syn / syn,rst tcp option maxseg size set 1200
            }
        }""")
    Connection(hosts, version).open()
    clamped = Client(hosts, left, right.own[version]).ask().options.mss
    elsewhere = Client(hosts, hosts.vlan, right.own[version]).ask().options.mss
    hosts.run("nft", "delete", "table", "inet", "clamps")
    Connection(hosts, version).open()
    after = Client(hosts, left, right.own[version]).ask().options.mss
    expected = whole, 1200, whole, whole
    report.check(f"IPv{version}: the MSS is no larger than rules clamp the server's to, for the same device only",
                 (whole, clamped, elsewhere, after) == expected, (whole, clamped, elsewhere, after), expected)


@contextlib.contextmanager
def tun(hosts):
    """A device without a link layer on the proxy, and packet sockets on it and on lo."""
    enter(PROXY)
    device = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH", b"tun9", TUN))
    run("ip", "-batch", "-", input="address add 10.9.0.1/24 dev tun9\nlink set tun9 up")
    taps = [socket.socket(socket.AF_PACKET, socket.SOCK_RAW) for _ in range(2)]
    for tap, name in zip(taps, ("tun9", "lo")):
        tap.bind((name, ETH_P_ALL))
        tap.setblocking(False)
    enter(WIRES)
    yield device, taps
    for tap in taps:
        tap.close()
    os.close(device)


def check_tun(hosts, report):
    with tun(hosts) as (device, taps):
        for source, destination, is_answered in (
                ("10.9.0.7", "10.9.0.1", True), ("10.9.0.7", "10.2.0.2", True), ("127.0.0.1", "10.9.0.1", False),
                ("127.0.0.1", "10.1.0.1", False), ("10.1.0.1", "10.9.0.1", False), ("10.9.0.255", "10.9.0.1", False),
                ("10.9.0.7", "10.9.0.255", False), ("10.9.0.7", "127.0.0.1", False)):
            port = next(ports)
            segment = Segment(ipaddress.ip_address(source), ipaddress.ip_address(destination), port, 80, 1000, 0, SYN,
                              options=OPTIONS)
            os.write(device, segment.packet())
            hosts.settle()
            found = False
            for tap, start in zip(taps, (0, 14)):
                with contextlib.suppress(BlockingIOError):
                    while frame := tap.recv(65536):
                        answer = parse(frame[start:]) if frame[start] >> 4 == 4 else None
                        found |= bool(answer and answer.port == port and answer.flags & ACK)
            expect_answer(report, f"a SYN from {source} to {destination} by a tun device", found, is_answered)


def expect_answer(report, what, found, wanted):
    report.check(f"{what} is {'answered' if wanted else 'not answered'}", found == wanted)


def main():
    report, hosts = Report(), Hosts()
    try:
        hosts.use("learned")
        hosts.run("sysctl", "-qw", "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.left.rp_filter=0",
                  "net.ipv4.conf.right.rp_filter=0")
        run("modprobe", "tun")
        for version in 4, 6:
            check_rows(hosts, report, version)
            check_sizes(hosts, report, version)
        check_reverse_path(hosts, report)
        check_own_addresses(hosts, report)
        # Once there has been a policy routing rule, SYNPROXY takes the full route lookup, with the same results.
        for version in 4, 6:
            check_ways(hosts, report, version)
        report.prefix = "after rules: "
        for version in 4, 6:
            check_rows(hosts, report, version)
            check_sizes(hosts, report, version)
        check_reverse_path(hosts, report)
        check_own_addresses(hosts, report)
        report.prefix = ""
        check_tun(hosts, report)
    finally:
        hosts.remove()
    report.finish()


main()
