#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
Runs in the VM: measures what an open connection takes up with each proxy, and without one with connection tracking
and without that, where the server is on the same host and where it is behind it.

synproxy_memory.py instructions|time FILE

The sender opens connections and keeps them, without sockets of its own. Those of the server are in all figures. What
counts is the objects in use: how many pages the kernel's caches have for them depends on what was there before.
"""
import resource
import subprocess
import sys

from forwarded_subjects import (
    ForwardedDirect, ForwardedIptables, ForwardedNftables, ForwardedPalisade, ForwardedTracked)
from measuring import MeasuringFailed, run, save_measured, say
from recent_memory import memory_in_use, taken
from synproxy_subjects import Direct, Iptables, Nftables, Palisade, Tracked

CLOCK, FILE = sys.argv[1:]
CONNECTIONS = 10000
# The first one also pays for what is made once, so its figures are not kept.
KINDS = {
    "bytes": (Direct, Direct, Tracked, Iptables, Nftables, Palisade),
    "forwarded": (ForwardedDirect, ForwardedDirect, ForwardedTracked, ForwardedIptables, ForwardedNftables,
                  ForwardedPalisade),
}


def measure(subject):
    say(f"memory: {subject.name}")
    # What is counted as tracked must not become fewer meanwhile.
    subject.set("nf_conntrack_tcp_timeout_close", 3600, "net.netfilter")
    # What the first connections need for all others.
    subject.sent("established", 0, 16, 16)
    before = memory_in_use()
    with subject.opening(CONNECTIONS) as check, subprocess.Popen(
            subject.sender("held", 16, CONNECTIONS, 1), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True) as sender:
        if sender.stdout.readline() != "open\n":
            raise MeasuringFailed(f"{subject.name}: connections were not opened")
        after = memory_in_use()
        check.expect(Tcp__CurrEstab=CONNECTIONS)
        sender.stdin.close()
    return taken(before, after, CONNECTIONS)


def measure_all(result):
    run("modprobe", "nf_conntrack")
    resource.setrlimit(resource.RLIMIT_NOFILE, (2 * CONNECTIONS, 2 * CONNECTIONS))
    for where, kinds in KINDS.items():
        for number, kind in enumerate(kinds):
            subject = kind(number)
            subject.start()
            figures = result[where][subject.name] = measure(subject)
            say(f"    {where}: {figures['in_objects']:.0f}, the server's included; {figures['objects']}")
            # With it goes what it remembers of connections.
            subject.end()
    return []


sys.exit(save_measured(FILE, {"clock": CLOCK, "connections": CONNECTIONS, "bytes": {}, "forwarded": {}}, measure_all))
