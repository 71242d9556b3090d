#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
Runs on the native kernel, which has two CPUs: what a packet takes one of them, and what it takes both at the same
time, where packets come from all addresses of a list, and where they all come from one of them.

native_cpus.py time FILE
"""
import sys

from measuring import run, save_measured, say
from recent_subjects import STAMPS, Floor, Iptables, Nftables, Palisade

CLOCK, FILE = sys.argv[1:]
KINDS = (Floor, Iptables, Nftables, Palisade)
REPETITIONS = 7
SIZE = 65536
PACKETS = 32768     # of each sender; with more of them, the host more often gives others a share meanwhile


def of_one_address(sender):
    """The same, but all packets come from the first address."""
    return lambda kind, first, addresses, *others, **named: sender(kind, 0, 1, *others, **named)


def measure(subjects, work, what, result):
    say(f"{what}: {work}")
    samples = result["cpus"][f"{what}: {work}"] = {subject.name: {"one": [], "two": []} for subject in subjects}
    for subject in subjects:
        subject.load(work)
    for _ in range(REPETITIONS):
        for subject in subjects:
            samples[subject.name]["one"].append(subject.send(0, SIZE // 2, PACKETS))
            samples[subject.name]["two"].append(subject.send_on_two_cpus(SIZE, PACKETS) / PACKETS)


def measure_all(result):
    run("modprobe", "xt_recent", f"ip_list_tot={SIZE}")
    run("modprobe", "palisade", f"max_entries={SIZE}")
    subjects = [kind(2) for kind in KINDS]
    for subject in subjects:
        subject.create_list("known", SIZE)
        subject.load("set-new")
        subject.send(0, SIZE, SIZE * STAMPS)
    for work in ("hit", "update"):
        measure(subjects, work, "list", result)
    for subject in subjects:
        subject.sender = of_one_address(subject.sender)
    for work in ("hit", "update"):
        measure(subjects, work, "entry", result)
    return subjects


sys.exit(save_measured(FILE, {"clock": CLOCK, "repetitions": REPETITIONS, "packets": PACKETS, "cpus": {}}, measure_all))
