#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
#
# Addresses stay for as long as they were told to, whatever the timeout of their list, and no longer.
#
# Hosts, on the switch of lib.sh: server (10.0.0.1) has rules and lists, client (10.0.0.2) and other (10.0.0.3) send.

. "$(dirname "$0")/../lib/lists.sh"
make_hosts server client other

list create ban timeout=1s
on server palisade -A INPUT -p icmp -m recent --name ban --rcheck
on server palisade -A INPUT -p icmpv6 --icmpv6-type echo-request -m recent --name ban --rcheck
check "addresses are kept for some time, or for ever" list add ban 192.0.2.1 for=4h
list add ban for=ever 10.0.0.2 fd00::2
list add ban 10.0.0.3
check "the time that is left is shown" test "$(of ban '.entries[] | select(.address == "192.0.2.1").left_ms | . > 14000000 and . <= 14400000')" = true
check "and in the table" sh -c 'ip netns exec server palisade list show ban | grep -Eq "^192.0.2.1 .*(3h 59m|4h)$"'
check "who stays for ever has no time left" test "$(of ban '.entries[] | select(.address == "fd00::2") | "\(.left_ms) \(.permanent)"')" = "null true"
check "and in the table" sh -c 'ip netns exec server palisade list show ban | grep -Eq "^fd00::2 .*ever$"'
check "the others go after the list's timeout" eventually 60 not lists server ban 10.0.0.3
check "and are not found by rules" not matched other
check "but none of those that were told to stay" test "$(entries server ban)" -eq 3
check "which are found by rules" matched client
pings client fd00::1 >/dev/null
check "also over IPv6" test "$(counter server filter INPUT 2)" -eq 1
check "who stays counts packets as well" list add ban 10.0.0.2
check "and who is stamped anew stays as told" test "$(of ban '.entries[] | select(.address == "10.0.0.2") | "\(.packets) \(.permanent)"')" = "2 true"

expired=$(of ban .expired)
list add ban 10.0.0.3 for=300ms
check "a short time passes, too" eventually 60 not lists server ban 10.0.0.3
check "after which rules do not find it" not matched other
removed() {
	[ "$(of ban .expired)" -gt "$expired" ]
}
check "and it is removed" eventually 60 removed
list add ban 10.0.0.3 for=1h
list add ban 10.0.0.3 for=30d
check "it can be told anew" test "$(of ban '.entries[] | select(.address == "10.0.0.3").left_ms | . > 2591000000')" = true
check "years are no problem" list add ban 192.0.2.2 for=36500d
check "standard input has times of its own" sh -c 'printf "192.0.2.8 for=2h\n192.0.2.9\n" | ip netns exec server palisade list add ban - for=ever'
check "which come before that of the command" test "$(of ban '[.entries[] | select(.address == "192.0.2.8" or .address == "192.0.2.9").permanent] | sort | join(" ")')" = "false true"

refuse "no time at all" 2 'for some time, or for ever' list add ban 192.0.2.3 for=0
refuse "what is no time" 2 'number of seconds.*or ever' list add ban 192.0.2.3 for=soon
refuse "longer than can be noted" 1 '192.0.2.3.*4,400 years' list add ban 192.0.2.3 for=2000000d
refuse "two times" 2 'for is given twice' list add ban 192.0.2.3 for=1h for=2h
refuse "a time without an address" 2 'no address' list add ban for=1h
check "none of these added anything" not lists server ban 192.0.2.3

# Whoever was told to stay is not evicted.
list create full size=3
list add full 192.0.2.1 192.0.2.2 for=ever
list add full 192.0.2.3
list add full 192.0.2.4
check "another address makes room" not lists server full 192.0.2.3
list add full 192.0.2.4 for=1d
refuse "a list that is full of them takes no other" 1 'list full: 192.0.2.5: .*full' list add full 192.0.2.5
on server palisade -A INPUT -p icmp -m recent --name full --set
arrived other 0 10.0.0.1
check "also not from packets" not lists server full 10.0.0.3
check "which is counted" test "$(of full .refused)" -ge 2
check "all who were told to stay are there" test "$(of full '[.entries[].address] | sort | join(" ")')" = "192.0.2.1 192.0.2.2 192.0.2.4"
check "they move to a larger list" list set full size=10 hits=40
check "and stay as told" test "$(of full '[.entries[].permanent] | sort | join(" ")')" = "false true true"
on server palisade -D INPUT 3

# Across reboots.
list save full >/tmp/saved
check "it is saved when an address expires" grep -Eq '^192.0.2.4 .*until=20[0-9-]+T[0-9:.]+Z$' /tmp/saved
check "or that it does not" grep -Eq '^192.0.2.1 .*until=ever$' /tmp/saved
list destroy full
check "and restored" list restore /tmp/saved
check "with what is left" test "$(of full '[.entries[] | .permanent or (.left_ms > 86000000 and .left_ms <= 86400000)] | all')" = true
list destroy full
# As if the machine had been off for a day: the ages are those of long ago, and the time of one has passed.
sed -E 's/saved=[^ ]+/saved=2020-01-01T00:00:00.000Z/; s/until=20[^ ]+/until=2020-01-02T00:00:00.000Z/' /tmp/saved >/tmp/older
check "also long after it was saved" list restore /tmp/older
check "when those are gone whose time has passed meanwhile" test "$(of full '[.entries[].address] | sort | join(" ")')" = "192.0.2.1 192.0.2.2"
check "and others are there, however long ago they were seen" test "$(of full '[.entries[].permanent] | join(" ")')" = "true true"

finish
