#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
#
# Servers that are chosen by what clients say first, with the programs that people use.
#
# Hosts: the row of lib/synproxy.sh; "proxy" has the rules. nginx is on proxy and on server; sites with TLS are on both.

. "$(dirname "$0")/../lib/synproxy.sh"
make_row
serve proxy
serve server
folder=$(mktemp -d)

raw() { on proxy palisade -t raw "$@"; }
nat() { on proxy palisade -t nat "$@"; }
filter() { on proxy palisade "$@"; }

# site HOST PORT NAME: a site whose certificate has this name.
site() {
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=$3" -addext "subjectAltName=DNS:$3" \
		-keyout "$folder/$3.key" -out "$folder/$3.pem" &>/dev/null
	start "$1" openssl s_server -accept "$2" -cert "$folder/$3.pem" -key "$folder/$3.key" -www -quiet
	disown
	eventually 30 on "$1" sh -c "ss -Hltn sport = :$2 | grep -q ."
}
site proxy 8441 here.example.org
site server 8442 there.example.org
site server 443 other.example.org

# is_site ADDRESS NAME [OPTION...]: the client that asks for this name is served by who has the certificate.
is_site() {
	local address=$1 name=$2
	shift 2
	on client timeout 60 openssl s_client -connect "$address:443" -servername "$name" -verify_return_error \
		-verify_hostname "$name" -CAfile "$folder/$name.pem" "$@" </dev/null 2>&1 | grep 'Verify return code: 0'
}

# A proxy for HTTP that agrees to everything.
cat >"$folder/proxy.py" <<'PROGRAM'
import http.server


class Proxy(http.server.BaseHTTPRequestHandler):
    def do_CONNECT(self):
        self.send_response(200, "proxied")
        self.end_headers()


class Server(http.server.HTTPServer):
    address_family = 10


Server(("::", 3128), Proxy).serve_forever()
PROGRAM
start proxy python3 "$folder/proxy.py" 2>/dev/null
disown
eventually 30 on proxy sh -c 'ss -Hltn sport = :3128 | grep -q .'

# connects ADDRESS: curl asks for a tunnel, and gets the proxy's answer.
connects() {
	on client curl -sS -v -m 60 -p -x "http://$1:8080" http://www.example.org/ 2>&1 | grep 'HTTP/1.0 200 proxied'
}

# status FIELD PORT: what protect --status says of a port.
status() {
	on proxy palisade protect --status --json | field ".[] | select(.port == $2).$1"
}

# of_version VERSION: sets the addresses.
of_version() {
	case $1 in
	4) server=10.4.0.2 own=10.2.0.1 to=10.4.0.2 end=60 ;;
	6) server=[fd00:4::2] own=[fd00:2::1] to=[fd00:4::2] end=80 ;;
	esac
}

for version in 4 6; do
	of_version $version
	for address in "$server" "$own"; do
		echo "# IPv$version, $address"
		raw -A PREROUTING -p tcp -m multiport --dports 80,443,8080 -j SYNPROXY --until-data 60
		nat -A PREROUTING -p tcp --dport 8080 -m string --algo bm --to $end --string 'CONNECT ' -j REDIRECT --to-ports 3128
		check "requests go to the server" gets client "http://$address:8080/" -g
		check "a tunnel is asked of the proxy" connects "$address"
		check "requests go to the server still" gets client "http://$address:8080/" -g

		nat -A PREROUTING -p tcp --dport 443 -m tls --host here.example.org -j REDIRECT --to-ports 8441
		nat -A PREROUTING -p tcp --dport 443 -m tls --host '*.example.org' -j DNAT --to-destination "$to:8442"
		check "TLS to a site here" is_site "$address" here.example.org
		check "TLS to a site there" is_site "$address" there.example.org
		check "TLS 1.2 to a site there" is_site "$address" there.example.org -tls1_2
		check "TLS with many names, in records of 512 bytes" is_site "$address" there.example.org -max_send_frag 512 \
			-alpn "$(printf 'name%s,' {1..200})http/1.1"
		check "TLS to a site here again" is_site "$address" here.example.org

		nat -A PREROUTING -p tcp --dport 80 -m http --host www.example.org --path '/api/*' -j DNAT --to-destination "$to:8080"
		check "a path that has a server" gets client "http://$address/api/../" -g --path-as-is -H 'Host: www.example.org'
		check "a file, past the same rules" gets_file client "http://$address/file"
		raw -F
		nat -F
	done

	echo "# IPv$version: bans"
	raw -A PREROUTING -p tcp --dport 80 -m recent --name PROBES --rcheck --seconds 600 --hitcount 5 -j DROP
	raw -A PREROUTING -p tcp --dport 80 -j SYNPROXY --until-data 60
	filter -A INPUT -p tcp --dport 80 --syn -m http --path /wp-login.php -m recent --name PROBES --set
	for number in {1..5}; do
		check "request $number for what is not there" gets client "http://$own/" -g
		on client curl -gsS -m 60 -o /dev/null "http://$own/wp-login.php"
	done
	check "after five of them nothing is served" not on client curl -gsS -m 3 "http://$own/"
	raw -F
	filter -F
	on proxy palisade list destroy PROBES

	echo "# IPv$version: servers that speak first"
	on proxy palisade protect --until-data=1 25
	on server socat -U "TCP6-LISTEN:25,reuseaddr,fork,ipv6only=0" 'SYSTEM:echo hello' &
	disown
	eventually 30 on server sh -c 'ss -Hltn sport = :25 | grep -q .'
	check "they are heard" test "$(on client timeout 60 socat -u "TCP:$server:25" -)" = hello
	check "the status says why the connection was opened" test "$(status opened_by_timeout 25)" = 1
	pkill -f TCP6-LISTEN:25
	on proxy palisade protect --remove 25
done
rm -r "$folder"
finish
