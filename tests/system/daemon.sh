#!/bin/bash
# weir-policyd as a daemon: options, settings errors, systemd's protocols, privileges, signals, listeners.

# shellcheck source=tests/system/lib.sh disable=SC1091,SC2119
. "$(dirname "$0")/lib.sh"

fresh() {
	private_dir
	PORT=$(free_port)
	write_settings embedded "$PORT"
}

# greylists: the daemon answers a question never asked before, and as greylisting should.
greylists() {
	policy_open "$PORT" && policy_says '451 4\.7\.1 ' "192.0.$((RANDOM % 256)).1" "a$RANDOM@b.test" c@local.test
	local answered=$?
	policy_close
	return "$answered"
}

# ends_well: SIGTERM, and exit status 0.
ends_well() {
	stop_weir
}

# prints PATTERN OPTION...: the daemon prints such a text and ends with status 0.
prints() {
	"$POLICYD" "${@:2}" 2>&1 | grep -q -e "$1" && [ "${PIPESTATUS[0]}" -eq 0 ]
}

options() {
	fresh
	ok "-V prints name and version" prints '^weir-policyd [0-9]' -V
	ok "-t accepts good settings" "$POLICYD" -t -c "$PRIVATE/weir.conf"
	ok "-t opens no database" not [ -e "$PRIVATE/db/weir.db" ]
	ok "an unknown option is refused" not prints . --no-such-option
	ok "-o overrides a setting" start_weir -o greylist.mode=off || return
	ok "which then holds" not greylists
	ok "SIGTERM ends it with status 0" ends_well
}

# refuses_line NAME LINE PATTERN: settings with this as their second line are refused, with file, line and text.
refuses_line() {
	printf 'node = "mx1.test";\n%s\n' "$2" >"$PRIVATE/bad.conf"
	ok "settings, $1: refused with file:line: text" refused 78 "bad\\.conf:2: .*$3" -t -c "$PRIVATE/bad.conf"
	ok "settings, $1: at start, too" refused 78 "bad\\.conf:2: .*$3" -c "$PRIVATE/bad.conf"
}

bad_settings() {
	fresh
	refuses_line "syntax error" 'greylist: { delay = ; };' ''
	refuses_line "unknown name" 'greylist: { dellay = "3m"; };' 'dellay.*greylist\.delay'
	refuses_line "value out of range" 'greylist: { delay = "30d"; };' 'greylist\.delay'
	refuses_line "wrong type" 'greylist: { delay = 3; };' 'greylist\.delay'
	refuses_line "unknown word" 'store: { backend = "mongodb"; };' 'store\.backend'
	refuses_line "wrong list entry" 'lists: { networks = ["127.0.0.0/64"]; };' 'lists\.networks'
	ok "settings, -o with an unknown name: refused" \
		refused 78 'greylist\.dellay' -t -c "$PRIVATE/weir.conf" -o greylist.dellay=3m
	ok "settings, no such file: refused" refused 78 'nowhere\.conf' -t -c "$PRIVATE/nowhere.conf"

	echo 'no spaces in an entry' >"$PRIVATE/senders"
	ok "a wrong list file: refused with its own file:line" refused 78 'senders:1: ' -t -c "$PRIVATE/weir.conf"
}

bad_reload() {
	fresh
	ok "reload: weir-policyd starts" start_weir || return
	echo 'greylist: { dellay = "3m"; };' >>"$PRIVATE/weir.conf"
	kill -USR1 "$WEIR_PID"
	ok "reload: SIGUSR1 with bad settings logs file and line" logged 'weir\.conf:[0-9]*: '
	ok "reload: the old settings stay in force" greylists
}

# A start that takes its time: another process makes files in the same directory, as its lock says.
early_reload() {
	local lock
	fresh
	start_process flock -F "$PRIVATE/db" sleep 1000
	lock=$STARTED
	await 10 not flock -n "$PRIVATE/db" true
	launch_weir_by "$POLICYD" -c "$PRIVATE/weir.conf"
	ok "early reload: weir-policyd waits for a lock" await 10 waits_for_lock
	kill -HUP "$WEIR_PID"
	kill -USR1 "$WEIR_PID"
	end_process "$lock"
	ok "early reload: neither SIGHUP nor SIGUSR1 ends it" weir_serves
	ok "early reload: it is done when it serves" logged 'settings reloaded'
	ok "early reload: SIGTERM ends it with status 0" ends_well
}

