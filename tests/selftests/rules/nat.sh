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
add_hosts container
veth 1 proxy containers 2 container eth0 9
ips container "link set lo up" "route add default via 10.9.0.1" "route add default via fd00:9::1"

# addresses HOST INTERFACE NETWORK NUMBER...: adds addresses of a network, which the host does not choose by itself.
addresses() {
	local host=$1 interface=$2 network=$3 number commands=()
	shift 3
	for number; do
		commands+=("address add 10.$network.0.$number/24 dev $interface")
		commands+=("address add fd00:$network::$number/64 dev $interface nodad preferred_lft 0")
	done
	ips "$host" "${commands[@]}"
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

# Those who connect stay, too: each is asked through a FIFO, and answers through another.
talk=$(mktemp -d)
trap 'remove_hosts; rm -r "$talk"' EXIT
declare -A questions answers
for host in client container proxy; do
	mkfifo "$talk/$host."{questions,answers}
	exec {question}<>"$talk/$host.questions" {answer}<>"$talk/$host.answers"
	start "$host" python3 "$lib/ends.py" ask <&"$question" >&"$answer"
	disown
	questions[$host]=$question answers[$host]=$answer
done

# rules [LINE...]: these are the rules of the table nat from now on.
rules() {
	local IFS=$'\n'
	on proxy palisade restore -4 -6 <<<"*nat$IFS$*${IFS}COMMIT"
}

# ask HOST ADDRESS PORT [SOURCE...]: `ends` are both ends of each connection as the server knows them, and the client's own.
ask() {
	local host=$1 line
	shift
	ends=()
	echo "$@" >&"${questions[$host]}"
	while read -r -t 60 -u "${answers[$host]}" line; do
		[ -z "$line" ] || { ends+=("$line"); continue; }
		[ ${#ends[@]} -gt 0 ]
		return
	done
	echo "$host does not say what it was told" >&2
	return 1
}

# told PATTERN HOST ADDRESS PORT: the ends of a connection are these.
told() {
	local pattern=$1
	shift
	ask "$@" || return
	echo "${ends[@]}"
	# shellcheck disable=SC2053 # the pattern is one
	[[ ${ends[*]} == $pattern ]]
}

# crowd FIELD ADDRESS PORT: prints that field of the ends for each of many clients, who connect at once.
crowd() {
	local line words
	ask client "$2" "$3" "${crowd[@]}" || return
	for line in "${ends[@]}"; do
		read -r -a words <<<"$line"
		echo "${words[$1 - 1]}"
	done
}

# same_ports: prints whether all of them have the port that the server knows them by. Of those who happen to have the same
# port, one alone can have it there.
same_ports() {
	local line words same=0
	local -A ports=()
	ask client "$server" 80 "${crowd[@]}" || return
	for line in "${ends[@]}"; do
		read -r -a words <<<"$line"
		ports[${words[5]}]=1
		[ "${words[3]}" != "${words[5]}" ] || same=$((same + 1))
	done
	[ "$same" -eq ${#ports[@]} ] && echo all || echo "not all"
}

# various LINES: they are not all the same.
various() {
	echo "$1"
	not all "${1%%$'\n'*}" "$1"
}

# all PATTERN LINES: each of them is this.
all() {
	local line
	while read -r line; do
		# shellcheck disable=SC2053 # the pattern is one
		[[ $line == $1 ]] || { echo "$line"; return 1; }
	done <<<"$2"
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
	rules "-A PREROUTING -d $public -p tcp --dport 80 -j DNAT --to-destination $open$server$close:8000"
	check "$name: DNAT to an address and a port" told "$server 8000 $client * $client *" client "$public" 80
	rules "-A PREROUTING -d $server -p tcp --dport 80 -j DNAT --to-destination :8001"
	check "$name: DNAT to a port" told "$server 8001 $client *" client "$server" 80
	rules "-A PREROUTING -d $public -p tcp --dport 80" \
		"-A PREROUTING -d $public -p tcp --dport 80 -j DNAT --to-destination :8000"
	check "$name: DNAT keeps the address of this machine" told "$public 8000 $client *" client "$public" 80
	check "$name: the table nat sees a connection once" test "$(counter proxy nat PREROUTING 1)" -eq 1
	rules "-A PREROUTING -d $other -p tcp -j DNAT --to-destination ${net[4]}3"
	check "$name: DNAT to an address" told "${net[4]}3 82 $client *" client "$other" 82

	for flag in '' --persistent; do
		rules "-A PREROUTING -i left -p tcp -j DNAT --to-destination ${net[4]}2-${net[4]}5 $flag"
		first=$(crowd 1 "$public" 80)
		check "$name: DNAT ${flag:-to a range} spreads clients over servers" various "$first"
		check "$name: all of which are of the range" all "${net[4]}[2-5]" "$first"
		check "$name: a client stays at its server" test "$(crowd 1 "$public" 80)" = "$first"
		second=$(crowd 1 "$other" 80)
		case $flag in
		'') check "$name: but may have another for another address" test "$second" != "$first" ;;
		*) check "$name: for other addresses as well" test "$second" = "$first" ;;
		esac
	done

	rules "-A PREROUTING -p tcp -d $public -j DNAT --to-destination $open$server$close:8000-8010"
	check "$name: DNAT to a range of ports takes the first that is free" all 8000 "$(crowd 2 "$public" 80)"
	rules "-A PREROUTING -p tcp -d $public -j DNAT --to-destination $open$server$close:8000-8010 --random"
	first=$(crowd 2 "$public" 80)
	check "$name: DNAT --random takes any of them" various "$first"
	check "$name: and no other" all '80@(0[0-9]|10)' "$first"
	rules "-A PREROUTING -p tcp -d $public --dport 80:90 -j DNAT --to-destination $open$server$close:8000-8010/80"
	check "$name: DNAT counts ports from a base" told "$server 8003 $client *" client "$public" 83

	rules "-A POSTROUTING -o right -s $client -j SNAT --to-source ${net[3]}75"
	check "$name: SNAT to an address" told "$server 80 ${net[3]}75 *" client "$server" 80
	rules "-A POSTROUTING -o right -p tcp -j SNAT --to-source $open${net[3]}75$close:2000-2010"
	check "$name: SNAT to an address and ports" told "$server 80 ${net[3]}75 20[01][0-9] *" client "$server" 80
	rules "-A POSTROUTING -o right -p tcp -j SNAT --to-source :2000-2010"
	check "$name: SNAT to ports" told "$server 80 $client 20[01][0-9] *" client "$server" 80
	rules "-A INPUT -s $client -p tcp --dport 84 -j SNAT --to-source ${net[1]}99"
	check "$name: SNAT in INPUT" told "$public 84 ${net[1]}99 *" client "$public" 84
	rules "-A POSTROUTING -o right -j SNAT --to-source ${net[3]}75-${net[3]}78 --persistent"
	first=$(crowd 3 "$server" 80)
	check "$name: SNAT to a range spreads clients over addresses" various "$first"
	check "$name: all of which are of the range" all "${net[3]}7[5-8]" "$first"
	check "$name: SNAT --persistent: a client keeps its address" test "$(crowd 3 "${net[4]}5" 80)" = "$first"

	rules "-A POSTROUTING -o right -j MASQUERADE"
	check "$name: MASQUERADE" told "$server 80 $own *" client "$server" 80
	check "$name: ports that are free stay" test "$(same_ports)" = all
	for flag in --random --random-fully; do
		rules "-A POSTROUTING -o right -j MASQUERADE $flag"
		check "$name: but not with $flag" test "$(same_ports)" = "not all"
	done
	rules "-A POSTROUTING -o right -p tcp -j MASQUERADE --to-ports 3000-3020"
	check "$name: MASQUERADE --to-ports" told "$server 80 $own 30[012][0-9] *" client "$server" 80
	rules "-A PREROUTING -d $public -p tcp --dport 80 -j DNAT --to-destination $open$server$close:8000" \
		"-A POSTROUTING -d $server -j MASQUERADE"
	check "$name: DNAT and MASQUERADE of one connection" told "$server 8000 $own *" client "$public" 80

	# As those who run containers have it.
	rules ":CONTAINERS - [0:0]" \
		"-A CONTAINERS -p tcp --dport 88 -j DNAT --to-destination $open${net[9]}2$close:8000" \
		"-A PREROUTING -m addrtype --dst-type LOCAL -j CONTAINERS" \
		"-A OUTPUT -m addrtype --dst-type LOCAL -j CONTAINERS" \
		"-A POSTROUTING -s ${net[9]}2 ! -o containers -j MASQUERADE"
	check "$name: a client reaches a container by the host's address" \
		told "${net[9]}2 8000 $client *" client "$public" 88
	check "$name: the container reaches a server" told "$server 80 $own * ${net[9]}2 *" container "$server" 80
	check "$name: the host reaches the container by its own address" told "${net[9]}2 8000 *" proxy "$other" 88
	rules
}

# hold ADDRESS PORT: opens a connection that stays open; `seen` is what its server knows.
hold() {
	coproc connection { exec nsenter --net=/run/netns/client nc -n "$1" "$2"; }
	holder=$!
	# A subshell does not have those of a coprocess.
	exec {echoes}<&"${connection[0]}" {words}>&"${connection[1]}"
	read -r -t 60 -u "$echoes" seen
}
# goes_on: what is sent on that connection comes back.
goes_on() {
	local line
	echo hello >&"$words"
	read -r -t 60 -u "$echoes" line
	[ "$line" = hello ]
}
# restored_goes_on: the same, when all rules are replaced by what was saved of them.
restored_goes_on() {
	local saved
	saved=$(on proxy palisade save) && on proxy palisade restore <<<"$saved" && goes_on
}
hang_up() {
	kill "$holder"
	wait "$holder" 2>/dev/null
	exec {echoes}<&- {words}>&-
}
# tracked PORT: connection tracking of the proxy knows the client's connection to that port of the server.
tracked() {
	local connection=(-p tcp --orig-src "$client" --orig-dst "$server" --orig-port-dst "$1")
	[ -n "$(on proxy conntrack -L "${connection[@]}" -f "ipv$version" 2>/dev/null)" ]
}
hooks() {
	[[ $(on proxy nft list hooks) == *'[palisade]'* ]]
}
modprobe nfnetlink_hook

for version in 4 6; do
	of_version $version
	translates "IPv$version"

	rules "-A OUTPUT -d $other -p tcp --dport 80 -j DNAT --to-destination $open$server$close:8000"
	check "IPv$version: DNAT in OUTPUT" told "$server 8000 *" proxy "$other" 80

	rules "-A PREROUTING -d $public -p tcp --dport 81 -j DNAT --to-destination $open$server$close:8000"
	hold "$public" 81
	check "IPv$version: a connection is translated still when its rule is restored" restored_goes_on
	rules
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
	rules "-A POSTROUTING -o right -p tcp --dport 83 -j MASQUERADE"
	hold "$server" 83
	check "IPv$version: a masqueraded connection" test "${seen% *}" = "$server 83 $own"
	rules
	check "IPv$version: is tracked" tracked 83
	case $version in
	4) ip -n proxy address del 10.3.0.1/24 dev right ;;
	6) ip -n proxy address del fd00:3::1/64 dev right ;;
	esac
	check "IPv$version: until its address goes" eventually 60 not tracked 83
	hang_up
done

finish
