#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
#
# Connections go on when the rule that opened them is removed. When the module is, those of the server behind the proxy are
# reset, whether their addresses are translated or not; sockets of the proxy's host have taken theirs over, which go on.
#
# Hosts: the row of lib/synproxy.sh. The servers are on proxy (10.2.0.1) and server (10.4.0.2).

. "$(dirname "$0")/../lib/synproxy.sh"
make_row
only_proxied
serve server
# These servers echo.
on server socat TCP6-LISTEN:81,reuseaddr,fork,ipv6only=0 EXEC:cat &
on proxy socat TCP6-LISTEN:81,reuseaddr,fork,ipv6only=0 EXEC:cat &
disown -a
eventually 30 on server sh -c "ss -Hltn sport = :81 | grep -q ."
eventually 30 on proxy sh -c "ss -Hltn sport = :81 | grep -q ."

# talk ADDRESS PORT: opens a connection, with a pair of pipes for its data.
folder=$(mktemp -d)
talkers=()
talk() {
	local number=${#talkers[@]}
	mkfifo "$folder/to$number" "$folder/from$number"
	on client socat -t 30 "TCP:$1:$2" - <"$folder/to$number" >"$folder/from$number" 2>/dev/null &
	talkers+=($!)
	eval "exec $((10 + 2 * number))>$folder/to$number $((11 + 2 * number))<$folder/from$number"
}

# answers NUMBER: the connection still works.
answers() {
	local line
	echo "word $RANDOM" >&$((10 + 2 * $1))
	read -r -t 300 line <&$((11 + 2 * $1)) && [[ $line == word* ]]
}

all_answer() {
	local number
	for number in "${!talkers[@]}"; do
		answers "$number" || { echo "connection $number has stopped"; return 1; }
	done
}

protect 80:82
for address in 10.4.0.2 '[fd00:4::2]' 10.2.0.1 '[fd00:2::1]'; do
	talk "$address" 81
done
# The server behind the proxy by the proxy's address, and in its name.
for address in 10.4.0.2 '[fd00:4::2]'; do
	on proxy palisade -t nat -A PREROUTING -p tcp --dport 82 -j DNAT --to-destination "$address:81"
done
on proxy palisade -t nat -A POSTROUTING -m conntrack --ctstate DNAT -j MASQUERADE
for address in 10.2.0.1 '[fd00:2::1]'; do
	talk "$address" 82
done
check "connections are open" all_answer
rule=$(on proxy palisade -t raw -S PREROUTING | sed -n 's/^-A //p')
# shellcheck disable=SC2086 # it is many words
check "the rule is removed" on proxy palisade -t raw -D $rule
check "connections go on without it" all_answer
check "new clients are not answered any more" not gets client http://10.4.0.2/ -m 2
protect 80:82
check "with the rule again, connections still go on" all_answer
check "and new clients are served again" gets client http://10.4.0.2/
check "the table is flushed" on proxy palisade -t raw -F
on proxy palisade -t nat -F
check "connections go on without any rule" all_answer
sleep 3
check "and still do later" all_answer
protect 80:82
on proxy palisade -t raw -I PREROUTING -p tcp --dport 81 -j ACCEPT
check "they go on when another rule comes first" all_answer

# Rules come and go while connections are opened.
on client wrk -t 1 -c 10 -d 6s --timeout 5s -H 'Connection: close' http://10.4.0.2/ >"$folder/wrk" &
loader=$!
# wrk gives up if its first connection is reset, which happens if the rule is removed between the SYN-ACK with the cookie
# and the ACK. So rules are removed once there are ten connections.
loading() {
	[ "$(on proxy conntrack -L -p tcp --orig-port-dst 80 2>/dev/null | wc -l)" -ge 10 ]
}
check "connections are opened" eventually 30 loading
come_and_go() {
	local round
	for round in $(seq 15); do
		on proxy palisade -t raw -F || return 1
		protect 80:82 || return 1
	done
}
check "rules come and go while connections are opened" come_and_go
wait $loader
check "many requests were served" grep -q '[1-9][0-9]* requests in' "$folder/wrk"
check "and the older connections went on" all_answer

# ended NUMBER: the rest of the connection's data is read, and then its end.
ended() {
	local status=0 line
	while [ "$status" -eq 0 ]; do
		read -r -t 300 line <&$((11 + 2 * $1))
		status=$?
	done
	# A higher status is a timeout.
	[ "$status" -lt 128 ]
}
on client wrk -t 1 -c 10 -d 4s --timeout 1s -H 'Connection: close' http://10.4.0.2/ >/dev/null 2>&1 &
loader=$!
sleep 1
trap '' PIPE
check "the module is removed" modprobe -r palisade
for number in 0 1; do
	# A client that sends data learns of the reset at once.
	echo word 2>/dev/null >&$((10 + 2 * number))
	check "connection $number ends and does not hang" ended "$number"
done
for number in 4 5; do
	check "connection $number, which is translated, is reset" ended "$number"
done
unserved() {
	[ -z "$(on server ss -Htn state established sport = :81)" ]
}
check "for the server, too" eventually 30 unserved
for number in 2 3; do
	check "connection $number, of the proxy's host, goes on" answers "$number"
done
wait $loader
check "the hosts still reach each other" eventually 30 pings client 10.4.0.2
for host in client proxy; do
	on $host nft flush ruleset
done
check "a client is served without the proxy" eventually 30 gets client http://10.4.0.2/
check "the module loads again" modprobe palisade
protect 80:82
only_proxied
check "and the client is served again" gets client http://10.4.0.2/
check "the rules are removed" on proxy palisade -t raw -F
rm -rf "$folder"
finish
