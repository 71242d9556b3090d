#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
#
# `palisade monitor` prints what happens in its network namespace, as it happens, and says when it could not print all.
#
# Hosts: the row of lib/synproxy.sh. The proxy has the rules and is monitored; east is monitored, too, where nothing
# happens but what a test does there.
#
#	client ----- west ----- proxy ----- east ----- server
#	               |          |           |
#	            hping3     monitored   monitored

. "$(dirname "$0")/../lib/synproxy.sh"
. "$lib/listening.sh"
make_row
work=$(mktemp -d)
trap 'rm -rf "$work"; remove_hosts' EXIT

on proxy palisade list create before
on proxy palisade list add before 192.0.2.1
check "who does not listen is no hindrance" lists proxy before 192.0.2.1

hearing "a host can be monitored" proxy "$work/text" monitor
text=$listener
hearing "by several, in JSON" proxy "$work/json" monitor --json
hearing "for one list" proxy "$work/one" monitor --list ban
hearing "and another host" east "$work/east" monitor --json
time='^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{3}Z'

on proxy palisade -A INPUT -p udp --dport 9 -m recent --name by-rule --set
check "a change of rules is told" told "$work/text" \
	"$time rules changed by palisade\[[0-9]+\]: 1 change in filter INPUT, generation [0-9]+$"
check "with who made it, in JSON" told_json "$work/json" '.event == "ruleset-change" and .process == "palisade" and .pid > 0
	and .count == 1 and .chain == [{table: "filter", name: "INPUT"}] and .time > 1700000000000'
check "and the list that it makes" told "$work/text" "$time list by-rule created by palisade\[[0-9]+\]: size=[0-9]+ hits=20"
generation=$(jq -s 'map(.generation // empty) | last' "$work/json")
on proxy palisade -F
check "the next one has the next generation" told_json "$work/json" \
	".event == \"ruleset-change\" and .generation == $generation + 1 and .chain == [{table: \"filter\", name: null}]"

on proxy palisade list create ban size=100
check "a list that is created" told "$work/text" "$time list ban created by .*: size=100 hits=20"
on proxy palisade list set ban size=50 timeout=1h
check "that is changed" told_json "$work/json" \
	'.event == "list-set" and .list.name == "ban" and .list.size == 50 and .list.timeout == 3600000'
on proxy palisade list add ban 203.0.113.7 for=4h
check "an address that is added for some time" told "$work/text" "$time list ban: 203.0.113.7 added for 4h by palisade\["
on proxy palisade list add ban 198.51.100.0/24 2001:db8::1 for=ever
check "a network for ever" told "$work/text" "$time list ban: 198.51.100.0/24 added for ever by "
check "together with an address, in JSON" told_json "$work/json" '.event == "entry-add" and .count == 2 and
	.list.entry == [{address: "198.51.100.0", prefix: 24, permanent: true}, {address: "2001:db8::1", permanent: true}]'
seq -f 192.0.2.%g 1 40 | on proxy palisade list add ban -
check "the first 32 of many addresses" told_json "$work/json" '.count == 40 and (.list.entry | length) == 32'
check "and how many more there are" told "$work/text" "$time list ban: 8 more added by "
on proxy palisade list del ban 192.0.2.40 192.0.2.39
check "addresses that are deleted" told "$work/text" "$time list ban: 192.0.2.39 deleted by "
on proxy palisade list flush ban
check "a list that is flushed" told "$work/text" "$time list ban flushed by "
on proxy palisade list create other
on proxy palisade list destroy other
check "a list that is destroyed" told "$work/text" "$time list other destroyed by "
on proxy palisade list add ban 192.0.2.77
check "who asked for a list is told of it" told "$work/one" "list ban: 192.0.2.77 added"
check "and of no other" not grep -vE "^[^ ]+ list ban" "$work/one"

# What packets do.
on proxy palisade list create small size=1
on proxy palisade -A INPUT -p icmp -m recent --name small --set
ips west "address add 10.2.0.7/24 dev right"
check "a packet" pings west 10.2.0.1
check "that brings a new address" told "$work/text" "$time list small: 10.2.0.2 added$"
check "without a process, in JSON" told_json "$work/json" \
	'.event == "entry-add" and .list.name == "small" and .count == 1 and .process == null'
