#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""SYNPROXY, packet by packet: the test plays both the client and the server, and knows every number.

packets.py [KIND...] [SCENARIO...]: KIND is a name in RULES of lib/synproxy/hosts.py, such as iptables, which plays the
same to the kernel's own SYNPROXY. SCENARIO is the name of a function in lib/synproxy/. lib/synproxy/hosts.py draws the
hosts.
"""

import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from genetlink import Report
from synproxy import bad_segments, early, failures, handshakes, local, strangers, taps, translations
from synproxy.hosts import RULES, Hosts
from synproxy.play import play

ORDINARY = [one for module in (handshakes, translations, bad_segments, local, strangers, taps, failures)
            for one in module.SCENARIOS]
LEARNED = *strangers.LEARNED, *failures.LEARNED, *early.LEARNED
NOT_WITH_FIVE = (handshakes.handshakes_end, translations.windows, failures.refused_by_rules)
SCENARIOS = {
    "learned": [*ORDINARY, *early.SCENARIOS, *LEARNED, *failures.SLOW],
    "options": [*ORDINARY, *early.SCENARIOS],
    "five": [*(one for one in ORDINARY if one not in NOT_WITH_FIVE), *early.SCENARIOS],
    "flooded": failures.FLOODED,
    "iptables": ORDINARY,
}
# The debug kernel is too slow for rates and for scenarios that wait.
IS_DEBUG = os.path.isdir("/sys/kernel/debug/kunit")
if IS_DEBUG:
    SCENARIOS["learned"] = [*ORDINARY, *early.SCENARIOS, *LEARNED]


def main():
    kinds = [one for one in sys.argv[1:] if one in RULES] or (["learned", "five"] if IS_DEBUG else
                                                              ["learned", "five", "flooded"])
    names = [one for one in sys.argv[1:] if one not in RULES]
    report = Report()
    hosts = Hosts()
    try:
        for kind in kinds:
            hosts.use(kind)
            for scenario in SCENARIOS[kind]:
                for version in 4, 6:
                    if not names or scenario.__name__ in names:
                        play(hosts, kind, version, scenario, report)
    finally:
        hosts.clear()
        hosts.remove()
    report.finish()


if __name__ == "__main__":
    main()
