# SPDX-License-Identifier: GPL-2.0
"""Random rules with the recent match, and packets for them, from a seed.

With these rules and packets, Palisade and xt_recent have to agree on each packet and on the lists in the end. DIFFERENCES
describes where they differ on purpose, or where nobody should rely on what xt_recent does. Code that avoids a difference
has its name in a comment.
"""

import ipaddress
import random
import struct

from packet_frames import TCP, UDP, ip, tcp, udp

DIFFERENCES = {
    "one-mask": "The first rule with a list decides which mask xt_recent applies, for all rules and with the same bits for"
                " both families. Palisade applies the mask of each rule. Here all rules of a list have the same mask, and a"
                " list with a mask has one family.",
    "reaping": "xt_recent reaps the oldest entry of a list, and only if the packet's address was found. Palisade reaps the"
               " packet's address as well, and others in turn. So in a list that is reaped, nothing may depend on whether"
               " an entry that is too old is still there: no rule has more seconds than those that reap, none removes, none"
               " stamps an entry that it found too old, and there are no changes by hand. Entries that are too old in the"
               " end are not compared.",
    "remembered": "xt_recent remembers a power of two of packets for each address, the same number for all lists. Palisade"
                  " remembers as many as the rules of a list need, at least 20. The stamps that both have are compared.",
    "full": "If a list is full, xt_recent evicts the entry that was not seen for the longest time, Palisade one that is close"
            " to it. No list gets full here.",
    "memory": "If there is no memory to stamp a packet's address, xt_recent drops the packet and Palisade lets it continue."
             " There is memory here.",
}

# Options used besides --set, --rcheck, --update, --remove, --seconds, --hitcount, --rsource, --rdest, --name.
OPTIONS = ("rttl", "reap", "mask")

ROUNDS = 11
MAGIC = b"PLSD"
TTLS = (2, 63, 64, 128, 255)
SYN, ACK, FIN, RST = 2, 16, 1, 4
MASKS = {4: ("255.255.255.0", "255.255.255.240", "255.255.0.0"),
         6: ("ffff:ffff:ffff:ffff::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff0")}
RAW, FORWARD, INPUT, OUTPUT = ("raw", "PREROUTING"), ("filter", "FORWARD"), ("filter", "INPUT"), ("filter", "OUTPUT")
# The chains of the rules, and how often these are chosen. The TTL is decremented before FORWARD.
CHAINS = {(FORWARD,): 3, (RAW, FORWARD): 3, (INPUT,): 1, (RAW, INPUT): 2, (("raw", "OUTPUT"), OUTPUT): 2}
# Networks of destinations, which differ by the number of the scenario.
NETWORKS = {4: "198.{kind}.{number}.0/24", 6: "2001:db8:{kind}:{number:x}::/64"}
PROTOCOLS = ("-p tcp", "-p tcp --tcp-flags SYN,ACK,FIN,RST SYN", "-p tcp --tcp-flags ACK ACK", "-p tcp --dport 22", "-p udp",
             "-p udp --dport 53")


def network(version, number, is_local):
    """The destinations of a scenario, either forwarded or local."""
    kind = {4: 18, 6: 0}[version] + is_local
    return ipaddress.ip_network(NETWORKS[version].format(kind=kind, number=number))


class Packet:
    """A packet with its number in the payload."""

    def __init__(self, number, source, destination, ttl, protocol=UDP, port=9, flags=0):
        self.number, self.source, self.destination, self.ttl = number, source, destination, ttl
        self.protocol, self.port, self.flags = protocol, port, flags
        payload = MAGIC + struct.pack("!I", number)
        payload = tcp(1024, port, flags, payload=payload) if protocol == TCP else udp(1024, port, payload)
        self.version = source.version
        self.frame = ip(self.version, protocol, payload, source=source.packed, destination=destination.packed, ttl=ttl)

    def __str__(self):
        protocol = f"tcp flags {self.flags:#04x}" if self.protocol == TCP else "udp"
        return (f"round {self.number >> 8 & 0xFF} packet {self.number & 0xFF}: {self.source} to {self.destination} ttl {self.ttl}"
                f" {protocol} port {self.port}")


class List:
    """A list, with what its rules have in common."""

    def __init__(self, chance, choice, name):
        self.name = name
        self.family = self.mask = self.reaped = None
        if "mask" in OPTIONS and chance(0.25):  # one-mask
            self.family = choice((4, 6))
            self.mask = choice(MASKS[self.family])
        if "reap" in OPTIONS and chance(0.25):  # reaping
            self.reaped = choice((1, 2, 3))


