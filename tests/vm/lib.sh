# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # not every script uses every variable
# What the scripts of this folder share: paths, messages, root rights, locks.
# It is sourced, after `set -euo pipefail`.

export LC_ALL=C.UTF-8
PATH=$PATH:/usr/sbin:/sbin

vm_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
checkout=$(cd "$vm_dir/../.." && pwd)

# The prepared cache is shared by all checkouts. sudo changes HOME, so the
# first script settles the path and hands it on.
export PALISADE_CACHE=${PALISADE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/palisade}
cache=$PALISADE_CACHE
build=$checkout/build

# Which kernel the module is built for and booted on. For another architecture than this
# machine's that is the stock kernel's release there, once the build root tells which.
export KERNEL=${KERNEL:-stock}
if [ "$KERNEL ${ARCH-}" = "stock arm64" ] && [ -e "$cache/root/etc/palisade-kernel" ]; then
	read -r KERNEL _ <"$cache/root/etc/palisade-kernel"
	KERNEL=${KERNEL%amd64}arm64
fi
kernel_dir=$cache/kernels/$KERNEL

say() { printf '==> %s\n' "$*" >&2; }
warn() { printf 'warning: %s\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

case $KERNEL in
stock | debug | kcsan | native | [0-9]*-amd64 | [0-9]*-arm64) ;;
*) die "KERNEL=$KERNEL is not known; there are stock (Debian's own kernel), debug (one that checks itself), kcsan (one that finds data races), native (a program), and any of Debian's by its release, such as 7.3.4+deb13-amd64" ;;
esac
case $KERNEL in
*-arm64) architecture=arm64 tool=$build/cli/aarch64-unknown-linux-gnu/release/palisade ;;
*) architecture=amd64 tool=$build/cli/release/palisade ;;
esac

# ask QUESTION: true if the person at the terminal answers yes.
ask() {
	local answer
	printf '%s [y/N] ' "$1" >/dev/tty
	read -r answer </dev/tty || answer=
	[[ $answer == [yY]* ]]
}

# Building a root file system and chroot need root. On a terminal sudo is used
# only after a yes, which is remembered with the cache; without a terminal only
# a sudo that asks for no password can work.
allow_sudo() {
	[ "$(id -u)" != 0 ] || return 0
	command -v sudo >/dev/null ||
		die "this needs root: run it as root, or install sudo and allow $(id -un) to use it"
	if [ ! -t 0 ] || ! { : >/dev/tty; } 2>/dev/null; then
		sudo -n true 2>/dev/null ||
			die "this needs root: sudo asks for a password and there is no terminal; run it as root or on a terminal"
	elif [ ! -e "$cache/sudo-allowed" ]; then
		ask "Preparing and entering the build root in $cache needs root rights. Use sudo for that?" ||
			die "not without root rights: run it as root, or answer y to let it use sudo"
		mkdir -p "$cache"
		: >"$cache/sudo-allowed"
	fi
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo -- env "PALISADE_CACHE=$cache" "KERNEL=$KERNEL" "http_proxy=${http_proxy-}" \
			"https_proxy=${https_proxy-}" "no_proxy=${no_proxy-}" "$@"
	fi
}

# Runs a command with mounts and processes of its own. Whatever way it ends, or
# the script ends that a person (or make) called, no mount and no process stays.
export PALISADE_CALLED=${PALISADE_CALLED:-$$}
contained() {
	as_root "$vm_dir/while-alive" "$PALISADE_CALLED" \
		unshare --mount --pid --fork --kill-child "$@"
}

# What was prepared has a lock for each part, the build root and each kernel: who uses
# a part holds its lock shared, who makes or deletes it exclusively. So nobody waits
# for a kernel that is built for somebody else. The file descriptor is inherited, so
# that a lock lasts as long as the work. Parts are always locked in the same order.
declare -A lock_descriptors
lock_cache() { # PART shared|exclusive
	local descriptor=${lock_descriptors[$1]-}
	if [ -z "$descriptor" ]; then
		mkdir -p "$cache"
		exec {descriptor}>>"$cache/lock-$1"
		lock_descriptors[$1]=$descriptor
	fi
	flock --nonblock "--$2" "$descriptor" && return
	say "Waiting for another run that uses the $1 of $cache"
	flock "--$2" "$descriptor"
}

# part PART SCRIPT ARGUMENT...: prepares a part of the cache by its script.
part() {
	local name=$1
	shift
	lock_cache "$name" shared
	"$vm_dir/$1" "${@:2}" check 2>/dev/null && return
	lock_cache "$name" exclusive
	"$vm_dir/$1" "${@:2}"
	lock_cache "$name" shared
}

# Two builds in one checkout wait for each other (descriptor 8).
lock_build() {
	mkdir -p "$build"
	exec 8>>"$build/.lock"
	flock --nonblock 8 && return
	say "Waiting for another build in $build"
	flock 8
}

# prepared SCRIPT ARGUMENT...: called by a script with its own name and arguments,
# starts it anew with everything prepared, unless that is so already.
prepared() { [ -n "${PALISADE_PREPARED-}" ] || exec "$vm_dir/setup" "$@"; }

# output_folder FOLDER PURPOSE: makes a folder for what a build leaves. What was
# built for another purpose, such as another kernel, is not kept: make goes by
# the dates of files, and a new kernel's files may have older dates.
output_folder() {
	[ "$(cat "$1/.purpose" 2>/dev/null)" != "$2" ] || return 0
	rm -rf "$1"
	mkdir -p "$1"
	printf '%s\n' "$2" >"$1/.purpose"
}

# stamp FILE...: a hash over the contents of the files that a step depends on.
stamp() { cat -- "$@" | sha256sum | cut -d ' ' -f 1; }

# stamped DIR STAMP: true if DIR was completed from these inputs.
stamped() { [ "$(cat "$1/.stamp" 2>/dev/null)" = "$2" ]; }

# Deletes a tree of the cache, which belongs to root, on one file system only:
# should anything be mounted below it after all, that is left alone.
remove_tree() {
	[ -e "$1" ] || return 0
	[[ $1 == "$cache"/* ]] || die "refusing to delete $1, which is not in $cache"
	as_root rm -rf --one-file-system -- "$1" ||
		die "$1 could not be deleted; is something mounted in it? Unmount it and try again"
}
