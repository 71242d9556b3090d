# SPDX-License-Identifier: GPL-2.0
"""Two hosts with the same rules, one with iptables and xt_recent, one with Palisade; and the sender of all packets.

    +----------------------------+          +---------------------------------------------+
    |           sender           |          |            iptables  (xt_recent)            |
    |                            |          |                                             |
    |              iptables-in  -+----------+- in   10.255.0.1/24  fd00::1/64             |
    |              iptables-out -+----------+- out  10.255.1.1/24  fd00:0:0:1::1/64       |
    |                            |          |  lo   local 198.19.0.0/16, 2001:db8:1::/48  |
    |                            |          +---------------------------------------------+
    |                            |
    |                            |          +---------------------------------------------+
    |                            |          |            palisade                         |
    |              palisade-in  -+----------+- in   the same addresses                    |
    |              palisade-out -+----------+- out                                        |
    |  (no addresses, no IPv6)   |          |  lo                                         |
    +----------------------------+          +---------------------------------------------+

Packets come in by "in". Those for 198.18.0.0/16 and 2001:db8::/48 are forwarded by the default route, to a permanent
neighbour on "out": the sender's socket there takes them. Those for 198.19.0.0/16 and 2001:db8:1::/48 are local, and raw
sockets on the host take them. For rules in OUTPUT, a host sends the packets itself, by raw sockets.
"""

import errno
import ipaddress
import json
import os
import pathlib
import re
import select
import socket
import subprocess
import time

from differential.scenarios import MAGIC
from genetlink import Client, Refused, decode
from packet_frames import SERVER_MAC, TCP, UDP

SENDER = "sender"
SINK_MAC = "02:00:00:00:00:03"
ETH_P_ALL, SO_RCVBUFFORCE = 3, 33
# A list has to be read within so many seconds, or the times of its entries are not known well enough.
READ_TIME, READ_ATTEMPTS = 0.15, 30
HZ = int(re.search(r"^CONFIG_HZ=(\d+)", pathlib.Path(f"/boot/config-{os.uname().release}").read_text(), re.M)[1])


def run(*command, **more):
    return subprocess.run(command, check=True, text=True, **more)


def enter(host):
    with open(f"/run/netns/{host}") as namespace:
        os.setns(namespace.fileno(), os.CLONE_NEWNET)


def number_of(payload):
    """The number in a test packet, or None."""
    return int.from_bytes(payload[-4:]) if payload[-8:-4] == MAGIC else None


def drain(receiver):
    try:
        while True:
            yield receiver.recv(2048)
    except BlockingIOError:
        return


def prepare(parameters):
    """Loads both modules, and makes the sender's namespace."""
    run("modprobe", "palisade")
    subprocess.run(["modprobe", "-r", "xt_recent"], stderr=subprocess.DEVNULL)
    run("modprobe", "xt_recent", *(f"{name}={value}" for name, value in parameters.items()))
    for name, value in parameters.items():
        if int(pathlib.Path(f"/sys/module/xt_recent/parameters/{name}").read_text()) != value:
            raise SystemExit(f"xt_recent is in use, with another {name} than {value}")
    # Packets from one CPU stay in order.
    os.sched_setaffinity(0, {0})
    run("ip", "netns", "add", SENDER)
    enter(SENDER)
    run("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")


class Host:
    """A host that forwards packets by its rules, between two links to the sender."""

    def __init__(self):
        run("ip", "netns", "add", self.name)
        enter(SENDER)
        run("ip", "-batch", "-", input=f"""
            link add {self.name}-in type veth peer name in address {SERVER_MAC.hex(':')} netns {self.name}
            link add {self.name}-out type veth peer name out netns {self.name}
            link set {self.name}-in up
            link set {self.name}-out up""")
        self.sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.sender.bind((f"{self.name}-in", 0))
        self.sink = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.sink.bind((f"{self.name}-out", ETH_P_ALL))
        enter(self.name)
        run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1", "net.ipv4.conf.all.rp_filter=0",
            "net.ipv4.conf.default.rp_filter=0", "net.ipv4.conf.in.rp_filter=0")
        run("ip", "-batch", "-", input=f"""
            link set lo up
            link set in up
            link set out up
            address add 10.255.0.1/24 dev in
            address add 10.255.1.1/24 dev out
            address add fd00::1/64 dev in nodad
            address add fd00:0:0:1::1/64 dev out nodad
            neighbour add 10.255.1.2 lladdr {SINK_MAC} dev out
            neighbour add fd00:0:0:1::2 lladdr {SINK_MAC} dev out
            route add default via 10.255.1.2
            route add default via fd00:0:0:1::2
            route add local 198.19.0.0/16 dev lo
            route add local 2001:db8:1::/48 dev lo""")
        # Local packets are received by raw sockets, behind the rules; rules in OUTPUT see what raw sockets send.
        self.inside = [socket.socket(family, socket.SOCK_RAW, protocol)
                       for family in (socket.AF_INET, socket.AF_INET6) for protocol in (TCP, UDP)]
        self.output = {4: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW),
                       6: socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)}
        for receiver in (*self.inside, self.sink):
            receiver.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 22)
            receiver.setblocking(False)
        enter(SENDER)

    def send(self, packet, is_own):
        """Sends a packet through the host, or from the host itself."""
        if not is_own:
            self.sender.send(packet.frame)
            return
        try:
            self.output[packet.version].sendto(packet.frame[14:], (str(packet.destination), 0))
        except PermissionError:
            pass  # a rule in OUTPUT has dropped it

    def accepted(self, marker):
        """The numbers of the packets that got through. The marker, which always does, is sent last and awaited."""
        self.sender.send(marker.frame)
        numbers = set()
        while marker.number not in numbers:
            if not select.select([self.sink], [], [], 30)[0]:
                raise SystemExit(f"host {self.name} does not forward any more")
            # An ICMP error quotes a packet, but is none of the test packets.
            numbers |= {number_of(frame) for frame in drain(self.sink)
                        if frame[23 if frame[12:14] == b"\x08\x00" else 20] in (TCP, UDP)}
        for receiver in self.inside:
            numbers |= {number_of(payload) for payload in drain(receiver)}
        return numbers


