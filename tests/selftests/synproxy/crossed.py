#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
"""The cross product of SYNPROXY's rules and whatever can happen to a connection's segments.

crossed.py [--all] [--bare] [NETWORK...] [PART...] [PATTERN...]: --all runs the whole cross product. Without it, each row
has one cell, with each kind of rules, way and IP version by turns. --bare leaves SYNPROXY out, to verify what is expected
without it. NETWORK is one of VARIANTS, PART one of PARTS; PATTERN chooses rows by name, such as 'iptables*'.

In each cell the client is served, or is told that it will not be, or it gets no answer where it would get none without
SYNPROXY. The kernel's log has to stay free of complaints. lib/crossed/hosts.py draws the hosts.
"""

import fnmatch
import itertools
import pathlib
import re
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from crossed import later, rows as all_rows
from crossed.documented import is_documented
from crossed.hosts import KINDS, ROUTES, Cell, Topology
from crossed.rows import SERVED
from crossed.rules import Rules, can
from genetlink import Report

BARE = "--bare" in sys.argv[1:]
EVERY = "--all" in sys.argv[1:]
VERSIONS = 4, 6
# Segments that rules drop later are lost, and the client hangs.
DOCUMENTED = SERVED | {"hanging"}
COMPLAINTS = re.compile(r"BUG:|WARNING:|Oops|refcount_t:|KASAN|suspicious RCU|panicked at")


def cells_of(rows):
    """All cells of the rows, or one cell of each row."""
    protected = [kind for kind in KINDS if kind != "none"]
    for turn, row in enumerate(rows):
        if EVERY:
            yield from (Cell(row, *one, number=row.number) for one in itertools.product(KINDS, row.ways, VERSIONS))
            continue
        kind, rest = protected[turn % len(protected)], turn // len(protected)
        yield Cell(row, kind, row.ways[rest % len(row.ways)], VERSIONS[(rest + turn) % len(VERSIONS)], number=row.number)


def allowed(cell):
    outcomes = cell.row.allows("none" if BARE else cell.kind)
    return outcomes | DOCUMENTED if is_documented(cell) and not BARE else outcomes


def is_right(cell):
    return cell.outcome in allowed(cell)


def judge(report, title, rows, cells, not_met):
    for row in rows:
        own = [cell for cell in cells if cell.row is row]
        wrong = [f"{cell}, not {' or '.join(sorted(allowed(cell)))}" for cell in own if not is_right(cell)]
        if row in not_met:
            wrong.append("no packet met the row's rules")
        report.check(f"{title}: {row.name} ({len(own)})", not wrong, *wrong)


def opening(report, topology, title, rows):
    """Runs rows whose rules exist when connections are opened."""
    for row in rows:
        if row.needs and not can(row.needs):
            report.skip(f"{title}: {row.name}", f"this kernel has no {row.needs}")
    rows = [row for row in rows if not row.needs or can(row.needs)]
    if not rows:
        return
    rules = Rules(topology)
    topology.listen([row.port for row in rows])
    for batch in batches(rows):
        cells = list(cells_of(batch))
        # The rows whose rules some packet has to meet.
        to_meet = {cell.row for cell in cells if cell.row.is_met and cell.row.rules and not is_documented(cell)}
        rules.protect(BARE, batch[0].cookies)
        rules.load(batch)
        topology.start(cells)
        topology.until(lambda: all(map(is_right, cells)))
        met = {}

        def all_met():
            met.update(rules.counts())
            return all(met.get(row.port) for row in to_meet)
        topology.until(all_met, 10)
        topology.turn()
        judge(report, title, batch, cells, {row for row in to_meet if not met.get(row.port)})
        for cell in cells:
            topology.drop(cell)
        rules.remove()


def batches(rows):
    """Splits rows so that no more than 1024 connections are opened at the same time, with the same settings."""
    size = 40 if EVERY else 1000
    for cookies in True, False:
        own = [row for row in rows if row.cookies == cookies]
        yield from (own[start:start + size] for start in range(0, len(own), size))


def silence():
    """Whether the kernel's log has no complaints, and some of them."""
    log = subprocess.run(["dmesg"], stdout=subprocess.PIPE, text=True, check=True).stdout
    complaints = [line for line in log.splitlines() if COMPLAINTS.search(line)]
    return not complaints, *complaints[:10]


def rules_part(report, topology, chosen, _):
    opening(report, topology, topology.variant, chosen(list(all_rows.opening())))


def routes_part(report, topology, chosen, _):
    opening(report, topology, f"{topology.variant}, no route", chosen(list(all_rows.routes(ROUTES))))


PARTS = {"rules": rules_part, "routes": routes_part} | later.PARTS
VARIANTS = "plain", "vrf", "bridge"


def is_available(variant):
    if variant == "bridge":
        subprocess.run(["modprobe", "-q", "br_netfilter"])
        return pathlib.Path("/proc/sys/net/bridge").exists()
    if variant == "vrf":
        subprocess.run(["modprobe", "-q", "vrf"])
        command = ["ip", "link", "add", "crossed-try", "type", "vrf", "table", "10"]
        done = subprocess.run(command, stderr=subprocess.DEVNULL)
        subprocess.run(["ip", "link", "delete", "crossed-try"], stderr=subprocess.DEVNULL)
        return done.returncode == 0
    return True


def plan(words):
    """The networks to run, with their parts and the patterns of rows."""
    variants = [word for word in words if word in VARIANTS]
    parts = [word for word in words if word in PARTS]
    patterns = [word for word in words if word not in PARTS and word not in VARIANTS]
    if words or EVERY:
        return [(variant, parts or list(PARTS), patterns) for variant in variants or (VARIANTS if EVERY else ["plain"])]
    return [("plain", ["rules", "routes"], ())]


def main():
    if not BARE:
        subprocess.run(["modprobe", "palisade"], check=True)
    report = Report()
    for variant, parts, patterns in plan([word for word in sys.argv[1:] if not word.startswith("--")]):
        if not is_available(variant):
            report.skip(variant, "this kernel does not support it")
            continue

        def chosen(rows, patterns=patterns):
            return [row for row in rows if not patterns or any(fnmatch.fnmatch(row.name, one) for one in patterns)]

        start = time.monotonic()
        topology = Topology(variant)
        print(f"# {variant}: making the hosts took {time.monotonic() - start:.1f} s", flush=True)
        try:
            for part in parts:
                start = time.monotonic()
                PARTS[part](report, topology, chosen, BARE)
                report.check(f"{variant}, {part}: the kernel does not complain", *silence())
                print(f"# {variant}, {part}: took {time.monotonic() - start:.1f} s", flush=True)
        finally:
            topology.close()
    report.finish()


if __name__ == "__main__":
    main()
