#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Rules, lists, namespaces and the module come and go at full speed while packets use them, on two CPUs where the VM
# has them. No packet is lost or counted twice. Each part takes a fifth of CHURN_SECONDS (25 by default).
#
# Hosts, on the switch of lib.sh: server (10.0.0.1) has the rules, left (10.0.0.2) and right (10.0.0.3) send. Three hosts
# with SYNPROXY come and go on the same bridge, one after the other:
#
#	+---------------+  +---------------+  +---------------+  +-------------------------+
#	|    server     |  |     left      |  |     right     |  |        proxiedN         |
#	|     eth0      |  |     eth0      |  |     eth0      |  |          eth0           |
#	|  10.0.0.1/24  |  |  10.0.0.2/24  |  |  10.0.0.3/24  |  |      10.0.0.10N/24      |
#	+-------+-------+  +-------+-------+  +-------+-------+  +------------+------------+
#	        |                  |                  |                       |
#	      port1              port2              port3                 proxiedN
#	      --+------------------+------------------+-----------------------+--  bridge in "switch"

. "$(dirname "$0")/../lib/lib.sh"
make_hosts server left right

churn=$lib/churn.py
part=$((${CHURN_SECONDS:-25} / 5))
flooders=()

# flood HOST: starts a flood of packets from many addresses to the server, until quiet.
flood() {
	start "$1" "$churn" flood 10.0.0.1
	flooders+=($!)
	disown
}
# syns HOST: the same with SYNs to port 80.
syns() {
	start "$1" "$churn" syns 10.0.0.1
	flooders+=($!)
	disown
}
quiet() {
	[ ${#flooders[@]} -eq 0 ] || kill "${flooders[@]}" 2>/dev/null
	flooders=()
}
trap 'quiet; remove_hosts' EXIT

# test_counter TABLE CHAIN POSITION WANTED: a rule of the server has counted so many packets.
test_counter() {
	local found
	found=$(counter server "$1" "$2" "$3")
	echo "it counted $found, not $4"
	[ "$found" = "$4" ]
}

# ended PID: waits for a process and leaves its exit status in `status`. check runs its command in a subshell, which
# cannot wait for this shell's children.
ended() {
	status=0
	wait "$1" || status=$?
}

# No packet may be lost in a full queue.
sysctl -qw net.core.netdev_max_backlog=1000000
for host in left right; do
	pings "$host" 10.0.0.1 >/dev/null
done

# proxied_namespaces: hosts with SYNPROXY are removed while connections to them are open and packets are on their way.
proxied_namespaces() {
	local round
	for round in 1 2 3; do
		ip netns add "proxied$round" || return 1
		ip -n switch link add "proxied$round" type veth peer name eth0 netns "proxied$round" || return 1
		ip -n switch link set "proxied$round" master bridge up
		ip -n "proxied$round" address add "10.0.0.10$round/24" dev eth0
		ip -n "proxied$round" link set lo up
		ip -n "proxied$round" link set eth0 up
		on "proxied$round" socat TCP4-LISTEN:80,reuseaddr,fork,backlog=128 EXEC:cat &>/dev/null &
		disown
		on "proxied$round" palisade -t raw -A PREROUTING -p tcp --dport 80 -j SYNPROXY || return 1
		eventually 30 on "proxied$round" sh -c "ss -Hltn sport = :80 | grep -q ."
		kept right "10.0.0.10$round" || return 1
		start left "$churn" syns "10.0.0.10$round" &>/dev/null
		flooders+=($!)
		disown
		sleep 0.5
		ip netns pids "proxied$round" | xargs -r kill -9
		ip netns del "proxied$round"
		quiet
	done
}

# Rules in a row: the first one counts, the last but one drops and is replaced again and again by one that does the
# same, and the last one must never see a packet.
on server "$churn" rules
on server "$churn" replace "$part" >/tmp/churn-replaced &
replacing=$!
sent=0
while kill -0 $replacing 2>/dev/null; do
	on left "$churn" send 10.0.0.1 500 &
	other=$!
	on right "$churn" send 10.0.0.1 500
	wait $other
	sent=$((sent + 1000))
done
ended $replacing
check "rules are replaced under traffic" test $status -eq 0
replaced=$(cat /tmp/churn-replaced)
echo "# $sent packets, rules replaced $replaced times"
check "more than twenty times" test "${replaced:-0}" -gt 20
check "every packet was counted before routing" eventually 30 test_counter raw PREROUTING 1 "$sent"
check "every packet was counted by the rule before the one that was replaced" \
	eventually 30 test_counter filter INPUT 1 "$sent"
check "and none got past that one" test_counter filter INPUT 203 0
on server palisade -F
on server palisade -t raw -F

flood left
flood right
check "lists are filled, flushed, destroyed and created again while packets use them" on server "$churn" lists "$part"
check "and a new list works" on server "$churn" remembers
on server palisade -t raw -F
quiet

check "namespaces come and go with their rules and lists, under traffic" "$churn" namespaces "$part"

# SYNPROXY: its rules are replaced and removed while connections are opened through them.
on server socat TCP6-LISTEN:80,reuseaddr,fork,ipv6only=0,backlog=128 EXEC:cat &>/dev/null &
disown
eventually 30 on server sh -c "ss -Hltn sport = :80 | grep -q ."
on server sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0
syns left
on server "$churn" proxies "$part" &
replacing=$!
on right "$churn" connect 10.0.0.1 "$part" &
connecting=$!
on left "$churn" connect fd00::1 "$part"
ended $connecting
check "clients connect while rules with SYNPROXY come and go" test $status -eq 0
ended $replacing
check "and the rules are replaced and removed" test $status -eq 0
check "afterwards connections are opened during a flood" on right "$churn" connect 10.0.0.1 1 1 20
check "and over IPv6" on right "$churn" connect fd00::1 1 1 20
quiet
# kept HOST ADDRESS: opens connections through SYNPROXY, and keeps them open in the background.
kept() {
	rm -f /tmp/churn-kept
	start "$1" "$churn" hold "$2" 20 &>/tmp/churn-kept
	flooders+=($!)
	disown
	# The debug kernel is slow.
	eventually 120 grep -q '^20$' /tmp/churn-kept || ! cat /tmp/churn-kept
}
check "namespaces are removed with open connections behind SYNPROXY" proxied_namespaces
on server palisade -t raw -F

# The module is unloaded and loaded while packets, requests and new namespaces come at any moment.
on server palisade -t raw -A PREROUTING -p tcp --dport 80 -j SYNPROXY
check "connections through SYNPROXY are open" kept right 10.0.0.1
flood left
flood right
syns left
on server "$churn" requests $((part + 5)) &
requesting=$!
"$churn" namespaces $((part + 5)) ignore-errors &
making=$!
come_and_go() {
	local end=$((SECONDS + part)) rounds=0
	while [ "$SECONDS" -lt "$end" ] || [ "$rounds" -lt 2 ]; do
		# A running dump holds a reference to the module.
		eventually 30 modprobe -r palisade || return 1
		sleep 0.$((rounds % 3))
		modprobe palisade || return 1
		on server palisade -A INPUT -m recent --name busy --set || return 1
		on server palisade -t raw -A PREROUTING -p tcp --dport 80 -j SYNPROXY || return 1
		# Connections stay translated when the rule goes, and are not when the module is gone.
		on server palisade -t nat -A INPUT -p udp -j SNAT --to-source :1024-65535 || return 1
		sleep 0.2
		[ $((rounds % 2)) -eq 0 ] || on server palisade -t nat -F || return 1
		rounds=$((rounds + 1))
	done
}
check "the module is unloaded and loaded under traffic, requests and new namespaces" come_and_go
ended $requesting
check "the requests were answered or refused" test $status -eq 0
ended $making
check "the namespaces came and went" test $status -eq 0
check "traffic did not stop" kill -0 "${flooders[@]}"
quiet
check "it unloads at the end" eventually 30 modprobe -r palisade
check "and loads again" modprobe palisade
check "and takes rules" on server sh -c 'palisade -A INPUT -p icmp -m recent --name after --set && palisade list show after >/dev/null'
check "packets pass" pings left 10.0.0.1
check "and are remembered" lists server after 10.0.0.2

finish