class Reference(Host):
    """iptables and xt_recent."""

    name = "iptables"

    def load(self, scenarios):
        enter(self.name)
        for version, command in ((4, "iptables-restore"), (6, "ip6tables-restore")):
            tables = {"filter": [], "raw": []}
            for scenario in scenarios:
                for table, rule in scenario.reference_rules(version):
                    tables[table].append(rule)
            run(command, input="".join(f"*{table}\n" + "\n".join([*rules, "COMMIT\n"]) for table, rules in tables.items()))
        enter(SENDER)

    def read(self, one):
        """The entries of a list: TTL, times of the packets, latest first, and their number."""
        enter(self.name)
        jiffies = int(re.search(r"^jiffies: (\d+)", pathlib.Path("/proc/timer_list").read_text(), re.M)[1])
        now = time.monotonic()
        entries = {}
        for line in pathlib.Path(f"/proc/self/net/xt_recent/{one.name}").read_text().splitlines():
            address, ttl, stamps = re.fullmatch(r"src=(\S+) ttl: (\d+) last_seen: \d+ oldest_pkt: \d+ (.*)", line).groups()
            times = sorted((now - (jiffies - int(stamp)) / HZ for stamp in stamps.split(",")), reverse=True)
            entries[ipaddress.ip_address(address)] = int(ttl), times, len(times)
        enter(SENDER)
        return entries

    def change(self, one, sign, address):
        """Adds an address to a list (+), deletes it (-), or flushes the list (/), by hand."""
        enter(self.name)
        pathlib.Path(f"/proc/self/net/xt_recent/{one.name}").write_text(f"{sign}{address or ''}\n")
        enter(SENDER)


class Palisade(Host):
    """Palisade."""

    name = "palisade"

    def __init__(self):
        super().__init__()
        enter(self.name)
        self.client = Client()
        enter(SENDER)

    def load(self, scenarios):
        enter(self.name)
        lines = [f"palisade {rule} || exit 1" for scenario in scenarios for rule in scenario.palisade_rules()]
        run("sh", input="\n".join(["palisade -F", "palisade -t raw -F", *lines]))
        enter(SENDER)

    def read(self, one):
        enter(self.name)
        answer = run("palisade", "list", "show", one.name, "--json", stdout=subprocess.PIPE).stdout
        enter(SENDER)
        times = self.times(one)
        return {ipaddress.ip_address(entry["address"]): (
            entry["time_to_live"], times[ipaddress.ip_address(entry["address"])], entry["packets"])
            for entry in json.loads(answer)["entries"]}

    def times(self, one):
        """The times of the packets of each entry. Starting the CLI takes too long to know when it read an age."""
        for _ in range(READ_ATTEMPTS):
            before = time.monotonic()
            self.client.socket.send(self.client.request("entry-get", {"name": one.name}, dump=True))
            payloads = self.client.answers()
            taken = time.monotonic() - before
            if taken < READ_TIME:
                break
        else:
            raise SystemExit(f"the machine is too slow to read a list within {READ_TIME} seconds")
        now = before + taken / 2
        entries = [entry for payload in payloads for _, entry in decode("list", payload)]
        return {ipaddress.ip_address(dict(entry)["address"]):
                [now - value / 1000 for name, value in entry if name == "age"] for entry in entries}

    def change(self, one, sign, address):
        # As `palisade list` does. Starting the CLI would take too long.
        operation = {"+": "entry-add", "-": "entry-delete", "/": "list-flush"}[sign]
        try:
            self.client.ask(operation, {"name": one.name} | ({"entry": {"address": address.packed}} if address else {}))
        except Refused as refused:
            # xt_recent ignores deleting an address that is not in the list.
            if operation != "entry-delete" or refused.errno != errno.ENOENT:
                raise
