#!/bin/bash
# Loads behind Postfix whose sender counts for itself that a destination's limit is never exceeded, and is used: both
# daemons on each store, one alone, two hosts that share a Redis, and while things happen.
# usage: postfix_load.sh [STORY]...

# shellcheck source=tests/system/lib.sh disable=SC1091,SC2119
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/milter_lib.sh disable=SC1091
. "$(dirname "$0")/milter_lib.sh"
# shellcheck source=tests/system/postfix_lib.sh disable=SC1091
. "$(dirname "$0")/postfix_lib.sh"

LIMIT=5
LIMITS="limits: { destinations = ( { name = \"acme\"; domains = [\"acme.test\"]; concurrency = $LIMIT; } ); };"

OPTIONS=(-o log.level=info -o greylist.mode=off)

# load PORTS MESSAGES [OPTION]...: smtp_load.pl; got reads its counts.
load() {
	perl "$SYSTEM_TESTS/smtp_load.pl" --to "$1" --messages "$2" "${@:3}" >"$PRIVATE/counts" 2>&1
	diag "$(tail -n 1 "$PRIVATE/counts")"
}

# kept NAME MESSAGES: what must be so after each load.
kept() {
	ok "$1: every message gets through" [ "$(got delivered)" -eq "$2" ]
	ok "$1: no answer is unforeseen" [ "$(got other)" -eq 0 ]
	ok "$1: never more than $LIMIT are under way at acme" [ "$(got most)" -le "$LIMIT" ]
	ok "$1: but so many are" [ "$(got most)" -eq "$LIMIT" ]
	ok "$1: some have to wait" [ "$(got deferred)" -gt 0 ]
}

# fresh STORE
fresh() {
	STORE=$1
	private_dir
	POLICY_PORT=$(free_port)
	write_settings "$STORE" "$POLICY_PORT" "$LIMITS"
	[ "$STORE" = embedded ] || start_redis
}

# policyd_and_milter [OPTION]...
policyd_and_milter() {
	start_with_store "${OPTIONS[@]}" "$@" && start_milter "${OPTIONS[@]}" "$@" &&
		start_postfix "inet:127.0.0.1:$POLICY_PORT" "unix:$PRIVATE/milter.sock"
}

both() {
	fresh "$1"
	ok "both, $1: they start" policyd_and_milter || return
	load "$SMTP_PORT" 150
	kept "both, $1" 150
	ok "both, $1: nothing is held at the end" held 0
	ok "both, $1: further recipients never need room of their own" [ "$(got later)" -eq 0 ]
	ok "both, $1: nothing was judged without the store" never_logged 'store-failure\|does not answer'
}

milter() {
	fresh embedded
	ok "milter: it starts" start_milter "${OPTIONS[@]}" || return
	start_postfix '' "unix:$PRIVATE/milter.sock"
	load "$SMTP_PORT" 100
	kept milter 100
	ok "milter: nothing is held at the end" held 0
}

# host NAME: one of several mail servers, each with both daemons and a Postfix.
host() {
	start_mx "$1" "${OPTIONS[@]}" && start_named "$1" "${OPTIONS[@]}" -o "node=$1" &&
		start_postfix_in "$PRIVATE/postfix-$1" "inet:127.0.0.1:${PORTS[$1]}" "unix:$PRIVATE/$1.sock"
	HOST_PORTS=${HOST_PORTS:+$HOST_PORTS,}$SMTP_PORT
}

hosts() {
	fresh redis
	HOST_PORTS=
	ok "hosts: mx1 starts" host mx1.test
	ok "hosts: mx2 starts" host mx2.test
	load "$HOST_PORTS" 150
	kept hosts 150
	ok "hosts: nothing is held at the end" held 0
}

# meanwhile SECONDS COMMAND...: over and over, until the load has ended.
meanwhile() {
	local every=$1
	shift
	while sleep "$every"; do
		"$@"
	done
}

reload_both() {
	kill -HUP "$WEIR_PID" "$MILTER_PID"
}

reloads() {
	fresh embedded
	ok "reloads: both start" policyd_and_milter || return
	start_process meanwhile 0.3 reload_both
	load "$SMTP_PORT" 100
	end_process "$STARTED"
	kept reloads 100
	ok "reloads: there were some" logged 'reloaded\|read again'
}

# lose_store: it is gone for a while, with all it knew.
lose_store() {
	kill_redis
	sleep 0.7
	start_redis
}

# One host knows by itself what it holds.
store_lost() {
	local load
	fresh redis
	ok "store lost: both start" policyd_and_milter -o milter.deadline=100ms -o store.deadline=100ms || return
	start_process load "$SMTP_PORT" 150
	load=$STARTED
	until gone "$load"; do
		sleep 1
		lose_store
	done
	reap "$load"
	kept "store lost" 150
	ok "store lost: it was" logged 'store redis does not answer'
}

need_postfix_and_stores
need redis-server redis-cli
STORIES=("$@")
[ $# -gt 0 ] || STORIES=("both embedded" "both redis" milter hosts reloads store_lost)
for story in "${STORIES[@]}"; do
	$story
	clean_up
done
plan
