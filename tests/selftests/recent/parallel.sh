#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Two CPUs write to one list at the same time: no packet is missed, none is counted twice, and no entry is lost.
#
# Hosts, on the switch of lib.sh: server (10.0.0.1) has the lists, left (10.0.0.2) and right (10.0.0.3) send, each from
# a CPU of its own.

. "$(dirname "$0")/../lib/lib.sh"
make_hosts server left right

churn=$lib/churn.py

# both FIRST COUNT TIMES: sends TIMES packets from each of COUNT addresses, from both hosts, each on a CPU of its own.
both() {
	local last=$(($(nproc) - 1)) other
	on left taskset -c 0 "$churn" repeat 10.0.0.1 "$@" &
	other=$!
	on right taskset -c $last "$churn" repeat 10.0.0.1 "$@" || return 1
	wait $other
	arrived left 0 10.0.0.1 && arrived right $last 10.0.0.1
}

# remember LIST OPTION...: creates a list, in which a rule stamps the source of every UDP packet from now on.
remember() {
	on server palisade list create "$@"
	on server palisade -t raw -F
	on server palisade -t raw -A PREROUTING -p udp -m recent --name "$1" --set -j DROP
}

# total LIST: prints how many packets the entries of a list have counted.
total() {
	on server palisade list show "$1" --json | field '[.entries[].packets] | add'
}

# The debug kernel takes ten times as long for a packet.
times=5000
[ ! -d /sys/kernel/debug/kunit ] || times=1500

# No packet may be lost in a full queue.
sysctl -qw net.core.netdev_max_backlog=1000000
for host in left right; do
	pings "$host" 10.0.0.1 >/dev/null
done

remember one
both 1 1 $times
check "the rule saw every packet" eventually 30 sh -c 'test "$(ip netns exec server palisade -t raw -L PREROUTING -v -n -x | awk "/recent/ { print \$1 }")" = '$((2 * times))
check "the entry of one address counted every packet" test "$(total one)" = $((2 * times))

remember few size=64 hits=3
both 1 64 50
check "so did those of 64 addresses" test "$(total few)" = 6400
check "each address has one entry" test "$(entries server few)" -eq 64

remember full size=100 hits=2
both 1 400 6
list=$(on server palisade list show full --json)
check "a list that evicted all the time is full" test "$(field '.entries | length' <<<"$list")" = 100
check "and counts its entries right" test "$(on server palisade list ls --json | field '.[] | select(.name == "full").entries')" = 100
check "no address has two entries" test "$(field '[.entries[].address] | unique | length' <<<"$list")" = 100
check "each entry can be found and deleted" on server palisade list del full $(field '.entries[].address' <<<"$list")
check "and then the list is empty" test "$(entries server full)" -eq 0
both 1 400 1
check "it can be filled again" test "$(entries server full)" -eq 100

finish
