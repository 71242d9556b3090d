#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
#
# The examples of the documentation work as printed: each indented line of a page that starts with the command is
# run, in order, on a new host for each page.
#
# Hosts, on the switch of lib.sh: reader (10.0.0.1). No packets are sent.

. "$(dirname "$0")/../lib/lib.sh"

documentation=$checkout/Documentation
work=$(mktemp -d)
cd "$work" || exit 1
printf '192.0.2.%s\n' 7 8 9 >addresses
printf '%s\n' example.org '*.example.net' >hosts

# examples PAGE: prints the commands of a page, without their comments.
examples() {
	sed -nE 's/^    (palisade .*)$/\1/p' "$1" | sed -E 's/ +# .*$//'
}

for page in "$documentation"/*.md; do
	name=$(basename "$page" .md)
	mapfile -t commands < <(examples "$page")
	[ ${#commands[@]} -gt 0 ] || continue
	make_hosts reader
	for command in "${commands[@]}"; do
		check "$name: $command" on reader bash -c "$command"
	done
	remove_hosts
done
check "there were examples" test "$tests" -gt 20
rm -rf "$work"

finish
