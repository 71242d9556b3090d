# SPDX-License-Identifier: GPL-2.0
"""A host with SYNPROXY between two links, at whose other ends the tests make all packets themselves.

The other ends are in a namespace without addresses, whose kernel answers nothing. The addresses of clients and servers
exist in the test and as permanent neighbours of the proxy alone.

    +--------------------+        +-------------------------------------------+        +--------------------+
    |       wires        |        |                   proxy                   |        |       wires        |
    |                    |        |  (rules, SYNPROXY, forwards,              |        |                    |
    |   played: client   |        |   servers of its own)                     |        |   played: server   |
    |                    |        |                                           |        |                    |
    |              left -+--------+- left                             right  -+--------+- right             |
    |          10.1.0.2  |        |  10.1.0.1/24                 10.2.0.1/24  |        |  10.2.0.2          |
    |         fd00:1::2  |        |  fd00:1::1/64               fd00:2::1/64  |        |  fd00:2::2         |
    |                    |        |                                           |        |                    |
    |            left.5 -+- - - - +- left.5  (VLAN id 5 on left)              |        +--------------------+
    |          10.5.0.2  |        |  10.5.0.1/24                              |
    |         fd00:5::2  |        |  fd00:5::1/64                             |
    +--------------------+        +-------------------------------------------+

"wires" is one namespace. In network N, its end has the MAC address 02:00:00:00:0N:02, the proxy's 02:00:00:00:0N:01.
"""

import ipaddress
import os
import pathlib
import select
import socket
import struct
import subprocess
import time

from tcp_segments import parse

WIRES, PROXY = "wires", "proxy"
PORTS = "80:9999"
ETH_P_ALL, ETH_P_ARP, PACKET_OUTGOING, SO_RCVBUFFORCE = 3, 0x0806, 4, 33
ETHERNET = {4: b"\x08\x00", 6: b"\x86\xdd"}
COUNT = pathlib.Path("/proc/sys/net/netfilter/nf_conntrack_count")


def run(*command, **more):
    return subprocess.run(command, check=True, text=True, **more)


def enter(host):
    with open(f"/run/netns/{host}") as namespace:
        os.setns(namespace.fileno(), os.CLONE_NEWNET)


def five_steps(command, options):
    """The rules that SYNPROXY of iptables needs."""
    yield f"{command} -t raw -A PREROUTING -p tcp --dport {PORTS} --syn -j CT --notrack"
    for chain in "INPUT", "FORWARD":
        yield f"{command} -A {chain} -p tcp --dport {PORTS} -m state --state INVALID,UNTRACKED -j SYNPROXY {options}"
        yield f"{command} -A {chain} -p tcp -m state --state INVALID -j DROP"


OPTIONS = "--sack-perm --timestamp --mss 1460 --wscale 9"
ONE_RULE = f"palisade -t raw -A PREROUTING -p tcp --dport {PORTS} -j SYNPROXY"
# The kinds of rules, by name.
RULES = {
    "learned": [ONE_RULE],
    "options": [f"{ONE_RULE} {OPTIONS}"],
    "five": list(five_steps("palisade", OPTIONS)),
    "flooded": [f"{ONE_RULE} --when-flooded 5/5"],
    "limited": [ONE_RULE],
    "iptables": [rule for command in ("iptables", "ip6tables") for rule in five_steps(command, OPTIONS)],
}


# The module's parameter of that name for the kind `limited`.
MAX_HELD = 2048


def load(kind):
    if kind == "limited":
        subprocess.run(["rmmod", "palisade"], stderr=subprocess.DEVNULL)
        run("modprobe", "palisade", f"max_held={MAX_HELD}")
    elif kind != "iptables":
        run("modprobe", "palisade")


def is_unreachable(packet):
    """Whether a packet is an ICMP destination unreachable error."""
    if packet[0] == 0x45:
        return packet[9] == 1 and packet[20] == 3
    return packet[0] >> 4 == 6 and packet[6] == 58 and packet[40] == 1


def quoted_ports(packet):
    """The ports of the segment that an ICMP error quotes. None if the packet is no ICMP error."""
    if packet[0] >> 4 == 4 and packet[9] == 1 and packet[20] in (3, 4, 5, 11, 12):
        quoted = packet[28:]
        start = (quoted[0] & 15) * 4
    elif packet[0] >> 4 == 6 and packet[6] == 58 and packet[40] < 128:
        quoted, start = packet[48:], 40
    else:
        return None
    return set(struct.unpack_from("!HH", quoted, start))


