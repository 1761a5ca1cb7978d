#!/bin/bash
# weir-milter is told to stop or to reload, has very many sessions, or too few descriptors or threads for them.

# shellcheck source=tests/system/lib.sh disable=SC1091,SC2119
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/milter_lib.sh disable=SC1091
. "$(dirname "$0")/milter_lib.sh"

OPTIONS=("${NO_GREYLIST[@]}" -o limits.lease=60s -o limits.default.concurrency=1000)
HOLD_A=(--first-client 10000)
HOLD_B=(--first-client 20000)
MEMORY_KB=6000
RELOAD_S=6
[ -z "$SANITIZED" ] || RELOAD_S=20 # so that as many sessions come as without
[ -z "$SANITIZED" ] || MEMORY_KB=100000 # sanitizers keep freed memory for a while

# ---- SIGTERM --------------------------------------------------------------------------------------------------------

# stopped STORE: with deliveries that do not end, and others that do.
stopped() {
	local began
	fresh_milter "$1"
	ok "stopped, $1: two milters start" start_two "${OPTIONS[@]}" || return
	hold a mx1 20 "${HOLD_A[@]}"
	hold b mx2 5 "${HOLD_B[@]}"
	ok "stopped, $1: 20 and 5 slots are held" await 5 slots_are "$1" 25
	began=$(now_ms)
	ok "stopped, $1: SIGTERM ends it with status 0, with clients still connected" stop_mx mx1
	ok "stopped, $1: within some seconds" [ $(($(now_ms) - began)) -lt 8000 ]
	ok "stopped, $1: its slots are free, at once" slots_are "$1" 0 m/mx1/
	ok "stopped, $1: those of the other are not" slots_are "$1" 5 m/mx2/
	ok "stopped, $1: its socket is gone" not [ -e "$PRIVATE/mx1.sock" ]
	finish_load a

	start_mx mx1 "${OPTIONS[@]}"
	hold a mx1 20 "${HOLD_A[@]}"
	kill -TERM "${PIDS[mx1]}"
	logged_by mx1 stopping
	load_mx mx1 --total 50 --sessions 10 --first-client 30000
	ok "stopped, $1: while it waits for deliveries, new sessions are let through" \
		all_of_them accept 50
	ok "stopped, $1: and take no slots" slots_are "$1" 20 m/mx1/
	began=$(now_ms)
	release a
	ok "stopped, $1: what is under way comes to its end" all_of_them delivered 20
	await 10 gone "${PIDS[mx1]}"
	ok "stopped, $1: then it ends with status 0" reap "${PIDS[mx1]}"
	ok "stopped, $1: without waiting any longer" [ $(($(now_ms) - began)) -lt 2000 ]
	ok "stopped, $1: its slots are free" slots_are "$1" 0 m/mx1/
}

# In the middle of as much as it can do, and with nothing to do.
stopped_in_load() {
	local round
	for round in 1 2 3; do
		fresh_milter embedded
		start_mx mx1 "${OPTIONS[@]}"
		begin_load it mx1 --seconds 3 --sessions 64 --drop 20
		sleep "0.$round"
		ok "stopped in load, round $round: it ends with status 0" stop_mx mx1
		ok "stopped in load, round $round: and has given everything back" slots_are embedded 0
		finish_load it
		clean_up
	done
	fresh_milter embedded
	start_mx mx1 "${OPTIONS[@]}"
	ok "stopped, idle: it ends with status 0" stop_mx mx1
}

# ---- reload ---------------------------------------------------------------------------------------------------------

# set_limit COUNT: as the settings file has it from now on.
set_limit() {
	sed -i '/^limits:/d' "$PRIVATE/weir.conf"
	echo "limits: { lease = \"60s\"; default: { concurrency = $1; }; };" >>"$PRIVATE/weir.conf"
}

# reload NAME SIGNAL: and it has done so.
reload() {
	local before
	before=$(reloads "$1")
	kill -"$2" "${PIDS[$1]}"
	await 5 more_reloads "$1" "$before"
}

reloads() {
	grep -c 'settings reloaded\|keeping the old settings' "${LOGS[$1]}"
}

more_reloads() {
	[ "$(reloads "$1")" -gt "$2" ]
}

# holds_to COUNT: so many deliveries are let in at once, and no more.
holds_to() {
	load_mx mx1 --total 60 --sessions 60 --hold 500 --first-client 30000
	[ "$(got continue)" -eq "$1" ] && [ "$(got too_many)" -eq $((60 - $1)) ]
}

reloaded() {
	local signal round
	fresh_milter embedded
	set_limit 30
	ok "reload: a milter starts" start_mx mx1 "${NO_GREYLIST[@]}" || return
	begin_load it mx1 --seconds "$RELOAD_S" --sessions 32 --domains 5 --hold 5 --drop 5
	for round in {1..200}; do
		for signal in HUP USR1; do
			kill -"$signal" "${PIDS[mx1]}"
			sleep 0.012
		done
	done
	ok "reload: it is there after 200 times each of SIGHUP and SIGUSR1" kill -0 "${PIDS[mx1]}"
	finish_load it
	ok "reload: the load meanwhile is served" flawless
	ok "reload: every session of it" [ "$(got delivered)" -gt 1000 ]
	ok "reload: most of them were reloads" more_reloads mx1 50
	await 5 reload mx1 HUP
	ok "reload: the limit holds" holds_to 30
	set_limit 50
	ok "reload: SIGHUP takes up a raised limit" reload mx1 HUP
	ok "reload: which holds" holds_to 50
	set_limit 10
	ok "reload: SIGUSR1 takes up a lowered one" reload mx1 USR1
	ok "reload: which holds" holds_to 10
	set_limit '"many"'
	for signal in HUP USR1; do
		reload mx1 "$signal"
		ok "reload: SIG$signal with bad settings: they are refused with file and line" \
			logged_by mx1 'weir\.conf:[0-9]*: .*: keeping the old settings'
	done
	ok "reload: the old ones hold" holds_to 10
	ok "reload: it ends with status 0" stop_mx mx1
}

