#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The third part of the demo: visitors of a web server, a flood of SYNs that keeps them out, and `palisade protect`.
#
# FLOOD_SECONDS is how long each phase takes.

set -u
. "$(dirname "$0")/hosts.sh"

seconds=${FLOOD_SECONDS:-12}
out=/out/demo
mkdir -p $out 2>/dev/null && [ -w $out ] || out=$work

make_hosts
# All that the attacker pretends to be is behind it, where nobody answers.
ip -n server route add default via 10.0.0.66
ip netns exec server sysctl -qw net.ipv4.tcp_syncookies=0 net.ipv4.tcp_max_syn_backlog=4096

chmod 755 "$work"
echo "served" >"$work/index.html"
cat >"$work/nginx.conf" <<CONFIGURATION
worker_processes 1;
user root;
pid $work/nginx.pid;
error_log $work/nginx.log;
events { }
http {
	access_log off;
	server {
		listen 80;
		root $work;
	}
}
CONFIGURATION

cat <<TEXT
The server is nginx with its default backlog of 511, on a kernel that keeps no part of it for hosts that it knows
(net.ipv4.tcp_max_syn_backlog=4096, the default with much memory). The kernel's own SYN cookies, which are on
unless somebody turns them off, are off (net.ipv4.tcp_syncookies=0): the server suffers as one without them does.
Five visitors fetch a page, each again 0.4 s later; who has no page after 2 s has failed.

TEXT
modprobe palisade || exit 1
ip netns exec attacker python3 flood.py "$seconds" "$work" "$out/flood.csv"
status=$?
echo
python3 plot.py "$out/flood.csv" "$out/flood.svg" || status=1
case $out in
/out/*) echo "The measured lines and the plot are flood.csv and flood.svg in build/vm/${out#/} of the checkout;" \
	"make demo copies them to build/demo." ;;
esac
exit $status
