# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Completion of palisade(8) for bash: /usr/share/bash-completion/completions/palisade. It needs no package; what may
# follow is the tool's own answer.

_palisade() {
	# Debian's users have no sbin in their paths.
	local candidate PATH=$PATH:/usr/sbin:/sbin
	COMPREPLY=()
	while IFS= read -r candidate; do
		case $candidate in
		:files)
			compopt -o default
			COMPREPLY=()
			return
			;;
		*=) compopt -o nospace ;;&
		*) COMPREPLY+=("$candidate") ;;
		esac
	done < <("$1" complete line "$COMP_WORDBREAKS" "${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
}

complete -o nosort -F _palisade palisade
