#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
#
# Rules as people have published them for iptables, with only the command's name replaced, at work on real
# connections: a poor man's state engine of recent lists, a tutorial's options, untracked SYNs, a limit for floods.
#
# Hosts, on the switch of lib.sh: server (10.0.0.1) has the rules, client (10.0.0.2) and stranger (10.0.0.3) connect.

. "$(dirname "$0")/../lib/lib.sh"
make_hosts server client stranger

# rules HOST: runs each line of standard input as a command, with palisade in place of iptables. The lines are as they
# were published.
rules() {
	# shellcheck disable=SC2016 # expanded by the other bash
	on "$1" bash -c '
		iptables() { palisade "$@"; }
		while read -r line; do
			eval "${line//\/sbin\/iptables/iptables}" || { echo "refused: $line"; exit 1; }
		done'
}

clean() {
	empty server raw filter nat
	on server palisade list ls --json | field '.[].name' | while read -r name; do
		on server palisade list destroy "$name"
	done
}

# A web server that closes the connection after its answer.
on server python3 -m http.server 80 --bind 10.0.0.1 >/dev/null 2>&1 &
eventually 30 on server sh -c 'ss -Hltn sport = :80 | grep -q .'

fetches() {
	on "$1" curl -sS --max-time 30 -o /dev/null http://10.0.0.1/
}

# stray_ack_answered HOST [SECONDS]: an ACK to port 80 without a connection is answered within that time.
stray_ack_answered() {
	on "$1" env PYTHONPATH="$lib" python3 -c '
import socket, sys
from packet_frames import SERVER, checked_tcp, tcp
with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP) as link:
    link.settimeout(int(sys.argv[1]))
    link.connect(("10.0.0.1", 0))
    source = socket.inet_aton(link.getsockname()[0])
    link.send(checked_tcp(source, SERVER[4], tcp(4444, 80, 0x10, acknowledgement=1)))
    try:
        while link.recv(2000)[20:24] != tcp(80, 4444, 0)[:4]:
            pass
    except TimeoutError:
        sys.exit(1)' "${2:-1}"
}

echo "# HTTP by recent lists alone"
check "the script is accepted" rules server <<'RULES'
/sbin/iptables -N HTTP
/sbin/iptables -N HTTP-FINAL
/sbin/iptables -N HTTP-FINAL-1
/sbin/iptables -N HTTP-FINAL-2
/sbin/iptables -A INPUT -p tcp --dport 80 -j HTTP
/sbin/iptables -A HTTP-FINAL -p tcp -m recent --name HTTP-LIST -j HTTP-FINAL-1
/sbin/iptables -A HTTP-FINAL -p tcp -m recent --name HTTP-FINAL -j HTTP-FINAL-2
/sbin/iptables -A HTTP-FINAL-1 -p tcp --tcp-flags SYN,ACK,FIN FIN,ACK -m recent --name HTTP-LIST --close -j ACCEPT
/sbin/iptables -A HTTP-FINAL-1 -p tcp --tcp-flags SYN,ACK,FIN FIN,ACK -m recent --name HTTP-FINAL --set -j ACCEPT
/sbin/iptables -A HTTP-FINAL-2 -p tcp --tcp-flags SYN,ACK NONE -m recent --name HTTP-FINAL --update -j ACCEPT
/sbin/iptables -A HTTP-FINAL-2 -p tcp --tcp-flags SYN,ACK ACK -m recent --name HTTP-FINAL --update -j ACCEPT
/sbin/iptables -A HTTP-FINAL-2 -p tcp --tcp-flags SYN,ACK,FIN FIN -m recent --name HTTP-FINAL --update -j ACCEPT
/sbin/iptables -A HTTP-FINAL-2 -p tcp --tcp-flags SYN,ACK,FIN FIN,ACK -m recent --name HTTP-FINAL --close -j ACCEPT
/sbin/iptables -A HTTP -p tcp --tcp-flags SYN,ACK,FIN,RST SYN -m recent --name HTTP-LIST --set -j ACCEPT
/sbin/iptables -A HTTP -p tcp --tcp-flags SYN,ACK,FIN,RST SYN,ACK -m recent --name HTTP-LIST --update -j ACCEPT
/sbin/iptables -A HTTP -p tcp --tcp-flags SYN,ACK,FIN ACK -m recent --name HTTP-LIST --update -j ACCEPT
/sbin/iptables -A HTTP -p tcp --tcp-flags SYN,ACK NONE -m recent --name HTTP-LIST --update -j ACCEPT
/sbin/iptables -A HTTP -p tcp --tcp-flags SYN,ACK ACK -m recent --name HTTP-LIST --update -j ACCEPT
/sbin/iptables -A HTTP -p tcp --tcp-flags SYN,FIN,ACK FIN -m recent --name HTTP-LIST --update -j ACCEPT
/sbin/iptables -A HTTP -p tcp --tcp-flags SYN,FIN,ACK FIN,ACK -m recent --name HTTP-LIST -j HTTP-FINAL
/sbin/iptables -A HTTP -p tcp --tcp-flags SYN,FIN,ACK,RST RST -m recent --name HTTP-LIST --remove -j ACCEPT
RULES
check "a stray ACK gets through while the policy is ACCEPT" stray_ack_answered stranger 20
on server palisade -P INPUT DROP
check "with the policy DROP it does not" not stray_ack_answered stranger
check "a page can be fetched" fetches client
check "and the client is in HTTP-LIST" lists server HTTP-LIST 10.0.0.2
check "a stray ACK from another host still does not get through" not stray_ack_answered stranger
# In the published order, the rules for SYN,ACK match each FIN and RST before the rules meant for them. What the comments
# in the script describe takes the rule for FIN,ACK first.
check "the rule for FIN is put first" rules server <<'RULES'
/sbin/iptables -I HTTP 1 -p tcp --tcp-flags SYN,FIN,ACK FIN,ACK -m recent --name HTTP-LIST -j HTTP-FINAL
RULES
check "a page can still be fetched" fetches client
check "and its end removes the client from HTTP-LIST" eventually 30 not lists server HTTP-LIST 10.0.0.2
check "by --close in the chain HTTP-FINAL-1" test "$(counter server filter HTTP-FINAL-1 1)" -eq 1
clean

