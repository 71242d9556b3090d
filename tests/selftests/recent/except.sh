#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
#
# A list makes exceptions of the addresses of another.
#
# Hosts, on the switch of lib.sh: server (10.0.0.1) has rules and lists, client (10.0.0.2) and other (10.0.0.3) send.

. "$(dirname "$0")/../lib/lists.sh"
make_hosts server client other

# rule OPTION...: the only rule is that of a list.
rule() {
	on server palisade -F
	on server palisade -A INPUT -p icmp -m recent --name ban "$@"
}

list create trusted
list create ban except=trusted
check "the exceptions of a list are shown" test "$(of ban .except)" = trusted
list add ban 10.0.0.2 10.0.0.3 fd00::2
list add trusted 10.0.0.2 fd00::2
rule --rcheck
check "rules find an address" matched other
check "but not one of the exceptions" not matched client
rule ! --rcheck
check "which an inverted rule finds" matched client
rule --rcheck --mask 255.255.255.0
list add ban 10.0.0.0
check "a mask finds neighbours" matched other
check "but not an exception" not matched client
list del trusted 10.0.0.2
check "unless it is one no longer" matched client
list add trusted 10.0.0.2
rule --update --seconds 3600
check "updates stamp an address" matched other
check "but not an exception" not matched client
check "which has its packets of before" test "$(of ban '.entries[] | select(.address == "10.0.0.2").packets')" = 1
list flush ban
check "an emptied list has its exceptions" test "$(of ban .except)" = trusted
rule --set
matched other
check "rules set an address" lists server ban 10.0.0.3
check "and agree with an exception" matched client
check "but do not set it" not lists server ban 10.0.0.2
list set ban size=10 hits=30
check "a list that is changed has its exceptions" test "$(of ban .except)" = trusted

refuse "exceptions of what is an exception" 1 'except.*exceptions' list set trusted except=ban
refuse "a list as its own exception" 1 'except.*exceptions' list set ban except=ban
refuse "an exception with exceptions" 1 'except.*exceptions' list create third except=ban
refuse "exceptions of no list" 1 'except.*no such list' list create third except=nothing
check "creates none" not list show third
refuse "destroying an exception" 1 'exception of another list' list destroy trusted

on server palisade -F
list save >/tmp/saved
list destroy ban
list destroy trusted
check "lists are restored" list restore /tmp/saved
check "with their exceptions" test "$(of ban .except)" = trusted
check "exceptions end" list set ban except=
check "and are gone" test "$(of ban .except)" = null
check "and the list may be destroyed" list destroy trusted

finish
