#!/bin/bash
# Slots that deliveries hold, when a milter is killed, when the store is away, locked, full or slow, and when a clock is
# wrong: never more than the limit, nobody's slot is lost, and no recipient waits.

# shellcheck source=tests/system/lib.sh disable=SC1091,SC2119
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/milter_lib.sh disable=SC1091
. "$(dirname "$0")/milter_lib.sh"

short_deadlines
LIMIT=40
OPTIONS=("${NO_GREYLIST[@]}" -o "limits.default.concurrency=$LIMIT" -o limits.lease=3s)

# Sessions of one load are other clients than those of another: (address, port) is who holds a slot.
HOLD_A=(--first-client 10000)
HOLD_B=(--first-client 20000)
LOAD=(--sessions 64 --hold 20 --first-client 30000 --clients 20000)

# load_goes_on SECONDS: lets the load run on so long into what was done.
load_goes_on() {
	sleep "$1"
}

# ---- a milter is killed ---------------------------------------------------------------------------------------------

# A store that has its time, for without it each of them goes on with a share of its own.
PATIENT=("${OPTIONS[@]}" -o limits.lease=10s -o store.deadline=1s -o milter.deadline=5s)

# killed STORE: mx1 dies with 25 slots, while mx2 holds 10 and its load wants all there are.
killed() {
	fresh_milter "$1"
	ok "killed, $1: two milters start" start_two "${PATIENT[@]}" || return
	ok "killed, $1: mx1 holds 25 slots" hold a mx1 25 "${HOLD_A[@]}"
	ok "killed, $1: mx2 holds 10" hold b mx2 10 "${HOLD_B[@]}"
	ok "killed, $1: the store knows them" await 5 holds_are "$1" 25 10
	watch_slots "$1"
	begin_load it mx2 --seconds 13 "${LOAD[@]}"
	load_goes_on 1
	kill_mx mx1
	ok "killed, $1: they are free within the lease time" await 11 slots_are "$1" 0 m/mx1/
	finish_load it
	ok "killed, $1: the other one's load is served without error" flawless
	ok "killed, $1: it could use what became free" [ "$(got at_once)" -gt 15 ]
	ok "killed, $1: but no more than that" at_most 30
	end_watch
	ok "killed, $1: never were there more slots than allowed" never_more_than "$LIMIT"
	ok "killed, $1: those of the other node are still there" await 2 slots_are "$1" 10
	restarted "$1"
	release b
	ok "killed, $1: they are given back at their end" await 3 slots_are "$1" 0
}

# restarted STORE: what a node held in its earlier life is free when it is there again; another node's is not.
restarted() {
	finish_load a
	start_mx mx1 "${PATIENT[@]}" && hold a mx1 20 "${HOLD_A[@]}"
	kill_mx mx1
	ok "killed, $1: the same node starts again" start_mx mx1 "${PATIENT[@]}"
	ok "killed, $1: and has freed its own slots at once" slots_are "$1" 0 m/mx1/
	ok "killed, $1: not those of the other" slots_are "$1" 10 m/mx2/
}

# ---- the store is away ----------------------------------------------------------------------------------------------

# away STORE HOW: what must hold when the store goes away for some seconds, by begin_HOW, and comes back, by end_HOW.
# mx1 holds 20 slots, mx2 holds 10, and both have a load. What could not be given back meanwhile stays until it runs out.
# In the moment that the store is back, it may grant the 10 it has left besides those that were let in without it.
away() {
	local store=$1 how=$2 name
	ok "$how: two milters start" start_two "${OPTIONS[@]}" -o limits.lease=10s || return
	hold a mx1 20 "${HOLD_A[@]}"
	hold b mx2 10 "${HOLD_B[@]}"
	ok "$how: 20 and 10 slots are held" await 10 holds_are "$store" 20 10
	! declare -F "before_$how" >/dev/null || "before_$how"
	begin_load 1 mx1 --seconds 7 "${LOAD[@]}"
	begin_load 2 mx2 --seconds 7 "${LOAD[@]}" --first-client 60000
	load_goes_on 1
	"begin_$how"
	load_goes_on 4
	"end_$how"
	for name in 1 2; do
		finish_load "$name"
		ok "$how: mx$name serves every session" flawless
		ok "$how: and lets none wait for a recipient" in_time
		ok "$how: deliveries go on" [ "$(got delivered)" -gt 100 ]
		ok "$how: no more than its limit allows beside those held" at_most $((name == 1 ? LIMIT - 20 + 10 : LIMIT))
		ok "$how: the log of mx$name says that the store was of no use" logged_by "mx$name" 'store=\(down\|timeout\|full\)'
	done
	ok "$how: afterwards both hold what they held" await 12 holds_are "$store" 20 10
	ok "$how: and the store judges again" await 6 judged_by_store mx1
	release a
	ok "$how: what mx1 gives back is its own" await 3 slots_are "$store" 10
	ok "$how: slots of mx2 stay" stays 2 slots_are "$store" 10 m/mx2/
	release b
	ok "$how: nothing is left" await 3 slots_are "$store" 0
}