echo "# the options of a tutorial"
check "all of them are accepted" rules server <<'RULES'
iptables -A OUTPUT -m recent --name examplelist
iptables -A OUTPUT -m recent --set
iptables -A OUTPUT -m recent --name examplelist --rcheck
iptables -A OUTPUT -m recent --name examplelist --update
iptables -A INPUT -m recent --name example --remove
iptables -A INPUT -m recent --name example --check --seconds 60
iptables -A INPUT -m recent --name example --check --hitcount 20
iptables -A INPUT -m recent --name example --check --rttl
iptables -A INPUT -m recent --name example --rsource
iptables -A INPUT -m recent --name example --rdest
RULES
check "a list without a name is DEFAULT" on server sh -c 'palisade list show DEFAULT >/dev/null'
check "a match without an operation is --rcheck" on server sh -c 'palisade -S OUTPUT | sed -n 2p | grep -q -- --rcheck'
clean
rules server <<'RULES'
iptables -A OUTPUT -p tcp --dport 6667 -m recent --name irc --rdest --set
iptables -A INPUT -p tcp --dport 113 -m recent --name irc --rcheck --seconds 1000 -j ACCEPT
iptables -A INPUT -p tcp --dport 113 -j DROP
RULES
listen server 113
listen client 6667
check "no host may connect to the ident port" not connects client 10.0.0.1 113
check "a connection to an IRC server is made" connects server 10.0.0.2 6667
check "the IRC server may then connect to the ident port" connects client 10.0.0.1 113
check "but no other host" not connects stranger 10.0.0.1 113
ago server irc 2000s 10.0.0.2
check "and only for some seconds" not connects client 10.0.0.1 113
clean

