#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
synproxy_report.py FOLDER: the table of what tests/bench/synproxy.py left there in work.json and rate.json.
All goes to synproxy.json in that folder, together with the targets and whether they are met, and the table
to synproxy.md as well.
"""
import json
import os
import statistics
import sys

from figures import Targets, net, ratio

WORKS = {
    # name: (what it says, what it is compared with, target against iptables)
    "syn": ("SYN, answered", "floor", 0.45),
    "plain-syn": ("SYN without timestamps", "floor", 0.45),
    "bogus-ack": ("ACK of no handshake", "floor", 0.4),
    "established": ("established: a packet and its ACK", "direct", 1.0),
    "bulk": ("established: a segment of a transfer", "direct", 1.0),
    "connections": ("a connection, from SYN to FIN", "direct", None),
    "plain-connections": ("a connection without timestamps", "direct", None),
}
BASES = {"floor": "dropped in the raw table at once", "direct": "no proxy"}
SUBJECTS = ("palisade", "iptables", "nftables", "syncookies")
RATE = 1.0


def table(head, rows):
    """As Markdown that can be read as it is."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |"
             for row in [head, *rows]]
    return [lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]]


def spread(values):
    return "{:.0f} ({:.0f} to {:.0f})".format(*values)


def report_works(works, targets):
    rows = []
    for name, samples in works.items():
        text, base, limit = WORKS[name]
        values = {subject: net(samples, subject, base) for subject in SUBJECTS if subject in samples}
        row = [text, f"{statistics.median(samples[base]):.0f} {base}"]
        row += [spread(values[subject]) if subject in values else "-" for subject in SUBJECTS]
        if "palisade" in values:
            own = ratio(values["palisade"][0], values["iptables"][0])
            row.append(f"{own:.2f}")
            row.append(targets.at_most(f"{name}: of iptables", own, limit) if limit else "")
        else:
            row += ["-", f"<= {limit}" if limit else ""]
        rows.append(row)
    return table(["", "over", *SUBJECTS, "of iptables", "target"], rows)


def report_rates(samples, clock, targets):
    """Connections a second, of what a connection takes."""
    rates = {name: [1e9 / value for value in values] for name, values in samples.items()}
    order = [name for name in (*SUBJECTS, "direct") if name in rates]
    row = [clock, *(spread((statistics.median(rates[name]), min(rates[name]), max(rates[name])))
                    for name in order)]
    if "palisade" in rates:
        own = statistics.median(rates["palisade"]) / statistics.median(rates["iptables"])
        row += [f"{own:.2f}", targets.at_least(f"connections a second: of iptables, {clock}", own, RATE)]
    else:
        row += ["-", f">= {RATE}"]
    return ["clock", *order, "of iptables", "target"], row


def lines_of(read, targets):
    work = read["work"]
    unit = "instructions" if work["clock"] == "instructions" else "nanoseconds"
    yield f"Linux {work['kernel']}; " + "; ".join(work["versions"].values())
    for subject, why in work["missing"].items():
        yield f"\n**{subject} was not measured**: {why}"
    yield (f"\n{unit.capitalize()} over what the same takes where it is "
           f"{' (floor) or where there is '.join(BASES.values())} (direct);\n"
           f"median of {work['repetitions']} (least to greatest):\n")
    yield from report_works(work["works"], targets)
    parts = {"1e9 instructions" if part["clock"] == "instructions" else "real": part for part in read.values()}
    rates = [report_rates(part["works"][name], f"{WORKS[name][0]}; {clock}", targets)
             for name in ("connections", "plain-connections") for clock, part in parts.items()
             if name in part["works"]]
    if rates:
        yield "\nConnections a second, one after another on one CPU, client and server included:\n"
        yield from table(rates[0][0], [row for _, row in rates])
    for clock, part in parts.items():
        for name, counts in part["stalled"].items():
            yield (f"\nLeft out of {name} ({clock}) because they waited for a retransmission: " +
                   ", ".join(f"{subject} {count} of {total}" for subject, (count, total) in counts.items()))
    for kind, answers in work["answers"].items():
        yield f"\nAnswers to {kind}: " + "; ".join(f"{name}: {what}" for name, what in answers.items())


def main():
    folder = sys.argv[1]
    read = {}
    for name in ("work", "rate"):
        path = os.path.join(folder, f"{name}.json")
        if os.path.exists(path):
            with open(path) as file:
                read[name] = json.load(file)
    targets = Targets()
    text = "\n".join(lines_of(read, targets))
    print(text)
    with open(os.path.join(folder, "synproxy.md"), "w") as file:
        file.write(text + "\n")
    with open(os.path.join(folder, "synproxy.json"), "w") as file:
        json.dump({**read, "targets": targets.all}, file, indent=1)
    missed = [target for target in targets.all if not target["met"]]
    print(f"\n{len(targets.all) - len(missed)} of {len(targets.all)} targets met; "
          "the rules and all measurements are in build/bench/synproxy.json")
    if read["work"]["missing"]:
        sys.exit("error: not all subjects were measured: " + ", ".join(read["work"]["missing"]))


main()
