#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Kernel: debug
#
# The module's KUnit suites, which the kernel ran when the module was loaded. Each case is a result here.

. "$(dirname "$0")/../lib/lib.sh"

kunit=/sys/kernel/debug/kunit

if [ ! -d "$kunit" ]; then
	skip "the module's KUnit suites" "needs the debug kernel"
	finish
fi

# cases FILE: prints the cases of a suite: "ok" or "not ok", the name and, after a '#', what KUnit adds.
cases() {
	sed -nE 's/^    (ok|not ok) [0-9]+ (.*)/\1 \2/p' "$1"
}

suites=0
for results in "$kunit"/palisade_*/results; do
	[ -e "$results" ] || continue
	suites=$((suites + 1))
	suite=$(basename "$(dirname "$results")")
	while read -r line; do
		tests=$((tests + 1))
		if [[ $line == "not ok "* ]]; then
			failures=$((failures + 1))
			echo "not ok $tests - $suite: ${line#not ok }"
		else
			echo "ok $tests - $suite: ${line#ok }"
		fi
	done < <(cases "$results")
	# A case that crashed has no result, but it is in the plan.
	planned=$(sed -nE 's/^    1\.\.([0-9]+)$/\1/p' "$results")
	check "$suite ran all its cases" test "$(cases "$results" | wc -l)" -eq "${planned:-0}"
	if ! grep -q "^ok .*$suite" "$results"; then
		sed 's/^/# /' "$results"
	fi
done
check "there are KUnit suites" test "$suites" -gt 0

finish
