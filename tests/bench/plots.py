# SPDX-License-Identifier: GPL-2.0
"""The plots of the benchmarks' report: bars for costs side by side, lines for what they grow with."""
import math
import os
import statistics
import sys

from figures import net

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from drawing import Drawing, nice  # noqa: E402

COLOURS = {"palisade": "#0072b2", "iptables": "#d55e00", "nftables": "#009e73", "ipset": "#e69f00",
           "nft-limit": "#7ad1b4", "hashlimit": "#cc79a7", "syncookies": "#666666", "unfiltered": "#c8a2c8",
           "bpf-tc": "#56b4e9", "xdp-generic": "#b8860b", "xdp-native": "#8c564b", "tracked": "#9a9a3c",
           "direct": "#aaaaaa"}
WIDTH = 860
LABELS, NUMBERS = 270, 70   # left and right of the bars
BAR, GAP = 14, 12
LINES_WIDTH, LINES_HEIGHT = 440, 260
LEFT, RIGHT, TOP, BOTTOM = 80, 40, 30, 40


def legend(drawing, x, y, subjects):
    drawing.legend(x, y, [(COLOURS[subject], subject) for subject in subjects], 110)


def bars(groups):
    """Costs side by side, of groups of samples: their names, the samples and what they are compared with."""
    subjects = [name for name in COLOURS if any(name in samples and name != base for _, samples, base in groups)]
    costs = [(text, [(name, *net(samples, name, base)) for name in subjects if name in samples and name != base])
             for text, samples, base in groups]
    most = nice(max(greatest for _, rows in costs for *_, greatest in rows))
    # What costs less than nothing has its bar on the other side.
    less = min(0, *(least for _, rows in costs for _, _, least, _ in rows))
    scale = (WIDTH - LABELS - NUMBERS) / (most - less)
    origin = LABELS - less * scale
    height = sum(len(rows) * BAR + GAP for _, rows in costs)
    drawing = Drawing(WIDTH, TOP + height + BOTTOM)
    legend(drawing, 10, 4, subjects)
    for value in (0, most / 2, most):
        x = origin + value * scale
        drawing.line(x, TOP, x, TOP + height, "#dddddd" if value else "#999999")
        drawing.text(x, TOP + height + 18, f"{value:,.0f}")
    y = TOP + GAP / 2
    for text, rows in costs:
        drawing.text(LABELS - 10, y + len(rows) * BAR / 2 + 4, text, "end")
        for name, median, least, greatest in rows:
            drawing.box(origin + min(median, 0) * scale, y, abs(median) * scale, BAR - 2, COLOURS[name])
            drawing.line(origin + least * scale, y + BAR / 2 - 1, origin + greatest * scale, y + BAR / 2 - 1, "#222222")
            drawing.text(origin + max(greatest, 0) * scale + 6, y + BAR - 3, f"{median:,.0f}", "start")
            y += BAR
        y += GAP
    return drawing.svg()


def marks(values):
    """Where an axis has its marks, from the least to the greatest: powers of ten."""
    return [10 ** power for power in range(math.floor(math.log10(min(values))), math.ceil(math.log10(max(values))) + 1)]


def lines(title, what, sizes, steep=False):
    """
    Costs over the floor by the size of something, of samples by that. What is steep, or grows with the size itself,
    has powers of ten on both axes.
    """
    subjects = [name for name in COLOURS if any(name in samples for samples in sizes.values())]
    curves = {name: [(size, max(net(samples, name)[0], 1)) for size, samples in sizes.items() if name in samples]
              for name in subjects}
    values = [value for points in curves.values() for _, value in points]
    up = marks(values) if steep else None
    return draw_curves(title, what, curves, marks(sizes), up)


def rates(title, cpus):
    """Packets that one CPU and two get done in a second, in thousands, of the nanoseconds that each packet takes."""
    curves = {name: [(count, count * 1e6 / statistics.median(cpus[name][number]))
                     for count, number in ((1, "one"), (2, "two"))]
              for name in COLOURS if name in cpus}
    return draw_curves(title, "CPUs; thousand packets a second", curves, [1, 2])


def draw_curves(title, what, curves, across, up=None):
    """Curves between the marks of two axes: what is across has a logarithmic one, and so has what is up, if given."""
    steep = up is not None
    if not steep:
        most = nice(max(value for points in curves.values() for _, value in points))
        up = [0, most / 2, most]
    drawing = Drawing(LINES_WIDTH, LINES_HEIGHT)
    width, height = LINES_WIDTH - LEFT - RIGHT, LINES_HEIGHT - TOP - BOTTOM

    def x(size):
        return LEFT + width * math.log(size / across[0]) / math.log(across[-1] / across[0])

    def y(value):
        share = math.log(value / up[0]) / math.log(up[-1] / up[0]) if steep else value / up[-1]
        return TOP + height - height * share

    for value in up:
        drawing.line(LEFT, y(value), LINES_WIDTH - RIGHT, y(value), "#dddddd" if value != up[0] else "#999999")
        drawing.text(LEFT - 6, y(value) + 4, f"{value:,.0f}", "end")
    for size in across:
        drawing.line(x(size), TOP + height, x(size), TOP + height + 4)
        drawing.text(x(size), TOP + height + 18, f"{size:,}")
    drawing.text(LINES_WIDTH / 2, 16, title, weight="bold")
    drawing.text(LINES_WIDTH / 2, LINES_HEIGHT - 6, what)
    for name, points in curves.items():
        drawing.curve([(x(size), y(value)) for size, value in points], COLOURS[name])
    return drawing.svg()


def colours(subjects):
    """The legend by itself."""
    drawing = Drawing(WIDTH, 20)
    legend(drawing, LEFT, 4, subjects)
    return drawing.svg()
