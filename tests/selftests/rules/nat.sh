#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
#
# DNAT, SNAT and MASQUERADE of Palisade, over both IP versions, without SYNPROXY and behind it.
#
# Hosts: the row of lib/synproxy.sh; "proxy" has the rules. Each server tells its clients what it knows of their
# connection. The client has the addresses 10.1.0.10 to 25 as well, the proxy 10.2.0.9 and 10.3.0.75 to 78, the server
# 10.4.0.3 to 5, and all of these with IPv6. Nobody but the proxy knows the network of "container":
#
#	+-----------------------+         +---------------+
#	|         proxy         |         |   container   |
#	|             containers+---------+- eth0         |
#	|           10.9.0.1/24 |         |  10.9.0.2/24  |
#	|          fd00:9::1/64 |         |  fd00:9::2/64 |
#	+-----------------------+         +---------------+

. "$(dirname "$0")/../lib/synproxy.sh"
make_row
hosts+=(container)
ip netns add container
ip -n container link set lo up
veth 1 proxy containers 2 container eth0 9
ip -n container route add default via 10.9.0.1
ip -n container route add default via fd00:9::1

# addresses HOST INTERFACE NETWORK NUMBER...: adds addresses of a network, which the host does not choose by itself.
addresses() {
	local host=$1 interface=$2 network=$3 number
	shift 3
	for number; do
		ip -n "$host" address add "10.$network.0.$number/24" dev "$interface"
		ip -n "$host" address add "fd00:$network::$number/64" dev "$interface" nodad preferred_lft 0
	done
}
addresses client eth0 1 {10..25}
addresses proxy left 2 9
addresses proxy right 3 {75..78}
addresses server eth0 4 {3..5}

for host in proxy server container; do
	start "$host" python3 "$lib/ends.py" serve {80..90} {8000..8010}
	disown
done
for host in proxy server container; do
	eventually 30 on "$host" sh -c 'ss -Hltn sport = :8010 | grep -q .'
done

rule() {
	on proxy palisade -t nat "$@"
}

# ask HOST ADDRESS PORT [SOURCE...]: prints both ends of a connection as the server knows them, and the client's own.
ask() {
	local host=$1
	shift
	on "$host" timeout 60 python3 "$lib/ends.py" ask "$@"
}

# told PATTERN HOST ADDRESS PORT: the ends of a connection are these.
told() {
	local pattern=$1 ends
	shift
	ends=$(ask "$@")
	echo "$ends"
	# shellcheck disable=SC2053 # the pattern is one
	[[ $ends == $pattern ]]
}

# crowd FIELD ADDRESS PORT: prints that field of the ends for each of many clients, who connect at once.
crowd() {
	ask client "$2" "$3" "${crowd[@]}" | awk -v field="$1" '{ print $field }'
}

# same_ports: prints how many of them have the port that the server knows them by.
same_ports() {
	ask client "$server" 80 "${crowd[@]}" | awk '$4 == $6 { same++ } END { print NF == 6 ? same + 0 : "none was told" }'
}

# various LINES: they are not all the same.
various() {
	echo "$1"
	[ "$(sort -u <<<"$1" | wc -l)" -gt 1 ]
}

# of_version VERSION: sets the addresses of the hosts.
of_version() {
	case $1 in
	4) net=(10.{0..9}.0.) open='' close='' ;;
	6) net=(fd00:{0..9}::) open='[' close=']' ;;
	esac
	client=${net[1]}2 public=${net[2]}1 other=${net[2]}9 server=${net[4]}2 own=${net[3]}1
	crowd=("${net[1]}"{10..25})
}

