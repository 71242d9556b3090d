#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
#
# The demo shows what it says. tests/demo/hosts.sh makes its hosts.

. "$(dirname "$0")/../lib/lib.sh"

shown() {
	sed 's/^/    /' <<<"$output"
	"$@"
}

output=$(FLOOD_SECONDS=6 "$checkout/tests/demo/run.sh" 2>&1)
check "the demo succeeds" shown test $? -eq 0
check "the attacker is cut off" grep -Eq 'attacker.*cut off' <<<"$output"
check "the attacker is let in again" grep -Eq 'attacker.*(again)' <<<"$output"
check "it prints a table of the visitors" grep -Eq '^ *attacker +[0-9]+' <<<"$output"
for site in shop.example.org mail.example.org anna.example.net; do
	check "$site is served by its own host" grep -Eq "^$site +$site +10\.0\.0\.7$" <<<"$output"
done

# phase NAME: prints the SYNs per second in a phase of the flood, and the visits that were served and that failed.
phase() {
	tac <<<"$output" | awk -v name="$1" '$1 == name { print $2, $3, $4; exit }'
}
read -r _ quiet_served quiet_failed < <(phase quiet)
read -r flood_syns flood_served flood_failed < <(phase flood)
read -r protected_syns protected_served protected_failed < <(phase protected)
check "visitors are served without a flood" shown test "$quiet_served" -gt 0 -a "$quiet_failed" -eq 0
check "most of them fail in the flood" shown test "$flood_syns" -gt 200 -a "$flood_failed" -gt "$flood_served"
check "they are served behind palisade protect" shown \
	test "$protected_syns" -gt 200 -a "$protected_served" -gt $((10 * protected_failed))
check "there is a plot" grep -q '</svg>' /out/demo/flood.svg
finish
