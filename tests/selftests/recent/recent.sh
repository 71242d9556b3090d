#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
#
# The recent match remembers, counts, measures time and forgets as its options say.
#
# Hosts, on the switch of lib.sh: server (10.0.0.1) has rules and lists, client (10.0.0.2) and other (10.0.0.3) ping it.

. "$(dirname "$0")/../lib/lib.sh"
make_hosts server client other

rule() {
	on server palisade "$@"
}

flush() {
	rule -F
	local list
	for list in $(rule list ls --json | field '.[].name'); do
		rule list destroy "$list"
	done
}

rule -A INPUT -p icmp -m recent --name seen --rcheck -j DROP
check "--rcheck does not match an address that was not seen" pings client 10.0.0.1
rule -A INPUT -p icmp -m recent --name seen --set
check "--set alone lets the packet pass" pings client 10.0.0.1
check "--rcheck matches an address that was set" not pings client 10.0.0.1
check "--rcheck does not match another address" pings other 10.0.0.1
check "list show has the address" lists server seen 10.0.0.2
flush

# seconds_since ADDRESS: prints how long ago its last packet came.
seconds_since() {
	rule list show seen --json | jq --arg address "$1" '.entries[] | select(.address == $address) | .age_ms / 1000 | floor'
}

rule -A INPUT -p icmp -m recent --name seen --update --seconds 1000 --hitcount 3 -j DROP
rule -A INPUT -p icmp -m recent --name seen --set
pings client 10.0.0.1 >/dev/null
pings client 10.0.0.1 >/dev/null
check "--hitcount 3 lets three packets pass" pings client 10.0.0.1
check "--hitcount 3 matches the fourth within the seconds" not pings client 10.0.0.1
check "each address has a count of its own" pings other 10.0.0.1
ago server seen 100s,200s,1500s 10.0.0.2
check "after --seconds a packet does not count any more" pings client 10.0.0.1
flush

rule -A INPUT -p icmp -m recent --name seen --update --seconds 1000 -j DROP
rule -A INPUT -p icmp -m recent --name seen --set
ago server seen 500s 10.0.0.2
check "--update matches within the seconds" not pings client 10.0.0.1
check "and stamps what it matches, so that the time starts again" test "$(seconds_since 10.0.0.2)" -lt 500
ago server seen 1500s 10.0.0.2
check "until no packet came for --seconds" pings client 10.0.0.1
flush

rule -A INPUT -p icmp -m recent --name seen --rcheck --seconds 1000 -j DROP
ago server seen 500s 10.0.0.2
check "--rcheck --seconds matches within the seconds" not pings client 10.0.0.1
check "--rcheck does not stamp" test "$(seconds_since 10.0.0.2)" -ge 500
ago server seen 1500s 10.0.0.2
check "and the time ends" pings client 10.0.0.1
flush

rule list create seen
rule list add seen 10.0.0.2
rule -A INPUT -p icmp -m recent --name seen --remove -j DROP
check "--remove matches an address that is in the list" not pings client 10.0.0.1
check "and removes it" pings client 10.0.0.1
check "and the list is empty" test "$(entries server seen)" -eq 0
flush

rule -A INPUT -p icmp -m recent --name seen ! --rcheck -j DROP
check "! --rcheck matches an address that is not in the list" not pings client 10.0.0.1
rule list add seen 10.0.0.2
check "! --rcheck does not match an address that is in the list" pings client 10.0.0.1
flush

# An inverted --update stamps addresses in the list for which --update would not match.
rule -A INPUT -p icmp -m recent --name seen ! --update --hitcount 3
rule list add seen 10.0.0.2
pings client 10.0.0.1 >/dev/null
check "! --update stamps an address that is in the list and not seen often enough" \
	test "$(rule list show seen --json | field '.entries[0].packets')" -eq 2
