#!/bin/bash
# What weir-policyd answers while its Redis is absent, killed, paused, emptied of scripts, or unwilling.

# shellcheck source=tests/system/lib.sh disable=SC1091,SC2119
. "$(dirname "$0")/lib.sh"

short_deadlines

fresh() {
	private_dir
	PORT=$(free_port)
	write_settings redis "$PORT"
	QUICK=(-o greylist.delay=1s -o greylist.allow_client_after=0 -o log.level=info)
}

# ---- load: 3000 triplets asked about over and over, on 8 connections ------------------------------------------------

# load_for SECONDS
load_for() {
	start_load it "$PORT" --requests 3000 --seconds "$1" --rate 2000
}

# load_goes_on SECONDS: lets the load run on so long into what was done to Redis.
load_goes_on() {
	sleep "$1"
}

# served: what must hold of every load, whatever happens to Redis.
served() {
	ok "$1: every question is answered" nothing_lost
	ok "$1: within a second" within 1000
}

# ---- does the store take part? --------------------------------------------------------------------------------------

NEXT=100000 # number of the next triplet never asked about

# new_triplet_is KIND
new_triplet_is() {
	ask_many "$PORT" --first "$NEXT" --requests 1
	NEXT=$((NEXT + 1))
	all_are "$1"
}

store_works() {
	new_triplet_is greylisted
}

# ---- the stories ----------------------------------------------------------------------------------------------------

absent_at_start() {
	fresh
	ok "absent: weir-policyd starts without Redis" start_weir "${QUICK[@]}" || return
	ok "absent: it accepts by the failure rule" new_triplet_is dunno
	start_redis
	ok "absent: it picks Redis up when it appears" await 20 store_works
}

# This Redis forgets nothing it has confirmed.
start_lasting_redis() {
	start_redis --appendonly yes --appendfsync always
}

killed_in_load() {
	fresh
	ok "killed: Redis starts" start_lasting_redis || return
	ok "killed: weir-policyd starts" start_with_store "${QUICK[@]}" || return
	ask_many "$PORT" --requests 500
	wait_out_delay
	ask_many "$PORT" --requests 500
	ok "killed: 500 triplets pass" all_are prepend
	load_for 6
	kill_redis
	load_goes_on 2
	ok "killed: meanwhile it accepts by the failure rule" new_triplet_is dunno
	ok "killed: Redis restarts" start_lasting_redis
	finish_load it
	served killed
	ok "killed: the log says that the store failed" logged 'store redis does not answer'
	ok "killed: the store is used again" await 20 store_works
	ok "killed: the log says that, too" logged 'store redis answers again'
	ask_many "$PORT" --requests 500
	ok "killed: and knows every triplet that had passed" all_are dunno
}

weir_killed() {
	fresh
	ok "weir killed: Redis and weir-policyd start" start_both || return
	ask_many "$PORT" --requests 2000
	wait_out_delay
	start_load it "$PORT" --requests 2000 --rate 1000
	load_goes_on 1
	kill_weir
	finish_load it
	ok "weir killed: it starts again" start_with_store "${QUICK[@]}" -o store.on_failure=defer || return
	ask_many "$PORT" --requests 2000 --record "$PRIVATE/after"
	ok "weir killed: no triplet answered as passed is lost" [ "$(forgotten)" = 0 ]
}

# forgotten: how many triplets were answered as passed before and were not known afterwards.
forgotten() {
	awk 'NR == FNR { if ($2 == "prepend") passed[$1] = 1; next }
		$1 in passed { seen++; if ($2 != "dunno") lost++ }
		END { print (seen ? lost + 0 : "none seen") }' "$PRIVATE/record-it" "$PRIVATE/after"
}

scripts_flushed() {
	local round
	fresh
	ok "flush: Redis and weir-policyd start" start_both || return
	load_for 5
	for round in {1..20}; do
		redis script flush >/dev/null || diag "flush $round failed"
		load_goes_on 0.1
	done
	finish_load it
	served flush
	ok "flush: the store took part all the time" [ "$(failures)" -eq 0 ]
	ask_many "$PORT" --requests 3000
	ok "flush: and knows all that passed" all_are dunno
}

# failures: decisions the log says were made without the store.
failures() {
	grep -c 'why=store-failure' "$WEIR_LOG"
}

# A question on its own, so that nothing else wakes the daemon.
deadline() {
	fresh
	ok "deadline: Redis starts" start_redis || return
	ok "deadline: weir-policyd starts" start_weir "${QUICK[@]}" -o store.deadline=400ms || return
	ok "deadline: the store works" await 5 store_works
	kill -STOP "$REDIS_PID"
	ok "deadline: a question that is not answered is given up" new_triplet_is dunno
	ok "deadline: at the deadline" [ "$(got max_ms)" -ge 350 ]
	ok "deadline: and not later" within 900
}

