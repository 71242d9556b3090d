#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Debian's sshguard blocks, with Palisade's backend, who guesses passwords of a real sshd, over both IP versions.

. "$(dirname "$0")/lib.sh"
set_up_hosts
serve_ssh

mkdir -p /usr/libexec /etc/sshguard
cp -a "$programs/usr/libexec/sshguard" /usr/libexec/
cat >/etc/sshguard/sshguard.conf <<-END
	BACKEND="/usr/local/libexec/palisade/sshg-fw-palisade"
	FILES="$system_log"
	THRESHOLD=30
	BLOCK_TIME=20
END
start_sshguard() { start server setsid "$programs/usr/sbin/sshguard" >"$work/log" 2>&1; sshguard=$!; }
rule=(-m recent --rcheck --name sshguard -j DROP)
is_running() { pgrep -f 'palisade ban --feed --list sshguard' >/dev/null; }

start_sshguard
check "sshguard starts its backend, which makes the rule" eventually 120 has_rule "${rule[@]}"
check "who guesses passwords is served at first" attack attacker 10.0.0.1
check "and blocked when he goes on" attack_until attacker 10.0.0.1 banned sshguard 10.0.0.2
check "so that he reaches nothing" not connects attacker 10.0.0.1 80
check "others are served" connects visitor 10.0.0.1 80
check "also over IPv6" attack_until attacker fd00::1 banned sshguard fd00::2
check "so that he reaches nothing there" not connects attacker fd00::1 80
check "he is released after a time" eventually 300 connects attacker 10.0.0.1 80
check "from the list, too" not banned sshguard 10.0.0.2
check "and blocked again" attack_until attacker 10.0.0.1 banned sshguard 10.0.0.2
kill "$sshguard"
check "its end" eventually 60 not is_running
check "lets all in, as sshguard asks for" eventually 60 has sshguard 0
check "who are served" connects attacker 10.0.0.1 80

on server palisade list add sshguard 10.0.0.2
start_sshguard
check "what another sshguard left" eventually 120 is_running
check "does not stay" eventually 60 connects attacker 10.0.0.1 80
kill "$sshguard"
eventually 60 not is_running
rm -rf "$work"

finish
