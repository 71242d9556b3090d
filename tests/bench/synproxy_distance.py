#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
Runs in the VM: measures how long clients that are far away wait (distance.py), with each of those that stand before the
server, side by side.

synproxy_distance.py instructions|time FILE WORK...

Works that begin with forwarded- are of servers on other hosts, and all works of a run are, or none is.
"""
import sys

from distance import BEHIND, FAR, FARTHER, Transfer, measure_waits
from forwarded_subjects import FORWARDED
from measuring import REPETITIONS, save_measured
from synproxy_subjects import Direct, Iptables, Nftables, Palisade, Syncookies, Tracked
from xdp_subjects import COMPILED, BpfAtTc

CLOCK, FILE, *WORKS = sys.argv[1:]
KINDS = FORWARDED if any(work.startswith("forwarded-") for work in WORKS) else (
    Direct, Tracked, Syncookies, Iptables, Nftables, *((BpfAtTc,) if COMPILED else ()), Palisade)
UPLOAD, DOWNLOAD = 100000, 6 << 20  # bytes
TRANSFERS = {
    "first-byte": Transfer(FAR, 1),
    "first-byte6": Transfer(FAR, 1),
    "upload": Transfer(FAR, 1, UPLOAD),
    "forwarded-first-byte": Transfer(FAR, 1),
    "forwarded-upload": Transfer(FAR, 1, UPLOAD),
    "forwarded-bbr": Transfer(FARTHER, DOWNLOAD, congestion="bbr"),
}


def measure_all(result):
    measure_waits(KINDS, {work: TRANSFERS[work] for work in WORKS}, result["waits"])
    return []


sys.exit(save_measured(FILE, {
    "clock": CLOCK, "repetitions": REPETITIONS, "transfers": TRANSFERS, "behind": BEHIND, "waits": {}},
    measure_all))