waits_for_lock() {
	grep -q -s -E '^Name:.weir-policyd' "/proc/$WEIR_PID/status" && grep -q "^[0-9]*: -> FLOCK .* $WEIR_PID " /proc/locks
}

# 30 connections fill all descriptors that there may be: who comes then is sent away, not left waiting.
out_of_descriptors() {
	local held=() fd
	fresh
	ok "descriptors: weir-policyd starts with few" start_weir_by prlimit --nofile=40 \
		"$POLICYD" -c "$PRIVATE/weir.conf" || return
	for _ in {1..60}; do
		{ exec {fd}<>"/dev/tcp/127.0.0.1/$PORT"; } 2>/dev/null || break
		held+=("$fd")
	done
	ok "descriptors: the last that came is closed" is_closed "${held[-1]}"
	ok "descriptors: the log says why" logged 'closing a new connection without an answer: Too many open files'
	ok "descriptors: the first is served" serves_on "${held[0]}"
	for fd in "${held[@]}"; do
		exec {fd}>&-
	done
	ok "descriptors: others are, when there is room again" await 10 greylists
	stop_weir
}

# is_closed FD: reading it comes to an end.
is_closed() {
	read -r -t 10 _ <&"$1"
	[ $? -eq 1 ]
}

serves_on() {
	local POLICY_FD=$1
	policy_says '451 ' 192.0.2.1 a@b.test c@local.test
}

notification() {
	fresh
	start_process perl "$SYSTEM_TESTS/notify_socket.pl" "$PRIVATE/notify" >"$PRIVATE/notified"
	await 10 [ -S "$PRIVATE/notify" ]
	ok "sd_notify: weir-policyd starts" start_weir_by env "NOTIFY_SOCKET=$PRIVATE/notify" \
		"$POLICYD" -c "$PRIVATE/weir.conf" || return
	ok "sd_notify: READY=1 when it serves" await 5 grep -q '^READY=1' "$PRIVATE/notified"
	kill -HUP "$WEIR_PID"
	ok "sd_notify: RELOADING=1 at reload" await 5 grep -q '^RELOADING=1' "$PRIVATE/notified"
	stop_weir
	ok "sd_notify: STOPPING=1 at the end" await 5 grep -q '^STOPPING=1' "$PRIVATE/notified"
}

inherited_socket() {
	fresh
	ok "inherited socket: weir-policyd starts" start_weir_by perl "$SYSTEM_TESTS/pass_listener.pl" "$PORT" \
		"$POLICYD" -c "$PRIVATE/weir.conf" || return
	ok "inherited socket: it answers there" greylists
	ok "inherited socket: SIGTERM ends it with status 0" ends_well
}

# runs_as USER: real, effective, saved and file system ids, and no group but that user's.
runs_as() {
	local uid gid
	uid=$(id -u "$1")
	gid=$(id -g "$1")
	grep -q -E "^Uid:(\s+$uid){4}$" "/proc/$WEIR_PID/status" &&
		grep -q -E "^Gid:(\s+$gid){4}$" "/proc/$WEIR_PID/status" &&
		grep -q -E "^Groups:(\s+$gid)?\s*$" "/proc/$WEIR_PID/status"
}

privileges() {
	if [ "$(id -u)" -ne 0 ]; then
		skip "user" "needs root"
		return
	fi
	fresh
	chown nobody "$PRIVATE/db"
	ok "user: weir-policyd starts as root" start_weir -o user=nobody || return
	ok "user: it runs as that user" runs_as nobody
	ok "user: it greylists" greylists
	ok "user: the database is that user's" [ "$(stat -c %U "$PRIVATE/db/weir.db")" = nobody ]
	stop_weir
	ok "user: an unknown one is refused" refused 78 nosuchuser -c "$PRIVATE/weir.conf" -o user=nosuchuser
}

# ask_from CLIENT TIMES: each is accepted.
ask_from() {
	local i
	for ((i = 0; i < $2; i++)); do
		policy_says 'DUNNO$' "$1" "a$i@b.test" c@local.test || return
	done
}

