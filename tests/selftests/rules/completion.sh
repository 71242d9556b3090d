#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
#
# bash completes command lines with what the kernel has: user-defined chains, recent lists. What may follow otherwise is
# for the tool's own tests.
#
# Hosts, on the switch of lib.sh: reader (10.0.0.1). No packets are sent.

. "$(dirname "$0")/../lib/lib.sh"

# Where the package bash-completion is installed, scripts of commands are used through it.
framework=/usr/share/bash-completion/bash_completion
script=$checkout/userspace-tool/completions/palisade.bash

# complete_line LINE: prints what bash may put for the last word.
complete_line() {
	# shellcheck disable=SC2016 # expanded by the other bash
	on reader bash -c '
		[ ! -e "$1" ] || . "$1"
		. "$2"
		COMP_LINE=$3 COMP_POINT=${#3}
		_palisade palisade
		echo "${COMPREPLY[@]}"
	' bash "$framework" "$script" "$1"
}

# completes LINE WORD...: exactly these words may stand there.
completes() {
	local line=$1 words
	shift
	words=$(complete_line "$line")
	echo "$words"
	[ "$words" = "$*" ]
}

make_hosts reader
on reader palisade -N guard
on reader palisade -N guests
on reader palisade -t raw -N early
on reader palisade list create SSH
on reader palisade list create "SSH 2"

check "user-defined chains of the table" completes 'palisade -A gu' guard guests
check "those of another table" completes 'palisade -t raw -A e' early
check "targets and chains" completes 'palisade -A INPUT -j gua' guard
check "built-in chains" completes 'palisade -A INP' INPUT
check "options of a match" completes 'palisade -A INPUT -m recent --na' --name
check "recent lists" completes 'palisade -A INPUT -m recent --name S' SSH 'SSH\ 2'
check "in a word with a quote" completes 'palisade -A INPUT -m recent --name "SSH ' 'SSH 2'
check "behind an equals sign" completes 'palisade -A INPUT -m recent --name=S' SSH 'SSH\ 2'
check "lists of palisade list" completes 'palisade list show S' SSH 'SSH\ 2'
check "bash knows the function" on reader bash -c '. "$1" && complete -p palisade' bash "$script"

# Who may not ask the kernel gets the names that are always there.
check "without rights, built-in chains" on reader setpriv --bounding-set=-all --inh-caps=-all \
	bash -c 'palisade complete words -A "" | grep -q INPUT'
remove_hosts

finish
