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
compile server server.c request.h
compile client client.c server_address.c request.h server_address.h
compile visitors visitors.c server_address.c request.h server_address.h
compile addresses addresses.c frame.c frame.h
compile timed timed.c
compile xt_recent_write xt_recent_write.c

# How many VMs run at a time whose clock counts instructions: what they measure is the same however busy the machine is.
at_a_time=$(nproc)
counting=0
failed=

# measure CPUS CLOCK SCRIPT NAME ARGUMENT...: runs it in a VM, by that clock; NAME.json has what was measured. One that
# counts instructions runs in the background and says what it does in NAME.log; one by the real clock has the machine to
# itself.
measure() {
	local cpus=$1 clock=$2 script=$3 name=$4 count=
	shift 4
	local command=("$bench/$script" "$clock" "/${out#build/vm/}/$name.json" "$@")
	if [ "$clock" = time ]; then
		wait_for_others 0
		VM_CPUS=$cpus VM_ICOUNT='' "$vm_dir/run" "${command[@]}"
		return
	fi
	wait_for_others $((at_a_time - 1))
	counting=$((counting + 1))
	say "Measuring ${script%.py} $* in the background; $out/$name.log says how far it is"
	{
		VM_CPUS=$cpus VM_ICOUNT=0 "$vm_dir/run" "${command[@]}" >"$checkout/$out/$name.log" 2>&1 ||
			{ warn "$name failed: $(tail -n 3 "$checkout/$out/$name.log")"; exit 1; }
	} &
}

# wait_for_others NUMBER: until so many VMs or fewer are left in the background.
wait_for_others() {
	while [ $counting -gt "$1" ]; do
		wait -n || failed=1
		counting=$((counting - 1))
	done
	[ -z "$failed" ] || die "measuring failed, see above"
}

# report SCRIPT ARGUMENT...: makes something of that.
report() {
	wait_for_others 0
	"$vm_dir/in-root" python3 -B "tests/bench/$1" "${@:2}"
}
