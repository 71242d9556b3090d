#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
#
# `palisade list feed` and `palisade ban --feed` do what lines say, as they come: those of people, of CrowdSec's bouncer and of
# sshguard.
#
# Hosts, on the switch of lib.sh: server (10.0.0.1) has the lists, client (10.0.0.2) visits it.

. "$(dirname "$0")/../lib/lists.sh"
make_hosts server client

work=$(mktemp -d)
# addresses LIST: those that are in the list, on one line.
addresses() {
	of "$1" '[.entries[] | if .prefix then "\(.address)/\(.prefix)" else .address end] | sort | join(" ")'
}
# has LIST ADDRESSES: just these.
has() { [ "$(addresses "$1")" = "$2" ]; }
# left LIST ADDRESS: for how many hours it stays, or "permanent".
left() { of "$1" ".entries[] | select(.address == \"$2\") | if .permanent then \"permanent\" else (.left_ms // 0) / 3600000 | ceil end"; }
# fed LIST LINE...: a feed of these lines ends well and says nothing.
fed() {
	local name=$1
	shift
	[ -z "$(printf '%s\n' "$@" | list feed "$name" 2>&1)" ]
}
# told STATUS PATTERN COMMAND...: the command ends with that status, and standard error matches the pattern.
told() {
	local wanted=$1 pattern=$2 errors status=0
	shift 2
	errors=$("$@" 2>&1 >/dev/null) || status=$?
	echo "exit status $status: $errors"
	[ $status -eq "$wanted" ] && [[ $errors =~ $pattern ]]
}
# feeds LIST LINE...: as a command, for told.
feeds() {
	local name=$1
	shift
	printf '%s\n' "$@" | list feed "$name"
}

check "a feed creates its list" fed A
check "which is empty" has A ""
check "lines add addresses and networks" fed A "add 192.0.2.1" "add 192.0.2.2 for=4h" "" "# none" "add 2001:db8::/32 for=ever # all"
check "which are in the list" has A "192.0.2.1 192.0.2.2 2001:db8::/32"
check "for as long as they say" test "$(left A 192.0.2.1) $(left A 192.0.2.2) $(left A 2001:db8::)" = "0 4 permanent"
check "and delete them, there or not" fed A "del 192.0.2.1" "del 192.0.2.9" "del 2001:db8::/32"
check "and no others" has A 192.0.2.2
check "a line is done after those before it" fed A "add 192.0.2.3" "del 192.0.2.3" "add 192.0.2.4" "flush" "add 192.0.2.5" "del 192.0.2.6" "add 192.0.2.6"
check "in this order" has A "192.0.2.5 192.0.2.6"
ago server A 1h 192.0.2.5
check "who is added again is stamped" fed A "add 192.0.2.5 for=9h"
check "now" of A '.entries[] | select(.age_ms < 3000000)'
check "and gets the new time" test "$(left A 192.0.2.5)" = 9

check "decisions of CrowdSec are read" fed A flush \
	'{"duration":"3h59m57.2s","id":1,"origin":"cscli","scenario":"manual # 1","scope":"Ip","type":"ban","value":"192.0.2.1","action":"add"}' \
	'{"duration":"1h","scope":"Range","type":"ban","value":"2001:db8::/48","action":"add"}' \
	'{"duration":"1h","scope":"Ip","type":"ban","value":"192.0.2.3","action":"add"}' \
	'{"duration":"-5s","scope":"Ip","type":"ban","value":"192.0.2.3","action":"del"}'
check "with what they add and delete" has A "192.0.2.1 2001:db8::/48"
check "and for how long" test "$(left A 192.0.2.1) $(left A 2001:db8::)" = "4 1"
check "those of other scopes are warned of, once" told 0 $'^palisade: warning: list A: decisions of the scope Country are passed over, as in line 1$' feeds A \
	'{"duration":"1h","scope":"Country","value":"XX","action":"add"}' '{"duration":"1h","scope":"Country","value":"XY","action":"add"}'

check "sshguard's lines are read" fed A flush "block 192.0.2.1 4 32" "block 198.51.100.7 4 24" "block 2001:db8::1 6 128" "release 192.0.2.1 4 32"
check "with what they add and delete" has A "198.51.100.0/24 2001:db8::1"
check "until it is released" test "$(left A 2001:db8::1)" = permanent
check "flushonexit empties the list at the end" fed A flushonexit "add 192.0.2.1"
check "and not before" has A ""

check "bad lines are told with their numbers" told 1 $'line 2: .*did you mean add.?\n.*line 4: .*not an IPv4.*\n.*line 5: .*not a JSON.*\npalisade: list A: 3 lines were refused$' \
	feeds A "add 192.0.2.1" "ad 192.0.2.2" "add 192.0.2.3" "add 192.0.2" "{" "add 192.0.2.4"
check "and the others done" has A "192.0.2.1 192.0.2.3 192.0.2.4"

