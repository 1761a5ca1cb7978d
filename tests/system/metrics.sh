#!/bin/bash
# What Prometheus is told: both daemons' figures on each store, then a real Prometheus that scrapes them, with the
# alerts and the queries of the dashboard.
# usage: metrics.sh [embedded|redis]...

# shellcheck source=tests/system/lib.sh disable=SC1091,SC2119
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/milter_lib.sh disable=SC1091
. "$(dirname "$0")/milter_lib.sh"
# shellcheck source=tests/system/postfix_lib.sh disable=SC1091
. "$(dirname "$0")/postfix_lib.sh"

RULES=$TOP/etc/prometheus-weir.rules.yml
DASHBOARD=$TOP/etc/grafana-weir.json
FIRST_TRIES=200
OTHERS=2000    # destinations that nobody has configured
OTHERS_MAX=20  # of them, as many are shown
PAGE_MAX=65536 # bytes

LIMITS='limits: { destinations = ( { name = "acme"; domains = ["acme.test"]; concurrency = 2; } );
	default: { concurrency = 50; }; };'

# ---- a daemon's page ------------------------------------------------------------------------------------------------

declare -A HTTP_PORTS=()

# scrape DAEMON: its page is in PRIVATE/page-DAEMON.
scrape() {
	curl -s -f -m 5 -D "$PRIVATE/head-$1" -o "$PRIVATE/page-$1" "http://127.0.0.1:${HTTP_PORTS[$1]}/metrics"
}

# tells DAEMON SAMPLE VALUE: so says its page.
tells() {
	scrape "$1" && grep -q -x -F -e "$2 $3" "$PRIVATE/page-$1"
}

# both_tell SAMPLE VALUE: soon, for what concerns the whole site comes through the store.
both_tell() {
	await 10 tells policyd "$@" && await 10 tells milter "$@"
}

# figure DAEMON SAMPLE: its value on the page that was scraped last.
figure() {
	awk -v sample="$2" 'index($0, sample " ") == 1 { print $NF; found = 1 } END { if (!found) print -1 }' "$PRIVATE/page-$1"
}

