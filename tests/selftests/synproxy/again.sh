#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
#
# A client reconnects to a server behind SYNPROXY from the same port, while connection tracking still remembers the
# connection that was closed.
#
# Hosts, on the switch of lib.sh: server (10.0.0.1) has the rule and socat, client (10.0.0.2) connects.

. "$(dirname "$0")/../lib/lib.sh"
make_hosts server client

# The server closes first. So the client has no socket in TIME_WAIT and may use its port again at once.
on server socat TCP6-LISTEN:80,reuseaddr,fork,ipv6only=0 EXEC:'echo hello' 2>/dev/null &
disown
eventually 30 on server sh -c "ss -Hltn sport = :80 | grep -q ."

# fetches ADDRESS: a client at port 20000 is served.
fetches() {
	local said
	said=$(on client timeout 40 socat -u -T 30 "TCP:$1:80,sourceport=20000,reuseaddr" -)
	echo "it said: $said"
	[ "$said" = hello ]
}
for address in 10.0.0.1 '[fd00::1]'; do
	check "without SYNPROXY, a client of $address is served" fetches "$address"
	check "and reconnects from the same port" fetches "$address"
done
on server palisade -t raw -A PREROUTING -p tcp --dport 80 -j SYNPROXY
for address in 10.0.0.1 '[fd00::1]'; do
	check "with SYNPROXY, a client of $address is served" fetches "$address"
	check "and reconnects from the same port" fetches "$address"
done

finish
