#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
#
# User-defined chains: packets jump to them and come back, and they are created, renamed and deleted. And the
# built-in chains for packets that a host forwards and sends.
#
# The hosts are on the switch of lib.sh. For FORWARD, the client reaches an address of the server by way of the router:
#
#	+-------------+      +-------------+      +-------------+
#	|   server    |      |   client    |      |   router    |
#	|    lo       |      |             |      |             |
#	| 10.9.0.1/32 |      |             |      |             |
#	|    eth0     |      |    eth0     |      |    eth0     |
#	| 10.0.0.1/24 |      | 10.0.0.2/24 |      | 10.0.0.3/24 |
#	+------+------+      +------+------+      +------+------+
#	       |                    |                    |
#	-------+--------------------+--------------------+-------  switch
#
#	client:  10.9.0.1 via 10.0.0.3
#	router:  10.9.0.1 via 10.0.0.1, ip_forward=1

. "$(dirname "$0")/../lib/lib.sh"
make_hosts server client router
listen server 22
listen server 80

rule() {
	on server palisade "$@"
}

flush() {
	empty "${1:-server}" raw filter nat
}

# counted CHAIN POSITION NUMBER: a rule of the filter table has counted so many packets.
counted() {
	local number
	number=$(counter server filter "$1" "$2")
	echo "rule $2 of $1 counted $number packets"
	[ "$number" -eq "$3" ]
}

# shows LINES: palisade -S prints these lines and nothing else.
shows() {
	local lines
	lines=$(rule -S)
	echo "$lines"
	[ "$lines" = "$1" ]
}

# unchanged DESCRIPTION STATUS PATTERN COMMAND...: as refuse, and the command changes no rule.
unchanged() {
	local description=$1 before
	before=$(rule -S)
	refuse "$@"
	check "$description: nothing changed" shows "$before"
}

# Jump, goto, return.
rule -N web
rule -N deep
rule -A INPUT -p icmp -j web
rule -A INPUT -p icmp
rule -A web -j deep
rule -A web
rule -A deep
pings client 10.0.0.1 >/dev/null
check "packets jump to a chain" counted web 1 1
check "and from there to another one" counted deep 1 1
check "they return to the first chain" counted web 2 1
check "and to the built-in chain" counted INPUT 2 1
rule -R web 1 -g deep
pings client 10.0.0.1 >/dev/null
check "-g goes to a chain" counted deep 1 2
check "from which packets do not return to it" counted web 2 1
check "but to its caller" counted INPUT 2 2
rule -R web 1 -j RETURN
pings client 10.0.0.1 >/dev/null
check "RETURN leaves a chain" counted web 2 1
check "and packets continue after the jump" counted INPUT 2 3
rule -I deep -j DROP
rule -R web 1 -j deep
check "DROP in a nested chain drops" not pings client 10.0.0.1
check "packets that the rule does not match do not jump" connects client 10.0.0.1 22
rule -R deep 1 -j ACCEPT
rule -P INPUT DROP
check "ACCEPT in a nested chain accepts, whatever the policy" pings client 10.0.0.1
rule -R deep 1 -j RETURN
check "packets that return from all chains get the policy" not pings client 10.0.0.1
rule -4 -P INPUT ACCEPT
check "of their IP version" pings client 10.0.0.1
rule -P INPUT DROP
rule -6 -P INPUT ACCEPT
check "and not of the other" not pings client 10.0.0.1
rule -P INPUT ACCEPT
check "-Z CHAIN NUMBER sets the counters of one rule to zero" \
	sh -c "ip netns exec server palisade -Z INPUT 1 && ip netns exec server palisade -L INPUT -vnx |
		awk '\$3 == \"web\" { found = 1; packets = \$1 } END { exit !found || packets }'"
check "and not of others" not counted INPUT 2 0
flush

