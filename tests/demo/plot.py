#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
plot.py CSV SVG: draws what tests/demo/flood.py has measured: visits served and failed in each second, and SYNs.
"""
import csv
import itertools
import statistics
import sys

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


def nice(value):
    """The next number above that is easy to read."""
    for power in range(9):
        for factor in (1, 1.2, 1.6, 2, 3, 4, 6, 8):
            if factor * 10 ** power >= value and (power or factor % 1 == 0):
                return round(factor * 10 ** power)
    return value


class Plot:
    def __init__(self, rows):
        self.rows = rows
        self.step = (WIDTH - LEFT - RIGHT) / len(rows)
        self.parts = []

    def text(self, x, y, text, anchor="middle", colour="#222222", weight="normal"):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" '
                          f'font-weight="{weight}">{text}</text>')

    def box(self, x, y, width, height, colour):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
                          f'fill="{colour}"/>')

    def line(self, x1, y1, x2, y2, colour="#999999"):
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>')

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
        self.parts.append(f'<text transform="translate(14 {top + height / 2:.0f}) rotate(-90)" '
                          f'text-anchor="middle" fill="#222222">{title}</text>')

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
        left = LEFT
        for colour, title in (SERVED, "served"), (FAILED, "failed"), (SYNS, "SYNs of the attacker"):
            self.box(left, VISITS_TOP + VISITS_HEIGHT + 14, 12, 12, colour)
            self.text(left + 18, VISITS_TOP + VISITS_HEIGHT + 24, title, "start")
            left += 150
        self.text(WIDTH / 2, 20, "A web server in a flood of SYNs, without SYN cookies of its own", weight="bold")
        return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', "<!-- SPDX-License-Identifier: GPL-2.0 -->",
                          f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
                          f'width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" font-size="13">',
                          f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
                          *self.parts, "</svg>", ""])


def main():
    with open(sys.argv[1], newline="") as file:
        rows = list(csv.DictReader(file))
    with open(sys.argv[2], "w") as file:
        file.write(Plot(rows).draw())


main()
