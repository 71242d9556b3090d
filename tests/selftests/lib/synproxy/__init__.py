# SPDX-License-Identifier: GPL-2.0
"""Shared by the Python tests of SYNPROXY: hosts, both ends of a connection, and the scenarios of synproxy/packets.py."""
