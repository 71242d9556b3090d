#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
#
# A full list makes room for a new address. It evicts the address that was not seen for the longest time.
#
# The server is on the switch of lib.sh, where no packets are sent. The flood comes by a link of its own:
#
#	+-----------------------------------+       +-------------------------+
#	|              server               |       |         flooder         |
#	|                             eth1 -+-------+- eth1                   |
#	|    eth0          198.51.100.1/24  |       |  (no address)           |
#	| 10.0.0.1/24           rp_filter=0 |       |                         |
#	+-----+-----------------------------+       +-------------------------+
#	      |
#	------+------  switch

. "$(dirname "$0")/../lib/lists.sh"
make_hosts server

list create small size=4
list add small 192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4
check "a list takes as many addresses as its size" test "$(entries server small)" -eq 4
check "and evicts none" test "$(list show small --json | field .evicted)" -eq 0
list add small 192.0.2.1
list add small 192.0.2.5
check "one more does not enlarge it" test "$(entries server small)" -eq 4
check "but evicts one" test "$(list show small --json | field .evicted)" -eq 1
check "the new address is in the list" lists server small 192.0.2.5
check "the address that was not seen for the longest time is gone" not lists server small 192.0.2.2
check "the oldest address is still there, since it was seen again" lists server small 192.0.2.1
list add small 192.0.2.6
check "the next address evicts the next oldest" not lists server small 192.0.2.3

list create one size=1
list add one 192.0.2.1
list add one 192.0.2.2
check "a list of size 1 has the last address" test "$(list show one --json | field '[.entries[].address] | join(" ")')" = 192.0.2.2

# Many more addresses than the list has room for.
list create many size=1000
python3 -c '
import ipaddress
start = int(ipaddress.ip_address("10.1.0.0"))
for number in range(5000):
    print(ipaddress.ip_address(start + number))' >/tmp/addresses
check "5,000 addresses are added to a list of 1,000" list add many - </tmp/addresses
check "it has 1,000 of them" test "$(entries server many)" -eq 1000
check "and has evicted 4,000" test "$(list show many --json | field .evicted)" -eq 4000
newest=$(tail -n 1000 /tmp/addresses | sort | md5sum)
check "the last 1,000 are in the list" test "$(list show many --json | field '.entries[].address' | sort | md5sum)" = "$newest"

# A flood with spoofed addresses.
make_client() {
	ip netns add flooder
	hosts+=(flooder)
	ip link add eth1 netns flooder type veth peer name eth1 netns server
	ip -n flooder link set eth1 up
	ip -n server link set eth1 up
	ip -n server address add 198.51.100.1/24 dev eth1
	on server sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth1.rp_filter=0
}
make_client
on server palisade list create flood size=100
on server palisade -t raw -A PREROUTING -p udp -m recent --name flood --set -j DROP
on flooder env PYTHONPATH="$lib" python3 -c '
import socket
from packet_frames import CLIENT_MAC, IPV4, UDP, ipv4, udp
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as link:
    link.bind(("eth1", 0))
    for n in range(1000):
        packet = ipv4(UDP, udp(53, 9), bytes([172, 16, n // 250, n % 250 + 1]), bytes([198, 51, 100, 1]))
        link.send(b"\xff" * 6 + CLIENT_MAC + IPV4.to_bytes(2) + packet)'
seen() {
	[ "$(counter server raw PREROUTING 1)" -eq 1000 ]
}
check "every packet of a flood from 1,000 sources was seen" eventually 30 seen
check "and the list of 100 is full" test "$(entries server flood)" -eq 100
check "with the latest in it" lists server flood 172.16.3.250

finish
