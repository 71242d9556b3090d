#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The demo: first somebody who tries passwords is cut off, then three sites share one address, and last a server is kept up
# in a flood of SYNs.

cd "$(dirname "$0")" || exit 1
status=0

echo "== Somebody tries passwords"
./passwords.sh || status=1
echo
echo "== Three sites behind one address"
./sites.sh || status=1
echo
echo "== A flood of SYNs"
./flood.sh || status=1
exit $status