warned_of_crowd() {
	[ "$(grep -c "of the mail comes from $1, a private address" "$WEIR_LOG")" -eq "$2" ]
}

# A container bridge hides all clients.
crowd() {
	fresh
	ok "crowd: weir-policyd starts" start_weir || return
	policy_open "$PORT"
	ok "crowd: a bridge's mail is accepted" ask_from 172.18.0.1 199
	ok "crowd: and nothing is said of a few" warned_of_crowd 172.18.0.1 0
	ok "crowd: mail of the own networks is accepted, too" ask_from 127.0.0.1 201
	ok "crowd: more of the bridge's mail is accepted" ask_from 172.18.0.1 400
	ok "crowd: and the log says it once" await 5 warned_of_crowd 172.18.0.1 1
	ok "crowd: and of nobody else" warned_of_crowd '[0-9.]*' 1
	policy_close
	stop_weir
}

# The store is a Redis that is stopped, so that the question is under way until the store's deadline.
drain() {
	fresh
	if ! command -v redis-server >/dev/null; then
		skip "SIGTERM with a question under way" "needs redis-server"
		return
	fi
	write_settings redis "$PORT"
	ok "drain: Redis and weir-policyd start" start_both -o store.deadline=400ms || return
	policy_open "$PORT"
	ok "drain: a question is answered" policy_says '451 ' 192.0.2.1 a@b.test c@local.test
	kill -STOP "$REDIS_PID"
	policy_send protocol_state=RCPT client_address=198.51.100.1 sender=a@b.test recipient=c@local.test
	kill -TERM "$WEIR_PID"
	ok "drain: the one under way is answered after SIGTERM" policy_reads 'DUNNO$'
	ok "drain: then the daemon ends" await 5 gone "$WEIR_PID"
	ok "drain: with status 0" reap "$WEIR_PID"
	policy_close
}

start_both() {
	start_redis && start_with_store "$@"
}

unix_listener() {
	local path
	fresh
	path=$PRIVATE/policy.sock
	sed -i "s|^policyd:.*|policyd: { listen = [\"inet:127.0.0.1:$PORT\", \"unix:$path\"]; };|" "$PRIVATE/weir.conf"
	ok "unix: weir-policyd starts on two listeners" start_weir || return
	ok "unix: it answers on the path" answers_on "unix:$path"
	ok "unix: and on the port" answers_on "inet:127.0.0.1:$PORT"
	kill_weir
	ok "unix: it starts over the path a killed one left" start_weir || return
	ok "unix: and answers there" answers_on "unix:$path"
}

answers_on() {
	perl "$SYSTEM_TESTS/policy_client.pl" --to "$1" --first $((RANDOM * 8)) --requests 8 >"$PRIVATE/counts" 2>&1 &&
		all_are greylisted
}

restart_at_once() {
	fresh
	ok "restart: weir-policyd starts" start_weir || return
	policy_open "$PORT"
	policy_says '451 ' 192.0.2.1 a@b.test c@local.test
	ok "restart: it ends with a connection open" ends_well
	ok "restart: and starts on the same port at once" start_weir
	policy_close
	ok "restart: it answers" greylists
	ok "restart: a second one on the same port is refused" refused_port
}

# refused_port: with the port taken and a database of its own, another daemon ends and says why.
refused_port() {
	mkdir "$PRIVATE/db2"
	not start_weir -o "store.path=$PRIVATE/db2" && logged "127\\.0\\.0\\.1:$PORT"
}

standard_is_null() {
	[ "$(readlink "/proc/$WEIR_PID/fd/"{0,1,2} | sort -u)" = /dev/null ]
}

# With standard error closed nothing tells that it serves.
closed_output() {
	fresh
	start_process "$POLICYD" -c "$PRIVATE/weir.conf" <&- >&- 2>&-
	WEIR_PID=$STARTED
	ok "closed output: it serves all the same" await 10 greylists
	ok "closed output: and nothing of its own has those descriptors" standard_is_null
	ok "closed output: SIGTERM ends it with status 0" ends_well
}

need perl
for story in options bad_settings bad_reload early_reload out_of_descriptors notification inherited_socket \
	privileges crowd drain unix_listener \
	restart_at_once closed_output; do
	$story
	clean_up
done
plan
