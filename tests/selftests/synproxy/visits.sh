#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
#
# Connections to servers in a VRF, on the proxy's host and behind it; connections over a link with a smaller MTU whose ICMP
# errors are lost; and TCP Fast Open.
#
#	+-------------+                                +------------------------+           +-------------+
#	|   client    |                                |         proxy          |           |   server    |
#	|         c0 -+--------------------------------+- p0                p1 -+-----------+- s0         |
#	|   10.1.0.1  |                                | 10.1.0.2     10.2.0.1  |           | 10.2.0.2    |
#	|             |       +----------------+       |                        |           | (port 80)   |
#	|             |       |     middle     |       |  (SYNPROXY)            |           +-------------+
#	|         c1 -+-------+- m0        m1 -+-------+- p2                    |
#	|   10.3.0.1  |       | 10.3.0.2       |       | 10.4.0.2               |
#	+-------------+       |     10.4.0.1   |       +------------------------+
#	                      | (drops its own |
#	                      |  ICMP errors)  |
#	                      +----------------+
#
# 10.N.0.H/24 has fd00:N::H/64 beside it. The default routes of client and server lead to proxy. narrow() routes the
# client's packets to the server by c1, while the link between m1 and p2 has an MTU of 1400. In the end p0 and p1 are in
# vrf1, where proxy has a server of its own.

. "$(dirname "$0")/../lib/lib.sh"
modprobe palisade
modprobe vrf
hosts=(client proxy server middle)
for host in "${hosts[@]}"; do
	ip netns add "$host"
	ip -n "$host" link set lo up
	on "$host" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv6.conf.all.accept_dad=0 \
		net.ipv6.conf.default.accept_dad=0
done
trap remove_hosts EXIT
# veth HOST DEVICE NETWORK HOST DEVICE: a veth pair. The hosts get addresses 1 and 2 of a network.
veth() {
	ip link add "$2" netns "$1" type veth peer name "$5" netns "$4"
	local number=0 host device
	for host in "$1 $2" "$4 $5"; do
		read -r host device <<<"$host"
		number=$((number + 1))
		ip -n "$host" address add "10.$3.0.$number/24" dev "$device"
		ip -n "$host" address add "fd00:$3::$number/64" dev "$device" nodad
		ip -n "$host" link set "$device" up
	done
}
# listen_at HOST: starts a server that speaks first, reads as many bytes as the client announces, and answers with 100,000.
listen_at() {
	start "$1" python3 -c '
import socket, threading
def serve(client):
    with client:
        client.sendall(b"hello\n")
        wanted = int(client.recv(7))
        while wanted > 0 and (data := client.recv(65536)):
            wanted -= len(data)
        client.sendall(b"all of it\n" * 10000)
listener = socket.create_server(("::", 80), family=socket.AF_INET6, dualstack_ipv6=True, backlog=64)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()'
	disown
	eventually 30 on "$1" sh -c "ss -Hltn sport = :80 | grep -q ."
}
# visit ADDRESS [BYTES [VISITS]]: the client reads the greeting, sends so many bytes, and reads the answer.
visit() {
	on client python3 -c '
import socket, sys
address, size, visits = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
for number in range(visits):
    with socket.create_connection((address, 80), 10) as client:
        assert client.recv(6) == b"hello\n", f"visit {number}: no greeting"
        client.sendall(b"%07d" % size + bytes(size))
        got = 0
        while data := client.recv(65536):
            got += len(data)
        assert got == 100000, f"visit {number}: {got} bytes"' "$1" "${2:-1}" "${3:-1}"
}

