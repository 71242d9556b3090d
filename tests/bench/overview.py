#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
overview.py FOLDER FILE: draws README's plot, of what tests/bench/recent and tests/bench/synproxy left in the folder:
what Palisade and nftables cost, where iptables costs 100 %.
"""
import os
import sys

from figures import net, ratio, read_json, unit
from plots import BAR, BOTTOM, COLOURS, GAP, LABELS, TOP, WIDTH, legend
from recent_report import LIST, RULES

from drawing import Drawing  # plots knows where it is

SUBJECTS = ("palisade", "iptables", "nftables")
NUMBERS = 120
MOST = 150      # percent; a longer bar is cut off
RECENT = {"hit": "--rcheck", "update": "--update", "set-known": "--set of a known address"}
SYNPROXY = {"syn": "a SYN is answered", "bogus-ack": "an ACK of no handshake",
            "established": "a packet of a connection, and its ACK"}


def rows(recent, synproxy):
    """What the works are called, their samples, and what they are compared with."""
    for name, text in RECENT.items():
        yield text, recent["lists"][LIST][name], "floor"
    yield f"{RULES} rules by address", recent["rules"]["rules-address"][RULES], "floor"
    for name, text in SYNPROXY.items():
        yield text, synproxy["works"][name], "direct" if name == "established" else "floor"


def bar(drawing, y, name, share, cost):
    scale = (WIDTH - LABELS - NUMBERS) / MOST
    width = min(share, MOST) * scale
    drawing.box(LABELS, y, width, BAR - 2, COLOURS[name])
    if share > MOST:
        drawing.box(LABELS + width - 14, y, 4, BAR - 2, "#ffffff")
    drawing.text(LABELS + width + 6, y + BAR - 3, f"{share:.0f} % ({cost:,.0f})", "start")


def draw(recent, synproxy):
    works = list(rows(recent, synproxy))
    bottom = TOP + len(works) * (len(SUBJECTS) * BAR + GAP)
    drawing = Drawing(WIDTH, bottom + BOTTOM)
    legend(drawing, LABELS, 4, SUBJECTS)
    for percent in (0, 50, 100, 150):
        x = LABELS + percent * (WIDTH - LABELS - NUMBERS) / MOST
        drawing.line(x, TOP, x, bottom, "#dddddd" if percent else "#999999")
        drawing.text(x, bottom + 18, f"{percent} %")
    y = TOP + GAP / 2
    for text, samples, base in works:
        drawing.text(LABELS - 10, y + len(SUBJECTS) * BAR / 2 + 4, text, "end")
        costs = {name: net(samples, name, base)[0] for name in SUBJECTS}
        for name, cost in costs.items():
            bar(drawing, y, name, 100 * ratio(cost, costs["iptables"]), cost)
            y += BAR
        y += GAP
    drawing.text(LABELS, bottom + 36, f"of iptables' cost; in brackets, {unit(recent)} a packet", "start")
    return drawing.file()


def main():
    folder, path = sys.argv[1:]
    work = {name: read_json(os.path.join(folder, f"{name}.json"))["work"] for name in ("recent", "synproxy")}
    with open(path, "w") as file:
        file.write(draw(**work))
    print(f"README's plot is {path}.")


main()
