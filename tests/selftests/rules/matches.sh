#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
#
# Each match and target does with real packets what it says, inverted or not, on IPv4 and IPv6.
#
# Hosts, on the switch of lib.sh: server (10.0.0.1) has the rules, client (10.0.0.2) sends and is sent to.

. "$(dirname "$0")/../lib/lib.sh"
make_hosts server client
listen server 22
listen server 80
modprobe -a nfnetlink_hook nf_conntrack

rule() {
	on server palisade "$@"
}

flush() {
	empty server filter raw
}

# know HOST OTHER IPV4 IPV6: adds permanent neighbours, so that rules count nothing but the tests' packets.
know() {
	local address
	address=$(ip -n "$2" -json link show eth0 | field '.[0].address')
	ip -n "$1" neighbour replace "$3" lladdr "$address" dev eth0 nud permanent
	ip -n "$1" neighbour replace "$4" lladdr "$address" dev eth0 nud permanent
}
know server client 10.0.0.2 fd00::2
know client server 10.0.0.1 fd00::1

# expect COUNT DESCRIPTION RULE...: a rule at the end of $chain of $table, as soon as in_force is called. When counted is
# called, it must have counted so many packets.
table=filter
chain=INPUT
lines=
expected=()
descriptions=()

expect() {
	local words=("${@:3}") line
	words=("${words[@]//\\/\\\\}")
	printf -v line ' "%s"' "${words[@]//\"/\\\"}"
	lines+="-A $chain$line"$'\n'
	expected+=("$1")
	descriptions+=("$2")
}

# in_force: appends these rules. Nothing is counted if one is refused.
in_force() {
	on server palisade restore --noflush <<<"*$table"$'\n'"${lines}COMMIT"
	lines=
}

# counted: checks the counters of these rules, and flushes all.
counted() {
	local counts index
	mapfile -t counts < <(rule -t "$table" -L "$chain" -v -n -x | awk 'NR > 2 { print $1 }')
	for index in "${!expected[@]}"; do
		check "${descriptions[index]}" has_counted "${counts[index]-none}" "${expected[index]}"
	done
	expected=()
	descriptions=()
	flush
}

has_counted() {
	echo "counted $1 packets instead of $2"
	[ "$1" -eq "$2" ]
}

# datagram HOST ADDRESS PORT [SOURCE-PORT]: sends a UDP packet.
datagram() {
	local protocol=UDP4 address=$2
	[[ $address != *:* ]] || { protocol=UDP6 address="[$address]"; }
	on "$1" socat -u - "$protocol:$address:$3,sourceport=${4:-0}" <<<hello
}

# raw KIND...: sends unusual or invalid packets to the server.
raw() {
	on client python3 - "$@" <<'PYTHON'
import socket
import struct
import sys

def send4(protocol, payload, fragment=0):
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 0, 1, fragment, 64, protocol, 0,
                         socket.inet_aton("10.0.0.2"), socket.inet_aton("10.0.0.1"))
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        raw.sendto(header + payload, ("10.0.0.1", 0))

def send6(protocol, payload):
    with socket.socket(socket.AF_INET6, socket.SOCK_RAW, protocol) as raw:
        raw.sendto(payload, ("fd00::1", 0))

def fragment6(protocol, payload):
    send6(44, struct.pack("!BBHI", protocol, 0, 64, 1) + payload)

kinds = {
    "truncated": lambda: (send4(1, b"\x08\0\xf7\xff"), send4(17, b"\0\7"),
                          send6(58, b"\x80\0\0\0"), send6(17, b"\0\7")),
    "fragment": lambda: (send4(1, bytes(64), 8), send4(17, bytes(64), 8),
                         fragment6(58, bytes(64)), fragment6(17, bytes(64))),
    "reply": lambda: (send4(1, b"\0\0\xff\xff" + bytes(4)), send6(58, b"\x81" + bytes(7))),
}
for kind in sys.argv[1:]:
    kinds[kind]()
PYTHON
}

# A later fragment has no type and no ports. A packet that is truncated before these is dropped.
table=raw chain=PREROUTING
expect 0 "IPv4: a later fragment has no type, inverted or not" -p icmp ! --icmp-type 99
expect 1 "IPv4: a truncated message is dropped, a later fragment is not" -p icmp
expect 0 "IPv6: a later fragment has no type, inverted or not" -s fd00::2 -p icmpv6 ! --icmpv6-type 99
expect 1 "IPv6: a truncated message is dropped, a later fragment is not" -s fd00::2 -p icmpv6
expect 0 "a later fragment has no ports, inverted or not" -p udp -m multiport ! --ports 99
expect 2 "a UDP packet that is truncated before its ports is dropped" -p udp
in_force
raw truncated fragment
counted

