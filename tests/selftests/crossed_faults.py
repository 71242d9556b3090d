# SPDX-License-Identifier: GPL-2.0
"""Cells of the cross product that are known to be wrong. `make test` leaves them out; `make test-crossed` does not."""

import fnmatch
import sys

EVERY = "--all" in sys.argv[1:]
WAYS = "forward dnat local route dnat-route"
# As with iptables' SYNPROXY: the SYN to the server is this host's, and meets neither PREROUTING, INPUT nor FORWARD.
HOWTO = "the SYN that this host sends with the rules of howtos meets no rules for those that it forwards"
NO_DNAT = "nor does it meet any translation of its destination"
# A pattern of rows' names, kinds of rules, ways, and what is wrong.
FAULTS = (
    ("nft, input forward 10: *", "five", WAYS, HOWTO),
    ("nft, input forward 100: *", "five", WAYS, HOWTO),
    ("nft, as firewalld has it", "five", WAYS, HOWTO),
    ("iptables, * of new ones*", "five", WAYS, HOWTO),
    ("nft, * of the server's SYN-ACK*", "five", "dnat dnat-route", NO_DNAT),
    ("nft, output 0: drop of SYN-ACKs of servers behind this host", "five", "dnat dnat-route", NO_DNAT),
)


def fault(cell):
    """What is known to be wrong in a cell, or None."""
    for pattern, kinds, ways, what in FAULTS:
        if fnmatch.fnmatch(cell.row.name, pattern) and cell.kind in kinds.split() and cell.way in ways.split():
            return what
    return None


def tried(cells):
    """Those of the cells that are right, or all if all are asked for."""
    return [cell for cell in cells if EVERY or not fault(cell)]
