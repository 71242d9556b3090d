#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# crowdsec.sh [NUMBER]: Debian's CrowdSec decides who is banned, and its custom bouncer feeds Palisade with so many decisions
# (100,000), with deletions, and goes on when CrowdSec was restarted.

. "$(dirname "$0")/lib.sh"
set_up_hosts
start_syslog

number=${1:-100000}
bin=$programs/usr/bin
conf=$work/crowdsec
mkdir -p "$conf" "$work/data" "$work/hub" "$work/plugins"
cp -a "$programs/etc/crowdsec/." "$conf/"
: >"$conf/console.yaml"
printf 'url: http://127.0.0.1:8080/\n' >"$conf/local_api_credentials.yaml"
cp "$programs/usr/share/crowdsec/hub/.index.json" "$work/hub/"
cat >"$conf/config.yaml" <<-END
	common:
	  daemonize: false
	  log_media: stdout
	  log_level: info
	  working_dir: .
	config_paths:
	  config_dir: $conf/
	  data_dir: $work/data/
	  simulation_path: $conf/simulation.yaml
	  hub_dir: $work/hub/
	  index_path: $work/hub/.index.json
	  notification_dir: $conf/notifications/
	  plugin_dir: $work/plugins/
	crowdsec_service:
	  acquisition_path: $conf/acquis.yaml
	cscli:
	  output: human
	db_config:
	  log_level: info
	  type: sqlite
	  db_path: $work/data/crowdsec.db
	  use_wal: true
	api:
	  client:
	    credentials_path: $conf/local_api_credentials.yaml
	  server:
	    log_level: info
	    listen_uri: 127.0.0.1:8080
	    profiles_path: $conf/profiles.yaml
	    console_path: $conf/console.yaml
	prometheus:
	  enabled: false
END
cscli() { on server "$bin/cscli" -c "$conf/config.yaml" "$@"; }
start_crowdsec() { start server "$bin/crowdsec" -c "$conf/config.yaml" -no-cs >>"$work/crowdsec.log" 2>&1; crowdsec=$!; }
answers() { on server curl -s -o /dev/null http://127.0.0.1:8080/health; }
rule=(-m recent --rcheck --name crowdsec -j DROP)

check "CrowdSec knows a machine" cscli machines add palisade --auto --force --file "$conf/local_api_credentials.yaml" --url http://127.0.0.1:8080/
key=$(cscli bouncers add palisade -o raw)
check "and a bouncer" test -n "$key"
start_crowdsec
check "its API answers" eventually 300 answers

# The lines of the manual, without CrowdSec before them.
awk -v "n=$number" 'BEGIN { for (i = 0; i < n; i++) printf "add 198.%d.%d.%d for=24h\n", 18 + i / 65536, i / 256 % 256, i % 256 }' >"$work/many"
start=$(now)
check "$number lines are fed" on server palisade list feed MANY <"$work/many"
echo "# it took $(($(now) - start)) ms"
check "and are in the list" has MANY "$number"
check "in few messages" sh -c "strace -f -c -e trace=sendto -o $work/calls nsenter --net=/run/netns/server palisade list feed MANY <$work/many"
echo "# $(awk '$NF == "sendto" { print $4 }' "$work/calls") messages"
on server palisade list destroy MANY

# As Documentation/bans.md has it.
cp "$programs/etc/crowdsec/bouncers/crowdsec-custom-bouncer.yaml" "$work/bouncer.yaml"
sed -i -e "s|^bin_path:.*|bin_path: /usr/local/libexec/palisade/crowdsec-bouncer|" -e "s|^feed_via_stdin:.*|feed_via_stdin: true|" \
	-e "s|^total_retries:.*|total_retries: -1|" -e "s|^api_key:.*|api_key: $key|" \
	-e "s|^log_dir:.*|log_dir: $work/|" -e "s|^piddir:.*|piddir: $work/|" -e "s|^daemonize:.*|daemonize: false|" "$work/bouncer.yaml"
start_bouncer() { start server "$bin/crowdsec-custom-bouncer" -c "$work/bouncer.yaml" >>"$work/bouncer.out" 2>&1; bouncer=$!; }
explained() { "$@" || { tail -n 20 "$work/crowdsec.log" "$work/bouncer.out" "$work"/crowdsec-custom-bouncer.log; return 1; }; }

check "decisions are made before" cscli decisions add --ip 10.0.0.2 --duration 4h
start_bouncer
check "the bouncer starts the feed, which makes the rule" explained eventually 120 has_rule "${rule[@]}"
check "and is told of them" explained eventually 120 banned crowdsec 10.0.0.2
check "a host is kept out" not connects attacker 10.0.0.1 80
check "for its time" test "$(of crowdsec '.entries[] | .left_ms / 3600000 | ceil')" = 4
check "others are served" connects visitor 10.0.0.1 80
check "a decision that is deleted" cscli decisions delete --ip 10.0.0.2
check "lets the host in" eventually 120 connects attacker 10.0.0.1 80
check "a network" cscli decisions add --range fd00::2/127 --duration 1h
check "is kept out" eventually 120 not connects attacker fd00::1 80
check "with all that is in it" eventually 120 not connects visitor fd00::1 80
cscli decisions delete --range fd00::2/127 >/dev/null 2>&1
check "until it is deleted" eventually 120 connects visitor fd00::1 80
check "a decision that is no ban" cscli decisions add --ip 10.0.0.3 --type captcha --duration 1h
check "is passed over, as the log says" eventually 120 grep -q 'palisade.*decisions of the type captcha are passed over' "$system_log"
check "and is none" connects visitor 10.0.0.1 80

# While nobody asks for decisions: CrowdSec's SQLite refuses an import that meets that.
kill "$bouncer"
on server palisade -t raw -F
on server palisade list destroy crowdsec
awk -v "n=$number" -v "file=$work/many" \
	'BEGIN { for (i = 0; i < n; i++) { out = file int(i / 10000) ".csv"; if (i % 10000 == 0) print "duration,scope,value" >out
		printf "24h,ip,198.%d.%d.%d\n", 18 + i / 65536, i / 256 % 256, i % 256 >out } }'
import() {
	local file
	for file in "$work"/many*.csv; do
		cscli decisions import -i "$file" || return 1
	done
}
start=$(now)
check "$number decisions are imported" import
echo "# it took $(($(now) - start)) ms"
start=$(now)
start_bouncer
check "a bouncer that starts brings all of them" explained eventually 1800 has crowdsec "$number"
echo "# it took $(($(now) - start)) ms"
check "and makes the rule again" has_rule "${rule[@]}"
check "a single one" cscli decisions add --ip 10.0.0.2 --duration 1h
check "is not kept waiting" eventually 300 not connects attacker 10.0.0.1 80

kill "$crowdsec"
eventually 120 not answers
check "without CrowdSec bans stay" not connects attacker 10.0.0.1 80
start_crowdsec
check "which starts again" eventually 300 answers
check "and has a decision" cscli decisions delete --ip 10.0.0.2
check "of which the bouncer is told" explained eventually 300 connects attacker 10.0.0.1 80
check "as of others" cscli decisions add --ip 10.0.0.3 --duration 1h
check "with whom it is the same" eventually 300 not connects visitor 10.0.0.1 80
kill "$bouncer" "$crowdsec"
rm -rf "$work"

finish
