#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What the module has to do on each kernel that it is for: a packet through each table, recent lists, SYNPROXY for a
# server of this machine and for one behind it, over both IP versions, and being unloaded.
#
# lib/synproxy.sh draws the hosts; "proxy" has the rules, and a server like "server".

. "$(dirname "$0")/../selftests/lib/synproxy.sh"
echo "# Linux $(uname -r)"
make_row
serve proxy
serve server

rule() {
	on proxy palisade "$@"
}

# flush: takes all rules away.
flush() {
	local table
	for table in raw mangle nat filter; do
		rule -t "$table" -F
	done
}

# counts TABLE CHAIN NUMBER: as many packets have met the first rule of the chain.
counts() {
	test "$(counter proxy "$1" "$2" 1)" -eq "$3"
}

# status FIELD NUMBER: SYNPROXY has counted so many for port 80.
status() {
	rule protect --status --json | jq -e --arg field "$1" --argjson number "$2" \
		'[.[] | select(.port == 80) | .statistics[$field] // .[$field]] == [$number]' >/dev/null
}

for version in 4 6; do
	case $version in
	4) client=10.1.0.2 own=10.2.0.1 behind=10.4.0.2 web=$own far_web=$behind echo=(-p icmp --icmp-type echo-request) ;;
	6)
		client=fd00:1::2 own=fd00:2::1 behind=fd00:4::2 web="[$own]" far_web="[$behind]"
		echo=(-p ipv6-icmp --icmpv6-type echo-request)
		;;
	esac

	rule -t raw -A PREROUTING "${echo[@]}" -j CT --notrack
	rule -A INPUT "${echo[@]}" -m conntrack --ctstate UNTRACKED
	check "IPv$version: raw takes a packet out of connection tracking" pings client "$own"
	check "IPv$version: as filter sees" counts filter INPUT 1
	flush
	rule -t mangle -A PREROUTING "${echo[@]}" -j MARK --set-mark 7
	rule -A FORWARD "${echo[@]}" -m mark --mark 7
	check "IPv$version: mangle marks a packet that is forwarded" pings client "$behind"
	check "IPv$version: as filter sees" counts filter FORWARD 1
	flush
	check "IPv$version: nothing listens to port 81" not connects client "$own" 81
	rule -t nat -A PREROUTING -p tcp --dport 81 -j REDIRECT --to-ports 80
	check "IPv$version: nat redirects a connection to port 80" connects client "$own" 81
	flush
	rule -t nat -A PREROUTING -p tcp --dport 81 -j DNAT --to-destination "$far_web:80"
	rule -t nat -A POSTROUTING -o right -j MASQUERADE
	rule -A FORWARD -d "$behind" -m conntrack --ctstate DNAT
	rule -A FORWARD -s "$behind" -m conntrack --ctstate SNAT
	check "IPv$version: nat sends a connection to a server behind, in this machine's name" gets_file client "http://$web:81/file"
	check "IPv$version: as filter sees" test "$(counter proxy filter FORWARD 1)" -gt 0
	check "IPv$version: of the answers, too" test "$(counter proxy filter FORWARD 2)" -gt 0
	flush
	rule -A INPUT -p tcp --dport 80 -j REJECT --reject-with tcp-reset
	check "IPv$version: filter rejects a connection" not connects client "$own" 80
	check "IPv$version: by its first rule" counts filter INPUT 1
	flush
	check "IPv$version: without rules there is one" connects client "$own" 80

	rule -A INPUT "${echo[@]}" -m recent --name "seen$version" --update --seconds 1000 --hitcount 2 -j DROP
	rule -A INPUT "${echo[@]}" -m recent --name "seen$version" --set
	check "IPv$version: recent lets a packet pass" pings client "$own"
	check "IPv$version: and a second one" pings client "$own"
	check "IPv$version: and no third one" not pings client "$own"
	check "IPv$version: the list has the address" lists proxy "seen$version" "$client"
	ago proxy "seen$version" 1500s,1500s "$client"
	check "IPv$version: after --seconds one passes again" pings client "$own"
	flush

	rule protect 80
	check "IPv$version: SYNPROXY serves a client of this machine" gets client "http://$web/"
	check "IPv$version: and of a server behind it" gets_file client "http://$far_web/file"
	check "IPv$version: both have sent a cookie back" status cookies_valid 2
	check "IPv$version: and got a connection" status opened 2
	flush
done

loaded() {
	grep -q '^palisade ' /proc/modules
}

rule protect 80
check "the module unloads, with rules in force" modprobe -r palisade
check "and is gone" not loaded
check "and loads again" modprobe palisade
check "without rules" not rule -t raw -D PREROUTING 1
finish
