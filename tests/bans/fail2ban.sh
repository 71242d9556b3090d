#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# fail2ban.sh [NUMBER]: Debian's fail2ban bans with Palisade's action who guesses passwords of a real sshd, over both IP versions, and restarts with
# so many bans, 20,000 if not given.

. "$(dirname "$0")/lib.sh"
set_up_hosts
serve_ssh

cp -a "$programs/etc/fail2ban" /etc/
mkdir -p /var/lib/fail2ban /run/fail2ban
export PYTHONPATH=$programs/usr/lib/python3/dist-packages PYTHONDONTWRITEBYTECODE=1
rm -f /etc/fail2ban/jail.d/*
cat >/etc/fail2ban/fail2ban.local <<-END
	[Definition]
	logtarget = $work/fail2ban.log
	dbpurgeage = 30d
END
# jail ACTION: the configuration, with that action.
jail() {
	cat >/etc/fail2ban/jail.local <<-END
		[DEFAULT]
		banaction = $1
		banaction_allports = palisade.py[type=allports]
		ignoreip =
		ignoreself = false
		bantime = 7d
		findtime = 1d
		maxretry = 3
		usedns = no
		backend = polling

		[sshd]
		enabled = true
		backend = polling
		port = ssh
		logpath = $system_log

		[recidive]
		enabled = true
		logpath = $work/recidive.log
	END
}
touch "$work/recidive.log"
client() { on server "$programs/usr/bin/fail2ban-client" "$@"; }
# is_started: fail2ban answers.
is_started() { client ping >/dev/null 2>&1; }
start_fail2ban() {
	on server "$programs/usr/bin/fail2ban-server" -b start >"$work/start" 2>&1
	eventually 300 is_started || { cat "$work/start" "$work/fail2ban.log"; return 1; }
}
is_stopped() { ! is_started; }
stop_fail2ban() { client stop >/dev/null && eventually 300 is_stopped; }
rule=(-p tcp -m multiport --dports ssh -m recent --rcheck --name f2b-sshd -j DROP)
# feeder: the process that has the bans of the jail sshd.
feeder() { pgrep -f 'palisade list feed f2b-sshd'; }
has_no_list() { ! on server palisade list show "$1" >/dev/null 2>&1; }

jail palisade.py
check "fail2ban starts" start_fail2ban
check "with a rule for the jail's ports" eventually 60 has_rule "${rule[@]}"
check "or for all, where it is for these" eventually 60 has_rule -m recent --rcheck --name f2b-recidive -j DROP
check "who guesses passwords is served at first" attack attacker 10.0.0.1
check "and banned when he goes on" attack_until attacker 10.0.0.1 banned f2b-sshd 10.0.0.2
check "so that he reaches sshd no more" not connects attacker 10.0.0.1 22
check "but other ports" connects attacker 10.0.0.1 80
check "also over IPv6" attack_until attacker fd00::1 banned f2b-sshd fd00::2
check "so that he does not reach it there" not connects attacker fd00::1 22
check "the list lets go of him when fail2ban is gone" test "$(on server palisade list show f2b-sshd --json |
	field '.entries[] | select(.address == "10.0.0.2") | .left_ms / 86400000 | ceil')" = 7
check "others are served" connects visitor 10.0.0.1 22

check "an address is let in again" client set sshd unbanip 10.0.0.2
check "and reaches sshd" eventually 60 connects attacker 10.0.0.1 22
check "a jail for all ports" client set recidive banip 10.0.0.2
check "closes all of them" eventually 60 not connects attacker 10.0.0.1 80
check "until it lets in again" client set recidive unbanip 10.0.0.2
check "who is served" eventually 60 connects attacker 10.0.0.1 80
check "networks are banned, too" client set sshd banip 10.0.0.2/31
check "with all who are in them" eventually 60 not connects visitor 10.0.0.1 22
check "and let in again" client set sshd unbanip 10.0.0.2/31
check "all of them" eventually 60 connects visitor 10.0.0.1 22

empty server raw
check "rules may be restored without fail2ban's" connects attacker 10.0.0.1 22
# It looks for them once a second at most.
ban_another() {
	another=$((${another:-99} + 1))
	client set sshd banip 192.0.2.$another >/dev/null
	has_rule "${rule[@]}"
}
check "the next ban brings them back" eventually 60 ban_another
client set sshd banip 10.0.0.2 >/dev/null
check "and they are in force" eventually 60 not connects attacker 10.0.0.1 22
kill -9 "$(feeder)"
client set sshd banip 192.0.2.1 >/dev/null
check "a feed that ended is started again" eventually 60 banned f2b-sshd 192.0.2.1
check "with all bans" banned f2b-sshd 10.0.0.2
on server palisade -t raw -F
on server palisade list destroy f2b-sshd
check "a list that was lost, too" eventually 60 ban_another
check "as the log says" grep -q 'the rules were gone' "$work/fail2ban.log"
check "with all bans" eventually 60 banned f2b-sshd 192.0.2.1
check "which are in force" eventually 60 not connects attacker 10.0.0.1 22
check "reload keeps them" client reload
check "and the feed" test "$(feeder | wc -l)" = 1
check "and the rule" has_rule "${rule[@]}"
check "unban --all" client unban --all
check "lets all in" eventually 60 connects attacker 10.0.0.1 22
check "and leaves none" has f2b-sshd 0
client set sshd banip 10.0.0.2 >/dev/null
check "a ban" eventually 60 banned f2b-sshd 10.0.0.2
check "fail2ban stops" stop_fail2ban
check "and leaves no rule" not has_rule "${rule[@]}"
check "and no list" has_no_list f2b-sshd
check "and no feed" not feeder
check "nor keeps out anybody" connects attacker 10.0.0.1 22
modprobe -r palisade
modprobe palisade max_entries=200000
check "after a reboot, which the module does not remember," start_fail2ban
check "who was banned is" eventually 60 banned f2b-sshd 10.0.0.2
check "and is kept out" not connects attacker 10.0.0.1 22

# Restarts with many bans, and one with an action that does nothing, which tells what fail2ban itself takes.
number=${1:-20000}
many() { awk -v "first=$1" -v "last=$2" 'BEGIN { for (i = first; i < last; i++) printf "198.%d.%d.%d ", 18 + i / 65536, i / 256 % 256, i % 256 }'; }
ban_many() {
	local first
	for ((first = 0; first < number; first += 1000)); do
		# shellcheck disable=SC2046 # one word each
		client set sshd banip $(many $first $((first + 1000 < number ? first + 1000 : number))) >/dev/null || return 1
	done
}
start=$(now)
check "$number hosts are banned" ban_many
check "and are in the list" eventually 600 has f2b-sshd $((number + 1))
echo "# it took $(($(now) - start)) ms"
# What is banned is written to the database in the background.
kept() { [ "$(python3 -c "import sqlite3; print(sqlite3.connect('/var/lib/fail2ban/fail2ban.sqlite3').execute('select count(*) from bips').fetchone()[0])")" -gt $number ]; }
check "and in fail2ban's database" eventually 600 kept
start=$(now)
check "fail2ban stops with them" stop_fail2ban
echo "# it took $(($(now) - start)) ms"
check "and leaves no list" has_no_list f2b-sshd
start=$(now)
check "fail2ban starts with them" start_fail2ban
check "and all are banned again" eventually 900 has f2b-sshd $((number + 1))
with_palisade=$(($(now) - start))
check "the log has no errors" not grep ' ERROR ' <(sed '1,/unban --all/d' "$work/fail2ban.log")
stop_fail2ban

cat >/etc/fail2ban/action.d/nothing.py <<-END
	import os
	from fail2ban.server.action import ActionBase
	class Action(ActionBase):
	    def __init__(self, jail, name, **options):
	        super().__init__(jail, name)
	        self.count = 0
	    def ban(self, aInfo):
	        self.count += 1
	        if self.count == $number + 1:
	            open("/run/fail2ban/all", "w").close()
END
jail nothing.py
start=$(now)
check "it starts with an action that does nothing" start_fail2ban
check "and restores all bans" eventually 900 test -e /run/fail2ban/all
echo "# restarting with $number bans took $with_palisade ms with Palisade, and $(($(now) - start)) ms with an action that does nothing"
stop_fail2ban
rm -rf "$work"

finish
