# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # tests/vm/lib.sh and boot-qemu set and use some of the variables
# What the tests of the packages share: a small Debian server, and a VM that boots a copy of it again and again. It is
# sourced after tests/vm/lib.sh. The copy is an overlay whose changes are in `$folder/upper`.

[ "$architecture" = amd64 ] ||
	die "the tests of the packages boot an amd64 server; for $architecture there is make test, which runs the selftests"

# make_server FOLDER PACKAGE...: makes a server of these packages, with nothing that Palisade brings along by itself.
make_server() {
	local server=$1 mirror
	shift
	remove_tree "$server"
	mirror=$(sed -n 's/^deb \(\[[^]]*\] \)\?\([^ ]*\) trixie main.*/\2/p' "$cache/root/etc/apt/sources.list" | head -n 1)
	contained env -u TMPDIR mmdebstrap --mode=root --variant=minbase --components=main \
		--aptopt="$cache/root/etc/apt/apt.conf.d/99mmdebstrap" --include="$(paste -s -d , < <(printf '%s\n' "$@"))" \
		trixie "$server" ${mirror:+"$mirror"} >"$server.log" 2>&1 || {
		tail -n 20 "$server.log" >&2
		die "making the server failed; the whole log is $server.log"
	}
}

# copy_server GUEST FILE...: begins a copy. GUEST is run at each boot, as /test/guest, with the files beside it; it goes on
# in /test/boot where the boot before has ended.
copy_server() {
	local guest=$1 test=$folder/upper/test
	shift
	as_root rm -rf --one-file-system -- "$folder"
	mkdir -p "$folder/work" "$test/packages" "$folder/upper/etc/systemd/system/multi-user.target.wants" "$cache/mnt"
	echo 1 >"$test/boot"
	: >"$test/results"
	cp "$guest" "$test/guest"
	cp "$@" "$checkout/tests/selftests/lib/lib.sh" "$test"
	cp "$build"/deb/*.deb "$test/packages"
	cp "$here/palisade-test.service" "$folder/upper/etc/systemd/system"
	ln -s ../palisade-test.service "$folder/upper/etc/systemd/system/multi-user.target.wants"
	as_root chown -R 0:0 "$folder/upper"
}

# What follows is for root, in a mount and process namespace of its own.

# show FROM TO: shows a folder or a file of the host in the build root.
show() {
	if [ -d "$1" ]; then mkdir -p "$2"; else : >>"$2"; fi
	mount --bind "$1" "$2"
}

# mount_server SERVER: mounts the build root, with the copy of the server as `$vm/root` in it.
mount_server() {
	root=$cache/mnt/root
	vm=$root/run/vm
	log=$folder/kernel.log
	mount -t tmpfs tmpfs "$cache/mnt"
	mkdir "$root"
	mount --bind "$cache/root" "$root"
	mount -o remount,bind,ro "$root"
	mount -t proc proc "$root/proc"
	mount --rbind /dev "$root/dev"
	mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
	mount -t tmpfs -o mode=755 tmpfs "$root/run"
	mkdir -p "$vm/root" "$vm/share"
	mount -t overlay overlay "$vm/root" -o "lowerdir=$1,upperdir=$folder/upper,workdir=$folder/work"
	: >"$log"
	show "$log" "$vm/kernel.log"
	: >"$vm/output.log"
	: >"$vm/vmlinuz"
}

# boot_server NUMBER RELEASE VMLINUZ [PARAMETER...]: boots the copy on a kernel, until the guest has done its part of this
# number. What the kernel says is added to `$folder/all.log`.
boot_server() {
	local number=$1 release=$2
	local cpus=2 megabytes=1024 icount='' script=guest append
	append="rw init=/sbin/init systemd.show_status=0 ${*:4}"
	mount --bind "$3" "$vm/vmlinuz"
	. "$vm_dir/boot-qemu"
	say "Boot $number of the server on Linux $release ($how)"
	serve_folders
	timeout --foreground --kill-after 5 900 chroot "$root" "${machine[@]}" </dev/null >"$vm/machine.log" 2>&1 || {
		cat "$vm"/[mv]*.log >&2
		die "the VM ended with an error, or took longer than 15 minutes; the kernel's log is $log"
	}
	umount "$vm/vmlinuz"
	cat "$log" >>"$folder/all.log"
	[ "$(cat "$folder/upper/test/boot")" = $((number + 1)) ] ||
		die "boot $number did not come as far as the test; the kernel's log is $log"
}

# report_results: shows what the guest has found, and what the kernel complains about. Ends with the line "N passed, N failed".
report_results() {
	local status=$1 results=$folder/upper/test/results
	cat "$results"
	"$vm_dir/scan-log" "$folder/all.log" >&2 || status=1
	grep -q '^1\.\.' "$results" || die "the test did not come to its end"
	"$checkout/tests/ktap-count" "$results" || status=1
	return "$status"
}
