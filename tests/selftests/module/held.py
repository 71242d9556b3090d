#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The module's parameter max_held bounds what is held of clients whose server has not answered.

lib/synproxy/hosts.py draws the hosts.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from genetlink import Report
from synproxy import early
from synproxy.hosts import Hosts, run
from synproxy.play import play


def main():
    report = Report()
    hosts = Hosts()
    try:
        hosts.use("limited")
        for scenario in early.LIMITED:
            for version in 4, 6:
                play(hosts, "limited", version, scenario, report)
    finally:
        hosts.clear()
        hosts.remove()
        # Whoever comes next gets the module as it was.
        run("rmmod", "palisade")
        run("modprobe", "palisade")
    report.finish()


if __name__ == "__main__":
    main()
