# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the demo's parts share: a server (10.0.0.1), an attacker (10.0.0.66) and a visitor (10.0.0.7) on one switch, which
# are network namespaces of the VM, and a folder for what a part needs. They are gone when the script that sources
# this ends.

work=$(mktemp -d)

make_host() {
	local name=$1 number=$2
	ip netns add "$name"
	ip -n "$name" link set lo up
	ip link add "port$number" netns switch type veth peer name eth0 netns "$name"
	ip -n switch link set "port$number" master bridge up
	ip -n "$name" address add "10.0.0.$number/24" dev eth0
	ip -n "$name" link set eth0 up
}

clean_up() {
	local name
	for name in switch server attacker visitor; do
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
