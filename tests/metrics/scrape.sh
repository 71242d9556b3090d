#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Debian's Prometheus scrapes `palisade metrics --listen`, promtool has nothing to say against the text, and each query of
# the dashboard and each alert of metrics.md is answered with figures.
#
# Hosts, on the switch of lib.sh: client (10.0.0.1) connects, server (10.0.0.2) has the rules, socat, the counters and
# Prometheus.

. "$(dirname "$0")/../selftests/lib/lib.sh"

programs=$checkout/build/prometheus/usr/bin
documentation=$checkout/Documentation
work=$(mktemp -d)

modprobe palisade
make_hosts client server
listen server 80
on server palisade protect 80
on server palisade -A INPUT -p icmp -m comment --comment 'a \ and a "' -j DROP
on server palisade -P FORWARD DROP
on server palisade list create SSH size=10
connects client 10.0.0.2 80

check "promtool finds nothing wrong with the text" sh -c "ip netns exec server palisade metrics >$work/text &&
	$programs/promtool check metrics <$work/text >$work/lint 2>&1 && ! grep . $work/lint"

start server palisade metrics --listen '[::1]:9789' >/dev/null
cat >"$work/prometheus.yml" <<-END
	global:
	  scrape_interval: 1s
	scrape_configs:
	  - job_name: palisade
	    static_configs:
	      - targets: ['[::1]:9789']
END
check "promtool reads the configuration" "$programs/promtool" check config "$work/prometheus.yml"
start server "$programs/prometheus" --config.file="$work/prometheus.yml" --storage.tsdb.path="$work/data" \
	--web.listen-address=127.0.0.1:9090 >"$work/log" 2>&1

# asked QUERY: prints how many series Prometheus answers with.
asked() {
	on server curl -sf http://127.0.0.1:9090/api/v1/query --data-urlencode "query=$1" |
		jq -e 'select(.status == "success") | .data.result | length'
}
# found QUERY: there is one at least.
found() { [ "$(asked "$1")" -gt 0 ]; }

scraped() { eventually 300 found 'up{job="palisade"} == 1' || { cat "$work/log"; return 1; }; }

check "Prometheus scrapes them" scraped
check "and refuses no sample" eventually 60 found 'scrape_samples_scraped > 0 and scrape_samples_post_metric_relabeling == scrape_samples_scraped'
check "a comment arrives as it was" found 'palisade_rule_packets_total{comment="a \\ and a \""}'
# A rate takes two scrapes.
check "there are rates" eventually 60 found 'rate(palisade_synproxy_syns_total[1m])'

while IFS= read -r query; do
	check "the dashboard's $query" found "$query"
done < <(jq -r '.panels[].targets[].expr' "$documentation/grafana-dashboard.json" |
	sed -e "s/\\\$instance/.*/g" -e "s/\\\$__rate_interval/1m/g")

# The alerts are expressions that are answered; none of them is met here.
mapfile -t alerts < <(sed -n '/^## Alerts/,$s/^    //p' "$documentation/metrics.md" | sed '/^#/d' |
	awk '/^ / { line = line $0; next } { if (line) print line; line = $0 } END { print line }')
for alert in "${alerts[@]}"; do
	check "no alert: $alert" test "$(asked "$alert")" = 0
	check "whose left side has figures" found "${alert%% > *}"
done
check "there were alerts" test "${#alerts[@]}" = 2
rm -rf "$work"

finish
