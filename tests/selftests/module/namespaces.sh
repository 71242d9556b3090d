#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Network namespaces do not see each other's rules and lists, and configuring one takes CAP_NET_ADMIN there.
#
# Two hosts on the switch of lib.sh, both with rules. The third comes and goes, with its link to the first:
#
#	+-------------------+   +------------------------------------+
#	|        two        |   |                one                 |       +---------------------+
#	|                   |   |                           short0  -+-------+- eth0        short  |
#	|       eth0        |   |       eth0         203.0.113.1/24  |       | 203.0.113.2/24      |
#	|    10.0.0.2/24    |   |    10.0.0.1/24                     |       +---------------------+
#	+---------+---------+   +---------+--------------------------+
#	          |                       |
#	----------+-----------------------+----------  switch

. "$(dirname "$0")/../lib/lib.sh"
make_hosts one two
listen one 22
listen two 22

on one palisade list create secret
on one palisade list add secret 192.0.2.1
on one palisade -A INPUT -p tcp --dport 22 -m recent --name secret --set -j DROP
check "a namespace does not have the rules of another" test "$(on two palisade -S | grep -c secret)" -eq 0
check "nor its lists" test "$(on two palisade list ls --json | field length)" -eq 0
refuse "a list of another namespace cannot be read" 1 'secret' on two palisade list show secret
check "the initial namespace has no list either" test "$(palisade list ls --json | field length)" -eq 0
on two palisade list create secret
check "a list of the same name is a different list" test "$(entries two secret)" -eq 0
check "a namespace's rules do not see packets of another" connects one 10.0.0.2 22
check "but they see its own" not connects two 10.0.0.1 22

as_nobody() {
	setpriv --reuid=65534 --regid=65534 --clear-groups -- "$@"
}
refuse "an unprivileged user may not read the rules" 1 'CAP_NET_ADMIN' as_nobody palisade -L
refuse "nor change them" 1 'CAP_NET_ADMIN' as_nobody palisade -A INPUT -j DROP
refuse "nor read a list" 1 'CAP_NET_ADMIN' as_nobody palisade list ls
check "in a network namespace of their own they may" as_nobody unshare --user --map-root-user --net \
	sh -c 'palisade -A INPUT -p icmp -j DROP && palisade list create mine && palisade list ls --json | grep -q mine'

# Rules and lists go with their namespace, under traffic.
rounds() {
	local round
	for round in 1 2 3 4 5 6 7 8 9 10; do
		ip netns add short || return 1
		ip link add short0 netns one type veth peer name eth0 netns short
		ip -n short link set eth0 up
		ip -n one link set short0 up
		ip -n short address add 203.0.113.2/24 dev eth0
		ip -n one address add 203.0.113.1/24 dev short0
		ip netns exec short palisade -A INPUT -m recent --name "short$round" --set || return 1
		ip netns exec short palisade -t raw -A PREROUTING -m recent --name "short$round" --rcheck --hitcount 3 || return 1
		ip netns exec one ping -n -f -c 50 -w 1 203.0.113.2 >/dev/null &
		ip netns del short || return 1
		wait $!
		# The kernel removes it in the background.
		eventually 30 not ip -n one link show short0 >/dev/null || return 1
	done
	return 0
}
check "namespaces with rules and lists are removed under traffic" rounds
check "and the others still work" connects one 10.0.0.2 22

finish
