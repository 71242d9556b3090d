# SPDX-License-Identifier: GPL-2.0
"""Cells of the cross product whose opening SYN does not meet the rules, as synproxy.md says."""

import fnmatch

# As with iptables' SYNPROXY: the SYN to the server is this host's own, and meets no rules of INPUT, but for those that
# see what comes by the loopback interface, nor of FORWARD.
HOWTO = (
    "nft, input forward 10: *",
    "nft, input forward 100: *",
    "nft, as firewalld has it",
    "iptables, * of new ones*",
)


def is_documented(cell):
    """Whether rules that meet the rest of the conversation alone are right."""
    return cell.kind == "five" and any(fnmatch.fnmatch(cell.row.name, pattern) for pattern in HOWTO)
