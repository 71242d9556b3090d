#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
#
# An unprivileged user who owns a network namespace may configure it, but only up to the module's limits, and its
# memory is charged to the user's memory cgroup.
#
# The user's network namespace has lo alone. A process of the user keeps it alive; nsenter(1) gets there.

. "$(dirname "$0")/../lib/lib.sh"

max_rules=300 max_chains=12 max_lists=8 max_entries=500
cgroup=/sys/fs/cgroup/palisade-limits
owner=

clean_up() {
	[ -z "$owner" ] || kill "$owner" 2>/dev/null
	[ ! -d "$cgroup" ] || { echo 1 >"$cgroup/cgroup.kill"; eventually 30 rmdir "$cgroup"; } 2>/dev/null
	modprobe -r palisade
	modprobe palisade
}
trap clean_up EXIT

modprobe -r palisade
check "the module loads with small limits" \
	modprobe palisade max_rules=$max_rules max_chains=$max_chains max_lists=$max_lists max_entries=$max_entries

# The user's namespaces live as long as this process.
setpriv --reuid=65534 --regid=65534 --clear-groups -- \
	unshare --user --map-root-user --net sleep infinity &
owner=$!
disown
eventually 30 sh -c "[ \"\$(readlink /proc/$owner/ns/net)\" != \"\$(readlink /proc/self/ns/net)\" ]"

as_owner() {
	nsenter --target "$owner" --user --net -- "$@"
}
rules() {
	as_owner palisade -S | grep -c '^-A'
}
lists() {
	as_owner palisade list ls --json | field length
}
check "the owner is an unprivileged user outside" test "$(as_owner cat /proc/self/uid_map | xargs)" = "0 65534 1"
check "and may configure the namespace" as_owner palisade -A INPUT -p icmp -j ACCEPT
[ "$failures" -eq 0 ] || finish
as_owner palisade -F

# limits ACTION...: runs an action of limits.py as the owner.
limits() {
	as_owner python3 "$lib/limits.py" "$@"
}

# Rules.
check "max_rules rules fit" limits rules $max_rules
check "and are there" test "$(rules)" -eq $max_rules
refuse "one more is refused" 1 'max_rules' as_owner palisade -A INPUT -j ACCEPT
refuse "also in another chain" 1 'max_rules' as_owner palisade -t raw -A PREROUTING -j ACCEPT
check "a rule can still be replaced" limits replace
check "and deleted" as_owner palisade -D INPUT 1
check "which makes room for a new one" as_owner palisade -A INPUT -j ACCEPT
check "a request with ten times as many is refused, with the reason" limits rules-refused $((max_rules * 10)) max_rules
check "and changes nothing" test "$(rules)" -eq $max_rules
check "another namespace has room" palisade -A INPUT -p icmp -j ACCEPT
palisade -F
as_owner palisade -F

# Chains.
for ((number = 1; number <= max_chains; number++)); do
	as_owner palisade -N "chain$number" || break
done
chains() {
	as_owner palisade -S | grep -c '^-N'
}
check "max_chains chains fit" test "$(chains)" -eq $max_chains
refuse "one more is refused" 1 'max_chains' as_owner palisade -N more
refuse "also in another table" 1 'max_chains' as_owner palisade -t raw -N more
check "deleting one makes room" as_owner sh -c 'palisade -X chain1 && palisade -t raw -N more && palisade -t raw -X more'
# If each chain jumps to the next one twice, a packet meets a thousand rules.
for ((number = 2; number < max_chains; number++)); do
	as_owner palisade -A "chain$number" -j "chain$((number + 1))" || break
done
check "each chain may jump to the next one" as_owner palisade -A INPUT -j chain2
for ((number = max_chains - 1; number >= 2; number--)); do
	as_owner palisade -A "chain$number" -j "chain$((number + 1))" 2>/tmp/refusal || break
done
check "but a packet may not meet more than max_rules rules" grep -q 'max_rules' /tmp/refusal
check "the error is one line" test "$(wc -l </tmp/refusal)" -eq 1
as_owner palisade -F
as_owner palisade -X

