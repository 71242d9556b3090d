#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The first part of the demo: an attacker tries passwords at a real sshd until Palisade's rules cut it off,
# and is let in again when it was quiet for long enough; a visitor is served all the time.

set -u
. "$(dirname "$0")/hosts.sh"

allowed=4
seconds=30
used=/out/demo-commands.sh
[ -w /out ] || used=$work/demo-commands.sh

say "setting up a server, an attacker and a visitor"
make_hosts

ssh-keygen -q -t ed25519 -N '' -f "$work/host_key"
ssh-keygen -q -t ed25519 -N '' -f "$work/visitor_key"
cp "$work/visitor_key.pub" "$work/authorized_keys"
chmod 700 "$work"
mkdir -p /run/sshd
cat >"$work/sshd_config" <<CONFIGURATION
HostKey $work/host_key
AuthorizedKeysFile $work/authorized_keys
PidFile $work/sshd.pid
StrictModes no
UsePAM no
PermitRootLogin yes
CONFIGURATION
ip netns exec server /usr/sbin/sshd -f "$work/sshd_config"
options=(-F none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR
	-o ConnectionAttempts=1)

# Tries one password; what sshd says tells whether it got that far.
attack() {
	ip netns exec attacker ssh "${options[@]}" -o ConnectTimeout=20 -o BatchMode=yes \
		-o PreferredAuthentications=password -l root 10.0.0.1 true 2>&1 | grep -q 'Permission denied'
}

# Does some work on the server.
visit() {
	[ "$(ip netns exec visitor ssh "${options[@]}" -o ConnectTimeout=30 -i "$work/visitor_key" \
		-l root 10.0.0.1 echo served 2>&1)" = served ]
}

until attack; do
	[ -e "$work/sshd.pid" ] || sleep 0.5
	[ "$(awk -v start="$start" '{ print ($1 - start > 60) }' /proc/uptime)" = 0 ] || {
		say "sshd does not answer"
		exit 1
	}
done

cat >"$used" <<COMMANDS
modprobe palisade
# Who opens $allowed connections to port 22 within $seconds seconds is not let in until $seconds quiet seconds have passed.
palisade -A INPUT -p tcp --dport 22 --syn -m recent --name SSH --update --seconds $seconds --hitcount $allowed -j DROP
palisade -A INPUT -p tcp --dport 22 --syn -m recent --name SSH --set
COMMANDS
type_on_server "$used"

# The visitor comes by all the time.
visits=$work/visits
: >"$visits"
(
	while :; do
		if visit; then echo served; else echo refused; fi >>"$visits"
		sleep 10
	done
) &
visitor=$!

tries=0
reached=0
blocked=0
while [ "$tries" -lt 8 ]; do
	tries=$((tries + 1))
	if attack; then
		reached=$((reached + 1))
		say "attacker: try $tries reaches sshd and is told that the password is wrong"
	else
		blocked=$((blocked + 1))
		say "attacker: try $tries is cut off"
	fi
done
reached_before=$reached

say "what the server remembers:"
ip netns exec server palisade list show SSH | sed 's/^/           /'

say "the attacker is quiet for $((seconds + 1)) seconds"
sleep $((seconds + 1))
if attack; then
	reached=$((reached + 1))
	tries=$((tries + 1))
	say "attacker: let in again after $seconds quiet seconds"
	again=yes
else
	blocked=$((blocked + 1))
	tries=$((tries + 1))
	say "attacker: still kept out"
	again=no
fi
kill "$visitor" 2>/dev/null
wait "$visitor" 2>/dev/null

served=$(grep -c served "$visits")
refused=$(grep -c refused "$visits")
say "the rules and what they counted:"
ip netns exec server palisade -L INPUT -v -n | sed 's/^/           /'
echo
printf '%-10s %8s %8s %8s\n' host tries served blocked
printf '%-10s %8d %8d %8d\n' attacker "$tries" "$reached" "$blocked"
printf '%-10s %8d %8d %8d\n' visitor $((served + refused)) "$served" "$refused"
echo
case $used in
/out/*) echo "The commands are in build/vm/out/${used#/out/} of the checkout." ;;
esac

[ "$reached_before" -eq "$allowed" ] && [ "$again" = yes ] && [ "$refused" -eq 0 ] && [ "$served" -gt 0 ]
