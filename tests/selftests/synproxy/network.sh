#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
#
# SYNPROXY in networks that are not simple: VLANs, translated addresses, lossy links, smaller MTUs.
#
# Hosts: the row of lib/synproxy.sh. The servers are on proxy (10.2.0.1) and server (10.4.0.2). West and proxy are also
# connected by a VLAN, on the same link:
#
#	+-------------------------+         +-------------------------+
#	|          west           |         |          proxy          |
#	|                  right -+---------+- left                   |
#	|               10.2.0.2  |         |  10.2.0.1               |
#	|                 tagged -+- - - - -+- tagged     VLAN id 7   |
#	|           10.7.0.2/24   |         |  10.7.0.1/24            |
#	|           fd00:7::2/64  |         |  fd00:7::1/64           |
#	+-------------------------+         +-------------------------+

. "$(dirname "$0")/../lib/synproxy.sh"
make_row
only_proxied
serve proxy
serve server
for host in proxy server; do
	offer "$host" 82
	collect "$host" 83 "/tmp/kept-$host"
done
protect 80:83

# A VLAN between west and the proxy.
modprobe 8021q
for host in west proxy; do
	interface=$([ $host = west ] && echo right || echo left)
	number=$([ $host = west ] && echo 2 || echo 1)
	ip -n $host link add link $interface name tagged type vlan id 7
	ip -n $host address add 10.7.0.$number/24 dev tagged
	ip -n $host address add fd00:7::$number/64 dev tagged nodad
	ip -n $host link set tagged up
done
reach client 7 1 1
on proxy ip route replace 10.1.0.0/24 via 10.7.0.2
on proxy ip -6 route replace fd00:1::/64 via fd00:7::2
check "VLAN, IPv4: a server on the proxy's host" gets_file client http://10.7.0.1/file
check "VLAN, IPv6: a server on the proxy's host" gets_file client 'http://[fd00:7::1]/file'
on west ip route replace 10.4.0.0/24 via 10.7.0.1
on west ip -6 route replace fd00:4::/64 via fd00:7::1
check "VLAN, IPv4: a server behind it" gets_file client http://10.4.0.2/file
check "VLAN, IPv6: a server behind it" gets_file client 'http://[fd00:4::2]/file'
check "VLAN: the client sends" uploads 10.4.0.2:83 /tmp/kept-server
on west ip route replace 10.4.0.0/24 via 10.2.0.1
on west ip -6 route replace fd00:4::/64 via fd00:2::1
on proxy ip route replace 10.1.0.0/24 via 10.2.0.2
on proxy ip -6 route replace fd00:1::/64 via fd00:2::2

# The proxy's packets to the client leave by another interface than the client's packets come in by.
on proxy ip route replace 10.1.0.0/24 via 10.7.0.2
check "asymmetric routing: answers leave by another interface" gets_file client http://10.4.0.2/file
on proxy ip route replace 10.1.0.0/24 via 10.2.0.2

# Translated addresses and ports.
on proxy iptables -t nat -A PREROUTING -p tcp -d 10.2.0.1 --dport 81 -j DNAT --to-destination 10.4.0.2:80
check "DNAT by iptables, to another host" gets_file client http://10.2.0.1:81/file
on proxy iptables -t nat -F
on proxy ip6tables -t nat -A PREROUTING -p tcp -d fd00:2::1 --dport 81 -j DNAT --to-destination '[fd00:4::2]:80'
check "the same with IPv6" gets_file client 'http://[fd00:2::1]:81/file'
on proxy ip6tables -t nat -F
on proxy iptables -t nat -A POSTROUTING -p tcp --dport 80 -o right -j MASQUERADE
check "MASQUERADE by iptables" gets_file client http://10.4.0.2/file
on proxy iptables -t nat -F
redirected() {
	on proxy "$1" -t nat -A PREROUTING -p tcp --dport 81 -j REDIRECT --to-ports 8080
	gets_file client "$2"
	local status=$?
	on proxy "$1" -t nat -F
	return $status
}
check "REDIRECT by iptables" redirected iptables http://10.2.0.1:81/file
if [ "$kind" != iptables ]; then
	check "REDIRECT by Palisade" redirected palisade http://10.2.0.1:81/file
	check "REDIRECT by Palisade, IPv6" redirected palisade 'http://[fd00:2::1]:81/file'
fi

# A smaller MTU behind a router, which sends ICMP errors. These quote the sequence numbers of the other side of the proxy.
# narrow HOST NETWORK INTERFACE: lowers the MTU of the host's routes to a network. widen restores it.
narrow() {
	ip -n "$1" route replace "10.$2.0.0/24" dev "$3" mtu 1300
	ip -n "$1" -6 route replace "fd00:$2::/64" dev "$3" metric 256 mtu 1300
	for host in client server proxy; do
		on $host ip route flush cache
		on $host ip -6 route flush cache
	done
}
widen() {
	ip -n "$1" route replace "10.$2.0.0/24" dev "$3"
	ip -n "$1" -6 route replace "fd00:$2::/64" dev "$3" metric 256
}
# has_learned HOST ADDRESS: the host knows the smaller path MTU.
has_learned() {
	on "$1" ip route get "$2" | grep 'mtu 1300'
}
narrow west 1 left
for address in 10.4.0.2 '[fd00:4::2]'; do
	check "a smaller MTU towards the client: from the server $address" downloads "$address:82"
done
check "the server knows the path MTU" has_learned server 10.1.0.2
check "the server knows the path MTU, IPv6" has_learned server fd00:1::2
for address in 10.2.0.1 '[fd00:2::1]'; do
	check "a smaller MTU towards the client: from the proxy's host $address" downloads "$address:82"
done
widen west 1 left
narrow east 4 right
for address in 10.4.0.2 '[fd00:4::2]'; do
	check "a smaller MTU towards the server $address" uploads "$address:83" /tmp/kept-server
done
check "the client knows the path MTU" has_learned client 10.4.0.2
check "the client knows the path MTU, IPv6" has_learned client fd00:4::2
widen east 4 right

if modprobe -q sch_netem; then
	for device in "west left" "west right" "proxy right" "east right"; do
		read -r host interface <<<"$device"
		on "$host" tc qdisc add dev "$interface" root netem delay 3ms 2ms loss 2% reorder 10%
	done
	# If the server speaks first and the client's ACK with the cookie is lost, no retransmission brings the cookie, and the
	# client has to connect again.
	downloads_again() {
		downloads "$1" 20 || downloads "$1" 20 || downloads "$1" 60
	}
	for address in 10.4.0.2 '[fd00:4::2]'; do
		check "lost and reordered packets: from $address" downloads_again "$address:82"
		check "lost and reordered packets: to $address" uploads "$address:83" /tmp/kept-server 60
	done
	lossy() {
		[ "$(on client curl -s -m 60 -H 'Connection: close' 'http://10.4.0.2/?[1-30]' | grep -c served)" -eq 30 ]
	}
	check "lost and reordered packets: in handshakes" lossy
else
	skip "lossy links" "this kernel has no netem"
fi
finish
