#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""SYNPROXY, packet by packet: the client and the server are both played here, and know every number.

synproxy-packets.py [KIND...] [SCENARIO...]: with other rules than by default, one of those that synproxy_hosts has
names for, such as iptables, which has the kernel's own SYNPROXY do the same; or some scenarios only.
"""

import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from genetlink import Report
from synproxy import bad_segments, failures, handshakes, local, strangers, taps, translations
from synproxy.hosts import RULES, Hosts
from synproxy.play import play

ORDINARY = [one for module in (handshakes, translations, bad_segments, local, strangers, taps, failures)
            for one in module.SCENARIOS]
LEARNED = *strangers.LEARNED, *failures.LEARNED
NOT_WITH_FIVE = (handshakes.handshakes_end, translations.windows, failures.refused_by_rules)
SCENARIOS = {
    "learned": [*ORDINARY, *LEARNED, *failures.SLOW],
    "options": ORDINARY,
    "five": [one for one in ORDINARY if one not in NOT_WITH_FIVE],
    "flooded": failures.FLOODED,
    "iptables": ORDINARY,
}
# The debug kernel is too slow for rates, and for waiting.
IS_DEBUG = os.path.isdir("/sys/kernel/debug/kunit")
if IS_DEBUG:
    SCENARIOS["learned"] = [*ORDINARY, *LEARNED]


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
