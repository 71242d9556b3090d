# SPDX-License-Identifier: GPL-2.0
"""SYNPROXY's client and server, played or real, and what the scenarios do with them."""
