#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
#
# `palisade limit` keeps out who opens too many connections to a port, and nobody else.
#
# Hosts, on the switch of lib.sh: server (10.0.0.1) has the rules, client (10.0.0.2) and other (10.0.0.3) visit it. A connection
# may take several SYNs on a busy machine, so that limits are far from what a visit needs; who is over one was seen by hand.

. "$(dirname "$0")/../lib/lib.sh"
make_hosts server client other

limit() { on server palisade limit "$@"; }
rules_are() { diff -u <(printf '%s\n' "-P PREROUTING ACCEPT" "$@") <(on server palisade -t mangle -S PREROUTING); }
# status FILTER: prints what a filter of jq finds in the status.
status() { limit --status --json | field "$1"; }
# is_over LIST ADDRESS: the address has opened as many connections as it may.
is_over() { for _ in {1..100}; do echo "$2"; done | on server palisade list add "$1" - >/dev/null; }
syn="--tcp-flags FIN,SYN,RST,ACK SYN"
drops="-A PREROUTING -p tcp -m tcp --dport 80 $syn -m recent --update --seconds 3600 --hitcount 100 --name LIMIT-80 --rsource -j DROP"
sets="-A PREROUTING -p tcp -m tcp --dport 80 $syn -m recent --set --name LIMIT-80 --rsource"
listen server 80
listen server 81

check "nothing has a limit" test "$(status length)" = 0
check "a port gets one" limit 80 100/1h
check "which is two rules" rules_are "$drops" "$sets"
check "visitors are served" connects client 10.0.0.1 80
check "and remembered" lists server LIMIT-80 10.0.0.2
check "over IPv6, too" connects client fd00::1 80
check "as others" lists server LIMIT-80 fd00::2
is_over LIMIT-80 10.0.0.2
check "who has been there too often is kept out" not connects client 10.0.0.1 80
check "but not from other ports" connects client 10.0.0.1 81
check "nor those who have another address" connects other 10.0.0.1 80
check "which may be of the same host" connects client fd00::1 80
check "the status tells the limit" test "$(status '.[0] | "\(.ports) \(.connections) \(.seconds) \(.list) \(.allow)"')" = "80 100 3600 LIMIT-80 null"
check "and what was dropped" test "$(status '.[0].dropped')" -gt 0
check "and who is known" test "$(status '.[0].addresses')" = 3
check "also in a table" sh -c "ip netns exec server palisade limit --status | grep -Eq '^any +80 +100/1h +[0-9]+ +3 +LIMIT-80 +-$'"
check "another namespace has no limit" test "$(on other palisade limit --status --json | field length)" = 0
check "once more changes nothing" limit 80 100/1h
check "and adds no rule" rules_are "$drops" "$sets"

check "addresses may be allowed" limit --allow 10.0.0.2,fd00::/64 80 100/1h
check "who is has no limit" connects client 10.0.0.1 80
check "the status has their list" test "$(status '.[0].allow')" = LIMIT-80-ALLOW
check "with a network" test "$(on server palisade list show LIMIT-80-ALLOW --json | field '.entries[] | select(.prefix) | .address')" = fd00::
check "another rate replaces the first" limit 80 200/1h
check "in its place" rules_are "${drops/100/200}" "$sets"
check "and who is allowed still is" connects client 10.0.0.1 80

check "a limit is removed" limit --remove 80
check "with its rules" rules_are
check "and its lists" test "$(on server palisade list ls --json | field length)" = 0
refuse "twice is a mistake" 1 '80 has no limit' limit --remove 80

check "the addresses of a network may count together" limit --network 80 100/1h
is_over LIMIT-80 10.0.0.0
check "then all of it is kept out" not connects other 10.0.0.1 80
limit --remove 80

# Who forges the source of a SYN must not get its owner kept out: with SYNPROXY, only who has returned a cookie counts.
on server palisade protect 80
limit 80 100/1h
check "a limit stands behind what protects the port" rules_are "$drops" "$sets"
on client palisade -A INPUT -p tcp --sport 80 -j DROP
syns=$(counter server raw PREROUTING 1)
not connects client 10.0.0.1 80
check "SYNs come" test "$(counter server raw PREROUTING 1)" -gt "$syns"
check "and do not count" not lists server LIMIT-80 10.0.0.2
on client palisade -F INPUT
check "until the handshake is done" connects client 10.0.0.1 80
check "which counts" lists server LIMIT-80 10.0.0.2
is_over LIMIT-80 10.0.0.2
# SYNPROXY has accepted the connection by then, and the server never sees it.
dropped=$(counter server mangle PREROUTING 1)
has_dropped() { [ "$(counter server mangle PREROUTING 1)" -gt "$dropped" ]; }
on client nc -n -z -w 1 10.0.0.1 80
check "who is over the limit is kept out there, too" eventually 60 has_dropped
check "and others are served" connects other 10.0.0.1 80

refuse "no port is a mistake" 2 'needs one port' limit
refuse "no rate is a mistake" 2 'needs one port' limit 80
refuse "no time is a mistake" 2 'such as 4/1m' limit 80 4
refuse "no such address is a mistake" 2 'not an IPv4 or IPv6 address' limit --allow ten 80 4/1m

finish
