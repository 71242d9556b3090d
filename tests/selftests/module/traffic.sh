#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
#
# Rules and lists change while packets use them, on two CPUs where the VM has them.
#
# Hosts, on the switch of lib.sh: server (10.0.0.1) has rules and lists, left (10.0.0.2) and right (10.0.0.3) flood it
# with pings.

. "$(dirname "$0")/../lib/lib.sh"
make_hosts server left right

rule() {
	on server palisade "$@"
}

flood() {
	ip netns exec "$1" ping -n -q -f -w 3600 10.0.0.1 >/dev/null &
	flooders+=($!)
}

# On the debug kernel, which would take ten times as long, churn.sh covers this.
rounds=60

flooders=()
rule -A INPUT -p icmp -m recent --name busy --set
flood left
flood right

replace_rules() {
	local round
	for round in $(seq $rounds); do
		rule -I INPUT -p icmp -m recent --name busy --update --seconds 5 --hitcount 3 || return 1
		rule -D INPUT 1 || return 1
	done
}
check "rules are replaced under traffic" replace_rules

flush_lists() {
	local round
	for round in $(seq $rounds); do
		rule list flush busy || return 1
		rule list add busy 10.0.0.2 192.0.2.1 || return 1
		rule list show busy >/dev/null || return 1
		rule list del busy 192.0.2.1 || return 1
	done
}
check "lists are flushed, filled and read under traffic" flush_lists

come_and_go() {
	local round
	for round in $(seq $((rounds / 2))); do
		rule -t raw -A PREROUTING -m recent --name "short$round" --set || return 1
		rule -t raw -F || return 1
		rule list destroy "short$round" || return 1
	done
}
check "hooks and lists come and go under traffic" come_and_go

check "traffic did not stop" kill -0 "${flooders[@]}"
kill -INT "${flooders[@]}"
wait "${flooders[@]}"
check "both hosts are in the list" sh -c '[ "$(ip netns exec server palisade list show busy --json | jq -r ".entries[].address" | sort | xargs)" = "10.0.0.2 10.0.0.3" ]'

finish
