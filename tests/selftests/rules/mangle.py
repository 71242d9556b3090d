#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The table mangle and the target TCPMSS, packet by packet. lib/synproxy/hosts.py draws the hosts; "proxy" has the rules and the routes.

mangle.py [palisade] [iptables]: whose rules. On the debug kernel, which lacks modules of iptables, Palisade's alone.
"""

import contextlib
import dataclasses
import errno
import os
import pathlib
import random
import socket
import struct
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from genetlink import Report
from synproxy.hosts import PROXY, WIRES, Hosts, enter
from tcp_segments import ACK, SYN, Options, Segment, with_destination_options

MARK, ROUTES = 7, 100
ELSEWHERE = {4: "192.0.2.1", 6: "2001:db8::1"}
IS_DEBUG = os.path.isdir("/sys/kernel/debug/kunit")


class Rules:
    """Rules of one tool, for IPv4 and IPv6."""

    def __init__(self, tool, hosts):
        self.tool, self.hosts = tool, hosts
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

    def own_syns(self):
        """Begins a connection from the proxy's host to elsewhere; returns its SYNs, as they come by each wire."""
        with self.own_socket(socket.SOCK_STREAM) as one:
            one.setblocking(False)
            one.connect_ex((ELSEWHERE[self.version], 80))
            port = one.getsockname()[1]
            self.hosts.settle()
            self.right.settle()
        return {wire.name: found for wire in (self.left, self.right)
                if (found := wire.take(lambda each: each.source_port == port))}

    def connect(self):
        """The wires that the SYN of a connection from the proxy's host to elsewhere comes by."""
        return list(self.own_syns())

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


TIMESTAMPS = (1, 0)
FULL = b"\3\3\7" + b"\1" * 37


def lowered(one, limit, default):
    """What a SYN's options come out as, where TCPMSS says `limit`."""
    for what, options, wanted in (
            ("is lowered", Options(mss=1460), Options(mss=limit)),
            ("among others", Options(mss=limit + 1, scale=7, sack=True, timestamps=TIMESTAMPS),
             Options(mss=limit, scale=7, sack=True, timestamps=TIMESTAMPS)),
            ("that is low stays", Options(mss=limit - 1), Options(mss=limit - 1)),
            ("that is not told is", Options(), Options(mss=min(limit, default))),
            ("that is not told is, among others", Options(scale=7, timestamps=TIMESTAMPS),
             Options(mss=min(limit, default), scale=7, timestamps=TIMESTAMPS))):
        segment = one.syn(options)
        found = one.forwarded(segment)
        one.check(f"an MSS {what}", [(each.options, each.right, each.sequence) for each in found],
                  [(wanted, True, segment.sequence)])


def mss(one):
    """TCPMSS lowers the MSS of SYNs and SYN-ACKs."""
    default = {4: 536, 6: 1220}[one.version]
    headers = {4: 40, 6: 60}[one.version]
    syn = "-p tcp --tcp-flags SYN,RST SYN -j TCPMSS"
    with one.rules(f"mangle -A FORWARD {syn} --set-mss 1000"):
        lowered(one, 1000, default)
        for what, more in (("a full header", {"raw_options": FULL}), ("data", {"payload": b"hello", "options": Options()})):
            segment = one.syn(**more)
            one.check(f"a SYN with {what} stays as it is",
                      [(each.options, each.payload, each.right) for each in one.forwarded(segment)],
                      [(Options.parse(segment.raw_options or b""), segment.payload, True)])
        if one.rules.tool == "palisade":
            # iptables' target gets the checksum wrong.
            segment = one.syn(raw_options=b"\1" + struct.pack("!BBH", 2, 4, 1460) + b"\1\1\0")
            one.check("an MSS at an odd offset is lowered",
                      [(each.options.mss, each.right) for each in one.forwarded(segment)], [(1000, True)])
        segment = one.syn(Options(mss=1460), checksum=0x1234)
        one.check("a wrong checksum stays wrong", [each.right for each in one.forwarded(segment)], [False])
        segment = dataclasses.replace(one.syn(), flags=SYN | ACK)
        with_syn_ack = one.forwarded(segment)
        one.check("the MSS of a SYN-ACK is lowered", [each.options.mss for each in with_syn_ack], [1000])
    with one.rules(f"raw -A PREROUTING {syn} --set-mss 300"):
        lowered(one, 300, default)
    with one.rules(f"mangle -A POSTROUTING {syn} --clamp-mss-to-pmtu"):
        for network, mtu in (("left", 1400), ("right", 1300)):
            one.hosts.run("ip", "link", "set", network, "mtu", str(mtu))
            lowered(one, mtu - headers, default)
        for network in "left", "right":
            one.hosts.run("ip", "link", "set", network, "mtu", "1500")
    if one.version == 6:
        with one.rules(f"mangle -A FORWARD {syn} --set-mss 1000"):
            segment = one.syn(Options(scale=7))
            one.left.send(with_destination_options(segment))
            one.hosts.settle()
            one.right.settle()
            found = one.right.take(lambda each: each.source_port == segment.source_port)
            one.check("an extension header does not hide the SYN", [(each.options, each.right) for each in found],
                      [(Options(mss=1000, scale=7), True)])
    # What this host sends has no checksum yet in OUTPUT.
    with routes(one.hosts, one.version, "unreachable default"):
        for offload in "on", "off":
            one.hosts.run("ethtool", "-K", "right", "tx", offload, stdout=subprocess.DEVNULL)
            with one.rules(f"mangle -A OUTPUT {syn} --set-mss 1000"):
                found = one.own_syns()["right"]
                one.check(f"a SYN of this host, checksum offloading {offload}",
                          {(each.options.mss, each.right or offload == "on") for each in found}, {(1000, True)})


def refusals(one):
    """Rules that TCPMSS cannot follow are refused."""
    for what, rule in (("without a match on SYN", "mangle -A FORWARD -p tcp -j TCPMSS --set-mss 1000"),
                       ("for what is not a SYN", "mangle -A FORWARD -p tcp ! --syn -j TCPMSS --set-mss 1000"),
                       ("for a route in PREROUTING", "mangle -A PREROUTING -p tcp --syn -j TCPMSS --clamp-mss-to-pmtu"),
                       ("for a route in INPUT", "mangle -A INPUT -p tcp --syn -j TCPMSS --clamp-mss-to-pmtu")):
        try:
            with one.rules(rule):
                refused = False
        except subprocess.CalledProcessError:
            refused = True
        one.check(f"TCPMSS {what} is refused", refused, True)


SCENARIOS = {
    "palisade": [routing, chains, mss, refusals],
    # By way of nftables, its target is not asked what it takes.
    "iptables": [routing, chains, mss],
}


def main():
    tools = sys.argv[1:] or (["palisade"] if IS_DEBUG else ["palisade", "iptables"])
    report = Report()
    hosts = Hosts()
    try:
        subprocess.run(["modprobe", "palisade"], check=True)
        for tool in tools:
            report.prefix = f"{tool}: "
            rules = Rules(tool, hosts)
            for scenario in SCENARIOS[tool]:
                for version in 4, 6:
                    scenario(Mangle(hosts, rules, version, report))
    finally:
        hosts.clear()
        hosts.remove()
    report.finish()


if __name__ == "__main__":
    main()