# outlived: the same for longer than the lease time, with no load.
outlived() {
	fresh_milter redis
	ok "outlived: two milters start" start_two "${OPTIONS[@]}" || return
	hold a mx1 20 "${HOLD_A[@]}"
	hold b mx2 10 "${HOLD_B[@]}"
	kill_redis
	sleep 5
	start_lasting_redis
	ok "outlived: what is held is told again" await 6 holds_are redis 20 10
	release a
	ok "outlived: what mx1 gives back is its own" await 3 slots_are redis 10 m/mx2/
	release b
	ok "outlived: nothing is left" await 3 slots_are redis 0
}

# holds_are STORE COUNT COUNT: so many of mx1 and of mx2, and no others. A question that the store answered too late is known
# to it with the first renewal.
holds_are() {
	[ "$(slots "$1" m/mx1/) $(slots "$1" m/mx2/) $(slots "$1")" = "$2 $3 $(($2 + $3))" ]
}

# judged_by_store NAME: 20 and 10 are held, so there is room for 10 and no more at both; the milter alone would see 20.
judged_by_store() {
	load_mx "$1" --total 30 --sessions 30 --hold 300 --first-client 90000
	[ "$(got continue)" -eq 10 ] && [ "$(got too_many)" -eq 20 ]
}

begin_killed_redis() {
	kill_redis
}

end_killed_redis() {
	start_lasting_redis
}

begin_stopped_redis() {
	kill -STOP "$REDIS_PID"
}

end_stopped_redis() {
	kill -CONT "$REDIS_PID"
}

# Another process has begun to write and does not come to an end. Between two writers it gets its turn by asking often; when
# it has it, SQLite minds that it asks again.
begin_locked_file() {
	coproc SQLITE { exec sqlite3 "$PRIVATE/db/weir.db" >"$PRIVATE/lock.log" 2>&1; }
	# shellcheck disable=SC2153
	LOCK_PID=$SQLITE_PID
	printf '.timeout 1\n' >&"${SQLITE[1]}"
	ok "locked_file: it is locked" await 5 begins_to_write
}

begins_to_write() {
	printf 'BEGIN IMMEDIATE;\n%.0s' {1..50} >&"${SQLITE[1]}"
	grep -q 'within a transaction' "$PRIVATE/lock.log"
}

end_locked_file() {
	printf '%s\n' 'ROLLBACK;' '.quit' >&"${SQLITE[1]}"
	wait "$LOCK_PID"
}

# Before the load, which would find its room in the log otherwise.
before_full_disk() {
	head -c 16M /dev/zero >"$PRIVATE/db/filler" 2>/dev/null
}

begin_full_disk() {
	ok "full_disk: it is full" logged_by mx1 'store=full'
}

end_full_disk() {
	rm "$PRIVATE/db/filler"
}

away_redis() {
	local how
	for how in killed_redis stopped_redis; do
		fresh_milter redis
		away redis "$how"
		clean_up
	done
}

away_embedded() {
	fresh_milter embedded
	away embedded locked_file
	clean_up
	fresh_milter embedded
	if small_disk "$PRIVATE/db" 8m; then
		away embedded full_disk
	else
		skip "full disk" "mounting is not allowed here"
	fi
}

need_milter
need sqlite3 redis-server redis-cli
STORIES=("$@")
[ $# -gt 0 ] || STORIES=("killed embedded" "killed redis" away_redis outlived away_embedded)
for story in "${STORIES[@]}"; do
	$story
	clean_up
done
plan