# segments: sends segments of TCP over both IP versions, each to a port of its own, with what clients say first. More go
# over IPv4 alone: a later fragment, and one whose TCP header is cut off.
segments() {
	on client python3 - <<'PYTHON'
import socket
import ssl
import struct

def hello(name):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.set_ecdh_curve("prime256v1")
    context.set_alpn_protocols(["h2", "http/1.1"])
    out = ssl.MemoryBIO()
    try:
        context.wrap_bio(ssl.MemoryBIO(), out, server_hostname=name).do_handshake()
    except ssl.SSLWantReadError:
        return out.read()

def in_records(record, size):
    message = record[5:]
    pieces = [message[start:start + size] for start in range(0, len(message), size)]
    return b"".join(b"\x16\3\1" + struct.pack("!H", len(piece)) + piece for piece in pieces)

def send4(payload, fragment=0):
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 0, 1, fragment, 64, 6, 0,
                         socket.inet_aton("10.0.0.2"), socket.inet_aton("10.0.0.1"))
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        raw.sendto(header + payload, ("10.0.0.1", 0))

def send6(payload):
    with socket.socket(socket.AF_INET6, socket.SOCK_RAW, 6) as raw:
        raw.sendto(payload, ("fd00::1", 0))

named = hello("www.example.org")
says = {
    1001: named,
    1002: in_records(named, 50),
    1003: hello(None),
    1004: named[:-1],
    1005: named[:60],
    1006: b"",
    2001: b"GET /api/v1?x=/y HTTP/1.1\r\nAccept: */*\r\nHost: WWW.example.org.:8080\r\n\r\n",
    2002: b"PUT http://www.example.org HTTP/1.1\r\nHost: other\r\n\r\n",
    2003: b"GET /api/ HTTP/1.0\r\n\r\n",
    2004: b"GET /api/ HTTP/1.1\r\nHost: www.example.o",
    2005: b"GET /api/",
    2006: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    2007: b"EHLO www.example.org\r\n",
}
for port, data in says.items():
    segment = struct.pack("!HHIIBBHHH", 40000, port, 1, 1, 6 << 4, 0x18, 1000, 0, 0) + b"\1\1\1\0" + data
    send4(segment)
    send6(segment)
send4(named, fragment=8)
send4(segment[:16])
PYTHON
}

table=raw chain=PREROUTING
# Rules that ask for ports, as the others do, drop what has none.
expect 0 "tls: a TCP header that is cut off" -p tcp -m length --length 36 -m tls
expect 0 "http: the same" -p tcp -m length --length 36 -m http
expect 1 "a TCP header that is cut off" -p tcp -m length --length 36
tls=(-p tcp -m tls)
expect 2 "tls: a ClientHello" "${tls[@]}" --dport 1001
expect 2 "tls: its name" "${tls[@]}" --host www.example.org --dport 1001
expect 2 "tls: a pattern of its name" "${tls[@]}" --host '*.EXAMPLE.org.' --dport 1001
expect 0 "tls: another name" "${tls[@]}" --host example.org --dport 1001
expect 2 "tls: not another name" "${tls[@]}" ! --host example.org --dport 1001
expect 0 "tls: not its name" "${tls[@]}" ! --host 'www.*' --dport 1001
expect 2 "tls: each protocol that it offers" "${tls[@]}" --alpn h2 -m tls --alpn 'http/*' --dport 1001
expect 0 "tls: another protocol" "${tls[@]}" --alpn h3 --dport 1001
expect 2 "tls: not another protocol" "${tls[@]}" ! --alpn h3 --dport 1001
expect 2 "tls: in several records" "${tls[@]}" --host www.example.org --alpn h2 --dport 1002
expect 0 "tls: a name that is absent" "${tls[@]}" --host '*' --dport 1003
expect 0 "tls: a name that is absent, inverted" "${tls[@]}" ! --host a --dport 1003
expect 2 "tls: as much of it as is asked for" "${tls[@]}" --host www.example.org --dport 1004
expect 0 "tls: not as much" "${tls[@]}" ! --host a --dport 1005
expect 0 "tls: a segment without data" -p tcp --dport 1006 -m tls
expect 0 "tls: a request of HTTP, inverted" -p tcp --dport 2001 -m tls ! --host a
expect 0 "tls: a later fragment" -f -p tcp -m tls
expect 1 "a later fragment" -f -p tcp
http=(-p tcp -m http)
expect 2 "http: all that is asked for" "${http[@]}" --method GET --host '*.example.org' --path /api/v1 --dport 2001
expect 2 "http: the port, if it is asked for" "${http[@]}" --host www.example.org:8080 --dport 2001
expect 0 "http: another port" "${http[@]}" --host www.example.org:80 --dport 2001
expect 0 "http: another method" "${http[@]}" --method get --dport 2001
expect 2 "http: not another method and path" "${http[@]}" ! --method PUT ! --path '/api' --dport 2001
expect 0 "http: not its path" "${http[@]}" ! --path '/api/*' --dport 2001
expect 2 "http: the host in the request line" "${http[@]}" --host www.example.org --path / --dport 2002
expect 0 "http: a host that is absent, inverted" "${http[@]}" ! --host a --dport 2003
expect 2 "http: a request without host" "${http[@]}" --path '/api/*' --dport 2003
expect 0 "http: a host that is cut off, inverted" "${http[@]}" ! --host a --dport 2004
expect 2 "http: as much as is asked for" "${http[@]}" --path '*' --dport 2004
expect 0 "http: a request line that is cut off" "${http[@]}" --dport 2005
expect 2 "http: HTTP/2" "${http[@]}" --dport 2006
expect 0 "http: HTTP/2 with options" "${http[@]}" ! --method GET --dport 2006
expect 0 "http: another protocol" "${http[@]}" --dport 2007
expect 0 "http: a ClientHello" "${http[@]}" --dport 1001
in_force
segments
counted

