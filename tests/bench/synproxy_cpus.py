#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
Runs in the VM, which has two CPUs: how many more packets of a flood two of them get done than one, with each of those
that stand before the server. Where one is emulated by another, it says no more than whether they wait for each other.

synproxy_cpus.py time FILE
"""
import sys

from measuring import REPETITIONS, run, save_measured, say
from synproxy_checks import Check, expected, warm_up
from synproxy_subjects import Floor, Iptables, Nftables, Palisade, Syncookies
from xdp_subjects import COMPILED, BpfAtTc

_, FILE = sys.argv[1:]
KINDS = (Floor, Syncookies, Iptables, Nftables, *((BpfAtTc,) if COMPILED else ()), Palisade)
FLOODS = ("syn", "bogus-ack")
SOURCES = 65536
PACKETS = 16384     # of each sender


def one(subject, flood):
    return subject.sent(flood, 0, SOURCES // 2, PACKETS)


def two(subject, flood):
    return subject.sent_on_two_cpus(flood, SOURCES, PACKETS) / PACKETS


def checked(subject, flood, send, senders):
    """Nanoseconds that it took until each sender had sent one packet more."""
    warm_up(subject, flood)
    check = Check(subject)
    cost = send(subject, flood)
    check.expect(**expected(subject, flood, senders * PACKETS))
    return cost


def measure_all(result):
    run("modprobe", "nf_conntrack")
    subjects = [kind(number) for number, kind in enumerate(KINDS)]
    for subject in subjects:
        subject.start()
    for flood in FLOODS:
        say(f"two CPUs: {flood}")
        samples = result["cpus"][flood] = {subject.name: {"one": [], "two": []} for subject in subjects}
        for _ in range(REPETITIONS):
            for subject in subjects:
                samples[subject.name]["one"].append(checked(subject, flood, one, 1))
                samples[subject.name]["two"].append(checked(subject, flood, two, 2))
    return subjects


sys.exit(save_measured(FILE, {
    "clock": "time", "repetitions": REPETITIONS, "packets": PACKETS, "cpus": {}}, measure_all))
