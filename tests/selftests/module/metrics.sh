#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
#
# `palisade metrics` tells Prometheus what rules, servers and lists have counted, as text, in a file and over HTTP; it
# never loads the module, and nobody who connects keeps others out.
#
# Hosts, on the switch of lib.sh: client (10.0.0.1) connects, server (10.0.0.2) has the rules, socat and the counters.

. "$(dirname "$0")/../lib/lib.sh"

modprobe palisade
make_hosts client server
# Without -t, socat would wait only half a second for the other end after its own end of file.
on server socat -t 20 TCP6-LISTEN:80,reuseaddr,fork,ipv6only=0 SYSTEM:"echo hello" 2>/dev/null &
disown -a
eventually 30 on server sh -c "ss -Hltn sport = :80 | grep -q ."
work=$(mktemp -d)

# has SAMPLE VALUE: the counters of the server have it, once.
has() {
	on server palisade metrics | awk -v wanted="$1" -v value="$2" '
	{ found = $NF; sub(/ [^ ]*$/, "") }
	$0 == wanted { print $0 " " found; right += found == value; all++ }
	END { exit !(right == 1 && all == 1) }'
}
# The policies count on: requests for the counters themselves, and what neighbour discovery says.
rules_of() { grep -v '^palisade_chain_policy_' "$1"; }
told() { on server palisade metrics | rules_of -; }
greets() { [ "$(on client socat -t 20 -T 20 - "TCP:$1" </dev/null)" = hello ]; }

check "a port is protected" on server palisade protect 80
on server palisade -A INPUT -p icmp -m comment --comment 'two words' -j DROP
on server palisade -P FORWARD DROP
on server palisade list create SSH size=2 hits=3 timeout=24h
on server palisade list add SSH 192.0.2.1
on server palisade list add SSH 192.0.2.2
on server palisade list add SSH 192.0.2.3
check "a client is served" greets 10.0.0.2:80
on client ping -q -c 1 -s 72 -W 1 10.0.0.2 >/dev/null

rule='table="raw",chain="PREROUTING",rule="1"'
check "its SYN is counted" has "palisade_synproxy_syns_total{$rule,address=\"any\",port=\"80\"}" 1
check "its cookie" has "palisade_synproxy_cookies_valid_total{$rule,address=\"any\",port=\"80\"}" 1
server='address="10.0.0.2",port="80"'
check "its connection" has "palisade_synproxy_connections_total{$server,outcome=\"handed_over\"}" 1
check "which is in no other state" has "palisade_synproxy_connections_total{$server,outcome=\"translated\"}" 0
rule='table="filter",chain="INPUT",comment="two words",target="DROP"'
check "a rule is known by its comment" has "palisade_rule_packets_total{$rule}" 1
check "with its bytes" has "palisade_rule_bytes_total{$rule}" 100
check "a policy is known by what it does" has \
	'palisade_chain_policy_packets_total{table="filter",chain="FORWARD",family="ipv6",policy="DROP"}' 0
check "a list has its size" has 'palisade_list_entries{list="SSH"}' 2
check "its limit" has 'palisade_list_entries_limit{list="SSH"}' 2
check "its timeout, in seconds" has 'palisade_list_timeout_seconds{list="SSH"}' 86400.000
check "and what had to go" has 'palisade_list_entries_evicted_total{list="SSH"}' 1
version=$(cat /sys/module/palisade/version)
check "the module has its release" has "palisade_module_info{version=\"$version\"}" 1
check "another namespace has none of it" sh -c "! ip netns exec client palisade metrics | grep -E 'SSH|SYNPROXY|10.0.0.2'"
check "what did not change is the same text" diff <(told) <(told)

file=$work/palisade.prom
check "a file is written" sh -c "umask 077 && ip netns exec server palisade metrics --output $file"
check "with the same text" diff <(told) <(rules_of "$file")
check "which everybody may read" test "$(stat -c %a "$file")" = 644
check "and nothing beside it" test "$(ls "$work")" = palisade.prom
refuse "a folder cannot be one" 1 "cannot write $work: " on server palisade metrics --output "$work"
# As the units run it.
user=(setpriv --reuid 65534 --regid 65534 --clear-groups)
limited=("${user[@]}" --inh-caps="-all,+net_admin" --ambient-caps="-all,+net_admin" --bounding-set="-all,+net_admin")
check "it needs CAP_NET_ADMIN" on server "${limited[@]}" palisade metrics
refuse "and does not do without" 1 "needs CAP_NET_ADMIN" on server "${user[@]}" palisade metrics

start server "${limited[@]}" palisade metrics --listen '[::]:9789' >"$work/listening" 2>"$work/errors"
listener=$!
check "it listens" eventually 30 grep -qxF 'listening on http://[::]:9789/metrics' "$work/listening"
refuse "where nobody else can then" 1 'cannot listen on \[::\]:9789: Address already in use' \
	on server palisade metrics --listen '[::]:9789'

# code PATH [OPTION...]: the status of an answer. The text is in $work/answer.
code() {
	local path=$1
	shift
	on client curl -s -g -o "$work/answer" -w '%{http_code} %{content_type}' "$@" "http://$path"
}
answers() { [ "$(code "${@:2}")" = "$1" ] || { code "${@:2}"; return 1; }; }
served='200 text/plain; version=0.0.4; charset=utf-8'
refused='text/plain; charset=utf-8'
check "it answers over IPv4" answers "$served" 10.0.0.2:9789/metrics
check "with the same text" diff <(told) <(rules_of "$work/answer")
check "it answers over IPv6" answers "$served" '[fd00::2]:9789/metrics'
check "with parameters" answers "$served" '10.0.0.2:9789/metrics?x=y'
check "there is nothing else" answers "404 $refused" 10.0.0.2:9789/
check "there is no other method" answers "405 $refused" 10.0.0.2:9789/metrics -d x
check "a head that has no end is refused" answers "431 $refused" 10.0.0.2:9789/metrics -H "X: $(printf '%09000d' 0)"
check "clients that say nothing keep nobody waiting" on client python3 -c '
import socket, urllib.request
silent = [socket.create_connection(("10.0.0.2", 9789)) for _ in range(200)]
assert b"palisade_module_info" in urllib.request.urlopen("http://[fd00::2]:9789/metrics").read()'

check "the module is unloaded" modprobe -r palisade
check "counters cannot be had then" answers "503 $refused" 10.0.0.2:9789/metrics
check "and it says why" grep -q "^the palisade kernel module is not loaded: " "$work/answer"
check "in the journal, too" grep -q "^palisade: warning: the palisade kernel module is not loaded: " "$work/errors"
refuse "nor otherwise" 1 "the palisade kernel module is not loaded: " palisade metrics
refuse "nor as a file" 1 "the palisade kernel module is not loaded: " palisade metrics --output "$file"
check "which stays" grep -q '^palisade_list_entries{list="SSH"} 2$' "$file"
check "nobody who asks loads it" test ! -e /sys/module/palisade
modprobe palisade
check "when it is there again, so are they" answers "$served" 10.0.0.2:9789/metrics

kill "$listener"
wait "$listener"
check "SIGTERM ends it" test $? = 143
rm -rf "$work"

finish