# Names in a file: 10,000 of hosts, and one of all below it.
table=raw chain=PREROUTING
names=$(mktemp -d)
{
	seq -f 'host-%g.example.net' 10000
	echo 'www.Example.org. # one more'
} >"$names/hosts"
echo '*.org' >"$names/suffix"
printf 'example.org\n\nexample..org\n' >"$names/bad"
named=(-p tcp --dport 1001 -m tls --hosts-file)
expect 2 "tls: a name among 10,001 of a file" "${named[@]}" "$names/hosts"
expect 0 "tls: the same, inverted" -p tcp --dport 1001 -m tls ! --hosts-file "$names/hosts"
expect 2 "tls: what is below a name of a file" "${named[@]}" "$names/suffix"
expect 2 "tls: a file and a pattern" "${named[@]}" "$names/hosts" ! --host 'host-*'
expect 0 "tls: a name that is absent, and a file, inverted" -p tcp --dport 1003 -m tls ! --hosts-file "$names/suffix"
in_force
segments
counted
refuse "a bad line of a file" 2 'bad: line 3: example\.\.org: ' rule -A INPUT -p tcp -m tls --hosts-file "$names/bad"

# A rule says which file it is about, from wherever it was given.
relative() {
	(cd "$names" && rule -A INPUT -p tcp -m tls --hosts-file hosts -j DROP) &&
		rule -S INPUT | grep -qxe "-A INPUT -p tcp -m tls --hosts-file $names/hosts -j DROP"
}
check "tls: a rule has the whole name of its file" relative
check "tls: it is restored" sh -c 'ip netns exec server palisade save | ip netns exec server palisade restore'
check "tls: it is found" rule -C INPUT -p tcp -m tls --hosts-file "$names/hosts" -j DROP
check "tls: it is deleted" rule -D INPUT -p tcp -m tls --hosts-file "$names/hosts" -j DROP
rm -r "$names"

# A ClientHello of a connection, as long as OpenSSL makes it.
table=filter chain=INPUT
expect 2 "tls: a ClientHello of a connection" -p tcp --dport 80 -m tls --host www.example.org
in_force
for address in 10.0.0.1 '[fd00::1]'; do
	# The server closes the connection at once.
	on client timeout 60 openssl s_client -connect "$address:80" -servername www.example.org </dev/null &>/dev/null
done
counted

# The length from the IP header on: 28 bytes of headers in IPv4, 48 in IPv6.
table=filter chain=INPUT
expect 1 "--length with one length" -p icmp -m length --length 128
expect 1 "--length with a range" -p icmp -m length --length 100:128
expect 0 "--length with a range that is too long" -p icmp -m length --length 129:
expect 0 "--length with a range that is too short" -p icmp -m length --length :127
expect 0 "! --length" -p icmp -m length ! --length 128
expect 1 "--length, IPv6" -s fd00::2 -p icmpv6 --icmpv6-type 128 -m length --length 148
in_force
pings client 10.0.0.1 -s 100 >/dev/null
pings client fd00::1 -s 100 >/dev/null
counted

