# SPDX-License-Identifier: GPL-2.0
#
# Shared by the shell tests: reporting in KTAP, hosts, and traffic. A test sources this file, calls check
# for each of its claims, and ends with finish.

set -u

# The folder of the helpers and the checkout, wherever a test is started.
lib=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
checkout=$(realpath "$lib/../../..")

tests=0
failures=0

# check DESCRIPTION COMMAND...: passes if the command succeeds. The output of a command that fails is shown.
check() {
	local description=$1 output
	shift
	tests=$((tests + 1))
	if output=$("$@" 2>&1); then
		echo "ok $tests - $description"
	else
		failures=$((failures + 1))
		echo "not ok $tests - $description"
		echo "# failed: $*"
		sed 's/^/#   /' <<<"$output"
	fi
}

# refuse DESCRIPTION STATUS PATTERN COMMAND...: passes if the command fails with that exit status and one line on
# standard error that matches the pattern.
refuse() {
	local description=$1 status=$2 pattern=$3
	shift 3
	check "$description" is_refused "$status" "$pattern" "$@"
}

is_refused() {
	local wanted=$1 pattern=$2 status=0 errors
	shift 2
	errors=$("$@" 2>&1 >/dev/null) || status=$?
	echo "exit status $status, standard error: $errors"
	[ "$status" -eq "$wanted" ] && [[ $errors != *$'\n'* && $errors =~ $pattern ]]
}

# skip DESCRIPTION REASON: reports a test that cannot run here.
skip() {
	tests=$((tests + 1))
	echo "ok $tests - $1 # SKIP $2"
}

# not COMMAND...: succeeds if the command fails.
not() {
	! "$@"
}

# eventually SECONDS COMMAND...: succeeds as soon as the command does. The time is generous, since a busy machine may
# stand still for seconds, and only a failure takes all of it.
eventually() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.2
	done
}

finish() {
	echo "1..$tests"
	[ "$failures" -eq 0 ] && [ "$tests" -gt 0 ]
	exit
}

# make_hosts NAME...: the hosts of a test. Each is a network namespace, with a veth pair to a bridge in the namespace
# "switch". The Nth name has 10.0.0.N and fd00::N.
#
#	+-----------------+   +-----------------+           +-----------------+
#	|    1st name     |   |    2nd name     |           |    Nth name     |
#	|                 |   |                 |           |                 |
#	|      eth0       |   |      eth0       |           |      eth0       |
#	|   10.0.0.1/24   |   |   10.0.0.2/24   |   . . .   |   10.0.0.N/24   |
#	|   fd00::1/64    |   |   fd00::2/64    |           |   fd00::N/64    |
#	+--------+--------+   +--------+--------+           +--------+--------+
#	         |                     |                             |
#	+--------+---------------------+-----------------------------+--------+
#	|      port1                 port2                         portN      |
#	|        +---------------------+--- bridge ------------------+        |
#	|                               switch                                |
#	+---------------------------------------------------------------------+
hosts=()

make_hosts() {
	local number=0 name
	add_hosts switch "$@"
	ips switch "link add bridge type bridge" "link set bridge up"
	for name; do
		number=$((number + 1))
		ip link add "port$number" netns switch type veth peer name eth0 netns "$name"
		ip -n switch link set "port$number" master bridge up
		on "$name" sysctl -qw net.ipv6.conf.all.accept_dad=0 \
			net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.eth0.accept_dad=0
		ips "$name" "link set lo up" "address add 10.0.0.$number/24 dev eth0" \
			"address add fd00::$number/64 dev eth0 nodad" "link set eth0 up"
	done
	# A packet that is sent earlier is lost.
	eventually 30 forwarding
}

# add_hosts NAME...: adds hosts without links, which go with the test.
add_hosts() {
	local commands
	trap remove_hosts EXIT
	hosts+=("$@")
	printf -v commands 'netns add %s\n' "$@"
	ip -batch - <<<"$commands"
}

