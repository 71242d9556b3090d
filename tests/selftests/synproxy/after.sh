#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
#
# What remains of SYNPROXY when its last rule is gone: nothing that takes other tools' connections for its own, and no
# hook after the last connection.
#
# Hosts: the row of lib/synproxy.sh. The servers are nginx on proxy (10.2.0.1) and server (10.4.0.2).

. "$(dirname "$0")/../lib/synproxy.sh"
make_row
only_proxied
serve proxy
serve server
modprobe ipt_SYNPROXY

# watches: hooks of Palisade's are there.
watches() {
	on proxy nft list hooks | grep -q '\[palisade\]'
}

protect 80
check "a server of the proxy's host" gets client http://10.2.0.1/
check "a server behind it" gets client http://10.4.0.2/
check "hooks are there" watches
check "the rule is removed" on proxy palisade -t raw -F
kind=iptables protect 80
check "iptables' SYNPROXY answers for the proxy's host then" gets client http://10.2.0.1/
check "and for a server behind it" gets client http://10.4.0.2/
on proxy iptables -t raw -F
on proxy iptables -F
on proxy ip6tables -t raw -F
on proxy ip6tables -F
on proxy conntrack -F 2>/dev/null
check "when the last connection is over, no hook is left" eventually 60 not watches
protect 80
check "with a rule again, they are there" watches
check "and answer" gets client http://10.4.0.2/
finish