expect 1 "--ttl-eq" -p icmp -m ttl --ttl-eq 7
expect 0 "! --ttl-eq" -p icmp -m ttl ! --ttl-eq 7
expect 1 "--ttl-lt" -p icmp -m ttl --ttl-lt 8
expect 0 "--ttl-lt with the TTL itself" -p icmp -m ttl --ttl-lt 7
expect 1 "--ttl-gt" -p icmp -m ttl --ttl-gt 6
expect 0 "--ttl-gt with the TTL itself" -p icmp -m ttl --ttl-gt 7
expect 1 "--hl-eq" -p icmpv6 --icmpv6-type 128 -m hl --hl-eq 7
expect 0 "! --hl-eq" -p icmpv6 --icmpv6-type 128 -m hl ! --hl-eq 7
expect 1 "--hl-lt" -p icmpv6 --icmpv6-type 128 -m hl --hl-lt 8
expect 0 "--hl-gt with the hop limit itself" -p icmpv6 --icmpv6-type 128 -m hl --hl-gt 7
expect 1 "--src-range" -p icmp -m iprange --src-range 9.255.255.255-10.0.0.2
expect 0 "--src-range below the address" -p icmp -m iprange --src-range 10.0.0.0-10.0.0.1
expect 0 "--src-range above the address" -p icmp -m iprange --src-range 10.0.0.3-11.0.0.0
expect 0 "! --src-range" -p icmp -m iprange ! --src-range 10.0.0.2
expect 1 "--src-range and --dst-range" -p icmp -m iprange --src-range 10.0.0.2 --dst-range 10.0.0.0-10.0.0.1
expect 0 "--src-range and ! --dst-range" -p icmp -m iprange --src-range 10.0.0.2 ! --dst-range 10.0.0.1
expect 1 "--src-range, IPv6" -p icmpv6 --icmpv6-type 128 -m iprange --src-range fcff::-fd00::2
expect 0 "--dst-range above the address, IPv6" -p icmpv6 --icmpv6-type 128 -m iprange --dst-range fd00::1:0-fd01::
in_force
pings client 10.0.0.1 -t 7 >/dev/null
pings client fd00::1 -t 7 >/dev/null
counted

# Types of addresses. The server has addresses of another interface, too, and routes of all types.
ip -n server address add 10.9.0.1/32 dev lo
ip -n server address add fd09::1/128 dev lo
ip -n server route add blackhole 10.66.0.1 table local
ip -n server route add prohibit 10.66.0.2
ip -n server route add anycast 10.77.0.1 dev eth0 table local
ip -n server route add fd88::/64 via fd00::2
for type in unreachable:1 prohibit:2 blackhole:3; do
	ip -n server route add "${type%:*}" "fd66::${type#*:}"
done
macs=()
for host in server client; do
	macs+=("$(ip -n "$host" -json link show eth0 | field '.[0].address')")
done

# frames SOURCE DESTINATION...: sends a UDP packet to the server's interface for each pair of addresses. The table raw
# sees all of them, also those that routing drops.
frames() {
	on client env PYTHONPATH="$lib" python3 - "${macs[@]}" "$@" <<'PYTHON'
import ipaddress
import socket
import sys

from packet_frames import IPV4, IPV6, UDP, ipv4, ipv6, udp

server, client, *addresses = sys.argv[1:]
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as link:
    link.bind(("eth0", 0))
    for pair in zip(addresses[::2], addresses[1::2]):
        source, destination = (ipaddress.ip_address(address).packed for address in pair)
        build, kind = (ipv4, IPV4) if len(source) == 4 else (ipv6, IPV6)
        packet = build(UDP, udp(1000, 9), source, destination)
        link.send(bytes.fromhex((server + client).replace(":", "")) + kind.to_bytes(2) + packet)
PYTHON
}

packets=()
for destination in 10.0.0.1 10.9.0.1 10.0.0.255 255.255.255.255 224.0.0.77 192.0.2.1 10.66.0.1 10.66.0.2 10.77.0.1; do
	packets+=(10.0.0.2 "$destination")
done
packets+=(0.0.0.0 10.0.0.1 10.0.0.1 10.0.0.1)
for destination in fd00::1 fd09::1 ff02::1 fd66::1 fd66::2 fd66::3 fd99::1 fd88::1 fd00::; do
	packets+=(fd00::2 "$destination")
done
packets+=(:: fd00::1 fd66::1 fd00::1)

