# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the demo's parts share: a server (10.0.0.1), an attacker (10.0.0.66) and a visitor (10.0.0.7) on one switch, which
# are network namespaces of the VM, and a folder for what a part needs. They are gone when the script that sources
# this ends.

work=$(mktemp -d)
start=$(cut -d' ' -f1 /proc/uptime)
hosts=(switch)

say() {
	printf '%6.1fs  %s\n' "$(awk -v start="$start" '{ print $1 - start }' /proc/uptime)" "$*"
}

# type_on_server FILE: shows the commands that are in it, and runs them there.
type_on_server() {
	say "the rules, as one would give them to iptables:"
	sed 's/^/           /' "$1"
	ip netns exec server bash -e "$1" || exit 1
}

# add_host NAME ADDRESS HOST PORT: a host that is plugged into a port of another one.
add_host() {
	local name=$1 address=$2 host=$3 port=$4
	hosts+=("$name")
	ip netns add "$name"
	ip -n "$name" link set lo up
	ip link add "$port" netns "$host" type veth peer name eth0 netns "$name"
	ip -n "$host" link set "$port" up
	ip -n "$name" address add "$address/24" dev eth0
	ip -n "$name" link set eth0 up
}

# make_host NAME NUMBER: a host on the switch, 10.0.0.NUMBER.
make_host() {
	add_host "$1" "10.0.0.$2" switch "port$2"
	ip -n switch link set "port$2" master bridge
}

# make_host_behind NAME NUMBER: a host behind the server (10.0.NUMBER.1), 10.0.NUMBER.2, which the server forwards to.
make_host_behind() {
	add_host "$1" "10.0.$2.2" server "behind$2"
	ip -n server address add "10.0.$2.1/24" dev "behind$2"
	ip -n "$1" route add default via "10.0.$2.1"
	ip netns exec server sysctl -qw net.ipv4.ip_forward=1
}

clean_up() {
	local name
	for name in "${hosts[@]}"; do
		ip netns pids "$name" 2>/dev/null | xargs -r kill 2>/dev/null
		ip netns del "$name" 2>/dev/null
	done
	rm -rf "$work"
}

make_hosts() {
	trap clean_up EXIT
	ip netns add switch
	ip -n switch link add bridge type bridge
	ip -n switch link set bridge up
	make_host server 1
	make_host attacker 66
	make_host visitor 7
}
