#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
#
# The matches limit, connlimit and string and the targets REJECT, LOG and REDIRECT do what they say, on IPv4
# and IPv6; DNAT, SNAT and MASQUERADE are taken, listed and refused.
#
# Hosts, on the switch of lib.sh: server (10.0.0.1) has the rules, client (10.0.0.2) connects. For --connlimit-mask,
# client also has 10.0.0.77 and 10.0.0.200. The namespace "short" has lo alone.

. "$(dirname "$0")/../lib/lib.sh"
make_hosts server client
listen server 22
listen server 8080
# Otherwise the kernel would limit the ICMP errors that REJECT sends.
on server sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0

rule() {
	on server palisade "$@"
}

flush() {
	rule -F
}

counts() {
	test "$(counter server filter INPUT "$1")" "$2" "$3"
}

# send ADDRESS COUNT TEXT: sends UDP packets. `taken` is how long that took, in seconds, rounded up.
send() {
	local start=${EPOCHREALTIME/./}
	on client bash -c 'for ((i = 0; i < $2; i++)); do printf %s "$3" >"/dev/udp/$1/9"; done' bash "$@"
	taken=$(((${EPOCHREALTIME/./} - start) / 1000000 + 1))
}

# limit
rule -A INPUT -p udp -m limit --limit 1/second --limit-burst 3
rule -A INPUT -p udp
send 10.0.0.1 20 x
check "limit: the next rule sees all packets" counts 2 -eq 20
check "limit: the burst matches" counts 1 -ge 3
check "limit: and then no more than the rate" counts 1 -le $((3 + taken))
sleep 3
rule -Z INPUT
send fd00::1 20 x
check "limit: after a while the burst matches again, over IPv6 as well" counts 1 -ge 3
check "limit: and then no more than the rate" counts 1 -le $((3 + taken))
check "limit: -C finds a rule with the same rate in other units" rule -C INPUT -p udp -m limit --limit 60/minute --limit-burst 3
check "limit: -S prints what was given" sh -c \
	"ip netns exec server palisade -S INPUT | grep -qx -- '-A INPUT -p udp -m limit --limit 1/sec --limit-burst 3'"
flush
# So slow that the bucket gets no token during the test.
rule -A INPUT -p udp -m limit --limit 1/hour --limit-burst 3
send 10.0.0.1 3 x
rule -I INPUT 1 -p icmp
rule -Z INPUT
send 10.0.0.1 3 x
check "limit: the bucket keeps its level when other rules change" counts 2 -eq 0
flush
rule -A INPUT -p udp -m limit --limit 10/second --limit-burst 1
for _ in 1 2 3 4 5; do
	send 10.0.0.1 1 x
	sleep 0.2
done
check "limit: packets below the rate all match" counts 1 -eq 5
flush

# connlimit, with real connections.
# hold ADDRESS COUNT: opens connections and keeps them open until let_go.
ready=$(mktemp)
hold() {
	local address=$1 count=$2
	: >"$ready"
	ip netns exec client python3 -c '
import os, socket, sys, time
address, count, ready = sys.argv[1], int(sys.argv[2]), sys.argv[3]
held = [socket.create_connection((address, 22), 10) for _ in range(count)]
open(ready, "w").write(str(os.getpid()))
time.sleep(600)
' "$address" "$count" "$ready" >/dev/null 2>&1 &
	disown
	eventually 30 test -s "$ready"
}
let_go() {
	kill -9 "$(<"$ready")"
}
for address in 10.0.0.1 fd00::1; do
	rule -A INPUT -p tcp --syn --dport 22 -m connlimit --connlimit-above 3 -j REJECT --reject-with tcp-reset
	check "connlimit: as many connections as allowed, $address" hold "$address" 3
	check "connlimit: one more is refused" not connects client "$address" 22
	check "connlimit: the refused one is counted once" counts 1 -eq 1
	let_go
	check "connlimit: closed connections do not count" eventually 30 connects client "$address" 22
	flush
