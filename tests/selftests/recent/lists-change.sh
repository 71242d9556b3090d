#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
#
# Recent lists change while they are in use, and are saved and restored.
#
# Hosts, on the switch of lib.sh: server (10.0.0.1) has rules and lists, client (10.0.0.2) sends.

. "$(dirname "$0")/../lib/lists.sh"
make_hosts server client

# warns PATTERN COMMAND...: the command succeeds with one line on standard error that matches.
warns() {
	local pattern=$1 errors
	shift
	errors=$("$@" 2>&1 >/dev/null) || return 1
	echo "standard error: $errors"
	[ "$(wc -l <<<"$errors")" -eq 1 ] && grep -Eq -- "warning: .*$pattern" <<<"$errors"
}

# Changing the settings of a list with entries.
list create one size=10 hits=2 timeout=1h
for number in 1 2 3 4 5 6 7 8; do
	list add one "192.0.2.$number"
done
list add one 192.0.2.8
check "a list is enlarged" list set one size=1000 hits=30 timeout=2h
check "and has the new settings" test "$(of one '"\(.size) \(.hits) \(.timeout_ms)"')" = "1000 30 7200000"
check "it keeps its addresses" test "$(entries server one)" -eq 8
check "with all that it knew of them" test "$(of one '.entries[0] | "\(.address) \(.packets) \(.ages_ms | length)"')" = "192.0.2.8 2 2"
for _ in 1 2 3 4; do
	list add one 192.0.2.8
done
check "it remembers more packets now" test "$(of one '.entries[0].ages_ms | length')" -eq 6
check "a warning says how many addresses a smaller list has no room for" warns '5 addresses had no room' list set one size=3
check "it keeps those that were seen last" test "$(of one '[.entries[].address] | sort | join(" ")')" = "192.0.2.6 192.0.2.7 192.0.2.8"
check "the others count as evicted" test "$(of one .evicted)" -eq 5
check "settings that are not given stay" test "$(of one '"\(.size) \(.hits) \(.timeout_ms)"')" = "3 30 7200000"
check "a warning says how many addresses a full list has evicted" warns '2 addresses had to make room' list add one 192.0.2.11 192.0.2.12
check "an address that is in the list causes no warning" test -z "$(list add one 192.0.2.12 2>&1 >/dev/null)"
check "the timeout alone is changed" list set one timeout=500ms
sleep 0.7
check "and the addresses are gone" test "$(entries server one)" -eq 0
refuse "a size beyond max_entries" 1 'max_entries' list set one size=4000000000
refuse "set of a list that does not exist" 1 'no list' list set none size=5
refuse "set without a setting" 2 'SETTING' list set one
list destroy one

# Rules with a higher hitcount.
on server palisade -A INPUT -p icmp -m recent --name seen --set
pings client 10.0.0.1 >/dev/null
pings client 10.0.0.1 >/dev/null
check "a rule with a higher hitcount than a list in use remembers is accepted" \
	on server palisade -A INPUT -p icmp -m recent --name seen --rcheck --hitcount 30 -j DROP
check "the list remembers more packets" test "$(of seen .hits)" -ge 30
check "and keeps what it knew" test "$(of seen '.entries[0].packets')" -eq 2
for _ in $(seq 26); do
	pings client 10.0.0.1 >/dev/null
done
check "the 29th packet passes" pings client 10.0.0.1
check "the 30th does not" not pings client 10.0.0.1
refuse "fewer hits than the hitcount of a rule" 1 'rules that count more' list set seen hits=10
check "nothing changed" test "$(of seen .hits)" -ge 30
check "a batch that fails enlarges no list" sh -c '
	! printf "*filter\n-A INPUT -m recent --name seen --rcheck --hitcount 60\n-A INPUT -j NOWHERE\nCOMMIT\n" |
		ip netns exec server palisade-restore -n 2>/dev/null &&
		ip netns exec server palisade list show seen --json | jq -e ".hits < 60"'
on server palisade -F
list destroy seen

# Packets pass while entries move to another table: no stamp is lost.
list create busy size=5000 hits=2000
on server palisade -A INPUT -p udp -m recent --name busy --set -j DROP
flood() {
	on client python3 -c '
import socket, time
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for number in range(1500):
    sender.sendto(b"x", ("10.0.0.1", 9))
    time.sleep(0.001)'
}
python3 -c '
for number in range(3000):
    print(f"10.7.{number // 250}.{number % 250}")' | list add busy -
flood &
for size in 6000 4000 7000 5000 20000 4000; do
	list set busy size=$size
	sleep 0.2
