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

make_host() {
	local name=$1 number=$2
	hosts+=("$name")
	ip netns add "$name"
	ip -n "$name" link set lo up
	ip link add "port$number" netns switch type veth peer name eth0 netns "$name"
	ip -n switch link set "port$number" master bridge up
	ip -n "$name" address add "10.0.0.$number/24" dev eth0
	ip -n "$name" link set eth0 up
}

# make_host_behind NAME NUMBER: a host behind the server (10.0.NUMBER.1), 10.0.NUMBER.2, which the server forwards to.
make_host_behind() {
	local name=$1 number=$2
	hosts+=("$name")
	ip netns add "$name"
	ip -n "$name" link set lo up
	ip link add "behind$number" netns server type veth peer name eth0 netns "$name"
	ip -n server address add "10.0.$number.1/24" dev "behind$number"
	ip -n server link set "behind$number" up
	ip -n "$name" address add "10.0.$number.2/24" dev eth0
	ip -n "$name" link set eth0 up
	ip -n "$name" route add default via "10.0.$number.1"
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
