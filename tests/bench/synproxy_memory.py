#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
Runs in the VM: measures what an open connection takes up with each proxy, and without one with connection tracking
and without that.

synproxy_memory.py instructions|time FILE

The sender opens connections and keeps them, without sockets of its own. Those of the server are in all figures. What
counts is the objects in use: how many pages the kernel's caches have for them depends on what was there before.
"""
import resource
import subprocess
import sys

from measuring import MeasuringFailed, run, save_measured, say
from recent_memory import memory_in_use, taken
from synproxy_subjects import Direct, Iptables, Nftables, Palisade

CLOCK, FILE = sys.argv[1:]
CONNECTIONS = 10000


class Tracked(Direct):
    """Connection tracking, and nothing else."""
    name = "tracked"
    RULES = ["iptables -A INPUT -m conntrack --ctstate INVALID -j DROP"]

    def load(self):
        for rule in self.RULES:
            self.rule(rule)


def expect(subject, what, value, wanted):
    if value != wanted:
        raise MeasuringFailed(f"{subject.name}: {what} went up by {value}, not {wanted}")


def tracked(subject):
    return int(subject.on("cat", "/proc/sys/net/netfilter/nf_conntrack_count"))


def measure(subject):
    say(f"memory: {subject.name}")
    # What the first connections need for all others.
    subject.sent("established", 0, 16, 16)
    entries, connections = tracked(subject), subject.counters()["Tcp.CurrEstab"]
    before = memory_in_use()
    with subprocess.Popen(subject.sender("held", 16, CONNECTIONS, 1), stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as sender:
        if sender.stdout.readline() != "open\n":
            raise MeasuringFailed(f"{subject.name}: connections were not opened")
        after = memory_in_use()
        expect(subject, "Tcp.CurrEstab", subject.counters()["Tcp.CurrEstab"] - connections, CONNECTIONS)
        expect(subject, "nf_conntrack_count", tracked(subject) - entries,
               0 if subject.name == "direct" else CONNECTIONS)
        sender.stdin.close()
    return taken(before, after, CONNECTIONS)


def measure_all(result):
    run("modprobe", "nf_conntrack")
    resource.setrlimit(resource.RLIMIT_NOFILE, (2 * CONNECTIONS, 2 * CONNECTIONS))
    # The first one also pays for what is made once, so its figures are not kept.
    for number, kind in enumerate((Direct, Direct, Tracked, Iptables, Nftables, Palisade)):
        subject = kind(number)
        subject.start()
        figures = result["bytes"][subject.name] = measure(subject)
        say(f"    {figures['in_objects']:.0f} bytes, the server's included; {figures['objects']}")
        # With it goes what it remembers of connections.
        subject.end()
    return []


sys.exit(save_measured(FILE, {"clock": CLOCK, "connections": CONNECTIONS, "bytes": {}}, measure_all))
