# SPDX-License-Identifier: GPL-2.0
"""Cells of the cross product in which the SYN to the server does not pass the rules, as synproxy.md says."""

import fnmatch

# As with iptables' SYNPROXY, the SYN to the server is a packet of this host. It does not pass rules in FORWARD, nor in
# INPUT, except those for packets from the loopback interface.
HOWTO = (
    "nft, input forward 10: *",
    "nft, input forward 100: *",
    "nft, as firewalld has it",
    "iptables, * of new ones*",
)


def is_documented(cell):
    """Whether it is right that the rules see only the rest of the conversation."""
    return cell.kind == "five" and any(fnmatch.fnmatch(cell.row.name, pattern) for pattern in HOWTO)
