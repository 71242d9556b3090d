# SPDX-License-Identifier: GPL-2.0
"""A client, a firewall and a server, in one of three networks, and the conversations between them.

Each kind of rules and way to the server has an address of its own, and each row a port of its own. So one set of rules is
enough for all cells of the cross product, and they all run at once.

"plain":

    +-----------------+        +----------------------------------------+        +--------------------+
    | crossed-client  |        |            crossed-firewall            |        |   crossed-server   |
    |                 |        |                                        |        |                    |
    |             c0 -+--------+- f0                                f1 -+--------+- s0                |
    |  10.14.0.2/24   |        |  10.14.0.1/24            10.15.0.1/24  |        |  10.15.0.2/24      |
    |                 |        |                                    f2 -+--------+- s2  (down)        |
    |                 |        |                          10.13.0.1/24  |        |  10.13.0.2/24      |
    +-----------------+        +----------------------------------------+        +--------------------+

"vrf": the same, with f0, f1 and f2 in vrf1.

"bridge": f0 and f1 are ports of a bridge, which netfilter sees (br_netfilter), and the server is in the client's network:

    +-----------------+        +----------------------------------------+        +--------------------+
    | crossed-client  |        |            crossed-firewall            |        |   crossed-server   |
    |                 |        |                                        |        |                    |
    |             c0 -+--------+- f0 ------------- br0 ------------ f1 -+--------+- s0                |
    |  10.14.0.2/24   |        |              10.14.0.1/24              |        |  10.14.0.3/24      |
    |                 |        |                                    f2 -+--------+- s2  (down)        |
    |                 |        |                          10.13.0.1/24  |        |  10.13.0.2/24      |
    +-----------------+        +----------------------------------------+        +--------------------+

10.N.0.H/24 has fd00:N::H/64 beside it, with N in hexadecimal. The client connects to 10.K.0.R and fd00:K::R, where K is
16 times the number of the kind of rules (KINDS) plus that of the way (WAYS), and R is 1 or a number in ROUTES:

    forward      routed to the server, which takes all of 10.K.0.0/16 and fd00:K::/32 of a kind for local
    local        local to the firewall
    dnat         local to the firewall, which translates it to the address for "forward"
    route        not reachable, in the way that R stands for
    dnat-route   local to the firewall, which translates it to the address for "route"
"""

import contextlib
import dataclasses
import errno
import ipaddress
import os
import resource
import select
import socket
import subprocess
import time

from tcp_segments import SYN, Options, Segment

CLIENT, FIREWALL, SERVER = "crossed-client", "crossed-firewall", "crossed-server"
HOSTS = CLIENT, FIREWALL, SERVER
# The second byte of an address is 16 times the kind of rules, plus the way.
KINDS = {"none": 0, "raw": 1, "five": 2, "flooded": 3}
WAYS = {"forward": 0, "dnat": 1, "local": 2, "route": 3, "dnat-route": 4}
# The way of the translated address.
TRANSLATED = {"dnat": "forward", "dnat-route": "route"}
MAC = {"client": "02:00:00:00:0e:02", "firewall": "02:00:00:00:0e:01"}
NO_ANSWER = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EACCES, errno.ENOPROTOOPT, errno.EPERM, errno.EPROTO,
             errno.EHOSTDOWN, errno.ENONET, errno.EOPNOTSUPP}
# A timeout for what goes wrong, in seconds. Nothing that goes right waits for it.
LIMIT = int(os.environ.get("LIMIT", 90))
FLOOD = 4


def run(*command, **more):
    return subprocess.run(command, check=True, text=True, **more)


def enter(host):
    with open(f"/run/netns/{host}") as namespace:
        os.setns(namespace.fileno(), os.CLONE_NEWNET)


def on(host, *command, **more):
    return run("ip", "netns", "exec", host, *command, **more)


def address(kind, way, version, number=1):
    second = KINDS[kind] * 16 + WAYS[way]
    return ipaddress.ip_address(f"10.{second}.0.{number}" if version == 4 else f"fd00:{second:x}::{number}")


