# SPDX-License-Identifier: GPL-2.0
"""What the benchmarks' reports share: what was measured, figures over the floor, targets and tables."""
import json
import os
import statistics
import sys


class Targets:
    def __init__(self):
        self.all = []

    def at_most(self, what, value, limit):
        return self.add(what, value, limit, value <= limit, "<=")

    def at_least(self, what, value, limit):
        return self.add(what, value, limit, value >= limit, ">=")

    def add(self, what, value, limit, met, sign):
        self.all.append({"what": what, "value": value, "limit": f"{sign} {limit}", "met": met})
        return f"{sign} {limit} {'met' if met else 'MISSED'}"


def net(samples, subject, base="floor"):
    """Median, least and greatest, over the floor or what else it is compared with."""
    floor = statistics.median(samples[base])
    own = samples[subject]
    return statistics.median(own) - floor, min(own) - floor, max(own) - floor


def ratio(value, base):
    return value / base if base > 0 else float("inf")


def spread(values):
    return "{:.0f} ({:.0f} to {:.0f})".format(*values)


def over(samples, base="floor"):
    """What costs are over, as a cell of a table."""
    return f"{statistics.median(samples[base]):.0f}"


def costs(samples, subjects, base="floor"):
    """A cell of a table for each subject, with a dash for those that cannot do it."""
    return [spread(net(samples, subject, base)) if subject in samples else "-" for subject in subjects]


def unit(part):
    return "instructions" if part["clock"] == "instructions" else "nanoseconds"


def table(head, rows):
    """As Markdown that can be read as it is."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |"
             for row in [head, *rows]]
    return [lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]]


def report_cpus(part, works, subjects, targets, least=None):
    """How many times the packets of one CPU two get done; what the works are called comes first in what works says."""
    names = ("floor", *(name for name in subjects if any(name in samples for samples in part["cpus"].values())))
    rows = []
    for work, samples in part["cpus"].items():
        faster = {name: [2 * one / two for one, two in zip(samples[name]["one"], samples[name]["two"])]
                  for name in names}
        rows.append([works[work][0], *(
            f"{statistics.median(faster[name]):.2f} ({min(faster[name]):.2f} to {max(faster[name]):.2f})"
            for name in names)])
        if least:
            rows[-1].append(targets.at_least(f"two CPUs: {work}", statistics.median(faster["palisade"]), least))
    heads = ("dropped at once" if name == "floor" else name for name in names)
    return table(["", *heads, *(["target"] if least else [])], rows)


def read_json(path):
    with open(path) as file:
        return json.load(file)


def write_json(path, value):
    with open(path, "w") as file:
        json.dump(value, file, indent=1)
        file.write("\n")


def merged(one, other):
    """Both of what two VMs have measured; what is no dictionary is the same in both."""
    return {**one, **other, **{name: merged(one[name], value) for name, value in other.items()
                               if isinstance(value, dict) and name in one}}


def read_parts(folder):
    """
    All that was measured, by the files' names up to the first dash: what is left of work-lists.json and
    work-growth.json is one part, work.
    """
    parts = {}
    for name in sorted(os.listdir(folder)):
        if name.endswith(".json"):
            part = name.removesuffix(".json").partition("-")[0]
            parts[part] = merged(parts.get(part, {}), read_json(os.path.join(folder, name)))
    return parts


def report(name, lines_of):
    """Prints and keeps what a report has to say of what was measured; the arguments are where from, where to."""
    source, folder = sys.argv[1:]
    read = read_parts(source)
    targets = Targets()
    text = "\n".join(lines_of(read, targets))
    print(text)
    with open(os.path.join(folder, f"{name}.md"), "w") as file:
        file.write(text + "\n")
    write_json(os.path.join(folder, f"{name}.json"), {**read, "targets": targets.all})
    missed = [target for target in targets.all if not target["met"]]
    print(f"\n{len(targets.all) - len(missed)} of {len(targets.all)} targets met; "
          f"the rules and all measurements are in {folder}/{name}.json")
    if read.get("work", {}).get("missing"):
        sys.exit("error: not all subjects were measured: " + ", ".join(read["work"]["missing"]))