list create FULL size=2
check "a list that is full refuses, and says so once" told 1 $'^palisade: line 3: 192.0.2.3: list FULL: .*is full[^\n]*\npalisade: list FULL: 2 lines were refused$' \
	feeds FULL "add 192.0.2.1 for=1h" "add 192.0.2.2 for=1h" "add 192.0.2.3 for=1h" "add 192.0.2.4 for=1h" "add 192.0.2.1 for=2h" "del 192.0.2.2" "add 192.0.2.5 for=1h"
check "and goes on" has FULL "192.0.2.1 192.0.2.5"
check "also with those that it has" test "$(left FULL 192.0.2.1)" = 2

list create SMALL size=2
check "but an address that is not to stay makes room" told 0 'warning: list SMALL: .*full: 1 addresses had to make room' \
	feeds SMALL "add 192.0.2.1" "add 192.0.2.2 for=1h" "add 192.0.2.3 for=1h"
check "for one that is" has SMALL "192.0.2.2 192.0.2.3"

# What is fed on a pipe that stays open.
mkfifo "$work/pipe"
# begin COMMAND...: starts a feed, whose lines say then writes.
begin() {
	# To read a pipe is to wait for who writes.
	exec 8<>"$work/pipe"
	start server palisade "$@" <"$work/pipe" 2>"$work/errors" 8>&-
	feeder=$!
}
say() { printf '%s\n' "$@" >&8; }
ended() { ! kill -0 "$feeder" 2>/dev/null; }

begin list feed PIPE
say "add 192.0.2.1"
check "a line is done without waiting for others" eventually 60 has PIPE 192.0.2.1
printf 'add 192.0' >&8
say "add 192.0.2.3"
check "but not before its end is there" eventually 60 grep -q 'line 2: .*not an IPv4' "$work/errors"
say "flushonexit" "add 192.0.2.4"
check "a signal" eventually 60 has PIPE "192.0.2.1 192.0.2.4"
kill -TERM $feeder
check "ends it" eventually 60 ended
check "with what flushonexit asks for" has PIPE ""
exec 8>&-

begin ban --feed --list FEED
check "ban --feed makes the rule" eventually 60 on server palisade -t raw -C PREROUTING -m recent --rcheck --name FEED -j DROP
check "who is not banned is served" pings client 10.0.0.1
say "add 10.0.0.2"
check "a host is kept out" eventually 60 not pings client 10.0.0.1
check "for ever, if nothing else is said" test "$(left FEED 10.0.0.2)" = permanent
empty server raw
check "without the rule it is served" pings client 10.0.0.1
say "add 192.0.2.7 for=4h"
check "which the next ban makes again" eventually 60 not pings client 10.0.0.1
say "del 10.0.0.2"
check "a host is let in again" eventually 60 pings client 10.0.0.1
say "add 10.0.0.2 443"
check "a port is refused" eventually 60 grep -q 'line 4: .*leave out the port' "$work/errors"
say "add 10.0.0.2 for=1h"
check "the host is kept out again" eventually 60 not pings client 10.0.0.1
on server palisade ban --remove --list FEED
check "without rule and list it is served" pings client 10.0.0.1
say "add 192.0.2.8"
check "the next ban brings them back" eventually 60 has FEED "10.0.0.2 192.0.2.7 192.0.2.8"
check "and the host is kept out" not pings client 10.0.0.1
check "as a warning says" grep -q 'warning: list FEED: it was gone.* with the 3 addresses' "$work/errors"
check "and the time that was left is" test "$(left FEED 192.0.2.7) $(left FEED 10.0.0.2)" = "4 1"
exec 8>&-
check "at its end it tells what was refused" eventually 60 grep -q '1 line was refused' "$work/errors"

check "who comes by ssh does not ban himself" told 1 'line 1: .*your own session of ssh comes from 10.0.0.2' \
	on server env SSH_CONNECTION="10.0.0.2 50000 10.0.0.1 22" sh -c 'echo add 10.0.0.0/24 | palisade ban --feed'

# Many lines take few messages.
awk 'BEGIN { for (i = 0; i < 60000; i++) printf "add 10.1.%d.%d for=4h\n", i / 256, i % 256 }' >"$work/many"
start=${EPOCHREALTIME/./}
check "60,000 addresses are fed" list feed MANY <"$work/many"
echo "# it took $(((${EPOCHREALTIME/./} - start) / 1000)) ms"
check "and are in the list" test "$(list ls --json | field '.[] | select(.name == "MANY") | .entries')" = 60000
check "and again" on server strace -f -c -e trace=sendto -o "$work/calls" palisade list feed MANY <"$work/many"
messages=$(awk '$NF == "sendto" { print $4 }' "$work/calls")
echo "# it took $messages messages"
check "with few messages" test "$messages" -lt 60
sed 's/^add \([^ ]*\).*/del \1/' "$work/many" >"$work/none"
check "and are deleted" list feed MANY <"$work/none"
check "all of them" has MANY ""

refuse "a feed needs a list" 2 'LIST' list feed
refuse "ban --feed takes no address" 2 'cannot be used with' on server palisade ban --feed 192.0.2.1
rm -rf "$work"

finish
