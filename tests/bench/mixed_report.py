#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
mixed_report.py SOURCE FOLDER: the tables of what tests/bench/mixed.py left in the first folder. All of it goes to
mixed.json in the second, and the tables to mixed.md.
"""
import statistics
from operator import itemgetter

from figures import report, spread, table

SUBJECTS = ("palisade", "iptables", "nftables", "syncookies", "bpf-tc", "direct")
FLOODS = {
    "none": "no flood",
    "syn 2000": "2,000 SYNs a second",
    "syn 10000": "10,000 SYNs a second",
    "bogus-ack 10000": "10,000 bogus ACKs a second",
    "syn6 10000": "10,000 SYNs a second, all over IPv6",
}
MEDIAN, NINTH, NINETY_NINTH = range(3)


def share(sample):
    """Of connections that were served, in per cent."""
    return 100 * sample["served"] / sample["tried"]


def latency(which):
    """Milliseconds; a sample without a served connection has none."""
    def value(sample):
        return sample["latencies"][which] / 1e6 if sample["latencies"] else None
    return value


WHAT = {
    "served, %": share,
    "served a second": itemgetter("rate"),
    "goodput, kB a second": lambda sample: sample["goodput"] / 1000,
    "ms, median": latency(MEDIAN),
    "ms, 90%": latency(NINTH),
    "ms, 99%": latency(NINETY_NINTH),
}
WHAT_OF_FLOOD = {
    "flood's packets a second": itemgetter("received"),
    "more of them lost a second": itemgetter("lost"),
}
SERVED = 99     # per cent of connections that Palisade is to serve


def values(samples, function):
    return [value for value in map(function, samples) if value is not None]


def cell(samples, function):
    found = values(samples, function)
    return spread((statistics.median(found), min(found), max(found))) if found else "-"


def rows(floods):
    for flood, subjects in floods.items():
        functions = WHAT if flood == "none" else {**WHAT, **WHAT_OF_FLOOD}
        for what, function in functions.items():
            yield [FLOODS[flood], what, *(cell(subjects[name], function) for name in SUBJECTS)]


def lines_of(read, targets):
    work = read["work"]
    yield f"Linux {work['kernel']}; " + "; ".join(work["versions"].values())
    yield (f"\n{work['visitors']} visitors, each connecting again and again for {work['seconds']} seconds, to get "
           f"{work['bytes']:,} bytes within 2 seconds,\nby the real clock; median of {work['repetitions']} (least to "
           "greatest). Packets lost are those that the server's machine had no room for in\nits queue:\n")
    yield from table(["flood", "", *SUBJECTS], list(rows(work["floods"])))
    yield "\nPer cent of connections that Palisade serves: " + "; ".join(
        f"{FLOODS[flood]}: " + targets.at_least(f"served, {flood}", statistics.median(
            map(share, subjects["palisade"])), SERVED) for flood, subjects in work["floods"].items())


if __name__ == "__main__":
    report("mixed", lines_of)