class Wire:
    """The test's end of a link to the proxy."""

    def __init__(self, name, network):
        self.name, self.network = name, network
        self.inbox, self.log = [], []
        # ICMP errors that arrived, with their IP headers.
        self.errors = []
        # Segments, and errors about segments, that arrived: length, ports, and the segment or None.
        self.arrivals = []
        # The destination MAC address of the last segment.
        self.addressed_to = None
        self.mac = bytes([2, 0, 0, 0, network, 2])
        self.proxy_mac = bytes([2, 0, 0, 0, network, 1])
        self.proxy = {4: ipaddress.ip_address(f"10.{network}.0.1"), 6: ipaddress.ip_address(f"fd00:{network}::1")}
        self.own = {4: ipaddress.ip_address(f"10.{network}.0.2"), 6: ipaddress.ip_address(f"fd00:{network}::2")}

    def open(self):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 23)
        self.socket.bind((self.name, ETH_P_ALL))
        self.socket.setblocking(False)

    def commands(self):
        mac, own = self.mac.hex(":"), self.own
        yield f"link set {self.name} up"
        for version, length in (4, 24), (6, 64):
            yield f"address add {self.proxy[version]}/{length} dev {self.name} {'nodad' if version == 6 else ''}"
            yield f"neighbour add {own[version]} lladdr {mac} dev {self.name}"

    def send(self, data):
        """Sends an IP packet, or a segment."""
        if not isinstance(data, bytes):
            self.log.append(f"{self.name} sends {data}")
            data = data.packet()
        self.socket.send(self.proxy_mac + self.mac + ETHERNET[data[0] >> 4] + data)

    def drain(self):
        """Reads what has arrived. Returns whether an ARP reply was among it."""
        marked = False
        while True:
            try:
                frame, address = self.socket.recvfrom(65536)
            except BlockingIOError:
                return marked
            if address[2] == PACKET_OUTGOING:
                continue
            marked |= address[1] == ETH_P_ARP and frame[20:22] == b"\0\2"
            if frame[12:14] not in ETHERNET.values():
                continue
            segment = parse(frame[14:])
            ports = {segment.source_port, segment.port} if segment else quoted_ports(frame[14:])
            if ports:
                self.arrivals.append((len(frame) - 14, ports, segment))
            if segment:
                self.log.append(f"{self.name} gets {segment}")
                self.addressed_to = frame[:6]
                self.inbox.append(segment)
            elif is_unreachable(frame[14:]):
                self.errors.append(frame[14:])

    def settle(self):
        """Returns when all answers to what was sent have arrived.

        Packets from one CPU stay in order, so the answer to an ARP request comes last.
        """
        self.drain()
        request = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + self.mac + self.own[4].packed + bytes(6)
        request += self.proxy[4].packed
        self.socket.send(b"\xff" * 6 + self.mac + struct.pack("!H", ETH_P_ARP) + request)
        end = time.monotonic() + 20
        while not self.drain():
            if not select.select([self.socket], [], [], max(end - time.monotonic(), 0))[0]:
                raise SystemExit("the proxy's host does not answer any more")

    def take(self, belongs):
        """Takes the segments for which `belongs` is true out of the inbox."""
        taken = [segment for segment in self.inbox if belongs(segment)]
        self.inbox = [segment for segment in self.inbox if not belongs(segment)]
        return taken


class Hosts:
    """The proxy's host, the links to both sides, and a VLAN on the left one."""

    def __init__(self):
        os.sched_setaffinity(0, {0})
        self.left, self.right, self.vlan = Wire("left", 1), Wire("right", 2), Wire("left.5", 5)
        for name in WIRES, PROXY:
            run("ip", "netns", "add", name)
        enter(WIRES)
        run("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
        lines = []
        for wire in self.left, self.right:
            lines += [f"link add {wire.name} address {wire.mac.hex(':')} type veth peer name {wire.name}"
                      f" address {wire.proxy_mac.hex(':')} netns {PROXY}", f"link set {wire.name} up"]
        lines += [f"link add link left name left.5 address {self.vlan.mac.hex(':')} type vlan id 5",
                  "link set left.5 up", "link set left promisc on"]
        run("ip", "-batch", "-", input="\n".join(lines))
        enter(PROXY)
        run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1", "net.ipv4.conf.all.rp_filter=0",
            "net.ipv6.conf.all.accept_dad=0", "net.ipv4.icmp_ratelimit=0", "net.ipv6.icmp.ratelimit=0")
        lines = ["link set lo up", *self.left.commands(), *self.right.commands(), "link set left promisc on",
                 f"link add link left name left.5 address {self.vlan.proxy_mac.hex(':')} type vlan id 5",
                 *self.vlan.commands()]
        run("ip", "-batch", "-", input="\n".join(lines))
        for name in "left", "right":
            # Without offloading, packets have their checksums when the tests see them.
            run("ethtool", "-K", name, "tx", "off", stdout=subprocess.DEVNULL)
        enter(WIRES)
        for wire in self.left, self.right, self.vlan:
            wire.open()

    def use(self, kind):
        """Replaces all rules with those of a kind."""
        enter(PROXY)
        load(kind)
        self.clear()
        for rule in RULES[kind]:
            run(*rule.split())
        if kind in ("five", "iptables"):
            # As the manual of iptables' SYNPROXY has it. Palisade's one rule does not need it.
            run("sysctl", "-qw", "net.netfilter.nf_conntrack_tcp_loose=0")
        enter(WIRES)

    @staticmethod
    def clear():
        commands = ["nft flush ruleset", "sysctl -qw net.netfilter.nf_conntrack_tcp_loose=1"]
        if pathlib.Path("/sys/module/palisade").exists():
            commands += ["palisade -t raw -F", "palisade -F"]
        for command in commands:
            subprocess.run(command.split(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    @staticmethod
    def run(*command, **more):
        """Runs a command on the proxy's host."""
        enter(PROXY)
        done = run(*command, **more)
        enter(WIRES)
        return done

    def connections(self):
        """How many connections are tracked."""
        enter(PROXY)
        count = int(COUNT.read_text())
        enter(WIRES)
        return count

    def listen(self, port):
        """A server on the proxy's host, at all its addresses."""
        enter(PROXY)
        listener = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
        listener.setblocking(False)
        enter(WIRES)
        return listener

    def settle(self):
        self.left.settle()
        self.right.drain()
        self.vlan.drain()

    @staticmethod
    def remove():
        for name in WIRES, PROXY:
            subprocess.run(["ip", "netns", "delete", name])