# translates NAME: DNAT, SNAT and MASQUERADE of connections of the client and of the container.
translates() {
	local name=$1 first second
	rule -A PREROUTING -d "$public" -p tcp --dport 80 -j DNAT --to-destination "$open$server$close:8000"
	check "$name: DNAT to an address and a port" told "$server 8000 $client * $client *" client "$public" 80
	rule -F
	rule -A PREROUTING -d "$server" -p tcp --dport 80 -j DNAT --to-destination :8001
	check "$name: DNAT to a port" told "$server 8001 $client *" client "$server" 80
	rule -F
	rule -A PREROUTING -d "$public" -p tcp --dport 80 -j DNAT --to-destination ":8000"
	rule -I PREROUTING -d "$public" -p tcp --dport 80
	check "$name: DNAT keeps the address of this machine" told "$public 8000 $client *" client "$public" 80
	check "$name: the table nat sees a connection once" test "$(counter proxy nat PREROUTING 1)" -eq 1
	rule -F
	rule -A PREROUTING -d "$other" -p tcp -j DNAT --to-destination "${net[4]}3"
	check "$name: DNAT to an address" told "${net[4]}3 82 $client *" client "$other" 82
	rule -F

	for flag in '' --persistent; do
		# shellcheck disable=SC2086 # there may be none
		rule -A PREROUTING -i left -p tcp -j DNAT --to-destination "${net[4]}2-${net[4]}5" $flag
		first=$(crowd 1 "$public" 80)
		check "$name: DNAT ${flag:-to a range} spreads clients over servers" various "$first"
		check "$name: all of which are of the range" test -z "$(grep -vxE "${net[4]}[2-5]" <<<"$first")"
		check "$name: a client stays at its server" test "$(crowd 1 "$public" 80)" = "$first"
		second=$(crowd 1 "$other" 80)
		case $flag in
		'') check "$name: but may have another for another address" test "$second" != "$first" ;;
		*) check "$name: for other addresses as well" test "$second" = "$first" ;;
		esac
		rule -F
	done

	rule -A PREROUTING -p tcp -d "$public" -j DNAT --to-destination "$open$server$close:8000-8010"
	check "$name: DNAT to a range of ports takes the first that is free" test "$(crowd 2 "$public" 80 | sort -u)" = 8000
	rule -F
	rule -A PREROUTING -p tcp -d "$public" -j DNAT --to-destination "$open$server$close:8000-8010" --random
	first=$(crowd 2 "$public" 80)
	check "$name: DNAT --random takes any of them" various "$first"
	check "$name: and no other" test -z "$(grep -vxE '80(0[0-9]|10)' <<<"$first")"
	rule -F
	rule -A PREROUTING -p tcp -d "$public" --dport 80:90 -j DNAT --to-destination "$open$server$close:8000-8010/80"
	check "$name: DNAT counts ports from a base" told "$server 8003 $client *" client "$public" 83
	rule -F

	rule -A POSTROUTING -o right -s "$client" -j SNAT --to-source "${net[3]}75"
	check "$name: SNAT to an address" told "$server 80 ${net[3]}75 *" client "$server" 80
	rule -F
	rule -A POSTROUTING -o right -p tcp -j SNAT --to-source "$open${net[3]}75$close:2000-2010"
	check "$name: SNAT to an address and ports" told "$server 80 ${net[3]}75 20[01][0-9] *" client "$server" 80
	rule -F
	rule -A POSTROUTING -o right -p tcp -j SNAT --to-source :2000-2010
	check "$name: SNAT to ports" told "$server 80 $client 20[01][0-9] *" client "$server" 80
	rule -F
	rule -A INPUT -s "$client" -p tcp --dport 84 -j SNAT --to-source "${net[1]}99"
	check "$name: SNAT in INPUT" told "$public 84 ${net[1]}99 *" client "$public" 84
	rule -F
	rule -A POSTROUTING -o right -j SNAT --to-source "${net[3]}75-${net[3]}78" --persistent
	first=$(crowd 3 "$server" 80)
	check "$name: SNAT to a range spreads clients over addresses" various "$first"
	check "$name: all of which are of the range" test -z "$(grep -vxE "${net[3]}7[5-8]" <<<"$first")"
	check "$name: SNAT --persistent: a client keeps its address" test "$(crowd 3 "${net[4]}5" 80)" = "$first"
	rule -F

	rule -A POSTROUTING -o right -j MASQUERADE
	check "$name: MASQUERADE" told "$server 80 $own *" client "$server" 80
	check "$name: ports that are free stay" test "$(same_ports)" -eq ${#crowd[@]}
	rule -F
	for flag in --random --random-fully; do
		rule -A POSTROUTING -o right -j MASQUERADE $flag
		check "$name: but not with $flag" test "$(same_ports)" -lt ${#crowd[@]}
		rule -F
	done
	rule -A POSTROUTING -o right -p tcp -j MASQUERADE --to-ports 3000-3020
	check "$name: MASQUERADE --to-ports" told "$server 80 $own 30[012][0-9] *" client "$server" 80
	rule -F
	rule -A PREROUTING -d "$public" -p tcp --dport 80 -j DNAT --to-destination "$open$server$close:8000"
	rule -A POSTROUTING -d "$server" -j MASQUERADE
	check "$name: DNAT and MASQUERADE of one connection" told "$server 8000 $own *" client "$public" 80
	rule -F

	# As those who run containers have it.
	rule -N CONTAINERS
	rule -A CONTAINERS -p tcp --dport 88 -j DNAT --to-destination "$open${net[9]}2$close:8000"
	rule -A PREROUTING -m addrtype --dst-type LOCAL -j CONTAINERS
	rule -A OUTPUT -m addrtype --dst-type LOCAL -j CONTAINERS
	rule -A POSTROUTING -s "${net[9]}2" ! -o containers -j MASQUERADE
	check "$name: a client reaches a container by the host's address" \
		told "${net[9]}2 8000 $client *" client "$public" 88
	check "$name: the container reaches a server" told "$server 80 $own * ${net[9]}2 *" container "$server" 80
	check "$name: the host reaches the container by its own address" told "${net[9]}2 8000 *" proxy "$other" 88
	rule -F
	rule -X
}

# talk ADDRESS PORT: opens a connection that stays open; `ends` is what its server knows.
talk() {
	coproc connection { exec ip netns exec client python3 "$lib/ends.py" talk "$1" "$2"; }
	talker=$!
	# A subshell does not have those of a coprocess.
	exec {answers}<&"${connection[0]}" {words}>&"${connection[1]}"
	read -r -t 60 -u "$answers" ends
}
# goes_on: what is sent on that connection comes back.
goes_on() {
	local line
	echo hello >&"$words"
	read -r -t 60 -u "$answers" line
	[ "$line" = hello ]
}
# restored_goes_on: the same, when all rules are replaced by what was saved of them.
restored_goes_on() {
	local saved
	saved=$(on proxy palisade save) && on proxy palisade restore <<<"$saved" && goes_on
}
hang_up() {
	kill "$talker"
	wait "$talker" 2>/dev/null
	exec {answers}<&- {words}>&-
}
# tracked PORT: connection tracking of the proxy knows the client's connection to that port.
tracked() {
	on proxy conntrack -L -p tcp --orig-src "$client" --orig-port-dst "$1" -f "ipv$version" 2>/dev/null | grep -q .
}
hooks() {
	on proxy nft list hooks | grep -q '\[palisade\]'
}
modprobe nfnetlink_hook

for version in 4 6; do
	of_version $version
	translates "IPv$version"

	rule -A OUTPUT -d "$other" -p tcp --dport 80 -j DNAT --to-destination "$open$server$close:8000"
	check "IPv$version: DNAT in OUTPUT" told "$server 8000 *" proxy "$other" 80
	rule -F

	rule -A PREROUTING -d "$public" -p tcp --dport 81 -j DNAT --to-destination "$open$server$close:8000"
	talk "$public" 81
	check "IPv$version: a connection is translated still when its rule is restored" restored_goes_on
	rule -F
	check "IPv$version: and when it is gone" goes_on
	check "IPv$version: and a new one is not" told "$public 81 $client *" client "$public" 81
	hang_up
	on proxy conntrack -F -f "ipv$version" 2>/dev/null
	check "IPv$version: the hooks go with the last such connection" eventually 60 not hooks
done

# Behind SYNPROXY. The acknowledgement that a client sends for the cookie opens the connection, and meets these rules.
kind=learned
only_proxied
protect 80:90
for version in 4 6; do
	of_version $version
	translates "IPv$version, SYNPROXY"
done
on proxy palisade -t raw -F
for host in client proxy; do
	on $host nft delete table inet watch
done

# An address that goes takes its connections along. In IPv4 one of the same network takes its place.
on proxy sysctl -qw net.ipv4.conf.right.promote_secondaries=1
for version in 4 6; do
	of_version $version
	rule -A POSTROUTING -o right -p tcp --dport 83 -j MASQUERADE
	talk "$server" 83
	check "IPv$version: a masqueraded connection" test "${ends% *}" = "$server 83 $own"
	rule -F
	check "IPv$version: is tracked" tracked 83
	case $version in
	4) ip -n proxy address del 10.3.0.1/24 dev right ;;
	6) ip -n proxy address del fd00:3::1/64 dev right ;;
	esac
	check "IPv$version: until its address goes" eventually 60 not tracked 83
	hang_up
done

finish