# ips HOST COMMAND...: runs several commands of ip(8) on a host at once, which saves processes.
ips() {
	local host=$1 commands
	shift
	printf -v commands '%s\n' "$@"
	ip -n "$host" -batch - <<<"$commands"
}

# forwarding: all ports of the switch forward. The kernel notices the carrier of a port in the background.
forwarding() {
	ip -n switch -details -json link show master bridge |
		jq -e 'all(.[]; .linkinfo.info_slave_data.state == "forwarding")' >/dev/null
}

remove_hosts() {
	local name commands
	[ ${#hosts[@]} -gt 0 ] || return
	for name in "${hosts[@]}"; do
		ip netns pids "$name" | xargs -r kill -9 2>/dev/null
	done
	printf -v commands 'netns del %s\n' "${hosts[@]}"
	ip -force -batch - <<<"$commands"
	hosts=()
}

# on HOST COMMAND...: runs a command on a host. Unlike ip netns exec, this mounts no /sys of the host's own, which would take
# longer than many a command.
on() {
	local host=$1
	shift
	nsenter --net="/run/netns/$host" "$@"
}

# start HOST COMMAND...: starts a command in the background, with the input of the caller. Afterwards $! is its process.
# After `on ... &`, $! would be a shell, and killing that would not end the command.
start() {
	local host=$1
	shift
	nsenter --net="/run/netns/$host" "$@" <&0 &
}

# pings HOST ADDRESS [OPTION...]: an echo request is answered.
pings() {
	local host=$1 address=$2
	shift 2
	on "$host" ping -n -c 1 -W 1 "$@" "$address"
}

# arrived HOST CPU ADDRESS: waits until all packets sent from a CPU have arrived. They stay in order, so the answer to
# one more packet is enough.
arrived() {
	on "$1" taskset -c "$2" ping -n -q -c 1 -W 60 "$3" >/dev/null
}

# connects HOST ADDRESS PORT [OPTION...]: a TCP connection is accepted. The options are netcat's.
connects() {
	local host=$1 address=$2 port=$3
	shift 3
	on "$host" nc -n -z -w 1 "$@" "$address" "$port"
}

# listen HOST PORT: starts a server that accepts TCP connections over IPv4 and IPv6.
listen() {
	on "$1" socat "TCP6-LISTEN:$2,reuseaddr,fork,ipv6only=0" /dev/null &
	disown
	eventually 30 on "$1" sh -c "ss -Hltn sport = :$2 | grep -q ."
}

# empty HOST TABLE...: leaves no rules, no chains and no policies in these tables.
empty() {
	local host=$1 tables
	shift
	printf -v tables '*%s\nCOMMIT\n' "$@"
	on "$host" palisade restore <<<"$tables"
}

# field FILTER: prints what a filter of jq finds in the JSON on standard input.
field() {
	jq -r "$1"
}

# counter HOST TABLE CHAIN POSITION: prints how many packets a rule has counted.
counter() {
	local position packets
	while read -r position packets _; do
		[ "$position" != "$4" ] || echo "$packets"
	done < <(on "$1" palisade -t "$2" -L "$3" -v -n -x --line-numbers)
}

# entries HOST LIST: prints the number of entries in a list.
entries() {
	on "$1" palisade list show "$2" --json | field '.entries | length'
}

# ago HOST LIST AGES ADDRESS...: the list has these addresses alone, and saw their packets that long ago. With ages and
# windows of many minutes, a test need not wait, and a slow machine makes no difference.
ago() {
	local host=$1 list=$2 ages=$3
	shift 3
	on "$host" palisade list flush "$list"
	{
		on "$host" palisade list save "$list" | grep '^list '
		printf "%s ttl=64 ages=$ages\n" "$@"
	} | on "$host" palisade list restore
}

# lists HOST LIST ADDRESS: the address is in the list.
lists() {
	on "$1" palisade list show "$2" --json | jq -e --arg address "$3" '.entries | any(.address == $address)' >/dev/null
}