# Lists.
for ((number = 1; number <= max_lists; number++)); do
	as_owner palisade list create "list$number" || break
done
check "max_lists lists fit" test "$(lists)" -eq $max_lists
refuse "one more is refused" 1 'max_lists' as_owner palisade list create more
refuse "also by a rule" 1 'too many recent lists' as_owner palisade -A INPUT -m recent --name more --set
check "a request with rules for many new lists is refused" limits lists-refused $((max_lists * 3)) 'too many recent lists'
check "and creates none of them" test "$(lists)" -eq $max_lists
check "a rule may use an existing list" as_owner palisade -A INPUT -m recent --name list1 --set
as_owner palisade -F
check "destroying a list makes room" as_owner sh -c 'palisade list destroy list8 && palisade list create again'
as_owner palisade list destroy again

# Entries.
refuse "a list larger than max_entries is refused" 1 'max_entries' as_owner palisade list create large size=$((max_entries + 1))
refuse "a list that remembers too many packets of an address is refused" 2 'hits|65535' as_owner palisade list create long hits=65536
check "many more addresses than max_entries are added" limits entries list1 $((max_entries * 10))
check "but only max_entries of them are kept" test "$(as_owner palisade list show list1 --json | field '.entries | length')" -eq $max_entries

# Requests.
check "a request of 64 MB is refused where nothing more fits" limits large-message
check "and changes nothing in the namespace" test "$(rules) $(lists)" = "0 $((max_lists - 1))"
check "ten thousand resets of counters in a request are answered" limits zero
check "many dumps that nobody reads do no harm" limits dumps

# SYNPROXY's table of servers has a fixed size, however many servers SYNs are for.
as_owner ip link set lo up
as_owner palisade -t raw -A OUTPUT -p tcp -j NOTRACK
as_owner palisade -t raw -A PREROUTING -p tcp --dport 80 -j SYNPROXY --when-flooded 1
check "after SYNs to 10,000 servers, no more than 4,096 are known" limits servers 10000
as_owner palisade -t raw -F

as_owner palisade -F
for ((number = 1; number < max_lists; number++)); do
	as_owner palisade list destroy "list$number"
done

# The memory cgroup. Memory is uncharged when it is freed, which is a grace period later.
if ! grep -qw memory /sys/fs/cgroup/cgroup.controllers 2>/dev/null; then
	skip "memory is charged to the memory cgroup" "needs the memory controller of cgroup v2"
	finish
fi
modprobe -r palisade
modprobe palisade
echo +memory >/sys/fs/cgroup/cgroup.subtree_control
mkdir -p "$cgroup"

# in_cgroup COMMAND...: runs a command as the owner, in the cgroup.
in_cgroup() {
	sh -c 'echo $$ >'"$cgroup"'/cgroup.procs; exec "$@"' sh \
		nsenter --target "$owner" --user --net -- "$@"
}
# charged [FIELD]: prints the kernel memory that is charged to the cgroup.
charged() {
	awk -v name="${1:-kernel}" '$1 == name { print $2 }' "$cgroup/memory.stat"
}
# grew AT-LEAST: the charge has grown by so many bytes since $before. The kernel sums it up every two seconds only, so
# use eventually.
grew() {
	[ "$(charged)" -ge $((before + $1)) ]
}
# charges WHAT AT-LEAST COMMAND...: the command makes the charge grow by at least so many bytes.
charges() {
	local what=$1 least=$2 before
	shift 2
	in_cgroup true
	before=$(charged)
	check "$what succeed" in_cgroup "$@"
	check "$what are charged (at least $((least / 1024)) KB)" eventually 30 grew "$least"
	echo "# $what: $((($(charged) - before) / 1024)) KB"
}
given_back() {
	[ "$(charged)" -lt $((empty + 128 * 1024)) ]
}

