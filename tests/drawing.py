# SPDX-License-Identifier: GPL-2.0
"""SVG drawings, as far as the demo's and the benchmarks' plots need them."""
import html


def nice(value):
    """The next number above that is easy to read."""
    for power in range(9):
        for factor in (1, 1.2, 1.6, 2, 3, 4, 6, 8):
            if factor * 10 ** power >= value and (power or factor % 1 == 0):
                return round(factor * 10 ** power)
    return value


class Drawing:
    def __init__(self, width, height):
        self.width = width
        self.height = height
        self.parts = []

    def text(self, x, y, text, anchor="middle", colour="#222222", weight="normal"):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" '
                          f'font-weight="{weight}">{html.escape(text)}</text>')

    def upright_text(self, x, y, text):
        self.parts.append(f'<text transform="translate({x:.0f} {y:.0f}) rotate(-90)" '
                          f'text-anchor="middle" fill="#222222">{html.escape(text)}</text>')

    def box(self, x, y, width, height, colour):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
                          f'fill="{colour}"/>')

    def line(self, x1, y1, x2, y2, colour="#999999"):
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>')

    def curve(self, points, colour):
        """Straight from each point to the next, with a dot at each."""
        joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="2"/>')
        self.parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in points]

    def legend(self, x, y, entries, step):
        """Colours and what they stand for, side by side."""
        for colour, title in entries:
            self.box(x, y, 12, 12, colour)
            self.text(x + 18, y + 10, title, "start")
            x += step

    def svg(self):
        return "\n".join([
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" '
            f'width="{self.width}" height="{self.height}" font-family="sans-serif" font-size="13">',
            f'<rect width="{self.width}" height="{self.height}" fill="#ffffff"/>', *self.parts, "</svg>", ""])

    def file(self):
        """The same as a file of its own."""
        return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', "<!-- SPDX-License-Identifier: GPL-2.0 -->",
                          self.svg()])
