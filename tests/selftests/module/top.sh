#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
#
# `palisade top` shows a flood of SYNs, the busiest addresses of a list, rules by rate and bans, in terminals of all sizes
# that may be resized, once as text or JSON, and while the module is gone.
#
# Hosts: the row of lib/synproxy.sh. The proxy has the rules and is looked at. West floods the server through it:
#
#	client ----- west ----- proxy ----- east ----- server
#	               |          |
#	            hping3       top

. "$(dirname "$0")/../lib/synproxy.sh"
make_row
work=$(mktemp -d)
trap 'rm -rf "$work"; remove_hosts; modprobe palisade' EXIT

# terminal STEP... [-- OPTION...]: palisade top does these steps of lib/terminal.py, in a terminal of the proxy.
terminal() {
	local -a steps=()
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		steps+=("$1")
		shift
	done
	on proxy "$lib/terminal.py" "${steps[@]}" -- palisade top "${@:2}"
}

# once FILTER [OPTION...]: the JSON of one frame satisfies a filter of jq.
once() {
	local filter=$1
	shift
	on proxy palisade top --once --json "$@" >"$work/once" && jq -e "$filter" "$work/once" >/dev/null || {
		cat "$work/once"
		return 1
	}
}

check "where there is nothing, it says so" terminal 80x24 'sees no port is protected' 'sees there is no list' \
	'sees there are no rules' 'sees nothing since' 'types q' 'ends 0'
check "also in JSON" once '.ports == [] and .rules == [] and .busiest == null and .events == [] and .events_lost == 0'

on proxy palisade protect 80
on proxy palisade ban 203.0.113.7 for=4h
on proxy palisade -A INPUT -p icmp -m recent --name seen --set
serve server
ips west "route add blackhole 0.0.0.0/0"
ips proxy "route add default via 10.2.0.2"
start west ping -n -q -i 0.05 10.2.0.1 >/dev/null
pinger=$!
start west hping3 -q -i u2000 --rand-source -p 80 -S 10.4.0.2 >/dev/null 2>&1
flooder=$!

rate='([1-9][0-9]*|[0-9.]+k)'
check "a terminal of 80 columns shows a flood" terminal 80x24 "sees ^any +80 FLOOD +$rate +$rate +[0-9]" \
	"sees -A PREROUTING -p tcp -m tcp --dport 80 -j SYNPROXY" "sees ^raw +[0-9]+ +$rate +$rate +-A PREROUTING" \
	'sees [▁▂▃▄▅▆▇█]{3}$' 'sees palisade top.*SYNs/s  FLOOD' 'types q' 'ends 0'
check "and a ban, where it happens" terminal 80x24 'sees list BAN: busiest of 1' 'sees ^203.0.113.7 .*3h' \
	'runs palisade ban 203.0.113.77 for=4h' 'sees list BAN: 203.0.113.77 added for 4h by palisade' \
	'sees ^203.0.113.77 ' 'types \x1b' 'ends 0'
check "one of 200 has panels side by side" terminal 200x50 'sees protected ports.*list BAN: busiest' \
	"sees ^any +80 FLOOD +$rate.* 203.0.113.7+ " 'sees rules by rate' 'sees .bans, evictions and floods lately' 'sees OUT-OF-FLOW' \
	'types q' 'ends 0'
check "it is resized at once" terminal 80x24 'sees protected ports' 200x50 'sees protected ports.*list BAN' 20x5 \
	'sees ^any +80' 1x1 'sees ^p$' 80x24 'sees rules by rate' 'types q' 'ends 0' -- --interval 1h
check "the busiest address of a list" terminal 80x24 "sees ^10.2.0.2 +$rate" 'sees list seen: busiest of' \
	'types q' 'ends 0' -- --list seen
check "another list is chosen" terminal 80x24 'sees list BAN: busiest' 'types \t' 'sees list seen: busiest' \
	'types \x1b[Z' 'sees list BAN: busiest' 'types q' 'ends 0'
check "Ctrl-C ends it" terminal 80x24 'sees protected ports' 'types \x03' 'ends 0'
check "a signal ends it" terminal 80x24 'sees protected ports' 'kills TERM' 'ends 0'

check "a frame in JSON has the port" once '.ports[0] | .port == 80 and .address == "any" and .flooded and
	.rates.syns > 10 and .rates.cookies_sent > 10 and .totals.syns > 10 and .rates.cookies_valid < 10'
check "the rules, the fastest first" once '(.rules | map(.packets_per_second)) as $rates |
	$rates == ($rates | sort | reverse) and .rules[0].rule == "-A PREROUTING -p tcp -m tcp --dport 80 -j SYNPROXY"'
check "the time that it is about" once '.interval_ms >= 500 and .interval_ms < 60000 and .time > 1700000000000' \
	--interval 500ms
check "the lists" once '(.lists | map(.name)) == ["BAN", "seen"] and .busiest.list == "BAN" and .busiest.entries == 2 and
	(.busiest.addresses | map(.address) | sort) == ["203.0.113.7", "203.0.113.77"]'
check "the busiest address" once '.busiest.addresses[0] | .address == "10.2.0.2" and .packets_per_second > 1' --list seen
start proxy palisade top --json --interval 300ms >"$work/stream"
streamer=$!
check "frames go on" eventually 60 sh -c "[ \$(wc -l <$work/stream) -ge 3 ]"
on proxy palisade unban 203.0.113.77
check "and tell what happens" eventually 60 jq -es 'any(.[].events[];
	.event == "entry-delete" and .list.entry[0].address == "203.0.113.77")' "$work/stream"
check "once" test "$(jq -s '[.[].events[]] | length' "$work/stream")" -eq 1
kill "$streamer"
wait "$streamer" 2>/dev/null
check "until nobody reads" timeout 120 bash -c 'nsenter --net=/run/netns/proxy palisade top --json --interval 100ms |
	head -n 2 | jq -es "length == 2" && [ "${PIPESTATUS[0]}" -eq 0 ]'
on proxy palisade top --once >"$work/text"
check "a frame as text" grep -Eq "^any +80 FLOOD +$rate" "$work/text"
check "without escape sequences" not grep -q $'\x1b' "$work/text"

refuse "a view needs a terminal" 1 'not a terminal: use --once or --json$' on proxy palisade top
refuse "a list that is not there" 1 'no list nowhere: ' on proxy palisade top --once --list nowhere
refuse "a time that is too short" 2 '100ms' on proxy palisade top --interval 5ms
refuse "an unprivileged user may not look" 1 'CAP_NET_ADMIN' on proxy \
	setpriv --reuid=65534 --regid=65534 --clear-groups -- palisade top --once

kill -KILL "$flooder" "$pinger"
wait "$flooder" "$pinger" 2>/dev/null
check "the module goes and comes back" terminal 80x24 "sees ^any +80" 'runs modprobe -r palisade' \
	'sees the palisade kernel module is not loaded' 'sees no port is protected' \
	'runs modprobe palisade && palisade protect 81' 'sees ^any +81' \
	'runs palisade ban 203.0.113.9' 'sees list BAN: 203.0.113.9 added' 'types q' 'ends 0'
modprobe -r palisade
refuse "without the module there is nothing to show" 1 'not loaded: there is nothing to show' on proxy palisade top --once
check "and it stays unloaded" not grep -q '^palisade ' /proc/modules

finish
