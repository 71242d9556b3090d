#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
#
# `palisade ban` keeps hosts out, also from ports that are published by DNAT, for as long as it is told, and `palisade unban`
# lets them in.
#
# Hosts, on the switch of lib.sh: server (10.0.0.1) has the rules, client (10.0.0.2) and other (10.0.0.3) visit it. Behind the
# server is container (172.17.0.2), as Docker has it.

. "$(dirname "$0")/../lib/lib.sh"
make_hosts server client other
add_hosts container

ban() { on server palisade ban "$@"; }
unban() { on server palisade unban "$@"; }
rules_are() { diff -u <(printf '%s\n' "-P PREROUTING ACCEPT" "$@") <(on server palisade -t raw -S PREROUTING); }
drops="-A PREROUTING -m recent --rcheck --name BAN --rsource -j DROP"
# status FILTER: prints what a filter of jq finds in the status.
status() { ban --status --json | field "$1"; }
# warns PATTERN COMMAND...: the command succeeds, and standard error matches the pattern.
warns() {
	local pattern=$1 errors
	shift
	errors=$("$@" 2>&1 >/dev/null) && [[ $errors =~ $pattern ]]
}
# session COMMAND...: a command on the server, in a session of ssh that comes from other.
session() { on server env SSH_CONNECTION="10.0.0.3 50000 10.0.0.1 22" "$@"; }
# served HOST: over both IP versions.
served() { pings "$1" 10.0.0.1 && connects "$1" 10.0.0.1 80 && pings "$1" fd00::1 && connects "$1" fd00::1 80; }

ips container "link set lo up"
ip link add docker0 netns server type veth peer name eth0 netns container
ips server "address add 172.17.0.1/16 dev docker0" "link set docker0 up"
ips container "address add 172.17.0.2/16 dev eth0" "link set eth0 up" "route add default via 172.17.0.1"
on server sysctl -qw net.ipv4.ip_forward=1
on server iptables-restore <<-'END'
	*raw
	-A PREROUTING -d 172.17.0.2/32 ! -i docker0 -j DROP
	COMMIT
	*nat
	:DOCKER -
	-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
	-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
	-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
	-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
	COMMIT
	*filter
	:FORWARD DROP
	:DOCKER -
	-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
	-A FORWARD -o docker0 -j DOCKER
	-A FORWARD -i docker0 -j ACCEPT
	-A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
	COMMIT
END
listen server 80
listen container 80
# As docker-proxy, which is who answers over IPv6.
on server socat TCP6-LISTEN:8080,reuseaddr,fork,ipv6only=0 TCP:172.17.0.2:80 &
disown
eventually 30 on server sh -c "ss -Hltn sport = :8080 | grep -q ."

on server palisade protect 80
check "a host is served" served client
check "also at a published port" connects client 10.0.0.1 8080
check "over IPv6, too" connects client fd00::1 8080
check "nobody is banned" test "$(status '"\(.position) \(.addresses | length)"')" = "null 0"
check "ban answers how many were new" test "$(ban 10.0.0.2 fd00::2)" = "BAN: 2 new, 0 known"
check "its rule is before that of protect" rules_are "$drops" "-A PREROUTING -p tcp -m tcp --dport 80 -j SYNPROXY"
syns=$(counter server raw PREROUTING 2)
check "who is banned is not answered" not pings client 10.0.0.1
check "nor connected" not connects client 10.0.0.1 80
check "nor to a published port" not connects client 10.0.0.1 8080
check "nor answered over IPv6" not pings client fd00::1
check "nor connected over IPv6" not connects client fd00::1 80
check "nor to a published port over IPv6" not connects client fd00::1 8080
check "and gets no cookie" test "$(counter server raw PREROUTING 2)" = "$syns"
check "others are served" served other
check "also at a published port, after a ban" connects other 10.0.0.1 8080
check "another namespace has no ban" test "$(on other palisade ban --status --json | field '"\(.position) \(.addresses | length)"')" = "null 0"
check "and no rule" test "$(on other palisade -t raw -S PREROUTING)" = "-P PREROUTING ACCEPT"
check "banning again succeeds" test "$(ban fd00::2 10.0.0.2 192.0.2.9)" = "BAN: 1 new, 2 known"
check "and makes no other rule" rules_are "$drops" "-A PREROUTING -p tcp -m tcp --dport 80 -j SYNPROXY"
check "standard input is read" test "$(printf '192.0.2.9 for=2h\n192.0.2.8\n' | ban - for=1h)" = "BAN: 1 new, 1 known"
check "the status tells what is left" test "$(status '[.addresses[] | select(.left_ms) | "\(.address) \(.left_ms / 3600000 | ceil)"] | join(" ")')" = "192.0.2.8 1 192.0.2.9 2"
check "and who is banned for ever" test "$(status '[.addresses[] | select(.permanent) | .address] | join(" ")')" = "10.0.0.2 fd00::2"
check "and what was dropped" test "$(status .packets)" -gt 0
check "and where the rule is" test "$(status '"\(.position) \(.rule)"')" = "1 $drops"
check "also in a table" sh -c "ip netns exec server palisade ban --status | grep -Eq '^fd00::2 +ever$'"

