# SPDX-License-Identifier: GPL-2.0
"""Loads the rules of many rows together, in the language of each tool."""

import collections
import functools
import re
import subprocess

from crossed.hosts import FIREWALL, KINDS, address, of_kind, on

VERSIONS = {4: "iptables", 6: "ip6tables"}
PORTS = "1000:9999"
OPTIONS = "--sack-perm --timestamp --mss 1440 --wscale 7"
SET = {version: f"type ipv{version}_addr . inet_service . ipv{version}_addr . inet_service" for version in VERSIONS}
KEY = {4: "ip saddr . tcp sport . ip daddr . tcp dport", 6: "ip6 saddr . tcp sport . ip6 daddr . tcp dport"}


def indexed(value, index):
    return value[index] if isinstance(value, tuple) else value


def quietly(*command):
    subprocess.run(["ip", "netns", "exec", *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@functools.cache
def can(statement):
    """Whether this kernel supports a statement of nftables."""
    kind, hook = ("nat", "postrouting priority 100") if statement == "masquerade" else ("filter", "output priority 0")
    rules = f"""table inet crossed-try {{
        chain c {{
            type {kind} hook {hook};
            {statement}
        }}
    }}"""
    return subprocess.run(["ip", "netns", "exec", FIREWALL, "nft", "--check", "-f", "-"], input=rules, text=True,
                          stderr=subprocess.DEVNULL).returncode == 0


class Rules:
    """Rules on the firewall."""

    def __init__(self, topology):
        self.topology, self.words = topology, {}
        self.tables = {version: set() for version in VERSIONS}

    def protect(self, bare=False, cookies=True):
        """Adds SYNPROXY's rules of all kinds, each kind for addresses of its own, and the DNAT of nftables.

        With `cookies`, sockets of the firewall take connections over.
        """
        raw, filters = [], []
        for version in VERSIONS:
            to = {kind: f"-d {of_kind(kind, version)} -p tcp --dport {PORTS}" for kind in KINDS}
            raw += [f"-A PREROUTING {to['raw']} -j SYNPROXY", f"-A PREROUTING {to['five']} --syn -j CT --notrack",
                    f"-A PREROUTING {to['flooded']} -j SYNPROXY --when-flooded 1/1"]
            for chain in "INPUT", "FORWARD":
                filters += [f"-A {chain} {to['five']} -m state --state INVALID,UNTRACKED -j SYNPROXY {OPTIONS}",
                            f"-A {chain} {to['five']} -m state --state INVALID -j DROP"]
        if not bare:
            self.palisade({"raw": raw, "filter": filters}, "")
        on(FIREWALL, "sysctl", "-qw", "net.netfilter.nf_conntrack_tcp_loose=0",
           f"net.ipv4.tcp_syncookies={int(cookies)}")
        self.translate()

    def translate(self):
        lines = []
        for version, word in (4, "ip"), (6, "ip6"):
            pairs = ", ".join(f"{address(kind, way, version, number)} : {address(kind, to, version, number)}"
                              for kind in KINDS for way, to in (("dnat", "forward"), ("dnat-route", "route"))
                              for number in range(1, 9))
            lines.append(f"add table {word} translated")
            for hook in "prerouting", "output":
                chain = f"{word} translated {hook}"
                lines += [f"add chain {chain} {{ type nat hook {hook} priority -100; }}",
                          f"add rule {chain} tcp dport 1000-9999 dnat to {word} daddr map {{ {pairs} }}"]
        on(FIREWALL, "nft", "-f", "-", input="\n".join(lines) + "\n")

    @staticmethod
    def palisade(tables, flags="--noflush"):
        text = "".join(f"*{table}\n" + "\n".join(lines) + "\nCOMMIT\n" for table, lines in tables.items())
        on(FIREWALL, "palisade", "restore", *flags.split(), "-", input=text)

    @staticmethod
    def said(word, row):
        """A word of a rule, with the port of a row."""
        return word.replace("{port}", str(row.port)) if isinstance(word, str) else word

    def load(self, rows):
        """Loads the rules of these rows."""
        chains, sets, words = collections.defaultdict(list), [], collections.defaultdict(list)
        old = {version: collections.defaultdict(list) for version in VERSIONS}
        for row in rows:
            for tool, where, *rule in row.rules:
                rule = [self.said(word, row) for word in rule]
                comment = f"-m comment --comment p{row.port} -j"
                if tool == "nft":
                    chains[where].append(f"{rule[0]} counter {rule[1]} comment \"p{row.port}\"")
                elif tool == "once":
                    match, (what, times) = rule
                    for version in VERSIONS:
                        name = f"{what}-{version}"
                        sets.append(f"add set inet crossed {name} {{ {SET[version]}; flags dynamic; size 1000; }}")
                        chains[where].append(
                            f"meta nfproto ipv{version} {match} add @{name} {{ {KEY[version]} limit rate 1/hour"
                            f" burst {times} packets }} counter drop comment \"p{row.port}\"")
                elif tool == "iptables":
                    for index, version in enumerate(VERSIONS):
                        old[version][where].append(f"{rule[0]} {comment} {indexed(rule[1], index)}")
                else:
                    words[where].append(f"{' '.join(rule[:2])} {comment} {rule[2]}")
        lines = ["add table inet crossed", *dict.fromkeys(sets)]
        for number, ((hook, priority), own) in enumerate(chains.items()):
            kind = "nat" if priority == "srcnat" else "filter"
            lines.append(f"add chain inet crossed c{number} {{ type {kind} hook {hook} priority {priority}; }}")
            lines += [f"add rule inet crossed c{number} {rule}" for rule in own]
        on(FIREWALL, "nft", "-f", "-", input="\n".join(lines) + "\n")
        for version, command in VERSIONS.items():
            self.tables[version] |= set(old[version])
            text = "".join(f"*{table}\n" + "\n".join(own) + "\nCOMMIT\n" for table, own in old[version].items())
            if text:
                on(FIREWALL, f"{command}-restore", "--noflush", input=text)
        if words:
            self.palisade(words)
            self.words = words

    def counts(self):
        """How many packets the rules of each row have counted, by the row's port."""
        found = collections.Counter()
        commands = [["palisade", "save", "--counters"], ["nft", "list", "table", "inet", "crossed"]]
        commands += [[f"{VERSIONS[version]}-save", "-c"] for version in VERSIONS if self.tables[version]]
        for command in commands:
            for line in on(FIREWALL, *command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.splitlines():
                name = re.search(r"comment \"?p(\d+)", line)
                packets = re.search(r"counter packets (\d+)|^\[(\d+):", line)
                if name and packets:
                    found[int(name[1])] += int(packets[1] or packets[2])
        return found

    def remove_met(self):
        """Removes the rules of the rows, but not SYNPROXY's."""
        quietly(FIREWALL, "nft", "delete", "table", "inet", "crossed")
        for version, command in VERSIONS.items():
            for table in self.tables[version]:
                on(FIREWALL, command, "-t", table, "-F")
            self.tables[version].clear()
        for table, rules in self.words.items():
            for rule in rules:
                on(FIREWALL, "palisade", "-t", table, *rule.replace("-I", "-D", 1).split())
        self.words = {}

    def remove(self):
        self.remove_met()
        for word in "ip", "ip6":
            quietly(FIREWALL, "nft", "delete", "table", word, "translated")
        for table in "raw", "filter":
            quietly(FIREWALL, "palisade", "-t", table, "-F")
