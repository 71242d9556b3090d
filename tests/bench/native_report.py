#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
native_report.py SOURCE FOLDER: the tables of what tests/bench/native left in the first folder. All of it goes to
native.json in the second, together with the targets and whether they are met, and the tables to native.md.
"""
import recent_report
import synproxy_report
from figures import costs, over, report, table

CPUS_WORKS = {
    "list: hit": "--rcheck, each CPU's own addresses",
    "list: update": "--update, each CPU's own addresses",
    "entry: hit": "--rcheck, the same address on both",
    "entry: update": "--update, the same address on both",
    "syn": "SYN, answered",
    "bogus-ack": "ACK of no handshake",
}
SUBJECTS = ("palisade", "iptables", "nftables", "syncookies")


def report_cpus(works):
    """What a packet takes a CPU that is alone, and one of two."""
    rows = []
    for work, samples in works.items():
        for cpus in ("one", "two"):
            alike = {name: values[cpus] for name, values in samples.items()}
            rows.append([CPUS_WORKS[work], cpus, over(alike), *costs(alike, SUBJECTS)])
    return table(["", "CPUs", "over", *SUBJECTS], rows)


def lines_of(read, targets):
    work = read["work"]
    yield f"Linux {work['kernel']}, user-mode Linux; " + "; ".join(work["versions"].values())
    yield (f"\nNanoseconds a packet by the real clock, over what dropping it in the raw table at once takes;\n"
           f"median of {work['repetitions']} (least to greatest), of lists of {int(recent_report.LIST):,}:\n")
    yield from recent_report.report_work(work, targets)
    yield "\nThe same by the size of the list:\n"
    yield from recent_report.report_growth(recent_report.by_size(work), "entries")
    yield "\nThe same with addresses of IPv6:\n"
    yield from recent_report.report_growth(recent_report.by_size(work["ipv6"]), "entries")
    yield "\nThe same by the number of rules:\n"
    yield from recent_report.report_growth(recent_report.by_rules(work), "rules")
    yield (f"\nSYNPROXY: nanoseconds over what the same takes where it is "
           f"{' (floor) or where there is '.join(synproxy_report.BASES.values())} (direct):\n")
    yield from synproxy_report.report_works(read["synproxy"]["works"], targets)
    yield "\nOne CPU, and two at the same time: nanoseconds until each has done one packet more:\n"
    yield from report_cpus(read["cpus"]["cpus"])


if __name__ == "__main__":
    report("native", lines_of)
