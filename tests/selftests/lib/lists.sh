# SPDX-License-Identifier: GPL-2.0
#
# Shared by the tests of recent lists, which are those of the host server, on the switch of lib.sh.

. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# list COMMAND...: works on the server's lists.
list() {
	on server palisade list "$@"
}

# of LIST FILTER: prints what a filter of jq finds in a list.
of() {
	list show "$1" --json | field "$2"
}

# matched HOST [ADDRESS]: a packet of that host to the server agrees with the first rule of INPUT.
matched() {
	local before
	before=$(counter server filter INPUT 1)
	arrived "$1" 0 "${2:-10.0.0.1}"
	[ "$(counter server filter INPUT 1)" -eq $((before + 1)) ]
}