done
rule -A INPUT -p tcp --syn --dport 22 -m connlimit --connlimit-upto 1 --connlimit-daddr
rule -A INPUT -p tcp --syn --dport 22
check "connlimit: two connections to one address" hold 10.0.0.1 2
check "connlimit: the first one is within --connlimit-upto 1" counts 1 -eq 1
check "connlimit: both are seen" counts 2 -eq 2
let_go
flush
on client ip address add 10.0.0.77/24 dev eth0
on client ip address add 10.0.0.200/24 dev eth0
for mask in 24 25; do
	rule -A INPUT -p tcp --syn --dport 22 -m connlimit --connlimit-above 1 --connlimit-mask $mask -j DROP
	check "connlimit: one connection is allowed with --connlimit-mask $mask" hold 10.0.0.1 1
	check "connlimit: another address of that network may have none" not connects client 10.0.0.1 22 -s 10.0.0.77
	[ $mask = 24 ] || check "connlimit: another network may have one" connects client 10.0.0.1 22 -s 10.0.0.200
	let_go
	flush
done
on client ip address del 10.0.0.77/24 dev eth0
on client ip address del 10.0.0.200/24 dev eth0

# A namespace with counted connections is removed, with rules in use and with rules that were just replaced.
counted_namespaces() {
	local round
	for round in 1 2 3; do
		ip netns add short || return 1
		ip -n short link set lo up
		on short palisade -A INPUT -p tcp -m connlimit --connlimit-upto 1000000 || return 1
		on short palisade -A INPUT -p tcp -m connlimit --connlimit-above 1000000 --connlimit-daddr || return 1
		start short nc -l -k 127.0.0.1 22 &>/dev/null
		eventually 30 on short sh -c 'ss -Hltn sport = :22 | grep -q .' || return 1
		on short sh -c 'for i in 1 2 3 4; do nc -n -z -w 1 127.0.0.1 22; done'
		kill $!
		wait $! 2>/dev/null
		[ "$(counter short filter INPUT 1)" -gt 8 ] || return 1
		on short palisade -D INPUT 1 || return 1
		on short palisade -A INPUT -p tcp -m connlimit --connlimit-upto "$round" || return 1
		ip netns del short || return 1
	done
}
check "connlimit: namespaces with counted connections are removed" counted_namespaces

# string
# holds TEXT COUNT OPTION...: a packet with the text meets a string match, COUNT times.
holds() {
	local text=$1 expected=$2 address
	shift 2
	for address in 10.0.0.1 fd00::1; do
		rule -A INPUT -p udp -m string "$@" || return 1
		send "$address" 1 "$text"
		if ! counts 1 -eq "$expected"; then
			echo "$address: $(rule -S INPUT -v)"
			flush
			return 1
		fi
		flush
	done
}
check "string: with kmp" holds 'GET /setup.exe' 1 --string setup --algo kmp
check "string: with bm" holds 'GET /setup.exe' 1 --string setup --algo bm
check "string: a string that is not there" holds 'GET /setup.exe' 0 --string sotup --algo bm
check "string: inverted" holds 'GET /setup.exe' 0 ! --string setup --algo bm
check "string: inverted, not there" holds 'GET /setup.exe' 1 ! --string sotup --algo kmp
check "string: upper and lower case differ" holds 'GET /SETUP.exe' 0 --string setup --algo kmp
check "string: --icase" holds 'GET /SETUP.exe' 1 --string setup --algo kmp --icase
check "string: --hex-string" holds 'GET /setup.exe' 1 --hex-string '|73 65|tup' --algo kmp
check "string: a leading * is ignored without --algo" holds 'GET /setup.exe' 1 --string '*.exe'
check "string: but not with --algo" holds 'GET /setup.exe' 0 --string '*.exe' --algo kmp
# The headers of IPv4 and UDP have 28 bytes, those of IPv6 and UDP 48.
offsets() {
	rule -A INPUT -4 -p udp -m string --string abc --algo kmp --from 28 --to 31 &&
		rule -A INPUT -4 -p udp -m string --string abc --algo kmp --from 29 &&
		rule -A INPUT -4 -p udp -m string --string abc --algo bm --to 30 &&
		rule -A INPUT -6 -p udp -m string --string abc --algo bm --from 48 --to 51 &&
		rule -A INPUT -6 -p udp -m string --string abc --algo bm --from 49 || return 1
	send 10.0.0.1 1 abcd
	send fd00::1 1 abcd
	rule -S INPUT -v
	counts 1 -eq 1 && counts 2 -eq 0 && counts 3 -eq 0 && counts 4 -eq 1 && counts 5 -eq 0
}
check "string: --from and --to count from the IP header" offsets
flush

