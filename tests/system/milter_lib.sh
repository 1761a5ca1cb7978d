# shellcheck shell=bash
# What the tests of weir-milter share, beside lib.sh, which comes first: milters by name, load on them, a look at what
# is held in the store.

MILTER_LOAD=$BUILD/bench/milter_load
# shellcheck disable=SC2034
STORES=(embedded)
! command -v redis-server >/dev/null || STORES+=(redis)

# need_milter: skips the whole file where weir-milter is not built; the load generator is built on demand.
need_milter() {
	need perl
	[ -x "$MILTER" ] || skip_all "needs weir-milter"
	[ -x "$MILTER_LOAD" ] || make -s -C "$BUILD" bench/milter_load >/dev/null 2>&1 || skip_all "needs milter_load"
	ulimit -S -n 8192 2>/dev/null || ulimit -S -n "$(ulimit -H -n)"
}

# ---- milters ------------------------------------------------------------------------------------------------------

# What the scripts and lib.sh read.
# shellcheck disable=SC2034
SANITIZED=${WEIR_SANITIZED:-}
# shellcheck disable=SC2034
NO_GREYLIST=(-o greylist.mode=off -o log.level=info)

# fresh_milter STORE: a private directory and the usual settings; with redis, a Redis, too.
fresh_milter() {
	private_dir
	write_settings "$1" 10040
	[ "$1" = embedded ] || start_lasting_redis
}

# start_lasting_redis: forgets nothing it has confirmed.
start_lasting_redis() {
	start_redis --appendonly yes --appendfsync always
}

# start_two [OPTION]...: mx1 and mx2, alike.
start_two() {
	start_mx mx1 "$@" && start_mx mx2 "$@"
}

# start_mx NAME [OPTION]...: the milter of node NAME, at PRIVATE/NAME.sock; see PIDS and LOGS.
start_mx() {
	start_mx_by "$1" "$MILTER" "${@:2}"
}

# start_mx_by NAME COMMAND...: the same by another command line, to which settings are added.
start_mx_by() {
	launch_weir_by "${@:2}" -c "$PRIVATE/weir.conf" -o "node=$1" -o "milter.listen=unix:$PRIVATE/$1.sock"
	note_mx "$1"
	weir_serves && has_store
}

# start_mx_alone NAME [OPTION]...: its store may be away.
start_mx_alone() {
	launch_weir_by "$MILTER" "${@:2}" -c "$PRIVATE/weir.conf" -o "node=$1" -o "milter.listen=unix:$PRIVATE/$1.sock"
	note_mx "$1"
	weir_serves
}

note_mx() {
	PIDS[$1]=$WEIR_PID
	# shellcheck disable=SC2034
	LOGS[$1]=$WEIR_LOG
}

stop_mx() {
	end_process "${PIDS[$1]}"
}

kill_mx() {
	end_process "${PIDS[$1]}" KILL
}

# status_of NAME FIELD: a number of /proc/PID/status, as VmRSS or Threads.
status_of() {
	sed -n "s/^$2:[[:space:]]*\([0-9]*\).*/\1/p" "/proc/${PIDS[$1]}/status"
}

