#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
#
# The module loads with parameters, refuses those out of range, and unloads at any time.
#
# Hosts, on the switch of lib.sh: server (10.0.0.1) has rules and lists, client (10.0.0.2) floods it with pings.

. "$(dirname "$0")/../lib/lib.sh"
make_hosts server client

loaded() {
	grep -q '^palisade ' /proc/modules
}

unload() {
	modprobe -r palisade
}

has_family() {
	genl ctrl list | grep -q palisade
}

check "its netlink family is there" has_family
check "the module unloads" unload
check "it is gone" not loaded
check "its netlink family is gone" not has_family
check "who looks for the family by its name loads it" palisade -L
check "it is there again" loaded
unload

# Where it cannot be loaded, the CLI says why.
modprobe=$(cat /proc/sys/kernel/modprobe)
echo >/proc/sys/kernel/modprobe
check "where the kernel starts no modprobe, the CLI does" palisade list ls
unload
echo 'blacklist palisade' >/etc/modprobe.d/forbidden.conf
refuse "a module that is forbidden" 1 'not loaded: a file of /etc/modprobe.d' palisade -L
refuse "also for lists" 1 'not loaded: a file of /etc/modprobe.d' palisade list ls
refuse "a user who may not load it" 1 'not loaded: run this as root' setpriv --reuid 65534 --clear-groups palisade -L
rm /etc/modprobe.d/forbidden.conf
echo 'options palisade max_lists=0' >/etc/modprobe.d/wrong.conf
refuse "a module that is refused" 1 "not loaded: could not insert 'palisade': Invalid argument" palisade -L
rm /etc/modprobe.d/wrong.conf
modules=/lib/modules/$(uname -r)
mount -t tmpfs tmpfs "$modules"
refuse "a module that is not there" 1 "not installed for the running kernel $(uname -r | sed "s,[+],[+],g")" palisade -L
umount "$modules"
echo "$modprobe" >/proc/sys/kernel/modprobe
check "nothing of that has loaded it" not loaded

# refuses PARAMETER VALUE RANGE: loading the module fails, and a line in the log has all three.
refuses() {
	dmesg --clear
	check "$1=$2 is refused" not modprobe palisade "$1=$2"
	check "the log says so" sh -c "dmesg | grep -q 'palisade: parameter $1=$2 .*$3'"
	check "and the module is not loaded" not loaded
}
refuses max_entries 0 'from 1 to 16777216'
refuses max_entries -1 'from 1 to 16777216'
refuses max_entries 16777217 'from 1 to 16777216'
refuses max_lists 0 'from 1 to 65536'
refuses max_lists 65537 'from 1 to 65536'
refuses max_rules 0 'from 1 to 1048576'
refuses max_rules 1048577 'from 1 to 1048576'
refuses max_chains 0 'from 1 to 65536'
refuses max_chains 65537 'from 1 to 65536'
refuses entry_timeout -1 'from 0 to'
refuses entry_timeout 100000000 'from 0 to'
refuses max_held -1 'from 0 to 67108864'
refuses max_held 67108865 'from 0 to 67108864'
check "a value that is not a number is refused" not modprobe palisade max_entries=many
check "an unknown parameter does not prevent loading" modprobe palisade max_entires=5
check "but the log says so" sh -c "dmesg | grep -q \"palisade: unknown parameter 'max_entires'\""
unload

check "modinfo describes max_entries" sh -c "modinfo -p palisade | grep -q 'max_entries:.*1-16777216, default 65536'"
check "modinfo describes all parameters" test "$(modinfo -p palisade | grep -c default)" -eq 6
check "modinfo has the version of the tool" test "palisade $(modinfo -F version palisade)" = "$(palisade --version)"
check "modinfo has the licence" test "$(modinfo -F license palisade)" = GPL

check "the module loads with parameters" modprobe palisade max_entries=50 max_lists=2 max_rules=3 entry_timeout=2
on server palisade list create one
check "max_entries is the size of a list" test "$(on server palisade list show one --json | field .size)" -eq 50
check "entry_timeout is the timeout of a list" test "$(on server palisade list show one --json | field .timeout_ms)" -eq 2000
refuse "max_entries is the largest size of a list" 1 'max_entries' on server palisade list create large size=51
on server palisade list create two
refuse "max_lists limits lists" 1 'max_lists' on server palisade list create three
refuse "also lists that rules create" 1 'too many' on server palisade -A INPUT -m recent --name three --set
on server palisade -A INPUT -j ACCEPT
on server palisade -A INPUT -j ACCEPT
on server palisade -A INPUT -j ACCEPT
refuse "max_rules limits rules" 1 'max_rules' on server palisade -A INPUT -j ACCEPT
check "in each namespace, not in all of them together" on client palisade -A INPUT -j ACCEPT
unload

# Under traffic, with rules and lists in use.
reload() {
	local round
	for round in $(seq 15); do
		modprobe palisade || return 1
		on server palisade -A INPUT -m recent --name busy --set || return 1
		on server palisade -t raw -A PREROUTING -p icmp -m recent --name busy --update --seconds 5 --hitcount 3 || return 1
		on server palisade list show busy >/dev/null || return 1
		modprobe -r palisade || return 1
	done
}
modprobe palisade
ip netns exec client ping -n -q -f -w 3600 10.0.0.1 >/dev/null &
flooder=$!
unload
check "the module is loaded and unloaded under traffic" reload
check "traffic did not stop" kill -0 "$flooder"
kill -INT "$flooder"
wait "$flooder"
check "and passes without the module" pings client 10.0.0.1

# Nothing is left behind.
check "no symbol remains" not grep -q '\[palisade\]' /proc/kallsyms
check "no memory of the module remains" not grep -q palisade /proc/vmallocinfo
modprobe nfnetlink_hook
no_hook_remains() {
	local hooks
	hooks=$(on server nft list hooks) && ! grep -q palisade <<<"$hooks"
}
check "no hook remains" no_hook_remains
modprobe palisade
check "the module loads again" loaded

said=$(mktemp)
palisade monitor 2>"$said" &
monitor=$!
listening() {
	# The first group is the controller's.
	awk -v process="$monitor" '$2 == 16 && $3 == process && $4 !~ /^0*(8000)?$/ { found = 1 } END { exit !found }' \
		/proc/net/netlink
}
check "somebody listens" eventually 60 listening
check "and does not keep it" modprobe -r palisade
check "but is told" eventually 60 grep -q 'the palisade kernel module was unloaded' "$said"
wait "$monitor"
check "and ends with an error" test $? -eq 1
rm "$said"
modprobe palisade

finish
