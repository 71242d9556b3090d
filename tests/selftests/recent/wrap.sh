#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
#
# Stamps are 32-bit jiffies, which wrap five minutes after boot. Just after the wrap, a packet from just before it
# is neither too old nor new.
#
#	+-------------------+       +-------------------+
#	|    wrap-server    |       |    wrap-client    |
#	|            eth0  -+-------+-  eth0            |
#	|     10.9.0.1/24   |       |   10.9.0.2/24     |
#	|  (rules, lists)   |       |     (pings)       |
#	+-------------------+       +-------------------+

. "$(dirname "$0")/../lib/lib.sh"

ip netns add wrap-server
ip netns add wrap-client
hosts=(wrap-server wrap-client)
trap remove_hosts EXIT
ip link add eth0 netns wrap-server type veth peer name eth0 netns wrap-client
ip -n wrap-server address add 10.9.0.1/24 dev eth0
ip -n wrap-client address add 10.9.0.2/24 dev eth0
ip -n wrap-server link set eth0 up
ip -n wrap-client link set eth0 up

# jiffies: prints the lower 32 bits of jiffies. remaining: prints how many seconds remain until these wrap.
jiffies() {
	awk '$1 == "jiffies:" { print $2 % 4294967296; exit }' /proc/timer_list
}
second=250
remaining() {
	echo $(((4294967296 - $(jiffies)) / second))
}

rule() {
	on wrap-server palisade "$@"
}

rule list create before
rule -A INPUT -p icmp -m recent --name before --rcheck --seconds 60 --hitcount 2
rule -A INPUT -p icmp -m recent --name before --rcheck --seconds 10
rule -A INPUT -p icmp -m recent --name before --set

left=$(remaining)
check "jiffies have not wrapped yet" test "$left" -ge 20 -a "$left" -le 300
sleep $((left - 14))
pings wrap-client 10.9.0.1 >/dev/null
check "before the wrap, an address is in the list" test "$(entries wrap-server before)" -eq 1
left=$(remaining)
check "and jiffies still have not wrapped" test "$left" -ge 1 -a "$left" -le 20
sleep $((left + 6))
check "jiffies have wrapped" test "$(jiffies)" -lt 100000
age=$(rule list show before --json | field '.entries[0].age_ms')
check "an age across the wrap is right" test "$age" -ge 11000 -a "$age" -lt 60000
pings wrap-client 10.9.0.1 >/dev/null
check "a packet from before the wrap is not within the last 10 seconds" test "$(counter wrap-server filter INPUT 2)" -eq 0
pings wrap-client 10.9.0.1 >/dev/null
check "packets from before and after the wrap count together" test "$(counter wrap-server filter INPUT 1)" -eq 1
check "a packet from after the wrap is within the last 10 seconds" test "$(counter wrap-server filter INPUT 2)" -eq 1
check "no stamp has been lost" test "$(rule list show before --json | field '.entries[0].packets')" -eq 3

finish
