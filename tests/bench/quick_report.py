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

LIST = "4096"


def figures_of(read):
    """Of each work, what it is and is compared with, and the medians of Palisade and iptables over that."""
    recent, synproxy = read["recent"], read["synproxy"]
    works = [(f"recent {name}", recent_report.WORKS[name][0], samples, "floor")
             for name, samples in recent["lists"][LIST].items()]
    works += [(f"recent {name} {count}", f"{count} {recent_report.WORKS[name][0]}", samples, "floor")
              for name, counts in recent["rules"].items() for count, samples in counts.items()]
    works += [(f"synproxy {name}", *synproxy_report.WORKS[name][:1], samples, synproxy_report.WORKS[name][1])
              for name, samples in synproxy["works"].items()]
    return {name: {"text": text, "over": base,
                   **{subject: round(net(samples, subject, base)[0]) for subject in ("palisade", "iptables")}}
            for name, text, samples, base in works}


def main():
    source, folder = sys.argv[1:]
    read = read_parts(source)
    figures = figures_of(read)
    print(f"Linux {read['recent']['kernel']}; instructions a packet, over dropping it in the raw table at once\n"
          "(floor), or over a server without a proxy (direct):\n")
    print("\n".join(table(["", "over", "palisade", "iptables", "of iptables"], [
        [row["text"], row["over"], str(row["palisade"]), str(row["iptables"]),
         f"{ratio(row['palisade'], row['iptables']):.2f}"] for row in figures.values()])))
    write_json(os.path.join(folder, "quick.json"), {"kernel": read["recent"]["kernel"], "figures": figures})


if __name__ == "__main__":
    main()