# Printing rules.
rule -N web
rule -N audit
rule -A INPUT -p tcp --dport 80 -j web
rule -A FORWARD -i eth0 -o eth1 -g audit
rule -A OUTPUT ! -o lo ! -f -j web
rule -A web -f -j DROP
all="-P INPUT ACCEPT
-P FORWARD ACCEPT
-P OUTPUT ACCEPT
-N audit
-N web
-A INPUT -p tcp -m tcp --dport 80 -j web
-A FORWARD -i eth0 -o eth1 -g audit
-A OUTPUT ! -o lo ! -f -j web
-A web -f -j DROP"
check "-S prints policies, then chains, then rules" shows "$all"
check "-S CHAIN prints that chain" test "$(rule -S web)" = "-N web
-A web -f -j DROP"
check "-L says how many rules jump to a chain" grep -qx 'Chain web (2 references)' <(rule -L web)
check "-L -v prints both interfaces" grep -Eq 'audit +all +-- +eth0 +eth1 .*\[goto\]' <(rule -L FORWARD -v -n)
check "-L prints -f" grep -Eq '^DROP +all +-f ' <(rule -L web)
check "--json has interfaces and targets" test "$(rule -L --json |
	field '.[] | select(.chain == "FORWARD").rules[0] | .out_interface.value + " " + .target.name')" = "eth1 audit"
check "--json has references" test "$(rule -L --json | field '.[] | select(.chain == "web").references')" -eq 2
check "-C finds a rule that jumps" rule -C INPUT -p tcp --dport 80 -j web
check "-C distinguishes -g from -j" not rule -C FORWARD -i eth0 -o eth1 -j audit
rule -E web www
check "-E renames a chain, and rules still jump to it" rule -C INPUT -p tcp --dport 80 -j www
check "-D deletes a rule that jumps" rule -D INPUT -p tcp --dport 80 -j www
rule -E www web

# Errors.
unchanged "creating a chain that exists" 1 'web: .*already' rule -N web
unchanged "a chain with the name of a target" 2 'ACCEPT: .*target' rule -N ACCEPT
unchanged "a chain with the name of a built-in chain" 2 'built-in' rule -N INPUT
unchanged "renaming to a name that exists" 1 'audit: .*already' rule -E web audit
unchanged "renaming a chain that does not exist" 1 'there is no chain wbe in table filter: did you mean web' rule -E wbe x
unchanged "renaming a built-in chain" 1 'INPUT: .*built-in' rule -E INPUT x
unchanged "deleting a chain with rules" 1 'web is not empty: .*-F web' rule -X web
unchanged "deleting a chain in use" 1 'audit is in use' rule -X audit
unchanged "deleting a built-in chain" 1 'built-in' rule -X INPUT
unchanged "deleting all chains when one is in use" 1 '(audit|web) is (in use|not empty)' rule -X
unchanged "a jump to a chain that does not exist" 1 'nowhere' rule -A INPUT -j nowhere
unchanged "a target that is misspelt" 1 'ACCPET: .*did you mean ACCEPT' rule -A INPUT -j ACCPET
unchanged "a target in lower case" 1 'drop: .*did you mean DROP' rule -A INPUT -j drop
unchanged "a jump to a built-in chain" 1 'INPUT: .*built-in' rule -A web -j INPUT
unchanged "a jump to a chain of another table" 1 'web' rule -t raw -A OUTPUT -j web
unchanged "a jump of a chain to itself" 1 '-j web: .*circle' rule -A web -j web
rule -A audit -j web
unchanged "a loop of two chains" 1 '-j audit: .*circle' rule -A web -j audit
unchanged "a loop by -R" 1 '-g audit: .*circle' rule -R web 1 -g audit
rule -D audit 1
unchanged "replacing a rule that does not exist" 1 'no rule 9 in chain web' rule -R web 9 -j DROP
unchanged "inserting beyond the end" 1 'position' rule -I web 9 -j DROP
unchanged "resetting the counters of a rule that does not exist" 1 'no rule 9 in chain web' rule -Z web 9
unchanged "a policy for a user-defined chain" 1 'built-in' rule -P web DROP
unchanged "-o before routing" 1 '-o eth0: .*outgoing' rule -A INPUT -o eth0
unchanged "-i for packets that the host sends" 1 '-i eth0: .*incoming' rule -A OUTPUT -i eth0
unchanged "a chain that the table does not have" 1 'no chain FORWARD in table nat: it has' rule -t nat -A FORWARD
rule -D FORWARD 1
rule -X audit
check "-X CHAIN deletes a chain" test "$(rule -S | grep -c '^-N')" -eq 1
rule -F
rule -X
check "-X deletes all chains" test "$(rule -S | grep -c '^-N')" -eq 0
deepest() {
	local number
	{
		echo '*filter'
		for ((number = 1; number <= $1; number++)); do
			echo ":chain$number - [0:0]"
		done
		echo '-A INPUT -j chain1'
		for ((number = 1; number < $1; number++)); do
			echo "-A chain$number -j chain$((number + 1))"
		done
		echo "-A chain$1 -p icmp -j DROP"
		echo COMMIT
	} | rule restore
}
check "chains may jump 32 deep" deepest 32
check "and the deepest one works" not pings client 10.0.0.1
refuse "but not 33 deep" 1 'standard input:[0-9]+: -j chain[0-9]+: .*32 deep' deepest 33
flush

