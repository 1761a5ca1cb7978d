#!/bin/bash
# Two milters on one Redis that loses what it has: they count together again, and never let in more than the limit.

# shellcheck source=tests/system/lib.sh disable=SC1091,SC2119
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/milter_lib.sh disable=SC1091
. "$(dirname "$0")/milter_lib.sh"

LIMIT=20
OPTIONS=("${NO_GREYLIST[@]}" -o "limits.default.concurrency=$LIMIT" -o limits.lease=3s -o store.deadline=300ms)

# ---- the secret -----------------------------------------------------------------------------------------------------

# Everything is flushed, and a newcomer makes a secret before those who run put theirs back: all take what is stored
# first, and what is held counts under it.
secret() {
	fresh_milter redis
	ok "secret: a milter starts" start_mx mx1 "${OPTIONS[@]}" || return
	ok "secret: it holds 5 slots" hold a mx1 5 --first-client 10000
	redis flushall >/dev/null
	ok "secret: another starts on the empty store" start_mx mx2 "${OPTIONS[@]}"
	redis client kill type normal >/dev/null
	ok "secret: the first one's are counted by the other" await 10 leaves mx2 $((LIMIT - 5))
	release a
	ok "secret: and free when they end" await 10 leaves mx2 "$LIMIT"
}

# leaves NAME ROOM: so many of the limit are free for it.
leaves() {
	load_mx "$1" --total $((LIMIT + 10)) --sessions $((LIMIT + 10)) --hold 300 --first-client 30000
	diag "$1: $(got continue) let in"
	[ "$(got continue)" -eq "$2" ]
}

# ---- under load, counted outside ------------------------------------------------------------------------------------

# Most that two hosts may let in while their store is away from one or both of them: one has the whole limit under way,
# the other takes up its part, limit x (2 - 1/nodes).
PARTED=$((LIMIT * 3 / 2))
LOADED=("${OPTIONS[@]}" -o limits.lease=6s -o policyd.hold=6s -o nodes=2)
SEED=${WEIR_SEED:-$RANDOM}

# loaded NAME SECONDS [OPTION]...: Redis with a clock that can be shifted, two milters, and sessions at both.
loaded() {
	fresh_milter embedded
	write_settings redis 10040
	printf '\0\0\0\0\0\0\0\0' >"$PRIVATE/clock"
	start_shifted
	RANDOM=$SEED
	diag "WEIR_SEED=$SEED"
	ok "$1: two milters start" start_two "${LOADED[@]}" "${@:3}" || return
	start_process perl "$SYSTEM_TESTS/milter_count.pl" "$2" 120 400 "$PRIVATE/mx1.sock" "$PRIVATE/mx2.sock" \
		>"$PRIVATE/counts"
	COUNTER=$STARTED
	await 20 grep -q "under_way=$LIMIT" "$PRIVATE/counts"
}

start_shifted() {
	start_redis_by env "LD_PRELOAD=$BUILD/tests/store/clock_shift.so" "WEIR_CLOCK_SHIFT=$PRIVATE/clock"
}

# start_redis_by COMMAND...: as start_redis, which forgets nothing but the last second.
start_redis_by() {
	mkdir -p "$PRIVATE/redis"
	start_process "$@" redis-server --port 0 --unixsocket "$PRIVATE/redis.sock" --dir "$PRIVATE/redis" --save '' \
		--appendonly yes --appendfsync everysec --daemonize no --logfile "$PRIVATE/redis.log" >/dev/null
	REDIS_PID=$STARTED
	await 10 redis_answers
}

shift_clock() {
	diag "the clock is off by $1 s"
	perl -e 'print pack "q", $ARGV[0]' -- "$1" | dd of="$PRIVATE/clock" conv=notrunc status=none
}

flush() {
	diag "everything is flushed"
	redis flushall >/dev/null
}

pause_redis() {
	diag "Redis stops for $1 s"
	kill -STOP "$REDIS_PID"
	sleep "$1"
	kill -CONT "$REDIS_PID"
}

restart_redis() {
	diag "Redis is killed and starts again"
	kill_redis
	start_shifted
}

restart_empty() {
	diag "Redis is killed and starts empty"
	kill_redis
	rm -rf "$PRIVATE/redis"
	start_shifted
}

cut_off() {
	diag "all connections are cut"
	redis client kill type normal >/dev/null
}

# counted NAME MOST: what came of it; and the limit is used up again in the end.
counted() {
	reap "$COUNTER"
	diag "$(tail -n 1 "$PRIVATE/counts")"
	ok "$1: never more than $2 of $LIMIT" [ "$(value_of peak)" -le "$2" ]
	ok "$1: the limit is used up in the end" [ "$(tail -n 11 "$PRIVATE/counts" | head -n 10 |
		sed -n 's/.*under_way=\([0-9]*\).*/\1/p' | sort -n | tail -n 1)" -ge "$LIMIT" ]
}

value_of() {
	tail -n 1 "$PRIVATE/counts" | tr ' ' '\n' | sed -n "s/^$1=//p"
}

# What needs no outage: not one too many.
forgets() {
	local end steps=(flush 'shift_clock 300' flush 'shift_clock -300' 'shift_clock 3600' 'shift_clock 0')
	loaded forgets 26 -o store.deadline=600ms -o milter.deadline=5s || return
	end=$(($(now_ms) + 17000))
	while [ "$(now_ms)" -lt "$end" ]; do
		${steps[RANDOM % ${#steps[@]}]}
		sleep "2.$((RANDOM % 10))"
	done
	counted forgets "$LIMIT"
}

# Outages: what the parts of an absent store allow.
outages() {
	local end steps=('pause_redis 0.5' 'pause_redis 3' 'pause_redis 7' restart_redis restart_empty cut_off)
	loaded outages 36 -o store.deadline=200ms -o milter.deadline=5s || return
	end=$(($(now_ms) + 24000))
	while [ "$(now_ms)" -lt "$end" ]; do
		${steps[RANDOM % ${#steps[@]}]}
		sleep "1.$((RANDOM % 10))"
	done
	counted outages "$PARTED"
}

need_milter
need redis-server redis-cli
[ -e "$BUILD/tests/store/clock_shift.so" ] || make -s -C "$BUILD" tests/store/clock_shift.so >/dev/null 2>&1 ||
	skip_all "needs clock_shift.so"
STORIES=("$@")
[ $# -gt 0 ] || STORIES=(secret forgets outages)
for story in "${STORIES[@]}"; do
	$story
	clean_up
done
plan
