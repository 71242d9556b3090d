#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
#
# Real programs: a web server, and a client that connects too often.
#
# Hosts, on the switch of lib.sh: server (10.0.0.1) has the rules and nginx, visitor (10.0.0.2) and hasty (10.0.0.3) are
# its clients.

. "$(dirname "$0")/../lib/lib.sh"
make_hosts server visitor hasty

cat >/tmp/nginx.conf <<'CONFIGURATION'
worker_processes 1;
pid /tmp/nginx.pid;
error_log /tmp/nginx.log;
events { }
http {
	access_log off;
	server {
		listen 80;
		listen [::]:80;
		location / { return 200 "served\n"; }
	}
}
CONFIGURATION
on server nginx -c /tmp/nginx.conf
hosts_visit() {
	on "$1" curl -s -m 20 "http://$2/" | grep -q served
}
check "the server serves" eventually 30 hosts_visit visitor 10.0.0.1

on server palisade -A INPUT -p tcp --dport 80 -m recent --name web --rcheck --seconds 1000 --hitcount 20 -j DROP
on server palisade -A INPUT -p tcp --dport 80 -m recent --name web --set

check "a visitor is served over IPv4" hosts_visit visitor 10.0.0.1
check "a visitor is served over IPv6" hosts_visit visitor '[fd00::1]'
# All requests come from one process: starting many would take too long on a busy machine.
hurry() {
	! on hasty curl -s -m 2 --fail-early 'http://10.0.0.1/?[1-60]' >/tmp/hasty && grep -q served /tmp/hasty
}
check "a client that sends too many packets is blocked" hurry
check "others are still served" hosts_visit visitor 10.0.0.1
ago server web 2000s 10.0.0.3
check "and after the time, the blocked client is served again" hosts_visit hasty 10.0.0.1
check "wrk works with a recent rule" sh -c "ip netns exec server palisade -F; ip netns exec server palisade -A INPUT -p tcp --dport 80 -m recent --name web --set -j ACCEPT; ip netns exec visitor wrk -t1 -c4 -d2s http://10.0.0.1/ | grep -q 'requests in'"
on server iperf3 -s -1 -D
check "iperf3 works with a recent rule" eventually 30 on visitor iperf3 -c 10.0.0.1 -t 2
on server nginx -c /tmp/nginx.conf -s stop

finish