pings client 10.0.0.1 >/dev/null
pings client 10.0.0.1 >/dev/null
check "but not one that is seen often enough" test "$(rule list show seen --json | field '.entries[0].packets')" -eq 3
pings other 10.0.0.1 >/dev/null
check "and adds no address" test "$(entries server seen)" -eq 1
check "! --update matches where --update does not" test "$(counter server filter INPUT 1)" -eq 3
flush

rule -A INPUT -p icmp -m recent --name seen --rcheck --rttl -j DROP
rule -A INPUT -p icmp -m recent --name seen --set
pings client 10.0.0.1 -t 17 >/dev/null
check "--rttl does not match a packet with another TTL" pings client 10.0.0.1 -t 18
check "--rttl matches a packet with the TTL of the last stamp" not pings client 10.0.0.1 -t 18
check "and no other TTL" pings client 10.0.0.1 -t 19
rule list flush seen
rule list add seen 10.0.0.2
check "an address that was added by hand matches with any TTL" not pings client 10.0.0.1 -t 20
check "-S shows --rttl" sh -c 'ip netns exec server palisade -S | grep -q -- "--rcheck --rttl --name seen"'
flush
rule -A INPUT -p icmp -m recent --name seen --remove --rttl -j DROP
rule -A INPUT -p icmp -m recent --name seen --set
pings client 10.0.0.1 -t 17 >/dev/null
check "--remove --rttl does not remove where the TTL differs" pings client 10.0.0.1 -t 18
check "and removes where the TTL is the same" not pings client 10.0.0.1 -t 18
flush
refuse "--set --rttl" 2 'rttl' rule -A INPUT -m recent --set --rttl

rule -A INPUT -p icmp -m recent --name seen --update --seconds 1000 --reap -j DROP
ago server seen 1500s 10.0.0.2 192.0.2.1 192.0.2.2 192.0.2.3
check "--reap: an address not seen for --seconds does not match" pings client 10.0.0.1
check "and is forgotten" not lists server seen 10.0.0.2
pings client 10.0.0.1 >/dev/null
pings client 10.0.0.1 >/dev/null
check "and so are others, one by one" test "$(entries server seen)" -eq 0
rule list add seen 10.0.0.2
check "an address seen since matches" not pings client 10.0.0.1
flush
refuse "--reap without --seconds" 2 'seconds' rule -A INPUT -m recent --update --reap

rule -A INPUT -p icmp -m recent --name seen --rcheck --mask 255.255.255.0 -j DROP
rule -A INPUT -m recent --name seen --set --mask 255.255.255.0
pings client 10.0.0.1 >/dev/null
check "--mask: the list has the network" lists server seen 10.0.0.0
check "and another address of it matches" not pings other 10.0.0.1
pings client fd00::1 >/dev/null
check "an IPv4 mask does not apply to IPv6 addresses" lists server seen fd00::2
check "-S shows the mask" sh -c 'ip netns exec server palisade -S | grep -q -- "--name seen --mask 255.255.255.0 --rsource"'
flush
rule -A INPUT -m recent --name seen --set --mask ffff::
pings client fd00::1 >/dev/null
pings client 10.0.0.1 >/dev/null
check "an IPv6 mask applies to IPv6 addresses" lists server seen fd00::
check "does not apply to IPv4 addresses" lists server seen 10.0.0.2
flush
rule -A INPUT -m recent --name nets --rcheck --mask 24,64 -j DROP
rule -A INPUT -m recent --name nets --set --mask 24,64
pings client 10.0.0.1 >/dev/null
pings client fd00::1 >/dev/null
check "--mask with prefix lengths: the list has the IPv4 network" lists server nets 10.0.0.0
check "and the IPv6 network" lists server nets fd00::
check "and not the address" not lists server nets fd00::2
check "another IPv4 address of it matches" not pings other 10.0.0.1
check "and another IPv6 address" not pings other fd00::1
check "-S shows the prefix lengths" sh -c 'ip netns exec server palisade -S | grep -q -- "--name nets --mask 24,64 --rsource"'
check "the rule is found by its prefix lengths" rule -D INPUT -m recent --name nets --rcheck --mask 24,64 -j DROP
refuse "and by no others" 1 'bad rule' rule -D INPUT -m recent --name nets --set --mask 24,63
on server palisade save >/tmp/masks
flush
check "they are restored" on server palisade restore /tmp/masks
check "as they were" sh -c 'ip netns exec server palisade -S | grep -q -- "--name nets --mask 24,64 --rsource"'
rule -A INPUT -m recent --name nets --set --mask 9,127
pings client 10.0.0.1 >/dev/null
pings other fd00::1 >/dev/null
check "a prefix may end in a byte" lists server nets 10.0.0.0
check "and have odd lengths" lists server nets fd00::2
flush