# shows DAEMON NAME COUNT: so many samples have that name.
shows() {
	scrape "$1" && [ "$(grep -c "^$2[{ ]" "$PRIVATE/page-$1")" -eq "$3" ]
}

page_is_sound() {
	scrape "$1" && promtool check metrics <"$PRIVATE/page-$1" >"$PRIVATE/promtool" 2>&1 && [ ! -s "$PRIVATE/promtool" ]
}

page_has_its_type() {
	grep -q -i '^content-type: text/plain; version=0\.0\.4' "$PRIVATE/head-$1"
}

page_is_small() {
	[ "$(wc -c <"$PRIVATE/page-$1")" -le "$PAGE_MAX" ]
}

# ---- one daemon after the other -------------------------------------------------------------------------------------

DELAY=40 # passes have one of a minute at most, and of 3 seconds at least

start_daemons() {
	write_settings "$STORE" "$POLICY_PORT" "$LIMITS"
	HTTP_PORTS=([policyd]=$(free_port) [milter]=$(free_port))
	start_with_store -o "http.listen=inet:127.0.0.1:${HTTP_PORTS[policyd]}" &&
		start_milter -o "http.milter_listen=inet:127.0.0.1:${HTTP_PORTS[milter]}"
}

page_of() {
	ok "$STORE: $1 has a page, which promtool has nothing against" page_is_sound "$1"
	ok "$STORE: $1: of the right type" page_has_its_type "$1"
	ok "$STORE: $1: it says who it is" tells "$1" "weir_build_info{version=\"0.1.0\",daemon=\"$1\",node=\"mx1.test\"}" 1
	ok "$STORE: $1: its store is up" tells "$1" weir_store_up 1
	ok "$STORE: $1: its lists are loaded" tells "$1" 'weir_list_entries{list="networks"}' 2
	ok "$STORE: $1: it knows the site" await 10 tells "$1" weir_site_up 1
	ok "$STORE: $1: its memory is counted" [ "$(figure "$1" process_resident_memory_bytes)" -gt 1000000 ]
	ok "$STORE: $1: its descriptors are those of the system" await 10 counts_descriptors "$1"
	ok "$STORE: $1: it has just been started" started_lately "$1"
}

# counts_descriptors DAEMON: as the kernel shows them; while its page is read, one more is open.
counts_descriptors() {
	local all
	scrape "$1" && all=("/proc/$(pid_of "$1")/fd"/*) && [ "$(figure "$1" process_open_fds)" -eq $((${#all[@]} + 1)) ]
}

pid_of() {
	if [ "$1" = milter ]; then
		echo "$MILTER_PID"
	else
		echo "$WEIR_PID"
	fi
}

started_lately() {
	local age
	age=$(($(date +%s) - $(figure "$1" process_start_time_seconds)))
	[ "$age" -ge -1 ] && [ "$age" -lt 120 ]
}

# verdicts ACTION WHY: how many of policyd's there are on its page.
verdicts() {
	figure policyd "weir_verdicts_total{action=\"$1\",why=\"$2\"}"
}

deferred_by_greylisting() {
	echo $(($(verdicts defer greylist-new) + $(verdicts defer greylist-early)))
}

ask_first_tries() {
	ask_many "$POLICY_PORT" --requests "$FIRST_TRIES" && nothing_lost
}

retry_until_all_pass() {
	ask_first_tries && PASSED=$((PASSED + $(got prepend))) && ANSWERS=$((ANSWERS + $(got answers))) &&
		DEFERRED=$((DEFERRED + $(got greylisted))) && [ "$(got greylisted)" -eq 0 ]
}

counted_as_sent() {
	local began=$SECONDS
	ANSWERS=0 PASSED=0 DEFERRED=0
	ok "$STORE: $FIRST_TRIES first tries are deferred" retry_until_greylisted
	scrape policyd
	ok "$STORE: each is counted as new" [ "$(verdicts defer greylist-new)" -eq "$FIRST_TRIES" ]
	ok "$STORE: early retries are deferred" not retry_until_all_pass
	time_passes "$STORE" $((DELAY - SECONDS + began))
	ok "$STORE: retries pass" await 30 retry_until_all_pass
	scrape policyd
	ok "$STORE: deferrals are counted as they were sent" [ "$(deferred_by_greylisting)" -eq "$DEFERRED" ]
	ok "$STORE: first passes, too" [ "$(verdicts accept greylist-passed)" -eq "$PASSED" ]
	ok "$STORE: and are as many as there were first tries" [ "$PASSED" -eq "$FIRST_TRIES" ]
	ok "$STORE: all of them have a time of decision" [ "$(figure policyd weir_decision_seconds_count)" -eq "$ANSWERS" ]
	ok "$STORE: first passes have a delay" [ "$(figure policyd weir_greylist_delay_seconds_count)" -eq "$PASSED" ]
	ok "$STORE: of a minute at most" \
		[ "$(figure policyd 'weir_greylist_delay_seconds_bucket{le="60"}')" -eq "$PASSED" ]
	ok "$STORE: of 3 seconds at least" at_least_seconds "$(figure policyd weir_greylist_delay_seconds_sum)" $((3 * PASSED))
	ok "$STORE: each question has a time of the store" await 10 every_question_has_its_time
	ok "$STORE: the milter has judged nothing" tells milter weir_decision_seconds_count 0
	ok "$STORE: both know that nobody waits any more" both_tell 'weir_greylist_triplets{state="waiting"}' 0
	ok "$STORE: and how many came back" both_tell 'weir_greylist_triplets{state="came_back"}' "$PASSED"
}

retry_until_greylisted() {
	ask_first_tries && all_are greylisted || return
	ANSWERS=$(got answers)
	DEFERRED=$(got greylisted)
}

at_least_seconds() {
	awk -v sum="$1" -v least="$2" 'BEGIN { exit !(sum >= least) }'
}

every_question_has_its_time() {
	scrape policyd && [ "$(figure policyd weir_store_seconds_count)" -eq "$(figure policyd weir_store_asked_total)" ]
}

slots() {
	local sample='weir_destination_slots_in_use{destination="acme"}'
	ok "$STORE: both know the limit of acme" both_tell 'weir_destination_slots_limit{destination="acme"}' 2
	ok "$STORE: none of its slots is in use" both_tell "$sample" 0
	ok "$STORE: a delivery is under way" hold_delivery one "$OWN" a@sender.test bob@acme.test
	ok "$STORE: both know of its slot" both_tell "$sample" 1
	ok "$STORE: the milter knows of the delivery" tells milter weir_deliveries_under_way 1
	finish_delivery one held
	ok "$STORE: both know of its end" both_tell "$sample" 0
	ok "$STORE: both daemons are heard of" both_tell 'weir_daemon_up{daemon="milter",node="mx1.test"}' 1
	ok "$STORE: by each other" both_tell 'weir_daemon_up{daemon="policyd",node="mx1.test"}' 1
}

# Whoever sends mail chooses these names.
many_destinations() {
	ask_many "$POLICY_PORT" --first 100000 --requests "$OTHERS" --domain 'd%d.test'
	ok "$STORE: mail goes to $OTHERS destinations" all_are greylisted
	for daemon in policyd milter; do
		ok "$STORE: $daemon: shows $OTHERS_MAX of them" await 10 shows "$daemon" weir_destination_deferred_5m $((OTHERS_MAX + 1))
		ok "$STORE: $daemon: and not more" stays 3 shows "$daemon" weir_destination_deferred_5m $((OTHERS_MAX + 1))
		ok "$STORE: $daemon: promtool has nothing against that" page_is_sound "$daemon"
		ok "$STORE: $daemon: the page is small" page_is_small "$daemon"
	done
}

# ---- Prometheus -----------------------------------------------------------------------------------------------------

PROMETHEUS_PORT=

# With alerts that do not take their time.
write_prometheus_settings() {
	sed 's/for: .*/for: 3s/' "$RULES" >"$PRIVATE/rules.yml"
	cat >"$PRIVATE/prometheus.yml" <<-END
		global: { scrape_interval: 1s, evaluation_interval: 1s }
		rule_files: ['$PRIVATE/rules.yml']
		scrape_configs:
		  - job_name: weir
		    static_configs:
		      - targets: ['127.0.0.1:${HTTP_PORTS[policyd]}', '127.0.0.1:${HTTP_PORTS[milter]}']
	END
}

start_prometheus() {
	PROMETHEUS_PORT=$(free_port)
	write_prometheus_settings
	start_process prometheus --config.file "$PRIVATE/prometheus.yml" --storage.tsdb.path "$PRIVATE/tsdb" \
		--web.listen-address "127.0.0.1:$PROMETHEUS_PORT" >"$PRIVATE/prometheus.log" 2>&1
	await 30 curl -s -f -o /dev/null "http://127.0.0.1:$PROMETHEUS_PORT/-/ready"
}

# prometheus_api PATH JQ_FILTER [CURL_OPTION]...: what it answers is such.
prometheus_api() {
	curl -s -m 10 -G "http://127.0.0.1:$PROMETHEUS_PORT/api/v1/$1" "${@:3}" | jq -e "$2" >/dev/null
}

targets_are_up() {
	prometheus_api targets '[.data.activeTargets[] | select(.health == "up")] | length == 2'
}

rules_are_well() {
	prometheus_api rules '[.data.groups[].rules[]] | length > 10 and all(.health == "ok")'
}

# alert NAME STATE [SUMMARY]: there is such an alert, with a text that begins so.
alert() {
	prometheus_api alerts ".data.alerts | any(.labels.alertname == \"$1\" and .state == \"$2\" and
		(.annotations.summary | startswith(\"${3:-}\")))"
}

no_alert() {
	prometheus_api alerts '.data.alerts == []'
}

# has_result EXPRESSION: it is understood, and gives something unless it leaves zeros out.
has_result() {
	local wanted='.status == "success" and (.data.result | length > 0)'
	case $1 in
	*'> 0') wanted='.status == "success"' ;;
	esac
	prometheus_api query "$wanted" --data-urlencode "query=$1"
}

queries_have_results() {
	local expression status=0
	while read -r expression; do
		await 60 has_result "$expression" && continue
		diag "no result: $expression"
		status=1
	done < <(expressions)
	return $status
}

# expressions: those of the dashboard, for everything and with the shortest interval.
expressions() {
	# shellcheck disable=SC2016
	jq -r '.panels[] | .targets[]? | .expr' "$DASHBOARD" | sed 's/\$__rate_interval/10s/g; s/=~"\$[a-z]*"/=~".*"/g'
}

prometheus_scrapes() {
	ok "$STORE: Prometheus starts" start_prometheus || return
	ok "$STORE: it scrapes both daemons" await 30 targets_are_up
	ok "$STORE: and understands all rules" await 30 rules_are_well
	ok "$STORE: there is nothing to be alerted of" await 10 no_alert
	ok "$STORE: each query of the dashboard has a result" queries_have_results
}

redis_goes_away() {
	stop_redis
	for daemon in policyd milter; do
		ok "$STORE: $daemon knows that the store is away" await 10 tells "$daemon" weir_store_up 0
		ok "$STORE: $daemon: the site is not known then" await 10 tells "$daemon" weir_site_up 0
		ok "$STORE: $daemon: and has no figures" shows "$daemon" weir_destination_slots_in_use 0
	done
	ok "$STORE: Prometheus is about to alert" await 60 alert WeirStoreDown pending
	ok "$STORE: it does, and says where" await 60 alert WeirStoreDown firing 'weir on 127.0.0.1:'
	ask_many "$POLICY_PORT" --first 200000 --requests 20
	scrape policyd
	ok "$STORE: what is judged without the store is counted" [ "$(verdicts accept store-failure)" -eq "$(got dunno)" ]
	start_redis
	ok "$STORE: the store is back" both_tell weir_store_up 1
	ok "$STORE: and the site known" both_tell weir_site_up 1
	ok "$STORE: the alert ends" await 30 not alert WeirStoreDown firing
}

# ---- what is installed ----------------------------------------------------------------------------------------------

rules_are_valid() {
	promtool check rules "$RULES" >"$PRIVATE/promtool" 2>&1
}

every_alert_is_tested() {
	promtool test rules "$SYSTEM_TESTS/prometheus-weir.test.yml" >"$PRIVATE/promtool" 2>&1 &&
		sed -n 's/.*- alert: //p' "$RULES" | all_in "$SYSTEM_TESTS/prometheus-weir.test.yml"
}

# all_in FILE: each line is somewhere in the file.
all_in() {
	local line missing=0
	while read -r line; do
		grep -q -E "$line|Weir.*ByFailure" "$1" || missing=1
	done
	return $missing
}

every_alert_says_what_to_do() {
	local alerts told
	alerts=$(grep -c -e '- alert:' "$RULES")
	told=$(awk '/- alert:/ { told = 0 } /weirctl [a-z]/ && !told++ { n++ } END { print n }' "$RULES")
	[ "$alerts" -ge 9 ] && [ "$told" -eq "$alerts" ]
}

# commands_exist: weirctl has those that the alerts name.
commands_exist() {
	local word status=0
	while read -r word; do
		"$BUILD/weirctl" help "$word" >/dev/null 2>&1 && continue
		diag "weirctl has no $word"
		status=1
	done < <(grep -o '"weirctl [a-z-]*' "$RULES" | cut -d ' ' -f 2 | sort -u)
	return $status
}

dashboard_is_importable() {
	jq -e '.schemaVersion == 38 and .id == null and (.title | length > 0)
		and (.__inputs | any(.name == "DS_PROMETHEUS" and .pluginId == "prometheus"))
		and ([.templating.list[].name] | contains(["node", "destination"]))
		and ([.panels[] | select(.type != "row")] | all(.datasource.uid == "${DS_PROMETHEUS}" and (.targets | length > 0)))
		and ([.panels[].type] | unique - ["row"]) == ([.__requires[] | select(.type == "panel") | .id] | sort)
		and ([.panels[].id] | (unique | length) == length)' "$DASHBOARD" >/dev/null
}

# Each in a rule of its own.
expressions_are_valid() {
	expressions | jq -R -s '{groups: [{name: "dashboard", rules: [split("\n")[:-1] | to_entries[] |
		{record: "expression:\(.key)", expr: .value}]}]}' >"$PRIVATE/expressions.yml"
	promtool check rules "$PRIVATE/expressions.yml" >"$PRIVATE/promtool" 2>&1
}

