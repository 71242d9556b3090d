#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""SYNPROXY --until-data, packet by packet; lib/synproxy/hosts.py draws the hosts.

until-data.py [SCENARIO...]: SCENARIO is the name of a function in lib/synproxy/until_data.py.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from genetlink import Report
from synproxy import until_data
from synproxy.hosts import Hosts
from synproxy.play import play


def main():
    report = Report()
    hosts = Hosts()
    try:
        hosts.use("learned")
        for scenario in until_data.SCENARIOS:
            for version in 4, 6:
                if not sys.argv[1:] or scenario.__name__ in sys.argv[1:]:
                    play(hosts, "until-data", version, scenario, report)
    finally:
        hosts.clear()
        hosts.remove()
    report.finish()


if __name__ == "__main__":
    main()
