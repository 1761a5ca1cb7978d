#!/bin/bash
# What a daemon keeps for the operator beside the mail's way: mail never waits for it, whatever happens to it.

# shellcheck source=tests/system/lib.sh disable=SC1091,SC2119
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/ctl_lib.sh disable=SC1091
. "$(dirname "$0")/ctl_lib.sh"

# fresh STORE
fresh() {
	private_dir
	PORT=$(free_port)
	write_settings "$1" "$PORT" 'limits: { destinations = ( { name = "acme"; domains = ["acme.test"]; concurrency = 5; } ); };'
}

need curl jq
NEXT=500000 # number of the next triplet never asked about

# ask_new COUNT: so many triplets never asked about.
ask_new() {
	ask_many "$PORT" --first "$NEXT" --requests "$1"
	NEXT=$((NEXT + $1))
}

# acme_says REGEX: such is the answer to a recipient there.
acme_says() {
	local status=0
	policy_open "$PORT" && policy_says "$1" 192.0.2.1 a@sender.test b@acme.test || status=1
	policy_close
	return "$status"
}

is_drained() {
	acme_says '451 4\.3\.2 '
}

is_not_drained() {
	acme_says '451 4\.7\.1 |DUNNO|PREPEND '
}

# stops_within SECONDS
stops_within() {
	local began
	began=$(now_ms)
	stop_weir && [ $(($(now_ms) - began)) -lt $(($1 * 1000)) ]
}

# remembers COUNT: weirctl finds so many first tries at local.test.
remembers() {
	ctl 0 why --limit 1000 --destination local.test --cause greylist-new && [ "$(tail -n +2 "$PRIVATE/said" | wc -l)" -eq "$1" ]
}

# troubles COUNT: so many are in the log.
troubles() {
	[ "$(grep -c 'cannot record decisions' "$WEIR_LOG")" -eq "$1" ]
}

# store_is REGEX: such is what the status page has against it.
store_is() {
	curl -s -m 5 "http://127.0.0.1:$HTTP_PORT/status.json" |
		jq -e --arg error "$1" '.store.error | test($error)' >/dev/null 2>&1
}

nothing_kept() {
	fresh embedded
	start_weir -o decisions.keep=0
	ask_new 5
	ok "keep = 0: mail is greylisted" all_are greylisted
	stop_weir
	ok "keep = 0: nothing is remembered" refuses 1 'no such decision' why --cause greylist-new
}

restart() {
	fresh embedded
	start_weir
	ask_new 7
	stop_weir
	ok "a stop: what was decided last is remembered" remembers 7
	start_weir
	ask_new 5
	ok "kill -9: soon" await 5 remembers 12
	ctl 0 drain acme --for 1h
	ok "drain: within two seconds" await 2 is_drained
	kill_weir
	start_weir
	ok "kill -9: overrides hold from the start" await 1 is_drained
	ok "kill -9: decisions stay" await 2 remembers 12
	ctl 0 undrain acme
	ok "undrain: within two seconds" await 2 is_not_drained
	stop_weir
}

history_in_the_way() {
	fresh embedded
	HTTP_PORT=$(free_port)
	mkdir "$PRIVATE/db/ledger.db"
	start_weir -o decisions.keep=100 -o "http.listen=inet:127.0.0.1:$HTTP_PORT"
	ok "no ledger.db can be made: the log says so" logged 'cannot record decisions'
	ok "no ledger.db can be made: the status page tells why" await 5 store_is 'ledger\.db: unable to open'
	ask_new 200
	ok "no ledger.db can be made: mail is greylisted all the same" all_are greylisted
	ok "no ledger.db can be made: at once" within 1000
	rmdir "$PRIVATE/db/ledger.db"
	ok "no ledger.db can be made: kept when it can be" await 15 eval 'ask_new 1; ctl 0 why --limit 1'
	ok "no ledger.db can be made: the log says that, too" logged 'recording decisions again'
	ok "no ledger.db can be made: stops as always" stops_within 4
}

history_is_locked() {
	! sqlite3 -cmd '.timeout 500' "$PRIVATE/db/ledger.db" 'BEGIN IMMEDIATE' 2>/dev/null
}

# lock_history: nobody else can write to ledger.db, until unlock_history.
lock_history() {
	mkfifo "$PRIVATE/sql"
	start_process sh -c "exec sqlite3 '$PRIVATE/db/ledger.db' <'$PRIVATE/sql'"
	exec {SQL}>"$PRIVATE/sql"
	printf '%s\n' '.timeout 5000' 'BEGIN EXCLUSIVE;' >&"$SQL"
	await 5 history_is_locked
}

unlock_history() {
	exec {SQL}>&-
}

history_locked() {
	fresh embedded
	start_weir
	ask_new 3
	await 5 remembers 3
	lock_history
	start_load it "$PORT" --requests 1000 --seconds 2 --rate 500
	finish_load it
	ok "ledger.db is locked by another: every question is answered" nothing_lost
	ok "ledger.db is locked by another: within a second" within 1000
	ok "ledger.db is locked by another: the log says so" logged 'cannot record decisions'
	ok "ledger.db is locked by another: stops soon" stops_within 6
	unlock_history
}