def network(version, second, lengths=(16, 32)):
    return f"10.{second}.0.0/{lengths[0]}" if version == 4 else f"fd00:{second:x}::/{lengths[1]}"


def of_kind(kind, version):
    """All addresses for which a kind has its rules."""
    return network(version, KINDS[kind] * 16, (12, 28))


@dataclasses.dataclass(eq=False)
class Cell:
    """One conversation."""

    row: object
    kind: str
    way: str
    version: int
    number: int = 1
    socket: object = None
    outcome: str = "unanswered"
    is_open: bool = False

    @property
    def address(self):
        return address(self.kind, self.way, self.version, self.number)

    @property
    def behind(self):
        """The server's own address for the conversation."""
        return address(self.kind, TRANSLATED.get(self.way, self.way), self.version, self.number)

    def __str__(self):
        return f"{self.kind}, {self.way}, IPv{self.version}: {self.outcome}"


class Topology:
    """The three hosts, and all conversations between them."""

    def __init__(self, variant="plain"):
        self.variant = variant
        self.cells, self.listeners, self.accepted, self.peers = {}, {}, {}, {}
        self.served, self.poll = set(), select.epoll()
        self.remove()
        # This process has both sockets of each conversation.
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        for host in HOSTS:
            run("ip", "netns", "add", host)
            on(host, "sysctl", "-qw", *(
                "net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 net.ipv4.conf.all.rp_filter=0"
                " net.ipv4.conf.default.rp_filter=0 net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1"
                " net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0 net.ipv4.icmp_msgs_per_sec=1000000"
                " net.ipv4.icmp_msgs_burst=100000 net.ipv4.tcp_l3mdev_accept=1 net.ipv4.conf.all.send_redirects=0"
                " net.ipv4.conf.default.send_redirects=0 net.ipv4.tcp_max_syn_backlog=4096").split())
        self.wire()
        enter(CLIENT)
        self.raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.raw.bind(("c0", 0))

    def wire(self):
        ip = {host: ["link set lo up"] for host in HOSTS}
        client, firewall, server = (ip[host] for host in HOSTS)
        bridge = self.variant == "bridge"
        run("ip", "link", "add", "c0", "address", MAC["client"], "netns", CLIENT, "type", "veth", "peer", "name", "f0",
            "address", MAC["firewall"], "netns", FIREWALL)
        run("ip", "link", "add", "f1", "netns", FIREWALL, "type", "veth", "peer", "name", "s0", "netns", SERVER)
        run("ip", "link", "add", "f2", "netns", FIREWALL, "type", "veth", "peer", "name", "s2", "netns", SERVER)
        if self.variant == "vrf":
            firewall += ["link add vrf1 type vrf table 10", "link set vrf1 up"]
            firewall += [f"link set {name} master vrf1" for name in ("f0", "f1", "f2")]
        if bridge:
            firewall += [f"link add br0 address {MAC['firewall']} type bridge", "link set br0 up"]
            firewall += [f"link set {name} master br0" for name in ("f0", "f1")]
        for host, names in zip((client, firewall, server), (["c0"], ["f0", "f1", "f2"], ["s0", "s2"])):
            host += [f"link set {name} up" for name in names]
        near, far = ("br0", "br0") if bridge else ("f0", "f1")
        server_network = 14 if bridge else 15
        # The firewall is number 1, the client 2, and the server 2, or 3 in the client's network.
        server_number = 3 if bridge else 2
        for version, lengths, option in (4, 24, ""), (6, 64, "nodad"):
            def host_address(second, number):
                return f"10.{second}.0.{number}" if version == 4 else f"fd00:{second:x}::{number}"
            client.append(f"address add {host_address(14, 2)}/{lengths} dev c0 {option}")
            firewall.append(f"address add {host_address(14, 1)}/{lengths} dev {near} {option}")
            if not bridge:
                firewall.append(f"address add {host_address(15, 1)}/{lengths} dev {far} {option}")
            firewall.append(f"address add {host_address(13, 1)}/{lengths} dev f2 {option}")
            server.append(f"address add {host_address(13, 2)}/{lengths} dev s2 {option}")
            server.append(f"address add {host_address(server_network, server_number)}/{lengths} dev s0 {option}")
            client.append(f"route add default via {host_address(14, 1)}")
            if not bridge:
                server.append(f"route add default via {host_address(15, 1)}")
            vrf = "table 10" if self.variant == "vrf" else ""
            for kind in KINDS:
                second = KINDS[kind] * 16
                behind = host_address(server_network, server_number)
                firewall.append(f"route add {network(version, second)} via {behind} {vrf}")
                if bridge:
                    client.append(f"route add {network(version, second)} via {behind}")
                server.append(f"route add local {network(version, second)} dev lo")
                for way in "dnat", "local", "dnat-route":
                    if self.variant == "vrf":
                        # In a VRF, an address that only a local route has cannot be a source.
                        firewall += [f"address add {address(kind, way, version, number)} dev vrf1 {option}"
                                     for number in range(1, len(ROUTES) + 1)]
                    else:
                        firewall.append(f"route add local {network(version, second + WAYS[way])} dev lo table local")
                for number, route in enumerate(ROUTES, 1):
                    silent, down = host_address(server_network, 99), host_address(13, 2)
                    line = ROUTES[route].format(silent=silent, down=down, far=far)
                    if line:
                        kind_of_route, rest = ("", line) if line.startswith("via") else (line, "")
                        to = address(kind, "route", version, number)
                        firewall.append(f"route add {kind_of_route} {to} {rest} {vrf}")
        for host in HOSTS:
            run("ip", "-n", host, "-batch", "-", input="\n".join(ip[host]) + "\n")
        run("ip", "-n", SERVER, "link", "set", "s2", "down")
        if bridge:
            on(FIREWALL, "sysctl", "-qw",
               *(f"net.bridge.bridge-nf-call-{command}=1" for command in ("iptables", "ip6tables")))

    def remove(self):
        for host in HOSTS:
            if os.path.exists(f"/run/netns/{host}"):
                subprocess.run(["ip", "netns", "delete", host])

    def close(self):
        for listener in self.listeners.values():
            listener.close()
        for connection, _ in self.accepted.values():
            connection.close()
        for cell in self.cells.values():
            cell.socket.close()
        self.poll.close()
        self.raw.close()
        self.remove()

    def listen(self, ports):
        """Starts servers on the firewall and behind it."""
        for host in FIREWALL, SERVER:
            enter(host)
            for port in ports:
                if (host, port) not in self.served:
                    listener = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True,
                                                    backlog=1024)
                    listener.setblocking(False)
                    self.served.add((host, port))
                    self.listeners[listener.fileno()] = listener
                    self.poll.register(listener, select.EPOLLIN)
        enter(CLIENT)

    def flood(self, cell):
        """Sends SYNs from a spoofed address, so that the rule of a cell sees a flood."""
        host = ipaddress.ip_address("10.14.0.77" if cell.version == 4 else "fd00:e::77")
        kind = b"\x08\x00" if cell.version == 4 else b"\x86\xdd"
        mac = bytes.fromhex((MAC["client"] + MAC["firewall"]).replace(":", ""))
        for number in range(FLOOD):
            syn = Segment(host, cell.address, 1024 + number, cell.row.port, 1000 * number, 0, SYN,
                          options=Options(1460, 7, True, (1, 0)))
            self.raw.send(mac[6:] + mac[:6] + kind + syn.packet())

    def connect(self, cell):
        if cell.kind == "flooded":
            self.flood(cell)
        family = socket.AF_INET if cell.version == 4 else socket.AF_INET6
        cell.socket = socket.socket(family)
        cell.socket.setblocking(False)
        cell.outcome, cell.is_open = "unanswered", False
        self.cells[cell.socket.fileno()] = cell
        status = cell.socket.connect_ex((str(cell.address), cell.row.port))
        if status in (0, errno.EINPROGRESS):
            self.poll.register(cell.socket, select.EPOLLIN | select.EPOLLOUT)
        else:
            self.fail(cell, status)

    def fail(self, cell, status):
        names = {errno.ECONNREFUSED: "refused", errno.ECONNRESET: "reset", errno.EPIPE: "reset",
                 errno.ETIMEDOUT: "timed out"}
        cell.outcome = names.get(status) or ("unreachable" if status in NO_ANSWER else errno.errorcode.get(status, "?"))
        self.drop(cell)

    def drop(self, cell):
        if cell.socket is None:
            return
        with contextlib.suppress(OSError, ValueError, KeyError):
            self.poll.unregister(cell.socket)
        self.cells.pop(cell.socket.fileno(), None)
        cell.socket.close()

    def ask(self, cell):
        """The client sends data, and waits for the answer."""
        cell.outcome = "hanging"
        try:
            cell.socket.send(b"?")
        except OSError as error:
            self.fail(cell, error.errno)

    def push(self, cell):
        """The server sends data."""
        cell.outcome = "hanging"
        try:
            self.at_server(cell).send(b"!")
        except OSError as error:
            cell.outcome = f"the server's end: {error}"
        except KeyError:
            cell.outcome = "served by another server"

    def at_server(self, cell):
        """The server's socket of a conversation."""
        own = cell.socket.getsockname()
        return self.peers[own[1], cell.version, str(cell.behind), cell.row.port]

    def turn(self, wait=0.0):
        """Handles the events of all sockets."""
        for number, events in self.poll.poll(wait):
            if number in self.listeners:
                self.accept(self.listeners[number])
            elif number in self.accepted:
                self.serve(*self.accepted[number])
            elif number in self.cells:
                self.go_on(self.cells[number], events)

    def accept(self, listener):
        with contextlib.suppress(BlockingIOError):
            while True:
                connection, (_, port, *_) = listener.accept()
                connection.setblocking(False)
                local = connection.getsockname()
                own = ipaddress.ip_address(local[0])
                own = own.ipv4_mapped or own
                key = port, own.version, str(own), local[1]
                self.peers[key] = connection
                self.accepted[connection.fileno()] = connection, key
                self.poll.register(connection, select.EPOLLIN)

    def serve(self, connection, key):
        try:
            asked = connection.recv(100)
            if asked:
                connection.send(b"!" * len(asked))
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self.poll.unregister(connection)
        del self.accepted[connection.fileno()]
        if self.peers.get(key) is connection:
            del self.peers[key]
        connection.close()

    def go_on(self, cell, events):
        if not cell.is_open:
            if status := cell.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                return self.fail(cell, status)
            if not events & select.EPOLLOUT:
                return None
            cell.is_open = True
            self.poll.modify(cell.socket, select.EPOLLIN)
            return self.ask(cell)
        try:
            heard = cell.socket.recv(100)
        except BlockingIOError:
            return None
        except OSError as error:
            return self.fail(cell, error.errno)
        cell.outcome = "served" if heard else "closed"
        if not heard:
            self.drop(cell)
        return None

    def start(self, cells):
        for number, cell in enumerate(cells):
            self.connect(cell)
            if number % 8 == 0:
                self.turn()

    def until(self, condition, limit=LIMIT):
        """Handles events until a condition is true, or a time is over. Returns whether it came true."""
        end = time.monotonic() + limit
        while not condition():
            if time.monotonic() > end:
                return False
            self.turn(0.1)
        return True


# Routes to servers that cannot be reached.
ROUTES = {
    "unreachable": "unreachable",
    "prohibit": "prohibit",
    "blackhole": "blackhole",
    "no route": "",
    "nobody has the address": "via {silent} dev {far}",
    "the server's link is down": "via {down} dev f2",
}
