# SPDX-License-Identifier: GPL-2.0
#
# Shared by the tests of commands that print what a multicast group tells. It is sourced after lib.sh.

# hears HOST PROCESS: the process is in a multicast group of generic netlink (16) besides the controller's (8000), and gets
# all messages from now on.
hears() {
	on "$1" awk -v process="$2" '$2 == 16 && $3 == process && $4 !~ /^0*(8000)?$/ { found = 1 } END { exit !found }' \
		/proc/net/netlink
}

# hearing DESCRIPTION HOST OUTPUT COMMAND...: runs a command of palisade's on the host in the background, until it is in its
# group. $listener is the process.
hearing() {
	local description=$1 host=$2 output=$3
	shift 3
	start "$host" palisade "$@" >"$output"
	listener=$!
	check "$description" eventually 60 hears "$host" "$listener"
}

# is_over PROCESS: it has ended, whether or not anybody has waited for it.
is_over() {
	! grep -Eqs '^State:[[:space:]]+[^Z]' "/proc/$1/status"
}

# told OUTPUT PATTERN: a line matches soon.
told() {
	eventually 60 grep -Eq -- "$2" "$1" || {
		cat "$1"
		return 1
	}
}

# told_json OUTPUT FILTER: an object satisfies a filter of jq soon.
told_json() {
	eventually 60 jq -es "any(.[]; $2)" "$1" >/dev/null || {
		cat "$1"
		return 1
	}
}
