# SPDX-License-Identifier: GPL-2.0
"""What recent/differential.py plays, and to whom."""