# ---- many sessions --------------------------------------------------------------------------------------------------

# many STORE: 2000 at once, then 5000 in a row.
many() {
	local before after
	fresh_milter "$1"
	# With so long deadlines that the store knows of each of them.
	ok "many, $1: a milter starts" start_mx mx1 "${OPTIONS[@]}" -o limits.default.concurrency=2000 \
		-o milter.deadline=5s -o store.deadline=5s || return
	hold a mx1 2000 "${HOLD_A[@]}"
	ok "many, $1: 2000 deliveries are under way at once" await 10 slots_are "$1" 2000
	load_mx mx1 --total 20 --sessions 10
	ok "many, $1: and one more is none too few" all_of_them too_many 20
	release a
	ok "many, $1: all of them end well" all_of_them delivered 2000
	ok "many, $1: and hold nothing" await 5 slots_are "$1" 0

	in_a_row 2
	before=$(sizes)
	in_a_row 3
	after=$(sizes)
	diag "kB, threads, descriptors: $before, then $after"
	ok "many, $1: memory does not grow" [ "${after%% *}" -lt $((${before%% *} + MEMORY_KB)) ]
	ok "many, $1: nor threads and descriptors" not_more "${before#* }" "${after#* }"
	ok "many, $1: it ends with status 0" stop_mx mx1
}

# in_a_row THOUSANDS: some of the sessions break off.
in_a_row() {
	load_mx mx1 --total "${1}000" --sessions 32 --drop 5 --first-client 30000
	ok "${1}000 sessions in a row are served" flawless
	await 5 threads_are_few
}

threads_are_few() {
	[ "$(status_of mx1 Threads)" -le 16 ]
}

sizes() {
	echo "$(status_of mx1 VmRSS) $(status_of mx1 Threads) $(descriptors_of mx1)"
}

not_more() {
	[ "${2% *}" -le $((${1% *} + 6)) ] && [ "${2#* }" -le $((${1#* } + 3)) ]
}

# ---- too few of something -------------------------------------------------------------------------------------------

# quiet NAME: it has hardly anything to do.
quiet() {
	local before
	before=$(cpu_ms "$1")
	sleep 1
	[ $(($(cpu_ms "$1") - before)) -lt 200 ]
}

# While there are none libmilter asks for the next connection again and again, and uses up one processor.
few_descriptors() {
	if [ -n "$SANITIZED" ]; then
		skip "few descriptors" "sanitizers need some themselves"
		return
	fi
	fresh_milter embedded
	ok "few descriptors: a milter starts with 200" start_mx_by mx1 prlimit --nofile=200:200 "$MILTER" "${OPTIONS[@]}" ||
		return
	ok "few descriptors: it says that they are few" logged_by mx1 'only 200 descriptors are allowed'
	load_mx mx1 --total 400 --sessions 400 --hold 2000 --timeout 3000
	ok "few descriptors: of 400 sessions at once some are served" [ "$(got delivered)" -ge 100 ]
	load_mx mx1 --total 200 --sessions 20 --first-client 30000
	ok "few descriptors: when those are gone, it serves as before" flawless
	ok "few descriptors: it does not use up the processor for ever" await 5 quiet mx1
	ok "few descriptors: no descriptor is lost" [ "$(descriptors_of mx1)" -lt 40 ]
	ok "few descriptors: no slot is" slots_are embedded 0
	ok "few descriptors: it ends with status 0" stop_mx mx1
}

# A session for which no thread can be made is lost to libmilter, with its descriptor; the MTA goes on without it after
# its time-out.
few_threads() {
	if [ "$(id -u)" -ne 0 ] || [ -n "$SANITIZED" ]; then
		skip "few threads" "needs root, and no sanitizer"
		return
	fi
	fresh_milter redis
	chmod 777 "$PRIVATE" "$PRIVATE/redis.sock"
	ok "few threads: a milter starts with 20" start_mx_by mx1 prlimit --nproc=20:20 \
		setpriv --reuid=61234 --regid=61234 --clear-groups "$MILTER" "${OPTIONS[@]}" || return
	ok "few threads: it says that they are few" logged_by mx1 'only 20 threads are allowed'
	begin_load it mx1 --total 200 --sessions 200 --timeout 3000
	kill -STOP "$REDIS_PID"
	finish_load it
	kill -CONT "$REDIS_PID"
	diag "$(cat "$PRIVATE/counts")"
	ok "few threads: it is still there" kill -0 "${PIDS[mx1]}"
	load_mx mx1 --total 50 --sessions 1 --first-client 30000
	ok "few threads: it serves when there is less to do" flawless
	ok "few threads: it is quiet" await 5 quiet mx1
	ok "few threads: it ends with status 0" stop_mx mx1
}

need_milter
need sqlite3 redis-server redis-cli prlimit setpriv
STORIES=("$@")
[ $# -gt 0 ] || STORIES=("stopped embedded" "stopped redis" stopped_in_load reloaded "many embedded" "many redis"
	few_descriptors few_threads)
for story in "${STORIES[@]}"; do
	$story
	clean_up
done
plan