rule -A INPUT -p icmp -m recent --name to --set --rdest
pings client 10.0.0.1 >/dev/null
check "--rdest remembers the destination" lists server to 10.0.0.1
check "--rdest does not remember the source" not lists server to 10.0.0.2
flush

rule -A INPUT -m recent --set
pings client 10.0.0.1 >/dev/null
check "without --name the list is DEFAULT" lists server DEFAULT 10.0.0.2
flush

rule -A INPUT -p icmpv6 -d fd00::1 -m recent --name seen --rcheck -j DROP
rule -A INPUT -p icmpv6 -d fd00::1 -m recent --name seen --set
check "IPv6: the first packet's address is not in the list" pings client fd00::1
check "IPv6: the second packet's is" not pings client fd00::1
check "IPv6: the list shows the address" lists server seen fd00::2
flush

rule -A INPUT -p icmp -m recent --name seen --set
pings client 10.0.0.1 -t 17 >/dev/null
start=${EPOCHREALTIME/./}
pings client 10.0.0.1 -t 33 >/dev/null
show=$(rule list show seen --json)
check "list show has the TTL of the last packet" test "$(field '.entries[0].time_to_live' <<<"$show")" -eq 33
check "list show has the number of packets" test "$(field '.entries[0].packets' <<<"$show")" -eq 2
check "list show has an age for each packet" test "$(field '.entries[0].ages_ms | length' <<<"$show")" -eq 2
sleep 1
age=$(rule list show seen --json | field '.entries[0].age_ms')
# An age may be too large by some jiffies.
most=$(((${EPOCHREALTIME/./} - start) / 1000 + 20))
check "an age is in real milliseconds" test "$age" -ge 1000 -a "$age" -le "$most"
flush

rule -A INPUT -p icmp -m recent --name a --set -m recent --name b --set
pings client 10.0.0.1 >/dev/null
check "two recent matches in a rule both work" test "$(entries server a)$(entries server b)" = 11
rule -F
rule -A INPUT -p icmp -m recent --name never --rcheck -m recent --name later --set
pings client 10.0.0.1 >/dev/null
check "a match after one that fails is not evaluated" test "$(entries server later)" -eq 0
flush

rule list create seen hits=4
for _ in 1 2 3 4 5 6; do
	rule list add seen 10.0.0.2
done
show=$(rule list show seen --json)
check "an entry remembers as many packets as hits allows" test "$(field '.entries[0].ages_ms | length' <<<"$show")" -eq 4
check "and still counts the others" test "$(field '.entries[0].packets' <<<"$show")" -eq 6
flush
rule list create seen hits=4
rule -A INPUT -p icmp -m recent --name seen --rcheck --hitcount 30 -j DROP
check "a rule with a higher hitcount enlarges the entries of an empty list" test "$(rule list show seen --json | field .hits)" -ge 30
flush

rule list create fleeting timeout=1000s
ago server fleeting 500s 10.0.0.2
check "an entry is there before its timeout" test "$(entries server fleeting)" -eq 1
rule list set fleeting timeout=100s
check "an entry is not seen after its timeout" test "$(entries server fleeting)" -eq 0
expired() {
	[ "$(rule list show fleeting --json | field .expired)" -eq 1 ]
}
check "ageing removes it in the background" eventually 15 expired
flush

finish