table=raw chain=PREROUTING
expect 5 "LOCAL, IPv4 and IPv6 in one rule" -p udp -m addrtype --dst-type LOCAL --src-type UNICAST
from4=(-p udp -s 10.0.0.2 -m addrtype)
expect 2 "LOCAL" "${from4[@]}" --dst-type LOCAL
expect 7 "! LOCAL" "${from4[@]}" ! --dst-type LOCAL
expect 1 "LOCAL of the incoming interface" "${from4[@]}" --dst-type LOCAL --limit-iface-in
expect 2 "BROADCAST" "${from4[@]}" --dst-type BROADCAST
expect 7 "! BROADCAST" "${from4[@]}" ! --dst-type BROADCAST
expect 1 "MULTICAST" "${from4[@]}" --dst-type MULTICAST
expect 1 "ANYCAST" "${from4[@]}" --dst-type ANYCAST
expect 3 "one of several types" "${from4[@]}" --dst-type LOCAL,MULTICAST
expect 3 "UNICAST, also what the kernel's table local rejects" "${from4[@]}" --dst-type UNICAST
expect 4 "UNICAST with a limit, also other interfaces' addresses" "${from4[@]}" --dst-type UNICAST --limit-iface-in
expect 0 "types that the kernel gives to no IPv4 address" "${from4[@]}" --dst-type BLACKHOLE,UNREACHABLE,PROHIBIT,THROW
expect 9 "the source is UNICAST" "${from4[@]}" --src-type UNICAST
expect 0 "the source is not" "${from4[@]}" ! --src-type UNICAST --dst-type LOCAL
expect 1 "a source of this host" -4 -p udp -m addrtype --src-type LOCAL
expect 1 "the source 0.0.0.0 is a BROADCAST" -p udp -m addrtype --src-type BROADCAST
from6=(-p udp -s fd00::2 -m addrtype)
expect 2 "LOCAL, IPv6" "${from6[@]}" --dst-type LOCAL
expect 7 "! LOCAL, IPv6" "${from6[@]}" ! --dst-type LOCAL
expect 1 "LOCAL of the incoming interface, IPv6" "${from6[@]}" --dst-type LOCAL --limit-iface-in
expect 1 "MULTICAST, IPv6" "${from6[@]}" --dst-type MULTICAST
expect 8 "! MULTICAST, IPv6" "${from6[@]}" ! --dst-type MULTICAST
expect 8 "UNICAST, IPv6" "${from6[@]}" --dst-type UNICAST
expect 2 "UNICAST and LOCAL, IPv6" "${from6[@]}" --dst-type UNICAST,LOCAL
expect 1 "ANYCAST, IPv6" "${from6[@]}" --dst-type ANYCAST
expect 3 "ANYCAST or LOCAL, IPv6" "${from6[@]}" --dst-type ANYCAST,LOCAL
expect 4 "UNREACHABLE, IPv6: no route, or one that rejects" "${from6[@]}" --dst-type UNREACHABLE
expect 1 "UNSPEC, IPv6" -6 -p udp -m addrtype --src-type UNSPEC
expect 2 "a source that is UNREACHABLE, IPv6" -6 -p udp -d fd00::1 -m addrtype --src-type UNREACHABLE
in_force
frames "${packets[@]}"
counted

table=filter chain=OUTPUT
expect 2 "LOCAL of the outgoing interface" -p udp -m addrtype --src-type LOCAL --limit-iface-out
expect 4 "LOCAL of any interface" -p udp -m addrtype --src-type LOCAL
in_force
for source in 10.0.0.1 10.9.0.1; do
	on server socat -u - "UDP4:10.0.0.2:9,bind=$source" <<<hello
done
for source in fd00::1 fd09::1; do
	on server socat -u - "UDP6:[fd00::2]:9,bind=[$source]" <<<hello
done
counted

local_in=(-m addrtype --dst-type LOCAL --limit-iface-in)
local_out=(-m addrtype --dst-type LOCAL --limit-iface-out)
refuse "--limit-iface-in in OUTPUT" 1 'PREROUTING, INPUT and FORWARD' rule -A OUTPUT "${local_in[@]}"
refuse "--limit-iface-in in POSTROUTING" 1 'PREROUTING, INPUT and FORWARD' rule -t nat -A POSTROUTING "${local_in[@]}"
refuse "--limit-iface-out in INPUT" 1 'FORWARD, OUTPUT and POSTROUTING' rule -A INPUT "${local_out[@]}"
refuse "--limit-iface-out in PREROUTING" 1 'FORWARD, OUTPUT and POSTROUTING' rule -t raw -A PREROUTING "${local_out[@]}"
check "--limit-iface-in in FORWARD" rule -A FORWARD "${local_in[@]}"
check "--limit-iface-out in FORWARD" rule -A FORWARD "${local_out[@]}"
check "and in POSTROUTING the outgoing one" rule -t nat -A POSTROUTING "${local_out[@]}"
rule -t nat -F
rule -N limited
check "a limit in a chain that nothing jumps to" rule -A limited "${local_in[@]}"
check "a jump from where it is fine" rule -A INPUT -j limited
refuse "a jump from where it is not" 1 'PREROUTING, INPUT and FORWARD' rule -A OUTPUT -j limited
refuse "the other limit in this chain" 1 'FORWARD, OUTPUT and POSTROUTING' rule -A limited "${local_out[@]}"
flush

