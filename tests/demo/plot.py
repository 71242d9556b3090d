#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
plot.py CSV SVG: draws what tests/demo/flood.py has measured: visits served and failed in each second, and SYNs.
"""
import csv
import itertools
import os
import statistics
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from drawing import Drawing, nice  # noqa: E402

WIDTH = 860
LEFT, RIGHT = 64, 16
VISITS_TOP, VISITS_HEIGHT = 70, 170
SYNS_TOP, SYNS_HEIGHT = 290, 90
HEIGHT = 430
SERVED, FAILED, SYNS = "#0072b2", "#d55e00", "#666666"
PHASES = {
    "quiet": ("no flood", "#ffffff"),
    "flood comes": ("", "#fdf6f2"),
    "flood": ("flood, without Palisade", "#fbeee6"),
    "restart": ("", "#eeeeee"),
    "protected": ("flood, palisade protect 80", "#e8f1f8"),
}


class Plot(Drawing):
    def __init__(self, rows):
        super().__init__(WIDTH, HEIGHT)
        self.rows = rows
        self.step = (WIDTH - LEFT - RIGHT) / len(rows)

    def x(self, index):
        return LEFT + index * self.step

    def phases(self):
        index = 0
        for name, rows in itertools.groupby(self.rows, key=lambda row: row["phase"]):
            rows = list(rows)
            title, colour = PHASES[name]
            left, width = self.x(index), len(rows) * self.step
            for top, height in (VISITS_TOP, VISITS_HEIGHT), (SYNS_TOP, SYNS_HEIGHT):
                self.box(left, top, width, height, colour)
            if title:
                served = sum(int(row["served"]) for row in rows)
                total = served + sum(int(row["failed"]) for row in rows)
                times = [float(row["median_ms"]) for row in rows if row["median_ms"]]
                middle = left + width / 2
                self.text(middle, VISITS_TOP - 27, title, weight="bold")
                taken = f", in about {statistics.median(times):.0f} ms" if times else ""
                self.text(middle, VISITS_TOP - 11, f"{served} of {total} served{taken}")
            index += len(rows)

    def axes(self, top, height, most, title):
        for value in (0, most // 2, most):
            y = top + height - height * value / most
            self.line(LEFT - 4, y, WIDTH - RIGHT, y, "#dddddd" if value else "#999999")
            self.text(LEFT - 8, y + 4, f"{value:,}", "end")
        self.upright_text(14, top + height / 2, title)

    def bars(self, top, height, most, values, colour):
        """Bars from a height on, given as pairs of that and how much."""
        for index, (below, value) in enumerate(values):
            scale = height / most
            if value:
                self.box(self.x(index) + self.step * 0.12, top + height - (below + value) * scale,
                         self.step * 0.76, value * scale, colour)

    def draw(self):
        served = [int(row["served"]) for row in self.rows]
        failed = [int(row["failed"]) for row in self.rows]
        syns = [int(row["syns"]) for row in self.rows]
        self.phases()
        most = nice(max(map(sum, zip(served, failed))))
        self.axes(VISITS_TOP, VISITS_HEIGHT, most, "visits a second")
        self.bars(VISITS_TOP, VISITS_HEIGHT, most, [(0, value) for value in served], SERVED)
        self.bars(VISITS_TOP, VISITS_HEIGHT, most, list(zip(served, failed)), FAILED)
        most = nice(max(syns))
        self.axes(SYNS_TOP, SYNS_HEIGHT, most, "SYNs a second")
        self.bars(SYNS_TOP, SYNS_HEIGHT, most, [(0, value) for value in syns], SYNS)
        for index in range(0, len(self.rows) + 1, 5):
            self.text(self.x(index), SYNS_TOP + SYNS_HEIGHT + 18, f"{index} s")
        self.legend(LEFT, VISITS_TOP + VISITS_HEIGHT + 14,
                    ((SERVED, "served"), (FAILED, "failed"), (SYNS, "SYNs of the attacker")), 150)
        self.text(WIDTH / 2, 20, "A web server in a flood of SYNs, without SYN cookies of its own", weight="bold")
        return self.file()


def main():
    with open(sys.argv[1], newline="") as file:
        rows = list(csv.DictReader(file))
    with open(sys.argv[2], "w") as file:
        file.write(Plot(rows).draw())


main()
