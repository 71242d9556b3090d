#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
#
# `palisade protect` makes, shows and removes rules, and refuses invalid arguments. SYNPROXY is refused beside that of
# iptables or nftables.
#
# Hosts, on the switch of lib.sh: client (10.0.0.1) connects, server (10.0.0.2) has the rules and socat.

. "$(dirname "$0")/../lib/lib.sh"

modprobe palisade
make_hosts client server
# Without -t, socat would wait only half a second for the other end after its own end of file.
on server socat -t 20 TCP6-LISTEN:80,reuseaddr,fork,ipv6only=0 SYSTEM:"echo hello" 2>/dev/null &
on server socat -t 20 TCP6-LISTEN:81,reuseaddr,fork,ipv6only=0 SYSTEM:"echo hello" 2>/dev/null &
disown -a
eventually 30 on server sh -c "ss -Hltn sport = :81 | grep -q ."

protect() { on server palisade protect "$@"; }
rules() { on server palisade -t raw -S PREROUTING; }
rules_are() { diff -u <(printf '%s\n' "-P PREROUTING ACCEPT" "$@") <(rules); }
# greets ADDRESS:PORT: the client is served.
greets() { [ "$(on client socat -t 20 -T 20 - "TCP:$1" </dev/null)" = hello ]; }
# status PORT FIELD: prints a number of --status.
status() {
	protect --status --json | python3 -c "
import json, sys
rows = [row for row in json.load(sys.stdin) if row['port'] == $1]
row = rows[0]
print(row['statistics'].get('$2', row.get('$2')))"
}
status_is() { [ "$(status "$1" "$2")" = "$3" ] || { protect --status; return 1; }; }

# A connection that is older than the rule, and than connection tracking.
talk=$(mktemp -d)
mkfifo "$talk/to" "$talk/from"
on server socat TCP6-LISTEN:84,reuseaddr,fork,ipv6only=0 EXEC:cat 2>/dev/null &
eventually 30 on server sh -c "ss -Hltn sport = :84 | grep -q ."
on client socat TCP:10.0.0.2:84 - <"$talk/to" >"$talk/from" 2>/dev/null &
disown -a
exec 8>"$talk/to" 9<"$talk/from"
echoes() {
	local line
	echo "$1" >&8
	read -r -t 300 line <&9 && [ "$line" = "$1" ]
}
check "a client talks to the server" echoes before
check "a port is protected" protect 84
check "their connection goes on" echoes after
on server palisade -t raw -F

check "two ports are protected" protect 80 81
check "with a rule for each" rules_are "-A PREROUTING -p tcp -m tcp --dport 80 -j SYNPROXY" \
	"-A PREROUTING -p tcp -m tcp --dport 81 -j SYNPROXY"
check "protecting them again succeeds" protect 81 80 81
check "and changes no rule" rules_are "-A PREROUTING -p tcp -m tcp --dport 80 -j SYNPROXY" \
	"-A PREROUTING -p tcp -m tcp --dport 81 -j SYNPROXY"
check "an IPv4 client is served" greets 10.0.0.2:80
check "an IPv6 client is served" greets "[fd00::2]:80"
check "the status counts SYNs" status_is 80 syns 2
check "and cookies" status_is 80 cookies_sent 2
check "that came back" status_is 80 cookies_valid 2
check "and opened connections" status_is 80 opened 2
check "and none for the other port" status_is 81 syns 0
check "which its sockets took over" status_is 80 handed_over 2
check "it says that the server is on this host" sh -c "ip netns exec server palisade protect --status | grep -q '  80 .* on this host$'"
check "another namespace has no rule" sh -c "! ip netns exec client palisade -t raw -S | grep -q SYNPROXY"
on server palisade protect 99
check "a client of a port without a server is reset" sh -c "ip netns exec client \
	socat -t 10 - TCP:10.0.0.2:99,connect-timeout=10 </dev/null 2>&1 | grep -q 'reset by peer'"
check "and the status counts that" status_is 99 refused 1

refuse "removing a port that is not protected fails" 1 "82" protect --remove 80 82
check "the others are still served" greets 10.0.0.2:80
check "and still protected" status_is 80 syns 3
check "protected ports can be removed" protect --remove 80 81 99
check "and no rule remains" rules_are
check "clients are served without SYNPROXY" greets 10.0.0.2:80

check "an address can be given" protect 10.0.0.2:80 "[fd00::2]:81"
check "and is in the rule" rules_are "-A PREROUTING -d 10.0.0.2/32 -p tcp -m tcp --dport 80 -j SYNPROXY" \
	"-A PREROUTING -d fd00::2/128 -p tcp -m tcp --dport 81 -j SYNPROXY"
check "clients of the address are served" greets 10.0.0.2:80
check "and counted" status_is 80 syns 1
check "and so are connections, but not those from before the rule" status_is 80 opened 1
check "clients of other addresses are served" greets "[fd00::2]:80"
check "and not counted" status_is 80 syns 1
check "a threshold can be given" protect --when-flooded 5/5 -i eth0 80
check "a handshake below it passes" greets "[fd00::2]:80"
check "unchanged" sh -c "ip netns exec server conntrack -L -f ipv6 2>/dev/null | grep -q 'dport=80'"
on server palisade -t raw -F

refuse "a port is needed" 2 "needs a port" protect
refuse "0 is not a port" 2 "0" protect 0
refuse "65536 is not a port" 2 "65536" protect 65536
refuse "a host name is not an address" 2 "address" protect www.example.com:80
refuse "an address needs a port" 2 "." protect 10.0.0.1
refuse "a rate has to be a number" 2 "." protect --when-flooded fast 80
check "none of these made a rule" rules_are
refuse "SYNPROXY is for TCP" 2 "tcp" on server palisade -t raw -A PREROUTING -p udp -j SYNPROXY
refuse "SYNPROXY is not for OUTPUT" 1 "PREROUTING" on server palisade -t raw -A OUTPUT -p tcp -j SYNPROXY
refuse "SYNPROXY is not for the table nat" 1 "raw and filter" on server palisade -t nat -A PREROUTING -p tcp -j SYNPROXY
refuse "a threshold is for the table raw" 1 "raw" \
	on server palisade -A INPUT -p tcp -j SYNPROXY --when-flooded 100
refuse "a window scale is at most 14" 2 "14" on server palisade -t raw -A PREROUTING -p tcp -j SYNPROXY --wscale 15

on server iptables -A INPUT -p tcp --dport 82 -m state --state UNTRACKED,INVALID -j SYNPROXY --mss 1460
refuse "SYNPROXY is refused where that of iptables is in use" 1 "iptables or nftables" protect 80
check "and no rule is added" rules_are
check "but not in another namespace" on client palisade protect 80
on server iptables -F INPUT
check "nor after that of iptables is gone" protect 80
on server palisade -t raw -F
on server nft 'table ip t { chain c { type filter hook input priority 0; tcp dport 82 ct state invalid synproxy mss 1460 timestamp sack-perm; }; }'
refuse "SYNPROXY is refused where that of nftables is in use" 1 "iptables or nftables" protect 80
on server nft delete table ip t
check "but not after that is gone" protect 80
on server iptables -A INPUT -p tcp --dport 82 -m state --state UNTRACKED,INVALID -j SYNPROXY --mss 1460
check "a rule can be removed where another SYNPROXY came later" protect --remove 80
check "and no rule remains" rules_are
finish
