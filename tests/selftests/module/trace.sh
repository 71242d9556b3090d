#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
#
# `-j TRACE` and `palisade trace`: which rules of which chains a packet met, and what they said.
#
# Hosts: the row of lib/synproxy.sh. The proxy has the rules and is listened to; east is listened to, too, where no packet
# is traced by its own rules.
#
#	client ----- west ----- proxy ----- east ----- server
#	               |          |           |
#	           ping, nc    traced     listening

. "$(dirname "$0")/../lib/synproxy.sh"
. "$lib/listening.sh"
make_row
work=$(mktemp -d)
trap 'rm -rf "$work"; remove_hosts' EXIT

# steps ADDRESS: what the packets from there met, in order, without their other words.
steps() {
	jq -r "select(.packet.source == \"$1\") | [.table, .[\"chain-name\"], .position // \"end\", .outcome, .[\"destination-chain\"] // empty]
		| map(tostring) | join(\" \")" "$work/json"
}

# met ADDRESS STEP...: soon, packets from there have met just these.
met() {
	local address=$1
	shift
	eventually 60 test "$(printf '%s\n' "$@")" = "$(steps "$address")" || {
		steps "$address"
		return 1
	}
}

check "TRACE is taken in the table raw" on proxy palisade -t raw -A PREROUTING -s 10.2.0.7 -j TRACE
refuse "and not in others" 1 "packets are traced from the table raw on" on proxy palisade -A INPUT -j TRACE
check "it is listed as iptables lists it" test "$(on proxy palisade -t raw -S PREROUTING | tail -n 1)" = \
	"-A PREROUTING -s 10.2.0.7/32 -j TRACE"
on proxy palisade -t raw -A PREROUTING -p tcp --dport 9 -j DROP
on proxy palisade -N ONE
on proxy palisade -N TWO
on proxy palisade -A INPUT -p icmp -j ONE
on proxy palisade -A INPUT -p icmp -m length --length 100: -g TWO
on proxy palisade -A INPUT -p udp -j ACCEPT
on proxy palisade -A ONE -s 10.2.0.7 -m comment --comment "who is it" -j MARK --set-mark 5
on proxy palisade -A TWO -p icmp -m length --length 1000: -j DROP
ips west "address add 10.2.0.7/24 dev right"
ips west "address add 10.2.0.8/24 dev right"

check "nobody listens: a traced packet goes on" pings west 10.2.0.1 -I 10.2.0.7
hearing "traces can be listened to" proxy "$work/text" trace
text=$listener
hearing "by several, in JSON" proxy "$work/json" trace --json
hearing "and on another host" east "$work/east" trace --json

check "a traced packet gets its answer" pings west 10.2.0.1 -I 10.2.0.7 -s 100
# The rule that traces a packet is not met by a packet that is traced.
check "each rule that it meets is told, and where chains end" met 10.2.0.7 \
	"raw PREROUTING end accept" "filter INPUT 1 jump ONE" "filter ONE 1 continue" "filter ONE end return" \
	"filter INPUT 2 goto TWO" "filter TWO end return" "filter INPUT end accept"
check "as text, below the packet" told "$work/text" \
	'^[0-9T:.-]+Z packet [0-9a-f]{8}: 10\.2\.0\.7 > 10\.2\.0\.1 icmp type 8 code 0, length 128, ttl 64, in '
check "with the rule as it is saved" told "$work/text" \
	'^    filter ONE rule 1: -s 10\.2\.0\.7/32 -m comment --comment "who is it" -j MARK --set-xmark 0x5/0xffffffff => goes on$'
check "and what the packet is then" told "$work/text" '^[^ ]+ packet [0-9a-f]{8}: 10\.2\.0\.7 .*, mark 0x5, in '
check "one packet has one number" test "$(jq -s 'map(.id) | unique | length' "$work/json")" -eq 1
check "other packets are not traced" pings west 10.2.0.1 -I 10.2.0.8

# traces ADDRESS [MATCH...]: the first rule traces what comes from this address of west, which is nobody else's.
traces() {
	local address=$1
	shift
	case $address in
	*:*) ips west "address add $address/64 dev right nodad" ;;
	*) ips west "address add $address/24 dev right" ;;
	esac
	on proxy palisade -t raw -R PREROUTING 1 -s "$address" "$@" -j TRACE
}
# raw ADDRESS PROTOCOL BYTES: sends a packet with these bytes behind its IP header to the proxy.
raw() {
	on west python3 - "$@" <<-'PROGRAM'
		import socket, sys
		with socket.socket(socket.AF_INET, socket.SOCK_RAW, int(sys.argv[2])) as one:
		    one.bind((sys.argv[1], 0))
		    one.sendto(bytes.fromhex(sys.argv[3]), ("10.2.0.1", 0))
	PROGRAM
}
traces 10.2.0.21
raw 10.2.0.21 17 0400000900080000
check "another protocol meets what is for it" met 10.2.0.21 "raw PREROUTING end accept" "filter INPUT 3 accept"
traces 10.2.0.22
syn=040000090000000000000000500204000000
raw 10.2.0.22 6 "${syn}0000"
check "a rule that drops a packet is the last" met 10.2.0.22 "raw PREROUTING 2 drop"
check "of whose ports and flags it is told" told_json "$work/json" '.outcome == "drop" and .rule == "-p tcp -m tcp --dport 9 -j DROP"
	and .packet["source-port"] == 1024 and .packet["destination-port"] == 9 and .packet["tcp-flags"] == 2
	and .packet["in-interface"] == "left" and .packet.protocol == 6'