descriptors_of() {
	local all=("/proc/${PIDS[$1]}/fd"/*)
	echo "${#all[@]}"
}

# cpu_ms NAME: what it has used of the processors.
cpu_ms() {
	awk -v hz="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); print int(($12 + $13) * 1000 / hz) }' "/proc/${PIDS[$1]}/stat"
}

# ---- load ---------------------------------------------------------------------------------------------------------

# load_mx NAME OPTION...: milter_load; got reads its counts.
load_mx() {
	"$MILTER_LOAD" --to "unix:$PRIVATE/$1.sock" "${@:2}" >"$PRIVATE/counts" 2>&1
}

# begin_load LOAD NAME OPTION...: the same in the background; finish_load and end_load await its end.
begin_load() {
	start_process "$MILTER_LOAD" --to "unix:$PRIVATE/$2.sock" "${@:3}" >"$PRIVATE/load-$1" 2>&1
	# shellcheck disable=SC2034
	LOADS[$1]=$STARTED
}

# hold LOAD NAME COUNT [OPTION]...: so many deliveries are under way from here to release or the milter's end.
hold() {
	begin_load "$1" "$2" --total "$3" --sessions "$3" --clients "$3" --hold 600000 --announce "${@:4}"
	await 20 grep -q '^held=' "$PRIVATE/load-$1"
}

# release LOAD: those deliveries come to their ends.
release() {
	end_load "$1"
}

# No recipient waits longer. milter.deadline is 100 ms; the rest is for libmilter, which has few threads at first, and for
# machines that do something else meanwhile.
IN_TIME_MS=5000

# From here on the milter answers without its loop, and lets a recipient go on that is not counted.
UNANSWERED_MS=200

# in_time: none of the last load did. Where a sanitizer runs along, time says nothing.
in_time() {
	local max_us
	max_us=$(got rcpt_max_us)
	diag "slowest RCPT: $((max_us / 1000)) ms"
	[ -n "$SANITIZED" ] || [ "$max_us" -lt $((IN_TIME_MS * 1000)) ]
}

# flawless: no session of the last load went wrong.
flawless() {
	[ "$(got errors)" = 0 ]
}

# all_of_them KIND COUNT: and so many were of that kind.
all_of_them() {
	flawless && [ "$(got "$1")" -eq "$2" ]
}

# at_most COUNT: never were more deliveries at one destination than that.
at_most() {
	diag "most at once: $(got at_once)"
	[ "$(got at_once)" -le "$1" ] || [ "$(got rcpt_max_us)" -ge $((UNANSWERED_MS * 1000)) ]
}

# ---- what is held -------------------------------------------------------------------------------------------------

REDIS_HELD='local t = redis.call("TIME") local now = t[1] * 1000 + math.floor(t[2] / 1000) local n = 0
	for _, key in ipairs(redis.call("KEYS", "weir:l?*")) do
		if key ~= "weir:leases" then
			local names = redis.call("ZRANGEBYSCORE", key, "(" .. now, "+inf")
			for _, name in ipairs(names) do
				if string.find(name, ARGV[1], 1, true) then n = n + 1 end
			end
		end
	end
	return n'

# slots STORE [PART]: how many are in force, of holders whose names contain PART.
slots() {
	if [ "$1" = redis ]; then
		redis eval "$REDIS_HELD" 0 "${2:-/}"
	else
		sqlite3 -readonly "$PRIVATE/db/weir.db" ".timeout 2000" "SELECT count(*) FROM lease
			WHERE expires > $(boot_ms) AND holder LIKE '%${2:-/}%'"
	fi
}

# slots_are STORE COUNT [PART]
slots_are() {
	[ "$(slots "$1" "${3:-/}")" = "$2" ]
}

boot_ms() {
	local up rest
	# shellcheck disable=SC2034
	read -r up rest </proc/uptime
	echo "$((10#${up/./} * 10))"
}

WATCH_PID=

# watch_slots STORE: writes down over and over how many slots are in force; most_slots says what was the most.
watch_slots() {
	if [ "$1" = redis ]; then
		start_process redis-cli -s "$PRIVATE/redis.sock" -r -1 -i 0.02 eval "$REDIS_HELD" 0 / \
			>"$PRIVATE/watched" 2>/dev/null
	else
		start_process watch_embedded >"$PRIVATE/watched"
	fi
	WATCH_PID=$STARTED
	await 5 [ -s "$PRIVATE/watched" ]
}

watch_embedded() {
	while slots embedded; do
		pause 20
	done
}

# end_watch: such a process may end with its store.
end_watch() {
	end_process "$WATCH_PID" 2>/dev/null
}

# never_more_than COUNT: since watch_slots.
never_more_than() {
	local most
	most=$(grep -E '^[0-9]+$' "$PRIVATE/watched" | sort -n | tail -n 1)
	diag "most slots seen: $most, in $(wc -l <"$PRIVATE/watched") looks"
	[ "${most:-none}" != none ] && [ "$most" -le "$1" ]
}

# stays SECONDS COMMAND...: it holds over and over again.
stays() {
	local now=${EPOCHREALTIME/[.,]/} end
	end=$((now + $1 * 1000000))
	shift
	while ((now < end)); do
		"$@" || return 1
		pause 100
		now=${EPOCHREALTIME/[.,]/}
	done
}
