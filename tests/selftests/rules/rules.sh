#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
#
# Rules match what they say, in order, on IPv4 and IPv6, and count what they match.
#
# Hosts, on the switch of lib.sh: server (10.0.0.1) has the rules, client (10.0.0.2) sends.

. "$(dirname "$0")/../lib/lib.sh"
make_hosts server client
listen server 22
listen server 80

rule() {
	on server palisade "$@"
}

flush() {
	empty server filter raw
}

# blocks DESCRIPTION RULE -- COMMAND...: the command succeeds without the rule and fails with it.
blocks() {
	local description=$1 words=()
	shift
	while [ "$1" != -- ]; do
		words+=("$1")
		shift
	done
	shift
	check "$description" is_blocked "$@"
}

is_blocked() {
	"$@" || { echo "fails without the rule"; return 1; }
	rule "${words[@]}" || return 1
	if "$@"; then
		echo "succeeds with the rule: $(rule -S; rule -t raw -S)"
		flush
		return 1
	fi
	flush
}

# passes DESCRIPTION RULE -- COMMAND...: with the rule the command succeeds.
passes() {
	local description=$1 words=()
	shift
	while [ "$1" != -- ]; do
		words+=("$1")
		shift
	done
	shift
	check "$description" is_passed "$@"
}

is_passed() {
	rule "${words[@]}" || return 1
	local status=0
	"$@" || status=1
	flush
	return "$status"
}

check "hosts reach each other on IPv4" pings client 10.0.0.1
check "hosts reach each other on IPv6" pings client fd00::1

blocks "DROP in INPUT" -A INPUT -p icmp -j DROP -- pings client 10.0.0.1
blocks "DROP in PREROUTING of raw" -t raw -A PREROUTING -p icmp -j DROP -- pings client 10.0.0.1
passes "-p icmp does not match ICMPv6" -A INPUT -p icmp -j DROP -- pings client fd00::1
blocks "a rule without an address is for IPv4" -A INPUT -p tcp -j DROP -- connects client 10.0.0.1 22
blocks "and for IPv6" -A INPUT -p tcp -j DROP -- connects client fd00::1 22
passes "-4 does not match IPv6" -4 -A INPUT -p tcp -j DROP -- connects client fd00::1 22
blocks "-6 matches IPv6" -6 -A INPUT -p tcp -j DROP -- connects client fd00::1 22
passes "-6 does not match IPv4" -6 -A INPUT -p tcp -j DROP -- connects client 10.0.0.1 22

blocks "-s with an address" -A INPUT -s 10.0.0.2 -j DROP -- pings client 10.0.0.1
blocks "-s with a prefix" -A INPUT -s 10.0.0.0/30 -j DROP -- pings client 10.0.0.1
passes "-s with another prefix" -A INPUT -s 10.0.0.128/25 -j DROP -- pings client 10.0.0.1
blocks "-s with an IPv6 address" -A INPUT -s fd00::2 -j DROP -- connects client fd00::1 22
blocks "-s with an IPv6 prefix that ends inside a byte" -A INPUT -s fd00::/125 -p tcp -j DROP -- connects client fd00::1 22
passes "! -s" -A INPUT ! -s 10.0.0.2 -p icmp -j DROP -- pings client 10.0.0.1
blocks "! -s with another address" -A INPUT ! -s 10.0.0.3 -p icmp -j DROP -- pings client 10.0.0.1
blocks "-s with a mask that has holes" -A INPUT -s 10.0.0.2/255.0.255.255 -p icmp -j DROP -- pings client 10.0.0.1
blocks "-d" -A INPUT -d 10.0.0.1 -j DROP -- pings client 10.0.0.1
passes "! -d" -A INPUT ! -d 10.0.0.1 -p icmp -j DROP -- pings client 10.0.0.1
blocks "a list of addresses makes several rules" -A INPUT -s 10.0.0.7,10.0.0.2 -j DROP -- pings client 10.0.0.1
blocks "-i" -A INPUT -i eth0 -p icmp -j DROP -- pings client 10.0.0.1
passes "-i with another interface" -A INPUT -i eth1 -j DROP -- pings client 10.0.0.1
passes "-i does not match by prefix" -A INPUT -i eth -j DROP -- pings client 10.0.0.1
blocks "-i with +" -A INPUT -i eth+ -p icmp -j DROP -- pings client 10.0.0.1
passes "! -i" -A INPUT ! -i eth0 -j DROP -- pings client 10.0.0.1
blocks "-p by number" -A INPUT -p 6 -j DROP -- connects client 10.0.0.1 22
passes "! -p" -A INPUT ! -p tcp -j DROP -- connects client 10.0.0.1 22