# OUTPUT, FORWARD and POSTROUTING.
rule -A OUTPUT -o eth0 -p icmp -j DROP
check "OUTPUT with -o drops packets that a host sends" not pings client 10.0.0.1
rule -R OUTPUT 1 -o eth1 -p icmp -j DROP
check "-o of another interface does not match" pings client 10.0.0.1
rule -P OUTPUT DROP
check "OUTPUT has a policy" not connects client 10.0.0.1 22
flush
rule -t raw -A OUTPUT -p icmp -j DROP
check "OUTPUT of raw drops" not pings client 10.0.0.1
flush

# The client reaches 10.9.0.1, an address of the server, by way of the router.
on router sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.eth0.send_redirects=0
ip -n server address add 10.9.0.1/32 dev lo
ip -n router route add 10.9.0.1 via 10.0.0.1
ip -n client route add 10.9.0.1 via 10.0.0.3
check "packets are forwarded" pings client 10.9.0.1
on router palisade -N transit
on router palisade -A FORWARD -i eth0 -o eth0 -j transit
on router palisade -A transit -p icmp -j DROP
check "FORWARD drops, through a chain" not pings client 10.9.0.1
check "other packets are forwarded" connects client 10.9.0.1 22
on router palisade -R FORWARD 1 ! -o eth+ -j transit
check "! -o keeps packets out of the chain" pings client 10.9.0.1
on router palisade -P FORWARD DROP
check "FORWARD has a policy" not connects client 10.9.0.1 22
check "which is not for packets to the host itself" pings client 10.0.0.3
flush router

on client palisade -t nat -N first
on client palisade -t nat -A POSTROUTING -o eth0 -p icmp -d 10.0.0.1 -j first
on client palisade -t nat -A first
on client palisade -t nat -A OUTPUT -p icmp -d 10.0.0.1
on client ping -n -c 3 -i 0.2 -W 1 10.0.0.1 >/dev/null
check "POSTROUTING of nat sees only the first packet of a connection" test "$(counter client nat first 1)" -eq 1
check "and so does OUTPUT of nat" test "$(counter client nat OUTPUT 1)" -eq 1
flush client

# Many chains are found by name, in whatever order they are created, renamed, deleted and created again.
# many STEP COMMAND: prints the command for every STEPth chain, if it is not renamed.
many() {
	local number
	for number in $(seq "$1" "$1" 300 | shuf); do
		[ $((number % 3)) = 0 ] || echo "$2 chain$number"
	done
}
{
	echo "*filter"
	for number in $(seq 300 | shuf); do echo ":chain$number - [0:0]"; done
	for number in $(seq 300 | shuf); do echo "-A chain$number -m mark --mark $number"; done
	for number in $(seq 3 3 300 | shuf); do echo "-E chain$number other$number"; done
	many 5 -F
	many 5 -X
	many 10 -N
	echo COMMIT
} | rule restore
on server palisade -N chain5
expected() {
	local number name
	for number in $(seq 300); do
		name=chain$number
		[ $((number % 3)) != 0 ] || name=other$number
		if [ "$name" != "chain$number" ] || [ $((number % 5)) != 0 ]; then
			printf -- '-N %s\n-A %s -m mark --mark 0x%x\n' "$name" "$name" "$number"
		elif [ $((number % 10)) = 0 ] || [ "$number" = 5 ]; then
			printf -- '-N %s\n' "$name"
		fi
	done
}
check "many chains are all as expected" \
	diff <(expected | sort) <(on server palisade -S | grep -v '^-P' | sort)
check "renaming a chain to the name of another is refused" not on server palisade -E chain5 other3
flush

finish
