#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Kernel: debug
#
# Allocations fail while packets make lists grow. Packets pass, a list counts the addresses that it could not
# remember, and it recovers when there is memory again. SYNPROXY drops what it cannot answer or forward, and the sender
# retransmits. faults.py is about netlink operations without memory.
#
# Hosts, on the switch of lib.sh: server (10.0.0.1) has the lists and SYNPROXY, client (10.0.0.2) sends.

. "$(dirname "$0")/../lib/lib.sh"

debug=/sys/kernel/debug
if [ ! -d $debug/fail_page_alloc ]; then
	skip "packets without memory" "needs the debug kernel"
	finish
fi

make_hosts server client
trap 'faults 0; remove_hosts' EXIT
churn=$lib/churn.py

# faults PROBABILITY: makes so many percent of the module's allocations fail, of those that may not sleep.
faults() {
	local kind
	for kind in failslab fail_page_alloc; do
		echo Y >$debug/$kind/ignore-gfp-wait
		echo 0 >$debug/$kind/verbose
		echo -1 >$debug/$kind/times
		if [ -e $debug/$kind/require-start ]; then
			# Code beyond the kernel's own text is the module's.
			echo "0x$(awk '$3 == "_etext" { print $1 }' /proc/kallsyms)" >$debug/$kind/require-start
			echo 0xffffffffff000000 >$debug/$kind/require-end
		fi
	done
	if [ -e $debug/fail_page_alloc/require-start ]; then
		echo 0 >$debug/fail_page_alloc/min-order
		echo "$1" >$debug/failslab/probability
	else
		# Any caller's allocations fail, so only those as large as a chunk of entries may: the network stack can
		# do without these.
		echo 2 >$debug/fail_page_alloc/min-order
	fi
	echo "$1" >$debug/fail_page_alloc/probability
}

# arrive FIRST COUNT: sends a packet from each of COUNT addresses to the server, and waits until they have arrived.
sent=0
arrive() {
	on client taskset -c 0 "$churn" sources 10.0.0.1 "$1" "$2"
	sent=$((sent + $2))
	arrived client 0 10.0.0.1
}
statistic() {
	on server palisade list show "$1" --json | field ".$2"
}
counted() {
	[ "$(counter server raw PREROUTING 1)" -eq "$sent" ]
}

sysctl -qw net.core.netdev_max_backlog=1000000
for name in grows starts; do
	on server palisade list create $name size=20000
done
on server palisade -t raw -A PREROUTING -p udp --dport 9 -m recent --name grows --set
on server palisade -t raw -A PREROUTING -p udp --dport 9 -s 10.64.0.0/10 -m recent --name starts --set -j DROP
pings client 10.0.0.1 >/dev/null

arrive 0 100
check "with memory, addresses are remembered" test "$(entries server grows)" -eq 100

# 10.64.0.0 is 4194304 after 10.0.0.0.
faults 100
arrive 4194304 1000
check "other traffic passes" pings client 10.0.0.1
faults 0
check "without memory, every packet is still counted" eventually 30 counted
check "a list without entries refuses all addresses" test "$(entries server starts) $(statistic starts refused)" = "0 1000"
grown=$(entries server grows)
check "a list with entries has no more than their memory allows" test "$grown" -ge 100 -a "$grown" -lt 1100
check "and evicts or refuses the others" test \
	$(($(statistic grows evicted) + $(statistic grows refused) + grown)) -eq 1100

faults 50
arrive 4196304 2000
faults 0
check "with some memory, every packet is counted" eventually 30 counted
some=$(entries server starts)
check "and some addresses are remembered" test "$some" -gt 0
check "each address is in the list, was refused or was evicted" test \
	$(($(statistic starts evicted) + $(statistic starts refused) + some)) -eq 3000

evicted=$(statistic starts evicted)
arrive 4199304 1500
check "with memory again, every new address is remembered" \
	test "$(entries server starts) $(statistic starts evicted)" = "$((some + 1500)) $evicted"
check "and every packet was counted" eventually 30 counted
check "the server answers" pings client 10.0.0.1
on server palisade -t raw -F
check "lists that ran out of memory can be destroyed" on server sh -c 'palisade list destroy starts && palisade list destroy grows'

# SYNPROXY unshares packets before it changes them, and makes packets of its own.
listen server 80
listen server 443
listen server 81
# For the rule behind connection tracking, an ACK without a connection has to be invalid.
on server sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0
on server palisade -t raw -A PREROUTING -p tcp --dport 80 -j SYNPROXY
on server palisade -t raw -A PREROUTING -p tcp --dport 81 -j SYNPROXY --until-data
on server palisade -t raw -A PREROUTING -p tcp --dport 443 --syn -j NOTRACK
on server palisade -A INPUT -p tcp --dport 443 -m conntrack --ctstate INVALID,UNTRACKED -j SYNPROXY --sack-perm --timestamp \
	--wscale 7 --mss 1460
# served ADDRESS PORT: a connection is accepted. SYNs that were lost are retransmitted.
served() {
	eventually 30 connects client "$1" "$2"
}
ports=(80 443 81)
# attempts COUNT: so many clients for each IP version try to connect at the same time, with or without success.
attempts() {
	local number pids=()
	for ((number = 0; number < $1; number++)); do
		on client nc -n -N -w 4 10.0.0.1 "${ports[number % 3]}" <<<GET >/dev/null 2>&1 &
		pids+=($!)
		on client nc -n -N -w 4 fd00::1 "${ports[number % 3]}" <<<GET >/dev/null 2>&1 &
		pids+=($!)
	done
	wait "${pids[@]}"
}
for port in "${ports[@]}"; do
	check "SYNPROXY opens connections to port $port" served 10.0.0.1 "$port"
	check "and over IPv6" served fd00::1 "$port"
done
faults 100
attempts 3
check "without memory, other packets pass SYNPROXY" pings client 10.0.0.1
for percent in 50 20; do
	faults $percent
	attempts 8
	faults 0
	for port in "${ports[@]}"; do
		check "after faults in $percent % of the allocations, connections to port $port are opened" served 10.0.0.1 "$port"
		check "and over IPv6" served fd00::1 "$port"
	done
done
check "SYNPROXY knows the servers" test "$(on server "$churn" servers)" -ge 6

finish
