#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
#
# Real programs through SYNPROXY: with the server on the proxy's host, and two hops behind it.
#
# Hosts: the row of lib/synproxy.sh. The servers are on proxy (10.2.0.1) and server (10.4.0.2).

. "$(dirname "$0")/../lib/synproxy.sh"
make_row
only_proxied
serve proxy
serve server
for host in proxy server; do
	on "$host" iperf3 -s -D >/dev/null
	offer "$host" 82
	collect "$host" 83 "/tmp/kept-$host"
	listen "$host" 84
done
check "without the proxy, the server is not reached" not gets client http://10.4.0.2/ -m 2
protect 80:84
# The port of iperf3.
protect 5201

# works ADDRESS URL-ADDRESS HOST NAME: clients of all kinds work.
works() {
	local address=$1 url=$2 host=$3 name=$4
	check "$name: curl" gets client "http://$url/"
	check "$name: curl again" gets client "http://$url/"
	check "$name: curl gets a file" gets_file client "http://$url/file"
	check "$name: many requests in one connection" served_all "http://$url/" 200
	check "$name: many connections, one after the other" served_all "http://$url/" 50 -H 'Connection: close'
	check "$name: the server speaks first" downloads "$url:82"
	check "$name: the client sends" uploads "$url:83" "/tmp/kept-$host"
	check "$name: iperf3 to the server" runs_iperf3 "$address"
	check "$name: iperf3 to the client" runs_iperf3 "$address" --reverse
}

# served_all URL NUMBER [OPTION...]: each of so many requests is served. The options are curl's.
served_all() { patiently get_all "$@"; }
get_all() {
	local url=$1 number=$2
	shift 2
	[ "$(on client curl -sS -m 60 "$@" "$url?[1-$number]" | grep -c served)" -eq "$number" ]
}

runs_iperf3() {
	local address=$1
	shift
	eventually 60 on client timeout 60 iperf3 -c "$address" -n 4M "$@"
}

works 10.2.0.1 10.2.0.1 proxy "a server on the proxy's host, IPv4"
works fd00:2::1 '[fd00:2::1]' proxy "a server on the proxy's host, IPv6"
works 10.4.0.2 10.4.0.2 server "a server two hops away, IPv4"
works fd00:4::2 '[fd00:4::2]' server "a server two hops away, IPv6"

# loaded URL [OPTION...]: wrk reports no errors, in as many rounds as 50 requests take. The options are wrk's.
loaded() {
	local served=0
	for _ in {1..20}; do
		patiently load "$@" || return 1
		[ "$served" -lt 50 ] || return 0
	done
	return 1
}
# wrk takes a request of half a minute for an error, which no round is long enough for.
load() {
	local url=$1 result
	shift
	result=$(on client wrk -t 1 -d 6s --timeout 30s "$@" "$url")
	echo "$result"
	served=$((served + $(sed -n 's/ *\([0-9]*\) requests in.*/\1/p' <<<"$result")))
	! grep -q 'Socket errors\|Non-2xx' <<<"$result"
}
check "wrk with short connections" loaded http://10.4.0.2/ -c 10 -H 'Connection: close'
check "wrk with short connections to the proxy's host" loaded http://10.2.0.1/ -c 10 -H 'Connection: close'
check "wrk with many persistent connections" loaded 'http://[fd00:4::2]/' -c 500

# As in the kernel's nft_synproxy.sh.
opening() {
	on proxy conntrack -L 2>/dev/null | grep SYN_SENT
}
check "no half-open connection remains" eventually 20 not opening
if [ "$kind" != iptables ]; then
	has_counted() {
		on proxy palisade -t raw -L PREROUTING -vnx |
			awk '$1 > 0 && / (SYNPROXY|CT|NOTRACK) / { found = 1 } END { exit !found }'
	}
	check "the rule has counted" has_counted
fi
finish