# names_used: metrics that the dashboard or the rules ask for, but for what the rules record.
names_used() {
	{
		expressions
		curl -s -m 10 "http://127.0.0.1:$PROMETHEUS_PORT/api/v1/rules" | jq -r '.data.groups[].rules[].query'
	} | grep -o -E '\b(weir|process)[_:][a-z0-9_:]+' | grep -v : | sort -u
}

# names_shown: all that the pages have, with the parts of histograms.
names_shown() {
	cat "$PRIVATE"/page-* | sed -n 's/^\([a-z_0-9]*\)[{ ].*/\1/p' | sort -u
}

names_exist() {
	local missing
	missing=$(names_used | grep -v -x -F -f <(names_shown))
	[ -z "$missing" ] || diag "not on the pages: $missing"
	[ "$(names_used | wc -l)" -ge 30 ] && [ -z "$missing" ]
}

files_are_valid() {
	private_dir
	ok "the alerts are valid" rules_are_valid
	ok "each fires when it should, and not when it should not" every_alert_is_tested
	ok "each says what to do" every_alert_says_what_to_do
	ok "by commands that there are" commands_exist
	ok "the dashboard can be imported" dashboard_is_importable
	ok "its queries are valid" expressions_are_valid
	clean_up
}

# ---------------------------------------------------------------------------------------------------------------------

run_on() {
	STORE=$1
	private_dir
	POLICY_PORT=$(free_port)
	if [ "$STORE" = redis ]; then
		ok "$STORE: Redis starts" start_redis || return
	fi
	ok "$STORE: both daemons start" start_daemons || return
	ok "$STORE: Postfix starts" start_postfix '' "unix:$PRIVATE/milter.sock" || return
	page_of policyd
	page_of milter
	counted_as_sent
	slots
	prometheus_scrapes
	ok "$STORE: dashboard and alerts ask for nothing else than there is" names_exist
	many_destinations
	[ "$STORE" != redis ] || redis_goes_away
}

need_postfix_and_stores
need curl jq promtool prometheus
files_are_valid
on_each_store run_on "$@"
plan
