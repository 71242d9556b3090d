#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
content_report.py SOURCE FOLDER: the tables of what tests/bench/content.py left in the first folder. All of it goes to
content.json in the second, together with the targets and whether they are met, and the tables to content.md.
"""
import statistics

from figures import costs, net, over, ratio, report, table, unit

WORKS = {
    # name: (what it says, target against nginx)
    "routed": ("100 kB", 0.25),
    "routed-short-hello": ("100 kB, a ClientHello of one segment", 0.25),
    "routed-small": ("1 kB", 0.25),
    "routed-together": ("100 kB, segments that travel together", 0.25),
}
WAITS = {
    # name: (what it says, target over no proxy, in milliseconds)
    "first-byte": ("an answer's first byte", 8),
    "first-byte-short-hello": ("the same, a ClientHello of one segment", 8),
    "download": ("100 kB", None),
}
SUBJECTS = ("palisade", "nginx", "haproxy", "haproxy-splice", "dnat")


def report_works(works, targets):
    rows = []
    for name, (text, limit) in WORKS.items():
        samples = works[name]
        own = ratio(net(samples, "palisade", "direct")[0], net(samples, "nginx", "direct")[0])
        rows.append([text, over(samples, "direct"), *costs(samples, SUBJECTS, "direct"), f"{own:.2f}",
                     targets.at_most(f"{name}: of nginx", own, limit)])
    return table(["", "over", *SUBJECTS, "of nginx", "target"], rows)


def report_waits(waits, targets):
    rows = []
    for name, (text, limit) in WAITS.items():
        for which in "first", "later":
            times = {subject: [time / 1e6 for time in measured[which]]
                     for subject, measured in waits[name].items()}
            own = net(times, "palisade", "direct")[0]
            rows.append([text, which, f"{statistics.median(times['direct']):.1f}",
                         *("{:z.1f} ({:z.1f} to {:z.1f})".format(*net(times, subject, "direct"))
                           for subject in SUBJECTS),
                         targets.at_most(f"{name}, {which}: over no proxy", own, limit) if limit else ""])
    return table(["milliseconds", "connection", "over", *SUBJECTS, "target"], rows)


def lines_of(read, targets):
    part = read["content"]
    yield f"Linux {part['kernel']}; " + "; ".join(part["versions"].values())
    yield (f"\n{unit(part).capitalize()} of a whole connection whose server, behind this host, is chosen by the name in its\n"
           "ClientHello, over those of one to that server without a proxy (dnat: translated, and not chosen); median of\n"
           f"{part['repetitions']} (least to greatest), {part['connections']} connections each:\n")
    yield from report_works(part["works"], targets)
    yield ("\nWhat a client waits that is 50 ms away, there and back, over what it waits without a proxy; the server is "
           f"{part['behind']} ms\nfurther. The first connection to a server, and the median of {part['repetitions']} later "
           "ones (least to greatest):\n")
    yield from report_waits(part["waits"], targets)


if __name__ == "__main__":
    report("content", lines_of)