traces 10.2.0.23
raw 10.2.0.23 6 "${syn:0:8}"
check "one that cannot be read is dropped by a match" met 10.2.0.23 "raw PREROUTING 2 malformed"
on proxy palisade -P INPUT DROP
traces 10.2.0.24
raw 10.2.0.24 132 "$syn"
check "and the policy drops" met 10.2.0.24 "raw PREROUTING end accept" "filter INPUT end drop"
on proxy palisade -P INPUT ACCEPT
traces 10.2.0.25
pings west 10.2.0.1 -I 10.2.0.25 -s 3000 >/dev/null
check "fragments are told as what they are" told_json "$work/json" \
	'.packet.source == "10.2.0.25" and .packet.fragment == 1480 and .packet["icmp-type"] == null'
traces fd00:2::26 -p icmpv6 --icmpv6-type echo-request
pings west fd00:2::1 -I fd00:2::26 >/dev/null
check "IPv6" met fd00:2::26 "raw PREROUTING end accept" "filter INPUT end accept"
check "with its words" told "$work/text" 'packet [0-9a-f]{8}: fd00:2::26 > fd00:2::1 ipv6-icmp type 128 code 0, length 104, '
on proxy palisade -t raw -A PREROUTING -p tcp --dport 80 -j SYNPROXY
traces 10.2.0.27
on west hping3 -q -c 1 -S -a 10.2.0.27 -p 80 10.4.0.2 >/dev/null 2>&1
# To whom the answer is sent does not expect it, and sends a RST.
check "what SYNPROXY answers, and what it drops" met 10.2.0.27 "raw PREROUTING 3 answer" "raw PREROUTING 3 drop"
check "is told as it came" told_json "$work/json" '.outcome == "answer" and .packet["tcp-flags"] == 2 and .packet.destination == "10.4.0.2"'
traces 10.2.0.28
on west hping3 -q -c 1 --udp -a 10.2.0.28 -p 53 10.4.0.2 >/dev/null 2>&1
check "what is forwarded meets other chains" met 10.2.0.28 "raw PREROUTING end accept"
on proxy palisade -A FORWARD -j ACCEPT
traces 10.2.0.29
on west hping3 -q -c 1 --udp -a 10.2.0.29 -p 53 10.4.0.2 >/dev/null 2>&1
check "where there are rules" met 10.2.0.29 "raw PREROUTING end accept" "filter FORWARD 1 accept"
check "and goes out by an interface" told_json "$work/json" '.["chain-name"] == "FORWARD" and .packet["out-interface"] == "right"'

# Whoever marks a packet to be traced has all others tell, too.
ips west "address add 10.2.0.30/24 dev right"
on proxy nft -f - <<-'NFT'
	table ip other {
		chain first {
			type filter hook prerouting priority -301;
			ip saddr 10.2.0.30 meta nftrace set 1
		}
	}
NFT
pings west 10.2.0.1 -I 10.2.0.30 >/dev/null
check "what nftables traces is told" told_json "$work/json" '.packet.source == "10.2.0.30" and .table == "filter"'
on proxy nft delete table ip other
ips west "address add 10.2.0.31/24 dev right"
on proxy iptables -t raw -A PREROUTING -s 10.2.0.31 -j TRACE
pings west 10.2.0.1 -I 10.2.0.31 >/dev/null
check "and what iptables traces" told_json "$work/json" '.packet.source == "10.2.0.31" and .table == "filter"'
on proxy iptables -t raw -F
check "of what nobody traces, nothing was told" test -z "$(steps 10.2.0.8)"

check "another host is told nothing of this" test ! -s "$work/east"
check "all that was printed as JSON is JSON" jq -e . "$work/json"
kill -TERM "$text"
check "a signal ends it" eventually 60 is_over "$text"
refuse "an unprivileged user may not listen" 1 'CAP_NET_ADMIN' \
	setpriv --reuid=65534 --regid=65534 --clear-groups -- palisade trace

finish
