#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
#
# The kernel's YNL client drives the netlink family from its specification, in the initial network namespace.

. "$(dirname "$0")/../lib/lib.sh"

specification=$checkout/Documentation/netlink/specs/palisade.yaml
source=/usr/src/linux
client=$source/tools/net/ynl/pyynl/cli.py
schema=$source/Documentation/netlink/genetlink.yaml

ynl() {
	python3 "$client" --spec "$specification" --schema "$schema" "$@"
}

ynl_json() {
	ynl --output-json "$@"
}

check "the specification agrees with the kernel's schema" ynl --validate
check "a rule is appended" ynl --do ruleset-change --json '{"change": [{"kind": "append", "table": "filter",
	"chain-name": "INPUT", "rule": {"protocol": 17, "source": "192.0.2.0", "source-mask": "255.255.255.0",
	"match": [{"udp": {"destination-first": 53, "destination-last": 53}},
		{"recent": {"name": "ynl", "operation": "update", "seconds": 60, "hits": 4}}],
	"target": {"verdict": "drop"}}}]}'
check "the CLI shows the same rule" sh -c 'palisade -S INPUT | grep -qx -- "-A INPUT -s 192.0.2.0/24 -p udp -m udp --dport 53 -m recent --update --seconds 60 --hitcount 4 --name ynl --rsource -j DROP"'
check "rule-get shows the rule" test "$(ynl_json --dump rule-get | jq -r '.[0].rule.match[1].recent.name')" = ynl
check "chain-get shows the chains" test "$(ynl_json --dump chain-get | jq -r '[.[].chain.name] | join(" ")')" = \
	"PREROUTING OUTPUT INPUT FORWARD OUTPUT PREROUTING INPUT OUTPUT POSTROUTING PREROUTING INPUT FORWARD OUTPUT POSTROUTING"
check "list-get shows the list" test "$(ynl_json --do list-get --json '{"name": "ynl"}' | jq .rules)" -eq 1
check "entry-add" ynl --do entry-add --json '{"name": "ynl", "entry": [{"address": "192.0.2.1"}, {"address": "2001:db8::1"}]}'
check "entry-get" test "$(ynl_json --dump entry-get --json '{"name": "ynl"}' | jq -r '[.[].entry[0].address] | sort | join(" ")')" = "192.0.2.1 2001:db8::1"
check "entry-delete" ynl --do entry-delete --json '{"name": "ynl", "entry": [{"address": "192.0.2.1"}]}'
check "list-flush" ynl --do list-flush --json '{"name": "ynl"}'
check "and the list is empty" test "$(ynl_json --do list-get --json '{"name": "ynl"}' | jq .entries)" -eq 0
check "an error names the attribute" sh -c "python3 $client --spec $specification --schema $schema --do list-get --json '{\"name\": \"none\"}' 2>&1 | grep -q 'no such list.*bad-attr.*name'"
check "the policy can be read" sh -c "python3 $client --spec $specification --schema $schema --do ruleset-change --policy 2>&1 | grep -q change"
check "flush" ynl --do ruleset-change --json '{"change": [{"kind": "flush", "table": "filter"}]}'
check "list-create and list-destroy" sh -c "palisade list destroy ynl && python3 $client --spec $specification --schema $schema --do list-create --json '{\"name\": \"ynl\", \"size\": 5}' && python3 $client --spec $specification --schema $schema --do list-destroy --json '{\"name\": \"ynl\"}'"

heard=$(mktemp)
ynl_json --subscribe events --duration 60 >"$heard" &
listening() {
	awk '$2 == 16 && $4 !~ /^0*$/ { found = 1 } END { exit !found }' /proc/net/netlink
}
check "it can listen to events" eventually 60 listening
palisade list create heard size=5
palisade list destroy heard
wait
check "and is told" test "$(jq -r 'select(.name == "list-create-ntf") | .msg.list | "\(.name) \(.size)"' "$heard")" = "heard 5"
check "who did it" test "$(jq -r 'select(.name == "list-destroy-ntf") | .msg.process' "$heard")" = palisade
rm "$heard"

finish
