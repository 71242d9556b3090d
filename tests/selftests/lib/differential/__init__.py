# SPDX-License-Identifier: GPL-2.0
"""The hosts and scenarios of recent/differential.py."""
