# SPDX-License-Identifier: GPL-2.0
#
# Shared by the tests of SYNPROXY with real programs. make_row makes five hosts in a row, all of which forward:
#
#	+----------+     +---------------------+     +---------------------+     +---------------------+     +----------+
#	|  client  |     |        west         |     |        proxy        |     |        east         |     |  server  |
#	|          |     |                     |     |  (rules, SYNPROXY)  |     |                     |     |          |
#	|    eth0 -+-----+- left        right -+-----+- left        right -+-----+- left        right -+-----+- eth0    |
#	| 10.1.0.2 |     | 10.1.0.1   10.2.0.2 |     | 10.2.0.1   10.3.0.1 |     | 10.3.0.2   10.4.0.1 |     | 10.4.0.2 |
#	+----------+     +---------------------+     +---------------------+     +---------------------+     +----------+
#	         10.1.0.0/24                 10.2.0.0/24               10.3.0.0/24                 10.4.0.0/24
#
# 10.N.0.H/24 has fd00:N::H/64 beside it. Each host has static routes to all four networks.
#
# A test's first argument is the kind of rules. `learned`, by default, is one rule of Palisade; `options` is the same with
# the server's TCP options given; `five` are Palisade's rules as howtos have them; `iptables` are those rules for the
# kernel's own SYNPROXY.

. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

kind=${1:-learned}
[ "$kind" = iptables ] || modprobe palisade
options="--sack-perm --timestamp --mss 1460 --wscale 9"

# veth NUMBER HOST INTERFACE NUMBER HOST INTERFACE NETWORK: a veth pair. NUMBER is the host's own in the network.
veth() {
	ip link add "$3" netns "$2" type veth peer name "$6" netns "$5"
	ips "$2" "address add 10.$7.0.$1/24 dev $3" "address add fd00:$7::$1/64 dev $3 nodad" "link set $3 up"
	ips "$5" "address add 10.$7.0.$4/24 dev $6" "address add fd00:$7::$4/64 dev $6 nodad" "link set $6 up"
}

# reach HOST NETWORK NEXT-NETWORK NEXT-NUMBER: adds routes to a network, by a next hop in another one.
reach() {
	ips "$1" "route add 10.$2.0.0/24 via 10.$3.0.$4" "route add fd00:$2::/64 via fd00:$3::$4"
}

make_row() {
	local name
	add_hosts client west proxy east server
	for name in "${hosts[@]}"; do
		ip -n "$name" link set lo up
		on "$name" sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 \
			net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
			net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
	done
	veth 2 client eth0 1 west left 1
	veth 2 west right 1 proxy left 2
	veth 1 proxy right 2 east left 3
	veth 1 east right 2 server eth0 4
	for name in 2 3 4; do reach client $name 1 1; done
	for name in 3 4; do reach west $name 2 1; done
	reach proxy 1 2 2
	reach proxy 4 3 2
	for name in 1 2; do reach east $name 3 1; done
	for name in 1 2 3; do reach server $name 4 1; done
}

# protect PORTS: adds the proxy's rules for a range of ports.
protect() {
	local command=palisade commands chain
	case $kind in
	learned) on proxy palisade -t raw -A PREROUTING -p tcp --dport "$1" -j SYNPROXY ;;
	# shellcheck disable=SC2086 # they are several
	options) on proxy palisade -t raw -A PREROUTING -p tcp --dport "$1" -j SYNPROXY $options ;;
	five | iptables)
		commands=(palisade)
		[ "$kind" = five ] || commands=(iptables ip6tables)
		for command in "${commands[@]}"; do
			on proxy "$command" -t raw -A PREROUTING -p tcp --dport "$1" --syn -j CT --notrack
			for chain in INPUT FORWARD; do
				# shellcheck disable=SC2086
				on proxy "$command" -A $chain -p tcp --dport "$1" -m state --state INVALID,UNTRACKED \
					-j SYNPROXY $options
				on proxy "$command" -A $chain -p tcp -m state --state INVALID -j DROP
			done
		done
		on proxy sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0
		;;
	*)
		echo "the kinds of rules are learned, options, five and iptables" >&2
		exit 2
		;;
	esac
}