check "another packet" pings west 10.2.0.1 -I 10.2.0.7
check "that needs room" told "$work/text" "$time list small: 10.2.0.2 evicted$"
check "and takes it" told "$work/text" "$time list small: 10.2.0.7 added$"
added() { grep -c "10.2.0.7 added" "$work/text"; }
before=$(added)
pings west 10.2.0.1 -I 10.2.0.7 >/dev/null
on proxy palisade list create marker
told "$work/text" "list marker created"
check "an address that is there already is not told" test "$(added)" -eq "$before"
on proxy palisade -F

# Servers, and floods of their SYNs.
serve server
on proxy palisade -t raw -A PREROUTING -p tcp --dport 80 -j SYNPROXY --when-flooded 20/20
ips west "route add blackhole 0.0.0.0/0"
ips proxy "route add default via 10.2.0.2"
start west hping3 -q -i u2000 --rand-source -p 80 -S 10.4.0.2 >/dev/null 2>&1
flooder=$!
check "a flood that begins" told "$work/text" "$time flood at 10.4.0.2:80 begins$"
check "a client during the flood" eventually 60 on client curl -s -m 30 -o /dev/null http://10.4.0.2/
check "by whom the server is learned" told "$work/text" "$time server 10.4.0.2:80 learned: mss [0-9]+, wscale [0-9]+, sack-perm, timestamp"
check "which is in JSON, too" told_json "$work/json" \
	'.event == "server-learn" and .server.address == "10.4.0.2" and .server.port == 80 and .server["sack-perm"]'
kill -KILL $flooder
wait $flooder 2>/dev/null
check "and ends, though no SYN comes any more" told_json "$work/json" '.event == "flood-end" and .server.address == "10.4.0.2"'
check "after its beginning" test "$(jq -rs 'map(.event | select(startswith("flood"))) | join(" ")' "$work/json")" = \
	"flood-start flood-end"
on proxy palisade -t raw -F

# More than can be sent.
on proxy palisade -t raw -A PREROUTING -p udp -m recent --name many --set -j DROP
start west hping3 -q --flood --rand-source --udp -p 9 10.2.0.1 >/dev/null 2>&1
flooder=$!
check "a flood of new addresses is more than can be told, which is told" told "$work/text" "$time [0-9]+ events were lost$"
check "with the number, in JSON" told_json "$work/json" '.event == "lost" and .lost > 0'
check "also to who asked for one list" told "$work/one" "$time [0-9]+ events were lost$"
kill -KILL $flooder
wait $flooder 2>/dev/null
on proxy palisade -t raw -F

# flush TIMES: flushes a list of the proxy so often, which is an event each time.
flush() {
	on proxy python3 - "$lib" "$1" <<-'PROGRAM'
		import sys
		sys.path.insert(0, sys.argv[1])
		from genetlink import Client
		client = Client()
		for _ in range(int(sys.argv[2])):
		    client.ask("list-flush", {"name": "small"})
	PROGRAM
}
hearing "one more" proxy "$work/late" monitor
late=$listener
kill -STOP "$late"
check "events that it does not read" flush 8000
kill -CONT "$late"
check "are lost, and it says so" told "$work/late" "$time events were lost: they came faster than they were read$"
on proxy palisade list create afterwards
check "and goes on" told "$work/late" "list afterwards created"

# Namespaces, permissions, and the end.
check "another host is told nothing of this" test ! -s "$work/east"
on east palisade list create mine
check "but of its own" told_json "$work/east" '.event == "list-create" and .list.name == "mine"'
check "all that was printed as JSON is JSON" jq -e . "$work/json"
as_nobody() {
	setpriv --reuid=65534 --regid=65534 --clear-groups -- "$@"
}
refuse "an unprivileged user may not listen" 1 'CAP_NET_ADMIN' as_nobody palisade monitor
refuse "a list needs a name" 2 'list' palisade monitor --list ''
kill -TERM "$text"
check "a signal ends it" eventually 60 is_over "$text"
mkfifo "$work/pipe"
exec 4<>"$work/pipe"
# It must not be its own reader.
hearing "one that is read" proxy "$work/pipe" monitor 4<&-
exec 4<&-
check "ends as soon as nobody reads" eventually 60 is_over "$listener"
wait "$listener"
check "which is no failure" test $? -eq 0
on proxy palisade list create quiet
check "without anybody" lists proxy before 192.0.2.1

finish
