#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Sockets of the protected host take connections over, whatever they are, unless rules send these elsewhere.

    +------------------------+        +------------------------------------+        +--------------------+
    |      hand-client       |        |            hand-server             |        |     hand-other     |
    |                        |        |                                    |        |                    |
    |                  wire -+--------+- wire                       inner -+--------+- wire              |
    |        10.0.0.2/24     |        |  10.0.0.1/24         10.0.1.1/24   |        |  10.0.1.2/24       |
    |        fd00::2/64      |        |  fd00::1/64          fd00:1::1/64  |        |  fd00:1::2/64      |
    |                        |        |  (SYNPROXY, each case has a port)  |        |                    |
    +------------------------+        +------------------------------------+        +--------------------+

Each case says how the server listens, and whether its socket takes the connection over (HANDED), the connection is
translated (TRANSLATED), or there is none (NONE).
"""

import contextlib
import pathlib
import socket
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from genetlink import Client, Report
from synproxy.hosts import enter, run

CLIENT, SERVER, OTHER = "hand-client", "hand-server", "hand-other"
OWN = {4: "10.0.0.1", 6: "fd00::1"}
PEER = "10.0.0.2"
BEHIND = {4: "10.0.1.2", 6: "fd00:1::2"}
HANDED, TRANSLATED, NONE = "handed over", "translated", "no connection"
# Each case has a port of its own; DIRECT is not protected.
PORTS, DIRECT = range(1000, 1060), 2000
# What rule sets have that take connections seriously.
RULES = f"""*filter
-A INPUT -p tcp --dport {PORTS[0]}:{PORTS[-1]} ! --syn -m conntrack --ctstate NEW -j DROP
-A INPUT -p tcp --dport {PORTS[0]}:{PORTS[-1]} -m conntrack --ctstate INVALID -j DROP
COMMIT
"""
# As howtos for the kernel's SYNPROXY have it, which want nf_conntrack_tcp_loose to be 0.
HOWTO = """*raw
-A PREROUTING -p tcp --syn -j CT --notrack
COMMIT
*filter
-A INPUT -p tcp -m conntrack --ctstate INVALID,UNTRACKED -j SYNPROXY --sack-perm --timestamp --wscale 7 --mss 1460
-A INPUT -m conntrack --ctstate INVALID -j DROP
COMMIT
"""
# Seconds until there is no connection, and until none is expected any more.
PATIENCE, NO_PATIENCE = 300, 5
DATA = bytes(range(256)) * 400
IPPROTO_MPTCP, TCP_MD5SIG, TCP_AO_ADD_KEY, IPV6_TRANSPARENT = 262, 14, 38, 75
IS_DEBUG = pathlib.Path("/sys/kernel/debug/kunit").exists()
ports = iter(PORTS)


def connect_hosts():
    for name in CLIENT, SERVER, OTHER:
        run("ip", "netns", "add", name)
        enter(name)
        run("sysctl", "-qw", "net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0",
            "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
    enter(SERVER)
    lines = ["link set lo up"]
    for device, host, network in ("wire", CLIENT, 0), ("inner", OTHER, 1):
        lines += [f"link add {device} type veth peer name wire netns {host}", f"link set {device} up",
                  f"address add 10.0.{network}.1/24 dev {device}",
                  f"address add {'fd00::1' if network == 0 else 'fd00:1::1'}/64 dev {device} nodad"]
    run("ip", "-batch", "-", input="\n".join(lines))
    for host, network, prefix in (CLIENT, 0, "fd00::"), (OTHER, 1, "fd00:1::"):
        enter(host)
        lines = ["link set lo up", "link set wire up", f"address add 10.0.{network}.2/24 dev wire",
                 f"address add {prefix}2/64 dev wire nodad", f"route add default via 10.0.{network}.1",
                 f"-6 route add default via {prefix}1"]
        run("ip", "-batch", "-", input="\n".join(line.replace("-6 route", "route") for line in lines))


def move_wire(*master):
    """Moves the server's interface to the client into a VRF, or out of it, where it loses its address of IPv6."""
    run("ip", "link", "set", "wire", *master)
    run("ip", "address", "replace", "fd00::1/64", "dev", "wire", "nodad")