# only_proxied: no connection opens but by SYNPROXY. The client drops SYN-ACKs that more hosts than west have forwarded, as
# those of servers behind the proxy. One of the proxy's host sends none, since its socket takes connections over, unless
# they are translated.
# With the kernel's own SYNPROXY the client drops all that announce a window.
only_proxied() {
	local -a foreign=("ip ttl < 63" "ip6 hoplimit < 63")
	[ "$kind" != iptables ] || foreign=("tcp window != 0")
	on client nft -f - <<-RULES
		table inet watch {
			chain input {
				type filter hook input priority 0
				$(printf 'tcp flags & (syn | ack) == syn | ack %s drop\n' "${foreign[@]}")
			}
		}
	RULES
	[ "$kind" != iptables ] || return 0
	# A connection is translated if the socket of the last one from the same port is still there (TIME_WAIT).
	on proxy sysctl -qw net.ipv4.tcp_max_tw_buckets=0
	on proxy nft -f - <<-RULES
		table inet watch {
			chain output {
				type filter hook output priority 0
				ct status dnat accept
				ct status snat accept
				tcp flags & (syn | ack) == syn | ack drop
			}
		}
	RULES
}

# serve HOST: starts a web server on ports 80 and 8080, which has a page and a file of 1 MB.
serve() {
	local folder=/tmp/www-$1
	mkdir -p "$folder"
	[ -e /tmp/file ] || head -c 1000000 /dev/urandom >/tmp/file
	cp /tmp/file "$folder/file"
	echo served >"$folder/index.html"
	cat >"$folder/nginx.conf" <<-CONFIGURATION
		worker_processes 1;
		user root;
		pid $folder/nginx.pid;
		error_log $folder/nginx.log;
		events { worker_connections 4096; }
		http {
			access_log off;
			keepalive_requests 100000;
			server {
				listen 80 backlog=4096;
				listen [::]:80 backlog=4096;
				listen 8080;
				listen [::]:8080;
				root $folder;
			}
		}
	CONFIGURATION
	on "$1" nginx -c "$folder/nginx.conf"
	eventually 30 on "$1" sh -c "ss -Hltn sport = :80 | grep -q ."
}

# Seconds after which the proxy gives up a server that does not answer, and resets the client.
patience=10

# patiently COMMAND...: runs a command again, four times at most, when it fails after so long that this machine may have kept
# the server from answering.
patiently() {
	local begun
	for _ in {1..5}; do
		begun=$SECONDS
		"$@" && return
		[ $((SECONDS - begun)) -ge $patience ] || return 1
	done
	return 1
}

# gets HOST URL [OPTION...]: the page is served. The options are curl's.
gets() { patiently get_page "$@"; }
get_page() {
	local host=$1 url=$2
	shift 2
	on "$host" curl -sS -m 60 "$@" "$url" | grep -q served
}

# gets_file HOST URL [SECONDS]: the file arrives unchanged.
gets_file() {
	on "$1" curl -sS -m "${3:-30}" "$2" | cmp - /tmp/file
}

# offer HOST PORT: starts a server that sends the file.
offer() {
	on "$1" socat -U "TCP6-LISTEN:$2,reuseaddr,fork,ipv6only=0" OPEN:/tmp/file &
	disown
	eventually 30 on "$1" sh -c "ss -Hltn sport = :$2 | grep -q ."
}

# collect HOST PORT FILE: starts a server that writes what it receives to a file.
collect() {
	on "$1" socat -u "TCP6-LISTEN:$2,reuseaddr,fork,ipv6only=0" "OPEN:$3,creat,trunc" &
	disown
	eventually 30 on "$1" sh -c "ss -Hltn sport = :$2 | grep -q ."
}

# downloads ADDRESS:PORT [SECONDS]: the client receives the file from offer.
downloads() {
	on client timeout "${2:-30}" socat -u "TCP:$1" - </dev/null | cmp - /tmp/file
}

# uploads ADDRESS:PORT FILE [SECONDS]: the client sends the file to collect.
uploads() {
	rm -f "$2"
	on client timeout "${3:-30}" socat -u OPEN:/tmp/file "TCP:$1" && eventually 30 cmp -s /tmp/file "$2"
}
