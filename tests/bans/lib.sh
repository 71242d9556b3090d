# SPDX-License-Identifier: GPL-2.0
#
# Shared by the tests of programs that ban: hosts, an sshd that logs, and who attacks it.
#
# Hosts, on the switch of lib.sh: server (10.0.0.1) has the programs, attacker (10.0.0.2) guesses passwords, and visitor
# (10.0.0.3) does not. The server serves port 80 as well.

. "$(dirname "${BASH_SOURCE[0]}")/../selftests/lib/lists.sh"

programs=$checkout/build/bans
work=$(mktemp -d)
chmod 755 "$work"
system_log=$work/log

# has LIST COUNT: so many addresses are in the list.
has() { [ "$(on server palisade list ls --json | field ".[] | select(.name == \"$1\") | .entries")" = "$2" ]; }
# banned LIST ADDRESS
banned() { lists server "$@" 2>/dev/null; }
# has_rule RULE...: in the chain PREROUTING of the table raw.
has_rule() { on server palisade -t raw -C PREROUTING "$@"; }
# now: the time in milliseconds.
now() { echo $((${EPOCHREALTIME/./} / 1000)); }

# set_up_hosts: with what the package of Palisade installs, below /usr/local.
set_up_hosts() {
	modprobe palisade max_entries=200000
	make_hosts server attacker visitor
	"$checkout/userspace-tool/system/install" tool
	listen server 80
}

# start_syslog: $system_log has what programs log, as rsyslog writes it.
start_syslog() {
	: >"$system_log"
	rm -f /dev/log
	python3 "$checkout/tests/bans/syslog.py" /dev/log "$system_log" &
	eventually 60 test -S /dev/log
}

# serve_ssh: an sshd, which logs there.
serve_ssh() {
	start_syslog
	ssh-keygen -q -t ed25519 -N '' -f "$work/host_key"
	mkdir -p /run/sshd
	printf '#!/bin/sh\necho guessed\n' >"$work/askpass"
	chmod +x "$work/askpass"
	on server /usr/sbin/sshd -f /dev/null -h "$work/host_key" -o PidFile="$work/sshd.pid" -o UsePAM=no \
		-o PerSourcePenalties=no -o MaxAuthTries=2
	eventually 60 connects visitor 10.0.0.1 22
}

# attack HOST ADDRESS: guesses passwords at the server's sshd; succeeds if that was there.
attack() {
	on "$1" env DISPLAY=: SSH_ASKPASS="$work/askpass" SSH_ASKPASS_REQUIRE=force setsid --wait ssh -F none \
		-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o ConnectTimeout=20 \
		-o PreferredAuthentications=password -o NumberOfPasswordPrompts=1 -l root "$2" true 2>&1 | grep -q 'Permission denied'
}

# attack_until HOST ADDRESS COMMAND...: guesses passwords until the command succeeds.
attack_until() {
	local host=$1 address=$2
	shift 2
	eventually 300 eval "attack $host $address; $*"
}
