# SPDX-License-Identifier: GPL-2.0
"""The table of what it takes to load many rules and many entries, of what tests/bench/recent_loading.py measured."""
from figures import table

SUBJECTS = ("palisade", "iptables", "iptables-nft", "nftables", "ipset")
# Where the clock counts instructions, waiting is none.
UNITS = {"instructions": ("work", "million instructions"), "time": ("time", "milliseconds")}


def report_loading(part):
    rows = []
    for what, loaded in part["loading"].items():
        whats = f"{loaded['count']:,} {what}"
        for key, text, divisor in (
                (*UNITS[part["clock"]], 1e6),
                ("resident", "MiB of the program in memory", 1 << 20),
                ("kept", "bytes each in the kernel", loaded["count"])):
            rows.append([f"{whats}: {text}", *(
                f"{loaded['samples'][subject][key] / divisor:.0f}" if subject in loaded["samples"] else "-"
                for subject in SUBJECTS)])
    return table(["", *SUBJECTS], rows)