# fast_visit ADDRESS: as visit, by TCP Fast Open, with data in the SYN if the client has a cookie of the server.
fast_visit() {
	on client python3 -c '
import socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
with socket.socket(family) as client:
    client.sendto(b"%07d\0" % 1, socket.MSG_FASTOPEN, (sys.argv[1], 80))
    assert client.recv(6) == b"hello\n", "no greeting"
    got = 0
    while data := client.recv(65536):
        got += len(data)
    assert got == 100000, f"{got} bytes"' "$1"
}
# is_in_time ADDRESS: one of up to ten fast visits causes no timeout at the client. A busy machine may stand still during the
# others. Each visit adds a line to a file.
is_in_time() {
	local attempt
	for attempt in {1..10}; do
		on client nstat -n
		fast_visit "$1" || return 1
		echo >>"$fast"
		on client nstat -z -j >"$fast.json"
		jq -e '.kernel | .TcpExtTCPFastOpenActiveFail == 1 and .TcpExtTCPTimeouts + .TcpExtTCPLossProbes == 0' "$fast.json" &&
			return
		echo "visit $attempt: $(jq -c '.kernel | {TcpExtTCPTimeouts, TcpExtTCPLossProbes, TcpExtTCPFastOpenActiveFail}' "$fast.json")"
	done
	return 1
}
fast=$(mktemp)

veth client c0 1 proxy p0
veth proxy p1 2 server s0
veth client c1 3 middle m0
veth middle m1 4 proxy p2
for host in "client 10.1.0.2 fd00:1::2" "server 10.2.0.1 fd00:2::1"; do
	read -r host gateway gateway6 <<<"$host"
	ip -n "$host" route add default via "$gateway"
	ip -n "$host" route add default via "$gateway6"
done
# The server gives cookies of TCP Fast Open.
on server sysctl -qw net.ipv4.tcp_fastopen=0x403
listen_at server
for address in 10.2.0.2 fd00:2::2; do
	check "$address: the client gets a cookie of TCP Fast Open" fast_visit "$address"
done

# The link from middle to proxy is narrow. Middle sends no ICMP errors about it; the proxy does, to the server.
ip -n middle link set m1 mtu 1400
ip -n proxy link set p2 mtu 1400
on middle nft -f - <<'RULES'
table inet silent {
	chain output {
		type filter hook output priority filter; policy accept;
		icmp type destination-unreachable drop
		icmpv6 type packet-too-big drop
	}
}
RULES
for route in "proxy 10.3.0.0/24 10.4.0.1" "proxy fd00:3::/64 fd00:4::1" \
	"middle 10.2.0.0/24 10.4.0.2" "middle fd00:2::/64 fd00:4::2"; do
	read -r host network gateway <<<"$route"
	ip -n "$host" route add "$network" via "$gateway"
done
narrow() {
	ip -n client route replace 10.2.0.2 via 10.3.0.2 src 10.3.0.1
	ip -n client route replace fd00:2::2 via fd00:3::2 src fd00:3::1
}
wide() {
	ip -n client route delete 10.2.0.2
	ip -n client route delete fd00:2::2
}
check "port 80 is protected" on proxy palisade protect 80
for address in 10.2.0.2 fd00:2::2; do
	check "$address: data that was in the SYN is retransmitted without a timeout" is_in_time "$address"
done
for address in 10.2.0.2 fd00:2::2; do
	narrow
	check "$address: the first upload over a narrow link" visit "$address" 200000
	check "$address: the second one" visit "$address" 200000
	wide
	check "$address: an upload over a wide link" visit "$address" 200000
	narrow
	check "$address: and over the narrow one again" visit "$address" 200000
	wide
done

# A VRF on the proxy, with a server of the proxy in it.
ip -n proxy link add vrf1 type vrf table 10
ip -n proxy link set vrf1 up
for device in p0 p1; do
	ip -n proxy link set "$device" master vrf1
done
# Devices that are moved to a VRF lose their IPv6 addresses.
ip -n proxy address add fd00:1::2/64 dev p0 nodad 2>/dev/null
ip -n proxy address add fd00:2::1/64 dev p1 nodad 2>/dev/null
on proxy sysctl -qw net.ipv4.tcp_l3mdev_accept=1
listen_at proxy
for address in 10.1.0.2 fd00:1::2; do
	check "$address: nine visits to a server in a VRF" visit "$address" 1 9
done
for address in 10.2.0.2 fd00:2::2; do
	check "$address: nine visits to a server behind a VRF" visit "$address" 1 9
done
check "SYNPROXY opened all of them" eval '[ "$(on proxy palisade protect --status --json | field ".[0].opened")" = $((44 + $(wc -l <"$fast"))) ]'
finish