# addrtype_rules VERSION: all types and some lists, of either address, inverted and limited, as a file to restore.
addrtype_rules() {
	local types=(UNSPEC UNICAST LOCAL ANYCAST MULTICAST UNREACHABLE LOCAL,UNICAST LOCAL,MULTICAST ANYCAST,UNREACHABLE
		LOCAL,ANYCAST,UNREACHABLE MULTICAST,UNICAST)
	[ "$1" = 6 ] || types+=(BROADCAST BLACKHOLE PROHIBIT THROW NAT XRESOLVE BROADCAST,LOCAL)
	local limited=("${types[@]/%/ --limit-iface-in}")
	echo '*raw'
	printf -- '-A PREROUTING -p udp -m addrtype %s\n' \
		"${types[@]/#/--src-type }" "${types[@]/#/! --src-type }" "${types[@]/#/--dst-type }" "${types[@]/#/! --dst-type }" \
		"${limited[@]/#/--dst-type }" "${limited[@]/#/! --src-type }"
	echo COMMIT
}

# counts_of COMMAND...: what the rules of raw's PREROUTING have counted.
counts_of() {
	on server "$@" -t raw -L PREROUTING -v -n -x | awk 'NR > 2 { print $1 }'
}

# counts_as IPTABLES VERSION: both count the same with each rule, and some count something.
counts_as() {
	paste <(addrtype_rules "$2" | grep ^-A) <(counts_of palisade "-$2") <(counts_of "$1") |
		awk -F '\t' '$2 != $3 { print; differs = 1 } { total += $2 } END { exit differs || !total }'
}
table=raw chain=PREROUTING
if modprobe xt_addrtype; then
	for version in 4 6; do
		iptables=iptables-legacy
		[ "$version" = 4 ] || iptables=ip6tables-legacy
		addrtype_rules "$version" | on server "$iptables-restore"
		addrtype_rules "$version" | on server palisade "-$version" restore
		frames "${packets[@]}"
		check "iptables counts the same, IPv$version" counts_as "$iptables" "$version"
		on server "$iptables" -t raw -F
		flush
	done
else
	skip "iptables counts the same" "this kernel has no addrtype"
fi
ip -n server address delete 10.9.0.1/32 dev lo
ip -n server address delete fd09::1/128 dev lo
ip -n server route delete blackhole 10.66.0.1 table local
ip -n server route delete anycast 10.77.0.1 dev eth0 table local
ip -n server route delete prohibit 10.66.0.2
ip -n server route delete fd88::/64
ip -n server route flush root fd66::/16

table=filter chain=INPUT
expect 1 "--icmp-type with a name" -p icmp --icmp-type echo-request
expect 1 "--icmp-type with a number" -p icmp --icmp-type 8
expect 1 "--icmp-type with a code" -p icmp --icmp-type 3/3
expect 0 "--icmp-type with another code" -p icmp --icmp-type 3/1
expect 1 "--icmp-type with the name of a code" -p icmp --icmp-type port-unreachable
expect 1 "--icmp-type without a code matches all codes" -p icmp --icmp-type 3
expect 0 "--icmp-type with another type" -p icmp --icmp-type 0
expect 1 "! --icmp-type" -p icmp ! --icmp-type 8
expect 2 "--icmp-type any" -p icmp --icmp-type any
expect 0 "! --icmp-type any" -p icmp ! --icmp-type any
expect 1 "--icmpv6-type with a name" -s fd00::2 -p icmpv6 --icmpv6-type echo-request
expect 1 "--icmpv6-type with a number" -s fd00::2 -p icmpv6 --icmpv6-type 128
expect 1 "--icmpv6-type with a code" -s fd00::2 -p icmpv6 --icmpv6-type 1/4
expect 0 "--icmpv6-type with another code" -s fd00::2 -p icmpv6 --icmpv6-type 1/3
expect 1 "! --icmpv6-type" -s fd00::2 -p icmpv6 ! --icmpv6-type 128
expect 2 "--icmpv6-type any" -s fd00::2 -p icmpv6 --icmpv6-type any
expect 1 "a comment matches every packet" -p icmp --icmp-type 8 -m comment --comment "pings from \"anywhere\""
expect 0 "the matches before a comment still count" -p icmp --icmp-type 0 -m comment --comment "no answers"
in_force
pings client 10.0.0.1 >/dev/null
pings client fd00::1 >/dev/null
datagram server 10.0.0.2 9
datagram server fd00::2 9
counted

rule -A INPUT -p icmp --icmp-type echo-request -j DROP
check "an ICMP type can be dropped" not pings client 10.0.0.1
flush