in_cgroup palisade list ls >/dev/null
sleep 3
empty=$(charged)
# An empty list has buckets, and a pointer to each chunk of entries.
charges "ten empty lists" $((10 * 32768 * 8)) python3 "$lib/limits.py" lists 10
# 5,000 entries that remember 20 packets.
charges "5,000 entries" $((5000 * 20 * 4)) python3 "$lib/limits.py" entries list1 5000
# Besides the rule itself, each has its counters.
charges "2,000 rules" $((2000 * 64)) python3 "$lib/limits.py" rules 2000
in_cgroup palisade -F
in_cgroup python3 "$lib/limits.py" destroy-lists
check "all of it is uncharged" eventually 30 given_back

# Packets make lists grow as well. That is charged to the cgroup that created the list, whatever task is interrupted.
as_owner ip link set lo up
in_cgroup palisade list create grown hits=100
in_cgroup palisade -t raw -A PREROUTING -m recent --name grown --set
before=$(charged)
as_owner python3 "$lib/limits.py" packets 2000
check "packets from 2,000 addresses are remembered" test "$(as_owner palisade list show grown --json | field '.entries | length')" -ge 2000
check "and charged to the cgroup that created the list" eventually 30 grew $((2000 * 100 * 4))
echo "# 2,000 entries by packets: $((($(charged) - before) / 1024)) KB"

# At the cgroup's limit, lists stop growing, and nothing else happens.
limit=$(($(cat "$cgroup/memory.current") + 256 * 1024))
echo "$limit" >"$cgroup/memory.max"
as_owner python3 "$lib/limits.py" packets 6000
check "at the limit of the cgroup, addresses are refused or evict others" \
	sh -c "$(declare -f as_owner); owner=$owner; as_owner palisade list show grown --json | jq -e '.refused + .evicted > 0 and (.entries | length) < 6000'"
check "the limit is kept" test "$(cat "$cgroup/memory.current")" -le $((limit + 64 * 1024))
check "packets still pass" as_owner ping -n -c 1 -W 2 127.0.0.1
echo max >"$cgroup/memory.max"
as_owner python3 "$lib/limits.py" packets 6000
check "with a higher limit, lists grow again" test "$(as_owner palisade list show grown --json | field '.entries | length')" -ge 6000
in_cgroup palisade -t raw -F
in_cgroup palisade list destroy grown
check "destroying the list uncharges its memory" eventually 30 given_back

# A whole namespace is charged as well, and goes with all it has.
in_cgroup unshare --net sh -c "python3 '$lib/limits.py' lists 5 && python3 '$lib/limits.py' rules 500"
check "a namespace's memory is uncharged when it ends" eventually 60 given_back

# The same holds for SYNPROXY's table of servers, which takes as much memory for one server as for thousands.
table=$((4096 * 48))
# shellcheck disable=SC2016 # it is for the other shell
in_cgroup unshare --net sh -c '
	charged() { awk "\$1 == \"kernel\" { print \$2 }" "$1/memory.stat"; }
	ip link set lo up
	before=$(charged "$1")
	wanted=$3
	palisade -t raw -A OUTPUT -p tcp -j NOTRACK
	palisade -t raw -A PREROUTING -p tcp --dport 80 -j SYNPROXY --when-flooded 1
	sleep 3
	for _ in $(seq 30); do
		first=$(charged "$1")
		[ $((first - before)) -lt "$wanted" ] || break
		sleep 1
	done
	# The sum may be from the middle of it.
	sleep 3
	first=$(charged "$1")
	python3 "$2" servers 10000
	sleep 3
	echo "$((first - before)) $(($(charged "$1") - first))"' sh "$cgroup" "$lib/limits.py" $table >/tmp/limits-servers
read -r first more </tmp/limits-servers
echo "# servers: $first bytes with the first rule, $more with SYNs to 10,000"
check "the table of servers is charged" test "$first" -ge $table
check "and does not grow with their number" test "$more" -lt $((256 * 1024))
check "and is uncharged" eventually 60 given_back

finish
