#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Recent lists by hand: create, fill, read, flush, destroy.
#
# Hosts, on the switch of lib.sh: server (10.0.0.1). No packets are sent.

. "$(dirname "$0")/../lib/lists.sh"
make_hosts server

check "there is no list at first" test "$(list ls --json | field length)" -eq 0
check "create" list create one size=10 hits=3 timeout=1h
check "ls shows it" sh -c 'ip netns exec server palisade list ls | grep -q one'
one=$(list ls --json | field '.[] | select(.name == "one") | "\(.size) \(.hits) \(.timeout_ms)"')
check "ls --json shows what was chosen" test "$one" = "10 3 3600000"
refuse "creating it again" 1 'one.*already|already.*one' list create one
check "add answers how many were new" test "$(list add one 192.0.2.1 2001:db8::1)" = "one: 2 new, 0 known"
check "and how many were not" test "$(list add one 192.0.2.1)" = "one: 0 new, 1 known"
check "show has the IPv4 address" lists server one 192.0.2.1
check "show has the IPv6 address" lists server one 2001:db8::1
check "and no other" test "$(entries server one)" -eq 2
check "show as a table" sh -c 'ip netns exec server palisade list show one | grep -q 192.0.2.1'
list add one 192.0.2.2
check "show is sorted, last seen first" test "$(list show one --json | field '.entries[0].address')" = 192.0.2.2
check "del" list del one 192.0.2.1
check "and the address is gone" not lists server one 192.0.2.1
refuse "del of an address that is not in the list" 1 '192.0.2.1' list del one 192.0.2.1
refuse "del of several addresses, one of which is not in the list" 1 '192.0.2.77' list del one 192.0.2.2 192.0.2.77
check "it deletes none of them" lists server one 192.0.2.2
check "del --exist passes over addresses that are not in the list" list del --exist one 192.0.2.77 192.0.2.2 192.0.2.77
check "and deletes those that are" not lists server one 192.0.2.2
list add one 192.0.2.3
check "add --exist answers as add" test "$(list add one 192.0.2.3 192.0.2.4 --exist)" = "one: 1 new, 1 known"
packets() {
	list show one --json | field "[.entries[] | select(.address | test(\"^192.0.2\")) | .packets] | join(\" \")"
}
check "and stamps nothing anew" test "$(packets)" = "1 1"
list add one 192.0.2.3 for=ever --exist
check "but keeps it for as long as is said" test "$(list show one --json | field '.entries[] | select(.permanent) | "\(.address) \(.packets)"')" = "192.0.2.3 1"
check "create --exist takes a list that is there" list create one hits=5 --exist
check "which keeps its addresses" lists server one 192.0.2.3
check "and gets the limits that are given" test "$(list show one --json | field '"\(.size) \(.hits) \(.timeout_ms)"')" = "10 5 3600000"
check "create --exist creates one otherwise" list create another size=7 --exist
check "with its limits" test "$(list show another --json | field .size)" = 7
check "and takes it again" list create another --exist
check "as it is" test "$(list show another --json | field .size)" = 7
list destroy another
check "flush" list flush one
check "and the list is empty" test "$(entries server one)" -eq 0
check "add reads standard input" sh -c 'printf "192.0.2.9\n# comment\n2001:db8::9\n" | ip netns exec server palisade list add one -'
check "and both addresses are in the list" test "$(entries server one)" -eq 2

# Whoever waits for more than a second is told how far it is; the writer goes on until that was seen.
work=$(mktemp -d)
trap 'rm -rf "$work"; remove_hosts' EXIT
list create slow
check "how much of a slow input was read" on server "$lib/terminal.py" 80x24 "sees ^standard input: [0-9.]+ [KMi]*B read$" \
	"runs touch $work/seen" "lacks standard input" "ends 0" -- sh -c \
	"until [ -e $work/seen ]; do echo 192.0.2.7; sleep 0.1; done | palisade list add slow -"
check "which is in the list then" lists server slow 192.0.2.7
list destroy slow

on server palisade -A INPUT -m recent --name one --rcheck -j DROP
refuse "destroying a list that a rule uses" 1 'rule' list destroy one
on server palisade -F
check "a list outlives its rules" test "$(entries server one)" -eq 2
check "destroy" list destroy one
refuse "show of a list that does not exist" 1 'no list.*one|list one' list show one
refuse "flush of a list that does not exist" 1 'no list.*one|list one' list flush one
refuse "a size beyond max_entries" 1 'max_entries' list create big size=4000000000
refuse "an invalid address" 2 '300.1.2.3' list add one 300.1.2.3

finish
