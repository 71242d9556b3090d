#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# Kernel: debug
"""Hooks are registered, unregistered and refused while packets are in them and others list them: no use after free.

Unregistering a hook does not wait for its users. A hook for IPv4 and IPv6 is registered twice, and where the second
registration fails, the first one was live. An unprivileged user can do all of it in a network namespace of their own.
KASAN on the debug kernel reports a use after free, which fails the run; a list of hooks with odd contents fails too.

Each part runs in a new network namespace, in which lo is up and packets go to 127.0.0.1 and ::1.
"""

import collections
import errno
import itertools
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from background import dump_hooks, in_background, traffic
from fault_injection import Fault, is_there, own_memory, prepare
from genetlink import COMMANDS, OPERATIONS, Client, Refused, Report, encode
from hook_lists import PREROUTING, HookLists

USER = 1000
# The kernel's own limit for one hook of one IP version (MAX_HOOK_COUNT).
MOST_HOOKS = 1024
# Every STEPth allocation of a change fails, one in each attempt.
STEP = 4


def change(kind, table, chain=None, **more):
    return {"kind": kind, "table": table} | ({"chain-name": chain} if chain else {}) | more


def request(*changes):
    return encode(OPERATIONS["ruleset-change"]["attribute-set"], {"change": list(changes)})


def tcp(port, **target):
    return {"protocol": 6, "match": {"tcp": {"destination-first": port, "destination-last": port}}, "target": target}


ACCEPT = {"target": {"verdict": "accept"}}
OF_CONNECTIONS = {"match": {"conntrack": {"states": 2}}} | ACCEPT
RAW = change("append", "raw", "PREROUTING", rule=ACCEPT)
TRACKED = change("append", "filter", "INPUT", rule=OF_CONNECTIONS)
NAT = change("append", "nat", "PREROUTING", rule=tcp(80, redirect={"port-first": 8080}))
ALL = [RAW, TRACKED, NAT, change("append", "nat", "OUTPUT", rule=tcp(80, redirect={"port-first": 8080})),
       change("append", "mangle", "OUTPUT", rule={"target": {"mark": {"value": 7}}}),
       change("append", "mangle", "POSTROUTING", rule=ACCEPT),
       change("append", "filter", "OUTPUT", rule=ACCEPT), change("append", "filter", "FORWARD", rule=ACCEPT),
       change("append", "filter", "INPUT", rule={"protocol": 6, "match": {"connlimit": {"connections": 1000}}} | ACCEPT),
       change("append", "raw", "PREROUTING", rule=tcp(81, synproxy={})),
       change("append", "filter", "INPUT", rule={"match": {"recent": {"name": "seen", "operation": "set"}}})]
FLUSH = [change("flush", table) for table in ("raw", "filter", "nat", "mangle")]


class Changes:
    """Sends changes, and counts the answers by error number."""

    def __init__(self):
        self.client = Client()
        self.answered = collections.Counter()

    def send(self, payload):
        error = 0
        try:
            self.client.transact(COMMANDS["ruleset-change"], payload)
        except Refused as refused:
            error = refused.errno
        self.answered[error] += 1
        return error


def chains(family, count, priority):
    """Adds so many nftables chains to PREROUTING, in transactions no larger than an unprivileged user may send."""
    at_once = 200
    for first in range(0, count, at_once):
        numbers = range(first, min(first + at_once, count))
        made = "\n".join(f"chain c{number} {{ type filter hook prerouting priority {priority}; }}" for number in numbers)
        done = subprocess.run(["nft", "-f", "-"], input=f"table {family} many {{\n{made}\n}}\n", text=True, capture_output=True)
        if done.returncode:
            raise SystemExit(f"nft: {done.stderr[:500]}")


def fill(family):
    """Fills PREROUTING with hooks of an IP version, up to the kernel's limit."""
    present = len(HookLists().read({"ip": 2, "ip6": 10}[family], PREROUTING))
    chains(family, MOST_HOOKS - present, 1000)


def before_routing():
    """Dumps PREROUTING alone: the dump of a short list is most often at one of Palisade's hooks."""
    return dump_hooks([PREROUTING], [2])


def toggle(rounds):
    changes = Changes()
    sequence = [request(RAW), request(TRACKED), request(NAT), request(FLUSH[0]), request(*FLUSH)]
    with in_background(before_routing, traffic):
        for _ in range(rounds):
            for payload in sequence:
                changes.send(payload)
    return changes.answered == {0: rounds * len(sequence)}, dict(changes.answered)


def fail(family, wanted, rounds):
    """Has a change refused because PREROUTING is full for one IP version."""
    changes = Changes()
    changes.send(request(TRACKED))
    fill(family)
    payload = request(wanted)
    changes.answered.clear()
    with in_background(traffic, dump_hooks if family == "ip6" else traffic):
        for _ in range(rounds):
            changes.send(payload)
    refused = changes.answered == {errno.E2BIG: rounds}
    subprocess.run(["nft", "delete", "table", family, "many"], check=True)
    # Nothing of a refused change is in the way of the next.
    return refused and changes.send(payload) == 0, dict(changes.answered)


def attempt(payload, nth):
    """Sends a change whose nth allocation fails. Returns the error, and whether there was an nth."""
    with Client(timeout=0) as client:
        message, error = client.raw_request(COMMANDS["ruleset-change"], payload), 0
        with Fault(nth) as fault:
            try:
                client.socket.send(message)
                client.answers()
            except OSError as failed:
                error = failed.errno
        return error, fault.injected


def without_memory(changes_wanted):
    """Has one allocation of a change fail, then a later one, and so on.

    What was registered by then is unregistered, and the next attempt registers all of it. faults.py covers the allocations
    in between, but has traffic during some operations only.
    """
    changes, wrong, wanted, flush = Changes(), [], request(*changes_wanted), request(*FLUSH)
    refused = 0
    with in_background(dump_hooks, traffic):
        own_memory()
        for nth in itertools.count(1, STEP):
            error, happened = attempt(wanted, nth)
            # The fault may also lose the request or the answer.
            if error not in (0, errno.ENOMEM, errno.ENOBUFS, errno.EAGAIN):
                wrong.append((nth, error))
            refused += error != 0
            if error and changes.send(wanted):
                wrong.append((nth, "again"))
            changes.send(flush)
            if not happened or len(wrong) > 5:
                break
    return not wrong and refused > 10, f"{nth} allocations, {refused} refusals, wrong {wrong}"


PARTS = {
    "toggle": ("hooks come and go while their owner lists them", lambda: toggle(40)),
    "ipv6": ("live hooks for IPv4 are removed where there is no room for those for IPv6", lambda: fail("ip6", RAW, 400)),
    "nat": ("and NAT hooks where there is no room for those for IPv4", lambda: fail("ip", NAT, 400)),
}


def main():
    report = Report()
    for name, (description, _) in PARTS.items():
        done = subprocess.run(
            ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "unshare", "--user", "--map-root-user",
             "--net", sys.executable, __file__, name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        report.check(description, done.returncode == 0, *done.stdout.splitlines())
    if is_there():
        prepare()
        os.unshare(os.CLONE_NEWNET)
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        good, details = without_memory(ALL)
        report.check("allocations fail in registering hooks while packets are in them and others list them", good, details)
        print(f"# {details}")
    else:
        report.skip("allocations that fail", "needs the debug kernel")
    report.finish()


def part(name):
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    good, details = PARTS[name][1]()
    print(details)
    raise SystemExit(0 if good else 1)


if len(sys.argv) > 1:
    part(sys.argv[1])
main()