# REJECT
# refused ADDRESS PORT ERROR: connecting fails with that error. Between namespaces the answer may arrive while the
# client's socket is locked by connect(); the kernel then acts on the answer to the second SYN.
refused() {
	local said
	said=$(on client nc -n -v -z -w 20 "$1" "$2" 2>&1)
	echo "$said"
	[[ $said == *" failed: $3" ]]
}
for address in 10.0.0.1 fd00::1; do
	rule -A INPUT -p tcp --dport 22 -j REJECT
	check "REJECT: $address is refused" refused "$address" 22 'Connection refused'
	check "REJECT: another port is not refused" connects client "$address" 8080
	flush
	rule -A INPUT -p tcp --dport 22 -j REJECT --reject-with tcp-reset
	check "REJECT: with a reset" refused "$address" 22 'Connection refused'
	flush
	rule -A OUTPUT -p tcp --sport 22 -j REJECT
	check "REJECT: in OUTPUT the answer of a server does not get out" not connects client "$address" 22
	flush
done
rule -A INPUT -p tcp -j REJECT --reject-with icmp-host-prohibited
check "REJECT: the client sees icmp-host-prohibited" refused 10.0.0.1 22 'No route to host'
check "REJECT: an ICMP error of IPv4 makes a rule for IPv4 only" connects client fd00::1 22
flush
rule -A INPUT -p tcp -j REJECT --reject-with icmp-net-unreachable
check "REJECT: the client sees icmp-net-unreachable" refused 10.0.0.1 22 'Network is unreachable'
flush
rule -A INPUT -p tcp -j REJECT --reject-with icmp6-adm-prohibited
check "REJECT: the client sees icmp6-adm-prohibited" refused fd00::1 22 'Permission denied'
check "REJECT: an ICMP error of IPv6 makes a rule for IPv6 only" connects client 10.0.0.1 22
flush
# answer ADDRESS TYPE CODE: a UDP packet is answered with an ICMP error of that type and code.
answer() {
	on client python3 -c '
import socket, sys
address, wanted = sys.argv[1], [int(number) for number in sys.argv[2:]]
family, protocol, skipped = socket.AF_INET, socket.IPPROTO_ICMP, 20
if ":" in address:
    family, protocol, skipped = socket.AF_INET6, socket.IPPROTO_ICMPV6, 0
listener = socket.socket(family, socket.SOCK_RAW, protocol)
listener.settimeout(20)
socket.socket(family, socket.SOCK_DGRAM).sendto(b"hello", (address, 9))
said = None
while said != wanted:
    said = list(listener.recv(2000)[skipped:skipped + 2])
    print(said)
' "$@"
}
rule -A INPUT -p udp -j REJECT --reject-with icmp-admin-prohibited
rule -A INPUT -p udp -j REJECT --reject-with icmp6-addr-unreachable
check "REJECT: an ICMP message of type 3 with the code" answer 10.0.0.1 3 13
check "REJECT: an ICMPv6 message of type 1 with the code" answer fd00::1 1 3
flush
refuse "REJECT: not in the table raw" 1 'filter' rule -t raw -A PREROUTING -j REJECT
refuse "REJECT: tcp-reset needs -p tcp" 2 'tcp' rule -A INPUT -j REJECT --reject-with tcp-reset

