#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
page.py FOLDER: of what tests/bench/recent, tests/bench/synproxy and tests/bench/mixed left in the folder,
report.html, which needs nothing but itself, and bench.json, with everything that was measured.
"""
import html
import os
import re
import subprocess
import sys
import time

import mixed_report
import native_report
import recent_report
import synproxy_report
from figures import read_json, unit, write_json
from plots import bars, colours, lines, rates

STYLE = """
body { font-family: sans-serif; max-width: 1000px; margin: 2em auto; padding: 0 1em; color: #222; line-height: 1.4 }
table { border-collapse: collapse; margin: 1em 0; font-size: 85% }
td, th { border: 1px solid #ccc; padding: 3px 8px; text-align: right }
td:first-child, th:first-child { text-align: left }
pre { background: #f4f4f4; padding: 0.6em; overflow-x: auto; font-size: 85% }
svg { max-width: 100% }
"""
NOTES = {
    "instructions": """
The VM is emulated, and its clock counts the instructions that the guest runs: one instruction is one nanosecond.
So the figures hardly differ from run to run, however busy the machine is, but they know nothing of caches, of waiting
for memory or for locks, and an instruction is not a time. How visitors fare was measured by the real clock, in an
emulated VM as well, where it is worth little in absolute terms. What is said of a kernel that runs natively is time that
the processor has taken.""",
    "time": """
All of it was measured by the VM's real clock. In a VM that is emulated, that says little.""",
}
HOW = """
The same packets, built before, are sent to each subject by the same program, through a pair of virtual interfaces
into a network namespace of its own, and the subjects take turns. What a packet costs before any rule is asked is
taken off. Each subject's counters have to say that it did its work for each packet. Each figure is a median; the
tables have the least and the greatest as well, and so have the plots, as a thin line with the median beside it. A
dash, or a bar that is not there, is something that a subject cannot do: ipset and hashlimit have no rules of their own,
and hashlimit and nftables' limits cannot look up or enter an address without counting. ipset and nftables' sets refresh
a timeout where recent lists count packets over a time. The tables of ipset, hashlimit and xt_recent are as large as the
list, or larger, from the beginning. nftables' set is one that packets can change, as a recent list is. Rules are
looked at one after another; where all of them ask for the same, a set of addresses or a map would be what nftables and
ipset are for, which is what look-ups show."""


def machine():
    """What it was measured on."""
    with open("/proc/cpuinfo") as file:
        names = re.findall(r"^model name\s*: (.*)$", file.read(), re.MULTILINE)
    version = subprocess.run(["qemu-system-x86_64", "--version"], capture_output=True, text=True, check=True).stdout
    return {"processor": names[0] if names else "unknown", "processors": len(names), "qemu": version.splitlines()[0],
            "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()), "commit": os.environ.get("COMMIT", "unknown")}


def row(line, kind):
    cells = line.strip().strip("|").split("|")
    return "<tr>" + "".join(f"<{kind}>{html.escape(cell.strip())}</{kind}>" for cell in cells) + "</tr>"


def hypertext(markdown):
    """The reports' text, which is headings, lists, paragraphs and tables."""
    for block in markdown.strip().split("\n\n"):
        block_lines = block.split("\n")
        if block.startswith("<!--"):
            continue
        if block.startswith("#"):
            yield f"<h3>{html.escape(block.strip('# '))}</h3>"
        elif block.startswith("- "):
            items = re.split(r"^- ", block, flags=re.MULTILINE)[1:]
            yield f"<ul>{''.join(f'<li>{html.escape(item)}</li>' for item in items)}</ul>"
        elif block.startswith("|"):
            yield "<table>"
            yield row(block_lines[0], "th")
            yield from (row(line, "td") for line in block_lines[2:])
            yield "</table>"
        else:
            yield f"<p>{'<br>'.join(map(html.escape, block_lines))}</p>"


def shown(commands):
    """Long chains have their beginning and their end."""
    if len(commands) <= 6:
        return commands
    return [*commands[:2], f"... ({len(commands) - 4} more)", *commands[-2:]]


def rules(part):
    yield "<h3>The rules</h3>"
    for subject, works in part["typed"].items():
        yield f"<details><summary>{html.escape(subject)}</summary>"
        for work, commands in works.items():
            yield f"<p>{html.escape(work)}</p><pre>{html.escape(chr(10).join(shown(commands)))}</pre>"
        yield "</details>"


def recent_costs(work, *largest):
    """Of each work, as bars, and by the size of the list and the number of rules."""
    def group(names):
        return [(recent_report.title(work, name), samples, "floor")
                for name, samples in recent_report.main_works(work) if name in names]

    yield f"<p>{unit(work).capitalize()} a packet, over dropping it at once; lists of {int(recent_report.LIST):,}:</p>"
    yield bars(group(("hit", "miss", "update", "set-known")))
    yield bars(group(("set-new",)))
    yield bars(group(("rules-address",)))
    yield bars(group(("rules-port",)))
    for size, works in work.get("ipv6", {"lists": {}})["lists"].items():
        yield f"<p>The same over IPv6; lists of {int(size):,}:</p>"
        yield bars([(recent_report.WORKS[name][0], samples, "floor") for name, samples in works.items()])
    yield f"<p>{unit(work).capitalize()} a packet by the size of the list:</p>"
    yield colours(recent_report.SUBJECTS)
    for name, sizes in recent_report.by_size(work, *largest).items():
        yield lines(recent_report.WORKS[name][0], "entries of the list", sizes)
    yield f"<p>{unit(work).capitalize()} a packet by the number of rules; both axes have powers of ten:</p>"
    for name, counts in recent_report.by_rules(work).items():
        yield lines(recent_report.WORKS[name][0], "rules", counts, steep=True)


def recent_plots(part):
    yield from recent_costs(part["work"], *([part["largest"]] if "largest" in part else []))
    yield from cpus_plots(part, "at one list", recent_report.WORKS)


def cpus_plots(part, where, works):
    if "cpus" in part:
        yield f"<p>Packets that one CPU and two get done {where}, by the real clock, everything included:</p>"
        for name, subjects in part["cpus"]["cpus"].items():
            yield rates(works[name][0], subjects)


# What has one scale.
PLOTS = (("syn", "plain-syn", "bogus-ack", "syn6", "bogus-ack6"),
         ("established", "established6", "forwarded-established", "forwarded-established6"),
         ("bulk", "small-bulk", "bulk6"), ("connections", "plain-connections", "connections6"))


def synproxy_plots(part):
    work = part["work"]
    for base, text in synproxy_report.BASES.items():
        for group in PLOTS:
            rows = [(synproxy_report.WORKS[name][0], samples, base) for name, samples in work["works"].items()
                    if name in group and synproxy_report.WORKS[name][1] == base]
            if rows:
                yield f"<p>{unit(work).capitalize()} over: {text}</p>"
                yield bars(rows)
    yield from cpus_plots(part, "in a flood", synproxy_report.WORKS)


def mixed_plots(part):
    work = part["work"]
    for what in ("served, %", "served a second", "ms, median"):
        function = mixed_report.WHAT[what]
        groups = [(mixed_report.FLOODS[flood],
                   {name: mixed_report.values(samples, function) for name, samples in subjects.items()})
                  for flood, subjects in work["floods"].items()]
        yield f"<p>Connections: {what}</p>"
        yield bars([(text, {**{name: found for name, found in samples.items() if found}, "nothing": [0]}, "nothing")
                    for text, samples in groups])


def native_plots(part):
    work = part["work"]
    yield from recent_costs(work)
    yield f"<p>SYNPROXY, {unit(work)} a packet, over dropping it at once:</p>"
    yield bars([(synproxy_report.WORKS[name][0], samples, "floor")
                for name, samples in part["synproxy"]["works"].items() if synproxy_report.WORKS[name][1] == "floor"])
    yield "<p>Packets that one CPU and two get done, everything included:</p>"
    for name, subjects in part["cpus"]["cpus"].items():
        yield rates(native_report.CPUS_WORKS[name], subjects)


# The last one is not measured everywhere.
PARTS = (("recent", "Recent lists", recent_plots), ("synproxy", "SYNPROXY", synproxy_plots),
         ("mixed", "A server in a flood", mixed_plots),
         ("native", "On a kernel that runs natively", native_plots))


def page(folder, measured):
    about = measured["machine"]
    work = measured["recent"]["work"]
    yield '<!DOCTYPE html><!-- SPDX-License-Identifier: GPL-2.0 --><html lang="en"><meta charset="utf-8">'
    yield f"<title>What Palisade costs</title><style>{STYLE}</style><h1>What Palisade costs</h1>"
    yield (f"<p>Linux {work['kernel']}; {'; '.join(work['versions'].values())}.<br>{'; '.join(work['modules'])}.<br>"
           f"{about['qemu']}, on {about['processors']} processors {html.escape(about['processor'])}.<br>"
           f"{about['date']}, commit {about['commit']}.</p>")
    yield f"<p>{NOTES[work['clock']]}</p><p>{HOW}</p>"
    for name, title, plots in PARTS:
        if name not in measured:
            continue
        yield f"<h2>{title}</h2>"
        yield from plots(measured[name])
        with open(os.path.join(folder, f"{name}.md")) as file:
            yield from hypertext(file.read())
        yield from rules(measured[name]["work"])
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "notes.md")) as file:
        yield from hypertext(file.read())
    yield "</html>"


def main():
    folder, = sys.argv[1:]
    paths = {name: os.path.join(folder, f"{name}.json") for name, *_ in PARTS}
    measured = {"machine": machine(),
                **{name: read_json(path) for name, path in paths.items() if name != "native" or os.path.exists(path)}}
    write_json(os.path.join(folder, "bench.json"), measured)
    with open(os.path.join(folder, "report.html"), "w") as file:
        file.write("\n".join(page(folder, measured)) + "\n")
    print(f"\nThe report is {folder}/report.html; {folder}/bench.json has everything that was measured.")


main()
