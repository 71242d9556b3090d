#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
#
# What palisade persist keeps comes back after the module was gone, by the commands that palisade.service runs; and
# nothing that is wrong with a file or a disk takes away what there was.
#
# It is about the machine's own network namespace. No packets are sent.

. "$(dirname "$0")/../lib/lib.sh"

rules=/etc/palisade/rules
state=/var/lib/palisade
units=$checkout/userspace-tool/system

# run_unit FIELD: runs what palisade.service does at ExecStart, ExecReload or ExecStop.
run_unit() {
	local command status=0
	while read -r command; do
		command=${command//@sbindir@/$(dirname "$(command -v palisade)")}
		command=${command//@datadir@\/palisade/$units}
		# With a - before it, it may fail.
		if [[ $command == -* ]]; then ${command#-}; else $command || status=1; fi
	done < <(sed -n "s/^$1=//p" "$units/palisade.service.in")
	return "$status"
}

# reboot_machine [SECONDS]: the machine was down for so long.
reboot_machine() {
	local saved earlier
	modprobe -r palisade || return 1
	while read -r saved; do
		earlier=$(date -u -d "@$(($(date -d "$saved" +%s) - ${1:-0}))" +%FT%T.000Z)
		sed -i "s/saved=$saved/saved=$earlier/" "$state/lists"
	done < <(grep -o 'saved=[^ ]*' "$state/lists" | cut -d = -f 2 | sort -u)
}

age() {
	palisade list show "$1" --json | jq --arg address "$2" '.entries[] | select(.address == $address) | .age_ms'
}

# is_older LIST ADDRESS MILLISECONDS: it was seen that long ago, and longer by no more than this test has taken.
is_older() {
	local found
	found=$(age "$1" "$2")
	echo "it was seen $found ms ago, $SECONDS s after the test began"
	[ "$found" -ge "$3" ] && [ "$found" -lt $(($3 + (SECONDS + 2) * 1000)) ]
}

lists_are_back() {
	[ "$(palisade list ls --json | field 'map("\(.name) \(.entries)") | join(",")')" = "SSH 2,odd #name 1" ]
}

has_rules() {
	diff <(palisade save) "$1"
}

modprobe palisade
palisade restore "$units/no-rules"
check "at first nothing is kept, and booting is no error" run_unit ExecStart

palisade protect --when-flooded 1000 80 443
palisade -A INPUT -p tcp --dport 22 --syn -m recent --name SSH --update --seconds 60 --hitcount 4 -j DROP
palisade -A INPUT -p tcp --dport 22 --syn -m recent --name SSH --set
palisade -P FORWARD DROP
palisade -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
palisade -t nat -A PREROUTING -p tcp --dport 8443 -j DNAT --to-destination 192.0.2.10-192.0.2.12:443 --persistent
palisade list create "odd #name" size=10 hits=3 timeout=2h
palisade list add "odd #name" 192.0.2.1
palisade list add SSH 192.0.2.7 2001:db8::7
palisade save >/tmp/wanted
check "persist" palisade persist
check "its files are root's alone" test \
	"$(stat -c %a "$rules" "$state/lists" "$state/rules.good" | sort -u)" = 600
check "the rules are there as palisade save prints them" diff /tmp/wanted "$rules"

reboot_machine 3600
check "the machine boots" run_unit ExecStart
check "the rules are back" has_rules /tmp/wanted
check "the lists are back" lists_are_back
check "with their limits" test "$(palisade list show 'odd #name' --json | field '"\(.size) \(.hits) \(.timeout_ms)"')" = "10 3 7200000"
check "an address is older by the time that the machine was down" is_older "odd #name" 192.0.2.1 3600000
check "over IPv6 as well" is_older SSH 2001:db8::7 3600000

# Later on.
palisade list add SSH 192.0.2.7 192.0.2.8
check "started anew, it leaves lists alone that have addresses" run_unit ExecStart
check "they are as young as they were" is_older SSH 192.0.2.7 0
check "lists alone are kept" palisade persist --lists
check "with what is new" grep -q 192.0.2.8 "$state/lists"

# What people write.
sed 's/--hitcount 4/--hitcount 6/' /tmp/wanted >/tmp/edited
cp /tmp/edited "$rules"
check "reload puts edited rules into force" run_unit ExecReload
check "as they are there" has_rules /tmp/edited
sed '/hitcount 6/s/hitcount/hitcuont/' /tmp/edited >"$rules"
line=$(grep -n hitcuont "$rules" | cut -d : -f 1)
palisade -A INPUT -s 192.0.2.99 -j DROP
palisade save >/tmp/newer
refuse "reload of rules with a mistake names the line" 1 "$rules:$line: " run_unit ExecReload
check "and changes nothing" has_rules /tmp/newer
reboot_machine
refuse "a boot with a mistake in the rules names the line, and says what is in force" 1 \
	"$rules:$line: .*the last good rules are in force" run_unit ExecStart
check "which are the last good ones" has_rules /tmp/edited
check "and the lists" test "$(palisade list show SSH --json | field '.entries | length')" -eq 3
cp /tmp/edited "$rules"
echo 'x y' >>"$state/lists"
reboot_machine
refuse "a boot with a mistake in the lists names the line" 1 "line [0-9]+ of $state/lists: .*lists.broken" run_unit ExecStart
check "the rules are back all the same" has_rules /tmp/edited
check "nothing of the lists is lost" grep -q 192.0.2.8 "$state/lists.broken"
sed '$d' "$state/lists.broken" >"$state/lists"
check "once it is mended" run_unit ExecStart
check "they are back" test "$(palisade list show SSH --json | field '.entries | length')" -eq 3

# A disk that is full.
cp "$state/lists" /tmp/lists
mount -t tmpfs -o size=64k,mode=700 tmpfs "$state"
cp /tmp/lists "$state/lists"
dd if=/dev/zero of="$state/full" bs=4k status=none 2>/dev/null
refuse "on a full disk" 1 "cannot write $state/lists: No space left" palisade persist --lists
check "the lists that were kept stay" cmp /tmp/lists "$state/lists"
check "and nothing else" test "$(ls "$state")" = $'full\nlists'
umount "$state"
rm -rf "$state" /etc/palisade
check "where the folders are missing, they are made" palisade persist
check "with the rules" diff /tmp/edited "$rules"

# Whose rules they are.
ip netns add beside
refuse "another network namespace's rules are not the machine's" 1 'network namespace' \
	ip netns exec beside palisade persist
ip netns del beside
check "netfilter-persistent saves" sh -c "sed 's|@sbindir@|$(dirname "$(command -v palisade)")|; s|@datadir@/palisade|$units|' $units/20-palisade.in >/tmp/plugin; sh /tmp/plugin save"
check "it flushes" sh /tmp/plugin flush
check "and no rule is left" test "$(palisade save | grep -c -e '^-A' -e DROP)" -eq 0
check "it starts" sh /tmp/plugin start
check "and they are back" has_rules /tmp/edited

# Somebody unloads the module, and uses it again.
modprobe -r palisade
palisade list ls >/dev/null
refuse "lists that were not brought back do not replace those that were kept" 1 'loaded anew' palisade persist --lists
check "but are brought back" palisade persist --restore
check "and then kept again" palisade persist --lists
check "with all that was there" grep -q 192.0.2.8 "$state/lists"

# It stops.
palisade list add SSH 192.0.2.9
check "stop" run_unit ExecStop
check "has kept the lists" grep -q 192.0.2.9 "$state/lists"
check "and left no rules" test "$(palisade save | grep -c -e '^-A' -e DROP)" -eq 0
modprobe -r palisade
refuse "without the module there is nothing to keep" 1 'what was kept before stays' palisade persist
check "and it stays" diff /tmp/edited "$rules"
check "and has not loaded it" test ! -e /sys/module/palisade
modprobe palisade

finish