# LOG
sysctl -qw net.netfilter.nf_log_all_netns=1
logged() {
	eventually 30 sh -c 'dmesg | grep -E "$1" | grep -Eq "$2"' sh "$1" "$2"
}
rule -A INPUT -p udp -m udp --dport 9 -j LOG --log-prefix 'targets one: ' --log-level info
rule -A INPUT -p udp
send 10.0.0.1 1 x
send fd00::1 1 x
check "LOG: an IPv4 packet" logged 'targets one: IN=eth0' 'SRC=10.0.0.2 DST=10.0.0.1 .*PROTO=UDP .*DPT=9'
check "LOG: an IPv6 packet" logged 'targets one: IN=eth0' 'SRC=fd00:0+:.*:0002 .*PROTO=UDP .*DPT=9'
check "LOG: the level" sh -c 'dmesg -l info | grep -q "targets one: "'
check "LOG: the next rule sees the packets as well" counts 2 -eq 2
flush
rule -A INPUT -p tcp --syn -j LOG --log-prefix 'targets two: ' --log-tcp-sequence --log-tcp-options --log-macdecode
connects client 10.0.0.1 22
check "LOG: TCP sequence numbers, TCP options and the link layer" \
	logged 'targets two: ' 'MACSRC=.*MACPROTO=0800 .*SEQ=[0-9]+ .*OPT \('
flush
rule -A OUTPUT -p udp -j LOG --log-prefix 'targets three ' --log-uid
on server python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("10.0.0.2", 9))'
check "LOG: the user id of the sender" logged 'targets three ' 'UID=0 '
flush
sysctl -qw net.netfilter.nf_log_all_netns=0
check "LOG: the kernel's logger is not in use any more" eventually 30 sh -c '[ "$(cat /sys/module/nf_log_syslog/refcnt)" -eq 0 ]'

# REDIRECT
for address in 10.0.0.1 fd00::1; do
	check "REDIRECT: nothing listens on port 80, $address" not connects client "$address" 80
	rule -t nat -A PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports 8080
	check "REDIRECT: a connection is redirected to another port" connects client "$address" 80
	check "REDIRECT: a connection to another port is not" not connects client "$address" 81
	rule -t nat -F
	check "REDIRECT: without the rule, nothing listens on port 80" not connects client "$address" 80
	rule -t nat -A OUTPUT -p tcp --dport 80 -j REDIRECT --to-ports 8080-8080 --random
	check "REDIRECT: a connection from the host itself comes back to it" connects server "${address%1}2" 80
	rule -t nat -F
done
rule -t nat -A PREROUTING -p tcp -d 10.0.0.99 -j REDIRECT
ip -n client neigh add 10.0.0.99 lladdr "$(ip -n server -json link show eth0 | field '.[0].address')" dev eth0
check "REDIRECT: without --to-ports the port stays" connects client 10.0.0.99 22
rule -t nat -F
refuse "REDIRECT: not in POSTROUTING" 1 'PREROUTING' rule -t nat -A POSTROUTING -j REDIRECT
refuse "REDIRECT: not in FORWARD" 1 'INPUT' rule -A FORWARD -j REDIRECT
refuse "REDIRECT: not with ports in INPUT" 1 'nat' rule -A INPUT -p tcp -j REDIRECT --to-ports 80
refuse "REDIRECT: not in the table raw" 1 'nat' rule -t raw -A PREROUTING -j REDIRECT
# From an old howto. Packets in INPUT are for this host already.
rule -A INPUT -m string --string '*.exe' -j REDIRECT
rule -A INPUT -p udp -j DROP
send 10.0.0.1 1 '/setup.exe'
send fd00::1 1 '/setup.exe'
send 10.0.0.1 1 '/setup.com'
check "REDIRECT: in INPUT it accepts" counts 1 -eq 2
check "REDIRECT: and other packets continue" counts 2 -eq 1
flush

