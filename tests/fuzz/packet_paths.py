# SPDX-License-Identifier: GPL-2.0
"""The ways by which the packet fuzzer gets frames to the hooks, each with packets of another make."""

import fcntl
import os
import pathlib
import socket
import struct
import subprocess

from handshakes import PORTS
from packet_frames import CLIENT_MAC, HOSTS, SERVER_MAC

SOL_PACKET, PACKET_VNET_HDR = 263, 15
TUNSETIFF, TUNSETVNETHDRSZ = 0x400454CA, 0x400454D8
IFF_TAP, IFF_NAPI, IFF_NAPI_FRAGS, IFF_NO_PI, IFF_VNET_HDR = 2, 0x10, 0x20, 0x1000, 0x4000
GSO_NONE, GSO_TCPV4, GSO_UDP, GSO_TCPV6, GSO_UDP_L4, GSO_ECN = 0, 1, 3, 4, 5, 0x80
NEEDS_CSUM, DATA_VALID = 1, 2
CLIENT, SERVER_HOST = "fuzz-client", "fuzz-server"
ALIVE = {4: "10.0.0.9", 6: "fd00::9"}


def run(command):
    subprocess.run(command.split(), check=True)


def run_ip(host, commands):
    """Runs commands of ip in a network namespace."""
    subprocess.run(["ip", "-n", host, "-batch", "-"], input="\n".join(commands), text=True, check=True)


def make_hosts():
    """Two network namespaces with a cable between them."""
    remove_hosts()
    for host in (CLIENT, SERVER_HOST):
        run(f"ip netns add {host}")
        run(f"ip netns exec {host} sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 "
            "net.ipv6.conf.all.accept_ra=0 net.ipv6.conf.default.accept_ra=0 "
            "net.ipv6.conf.all.accept_redirects=0 net.ipv4.conf.all.accept_redirects=0")
    run(f"ip link add eth0 mtu 65535 address {SERVER_MAC.hex(':')} netns {SERVER_HOST} type veth "
        f"peer name eth0 mtu 65535 address {CLIENT_MAC.hex(':')} netns {CLIENT}")
    # What is sent must not change who is where.
    hosts = [socket.inet_ntop(socket.AF_INET, address) for address in HOSTS[4]] + [ALIVE[4]]
    hosts += [socket.inet_ntop(socket.AF_INET6, address) for address in HOSTS[6]] + [ALIVE[6]]
    run_ip(SERVER_HOST, [
        "link set lo up", "address add 10.0.0.1/24 dev eth0", "address add fd00::1/64 dev eth0 nodad", "link set eth0 up",
        # What is for others goes back by the cable, whose other end has it.
        "route add 10.0.1.0/24 via 10.0.0.2", "route add fd00:0:0:1::/64 via fd00::2",
        "link add link eth0 name eth0.5 type vlan id 5", "link set eth0.5 up",
        *(f"neighbour replace {host} lladdr {CLIENT_MAC.hex(':')} dev eth0 nud permanent" for host in hosts)])
    # Behind connection tracking, SYNPROXY needs acknowledgements of no connection to be invalid.
    run(f"ip netns exec {SERVER_HOST} sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0 "
        "net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.eth0.send_redirects=0")
    run_ip(CLIENT, [
        "link set lo up", "link set eth0 up",
        *(f"address add {address}/24 dev eth0" for address in ("10.0.0.2", ALIVE[4])),
        *(f"address add {address}/64 dev eth0 nodad" for address in ("fd00::2", ALIVE[6])),
        *(f"neighbour replace {host} lladdr {SERVER_MAC.hex(':')} dev eth0 nud permanent" for host in ("10.0.0.1", "fd00::1"))])


def remove_hosts():
    for host in (CLIENT, SERVER_HOST):
        subprocess.run(["ip", "netns", "delete", host], stderr=subprocess.DEVNULL)


def enter(host):
    with open(f"/run/netns/{host}") as namespace:
        os.setns(namespace.fileno(), os.CLONE_NEWNET)


