# SPDX-License-Identifier: GPL-2.0
"""Cells of the cross product that are known to be wrong. `make test` leaves them out; `make test-crossed` does not."""

import fnmatch
import sys

EVERY = "--all" in sys.argv[1:]
WAYS = "forward dnat local route dnat-route"
OWN = "what is sent in another's name meets rules for this host's own packets"
# As with iptables' SYNPROXY: the SYN to the server is this host's, and meets neither PREROUTING, INPUT nor FORWARD.
HOWTO = "the SYN that this host sends with the rules of howtos meets no rules for those that it forwards"
# A pattern of rows' names, kinds of rules, ways, and what is wrong.
FAULTS = (
    ("iptables, * OUTPUT: *", "five", WAYS, OWN),
    ("iptables, * OUTPUT: *tcp-reset", "raw flooded", WAYS, OWN),
    ("nft, output [-0-9]*: drop*", "five", WAYS, OWN),
    ("nft, output 0: reject with *", "five", WAYS, OWN),
    ("nft, output 0: reject with tcp reset", "raw flooded", WAYS, OWN),
    ("Palisade, * OUTPUT: *", "five", WAYS, OWN),
    ("nft, prerouting -250: *", "raw flooded", WAYS, "nobody waits for a SYN that ends before connection tracking"),
    ("nft, input forward 10: *", "five", WAYS, HOWTO),
    ("nft, input forward 100: *", "five", WAYS, HOWTO),
    ("nft, as firewalld has it", "five", WAYS, HOWTO),
    ("iptables, * of new ones*", "five", WAYS, HOWTO),
    ("iptables, mangle POSTROUTING: DROP", "five", WAYS, "the client is not told of a SYN that is lost at once"),
    ("nft, postrouting *: drop", "five", WAYS, "the client is not told of a SYN that is lost at once"),
    ("prohibit", "five", WAYS, "the client is not told of a SYN that is lost at once"),
    ("no route", "five", WAYS, "the client is not told of a SYN that is lost at once"),
    ("nft, output 0: * of the server's SYN-ACK*", "raw five flooded", "local", "the client is told late, or never"),
    ("the SYN-ACK is lost * in output", "raw five flooded", "local", "a local server's SYN-ACK comes late again"),
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
