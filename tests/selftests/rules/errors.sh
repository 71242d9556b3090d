#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
#
# Every mistake gets one line that says what is wrong, and changes nothing.
#
# Hosts, on the switch of lib.sh: server (10.0.0.1). No packets are sent.

. "$(dirname "$0")/../lib/lib.sh"
make_hosts server

rule() {
	on server palisade "$@"
}

rule -A INPUT -s 192.0.2.1 -j DROP
before=$(rule -S)

refuse "an unknown option" 2 'dprot' rule -A INPUT -p tcp --dprot 22 -j DROP
refuse "an ambiguous abbreviation" 2 'ambiguous' rule -A INPUT -p tcp --s 22 -j DROP
refuse "an unknown match" 2 'recnet' rule -A INPUT -m recnet --set
refuse "an unknown target" 1 'DORP: .*did you mean DROP' rule -A INPUT -j DORP
refuse "an unknown table" 2 'mangel' rule -t mangel -A INPUT -j DROP
refuse "an unknown chain" 1 'INPTU' rule -A INPTU -j DROP
refuse "a chain of another table" 1 'PREROUTING' rule -t filter -A PREROUTING -j DROP
refuse "an option without its value" 2 'dport' rule -A INPUT -p tcp --dport
refuse "an invalid port" 2 '70000' rule -A INPUT -p tcp --dport 70000 -j DROP
refuse "a port without a protocol" 2 'dport' rule -A INPUT --dport 22 -j DROP
refuse "an invalid address" 2 '10.0.0.256' rule -A INPUT -s 10.0.0.256 -j DROP
refuse "an invalid prefix length" 2 '33' rule -A INPUT -s 10.0.0.0/33 -j DROP
refuse "addresses of different families" 2 'IPv4|IPv6' rule -A INPUT -s 10.0.0.1 -d fd00::1 -j DROP
refuse "-4 with an IPv6 address" 2 'IPv6|-4' rule -4 -A INPUT -s fd00::1 -j DROP
refuse "a hit count of zero" 2 'hitcount' rule -A INPUT -m recent --rcheck --hitcount 0
refuse "a hit count that is too high" 2 'hitcount' rule -A INPUT -m recent --rcheck --hitcount 65536
refuse "seconds with --set" 2 'seconds' rule -A INPUT -m recent --set --seconds 5
refuse "two operations of a recent match" 2 'rcheck|set' rule -A INPUT -m recent --set --rcheck
refuse "more seconds than can be measured" 1 'seconds' rule -A INPUT -m recent --rcheck --seconds 4000000000
refuse "an interface's name that is too long" 2 'interface' rule -A INPUT -i abcdefghijklmnopq -j DROP
refuse "deleting a rule that does not exist" 1 'rule' rule -D INPUT -s 192.0.2.2 -j DROP
refuse "deleting a position that does not exist" 1 'rule|position' rule -D INPUT 5
refuse "inserting beyond the end" 1 'position|end' rule -I INPUT 5 -j DROP
refuse "an invalid policy" 2 'RETURN|policy' rule -P INPUT RETURN
refuse "no command" 2 '.' rule
check "none of these changed a rule" test "$(rule -S)" = "$before"
check "or created a list" test "$(rule list ls --json | field length)" -eq 0
check "output to a closed pipe causes no panic" sh -c 'ip netns exec server palisade -S 2>/tmp/errors | true; ! grep -q panic /tmp/errors'

finish