check "a host is let in again" unban 10.0.0.2 fd00::2
check "and served" eventually 60 served client
check "also at the published port" connects client 10.0.0.1 8080
check "once more is a warning" warns '10.0.0.2 is not banned' unban 10.0.0.2 192.0.2.8
check "others are let in all the same" test "$(status '[.addresses[].address] | join(" ")')" = 192.0.2.9

ban 10.0.0.3 for=1h >/dev/null
check "a ban may be for some time" not pings other 10.0.0.1
check "a new one replaces the time" test "$(ban 10.0.0.3 for=300ms)" = "BAN: 0 new, 1 known"
check "after which the host is let in" eventually 60 pings other 10.0.0.1

ban 10.0.0.2 >/dev/null
on server palisade save >/tmp/rules
on server palisade list save >/tmp/lists
check "bans are removed" ban --remove
check "with their rule" rules_are "-A PREROUTING -p tcp -m tcp --dport 80 -j SYNPROXY"
check "and their list" not on server palisade list show BAN
check "once more is no mistake" ban --remove
check "all are let in" pings client 10.0.0.1
check "rules are restored" on server palisade restore /tmp/rules
check "and lists" on server palisade list restore /tmp/lists
check "and who was banned is" not pings client 10.0.0.1
check "for as long as before" test "$(status '[.addresses[] | "\(.address) \(.permanent)"] | join(" ")')" = "10.0.0.2 true 192.0.2.9 false"

on server palisade -t raw -F
check "a rule that is missing is warned of" warns 'rule that drops their packets is gone' ban --status
ban 10.0.0.2 >/dev/null
check "and made by the next ban" rules_are "$drops"
on server palisade -A INPUT -m recent --name BAN --rcheck
refuse "a list that other rules use is not removed" 1 'rules that use' ban --remove
on server palisade -F INPUT
check "a list may have another name" ban --list OTHERS 192.0.2.7
check "with a rule of its own" rules_are "${drops/BAN/OTHERS}"
check "which goes with it" ban --remove --list OTHERS
check "and no other" on server palisade list show BAN

refuse "who comes by ssh does not ban himself" 1 'your own session of ssh comes from 10.0.0.3: with --force' \
	session palisade ban 192.0.2.6 10.0.0.3
# sudo drops the variable; a caller has it still.
refuse "nor where the caller has the session" 1 'your own session of ssh comes from 10.0.0.3' \
	session sh -c 'env -u SSH_CONNECTION palisade ban 10.0.0.3 || exit $?'
check "and nothing is banned" not lists server BAN 192.0.2.6
check "others are banned" session palisade ban 192.0.2.6
check "and himself with --force" warns 'your own session of ssh comes from 10.0.0.3' session palisade ban --force 10.0.0.3
check "who is out then" not pings other 10.0.0.1

unban 10.0.0.3
check "a network may be banned" test "$(ban 10.0.0.2/31)" = "BAN: 1 new, 0 known"
check "with all who are in it" not pings other 10.0.0.1
check "the status has it" test "$(status '.addresses[] | select(.prefix) | "\(.address)/\(.prefix)"')" = 10.0.0.2/31
refuse "nor with a network that he is in" 1 'your own session of ssh comes from 10.0.0.3' session palisade ban 10.0.0.0/8
check "it is let in again" unban 10.0.0.2/31
check "and served, with all who are in it" eventually 60 served other

refuse "no address is a mistake" 2 'needs an address' ban
refuse "an address is banned as a whole" 2 'leave out the port' ban 10.0.0.3:80
refuse "unban needs an address" 2 'ADDRESS' unban
refuse "and a list" 1 'no list NONE' unban --list NONE 10.0.0.3

finish
