# SPDX-License-Identifier: GPL-2.0
"""Runs a scenario and reports it, with a transcript if it fails."""

import os
import time

from synproxy.ends import servers, use_new_server

# So many lines of a transcript are shown.
LINES = 24


# A scenario that fails is played again so often at most, if this machine was too slow for it.
ATTEMPTS = 5


def attempt(hosts, kind, version, scenario, wires):
    """What is wrong."""
    use_new_server()
    servers.clear()
    for wire in wires:
        wire.log.clear()
        wire.inbox.clear()
    try:
        scenario(hosts, version, kind)
    except Exception as error:  # whatever an unexpected segment leads to
        return f"{type(error).__name__}: {error}"
    return None


def play(hosts, kind, version, scenario, report):
    wires = hosts.left, hosts.right, hosts.vlan
    start = time.monotonic()
    for _ in range(ATTEMPTS):
        problem = attempt(hosts, kind, version, scenario, wires)
        if problem is None or not any(server.was_slow() for server in servers):
            break
    log = [line for wire in wires for line in wire.log[-LINES:]]
    report.check(f"{kind}, IPv{version}: {scenario.__doc__}", problem is None, problem, *log)
    if os.environ.get("TIMES"):
        print(f"# {scenario.__name__} took {time.monotonic() - start:.1f} s", flush=True)
