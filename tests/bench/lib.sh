# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # tests/vm/lib.sh sets them
# What the benchmarks' scripts share. It is sourced after tests/vm/lib.sh, once all is prepared.

bench=$checkout/tests/bench
# What is measured goes here, a folder for each script.
out=build/vm/out/bench/${0##*/}
rm -rf "${checkout:?}/$out"
mkdir -p "$build/bench" "$checkout/$out"

clock=${BENCH_CLOCK:-instructions}
[[ $clock =~ ^(instructions|time)$ ]] || die "BENCH_CLOCK=$clock: it is instructions or time"
export VM_MEM=${VM_MEM:-3G} VM_TIMEOUT=${VM_TIMEOUT:-7200}

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
compile server server.c
compile client client.c
compile visitors visitors.c
compile addresses addresses.c frame.c frame.h
compile timed timed.c
compile xt_recent_write xt_recent_write.c

# measure CPUS CLOCK SCRIPT NAME ARGUMENT...: runs it in a VM, by that clock; NAME.json has what was measured.
measure() {
	local cpus=$1 clock=$2 script=$3 name=$4 count=
	shift 4
	[ "$clock" = time ] || count=0
	VM_CPUS=$cpus VM_ICOUNT=$count "$vm_dir/run" "$bench/$script" "$clock" "/${out#build/vm/}/$name.json" "$@"
}

# report SCRIPT ARGUMENT...: makes something of that.
report() { "$vm_dir/in-root" python3 -B "tests/bench/$1" "${@:2}"; }
