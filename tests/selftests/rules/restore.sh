#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
#
# palisade save prints all rules, and palisade restore applies all of a file or nothing.
#
# Hosts, on the switch of lib.sh: server and client, both with rules. Their links are down: nothing sends.

. "$(dirname "$0")/../lib/lib.sh"
make_hosts server client
# Nothing may be counted while counters are compared.
ip -n server link set eth0 down
ip -n client link set eth0 down

folder=$(mktemp -d)
file=$folder/rules
trap 'remove_hosts; rm -r "$folder"' EXIT

rule() {
	on server palisade "$@"
}

# write LINE...: writes the file.
write() {
	printf '%s\n' "$@" >"$file"
}

# saved FILE [OPTION...]: palisade save prints the contents of the file.
saved() {
	local expected=$1
	shift
	diff "$expected" <(rule save "$@")
}

# broken DESCRIPTION PATTERN LINE...: restoring a file with these lines is refused and changes nothing.
broken() {
	local description=$1 pattern=$2
	shift 2
	write "$@"
	refuse_file "$description" "$pattern"
}

refuse_file() {
	rule save -c >"$folder/before"
	refuse "$1" 1 "$2" rule restore "$file"
	check "$1: nothing changed" saved "$folder/before" -c
}

# Round trip.
rule -N web
rule -N "größe"
rule -t nat -N first
rule -A INPUT -i lo -j ACCEPT
rule -A INPUT -p tcp --dport 80 -m recent --name 'two "words" \ $x' --set -j web
rule -A INPUT -s 10.0.0.2,fd00::2 ! -f -g "größe"
rule -A FORWARD -i eth0 ! -o eth+ -6 -j DROP
rule -A web -m recent --name web --update --seconds 60 --hitcount 5 -j DROP -c 12 3456
rule -t nat -A POSTROUTING -o eth0 -j first
rule -t raw -A PREROUTING -p icmp -s 192.0.2.1
rule -t mangle -A OUTPUT -p tcp --dport 25 -j MARK --set-mark 25
rule -P FORWARD DROP -c 7 800
rule save >"$folder/plain"
rule save -c >"$folder/counters"
check "save has every table" test "$(grep -c '^COMMIT$' "$folder/plain")" -eq 4
check "save -t prints one" test "$(rule save -t nat | grep '^[*]')" = '*nat'
check "save prints user-defined chains without a policy" grep -qx ':web - \[0:0\]' "$folder/plain"
check "save prints no counters of rules" not grep -q '^\[' "$folder/plain"
check "save -c does" grep -q '^\[12:3456\] -A web ' "$folder/counters"
for options in "" "-c"; do
	original=$([ -n "$options" ] && echo "$folder/counters" || echo "$folder/plain")
	for where in server client; do
		# shellcheck disable=SC2086 # no option or one
		check "restore $options accepts what save prints, on the $where" on "$where" palisade restore $options "$original"
	done
	# shellcheck disable=SC2086
	check "restore $options: save prints the same again" diff <(sed 's/\[7:800\]/[0:0]/' "$original") \
		<(rule save $options | sed 's/\[7:800\]/[0:0]/')
done
check "restore -c sets the counters of policies" grep -q ':FORWARD DROP \[7:800\]' <(on client palisade save)
check "and of rules" saved "$folder/counters" -c
check "restore reads standard input" sh -c "ip netns exec server palisade save -c | ip netns exec server palisade restore -c"
check "restore without -c starts counters at zero" sh -c "ip netns exec server palisade restore '$folder/counters' &&
	! ip netns exec server palisade save -c | grep -q '12:3456\|7:800'"

# Tables.
write '*filter' ':INPUT ACCEPT [0:0]' ':new - [0:0]' '-A INPUT -j new' COMMIT
check "a table is flushed first" rule restore "$file"
check "and then has the rules of the file" test "$(rule -S)" = "-P INPUT ACCEPT
-P FORWARD ACCEPT
-P OUTPUT ACCEPT
-N new
-A INPUT -j new"
check "other tables keep their rules" grep -q -- '-A POSTROUTING -o eth0 -j first' <(rule save -t nat)
write '*raw' '-A PREROUTING -p udp' COMMIT '*nat' ':first - [0:0]' '-A OUTPUT -j first' COMMIT
check "two tables in a file" rule restore -v "$file"
check "the first is restored" test "$(rule -t raw -S | grep -c '^-A')" -eq 1
check "and the second" test "$(rule -t nat -S | grep '^-A')" = "-A OUTPUT -j first"
write '*raw' COMMIT '*nat' COMMIT
rule restore -T raw "$file"
check "-T restores one of them" test "$(rule -t raw -S | grep -c '^-A') $(rule -t nat -S | grep -c '^-A')" = "0 1"

