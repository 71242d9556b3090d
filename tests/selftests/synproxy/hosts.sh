#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
#
# SYNPROXY on hosts as people have them: with ssh, with the rules that Docker and firewalld make, and with ten
# thousand connections at a time.
#
#	+-------------+     +------------------------------------+     +---------------+
#	|   client    |     |               server               |     |   container   |
#	|             |     |  (SYNPROXY, DNAT 8080 to           |     |               |
#	|             |     |   172.17.0.2:80, masquerade)       |     |               |
#	|             |     |                           docker0 -+-----+- eth0         |
#	|    eth0     |     |    eth0             172.17.0.1/16  |     | 172.17.0.2/16 |
#	| 10.0.0.1/24 |     | 10.0.0.2/24                        |     +---------------+
#	+------+------+     +------+-----------------------------+
#	       |                   |                              docker0 is one end of a veth pair here, and no bridge
#	-------+-------------------+-------  switch of lib.sh

. "$(dirname "$0")/../lib/lib.sh"
modprobe palisade
modprobe nf_conntrack
make_hosts client server
echo 65536 >/proc/sys/net/netfilter/nf_conntrack_max
folder=$(mktemp -d)
head -c 3000000 /dev/urandom >"$folder/file"
trap 'remove_hosts; rm -r "$folder"' EXIT

# ssh: the server speaks first, and connections are long.
ssh-keygen -q -t ed25519 -N '' -f "$folder/host"
ssh-keygen -q -t ed25519 -N '' -f "$folder/user"
cp "$folder/user.pub" "$folder/authorized"
chmod 600 "$folder/authorized"
mkdir -p /run/sshd
on server /usr/sbin/sshd -f /dev/null -h "$folder/host" -o "AuthorizedKeysFile=$folder/authorized" \
	-o StrictModes=no -o UsePAM=no -o PidFile=none
eventually 30 on server sh -c "ss -Hltn sport = :22 | grep -q ."
by_ssh() {
	on client timeout 180 ssh -i "$folder/user" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
		-o LogLevel=ERROR "$@"
}
check "ssh is protected" on server palisade protect 22
check "a command runs" by_ssh root@10.0.0.2 true
check "its output arrives complete" eval 'by_ssh root@10.0.0.2 "cat $folder/file" | cmp - "$folder/file"'
check "and so does its input, over IPv6" eval 'by_ssh root@fd00::2 "cmp - $folder/file" <"$folder/file"'
check "SYNPROXY opened all three" eval '[ "$(on server palisade protect --status --json | field ".[0].opened")" = 3 ]'

# As with Docker: a container behind the host, with one of the host's ports. And firewalld's zone for other ports.
ip netns add container
hosts+=(container)
ip link add docker0 netns server type veth peer name eth0 netns container
ip -n server address add 172.17.0.1/16 dev docker0
ip -n container address add 172.17.0.2/16 dev eth0
for host in "server docker0" "container eth0" "container lo"; do
	# shellcheck disable=SC2086 # a host and an interface
	set -- $host
	ip -n "$1" link set "$2" up
done
ip -n container route add default via 172.17.0.1
on server sysctl -qw net.ipv4.ip_forward=1
on server nft -f - <<'RULES'
table ip nat {
	chain DOCKER {
		iifname "docker0" return
		iifname != "docker0" tcp dport 8080 dnat to 172.17.0.2:80
	}
	chain PREROUTING {
		type nat hook prerouting priority dstnat; policy accept;
		fib daddr type local jump DOCKER
	}
	chain OUTPUT {
		type nat hook output priority dstnat; policy accept;
		ip daddr != 127.0.0.0/8 fib daddr type local jump DOCKER
	}
	chain POSTROUTING {
		type nat hook postrouting priority srcnat; policy accept;
		oifname != "docker0" ip saddr 172.17.0.0/16 masquerade
	}
}
table ip filter {
	chain FORWARD {
		type filter hook forward priority filter; policy drop;
		oifname "docker0" ct state established,related accept
		iifname != "docker0" oifname "docker0" ip daddr 172.17.0.2 tcp dport 80 accept
		iifname "docker0" accept
	}
}
table inet firewalld {
	chain mangle_PREROUTING {
		type filter hook prerouting priority mangle + 10; policy accept;
		meta nfproto ipv6 fib saddr . mark . iif oif missing drop
	}
	chain filter_INPUT {
		type filter hook input priority filter + 10; policy accept;
		ct state { established, related } accept
		ct status dnat accept
		iifname "lo" accept
		ct state invalid drop
		tcp dport { 22, 80 } ct state new accept
		reject with icmpx admin-prohibited
	}
	chain filter_FORWARD {
		type filter hook forward priority filter + 10; policy accept;
		ct state { established, related } accept
		ct status dnat accept
		iifname "lo" accept
		ct state invalid drop
		reject with icmpx admin-prohibited
	}
	chain filter_OUTPUT {
		type filter hook output priority filter + 10; policy accept;
		ct state { established, related } accept
		oifname "lo" accept
	}
}
RULES
web() {
	on "$1" python3 -m http.server --directory "$folder" --bind "$2" 80 &>/dev/null &
	disown
	eventually 30 on "$1" sh -c "ss -Hltn sport = :80 | grep -q ."
}
web container 0.0.0.0
web server ::
gets() { on client curl -gs -m 60 "http://$1/file" | cmp - "$folder/file"; }
check "without SYNPROXY, the container's port is reached" gets 10.0.0.2:8080
check "and the host's" gets 10.0.0.2:80
check "both are protected" on server palisade protect 80 8080
check "the container's port is reached" gets 10.0.0.2:8080
check "and the host's" gets 10.0.0.2:80
check "and over IPv6" gets '[fd00::2]:80'
check "SYNPROXY opened all of these" eval '[ "$(on server palisade protect --status --json |
	field "map(select(.port == 80 or .port == 8080).opened) | sort | join(\" \")")" = "1 2" ]'
check "a port that firewalld rejects is still refused" not connects client 10.0.0.2 81
check "the container reaches the host's server" on container curl -s -m 30 -o /dev/null http://10.0.0.2/
check "the host reaches its own server" on server curl -s -m 30 -o /dev/null http://10.0.0.2/
on server nft flush ruleset

check "ten thousand connections at the same time" timeout 900 "$lib/crowd.py" client server 10.0.0.2 10000
finish