paused_in_load() {
	fresh
	ok "paused: Redis and weir-policyd start" start_both || return
	load_for 6
	kill -STOP "$REDIS_PID"
	load_goes_on 3
	ok "paused: meanwhile it accepts by the failure rule" new_triplet_is dunno
	kill -CONT "$REDIS_PID"
	finish_load it
	served paused
	ok "paused: the store is used again" await 20 store_works
}

failure_defers() {
	fresh
	ok "defer: weir-policyd starts without Redis" start_weir "${QUICK[@]}" -o store.on_failure=defer || return
	ok "defer: the answer is 451 4.3.0" new_triplet_is unavailable
	start_redis
	ok "defer: and 451 4.7.1 once Redis appears" await 20 store_works
}

password() {
	fresh
	echo secret >"$PRIVATE/password"
	chmod 600 "$PRIVATE/password"
	ok "password: Redis starts" start_redis --requirepass secret || return
	ok "password: weir-policyd starts" start_weir "${QUICK[@]}" -o "store.redis.password_file=$PRIVATE/password" || return
	ok "password: the store works" await 5 store_works
	stop_weir

	echo wrong >"$PRIVATE/password"
	ok "password: weir-policyd starts with a wrong one" \
		start_weir "${QUICK[@]}" -o "store.redis.password_file=$PRIVATE/password" || return
	ok "password: it serves by the failure rule" new_triplet_is dunno
	ok "password: the log tells what Redis said" logged WRONGPASS
	stop_weir

	ok "password: weir-policyd starts with none" start_weir "${QUICK[@]}" || return
	new_triplet_is dunno
	ok "password: the log tells that one is wanted" logged NOAUTH
}

# many_wait COUNT: so many connections to PORT are there, with bytes that nobody has read.
many_wait() {
	[ "$(awk -v end=":$(printf %04X "$PORT")" 'index($2, end) && $4 == "01" && $5 !~ /:00000000$/' /proc/net/tcp | wc -l)" -ge "$1" ]
}

# handed_over: the load is there before the daemon is, on a socket that was made for it.
handed_over() {
	fresh
	ok "handed over: Redis starts" start_redis || return
	new_log
	# shellcheck disable=SC2016 # the inner shell expands these
	start_process perl "$SYSTEM_TESTS/pass_listener.pl" "$PORT" sh -c \
		'until [ -e "$0" ]; do sleep 0.05; done; exec "$@"' \
		"$PRIVATE/go" "$POLICYD" -c "$PRIVATE/weir.conf" "${QUICK[@]}" -o store.deadline=5s >"$WEIR_LOG" 2>&1
	WEIR_PID=$STARTED
	ok "handed over: somebody listens before weir-policyd does" await 10 port_answers "$PORT"
	start_process perl "$SYSTEM_TESTS/policy_client.pl" --to "inet:127.0.0.1:$PORT" --requests 1000 --connections 50 \
		>"$PRIVATE/counts" 2>&1
	ok "handed over: 50 questions are there before it" await 10 many_wait 50
	touch "$PRIVATE/go"
	reap "$STARTED"
	ok "handed over: each is judged" all_are greylisted
}

# Each loss takes a pipeline of questions with it. Redis may take its time on this machine, hence the deadline.
clients_killed() {
	local round
	fresh
	ok "connections killed: Redis and weir-policyd start" start_redis
	start_with_store "${QUICK[@]}" -o store.deadline=5s -o store.on_failure=defer || return
	load_for 4
	for round in {1..8}; do
		load_goes_on 0.3
		redis client kill type normal skipme yes >/dev/null || diag "kill $round failed"
	done
	finish_load it
	ok "connections killed: no question is lost" nothing_lost
	ok "connections killed: the store took part all the time" [ "$(failures)" -eq 0 ]
}

eviction() {
	fresh
	ok "eviction: Redis and weir-policyd start" start_both --maxmemory 100mb --maxmemory-policy allkeys-lru || return
	ok "eviction: the store works" await 5 store_works
	ok "eviction: the log warns of a policy that forgets" logged allkeys-lru
}

# start_both [REDIS_OPTION]...
start_both() {
	start_redis "$@" && start_with_store "${QUICK[@]}"
}

wait_out_delay() {
	sleep 1.5
}

need perl redis-server redis-cli
for story in absent_at_start killed_in_load weir_killed scripts_flushed deadline paused_in_load failure_defers \
	handed_over clients_killed password eviction; do
	$story
	clean_up
done
plan