done
wait $!
check "packets are stamped while entries move" test "$(of busy '.entries[] | select(.address == "10.0.0.2") | .packets')" -eq 1500
check "and counted by the rule" test "$(counter server filter INPUT 1)" -eq 1500
check "no entry was lost" test "$(of busy '"\(.entries | length) \(.evicted)"')" = "3001 0"
check "and none is there twice" test "$(of busy '[.entries[].address] | unique | length')" -eq 3001
on server palisade -F
list destroy busy

# Ports.
on server palisade -A INPUT -p udp -m recent --name ports --set --rport -j DROP
on client python3 -c '
import socket
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sender.bind(("10.0.0.2", 777))
sender.sendto(b"x", ("10.0.0.1", 9))'
check "show has the port" sh -c 'ip netns exec server palisade list show ports | grep -q 10.0.0.2:777'
check "and so has JSON" test "$(of ports '.entries[0] | "\(.address) \(.port)"')" = "10.0.0.2 777"
check "an address with a port is added" list add ports '[2001:db8::1]:99'
check "also from standard input" sh -c 'echo 192.0.2.1 5 | ip netns exec server palisade list add ports -'
check "and deleted" list del ports 10.0.0.2:777
refuse "without its port, an address is not found" 1 '192.0.2.1' list del ports 192.0.2.1
check "with its port, it is" list del ports 192.0.2.1:5
on server palisade -F
list destroy ports

# Saving and restoring.
list create 'one list' size=50 hits=5 timeout=1h
list create two
on server palisade -A INPUT -p icmp -m recent --name 'one list' --set
pings client 10.0.0.1 -t 33 >/dev/null
sleep 1
pings client 10.0.0.1 -t 33 >/dev/null
list add 'one list' '[2001:db8::1]:443'
before=$(of 'one list' '[.entries[] | "\(.address) \(.port) \(.time_to_live) \(.packets) \(.ages_ms | length)"] | sort | join(";")')
age=$(of 'one list' '.entries[] | select(.address == "10.0.0.2") | .ages_ms[1]')
check "all lists are saved" sh -c 'ip netns exec server palisade list save >/tmp/saved'
check "with their names" test "$(grep -c '^list ' /tmp/saved)" -eq 2
list save two >/tmp/two
check "or one list is saved" test "$(grep -c . /tmp/two)" -eq 1
on server palisade -F
list destroy 'one list'
list destroy two
check "lists are restored" list restore /tmp/saved
check "under their names" test "$(list ls --json | field '[.[].name] | join(" ")')" = "one list two"
check "with their settings" test "$(of 'one list' '"\(.size) \(.hits) \(.timeout_ms)"')" = "50 5 3600000"
check "and entries" test "$(of 'one list' '[.entries[] | "\(.address) \(.port) \(.time_to_live) \(.packets) \(.ages_ms | length)"] | sort | join(";")')" = "$before"
later=$(of 'one list' '.entries[] | select(.address == "10.0.0.2") | .ages_ms[1]')
check "whose ages include the time since" test "$later" -gt "$age" -a "$later" -lt $((age + 20000))
check "restoring over existing lists, from standard input" sh -c 'ip netns exec server palisade list restore </tmp/saved'
check "changes no count" test "$(of 'one list' '[.entries[].packets] | add')" -eq 3
list create long hits=3000
on server palisade -A INPUT -p udp -m recent --name long --set -j DROP
on client python3 -c '
import socket
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(2100):
    sender.sendto(b"x", ("10.0.0.1", 9))'
check "a list that remembers thousands of packets is saved" sh -c 'ip netns exec server palisade list save long >/tmp/long'
on server palisade -F
list destroy long
check "and restored" list restore /tmp/long
check "with the latest 2,048 of them" \
	test "$(of long '.entries[0] | "\(.packets) \(.ages_ms | length)"')" = "2100 2048"
list destroy long
sed 's/saved=2[0-9]*-/saved=1999-/' /tmp/saved >/tmp/old
list flush 'one list'
check "a file from long ago is restored" list restore /tmp/old
check "but not the addresses that are too old" test "$(entries server 'one list')" -eq 0
list add two 192.0.2.1
for bad in '192.0.2.9' 'x ages=1s' '192.0.2.9 ages=2s,1s' '192.0.2.9 ages=1s color=red' 'list two'; do
	{ sed 's/^list two /list three /' /tmp/two; cat /tmp/two; echo "$bad"; } >/tmp/bad
	refuse "a file with the line \"$bad\"" 1 'line 3 of /tmp/bad: ' list restore /tmp/bad
done
check "changes nothing" test "$(list ls --json | field '[.[].name] | join(" ")') $(entries server two)" = "one list two 1"
refuse "a file that does not exist" 1 'cannot open /tmp/none' list restore /tmp/none

finish
