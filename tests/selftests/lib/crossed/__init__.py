# SPDX-License-Identifier: GPL-2.0
"""The cross product of synproxy/crossed.py: networks, rules, and what happens to connections."""
