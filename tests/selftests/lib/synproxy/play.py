# SPDX-License-Identifier: GPL-2.0
"""Runs a scenario and reports it, with a transcript if it fails."""

import os
import time

from synproxy.ends import use_new_server

# So many lines of a transcript are shown.
LINES = 24


def play(hosts, kind, version, scenario, report):
    wires = hosts.left, hosts.right, hosts.vlan
    use_new_server()
    problem, start = None, time.monotonic()
    for wire in wires:
        wire.log.clear()
        wire.inbox.clear()
    try:
        scenario(hosts, version, kind)
    except Exception as error:  # whatever an unexpected segment leads to
        problem = f"{type(error).__name__}: {error}"
    log = [line for wire in wires for line in wire.log[-LINES:]]
    report.check(f"{kind}, IPv{version}: {scenario.__doc__}", problem is None, problem, *log)
    if os.environ.get("TIMES"):
        print(f"# {scenario.__name__} took {time.monotonic() - start:.1f} s", flush=True)