def palisade(*arguments, **more):
    enter(SERVER)
    return run("palisade", *arguments, **more)


def counts(port):
    """How many connections to a port were opened, and how many of these were handed over."""
    enter(SERVER)
    with Client() as client:
        servers = [dict(one) for one in client.ask("server-get", dump=True)]
    servers = [one for one in servers if one["port"] == port]
    return tuple(sum(one[count] for one in servers) for count in ("opened", "handed-over"))


def listener(port, family=socket.AF_INET6, address="::", protocol=0, backlog=64, options=()):
    """A listening socket of the host that was entered last, set up by options: tuples for setsockopt."""
    one = socket.socket(family, socket.SOCK_STREAM, protocol)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    for option in options:
        one.setsockopt(*option)
    one.bind((address, port))
    one.listen(backlog)
    one.settimeout(PATIENCE)
    return one


def peer(address):
    """A struct sockaddr_storage with an IPv4 address."""
    return struct.pack("=H2x4s120x", socket.AF_INET, socket.inet_aton(address))


def md5_key(address):
    """What setsockopt takes for a key for a peer (struct tcp_md5sig)."""
    return socket.IPPROTO_TCP, TCP_MD5SIG, peer(address) + struct.pack("=BBHi80s", 0, 0, 3, 0, b"key")


def ao_key(address):
    """The same for TCP-AO (struct tcp_ao_add)."""
    key = struct.pack("=64siIHBBBBBB80s", b"hmac(sha1)", 0, 0, 0, 32, 1, 1, 12, 0, 3, b"key")
    return socket.IPPROTO_TCP, TCP_AO_ADD_KEY, peer(address) + key


def talk(client, server):
    """Whether data arrives in both directions, the client's first."""
    client.sendall(b"question")
    if server.recv(100) != b"question":
        return False
    for source, sink in (client, server), (server, client):
        # Neither end has room for all of it.
        sender = threading.Thread(target=source.sendall, args=(DATA,), daemon=True)
        sender.start()
        received = b""
        while len(received) < len(DATA):
            received += sink.recv(1 << 20)
        sender.join()
        if received != DATA:
            return False
    return True


class Announced:
    """What a client was told, and what its server sends, as their kernels have it (struct tcp_info)."""

    def __init__(self, client):
        info = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
        # Timestamps, selective acknowledgements and window scales.
        self.options = info[5] & 7
        self.scale = info[6] & 15
        [self.mss] = struct.unpack_from("=I", info, 16)
        [self.window] = struct.unpack_from("=I", info, 228)
        self.sent = None

    def ask(self, server):
        """How large the server's segments are."""
        [self.sent] = struct.unpack_from("=I", server.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 20), 16)

    def differs(self, other):
        """What differs from a connection without SYNPROXY. The kernel rounds windows down by another segment size."""
        same = all(getattr(self, name) == getattr(other, name) for name in ("options", "scale", "mss", "sent"))
        is_near = other.window - 2 * other.mss <= self.window <= other.window + 2 * other.mss
        return None if same and is_near else f"{vars(self)}, and without SYNPROXY {vars(other)}"


def visit(version, port, servers, patience=PATIENCE):
    """Connects, and talks to whichever of the servers accepts. Returns what was announced."""
    enter(CLIENT)
    with socket.create_connection((OWN[version], port), patience) as client:
        announced = Announced(client)
        for server in servers:
            server.settimeout(patience if len(servers) == 1 else 0.5)
        accepted = None
        until = time.monotonic() + patience
        while accepted is None and time.monotonic() < until:
            for server in servers:
                with contextlib.suppress(TimeoutError):
                    accepted, _ = server.accept()
                    break
        if not accepted:
            raise ValueError("nobody has accepted the connection")
        with accepted:
            announced.ask(accepted)
            accepted.settimeout(PATIENCE)
            client.settimeout(PATIENCE)
            if not talk(client, accepted):
                raise ValueError("what arrived is not what was sent")
    return announced


