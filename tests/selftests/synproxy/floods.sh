#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
#
# A client is served during floods, and a connection that cannot be opened is refused, not left hanging.
#
# Hosts: the row of lib/synproxy.sh. The servers are nginx on proxy (10.2.0.1) and server (10.4.0.2). The floods come from
# west, which also is the proxy's default route and drops what is for the spoofed addresses:
#
#	client ----- west ----- proxy ----- east ----- server
#	              |           |           |
#	           hping3,     default     counts what of
#	           flood6.py,  via west    a flood gets here
#	           blackhole

. "$(dirname "$0")/../lib/synproxy.sh"
make_row
serve proxy
serve server
protect 80:89
# The spoofed addresses do not answer, and there are no ICMP errors about them.
on west ip route add blackhole 0.0.0.0/0
on west ip -6 route add blackhole ::/0
on proxy ip route add default via 10.2.0.2
on proxy ip -6 route add default via fd00:2::2

count() {
	on proxy conntrack -C
}

flood6=$lib/flood6.py
# flood FLAGS ADDRESS: starts a flood of segments from random addresses, on west.
flood() {
	case $2 in
	*:*)
		rm -f /tmp/flooding
		start west "$flood6" "$1" "$2" >/tmp/flooding
		;;
	*)
		local option
		case $1 in 2) option=-S ;; 16) option=-A ;; 18) option=-SA ;; esac
		echo flooding >/tmp/flooding
		start west hping3 -q -i u200 --rand-source -p 80 $option "$2" >/dev/null 2>&1
		;;
	esac
}

# floods FLAGS ADDRESS: at least 99 of the client's 100 requests are served during a flood, and hardly any other connection
# is tracked.
floods() {
	local flags=$1 address=$2 url=$2 flooder before served
	[[ $address != *:* ]] || url=[$address]
	before=$(count)
	flood "$flags" "$address"
	flooder=$!
	# flood6.py makes thousands of packets first.
	eventually 300 grep -q flooding /tmp/flooding || {
		kill -KILL $flooder
		return 1
	}
	sleep 1
	served=$(on client curl -s -m 60 -H 'Connection: close' --no-keepalive "http://$url/?[1-100]" | grep -c served)
	echo "$served of 100 were served, connections: $before before, $(count) now"
	kill -KILL $flooder || return
	wait $flooder 2>/dev/null
	# The client's own connections are tracked for a while.
	[ "$served" -ge 99 ] && [ "$(count)" -le $((before + 110)) ]
}
for address in 10.4.0.2 10.2.0.1 fd00:4::2 fd00:2::1; do
	check "a client is served during a SYN flood at $address" floods 2 "$address"
	check "a client is served during an ACK flood at $address" floods 16 "$address"
	check "a client is served during a flood of SYN-ACKs at $address" floods 18 "$address"
	on proxy conntrack -F 2>/dev/null
done
# reaches_nothing: no segment of a flood gets to east.
reaches_nothing() {
	local flags
	on east nft add table inet seen
	on east nft add chain inet seen forward '{ type filter hook forward priority 0; }'
	on east nft add rule inet seen forward tcp dport 80 counter
	for flags in --syn --ack --rst; do
		on west hping3 -q -c 500 -i u500 --rand-source -p 80 $flags 10.4.0.2 >/dev/null 2>&1
	done
	for flags in 2 16 4; do
		on west "$flood6" $flags fd00:4::2 500 || return
	done
	on east nft list table inet seen
	on east nft list table inet seen | grep -q 'packets 0 '
}
check "nothing of a flood reaches the server" reaches_nothing
on east nft flush ruleset
[ "$kind" = iptables ] || check "the rule's packets were counted" test "$(counter proxy raw PREROUTING 1)" -ge 2000

# is_reset ADDRESS PORT SECONDS: a client is refused or reset within that time, and no half-open connection remains.
is_reset() {
	local status=0 start=$SECONDS taken
	on client curl -s -m 60 "http://$1:$2/" >/dev/null || status=$?
	taken=$((SECONDS - start))
	echo "curl ended with $status after $taken s"
	on proxy conntrack -L -p tcp --orig-port-dst "$2" 2>/dev/null
	# Connection refused, or reset by the peer.
	[ $taken -le "$3" ] && { [ $status -eq 7 ] || [ $status -eq 56 ]; } &&
		! on proxy conntrack -L -p tcp --orig-port-dst "$2" 2>/dev/null | grep -q SYN_SENT
}
on server nft -f - <<'RULES'
table inet silence {
	chain input {
		type filter hook input priority 0
		tcp dport 88 drop
	}
}
RULES
# A client of a silent server would be reset after ten seconds.
check "a closed port of another host" is_reset 10.4.0.2 85 8
check "a closed port of another host, IPv6" is_reset '[fd00:4::2]' 85 8
check "a closed port of the proxy's host" is_reset 10.2.0.1 85 8
check "a closed port of the proxy's host, IPv6" is_reset '[fd00:2::1]' 85 8
if [ "$kind" = iptables ]; then
	skip "hosts that do not exist or do not answer" "iptables' SYNPROXY leaves clients waiting"
	finish
fi
check "a host that does not exist" is_reset 10.4.0.99 86 30
check "a host that does not exist, IPv6" is_reset '[fd00:4::99]' 86 30
check "a host that does not answer" is_reset 10.4.0.2 88 40
finish
