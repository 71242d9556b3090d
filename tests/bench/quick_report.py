#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
quick_report.py SOURCE FOLDER: the table of what tests/bench/quick measured and left in the first folder. Its figures
go to quick.json in the second.
"""
import os
import sys

import recent_report
import synproxy_report
from figures import net, ratio, read_parts, table, write_json

LIST = "16384"
SUBJECTS = ("palisade", "iptables", "nftables")


def figures_of(read):
    """Of each work, what it is and is compared with, and the medians of the subjects over that."""
    recent, synproxy = read["recent"], read["synproxy"]
    works = [(f"recent {name}", recent_report.WORKS[name][0], samples, "floor")
             for name, samples in recent["lists"][LIST].items()]
    works.append(("recent set-new", recent_report.WORKS["set-new"][0], recent["growth"]["samples"], "floor"))
    works += [(f"recent {name} ipv6", f"{recent_report.WORKS[name][0]}, IPv6", samples, "floor")
              for name, samples in recent["ipv6"]["lists"][LIST].items()]
    works += [(f"recent {name} {count}", f"{count} {recent_report.WORKS[name][0]}", samples, "floor")
              for name, counts in recent["rules"].items() for count, samples in counts.items()]
    works += [(f"synproxy {name}", *synproxy_report.WORKS[name][:1], samples, synproxy_report.WORKS[name][1])
              for name, samples in synproxy["works"].items()]
    return {name: {"text": text, "over": base,
                   **{subject: round(net(samples, subject, base)[0]) for subject in SUBJECTS}}
            for name, text, samples, base in works}


def main():
    source, folder = sys.argv[1:]
    read = read_parts(source)
    figures = figures_of(read)
    print(f"Linux {read['recent']['kernel']}; instructions a packet, over dropping it in the raw table at once\n"
          "(floor), or over a server without a proxy (direct):\n")
    print("\n".join(table(["", "over", *SUBJECTS, "of iptables", "of nftables"], [
        [row["text"], row["over"], *(str(row[name]) for name in SUBJECTS),
         *(f"{ratio(row['palisade'], row[name]):.2f}" for name in SUBJECTS[1:])] for row in figures.values()])))
    write_json(os.path.join(folder, "quick.json"), {"kernel": read["recent"]["kernel"], "figures": figures})


if __name__ == "__main__":
    main()
