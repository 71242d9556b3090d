#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The table mangle, packet by packet. lib/synproxy/hosts.py draws the hosts; "proxy" has the rules and the routes.

mangle.py [palisade] [iptables]: whose rules. On the debug kernel, which lacks modules of iptables, Palisade's alone.
"""

import contextlib
import errno
import os
import pathlib
import random
import socket
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from genetlink import Report
from synproxy.hosts import PROXY, WIRES, Hosts, enter
from tcp_segments import SYN, Options, Segment

MARK, ROUTES = 7, 100
ELSEWHERE = {4: "192.0.2.1", 6: "2001:db8::1"}
IS_DEBUG = os.path.isdir("/sys/kernel/debug/kunit")


class Rules:
    """Rules of one tool, for IPv4 and IPv6."""

    def __init__(self, tool, hosts):
        self.hosts = hosts
        self.commands = {"palisade": ["palisade"], "iptables": ["iptables", "ip6tables"]}[tool]

    def run(self, arguments):
        for command in self.commands:
            self.hosts.run(command, *arguments.split())

    @contextlib.contextmanager
    def __call__(self, *rules):
        """The rules are in force for the time being."""
        try:
            for rule in rules:
                self.run(f"-t {rule}")
            yield
        finally:
            for table in "raw", "mangle", "nat", "filter":
                self.run(f"-t {table} -F")


class Mangle:
    def __init__(self, hosts, rules, version, report):
        self.hosts, self.rules, self.version, self.report = hosts, rules, version, report
        self.left, self.right = hosts.left, hosts.right

    def syn(self, options=Options(mss=1460), **more):
        """A SYN from the left to the right."""
        return Segment(self.left.own[self.version], self.right.own[self.version], random.randrange(1024, 65536), 80,
                       random.randrange(1 << 32), 0, SYN, options=options, **more)

    def forwarded(self, segment):
        """What comes out on the right of what was sent on the left: a list of segments."""
        self.left.send(segment)
        self.hosts.settle()
        self.right.settle()
        return self.right.take(lambda one: one.source_port == segment.source_port)

    def own_socket(self, kind):
        """A socket of the proxy's host."""
        enter(PROXY)
        made = socket.socket(socket.AF_INET if self.version == 4 else socket.AF_INET6, kind)
        enter(WIRES)
        return made

    def connect(self):
        """Begins a connection from the proxy's host to elsewhere; returns the wires that its SYN comes by."""
        with self.own_socket(socket.SOCK_STREAM) as one:
            one.setblocking(False)
            one.connect_ex((ELSEWHERE[self.version], 80))
            port = one.getsockname()[1]
            self.hosts.settle()
            self.right.settle()
        # A SYN that this machine was slow to take in is sent again.
        return sorted({wire.name for wire in (self.left, self.right)
                       for one in wire.take(lambda one: one.source_port == port)})

    def error(self):
        """Sends a datagram from the proxy's host to elsewhere; returns the error that the sender gets."""
        with self.own_socket(socket.SOCK_DGRAM) as one:
            try:
                one.sendto(b"hello", (ELSEWHERE[self.version], 80))
            except OSError as error:
                return errno.errorcode[error.errno]

    def check(self, description, found, wanted):
        self.report.check(f"{description}, IPv{self.version}", found == wanted, f"it is {found}, not {wanted}")


@contextlib.contextmanager
def routes(hosts, version, marked):
    """Routes to elsewhere: by the right, or as given for packets that have the mark."""
    right = hosts.right.own[version]
    changes = [f"route add default via {right}", f"route add {marked} table {ROUTES}",
               f"rule add fwmark {MARK} lookup {ROUTES}"]
    try:
        for change in changes:
            hosts.run("ip", f"-{version}", *change.split())
        yield
    finally:
        for change in reversed(changes):
            hosts.run("ip", f"-{version}", *change.replace(" add ", " del ").split())


def routing(one):
    """A packet whose mark changes in OUTPUT of mangle is routed again."""
    mark = f"OUTPUT -p tcp --dport 80 -j MARK --set-mark {MARK}"
    by_left = f"default via {one.left.own[one.version]}"
    with routes(one.hosts, one.version, by_left):
        one.check("without a rule, the main table routes", one.connect(), ["right"])
        with one.rules(f"mangle -A {mark}"):
            one.check("a mark of mangle's OUTPUT chooses the route", one.connect(), ["left"])
        with one.rules(f"filter -A {mark}"):
            one.check("a mark of filter's OUTPUT does not", one.connect(), ["right"])
        with one.rules(f"mangle -A {mark}", "mangle -A OUTPUT -p tcp --dport 80 -j MARK --set-mark 0"):
            one.check("nor does one that was taken back", one.connect(), ["right"])
        with one.rules(f"mangle -A {mark}", f"filter -A OUTPUT -p tcp -m mark --mark {MARK} -j DROP"):
            one.check("filter's OUTPUT sees the mark", one.connect(), [])
    with routes(one.hosts, one.version, "unreachable default"):
        one.check("a datagram goes by the main table", one.error(), None)
        with one.rules(f"mangle -A OUTPUT -p udp -j MARK --set-mark {MARK}"):
            one.check("where the other leads nowhere, the sender is told", one.error(), "EHOSTUNREACH")


def chains(one):
    """Each chain sees its packets, before the tables nat and filter do."""
    mark = f"-p tcp --dport 80 -j MARK --set-mark {MARK}"
    drop = f"-p tcp -m mark --mark {MARK} -j DROP"
    for marking, dropping in (("mangle -A PREROUTING", "filter -A FORWARD"), ("mangle -A FORWARD", "filter -A FORWARD"),
                              ("mangle -A FORWARD", "mangle -A POSTROUTING"),
                              ("raw -A PREROUTING", "mangle -A PREROUTING")):
        with one.rules(f"{marking} {mark}"):
            one.check(f"{marking} lets a forwarded packet pass", len(one.forwarded(one.syn())), 1)
        with one.rules(f"{marking} {mark}", f"{dropping} {drop}"):
            one.check(f"{marking} marks it for {dropping}", len(one.forwarded(one.syn())), 0)
    with one.rules(f"mangle -A POSTROUTING -p tcp --dport 80 -o left -j DROP"):
        one.check("POSTROUTING knows the egress interface", len(one.forwarded(one.syn())), 1)
    own = one.syn()
    own = Segment(own.source, one.left.proxy[one.version], own.source_port, 80, own.sequence, 0, SYN)

    def is_refused():
        one.left.send(own)
        one.hosts.settle()
        return bool(one.left.take(lambda answer: answer.port == own.source_port))

    one.check("a closed port refuses a connection", is_refused(), True)
    with one.rules(f"mangle -A INPUT {mark}", f"filter -A INPUT {drop}"):
        one.check("mangle -A INPUT marks a packet for filter -A INPUT", is_refused(), False)
    with one.rules("mangle -P INPUT DROP"):
        one.check("mangle's chains have policies", is_refused(), False)
        one.rules.run("-t mangle -P INPUT ACCEPT")


SCENARIOS = [routing, chains]


def main():
    tools = sys.argv[1:] or (["palisade"] if IS_DEBUG else ["palisade", "iptables"])
    report = Report()
    hosts = Hosts()
    try:
        subprocess.run(["modprobe", "palisade"], check=True)
        for tool in tools:
            report.prefix = f"{tool}: "
            rules = Rules(tool, hosts)
            for scenario in SCENARIOS:
                for version in 4, 6:
                    scenario(Mangle(hosts, rules, version, report))
    finally:
        hosts.clear()
        hosts.remove()
    report.finish()


if __name__ == "__main__":
    main()
