# shellcheck shell=bash
# What the scripts of the benchmark share: processes, numbers, and the report.  They say what
# is measured (fields) and how a server is known to be ready (connects).

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd) || exit 1
tmp='' # everything written is in here
children=() # every process started and not yet ended
server_pid='' store_pid='' # what is being measured
fields=() # of each line, in the medians
repeats=3 # each measurement

die() {
	echo "bench/${0##*/}: $*" >&2
	[[ -n $tmp && -s $tmp/stderr ]] && tail -n 5 "$tmp/stderr" >&2
	exit 1
}

set_variable() { # OPTION VALUE: --postgrey-requests sets postgrey_requests
	local name=${1#--}
	printf -v "${name//-/_}" %s "$2"
}

first_existing() { # PATH...: from the top of the tree
	local path
	for path; do
		[[ -x $top/$path ]] && echo "$top/$path" && return
	done
	die "none of these is there: $*"
}

# --- processes -------------------------------------------------------------------------

free_port() {
	local port
	while :; do
		port=$((10000 + RANDOM % 20000))
		(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
	done
	echo "$port"
}

wait_until() { # PID COMMAND...: until the command succeeds
	local pid=$1 tries
	shift
	for ((tries = 0; tries < 600; tries++)); do
		"$@" >/dev/null 2>&1 && return
		kill -0 "$pid" 2>/dev/null || die "the server ended at once"
		sleep 0.05
	done
	die "the server is not ready after 30 s"
}

redis() {
	redis-cli -s "$tmp/redis.sock" "$@"
}

stop() { # PID
	local pid=$1 tries left=()
	for ((tries = 0; tries < 1200; tries++)); do
		kill -0 "$pid" 2>/dev/null || break
		# again every 5 s: postgrey misses a signal that comes while it is busy
		((tries % 100 > 0)) || kill -TERM "$pid" 2>/dev/null
		sleep 0.05
	done
	kill -KILL "$pid" 2>/dev/null && echo "bench/${0##*/}: had to kill $pid" >&2
	wait "$pid" 2>/dev/null
	for pid in "${children[@]}"; do
		[[ $pid != "$1" ]] && left+=("$pid")
	done
	children=("${left[@]}")
}

stop_all() {
	while ((${#children[@]} > 0)); do
		stop "${children[-1]}" # weir before its Redis
	done
	server_pid='' store_pid=''
}

clean_up() {
	stop_all
	[[ -n $tmp ]] && rm -rf "$tmp"
}

serve() { # LOG COMMAND...
	local log=$1
	shift
	"$@" >"$log" 2>&1 &
	server_pid=$!
	children+=("$server_pid")
	wait_until "$server_pid" connects
}

start_redis_server() { # DIRECTORY
	redis-server --port 0 --unixsocket "$tmp/redis.sock" --save '' --appendonly no \
		--dir "$1" >"$tmp/redis.log" 2>&1 &
	store_pid=$!
	children+=("$store_pid")
	wait_until "$store_pid" redis ping
}

# --- numbers ---------------------------------------------------------------------------

value_of() { # NAME LINE
	sed -n "s/.*\\b$1=\\([0-9.]*\\).*/\\1/p" <<<"$2"
}

calculate() { # EXPRESSION, FORMAT
	awk "BEGIN { printf \"${2:-%.2f}\", ($1) }"
}

cpu_ticks() { # PID
	local stat
	stat=$(<"/proc/$1/stat")
	read -ra stat <<<"${stat##*) }" # after the name, which may hold spaces
	echo $((stat[11] + stat[12]))
}

cpu_us() { # TICKS REQUESTS
	calculate "$1 * 1e6 / $(getconf CLK_TCK) / $2"
}

# --- report ----------------------------------------------------------------------------

median() { # NAME FIELD: nothing if it was not measured
	[[ -e $tmp/result.$1 ]] || return 0
	sed -n "s/.*\\b$2=\\([0-9.]*\\).*/\\1/p" "$tmp/result.$1" | sort -n | awk '
		{ v[NR] = $1 }
		END { if (NR) printf "%.10g", (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'
}

print_medians() {
	local file name field
	echo
	echo "medians of $repeats:"
	for file in "$tmp"/result.*; do
		name=${file##*/result.}
		printf '%-17s' "$name"
		for field in "${fields[@]}"; do
			[[ -n $(median "$name" "$field") ]] &&
				printf ' %s=%s' "$field" "$(median "$name" "$field")"
		done
		echo
	done
}

compare() { # TEXT VALUE RELATION TARGET
	local word=short
	(($(calculate "$2 $3 $4" %d))) && word=reached
	printf '%-44s %8.2f   target %s %-5s  %s\n' "$1" "$2" "$3" "$4" "$word"
}

ratio() { # TEXT FIELD NAME NAME RELATION TARGET
	local upper lower
	upper=$(median "$3" "$2")
	lower=$(median "$4" "$2")
	[[ -n $upper && -n $lower ]] || return 0
	compare "$1" "$(calculate "$upper / $lower" %.4f)" "$5" "$6"
}
