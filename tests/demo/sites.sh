#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The second part of the demo: three sites behind one address and one port. Each has a host and a certificate of its own;
# the name that a visitor's browser asks for chooses among them, and TLS ends nowhere else.

set -u
. "$(dirname "$0")/hosts.sh"

sites=(shop.example.org mail.example.org anna.example.net)

say "setting up a server that has no key, and three hosts behind it with a site each"
make_hosts
number=0
for site in "${sites[@]}"; do
	number=$((number + 1))
	make_host_behind "${site%%.*}" $number
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=$site" \
		-addext "subjectAltName=DNS:$site" -keyout "$work/$site.key" -out "$work/$site.pem" 2>/dev/null
	cat "$work/$site.pem" >>"$work/trusted.pem"
	cat >"$work/$site.conf" <<-CONFIGURATION
		worker_processes 1;
		user root;
		pid $work/$site.pid;
		error_log $work/$site.log;
		events { }
		http {
			access_log off;
			server {
				listen 443 ssl;
				ssl_certificate $work/$site.pem;
				ssl_certificate_key $work/$site.key;
				return 200 "$site \$remote_addr\n";
			}
		}
	CONFIGURATION
	ip netns exec "${site%%.*}" nginx -c "$work/$site.conf" || exit 1
done

cat >"$work/commands" <<'COMMANDS'
modprobe palisade
# Who connects to port 443 has a minute to say what it wants. The name it asks for chooses the host.
palisade -t raw -A PREROUTING -p tcp --dport 443 -j SYNPROXY --until-data 60
palisade -t nat -A PREROUTING -p tcp --dport 443 -m tls --host shop.example.org -j DNAT --to-destination 10.0.1.2
palisade -t nat -A PREROUTING -p tcp --dport 443 -m tls --host mail.example.org -j DNAT --to-destination 10.0.2.2
palisade -t nat -A PREROUTING -p tcp --dport 443 -m tls --host '*.example.net' -j DNAT --to-destination 10.0.3.2
COMMANDS
type_on_server "$work/commands"

say "the visitor (10.0.0.7) fetches a page of each from 10.0.0.1, and verifies who it gets it from:"
echo
printf '%-18s %-18s %s\n' name "served by" "which sees"
status=0
for site in "${sites[@]}"; do
	page=$(ip netns exec visitor curl -sS -m 60 --cacert "$work/trusted.pem" --resolve "$site:443:10.0.0.1" \
		"https://$site/" 2>&1)
	read -r by address <<<"$page"
	printf '%-18s %-18s %s\n' "$site" "$by" "$address"
	[ "$page" = "$site 10.0.0.7" ] || status=1
done
echo
say "the rules and what they counted:"
ip netns exec server palisade -t nat -L PREROUTING -v -n | sed 's/^/           /'
exit $status