# Takes a slot at a destination that the settings do not name, and asks whose it is.
slot_has_a_name() {
	policy_says DUNNO 192.0.2.1 a@sender.test b@other.test && tells '^destination other\.test ' leases list
}

# Whose a limit is was told while nothing could be written: it is told again.
names_lost() {
	fresh embedded
	start_weir -o greylist.mode=off -o limits.default.concurrency=50
	await 5 [ -e "$PRIVATE/db/ledger.db" ]
	lock_history
	policy_open "$PORT"
	slot_has_a_name
	logged 'cannot record decisions'
	sleep 4 # until the names were tried, too
	unlock_history
	ok "ledger.db was locked by another: whose a limit is, is known again" await 10 slot_has_a_name
	policy_close
	stop_weir
}

redis_hangs() {
	need redis-server redis-cli || return
	fresh redis
	start_redis
	start_weir
	ask_new 20
	await 5 remembers 20
	kill -STOP "$REDIS_PID"
	ask_new 20
	ok "Redis hangs: every question is answered" nothing_lost
	ok "Redis hangs: stops soon" stops_within 6
	kill -CONT "$REDIS_PID"
}

# with_resolver ADDRESS COMMAND...: becomes the command, as on a host that asks that one for names.
with_resolver() {
	printf 'nameserver %s\noptions timeout:30 attempts:1\n' "$1" >"$PRIVATE/resolv.conf"
	# shellcheck disable=SC2016
	exec unshare --mount sh -c 'mount --bind "$0" /etc/resolv.conf && exec "$@"' "$PRIVATE/resolv.conf" "${@:2}"
}

# Redis has a name, and nobody tells its address.
resolver_hangs() {
	fresh redis
	(with_resolver 127.9.9.9 true) 2>/dev/null || {
		skip "names are not resolved: stops soon" "needs unshare --mount"
		return
	}
	start_process perl -MIO::Socket::INET -e 'IO::Socket::INET->new(Proto => "udp", LocalAddr => "127.9.9.9:53") and sleep 60'
	await 5 grep -q '0909097F:0035' /proc/net/udp
	start_weir_by with_resolver 127.9.9.9 "$POLICYD" -c "$PRIVATE/weir.conf" -o store.redis.servers=redis.weir.test:6379
	sleep 1
	ok "names are not resolved: stops soon" stops_within 10
}

# no_decisions: not even their beginnings.
no_decisions() {
	[ "$(redis --raw --scan --pattern 'weir:d[0-9]*' | wc -l)" -eq 0 ]
}

# Those that are there already are too many for one step.
no_more_kept() {
	need redis-server redis-cli || return
	fresh redis
	start_redis
	start_weir
	ask_new 30000
	await 10 remembers_last
	stop_weir
	ok "keep = 0 from now on: there are decisions" not no_decisions
	start_weir -o decisions.keep=0
	ok "keep = 0 from now on: soon there are none" await 30 no_decisions
	stop_weir
}

# remembers_last: weirctl finds the newest first try.
remembers_last() {
	ctl 0 why --limit 1 "user$((NEXT - 1))@local.test"
}

# two_by_a_name: on one Redis, each for the other.
two_by_a_name() {
	local first says='another daemon uses the same node name policyd/mx1\.test'
	need redis-server redis-cli || return
	fresh redis
	start_redis
	start_weir
	first=$WEIR_LOG
	sleep 25
	ok "a daemon by itself: nobody has its name" never_logged "$says"
	start_weir -o "policyd.listen=inet:127.0.0.1:$(free_port)"
	ok "two by a name: the log of the first says so" await 30 log_holds "$first" "$says"
	ok "two by a name: the second's, too" await 30 in_the_log "$says"
	stop_weir
}

# A Redis that is full takes nothing new, but what was ordered can be read, and taken back.
redis_full() {
	need redis-server redis-cli || return
	fresh redis
	start_redis
	start_weir
	ctl 0 drain acme --for 1h
	ok "Redis is full: drained before" await 2 is_drained
	redis config set maxmemory 1 >/dev/null
	ask_new 50
	ok "Redis is full: undrain" ctl 0 undrain acme
	ok "Redis is full: undrain is seen" await 3 is_not_drained
	ok "Redis is full: the log says so" logged 'cannot record decisions .*OOM'
	redis config set maxmemory 0 >/dev/null
	ok "Redis is full: and when it is no more" logged 'recording decisions again'
	stop_redis
	ok "Redis is away after that: said soon, too" await 15 troubles 2
	ok "Redis is away after that: once" not await 2 troubles 3
	stop_weir
}

for story in nothing_kept no_more_kept two_by_a_name restart history_in_the_way history_locked names_lost redis_hangs \
	resolver_hangs redis_full; do
	$story
	clean_up
done
plan
