# SPDX-License-Identifier: GPL-2.0
"""A client and a server that use TCP options as they are told, each with a kernel's TCP, and the proxy between them.

    +-----------------+        +----------------------------------+        +-----------------+
    |     client      |        |              proxy               |        |     server      |
    |                 |        |       (rules, SYNPROXY)          |        |                 |
    |           eth0 -+--------+- client                  server -+--------+- eth0           |
    |   10.1.0.2/24   |        |  10.1.0.1/24        10.2.0.1/24  |        |  10.2.0.2/24    |
    |   fd00:1::2/64  |        |  fd00:1::1/64      fd00:2::1/64  |        |  fd00:2::2/64   |
    +-----------------+        +----------------------------------+        +-----------------+

The links have an MTU of 9000, and the default routes of client and server lead to proxy. On client, nftables drops
SYN-ACKs from ports 80-9999 that were forwarded: they are not SYNPROXY's.
"""

import dataclasses
import pathlib
import socket
import struct
import subprocess

from synproxy.hosts import RULES, enter, load, run

CLIENT, PROXY, SERVER = HOSTS = "client", "proxy", "server"
ADDRESSES = {4: "10.2.0.2", 6: "fd00:2::2"}
SYSCTL = pathlib.Path("/proc/sys/net/ipv4")
MEMORY, LARGE_MEMORY = 6 << 20, 1 << 29
SMALL_BUFFER = 24576
TCP_INFO = 11


@dataclasses.dataclass(frozen=True)
class Kind:
    """How a host uses TCP."""

    scaling: bool = True
    timestamps: bool = True
    sack: bool = True
    mss: int = 1460
    # The kernel derives the window scale from tcp_rmem, or from a fixed SO_RCVBUF.
    memory: int = MEMORY
    buffer: int | None = None


KINDS = {
    "plain": Kind(),
    "no scale": Kind(scaling=False),
    "no timestamps": Kind(timestamps=False),
    "no sack": Kind(sack=False),
    "nothing": Kind(scaling=False, timestamps=False, sack=False),
    "timestamps only": Kind(scaling=False, sack=False),
    "scale 0": Kind(buffer=SMALL_BUFFER),
    "scale 14": Kind(memory=LARGE_MEMORY),
    "scale 9": Kind(memory=16 << 20),
    "mss 536": Kind(mss=536),
    "mss 8960": Kind(mss=8960),
}


class Network:
    """The three hosts. The client drops the SYN-ACK of a connection that the proxy did not answer."""

    def __init__(self):
        for name in HOSTS:
            run("ip", "netns", "add", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
            for setting in "all", "default":
                run("ip", "netns", "exec", name, "sysctl", "-qw", f"net.ipv6.conf.{setting}.accept_dad=0",
                    f"net.ipv4.conf.{setting}.rp_filter=0")
        for number, name in (1, CLIENT), (2, SERVER):
            run("ip", "-batch", "-", input=f"""
                link add {name} mtu 9000 netns {PROXY} type veth peer name eth0 mtu 9000 netns {name}
                """)
            run("ip", "-n", PROXY, "-batch", "-", input=f"""
                link set {name} up
                address add 10.{number}.0.1/24 dev {name}
                address add fd00:{number}::1/64 dev {name} nodad""")
            run("ip", "-n", name, "-batch", "-", input=f"""
                link set eth0 up
                address add 10.{number}.0.2/24 dev eth0
                address add fd00:{number}::2/64 dev eth0 nodad
                route add default via 10.{number}.0.1
                route add default via fd00:{number}::1""")
        run("ip", "netns", "exec", PROXY, "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        # What the proxy forwards has a smaller TTL.
        run("ip", "netns", "exec", CLIENT, "nft", "-f", "-", input="""
            table inet watch {
                chain input {
                    type filter hook input priority 0
                    tcp sport 80-9999 tcp flags & (syn | ack) == syn | ack ip ttl != 64 drop
                    tcp sport 80-9999 tcp flags & (syn | ack) == syn | ack ip6 hoplimit != 64 drop
                }
            }""")
        self.now = {name: Kind(mss=0) for name in (CLIENT, SERVER)}

    def use(self, kind):
        enter(PROXY)
        load(kind)
        for command in "nft flush ruleset", "palisade -t raw -F", "palisade -F":
            subprocess.run(command.split(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for rule in RULES[kind]:
            run(*rule.split())
        loose = int(kind not in ("five", "iptables"))
        run("sysctl", "-qw", f"net.netfilter.nf_conntrack_tcp_loose={loose}")

    def become(self, name, kind):
        """Changes a host to another kind."""
        enter(name)
        (SYSCTL / "tcp_window_scaling").write_text(str(int(kind.scaling)))
        (SYSCTL / "tcp_timestamps").write_text(str(int(kind.timestamps)))
        (SYSCTL / "tcp_sack").write_text(str(int(kind.sack)))
        (SYSCTL / "tcp_rmem").write_text(f"4096 131072 {kind.memory}")
        if self.now[name].mss != kind.mss:
            number = 1 if name == CLIENT else 2
            run("ip", "-batch", "-", input=f"""
                route replace default via 10.{number}.0.1 advmss {kind.mss}
                route replace default via fd00:{number}::1 advmss {kind.mss - 20}""")
        self.now[name] = kind

    @staticmethod
    def remove():
        for name in HOSTS:
            subprocess.run(["ip", "netns", "delete", name])


def make_socket(version, kind):
    one = socket.socket(socket.AF_INET if version == 4 else socket.AF_INET6)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if kind.buffer:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, kind.buffer)
    return one


def listen(version, kind, port):
    enter(SERVER)
    listener = make_socket(version, kind)
    listener.bind((ADDRESSES[version], port))
    listener.listen(64)
    return listener


def connect(version, kind, port, timeout):
    enter(CLIENT)
    client = make_socket(version, kind)
    client.settimeout(timeout)
    client.connect((ADDRESSES[version], port))
    return client


@dataclasses.dataclass(frozen=True)
class Negotiated:
    """What one end of a connection has negotiated, by its kernel's TCP_INFO."""

    timestamps: bool
    sack: bool
    # The window scale of the other end, and this end's own.
    scales: tuple[int, int] | None
    mss: int

    @classmethod
    def of(cls, one):
        data = one.getsockopt(socket.IPPROTO_TCP, TCP_INFO, 32)
        options, scales = data[5], data[6]
        return cls(bool(options & 1), bool(options & 2), (scales & 15, scales >> 4) if options & 4 else None,
                   struct.unpack_from("=I", data, 16)[0])
