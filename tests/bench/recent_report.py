#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
recent_report.py FOLDER: the table of what tests/bench/recent.py left there in work.json and cpus.json. Both go to
recent.json in that folder, together with the targets and whether they are met.
"""
import json
import os
import statistics
import sys

from figures import Targets, net, ratio

WORKS = {
    # name: (what it says, target against iptables, whether nftables is to be reached)
    "hit": ("look-up, found (--rcheck)", 0.5, True),
    "miss": ("look-up, not found", None, True),
    "update": ("look-up and stamp (--update)", 0.5, True),
    "set-known": ("--set, known address", 0.4, True),
    "set-new": ("--set, new address", 0.4, True),
    "rules-address": ("100 other rules: -s ADDRESS", 0.5, True),
    "rules-port": ("100 other rules: -p udp --dport", 0.5, True),
    "drop": ("a rule that drops", None, False),
}
BYTES = {"20": 150, "1": 72}
SPEED_UP = 1.7


def report_work(work, targets):
    unit = "instructions" if work["clock"] == "instructions" else "ns"
    floor = statistics.median(work["works"]["hit"]["floor"])
    print(f"{unit} a packet, over the {floor:.0f} of dropping it in the raw table at once:")
    print("median of several measurements (least to greatest)\n")
    columns = ("palisade", "iptables", "nftables")
    print(f"{'':34}" + "".join(f"{name:>22}" for name in columns) + "  of iptables       of nftables")
    for name, (text, limit, race) in WORKS.items():
        if name not in work["works"]:
            continue
        values = {subject: net(work["works"][name], subject) for subject in columns}
        if name == "set-new":
            text += f", to {work['new']:,}"
        line = f"{text:34}"
        for subject in columns:
            median, least, greatest = values[subject]
            line += f"{f'{median:.0f} ({least:.0f} to {greatest:.0f})':>22}"
        own = values["palisade"][0]
        if name != "drop":
            of_iptables = ratio(own, values["iptables"][0])
            verdict = targets.at_most(f"{name}: of iptables", of_iptables, limit) if limit else ""
            line += f"  {of_iptables:.2f} {verdict:13}"
            of_nftables = ratio(own, values["nftables"][0])
            verdict = targets.at_most(f"{name}: of nftables", of_nftables, 1) if race else ""
            line += f" {of_nftables:.2f} {verdict}"
        print(line.rstrip())


def report_memory(memory, targets):
    print("\nbytes an entry, the list's tables included:\n")
    for hits, limit in BYTES.items():
        palisade, iptables = memory[f"palisade {hits}"], memory[f"iptables {hits}"]
        objects = ", ".join(f"{name} of {size}" for name, size in iptables["objects"].items())
        verdict = targets.at_most(f"bytes with {hits} stamps", palisade["bytes"], limit)
        print(f"{hits:>2} stamps: palisade {palisade['bytes']:.0f} ({verdict}), "
              f"iptables {iptables['bytes']:.0f} ({objects})")
    print(f"nftables, no stamps: {memory['nftables']['bytes']:.0f}")


def report_cpus(cpus, targets):
    print("\ntwo CPUs at one list, how many times the packets of one (by the real clock):\n")
    for name, subjects in cpus["cpus"].items():
        line = f"{WORKS[name][0]:34}"
        for subject, samples in subjects.items():
            ratios = [2 * one / two for one, two in zip(samples["one"], samples["two"])]
            median = statistics.median(ratios)
            line += f"  {subject} {median:.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
            if subject == "palisade":
                line += " " + targets.at_least(f"two CPUs: {name}", median, SPEED_UP)
        print(line)


def main():
    folder = sys.argv[1]
    read = {}
    for name in ("work", "cpus"):
        path = os.path.join(folder, f"{name}.json")
        if os.path.exists(path):
            with open(path) as file:
                read[name] = json.load(file)
    targets = Targets()
    some = next(iter(read.values()))
    print(f"Linux {some['kernel']}; " + "; ".join(some["versions"].values()) + "\n")
    if "work" in read:
        report_work(read["work"], targets)
        report_memory(read["work"]["memory"], targets)
    if "cpus" in read:
        report_cpus(read["cpus"], targets)
    missed = [target for target in targets.all if not target["met"]]
    print(f"\n{len(targets.all) - len(missed)} of {len(targets.all)} targets met; "
          "the rules and all measurements are in build/bench/recent.json")
    with open(os.path.join(folder, "recent.json"), "w") as file:
        json.dump({**read, "targets": targets.all}, file, indent=1)


main()
