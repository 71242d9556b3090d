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

# has_hooks: hooks of Palisade are registered.
has_hooks() {
	on proxy nft list hooks | grep -q '\[palisade\]'
}

protect 80
check "a client gets the page of the proxy's host" gets client http://10.2.0.1/
check "and of the server behind it" gets client http://10.4.0.2/
check "hooks are registered" has_hooks
check "the rule is removed" on proxy palisade -t raw -F
# The kernel's own SYNPROXY lets the server answer.
on proxy nft delete table inet watch
kind=iptables protect 80
check "then iptables' SYNPROXY serves the proxy's host" gets client http://10.2.0.1/
check "and the server behind it" gets client http://10.4.0.2/
on proxy iptables -t raw -F
on proxy iptables -F
on proxy ip6tables -t raw -F
on proxy ip6tables -F
on proxy conntrack -F 2>/dev/null
check "after the last connection, no hook remains" eventually 60 not has_hooks
protect 80
check "with a rule again, hooks are registered" has_hooks
check "and a client is served" gets client http://10.4.0.2/
finish