echo "# connection tracking and its limits"
on server sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0
check "untracked SYNs and invalid packets are accepted as rules" rules server <<'RULES'
iptables -t raw -A PREROUTING -i eth0 -p tcp --dport 80 --syn -j CT --notrack
iptables -A INPUT -i eth0 -p tcp --dport 80 -m state --state UNTRACKED
iptables -A INPUT -i eth0 -p tcp --dport 80 -m state --state INVALID -j DROP
RULES
check "an ACK without a connection is dropped" not stray_ack_answered stranger
check "by the rule for invalid packets" test "$(counter server filter INPUT 2)" -gt 0
connects client 10.0.0.1 80
check "a SYN is untracked" test "$(counter server filter INPUT 1)" -gt 0
clean
on server sysctl -qw net.netfilter.nf_conntrack_tcp_loose=1
check "the rules against new connections without a SYN are accepted" rules server <<'RULES'
iptables -A INPUT -p tcp ! --syn -m state --state NEW -j DROP
iptables -A INPUT -p tcp ! --tcp-flags SYN SYN -m state --state NEW -j DROP
RULES
check "an ACK without a connection is dropped" not stray_ack_answered stranger
check "and a connection with a SYN works" fetches client
clean
# The same rules as a web page shows them: dashes in place of hyphens, and missing spaces.
rules server <<<"iptables -A INPUT -p tcp ! --syn -m state --state NEW -j DROP"
meant=$(on server palisade -S INPUT)
clean
for published in \
	"iptables -A INPUT-p tcp ! --syn -m state --state NEW-j DROP" \
	"iptables -A INPUT-p tcp ! –syn -m state –state NEW-j DROP" \
	"iptables -A INPUT -p tcp ! -–syn -m state –-state NEW -j DROP"; do
	check "${published#iptables } is accepted" rules server <<<"$published"
	check "and read as the intended rule" test "$(on server palisade -S INPUT)" = "$meant"
	check "it drops an ACK without a connection" not stray_ack_answered stranger
	check "and nothing else" fetches client
	clean
done
warning=$(on server palisade -A INPUT-p tcp -j ACCEPT 2>&1)
check "a warning says how it was read" test "$warning" = 'palisade: warning: read "INPUT-p" as "INPUT -p"'
clean
on server sysctl -qw net.netfilter.nf_conntrack_tcp_loose=1
check "the chain against floods is accepted" rules server <<'RULES'
iptables -N syn-flood-eth0
iptables -A INPUT -i eth0 -p tcp --syn -j syn-flood-eth0
iptables -A syn-flood-eth0 -m limit --limit 10/s --limit-burst 100 -j RETURN
iptables -A syn-flood-eth0 -j DROP
RULES
# How many the limit lets through depends on how long sending them takes.
most=$(on client env PYTHONPATH="$lib" python3 -c '
import socket, time
from packet_frames import HOSTS, SERVER, checked_tcp, tcp
segment = checked_tcp(HOSTS[4][0], SERVER[4], tcp(20, 81, 2))
with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP) as sender:
    sender.connect(("10.0.0.1", 0))
    start = time.monotonic()
    for _ in range(400):
        sender.send(segment)
    print(round(100 + 10 * (time.monotonic() - start) + 5))')
let_through=$(counter server filter syn-flood-eth0 1)
check "about 100 SYNs of 400 at once got through ($let_through)" test "$let_through" -ge 100 -a "$let_through" -le "$most"
check "the others were dropped" test "$(counter server filter syn-flood-eth0 2)" -eq $((400 - let_through))
clean
check "the rule with a string is accepted" rules server <<'RULES'
iptables -A INPUT -m string --string '*.exe' -j REDIRECT
RULES
on client sh -c 'printf "GET /virus.exe" | nc -n -u -w 1 10.0.0.1 9'
on client sh -c 'printf "GET /index.html" | nc -n -u -w 1 10.0.0.1 9'
check "and matches the packet with the string" test "$(counter server filter INPUT 1)" -eq 1
clean
check "the rule that redirects surplus connections is accepted" rules server <<'RULES'
iptables -t nat -A PREROUTING -p tcp --dport 8000 -m connlimit --connlimit-above 2 --connlimit-mask 0 -j REDIRECT --to-ports 8001
RULES
on server socat TCP4-LISTEN:8000,reuseaddr,fork SYSTEM:'echo first; sleep 120' &
on server socat TCP4-LISTEN:8001,reuseaddr,fork SYSTEM:'echo second; sleep 120' &
eventually 30 on server sh -c '[ "$(ss -Hltn "sport = :8000 or sport = :8001" | wc -l)" = 2 ]'
# ask HOST NUMBER: keeps a connection open in the background, and writes the answer to a file.
ask() {
	on "$1" timeout 120 nc -n 10.0.0.1 8000 </dev/null >"/tmp/answer.$2" &
}
ask client 1
ask stranger 2
check "the first two connections reach the first server" \
	eventually 30 sh -c 'grep -q first /tmp/answer.1 && grep -q first /tmp/answer.2'
ask client 3
check "the third one reaches the other server" eventually 30 grep -q second /tmp/answer.3

finish