# DNAT, SNAT and MASQUERADE; nat.sh has what they do.
refuse "DNAT: not in POSTROUTING" 1 'PREROUTING and OUTPUT' rule -t nat -A POSTROUTING -j DNAT --to-destination 10.0.0.2
refuse "DNAT: not in INPUT" 1 'PREROUTING and OUTPUT' rule -t nat -A INPUT -j DNAT --to-destination 10.0.0.2
refuse "DNAT: not in the table filter" 1 'table nat' rule -A FORWARD -j DNAT --to-destination 10.0.0.2
refuse "SNAT: not in PREROUTING" 1 'INPUT and POSTROUTING' rule -t nat -A PREROUTING -j SNAT --to-source 10.0.0.1
refuse "SNAT: not in the table mangle" 1 'table nat' rule -t mangle -A POSTROUTING -j SNAT --to-source 10.0.0.1
refuse "MASQUERADE: not in INPUT" 1 'POSTROUTING' rule -t nat -A INPUT -j MASQUERADE
refuse "MASQUERADE: not in OUTPUT" 1 'POSTROUTING' rule -t nat -A OUTPUT -j MASQUERADE
rule -t nat -N way
rule -t nat -A POSTROUTING -j way
refuse "DNAT: not in a chain that POSTROUTING calls" 1 'PREROUTING and OUTPUT' rule -t nat -A way -j DNAT --to-destination 10.0.0.2
check "MASQUERADE: but that may be" rule -t nat -A way -j MASQUERADE
refuse "MASQUERADE: PREROUTING does not call it then" 1 'POSTROUTING' rule -t nat -A PREROUTING -j way
rule -t nat -F
rule -t nat -X
translations() {
	cat <<-RULES
		-A PREROUTING -i eth0 -p tcp -m tcp --dport 80:90 -j DNAT --to-destination 10.0.0.2-10.0.0.9:8000-8010/80 --random --persistent
		-A PREROUTING -p tcp -j DNAT --to-destination [fd00::2-fd00::9]:8000
		-A PREROUTING -p udp -j DNAT --to-destination :53
		-A INPUT -j SNAT --to-source fd00::1
		-A OUTPUT -j DNAT --to-destination fd00::2
		-A POSTROUTING -p tcp -j SNAT --to-source 10.0.0.1:1024-2048 --random --random-fully --persistent
		-A POSTROUTING -o eth0 -p udp -j MASQUERADE --to-ports 1024-2048 --random --random-fully
		-A POSTROUTING -j MASQUERADE
	RULES
}
given() {
	local line
	while read -r line; do
		# shellcheck disable=SC2086 # they are words
		rule -t nat $line || return
	done < <(translations)
	diff <(translations) <(rule -t nat -S | grep '^-A')
}
check "DNAT, SNAT, MASQUERADE: -S prints what was given" given
saved=$(rule save -t nat)
rule -t nat -F
check "DNAT, SNAT, MASQUERADE: restored" rule restore <<<"$saved"
check "DNAT, SNAT, MASQUERADE: the same is saved again" test "$(rule save -t nat | grep '^-A')" = "$(translations)"
check "DNAT, SNAT, MASQUERADE: -C finds them" rule -t nat -C POSTROUTING -p udp -o eth0 -j MASQUERADE --to-ports 1024-2048 --random-fully --random
check "DNAT, SNAT, MASQUERADE: each is deleted by what it is" rule -t nat -D PREROUTING -p udp -j DNAT --to-destination :53
check "DNAT, SNAT, MASQUERADE: and by its number" rule -t nat -D POSTROUTING 1
rule -t nat -F

finish
