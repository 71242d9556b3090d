# SPDX-License-Identifier: GPL-2.0
"""What the benchmarks' reports share: figures over the floor, and targets."""
import statistics


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