write '*filter' ':new - [0:0]' ':INPUT - [0:0]' '-I INPUT 1 -p icmp' '-A new -p udp' COMMIT
check "--noflush adds to the rules" rule restore --noflush "$file"
check "at the given position" test "$(rule -S INPUT | sed -n 2,3p)" = "-A INPUT -p icmp
-A INPUT -j new"
rule restore -n "$file"
check "and flushes chains that the file declares" test "$(rule -S new)" = "-N new
-A new -p udp"

write '*filter' '-A INPUT -j DROP' COMMIT
rule save -c >"$folder/before"
check "--test accepts a file that could be restored" rule restore --test "$file"
check "and does nothing" saved "$folder/before" -c

# Mistakes.
many() {
	local number
	echo '*filter'
	echo ':loop - [0:0]'
	for ((number = 3; number < 400; number++)); do
		echo "-A INPUT -s 10.0.0.$((number % 250)) -p tcp --dport $number -j DROP"
	done
	echo "$1"
	for ((number = 401; number < 800; number++)); do
		echo "-A INPUT -s 10.0.0.$((number % 250)) -p tcp --dport $number -j DROP"
	done
	echo COMMIT
}
mistake() {
	many "$2" >"$file"
	refuse_file "a mistake in line 400: $1" "restore: $file:400: $3"
}
mistake "an option" '-A INPUT --dprot 22' 'unknown option --dprot'
mistake "a port" '-A INPUT -p tcp --dport 70000' '--dport 70000'
mistake "a jump to a chain that does not exist" '-A INPUT -j nowhere' '-j nowhere: .*no such chain'
mistake "a rule for a chain that does not exist" '-A lopo -j DROP' 'there is no chain lopo in table filter: did you mean loop'
mistake "deleting a rule that does not exist" '-D INPUT -s 192.0.2.9' 'bad rule'
mistake "a position" '-I INPUT 5000' 'position 5000: '
mistake "a loop" '-A loop -j loop' '-j loop: .*circle'
mistake "an outgoing interface before routing" '-A INPUT -o eth0' '-o eth0: '
mistake "seconds that cannot be measured" '-A INPUT -m recent --rcheck --seconds 4000000000' '.*seconds'
many '-A INPUT -j nowhere' >"$file"
refuse "--test finds it as well" 1 "$file:400: " rule restore --test "$file"
check "no list of a refused rule remains" test "$(rule list ls --json | field 'map(.name) | index("DEFAULT")')" = null

broken "no COMMIT" "$file:2: .*COMMIT of table filter" '*filter' '-A INPUT -j DROP'
broken "a table without COMMIT before another" "$file:3: .*COMMIT of table filter" '*filter' '-A INPUT' '*nat' COMMIT
broken "an unknown table" "$file:1: .*no such table: known are raw, filter, nat, mangle" '*elsewhere' COMMIT
broken "a table of iptables that Palisade does not have" "$file:2: Palisade has no table security" '*security' '-A INPUT -j DROP' COMMIT
broken "a rule before a table" "$file:1: .*in no table" '-A INPUT -j DROP' '*filter' COMMIT
broken "CRLF line endings" "$file:1: .*carriage return" $'*filter\r' $'COMMIT\r'
broken "a mistake in the second table" "$file:4: " '*filter' '-A INPUT -j DROP' COMMIT '*natt' COMMIT
broken "only comments" "$file: .*no table" '# nothing'
: >"$file"
refuse_file "an empty file" "$file: there is nothing in it"
head -c 4096 /dev/urandom >"$file"
refuse_file "random bytes" "$file(:[0-9]+)?: "
cp "$(type -P palisade)" "$file"
refuse_file "a program" "$file:1: .*text"
refuse "a file that does not exist" 1 "cannot read $folder/none: " rule restore "$folder/none"
refuse "a folder" 1 "cannot read $folder: " rule restore "$folder"

# One IP version without the other.
rule -F && rule -X && rule -t nat -F && rule -t raw -F && rule -P FORWARD ACCEPT
rule -A INPUT -i lo -j ACCEPT
write '*filter' ':INPUT DROP [0:0]' ':own - [0:0]' '-A INPUT -p icmp -j own' '-A own -j ACCEPT' COMMIT
refuse "a file for IPv4 with policy DROP" 1 "$file:2: policy DROP of INPUT would cut off IPv6" rule restore "$file"
check "-4 accepts it" rule restore -4 "$file"
write '*filter' ':INPUT DROP [0:0] -4' ':INPUT ACCEPT [0:0] -6' ':FORWARD ACCEPT [0:0]' ':OUTPUT ACCEPT [0:0]' \
	':own - [0:0]' '-A INPUT -6 -i lo -j ACCEPT' '-A INPUT -p icmp -j own' '-A own -4 -j ACCEPT' COMMIT
