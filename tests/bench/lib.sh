# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # tests/vm/lib.sh sets them
# What the benchmarks' scripts share. It is sourced after tests/vm/lib.sh, once all is prepared.

bench=$checkout/tests/bench
out=$build/vm/out/bench
mkdir -p "$build/bench" "$out"
rm -f "$out"/*.json

clock=${BENCH_CLOCK:-instructions}
case $clock in
instructions) icount=0 ;;
time) icount= ;;
*) die "BENCH_CLOCK=$clock: it is instructions or time" ;;
esac
export VM_MEM=${VM_MEM:-3G}

# compile PROGRAM FILE...: the sources and headers of a program, when one is newer than that.
compile() {
	local program=build/bench/$1 sources=() file
	shift
	cd "$checkout"
	for file in "$@"; do
		[[ $file == *.h ]] || sources+=("tests/bench/$file")
	done
	for file in "$@"; do
		[ "$program" -nt "tests/bench/$file" ] ||
			{ "$vm_dir/in-root" gcc -O2 -Wall -Wextra -Werror -o "$program" "${sources[@]}" && break; }
	done
}

compile sender sender.c frame.c handshake.c frame.h handshake.h

# measure CPUS CLOCK SCRIPT ARGUMENT...: runs it in a VM.
measure() {
	local cpus=$1 count=
	[ "$2" = time ] || count=$icount
	shift 2
	VM_CPUS=$cpus VM_ICOUNT=$count "$vm_dir/run" "$bench/$1" "${@:2}"
}