class Scenario:
    """Rules, and the packets of each round. Another generation has the same rules with other names of lists."""

    def __init__(self, seed, number, generation=0):
        self.random = random.Random(f"{seed} {number}")
        self.seed, self.number = seed, number
        self.chains = self.random.choices(list(CHAINS), CHAINS.values())[0]
        self.networks = {version: network(version, number, INPUT in self.chains) for version in (4, 6)}
        # xt_recent destroys a list some time after its last rule, so no name is used twice.
        suffix = f"{number}" + f"-{generation}" * (generation > 0)
        lists = [List(self.chance, self.random.choice, letter + suffix) for letter in "abc"[:self.random.choice((1, 1, 2, 3))]]
        self.lists = []
        self.rules = self.make_rules(lists)
        self.rounds = self.make_rounds()
        self.changes = self.make_changes()
        self.packets = {packet.number: packet for packets in self.rounds for packet in packets}

    def chance(self, probability):
        return self.random.random() < probability

    def make_rules(self, lists):
        rules = [self.make_rule(lists) for _ in range(self.random.randint(1, 6))]
        for one in self.lists:
            # With an empty list, most rules would do nothing.
            if len(rules) < 6 and self.chance(0.9) and not any(f"--name {one.name} --set" in rule for *_, rule in rules):
                rules.insert(self.random.randrange(len(rules) + 1), self.make_rule([one], "set"))
        return rules

    def make_rule(self, lists, operation=None):
        """The chain of a rule, its IP versions, and the rule without its destination."""
        chosen = [self.random.choice(lists)]
        if operation is None and self.chance(0.15):
            # one-mask: a rule has one family.
            chosen.append(self.random.choice([one for one in lists if chosen[0].family in (None, one.family) or not one.family]))
        words = [self.random.choice(PROTOCOLS)] if self.chance(0.4) else []
        for one in chosen:
            operation = operation or self.random.choices(("set", "rcheck", "update", "remove"), (30, 28, 28, 14))[0]
            words += self.recent(one, operation)
            last, operation = operation, None
            if one not in self.lists:
                self.lists.append(one)
        target = self.random.choices((None, "ACCEPT", "DROP"), (7, 1, 1) if last == "set" else (2, 3, 5))[0]
        words += [f"-j {target}"] if target else []
        families = {one.family for one in chosen} - {None}
        return self.random.choice(self.chains), families or {4, 6}, " ".join(words)

    def recent(self, one, operation):
        if one.reaped and operation == "remove":  # reaping
            operation = "rcheck"
        inverted = self.chance(0.2) and not (one.reaped and operation == "update")  # reaping
        words = [f"-m recent --name {one.name}", f"! --{operation}" if inverted else f"--{operation}"]
        if operation in ("rcheck", "update"):
            if one.reaped or self.chance(0.6):
                seconds = self.random.randint(1, one.reaped or 3)
                words.append(f"--seconds {seconds}")
                if one.reaped == seconds and self.chance(0.7):
                    words.append("--reap")
            if self.chance(0.6):
                words.append(f"--hitcount {self.random.choice((1, 2, 3, 4, 5, 6, 8, 10, 14, 20, 24))}")
            if "rttl" in OPTIONS and self.chance(0.25):
                words.append("--rttl")
        words += [f"--mask {one.mask}"] if one.mask else []
        words += self.random.choices(([], ["--rsource"], ["--rdest"]), (2, 1, 1))[0]
        return words

    def make_rounds(self):
        sources = [ipaddress.ip_address(f"10.1.{self.random.randrange(3)}.{self.random.choice((1, 2, 14, 17, 18, 200))}")
                   for _ in range(6)]
        sources += [ipaddress.ip_address(f"2001:db8:5:{self.random.randrange(2)}::{self.random.choice((1, 2, 0x11, 0x200)):x}")
                    for _ in range(4)]
        self.weights = {source: self.random.choice((1, 1, 2, 5)) for source in sources}
        self.usual = {source: self.random.choice(TTLS) for source in sources}
        rounds = []
        for number in range(ROUNDS):
            # Each source is silent for some rounds, so that stamps get too old.
            active = [source for source in self.weights if self.chance(0.5)] or sources[:1]
            first = self.number << 16 | number << 8
            rounds.append([self.packet(first + each, active) for each in range(self.random.randint(6, 18))])
        return rounds

    def make_changes(self):
        """Changes by hand before each round: a list, the sign that xt_recent takes, and an address."""
        lists = [one for one in self.lists if not one.reaped]  # reaping
        changes = [[] for _ in self.rounds]
        if lists and self.chance(0.5):
            for some in changes[1:]:
                sign = self.random.choices((None, "+", "-", "/"), (14, 6, 4, 1))[0]
                address = None if sign == "/" else self.random.choice(list(self.weights))
                some += [(self.random.choice(lists), sign, address)] if sign else []
        return changes

    def changes_said(self):
        for number, changes in enumerate(self.changes):
            yield from (f"before round {number} in list {one.name}: {sign}{address or ''}" for one, sign, address in changes)

    def packet(self, number, sources):
        source = self.random.choices(sources, [self.weights[source] for source in sources])[0]
        destination = self.networks[source.version][self.random.randint(1, 4)]
        ttl = self.usual[source] if self.chance(0.75) else self.random.choice(TTLS)
        if self.chance(0.5):
            return Packet(number, source, destination, ttl, UDP, self.random.choice((53, 53, 123)))
        flags = self.random.choice((SYN, SYN, ACK, SYN | ACK, FIN | ACK, RST, 0))
        return Packet(number, source, destination, ttl, TCP, self.random.choice((22, 22, 80)), flags)

    def reference_rules(self, version):
        """The rules of an IP version for iptables-restore or ip6tables-restore, each with its table."""
        for (table, chain), versions, rule in self.rules:
            if version in versions:
                yield table, f"-A {chain} -d {self.networks[version]} {rule}"

    def palisade_rules(self):
        """The rules for palisade, which makes two of a rule for both IP versions."""
        for (table, chain), versions, rule in self.rules:
            networks = ",".join(str(self.networks[version]) for version in sorted(versions))
            yield f"-t {table} -A {chain} -d {networks} {rule}"
