#!/bin/bash
# Two daemons of one host on one database file: they agree, and neither suffers from what happens to the other.

# shellcheck source=tests/system/lib.sh disable=SC1091,SC2119
. "$(dirname "$0")/lib.sh"

# A store failure is told from every other answer by 4.3.0.
STRICT=(-o greylist.delay=1s -o greylist.allow_client_after=0 -o store.on_failure=defer -o log.level=info)

fresh() {
	private_dir
	write_settings embedded "$(free_port)"
}

both_start() {
	start_named a "${STRICT[@]}" && start_named b "${STRICT[@]}"
}

wait_out_delay() {
	sleep 1.5
}

# ---- the stories --------------------------------------------------------------------------------------------------

# At the first start of a host there is no file yet, and both daemons begin to make it.
started_at_once() {
	local round
	for round in 1 2 3 4 5; do
		fresh
		ok "started at once: they make one file and know the same, round $round" agree_from_the_start
		clean_up
	done
}

agree_from_the_start() {
	launch_named a "${STRICT[@]}"
	launch_named b "${STRICT[@]}"
	logged_by a 'listening on' && logged_by b 'listening on' || return
	await 5 stores a && await 5 stores b && agree a b
}

knowledge() {
	fresh
	ok "knowledge: both start" both_start || return
	ask a --requests 1000
	wait_out_delay
	ask b --requests 1000
	ok "knowledge: what one deferred passes at the other" all_are prepend
	ask a --requests 1000
	ok "knowledge: what passed at one is known to the other" all_are dunno
}

load_on_both() {
	local name
	fresh
	ok "load: both start" both_start || return
	both_answer 5
	for name in a b; do
		ok "load: $name answers every question within a second" served "$name"
		ok "load: and never by the failure rule" never_failed "$name"
	done
	for name in a b; do
		ask "$name" --requests "$TRIPLETS"
		ok "load: $name knows all that passed" all_are dunno
	done
}

killed_one() {
	fresh
	ok "killed: both start" both_start || return
	both_answer 5
	sleep 1.5
	stop_named a KILL
	finish_load a
	sleep 1
	ok "killed: a starts again while b answers" start_named a "${STRICT[@]}"
	ok "killed: b answers every question within a second" served b
	ok "killed: and never by the failure rule" never_failed b
	ask a --requests "$TRIPLETS"
	ok "killed: a knows all that passed" all_are dunno
	stop_named a
	stop_named b
	ok "killed: the database is sound" database_is_sound
}

database_is_sound() {
	[ "$(sqlite3 -readonly "$PRIVATE/db/weir.db" 'PRAGMA integrity_check')" = ok ]
}

# stop_in_transaction: stops a where it stands until b can store nothing; fails when it was never caught so.
stop_in_transaction() {
	local try answered=1
	policy_open "${PORTS[b]}"
	for try in {1..1000}; do
		kill -STOP "${PIDS[a]}"
		policy_says '451 4\.3\.0 ' "192.$((try / 250)).$((try % 250)).1" a@b.test c@local.test && answered=0 && break
		kill -CONT "${PIDS[a]}"
		sleep 0.01
	done
	policy_close
	diag "stopped $try times"
	return "$answered"
}

stopped_one() {
	DEADLINE=500ms
	fresh
	ok "stopped: both start" both_start || return
	ask b --requests "$TRIPLETS"
	start_load a "${PORTS[a]}" --first 200000 --requests 100000 --seconds 60 --connections 32
	ok "stopped: a holds the database in the middle of a transaction" stop_in_transaction
	ask b --first 300000 --requests 200 --rate 100
	ok "stopped: b answers every question, by the failure rule" all_are unavailable
	ok "stopped: within a second" within 1000
	kill -CONT "${PIDS[a]}"
	ok "stopped: b stores again when a goes on" await 10 stores b
	end_load a
	ok "stopped: a lost nothing" nothing_lost
	ok "stopped: a stores, too" await 10 stores a
	ask b --requests "$TRIPLETS"
	ok "stopped: b knows what it knew" all_are prepend
}

need perl sqlite3
for story in started_at_once knowledge load_on_both killed_one stopped_one; do
	$story
	clean_up
done
plan
