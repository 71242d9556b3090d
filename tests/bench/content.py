#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
Runs in the VM: measures what connections cost whose server is chosen by the name in their ClientHello, and how long
clients wait that are far away, with Palisade, nginx and HAProxy, side by side.

content.py instructions|time FILE

What was measured goes to the file as JSON; tests/bench/content_report.py makes the tables. That each subject did its
work, its namespace's counters have to say, or measuring failed.
"""
import sys

from content_subjects import CHOOSERS, HAPROXY
from distance import BEHIND, FAR, Transfer, measure_waits
from measuring import REPETITIONS, first_line, run, save_measured, say, say_medians
from synproxy_checks import Check

CLOCK, FILE = sys.argv[1:]
HELLOS = "/palisade/rust/content/hellos"
# Of one segment, for old.example.org, and of two, for www.example.org.
SHORT, LONG = f"{HELLOS}/tls12.bin", f"{HELLOS}/grease.bin"
CONNECTIONS = 100
SIZE, SMALL = 100000, 1000      # bytes of an answer
# Bytes that a connection brings the client, and its ClientHello.
COSTS = {"routed": (SIZE, LONG), "routed-short-hello": (SIZE, SHORT), "routed-small": (SMALL, LONG),
         "routed-together": (SIZE, LONG)}
TRANSFERS = {
    "first-byte": Transfer(FAR, 1, hello=LONG),
    "first-byte-short-hello": Transfer(FAR, 1, hello=SHORT),
    "download": Transfer(FAR, SIZE, hello=LONG),
}


def let_segments_travel_together(subject):
    """As between hosts whose network cards cut segments and put them together."""
    for command, device in ((run, f"{subject.name}1"), (subject.on, "in1"), (subject.on, "behind"),
                            (subject.host.on, "eth0")):
        command("ethtool", "-K", device, "tx", "on", "tso", "on", "gso", "on", "gro", "on")


def cost(subject, work):
    """Of a whole connection."""
    size, hello = COSTS[work]
    check = Check(subject)
    times = subject.fetch(work, CONNECTIONS, size, hello=hello)
    check.expect_opened(CONNECTIONS)
    check.expect(TcpExt__TCPTimeouts=0)
    return sum(times) / CONNECTIONS


def measure_costs(result):
    subjects = []
    for number, kind in enumerate(CHOOSERS):
        subject = kind(number)
        subject.load()
        subject.run_server()
        subjects.append(subject)
        result["typed"][subject.name] = {"all works": subject.RULES}
    for work in COSTS:
        say(work)
        samples = {subject.name: [] for subject in subjects}
        if work.endswith("-together"):
            for subject in subjects:
                let_segments_travel_together(subject)
        for repetition in range(REPETITIONS + 1):
            for subject in subjects:
                value = cost(subject, work)
                # The first time, what it finds is not yet as it will be.
                if repetition:
                    samples[subject.name].append(value)
        say_medians(samples, "direct")
        result["works"][work] = samples
    return subjects


def measure_all(result):
    result["versions"].update(nginx=first_line("sh", "-c", "nginx -v 2>&1"), haproxy=first_line(*HAPROXY, "-v"))
    measure_waits(CHOOSERS, TRANSFERS, result["waits"])
    return measure_costs(result)


sys.exit(save_measured(FILE, {
    "clock": CLOCK, "repetitions": REPETITIONS, "connections": CONNECTIONS, "costs": COSTS, "transfers": TRANSFERS,
    "behind": BEHIND, "typed": {}, "works": {}, "waits": {}}, measure_all))