blocks "--dport" -A INPUT -p tcp --dport 22 -j DROP -- connects client 10.0.0.1 22
passes "--dport with another port" -A INPUT -p tcp --dport 22 -j DROP -- connects client 10.0.0.1 80
blocks "--dport over IPv6" -A INPUT -p tcp --dport 22 -j DROP -- connects client fd00::1 22
blocks "--dport with a range" -A INPUT -p tcp --dport 20:22 -j DROP -- connects client 10.0.0.1 22
passes "--dport with a range that ends below the port" -A INPUT -p tcp --dport 20:21 -j DROP -- connects client 10.0.0.1 22
passes "! --dport" -A INPUT -p tcp ! --dport 22 -j DROP -- connects client 10.0.0.1 22
blocks "--dport with a service's name" -A INPUT -p tcp --dport ssh -j DROP -- connects client 10.0.0.1 22
blocks "--sport" -A INPUT -p tcp --sport 4000 -j DROP -- connects client 10.0.0.1 22 -p 4000
passes "--sport with another port" -A INPUT -p tcp --sport 4000 -j DROP -- connects client 10.0.0.1 22 -p 4001
passes "a UDP rule does not match TCP" -A INPUT -p udp --dport 22 -j DROP -- connects client 10.0.0.1 22

rule -A INPUT -p tcp --dport 22 -j ACCEPT
rule -A INPUT -p tcp -j DROP
check "the first rule that matches decides: ACCEPT" connects client 10.0.0.1 22
check "the first rule that matches decides: DROP" not connects client 10.0.0.1 80
flush
rule -P INPUT DROP
check "a policy DROP works without rules" not pings client 10.0.0.1
check "-S shows the policy" sh -c "$(printf 'ip netns exec server palisade -S INPUT | grep -qx -- "-P INPUT DROP"')"
rule -A INPUT -p icmp -j ACCEPT
check "rules come before the policy" pings client 10.0.0.1
rule -I INPUT -p icmp -j RETURN
check "RETURN leaves the decision to the policy" not pings client 10.0.0.1
rule -D INPUT 1
check "-D with a number" pings client 10.0.0.1
rule -D INPUT -p icmp -j ACCEPT
check "-D with a rule" not pings client 10.0.0.1
flush

rule -A INPUT -p icmp
rule -A INPUT -p icmp -j ACCEPT
pings client 10.0.0.1 >/dev/null
pings client 10.0.0.1 >/dev/null
check "a rule without target counts and continues" test "$(counter server filter INPUT 1)" -eq 2
check "a rule with a target counts" test "$(counter server filter INPUT 2)" -eq 2
rule -I INPUT 1 -p udp -j DROP
check "counters follow their rule when others change" test "$(counter server filter INPUT 3)" -eq 2
rule -Z INPUT
check "-Z sets counters to zero" test "$(counter server filter INPUT 3)" -eq 0
flush

hooks() {
	on server nft list hooks | grep -c 'palisade'
}
modprobe nfnetlink_hook
check "without rules there is no hook" test "$(hooks)" -eq 0
rule -A INPUT -p icmp -j ACCEPT
check "a chain with rules has a hook for IPv4 and one for IPv6" test "$(hooks)" -eq 2
rule -t raw -A PREROUTING -p icmp -j ACCEPT
check "each chain has hooks of its own" test "$(hooks)" -eq 4
rule -F
rule -t raw -F
check "the hooks go with the last rule" test "$(hooks)" -eq 0

# Fragments. Nothing reassembles them before PREROUTING of raw, so only the first one has ports there.
# fragments SERVER: sends one datagram of 4000 bytes to its discard port, in three fragments.
fragments() {
	printf %4000d 0 | on client socat -u - "$1:9"
}
declare -A servers=([4]=UDP4:10.0.0.1 [6]=UDP6:[fd00::1])
for version in 4 6; do
	rule -t raw -A PREROUTING "-$version" -p udp
	rule -t raw -A PREROUTING "-$version" -p udp --dport 9
	fragments "${servers[$version]}"
	check "IPv$version: all fragments have the protocol" test "$(counter server raw PREROUTING 1)" -eq 3
	check "IPv$version: only the first fragment has ports" test "$(counter server raw PREROUTING 2)" -eq 1
	flush
done

# IPv6 extension headers before the port.
rule -A INPUT -6 -p udp --dport 9
on client python3 -c '
import socket
padding = b"\0\0\1\4\0\0\0\0"
with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sender:
    sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_HOPOPTS, padding)
    sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_DSTOPTS, padding)
    sender.sendto(b"hello", ("fd00::1", 9))'
check "a port behind IPv6 extension headers is found" test "$(counter server filter INPUT 1)" -eq 1
flush

# A TCP header that is truncated before its ports.
rule -A INPUT -p tcp --dport 22 -j ACCEPT
rule -A INPUT -p tcp
on client python3 -c '
import socket
with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP) as sender:
    sender.sendto(b"\x10\x00", ("10.0.0.1", 0))'
check "a packet that is truncated before its ports is dropped, as by iptables" test "$(counter server filter INPUT 2)" -eq 0
flush

finish
