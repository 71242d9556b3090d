#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
check_figures.py compare|keep MEASURED KEPT: fails if a figure of Palisade's has grown since it was kept, or keeps
those that were measured.
"""
import os
import sys

from figures import read_json, write_json

GROWTH = 0.1
SUBJECTS = ("palisade", "iptables")
ADVICE = """
Where iptables' figure has grown as much, the kernel or the measuring costs more. Else, what was committed since
the figures were kept (git log tests/bench/figures.json) costs Palisade more: find it, and whether it can do
without. If it has to cost that, keep the new figures with make bench-check UPDATE=1, and commit them with the
reason."""


def changes(measured, kept):
    """Of each figure, how much it has grown, as lines; and those that have grown too much."""
    grown = []
    for name, old in kept["figures"].items():
        new = measured["figures"].get(name)
        if new is None:
            grown.append(f"{name} was not measured")
            continue
        growth = new["palisade"] / old["palisade"] - 1
        line = f"{name}: Palisade {new['palisade']}, {growth:+.1%} (kept: {old['palisade']}; iptables " \
               f"{new['iptables']}, kept: {old['iptables']})"
        print(f"    {line}")
        if growth > GROWTH:
            grown.append(line)
    for name in measured["figures"].keys() - kept["figures"].keys():
        grown.append(f"{name} is new and was not kept: make bench-check UPDATE=1")
    return grown


def main():
    action, source, path = sys.argv[1:]
    measured = read_json(source)
    if action == "keep":
        write_json(path, {"SPDX-License-Identifier": "GPL-2.0", "kernel": measured["kernel"], "figures": {
            name: {subject: figure[subject] for subject in SUBJECTS}
            for name, figure in measured["figures"].items()}})
        print(f"\nKept in {path}.")
        return
    if not os.path.exists(path):
        sys.exit(f"error: there is no {path}; make bench-check UPDATE=1 makes it")
    kept = read_json(path)
    print("\nSince the figures were kept:\n")
    if kept["kernel"] != measured["kernel"]:
        print(f"    they were kept with Linux {kept['kernel']}, and this is {measured['kernel']}")
    grown = changes(measured, kept)
    if grown:
        print("\n".join(["", *(f"error: {line}" for line in grown), ADVICE]))
        sys.exit(1)
    print(f"\nNone of Palisade's has grown by over {GROWTH:.0%}.")


main()
