#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A short run of the fuzzers in tests/fuzz, with the same seed each time. They make their own hosts.

. "$(dirname "$0")/../lib/lib.sh"
cd "$checkout/tests/fuzz" || exit 1

check "requests, valid and not, as root and as an unprivileged user" ./netlink.py --seed 1 --size 2000 --count 1
check "packets, valid and not" ./packets.py --seed 1 --count 4

finish