expect 2 "--dports with ports" -p udp -m multiport --dports 53,99
expect 2 "--dports with a range" -p udp -m multiport --dports 7,50:60
expect 4 "--dports: one matching port is enough" -p udp -m multiport --dports 53,70
expect 2 "! --dports" -p udp -m multiport ! --dports 53
expect 1 "--dports with -4" -4 -p udp -m multiport --dports 53,99
expect 1 "--dports with -6" -6 -p udp -m multiport --dports 53,99
expect 2 "--dports with the name of a service" -p udp -m multiport --dports domain,ntp
expect 2 "--dports: the last of 15 ports" -p udp -m multiport --dports 1,2,3,4,5,6,7,8,9,10,11,12,13,14,70
expect 4 "--sports" -p udp -m multiport --sports 4000:4001
expect 0 "--sports does not look at destinations" -p udp -m multiport --sports 53,70
expect 4 "--ports looks at both" -p udp -m multiport --ports 53,4001
expect 0 "! --ports" -p udp -m multiport ! --ports 53,4001
expect 0 "--dports: the protocol of the rule counts" -p tcp -m multiport --dports 53,70
in_force
for address in 10.0.0.1 fd00::1; do
	datagram client "$address" 53 4000
	datagram client "$address" 70 4001
done
counted

# marks DESCRIPTION MARK OPTION...: a rule changes the mark, and the next one counts the packets with the new mark.
marks() {
	local description=$1 mark=$2
	shift 2
	expect 2 "$description continues" -p udp -j MARK "$@"
	expect 2 "$description makes the mark $mark" -m mark --mark "$mark"
}
table=raw chain=PREROUTING
marks "--set-mark" 0xff --set-mark 0xff
marks "--and-mark" 0x0f --and-mark 0x0f
marks "--or-mark" 0x3f --or-mark 0x30
marks "--xor-mark" 0x3c --xor-mark 0x03
marks "--set-xmark with a mask" 0x3d --set-xmark 0x0d/0x0c
marks "--set-mark with a mask" 0x0d --set-mark 0x00/0x30
in_force
rule -A INPUT -m mark --mark 0x0d
rule -A INPUT -p udp -m mark ! --mark 0x0d
rule -A INPUT -m mark --mark 0x05/0x07
rule -A INPUT -p udp -m mark --mark 0x0d/0x0c
datagram client 10.0.0.1 53
datagram client fd00::1 53
check "a mark stays with the packet" has_counted "$(counter server filter INPUT 1)" 2
check "! --mark" has_counted "$(counter server filter INPUT 2)" 0
check "--mark with a mask" has_counted "$(counter server filter INPUT 3)" 2
check "--mark with bits outside its mask never matches" has_counted "$(counter server filter INPUT 4)" 0
counted

tracks() {
	on server nft list hooks | grep -q nf_conntrack
}
check "without a rule that needs it, nothing is tracked" not tracks
table=filter chain=INPUT
for version in 4 6; do
	message=(-p icmp)
	[ "$version" = 4 ] || message=(-p icmpv6 -s fd00::2)
	expect 4 "IPv$version: four messages" "${message[@]}"
	expect 1 "IPv$version: the first packet is NEW" "${message[@]}" -m conntrack --ctstate NEW
	expect 1 "IPv$version: packets after an answer are ESTABLISHED" "${message[@]}" -m conntrack --ctstate ESTABLISHED
	expect 1 "IPv$version: an error is RELATED" "${message[@]}" -m conntrack --ctstate RELATED
	expect 1 "IPv$version: an answer to nothing is INVALID" "${message[@]}" -m conntrack --ctstate INVALID
	expect 2 "IPv$version: one of several states" "${message[@]}" -m conntrack --ctstate RELATED,ESTABLISHED
	expect 3 "IPv$version: ! --ctstate" "${message[@]}" -m conntrack ! --ctstate NEW
	expect 2 "IPv$version: ! --ctstate with several states" "${message[@]}" -m conntrack ! --ctstate NEW,INVALID
	expect 2 "IPv$version: -m state --state" "${message[@]}" -m state --state NEW,ESTABLISHED
	expect 0 "IPv$version: nothing is untracked or translated" "${message[@]}" -m conntrack --ctstate UNTRACKED,SNAT,DNAT
done
in_force
check "a conntrack match enables connection tracking" tracks
on client ping -n -q -c 2 -i 0.2 -W 1 10.0.0.1 >/dev/null
on client ping -n -q -c 2 -i 0.2 -W 1 fd00::1 >/dev/null
datagram server 10.0.0.2 9
datagram server fd00::2 9
raw reply
counted
check "which ends with the last such rule" not tracks

rule -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
rule -A INPUT -p tcp --syn -m multiport --dports 22,443 -m state --state NEW -j ACCEPT
rule -P INPUT DROP
check "a stateful firewall: what is allowed, on IPv4" connects client 10.0.0.1 22
check "a stateful firewall: what is allowed, on IPv6" connects client fd00::1 22
check "a stateful firewall: what is not" not connects client 10.0.0.1 80
flush