sed -i '1i # Generated by palisade 0' "$file"
saved_but_version() {
	diff <(sed 1d "$file") <(rule save -t filter "$@" | sed 1d)
}
check "and does not change IPv6" saved_but_version
check "a file with different rules for IPv4 and IPv6 is restored" rule restore "$file"
check "as it was saved" saved_but_version
check "one IP version is saved" test "$(rule -6 save -t filter | grep -c '^:INPUT ACCEPT \[0:0\]$\|^-A INPUT -6 -i lo')" -eq 2
write '*filter' ':INPUT DROP [0:0]' ':own - [0:0]' '-A own -p icmpv6 -j ACCEPT' COMMIT
check "-6 restores a file beside IPv4's rules" rule restore -6 "$file"
check "with a chain for both versions" test "$(rule -S own | grep -c '^-A')" -eq 2
check "equal policies are one again" test "$(rule -S INPUT)" = $'-P INPUT DROP\n-A INPUT -p icmp -j own'
check "-4 -P sets the policy for IPv4" sh -c "ip netns exec server palisade -4 -P INPUT ACCEPT &&
	ip netns exec server palisade -S INPUT | grep -qx -e '-P INPUT DROP -6'"
check "-4 -F deletes the rules for IPv4" rule -4 -F
check "and no others" test "$(rule -S | grep '^-A')" = '-A own -p ipv6-icmp -j ACCEPT'
check "-4 -X keeps a chain for IPv6" rule -4 -X own
check "-4 -N creates it for IPv4 again" rule -4 -N own
refuse "-6 -X of a chain with rules" 1 'chain own is not empty' rule -6 -X own
check "-6 -F, -6 -X" sh -c "ip netns exec server palisade -6 -F && ip netns exec server palisade -6 -X own"
refuse "and the chain is gone" 1 'there is no chain own' rule -S own
rule -A INPUT -i lo -c 5 6 && rule -A INPUT -i lo
check "-4 -D of a rule for both versions" rule -4 -D INPUT 1
check "keeps it for IPv6, with its counters" sh -c "ip netns exec server palisade -S INPUT 1 -v |
	grep -qx -e '-A INPUT -6 -i lo -c 5 6'"
refuse "-4 -D of a rule for IPv6" 1 'is for the other IP version' rule -4 -D INPUT 1
check "-6 -Z" rule -6 -Z INPUT
check "resets its counters" sh -c "ip netns exec server palisade -S INPUT 1 -v | grep -q -e '-c 0 0'"
check "-D finds a rule for IPv6" rule -D INPUT -6 -i lo
check "and one for both versions" rule -D INPUT -i lo
rule -P INPUT ACCEPT

# Any rule that is accepted can be listed.
comments() {
	for ((number = 0; number < $1; number++)); do
		printf ' -m comment --comment %s' "$(printf 'x%.0s' {1..250})"
	done
}
for number in 40 58 59 60 61 62 100 200; do
	# shellcheck disable=SC2046 # words
	rule -A INPUT $(comments $number) -j ACCEPT 2>/dev/null && echo "# $number comments are accepted"
	check "-S and save with a rule of up to $number comments" sh -c "ip netns exec server palisade -S >/dev/null &&
		ip netns exec server palisade save | ip netns exec server palisade restore --test"
done
check "some were accepted" test "$(rule -S INPUT | wc -l)" -ge 3
# shellcheck disable=SC2046
refuse "a longer rule" 1 'the rule is too long' rule -A INPUT $(comments 150)
rule -F

# Tables that Palisade does not have, without rules.
write '*security' ':INPUT ACCEPT [12:3456]' COMMIT '*filter' '-A INPUT -p udp --dport http' \
	'-A INPUT -m conntrack --ctstate RELATED,ESTABL' COMMIT
check "an unknown table without rules is skipped" rule restore "$file"

# Speed.
awk 'BEGIN {
	print "*filter"
	for (chain = 0; chain < 10; chain++) print ":chain" chain " - [0:0]"
	for (chain = 0; chain < 10; chain++) print "-A INPUT -s 10." chain ".0.0/16 -p tcp -j chain" chain
	for (rule = 0; rule < 9990; rule++)
		print "-A chain" rule % 10 " -s 10." rule % 10 "." rule % 250 ".1/32 -p tcp -m tcp --dport " rule " -j DROP"
	print "COMMIT"
}' >"$file"
# milliseconds COMMAND...: prints how long it takes.
milliseconds() {
	local start=${EPOCHREALTIME/./}
	"$@" >/dev/null || return
	echo $(((${EPOCHREALTIME/./} - start) / 1000))
}
load=$(milliseconds rule restore "$file")
test_only=$(milliseconds rule restore --test "$file")
again=$(milliseconds rule restore "$file")
print=$(milliseconds rule save)
echo "# 10,000 rules: restore $load ms, again $again ms, restore --test $test_only ms, save $print ms"
check "10,000 rules are loaded" test "$(rule save -t filter | grep -c '^-A')" -eq 10000
# In emulated VMs it took 0.9 to 1.8 s. The limit leaves room for a busy machine.
check "in seconds" test "$load" -lt 20000
check "and when they replace themselves as well" test "$again" -lt 20000
rule save -t filter >"$folder/before"
check "they are printed as they were read" diff <(grep '^-A' "$file" | sort) <(grep '^-A' "$folder/before" | sort)

finish
