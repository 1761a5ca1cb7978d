#!/bin/bash
# Two daemons on one Redis: they agree, and neither suffers from what happens to the other or to what is stored there.
# And what a Redis that cannot be trusted can do to a daemon: make it answer by the failure rule, and no more.

# shellcheck source=tests/system/lib.sh disable=SC1091,SC2119
. "$(dirname "$0")/lib.sh"

# A store failure is told from every other answer by 4.3.0.
STRICT=(-o greylist.delay=1s -o store.on_failure=defer -o log.level=info)
QUICK=("${STRICT[@]}" -o greylist.allow_client_after=0)
MEMORY_KB=20000
[ -z "${WEIR_SANITIZED:-}" ] || MEMORY_KB=100000 # sanitizers keep freed memory for a while

fresh() {
	private_dir
	write_settings redis "$(free_port)"
}

all_start() {
	start_redis && start_named a "${QUICK[@]}" && has_store && start_named b "${QUICK[@]}" && has_store
}

wait_out_delay() {
	sleep 1.5
}

# ---- two daemons --------------------------------------------------------------------------------------------------

knowledge() {
	fresh
	ok "knowledge: Redis and both start" all_start || return
	ok "knowledge: both use one secret" agree a b
	ask a --requests 1000
	wait_out_delay
	ask b --requests 1000
	ok "knowledge: what one deferred passes at the other" all_are prepend
	ask a --requests 1000
	ok "knowledge: what passed at one is known to the other" all_are dunno
}

killed_one() {
	fresh
	ok "killed: Redis and both start" all_start || return
	both_answer 4
	sleep 1
	stop_named a KILL
	finish_load a
	ok "killed: b answers every question within a second" served b
	ok "killed: and never by the failure rule" never_failed b
}

flushed() {
	local name
	fresh
	ok "flushed: Redis and both start" all_start || return
	both_answer 4
	sleep 1.5
	redis flushall >/dev/null
	sleep 0.5
	ok "flushed: another one starts meanwhile" start_named c "${QUICK[@]}"
	for name in a b; do
		ok "flushed: $name answers every question within a second" served "$name"
		ok "flushed: and never by the failure rule" never_failed "$name"
	done
	ok "flushed: a and b agree as before" agree a b
	redis client kill type normal >/dev/null
	ok "flushed: after a reconnect all agree" await 10 all_agree
}

all_agree() {
	agree a b && agree b c && agree c a
}

# ---- a Redis that cannot be trusted -------------------------------------------------------------------------------

rss_kb() {
	awk '$1 == "VmHWM:" { print $2 }' "/proc/$WEIR_PID/status"
}

# said_once: no line of the log comes twice, decisions aside.
said_once() {
	! grep -v ' verdict=' "$WEIR_LOG" | sort | uniq -d | grep .
}

# all_failed: every answer was made without the store; one that is not 4.3.0 belongs to a record that cannot be read,
# such as a surplus reply that came in the place of one.
all_failed() {
	[ "$(grep -c 'why=store-failure' "$WEIR_LOG")" -eq "$(got answers)" ] &&
		[ "$(grep -c 'verdict=accept .*store=bad-record' "$WEIR_LOG")" -eq "$(got dunno)" ]
}

# untrusted TRICK [greet]: what must hold whatever a Redis sends, from its first byte or after it greeted well.
untrusted() {
	local name=$1${2:+ after greeting} memory
	short_deadlines
	fresh
	start_process perl "$SYSTEM_TESTS/fake_redis.pl" "$PRIVATE/redis.sock" "$@"
	await 10 [ -S "$PRIVATE/redis.sock" ]
	ok "$name: weir-policyd starts" start_named it "${STRICT[@]}" || return
	memory=$(rss_kb)
	ask it --seconds 1.2 --rate 300
	ok "$name: every question is answered" nothing_lost
	ok "$name: within a second" within 1000
	ok "$name: by the failure rule" await 5 all_failed
	ok "$name: memory grew by less than $((MEMORY_KB / 1000)) MB" [ "$(rss_kb)" -lt $((memory + MEMORY_KB)) ]
	ok "$name: the log says what is wrong" logged 'redis at .*: '
	ok "$name: once" said_once
	ok "$name: weir-policyd ends cleanly" stop_weir
}

need perl redis-server redis-cli
for story in knowledge killed_one flushed; do
	$story
	clean_up
done
for trick in garbage surplus wrong_type huge_array endless_bulk nested_arrays unasked drip silence close; do
	for greets in '' greet; do
		untrusted "$trick" ${greets:+"$greets"}
		clean_up
	done
done
plan