def settings(**values):
    enter(SERVER)
    for name, value in values.items():
        run("sysctl", "-qw", f"net.ipv4.{name}={value}")


@contextlib.contextmanager
def set_to(value, name, default):
    settings(**{name: value})
    try:
        yield
    finally:
        settings(**{name: default})


class Cases:
    def __init__(self, report):
        self.report = report

    def check(self, what, wanted, version, port, servers):
        """A connection, and who has it afterwards."""
        name = f"IPv{version}, {what}: {wanted}"
        before = counts(port)
        try:
            visit(version, port, servers, NO_PATIENCE if wanted == NONE else PATIENCE)
        except (OSError, ValueError) as error:
            self.report.check(name, wanted == NONE, f"{type(error).__name__}: {error}")
            return
        opened, handed = (now - then for now, then in zip(counts(port), before))
        found = {(1, 1): HANDED, (1, 0): TRANSLATED}.get((opened, handed), f"{opened} opened, {handed} handed over")
        self.report.check(name, found == wanted, found)

    def listening(self, what, wanted, versions=(4, 6), family=socket.AF_INET6, address="::", **more):
        """One listening socket of this host."""
        port = next(ports)
        enter(SERVER)
        try:
            server = listener(port, family, address, **more)
        except OSError as error:
            self.report.check(f"{what}: listens", False, str(error))
            return
        with server:
            for version in versions:
                self.check(what, wanted, version, port, [server])

    def sockets(self):
        """Kinds of sockets."""
        tcp = socket.IPPROTO_TCP
        self.listening("a dual-stack socket", HANDED)
        self.listening("a socket of IPv4", HANDED, [4], socket.AF_INET, "0.0.0.0")
        self.listening("a socket bound to an address", HANDED, [4], socket.AF_INET, OWN[4])
        self.listening("a socket bound to an address", HANDED, [6], address=OWN[6])
        self.listening("a socket bound to the device", HANDED,
                       options=[(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"wire")])
        self.listening("TCP_DEFER_ACCEPT", HANDED, options=[(tcp, socket.TCP_DEFER_ACCEPT, 10)])
        self.listening("TCP Fast Open", HANDED, options=[(tcp, socket.TCP_FASTOPEN, 10)])
        self.listening("a small receive buffer", HANDED, options=[(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)])
        self.listening("TCP_MAXSEG", HANDED, options=[(tcp, socket.TCP_MAXSEG, 700)])
        port = next(ports)
        enter(SERVER)
        reuse = [(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)]
        with contextlib.ExitStack() as stack:
            group = [stack.enter_context(listener(port, options=reuse)) for _ in range(4)]
            for version in 4, 6, 4, 6:
                self.check("a group with SO_REUSEPORT", HANDED, version, port, group)

    def rare_sockets(self):
        """Kinds of sockets that the debug kernel does not have."""
        self.listening("a socket of MPTCP", HANDED, protocol=IPPROTO_MPTCP)
        for name, key in ("TCP-MD5", md5_key), ("TCP-AO", ao_key):
            plain = {"versions": [4], "family": socket.AF_INET, "address": "0.0.0.0"}
            self.listening(f"a key of {name} for another peer", HANDED, options=[key("10.0.0.9")], **plain)
            self.listening(f"a key of {name} for the client, which has none", NONE, options=[key(PEER)], **plain)

    def announced(self):
        """Clients are told what they are told without SYNPROXY."""
        tcp, generic = socket.IPPROTO_TCP, socket.SOL_SOCKET
        kinds = {"a plain socket": [], "a small receive buffer": [(generic, socket.SO_RCVBUF, 8192)],
                 "a large receive buffer": [(generic, socket.SO_RCVBUF, 4 << 20)],
                 "a socket with TCP_MAXSEG": [(tcp, socket.TCP_MAXSEG, 700)],
                 "a socket with TCP_WINDOW_CLAMP": [(tcp, socket.TCP_WINDOW_CLAMP, 20000)]}
        for what, options in kinds.items():
            self.compare(what, options)
        for name, value, default in (("tcp_sack", 0, 1), ("tcp_window_scaling", 0, 1), ("tcp_timestamps", 0, 1),
                                     ("tcp_rmem", "4096 300000 300000000", "4096 131072 6291456")):
            with set_to(value, name, default):
                self.compare(f"net.ipv4.{name}={value}", [])
        for metric in "window 30000", "initrwnd 3", "advmss 900":
            enter(SERVER)
            run("ip", "route", "replace", "10.0.0.0/24", "dev", "wire", *metric.split())
            run("ip", "route", "replace", "fd00::/64", "dev", "wire", *metric.split())
            self.compare(f"a route with {metric}", [])
            run("ip", "route", "replace", "10.0.0.0/24", "dev", "wire")
            run("ip", "route", "replace", "fd00::/64", "dev", "wire")

    def compare(self, what, options):
        port = next(ports)
        for version in 4, 6:
            enter(SERVER)
            with listener(port, options=options) as server, listener(DIRECT, options=options) as direct:
                try:
                    told, without = visit(version, port, [server]), visit(version, DIRECT, [direct])
                    difference = told.differs(without)
                except (OSError, ValueError) as error:
                    difference = str(error)
            self.report.check(f"IPv{version}, {what}: is announced as without SYNPROXY", not difference, difference)

    def elsewhere(self):
        """Connections that do not end at the socket."""
        port = next(ports)
        enter(SERVER)
        with set_to(0, "tcp_syncookies", 1), listener(port) as server:
            for version in 4, 6:
                self.check("without net.ipv4.tcp_syncookies", TRANSLATED, version, port, [server])
        with listener(port) as server:
            for version in 4, 6:
                self.check("the same server with it again", HANDED, version, port, [server])
                self.check("and once more", HANDED, version, port, [server])
        # As Docker writes it, whose proxy listens on the port as well.
        port = next(ports)
        for version, text in (4, BEHIND[4]), (6, f"[{BEHIND[6]}]"):
            rule = ["-t", "nat", "-A", "PREROUTING", "-p", "tcp", "--dport", str(port), "-j", "DNAT",
                    "--to-destination", f"{text}:80"]
            enter(SERVER)
            run("iptables" if version == 4 else "ip6tables", *rule)
            enter(OTHER)
            with listener(80) as container:
                enter(SERVER)
                with listener(port):
                    for time_ in "a container's port", "the port again":
                        self.check(time_, TRANSLATED, version, port, [container])
            enter(SERVER)
            run("iptables" if version == 4 else "ip6tables", *("-D" if word == "-A" else word for word in rule))
        with listener(port) as server:
            for version in 4, 6:
                self.check("the port once the rule is gone", HANDED, version, port, [server])
        port = next(ports)
        palisade("-t", "nat", "-A", "PREROUTING", "-p", "tcp", "--dport", str(port), "-j", "REDIRECT", "--to-ports",
                 "3000")
        with listener(3000) as server:
            for version in 4, 6:
                self.check("a port that is redirected", TRANSLATED, version, port, [server])

    def howto(self):
        """The rules that howtos have for the kernel's SYNPROXY."""
        palisade("-t", "raw", "-F")
        palisade("-F")
        palisade("restore", "--noflush", input=HOWTO)
        self.listening("rules of a howto", HANDED)

    def tproxy(self):
        """A socket that TPROXY chooses."""
        port, other = next(ports), 3001
        transparent = {4: (socket.IPPROTO_IP, socket.IP_TRANSPARENT, 1), 6: (socket.IPPROTO_IPV6, IPV6_TRANSPARENT, 1)}
        for version, tool, family, address in ((4, "iptables", socket.AF_INET, "0.0.0.0"),
                                               (6, "ip6tables", socket.AF_INET6, "::")):
            rule = ["PREROUTING", "-p", "tcp", "--dport", str(port), "-j", "TPROXY", "--on-port", str(other)]
            enter(SERVER)
            run(tool, "-t", "mangle", "-A", *rule)
            with listener(port), listener(other, family, address, options=[transparent[version]]) as chosen:
                self.check("a port that TPROXY gives to another socket", TRANSLATED, version, port, [chosen])
            enter(SERVER)
            run(tool, "-t", "mangle", "-D", *rule)

    def vrf(self):
        """Sockets where the interface is in a VRF."""
        enter(SERVER)
        run("ip", "link", "add", "red", "type", "vrf", "table", "10")
        run("ip", "link", "set", "red", "up")
        move_wire("master", "red")
        bound = [(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"red")]
        self.listening("a socket bound to the VRF", HANDED, options=bound)
        bound = [(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"wire")]
        self.listening("a socket bound to an interface in a VRF", HANDED, options=bound)
        self.listening("a socket that is not bound, with a client in a VRF", NONE)
        with set_to(1, "tcp_l3mdev_accept", 0):
            self.listening("a socket of all VRFs", HANDED)
        move_wire("nomaster")
        run("ip", "link", "delete", "red")

    def full(self):
        """No SYN is answered while the queue of the socket is full."""
        port = next(ports)
        enter(SERVER)
        with listener(port, backlog=1) as server, contextlib.ExitStack() as stack:
            enter(CLIENT)
            waiting = [stack.enter_context(socket.create_connection((OWN[4], port), PATIENCE)) for _ in range(2)]
            # What the socket has said is remembered for a jiffy.
            time.sleep(0.1)
            with socket.socket() as third:
                third.settimeout(2)
                refused = third.connect_ex((OWN[4], port)) != 0
            self.report.check("a SYN is not answered while the queue is full", refused, "there is a connection")
            for client in waiting:
                accepted, _ = server.accept()
                accepted.settimeout(PATIENCE)
                client.sendall(b"x")
                with accepted:
                    self.report.check("who waited there is served", accepted.recv(9) == b"x", "no data")
            self.check("and who comes afterwards", HANDED, 4, port, [server])

    def stays(self):
        """A connection that was handed over needs nobody any more."""
        port = next(ports)
        for version in 4, 6:
            enter(SERVER)
            with listener(port) as server:
                enter(CLIENT)
                with socket.create_connection((OWN[version], port), PATIENCE) as client:
                    accepted, _ = server.accept()
                    with accepted:
                        client.settimeout(PATIENCE)
                        accepted.settimeout(PATIENCE)
                        ok = talk(client, accepted)
                        enter(SERVER)
                        shown = run("conntrack", "-L", "-p", "tcp", "--orig-port-dst", str(port),
                                    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
                        self.report.check(f"IPv{version}: connection tracking has it as established and assured",
                                          ok and "ESTABLISHED" in shown and "ASSURED" in shown, shown)
                        run("conntrack", "-D", "-p", "tcp", "--orig-port-dst", str(port),
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                        palisade("-F")
                        self.report.check(f"IPv{version}: goes on when connection tracking has lost it",
                                          talk(client, accepted), "data is lost")
                        palisade("-t", "raw", "-F")
                        run("modprobe", "-r", "palisade")
                        self.report.check(f"IPv{version}: goes on when the module is gone",
                                          talk(client, accepted), "data is lost")
                        run("modprobe", "palisade")
                        protect()


def protect():
    palisade("protect", *map(str, PORTS))
    palisade("restore", "--noflush", input=RULES)


def main():
    run("modprobe", "palisade")
    report = Report()
    connect_hosts()
    try:
        for loose in 0, 1:
            enter(SERVER)
            protect()
            run("sysctl", "-qw", f"net.netfilter.nf_conntrack_tcp_loose={loose}")
            global ports
            ports = iter(PORTS)
            cases = Cases(report)
            groups = [cases.sockets]
            groups += [cases.elsewhere] if loose else [cases.announced, cases.full, cases.howto]
            if loose and not IS_DEBUG:
                groups += [cases.rare_sockets, cases.tproxy, cases.vrf]
            for group in groups:
                group()
            palisade("-t", "raw", "-F")
            palisade("-t", "nat", "-F")
            palisade("-F")
        ports = iter(PORTS)
        protect()
        cases.stays()
    finally:
        for name in CLIENT, SERVER, OTHER:
            subprocess.run(["ip", "netns", "delete", name])
    report.finish()


if __name__ == "__main__":
    main()