# Translated by nftables.
if on server nft -f - <<'NFT'; then
table ip translation {
	chain prerouting {
		type nat hook prerouting priority dstnat
		udp dport 5353 redirect to :53
	}
}
NFT
	expect 1 "a translated packet has the state DNAT" -p udp -m conntrack --ctstate DNAT
	expect 1 "and is NEW as well" -p udp --dport 53 -m conntrack --ctstate NEW
	expect 0 "but not SNAT" -p udp -m conntrack --ctstate SNAT
	expect 1 "! --ctstate DNAT" -p udp -m conntrack ! --ctstate DNAT
	in_force
	datagram client 10.0.0.1 5353
	datagram client 10.0.0.1 70
	counted
	on server nft delete table ip translation
else
	skip "DNAT as a state" "nftables has no NAT here"
fi

rule -t raw -A PREROUTING -p udp --dport 53 -j CT --notrack
rule -t raw -A PREROUTING -p udp --dport 54 -j NOTRACK
rule -t raw -A PREROUTING -i lo -j NOTRACK
rule -t raw -A OUTPUT -p udp --dport 55 -j NOTRACK
rule -A OUTPUT -p udp -m conntrack --ctstate UNTRACKED
expect 2 "CT --notrack" -p udp --dport 53 -m conntrack --ctstate UNTRACKED
expect 1 "NOTRACK" -p udp --dport 54 -m conntrack --ctstate UNTRACKED
expect 0 "an untracked packet is not INVALID" -p udp -m conntrack --ctstate INVALID
expect 1 "other packets are tracked" -p udp --dport 70 -m conntrack --ctstate NEW
expect 2 "a packet that OUTPUT has tracked stays so on the loopback interface" -i lo -p icmp --icmp-type 8 -m conntrack ! --ctstate UNTRACKED
in_force
datagram client 10.0.0.1 53
datagram client fd00::1 53
datagram client 10.0.0.1 54
datagram client 10.0.0.1 70
on server ping -n -q -c 2 -i 0.2 -W 1 127.0.0.1 >/dev/null
datagram server 10.0.0.2 55
datagram server 10.0.0.2 56
check "NOTRACK in OUTPUT" has_counted "$(counter server filter OUTPUT 1)" 1
check "conntrack lists no untracked connection" not sh -c 'ip netns exec server conntrack -L -p udp 2>/dev/null | grep -E "dport=5[345] "'
counted
refuse "NOTRACK outside of raw" 1 'only the table raw' rule -A INPUT -j NOTRACK
refuse "CT --notrack outside of raw" 1 'only the table raw' rule -A INPUT -j CT --notrack

saved() {
	cat <<'SAVED'
-A INPUT -p icmp -m icmp ! --icmp-type 3/4
-A INPUT -p icmp -m icmp --icmp-type any -j DROP
-A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 128
-A INPUT -p tcp -m multiport ! --dports 22,80,1000:2000 -m conntrack ! --ctstate RELATED,ESTABLISHED -j DROP
-A INPUT -p udp -m multiport --ports 53 -m mark ! --mark 0x1/0xff
-A INPUT -m mark --mark 0x0 -m comment --comment "it's \"all\" \$mine" -j MARK --set-xmark 0x1/0xff
-A INPUT -m addrtype ! --src-type LOCAL,BROADCAST --limit-iface-in -j DROP
-A INPUT -p tcp -m tls ! --host "*.example.org" --alpn h2 -j DROP
-A INPUT -p tcp -m http --method GET --host www.example.org:8080 ! --path "/api/*" -j ACCEPT
-A INPUT -m comment --comment "" -j ACCEPT
SAVED
}

restored() {
	local line
	while read -r line; do
		eval "rule $line" || { echo "$line"; return 1; }
	done < <(saved)
	diff <(saved) <(rule -S INPUT | grep -v '^-P')
}

found() {
	local line
	while read -r line; do
		eval "rule -C ${line#-A}" || { echo "$line"; return 1; }
		eval "rule -D ${line#-A}" || { echo "$line"; return 1; }
	done < <(saved)
	[ -z "$(rule -S INPUT | grep -v '^-P')" ]
}
check "saved rules are accepted again" restored
check "JSON has the options" sh -c 'ip netns exec server palisade -L INPUT --json | jq -e ".[0].rules[3].matches | map(.name) == [\"multiport\", \"conntrack\"]"'
check "-C and -D find them as they are printed" found
rule -t raw -A PREROUTING -j NOTRACK
check "NOTRACK is saved as CT --notrack" sh -c 'ip netns exec server palisade -t raw -S PREROUTING | grep -qxe "-A PREROUTING -j CT --notrack"'
flush

finish