def offload(random, frame):
    """What a virtual machine may say about a frame: that it stands for many, or what is not so."""
    size = len(frame)
    segment = random.choice((1, 8, 500, 1448, 65535))
    match random.randrange(4):
        case 0:
            return bytes(10)
        case 1 | 2 if size > 54:
            # What suits the frame's headers, with a length of the segments that need not.
            is_ipv4 = frame[12:14] == b"\x08\x00"
            start, protocol = (34, frame[23]) if is_ipv4 else (54, frame[20])
            kind, offset = (GSO_UDP_L4, 6) if protocol == 17 else (GSO_TCPV4 if is_ipv4 else GSO_TCPV6, 16)
            header = random.choice((14, start, min(start + 20, size), size))
            return struct.pack("=BBHHHH", NEEDS_CSUM, kind, header & 0xFFFF, segment, start, offset)
    kind = random.choice((GSO_NONE, GSO_TCPV4, GSO_TCPV4 | GSO_ECN, GSO_UDP, GSO_TCPV6, GSO_UDP_L4, random.randrange(256)))
    header = random.choice((0, 14, 34, 54, 74, size, 65535))
    start, offset = random.choice(((34, 16), (54, 16), (34, 6), (0, 0), (54, 6), (size, 0)))
    return struct.pack("=BBHHHH", random.choice((0, NEEDS_CSUM, DATA_VALID, 3)), kind, header & 0xFFFF,
                       random.choice((0, segment)), start & 0xFFFF, offset)


class Cable:
    """A frame as it is, over the cable."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.socket.bind(("eth0", 0))

    def encode(self, random, frame):
        return [frame]

    def send(self, parts):
        self.socket.send(parts[0])


class OffloadingCable(Cable):
    """A frame with what an offloading sender says about it; beyond a page, its memory is in pieces."""

    def __init__(self):
        super().__init__()
        self.socket.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)

    def encode(self, random, frame):
        return [offload(random, frame) + frame]


class Tap:
    """A frame into the server's tap, with what an offloading sender says about it."""

    def __init__(self, name="tap0", more=0):
        self.file = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(self.file, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | more))
        run(f"ip link set {name} address {SERVER_MAC.hex(':')} up")

    def encode(self, random, frame):
        return [offload(random, frame), frame]

    def send(self, parts):
        os.writev(self.file, parts)
        # What the server answers there is of no interest.
        try:
            while True:
                os.read(self.file, 65536)
        except BlockingIOError:
            pass


class ScatteringTap(Tap):
    """A frame in up to 17 pieces of memory, cut anywhere."""

    def __init__(self):
        super().__init__("tap1", IFF_NAPI | IFF_NAPI_FRAGS)

    def encode(self, random, frame):
        plain = bytes(10) if random.random() < 0.8 else offload(random, frame)
        # The Ethernet header has to be in the first piece; from there on, a page is as much as one can be.
        cuts = sorted({random.randrange(14, len(frame)) for _ in range(random.choice((0, 1, 2, 5, 14)))}
                      if len(frame) > 15 else ())
        if len(frame) > 14 and random.random() < 0.5:
            cuts = sorted({*cuts, 14})
        return [plain] + [frame[start:end] for start, end in zip([0, *cuts], [*cuts, len(frame)])]


class Paths:
    """All of them, and the checks that the server lives."""

    def __init__(self):
        subprocess.run(["modprobe", "tun"], check=True)
        pathlib.Path("/dev/net").mkdir(exist_ok=True)
        if not os.path.exists("/dev/net/tun"):
            os.mknod("/dev/net/tun", 0o20666, os.makedev(10, 200))
        enter(SERVER_HOST)
        self.listener = socket.create_server(("::", 7), family=socket.AF_INET6, dualstack_ipv6=True, backlog=64)
        self.listener.settimeout(10)
        self.proxied = [socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=64)
                        for port in PORTS]
        for one in self.proxied:
            one.setblocking(False)
        self.server = {"tap": Tap(), "scattering-tap": ScatteringTap()}
        enter(CLIENT)
        self.all = {"cable": Cable(), "offloading-cable": OffloadingCable(), **self.server}

    def serve(self):
        """Says something to whoever connected to a server behind SYNPROXY."""
        for listener in self.proxied:
            try:
                while True:
                    with listener.accept()[0] as connection:
                        connection.setblocking(False)
                        connection.send(bytes(3000))
            except OSError:
                pass

    def connect(self, version):
        """A connection between an address that no frame claims and the server."""
        family = socket.AF_INET if version == 4 else socket.AF_INET6
        client = socket.socket(family)
        client.settimeout(10)
        client.bind((ALIVE[version], 0))
        client.connect(("10.0.0.1" if version == 4 else "fd00::1", 7))
        return client, self.listener.accept()[0]

    def transfer(self, version, size):
        """Segments that are larger than what a cable takes, with the file's own pages in them."""
        client, server = self.connect(version)
        with client, server, open("/proc/self/exe", "rb") as file:
            client.setblocking(False)
            server.setblocking(False)
            sent = got = 0
            while got < size:
                try:
                    sent += os.sendfile(client.fileno(), file.fileno(), sent, size - sent) if sent < size else 0
                except BlockingIOError:
                    pass
                try:
                    got += len(server.recv(1 << 20))
                except BlockingIOError:
                    pass
        return got
