#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
#
# A list holds networks beside addresses, and rules find the addresses in them.
#
# Hosts, on the switch of lib.sh: server (10.0.0.1) has rules and lists, client (10.0.0.2) and other (10.0.0.3) send.

. "$(dirname "$0")/../lib/lists.sh"
make_hosts server client other

# rule OPTION...: the only rule is that of a list.
protocol=(-p icmp)
rule() {
	on server palisade -F
	on server palisade -A INPUT "${protocol[@]}" -m recent --name ban "$@"
}

# keys [FILTER]: prints the addresses and networks of the list, or only those that a filter of jq chooses, in order.
keys() {
	of ban "[.entries[] | ${1:-.} | .address + if .prefix then \"/\\(.prefix)\" else \"\" end] | sort | join(\" \")"
}

# packets ADDRESS [PREFIX]: how many packets the entry of that address, or network, has.
packets() {
	of ban ".entries[] | select(.address == \"$1\" and .prefix == ${2:-null}).packets"
}

list create ban
check "a new list has no networks" test "$(of ban .networks)" = false
rule --rcheck
check "adding a network says that it is new" test "$(list add ban 10.0.0.0/30)" = "ban: 1 new, 0 known"
check "which the list has now" test "$(of ban .networks)" = true
check "it is shown as such" test "$(list show ban | awk 'NR > 1 { print $1 }')" = 10.0.0.0/30
check "JSON has the length of its prefix" \
	test "$(of ban '.entries[0] | "\(.address) \(.prefix) \(.port)"')" = "10.0.0.0 30 null"
check "rules find an address in it" matched client
list del ban 10.0.0.0/30
check "but not when it is gone" not matched client
list add ban 10.0.0.8/29
check "nor one of the next network" not matched client
check "what is not there cannot be deleted: an address in a network" not list del ban 10.0.0.9
check "the same first address is another entry" test "$(list add ban 10.0.0.8)" = "ban: 1 new, 0 known"
check "bits behind the prefix do not count" test "$(list add ban 10.0.0.15/29)" = "ban: 0 new, 1 known"
check "a prefix as long as an address is one" test "$(list add ban 10.0.0.8/32)" = "ban: 0 new, 1 known"
list flush ban
check "an emptied list may have networks" test "$(of ban .networks)" = true

# The longest decides.
list add ban 10.0.0.0/8 10.0.0.0/24
list add ban 10.0.0.2 10.0.0.2
rule --rcheck --hitcount 2
check "an address decides before its networks" matched client
check "which decide on others" not matched other
list add ban 10.0.0.0/8
check "the longest network decides" not matched other
list add ban 10.0.0.0/24
check "however often it was seen itself" matched other
check "all of them are shown" test "$(keys)" = "10.0.0.0/24 10.0.0.0/8 10.0.0.2"
rule --update
before=$(packets 10.0.0.0 24)
check "updates find a network" matched other
check "and stamp that" test "$(packets 10.0.0.0 24)" = $((before + 1))
check "without an entry of its own" not lists server ban 10.0.0.3
rule --set
check "a rule sets an address" matched other
check "which has an entry of its own then" test "$(packets 10.0.0.3)" = 1
rule --remove
check "and removes that" matched other
check "but no network" test "$(keys)" = "10.0.0.0/24 10.0.0.0/8 10.0.0.2"

# IPv6, and all lengths.
# Neighbours speak ICMPv6 as well.
protocol=(-p ipv6-icmp -m icmp6 --icmpv6-type echo-request)
list flush ban
rule --rcheck
list add ban fd00::/64
check "networks of IPv6 are found" matched client fd00::1
list del ban fd00::/64
list add ban fd00::8/125
check "and their neighbours not" not matched client fd00::1
for length in {0..128}; do
	echo "fd00::2/$length"
done >/tmp/lengths
check "networks of all lengths are read" test "$(list add ban - </tmp/lengths)" = "ban: 129 new, 0 known"
check "and found" matched client fd00::1
protocol=(-p icmp)

# The networks of an exception are exceptions.
list flush ban
list create trusted networks
check "a list may be made for networks" test "$(of trusted .networks)" = true
list set ban except=trusted
list create plain
refuse "exceptions of no list, and networks" 1 'except.*no such list' list set plain networks except=nothing
check "change nothing" test "$(of plain .networks)" = false
list destroy plain
list add ban 10.0.0.0/8
list add trusted 10.0.0.2/31
rule --rcheck
check "who is in a network of an exception is not found" not matched client
list del trusted 10.0.0.2/31
check "and is when that is gone" matched client

# What expires, is saved and restored, or moves to a larger table.
list add ban 10.0.0.0/24 for=ever
list add ban 10.1.0.0/16 for=1h
list set ban size=3000
check "networks stay when a list is resized" matched client
list save >/tmp/saved
on server palisade -F
list destroy ban
list destroy trusted
check "lists are restored" list restore /tmp/saved
check "with their networks" test "$(keys)" = "10.0.0.0/24 10.0.0.0/8 10.1.0.0/16"
check "and an empty list for networks is one" test "$(of trusted .networks)" = true
check "a network expires when it was told to" \
	test "$(keys 'select(.left_ms != null)')" = 10.1.0.0/16
check "or never" test "$(keys 'select(.permanent)')" = 10.0.0.0/24
rule --rcheck
check "and rules find them" matched client

refuse "a prefix that is too long" 2 'from 0 to 32' list add ban 10.0.0.0/33
refuse "a network with a port" 2 'not an IPv4 or IPv6 network' list add ban 10.0.0.0:80/24
refuse "no network" 2 'not an IPv4 or IPv6 network' list add ban ten/8

finish
