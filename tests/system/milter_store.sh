#!/bin/bash
# A milter whose store is absent or slow, or whose clock is wrong: it keeps to its share, and nobody waits.

# shellcheck source=tests/system/lib.sh disable=SC1091,SC2119
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/milter_lib.sh disable=SC1091
. "$(dirname "$0")/milter_lib.sh"

short_deadlines
LIMIT=40
OPTIONS=("${NO_GREYLIST[@]}" -o "limits.default.concurrency=$LIMIT" -o limits.lease=3s)
HOLD_A=(--first-client 10000)
HOLD_B=(--first-client 20000)
LOAD=(--sessions 64 --hold 20 --first-client 30000 --clients 20000)

# ---- no store -------------------------------------------------------------------------------------------------------

# share NODES ROOM: without its store a milter keeps to its part of the limit.
share() {
	fresh_milter redis
	ok "nodes=$1: a milter starts" start_mx mx1 "${OPTIONS[@]}" -o "nodes=$1" || return
	kill_redis
	ok "nodes=$1: it notices that its store is away" logged_by mx1 'store redis does not answer'
	load_mx mx1 --total 60 --sessions 60 --hold 400
	ok "nodes=$1: then it lets $2 of $LIMIT in" [ "$(got continue)" -eq "$2" ]
	ok "nodes=$1: and defers all others" [ "$(got too_many)" -eq $((60 - $2)) ]
	load_mx mx1 --total 60 --sessions 60 --hold 400
	ok "nodes=$1: as many again when those have ended" [ "$(got continue)" -eq "$2" ]
}

# A milter that starts without its store has no secret; when it finds it, what it holds is known there.
absent() {
	fresh_milter redis
	stop_redis
	ok "absent: a milter starts without Redis" start_mx_alone mx1 "${OPTIONS[@]}" || return
	ok "absent: it holds 20 slots" hold a mx1 20 "${HOLD_A[@]}"
	start_lasting_redis
	ok "absent: it finds Redis" logged_by mx1 'store redis: connected'
	ok "absent: what it holds is known to the store" await 5 slots_are redis 20
	ok "absent: later deliveries are let in" hold b mx1 5 "${HOLD_B[@]}"
	ok "absent: and known" await 5 slots_are redis 25
	release a
	ok "absent: the end of earlier ones takes away theirs" await 5 slots_are redis 5
	ok "absent: and no others" stays 2 slots_are redis 5
	release b
	ok "absent: nothing is left" await 3 slots_are redis 0
}

# ---- a slow Redis ---------------------------------------------------------------------------------------------------

# slow MODE: 20 ms for each command, one after the other. First sessions as they come, then 64 at the same moment.
slow() {
	local proxy
	fresh_milter redis
	start_process perl "$SYSTEM_TESTS/slow_redis.pl" "$PRIVATE/slow.sock" "$PRIVATE/redis.sock" 20
	proxy=$STARTED
	await 5 [ -S "$PRIVATE/slow.sock" ]
	ok "slow, greylisting $1: a milter starts" start_mx mx1 -o "greylist.mode=$1" -o limits.default.concurrency=1000 \
		-o "store.redis.servers=unix:$PRIVATE/slow.sock" || return
	load_mx mx1 --total 640 --sessions 64
	ok "slow, greylisting $1: every session is served" flawless
	ok "slow, greylisting $1: no recipient waits" in_time
	stop_mx mx1

	start_mx mx1 -o "greylist.mode=$1" -o limits.default.concurrency=1000 \
		-o "store.redis.servers=unix:$PRIVATE/slow.sock" || return
	perl "$SYSTEM_TESTS/milter_burst.pl" "$PRIVATE/mx1.sock" 64 5 1 >"$PRIVATE/counts"
	diag "$(cat "$PRIVATE/counts")"
	ok "slow, greylisting $1: 64 at the same moment are answered" all_answered
	ok "slow, greylisting $1: the first time within $IN_TIME_MS ms, too" first_burst_in_time
	end_process "$proxy"
}

all_answered() {
	grep -q '^all: asked=320 answers=320 ' "$PRIVATE/counts"
}

first_burst_in_time() {
	[ -n "$SANITIZED" ] || [ "$(sed -n 's/^burst 1:.*max_ms=\([0-9]*\).*/\1/p' "$PRIVATE/counts")" -lt "$IN_TIME_MS" ]
}

# ---- a wrong clock --------------------------------------------------------------------------------------------------

FAKETIME_LIBRARIES=(/usr/lib/*/faketime/libfaketimeMT.so.1)

# mx2 is an hour ahead of mx1 and of Redis. Only the clock of the day is: an MTA's clock has no other.
clock() {
	local name
	local late=(env "LD_PRELOAD=${FAKETIME_LIBRARIES[0]}" FAKETIME=+1h FAKETIME_DONT_FAKE_MONOTONIC=1
		FAKETIME_FORCE_MONOTONIC_FIX=0 "$MILTER")
	if ! [ -e "${FAKETIME_LIBRARIES[0]}" ] || [ -n "$SANITIZED" ]; then
		skip "clock" "needs libfaketime, and no sanitizer"
		return
	fi
	DEADLINE=2s
	fresh_milter redis
	GREYLIST=(-o greylist.allow_client_after=0 -o log.level=info
		-o "limits.default.concurrency=$LIMIT" -o limits.lease=20s)
	start_mx mx1 "${GREYLIST[@]}"
	ok "clock: two milters start, one an hour ahead" start_mx_by mx2 "${late[@]}" "${GREYLIST[@]}" || return
	ok "clock: mx1 defers new mail" counts_are mx1 0 greylisted 30
	ok "clock: an early retry at mx2 is one" counts_are mx2 0 greylisted 30
	ok "clock: mx2 defers other new mail" counts_are mx2 1000 greylisted 30
	STORE=redis wait_out_delay
	ok "clock: at mx2 passes what mx1 has deferred" counts_are mx2 0 continue 30
	ok "clock: at mx1 passes what mx2 has deferred" counts_are mx1 1000 continue 30
	ok "clock: at mx1 is known what has passed at mx2" counts_are mx1 0 continue 30
	for name in mx1 mx2; do
		ok "clock: $name has asked the store" never_logged_by "$name" why=store-failure
	done

	stop_mx mx1 && stop_mx mx2
	GREYLIST+=(-o greylist.mode=off)
	start_mx mx1 "${GREYLIST[@]}" && start_mx_by mx2 "${late[@]}" "${GREYLIST[@]}"
	watch_slots redis
	hold b mx2 10 "${HOLD_B[@]}"
	begin_load it mx2 --seconds 5 "${LOAD[@]}"
	load_mx mx1 --seconds 5 "${LOAD[@]}" --first-client 60000
	ok "clock: a load on mx1 is served" flawless
	finish_load it
	ok "clock: one on mx2, too" flawless
	end_watch
	ok "clock: both together keep to the limit" never_more_than "$LIMIT"
	ok "clock: what is held all the time is not lost" await 2 slots_are redis 10 m/mx2/
}

# counts_are NAME FIRST KIND COUNT: so many sessions, of clients from that number on, are all answered so.
counts_are() {
	load_mx "$1" --total "$4" --sessions 8 --clients "$4" --first-client "$2"
	[ "$(got "$3")" -eq "$4" ]
}

need_milter
need sqlite3 redis-server redis-cli
STORIES=("$@")
[ $# -gt 0 ] || STORIES=("share 1 40" "share 2 20" absent "slow off" "slow on" clock)
for story in "${STORIES[@]}"; do
	$story
	clean_up
done
plan
