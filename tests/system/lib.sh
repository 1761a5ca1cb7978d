# shellcheck shell=bash
# What the system tests and quickstart share: a private directory, processes that always end, a private Postfix and
# Redis, both daemons, and TAP. Whatever is started here is ended by its process id when the script ends, however it ends.
# Functions that are used as conditions are silent; names in capitals are set here for the scripts to read.

set -u

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=${WEIR_BUILD:-$TOP/build}
SYSTEM_TESTS=$TOP/tests/system
POLICYD=$BUILD/weir-policyd
MILTER=$BUILD/weir-milter

# ---- TAP ----------------------------------------------------------------------------------------------------------

TAP_COUNT=0

# ok NAME COMMAND...: one test, passed when the command succeeds. A failed one shows the newest log lines.
ok() {
	local name=$1
	shift
	TAP_COUNT=$((TAP_COUNT + 1))
	if "$@"; then
		echo "ok $TAP_COUNT - $name"
		return 0
	fi
	echo "not ok $TAP_COUNT - $name"
	diag "failed: $*"
	show_evidence
	return 1
}

# not COMMAND...: succeeds when the command does not.
not() {
	! "$@"
}

# failed NAME: one test that has not passed, found on the way.
failed() {
	TAP_COUNT=$((TAP_COUNT + 1))
	echo "not ok $TAP_COUNT - $1"
}

# skip NAME REASON: a test that cannot run here.
skip() {
	TAP_COUNT=$((TAP_COUNT + 1))
	echo "ok $TAP_COUNT - $1 # SKIP $2"
}

diag() {
	printf '%s\n' "$*" | sed 's/^/# /'
}

show_evidence() {
	local file
	for file in "${WEIR_LOG:-}" "${MILTER_LOG:-}" "${PRIVATE:-}/dialogue" "${PRIVATE:-}/counts" \
		"${PRIVATE:-}/said" "${PRIVATE:-}/complaints"; do
		[ -s "$file" ] || continue
		diag "end of ${file##*/}:"
		tail -n 10 "$file" | cut -c 1-300 | sed 's/^/#   /'
	done
}

# plan: what a test file prints last.
plan() {
	echo "1..$TAP_COUNT"
}

skip_all() {
	echo "1..0 # SKIP $*"
	exit 0
}

# need PROGRAM...: skips the whole file where a program is missing.
need() {
	local program
	for program in "$@"; do
		command -v "$program" >/dev/null || skip_all "needs $program"
	done
}

need_root() {
	[ "$(id -u)" -eq 0 ] || skip_all "needs root"
}

# ---- time ---------------------------------------------------------------------------------------------------------

now_ms() {
	local us=${EPOCHREALTIME/[.,]/}
	echo $((us / 1000))
}

# await SECONDS COMMAND...: tries the command until it succeeds, at most so long; some times in any case, on a machine that
# has no time for this script. The longer it lasts, the longer are the pauses: to look takes others' time.
await() {
	local began=${EPOCHREALTIME/[.,]/} now tries=0 limit=$(($1 * 1000000))
	shift
	until "$@"; do
		now=${EPOCHREALTIME/[.,]/}
		tries=$((tries + 1))
		((now - began < limit || tries < 5)) || return 1
		pause $((now - began < 1000000 ? 50 : now - began < 3000000 ? 100 : 200))
	done
}

exec {NEVER}<> <(:) # nothing ever comes from there

# pause MS: sleep, without a process of its own.
pause() {
	local none
	printf -v none '%d.%03d' $(($1 / 1000)) $(($1 % 1000))
	read -r -t "$none" -u "$NEVER" none
	return 0
}

# ---- private directory and processes ------------------------------------------------------------------------------

declare -A RUNNING=()
PRIVATE=
WEIR_PID=

# private_dir: makes PRIVATE and sees to it that nothing is left behind.
private_dir() {
	PRIVATE=$(mktemp -d "${TMPDIR:-/tmp}/weir-test.XXXXXX") || exit 1
	chmod 711 "$PRIVATE"
	trap clean_up EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
}

clean_up() {
	local pid
	trap - EXIT
	trap '' INT TERM HUP
	stop_postfix
	for pid in "${!RUNNING[@]}"; do
		end_process "$pid"
	done
	[ -z "$PRIVATE" ] || read_reports
	unmount_all
	[ -z "$PRIVATE" ] || rm -rf "$PRIVATE"
	PRIVATE=
}

# read_reports: what a build with sanitizers found in a daemon's life is a failure, whatever it answered.
read_reports() {
	local log
	for log in "$PRIVATE"/weir-*.log; do
		grep -q -s -E 'ERROR: AddressSanitizer|runtime error:|WARNING: ThreadSanitizer|LeakSanitizer' "$log" || continue
		failed "no sanitizer report in ${log##*/}"
		grep -v -E '^weir-(policyd|milter): ' "$log" | head -n 60 | sed 's/^/#   /'
	done
}

# start_process COMMAND...: in the background; its process id is in STARTED.
start_process() {
	"$@" &
	STARTED=$!
	RUNNING[$STARTED]=yes
}

# end_process PID [SIGNAL]: ends what start_process began, by force after 10 s; returns its exit status.
end_process() {
	[ -n "$1" ] && [ -n "${RUNNING[$1]:-}" ] || return 0
	# Not behind the other signal: leak detection stops the process with SIGSTOP, which SIGCONT would undo.
	kill -CONT "$1" 2>/dev/null
	kill -"${2:-TERM}" "$1" 2>/dev/null
	if ! await 10 gone "$1"; then
		failed "$(tr '\0' ' ' <"/proc/$1/cmdline") ends within 10 s"
		kill -KILL "$1" 2>/dev/null
	fi
	reap "$1"
}

# reap PID: the exit status of a process that has ended or is about to.
reap() {
	unset "RUNNING[$1]"
	wait "$1" 2>/dev/null
}

gone() {
	! kill -0 "$1" 2>/dev/null
}

free_port() {
	perl -MIO::Socket::INET -e '
		for (1 .. 100) {
			my $port = 10000 + int rand 20000;
			IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => $port, Listen => 1) or next;
			print "$port\n";
			exit 0;
		}
		exit 1'
}

port_answers() {
	(exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

MOUNTED=()

# small_disk DIR SIZE: a file system of its own, to be filled; fails where mounting is not allowed.
small_disk() {
	mkdir -p "$1" && mount -t tmpfs -o "size=$2" tmpfs "$1" 2>/dev/null && MOUNTED+=("$1")
}

unmount_all() {
	local dir
	for dir in "${MOUNTED[@]}"; do
		umount "$dir"
	done
	MOUNTED=()
}

# ---- the daemons --------------------------------------------------------------------------------------------------

WEIR_STARTS=0
WEIR_LOG=
MILTER_PID=
MILTER_LOG=

DELAY=3600 # seconds that a triplet has to wait; see time_passes
DEADLINE=5s # of a question; a busy machine is no reason to judge without the store

# short_deadlines: those of a daemon that nobody has told otherwise, for tests of stores that fail.
short_deadlines() {
	DEADLINE=
}

# write_settings STORE PORT [TEXT]: the usual settings of a test, for -o to vary, and TEXT, such as a group "limits".
# Both daemons read them; the milter's socket is PRIVATE/milter.sock.
write_settings() {
	local deadline=
	[ -z "$DEADLINE" ] || deadline="deadline = \"$DEADLINE\";"
	mkdir -p "$PRIVATE/db"
	touch "$PRIVATE/clients" "$PRIVATE/senders" "$PRIVATE/recipients"
	cat >"$PRIVATE/weir.conf" <<-END
		node = "mx1.test";
		user = "";
		log: { to = "stderr"; level = "debug"; };
		store: { backend = "$1"; path = "$PRIVATE/db"; redis: { servers = ["unix:$PRIVATE/redis.sock"]; }; $deadline };
		policyd: { listen = ["inet:127.0.0.1:$2"]; };
		milter: { listen = "unix:$PRIVATE/milter.sock"; socket_mode = "0666"; $deadline };
		http: { listen = []; milter_listen = []; };
		greylist: { delay = "${DELAY}s"; };
		lists: {
			clients = ["$PRIVATE/clients"];
			senders = ["$PRIVATE/senders"];
			recipients = ["$PRIVATE/recipients"];
			networks = ["127.0.0.0/8", "::1/128"];
		};
		${3:-}
	END
}

# time_passes STORE SECONDS: what waits in the store has begun to wait so much earlier. So a delay may be long, that no retry
# comes too late to be early, and nobody waits for its end. A record has its state in bits 46 to 48, 1 for what waits, and
# its seconds from bit 12 on (include/record.h).
time_passes() {
	if [ "$1" = redis ]; then
		redis eval 'for _, key in ipairs(redis.call("KEYS", "weir:t" .. string.rep("?", 22))) do
				local record = tonumber(redis.call("GET", key))
				if math.floor(record / 2 ^ 46) % 8 == 1 then
					redis.call("SET", key, string.format("%.0f", record - ARGV[1] * 4096), "KEEPTTL")
				end
			end' 0 "$2" >/dev/null
	else
		sqlite3 "$PRIVATE/db/weir.db" '.timeout 10000' \
			"UPDATE triplet SET rec = rec - ($2 << 12) WHERE (rec >> 46) & 7 = 1"
	fi
}

# wait_out_delay: what waits in STORE has waited long enough.
wait_out_delay() {
	time_passes "$STORE" $((DELAY + 1))
}

# start_weir [OPTION]...: weir-policyd on PRIVATE/weir.conf; process id in WEIR_PID, a log of its own in WEIR_LOG.
start_weir() {
	start_weir_by "$POLICYD" -c "$PRIVATE/weir.conf" "$@"
}

# start_with_store [OPTION]...: and its store is there, too; on Redis it serves before that.
start_with_store() {
	start_weir "$@" && has_store
}

has_store() {
	await 10 log_holds "$WEIR_LOG" 'store [a-z]*: connected'
}

# start_weir_by COMMAND...: the same by another command line, or another daemon.
start_weir_by() {
	launch_weir_by "$@"
	weir_serves
}

launch_weir_by() {
	new_log
	start_process "$@" >"$WEIR_LOG" 2>&1
	WEIR_PID=$STARTED
}

weir_serves() {
	serves "$WEIR_PID" "$WEIR_LOG"
}

# serves PID LOG: awaits that a daemon listens, or ends.
serves() {
	await 10 decided "$@" && log_holds "$2" 'listening on'
}

decided() {
	log_holds "$2" 'listening on' || gone "$1"
}

new_log() {
	WEIR_STARTS=$((WEIR_STARTS + 1))
	WEIR_LOG=$PRIVATE/weir-$WEIR_STARTS.log
}

# start_milter [OPTION]...: weir-milter beside it, with its store; process id in MILTER_PID, log in MILTER_LOG.
start_milter() {
	WEIR_STARTS=$((WEIR_STARTS + 1))
	MILTER_LOG=$PRIVATE/weir-$WEIR_STARTS.log
	start_process "$MILTER" -c "$PRIVATE/weir.conf" "$@" >"$MILTER_LOG" 2>&1
	MILTER_PID=$STARTED
	serves "$MILTER_PID" "$MILTER_LOG" && await 10 log_holds "$MILTER_LOG" 'store [a-z]*: connected'
}

stop_milter() {
	end_process "$MILTER_PID"
}

kill_milter() {
	end_process "$MILTER_PID" KILL
}

log_holds() {
	grep -q -e "$2" "$1"
}

# logged PATTERN: a daemon that runs writes such a line, or has; each started last of its kind. A line may come after the
# answer it is about.
logged() {
	await 10 in_the_log "$1"
}

never_logged() {
	not in_the_log "$1"
}

in_the_log() {
	grep -q -s -e "$1" "$WEIR_LOG" "$MILTER_LOG"
}

OWN_DEV=()
SYSLOG_PID=

# own_syslog: OWN_DEV is what comes before a command that is to have a /dev of its own, whose /dev/log writes PRIVATE/syslog.
# SYSLOG_PID reads it, and hangs when stopped. Fails where mounting is not allowed.
own_syslog() {
	unshare -m true 2>/dev/null || return 1
	mkdir -p "$PRIVATE/dev/shm" && touch "$PRIVATE/dev/null"
	start_process perl "$SYSTEM_TESTS/notify_socket.pl" "$PRIVATE/dev/log" >"$PRIVATE/syslog"
	# shellcheck disable=SC2034
	SYSLOG_PID=$STARTED
	# shellcheck disable=SC2016,SC2034
	OWN_DEV=(unshare -m sh -c 'mount --bind /dev/null "$0/null" && mount --bind /dev/shm "$0/shm" &&
		mount --rbind "$0" /dev && exec "$@"' "$PRIVATE/dev")
	await 10 [ -S "$PRIVATE/dev/log" ]
}

stop_weir() {
	end_process "$WEIR_PID"
}

kill_weir() {
	end_process "$WEIR_PID" KILL
}

# refused STATUS PATTERN OPTION...: with these options the daemon ends by itself, with that status and such a text.
refused() {
	local status=$1 pattern=$2
	new_log
	timeout 10 "$POLICYD" "${@:3}" >"$WEIR_LOG" 2>&1
	[ $? -eq "$status" ] && logged "$pattern"
}

# ---- the policy protocol ------------------------------------------------------------------------------------------

POLICY_FD=
declare -A LOADS=()

# policy_open PORT / policy_close: a connection that stays open, as Postfix keeps one.
policy_open() {
	{ exec {POLICY_FD}<>"/dev/tcp/127.0.0.1/$1"; } 2>/dev/null
}

policy_close() {
	{ exec {POLICY_FD}>&-; } 2>/dev/null
}

# policy_send NAME=VALUE...: one request on the open connection.
policy_send() {
	(printf '%s\n' request=smtpd_access_policy "$@" '' >&"$POLICY_FD")
}

# policy_reads REGEX: the next answer on the open connection is such a one.
policy_reads() {
	local answer blank
	read -r -t 5 answer <&"$POLICY_FD" && read -r -t 5 blank <&"$POLICY_FD" &&
		[ -z "$blank" ] && [[ $answer =~ ^action=$1 ]]
}

# policy_says REGEX CLIENT SENDER RECIPIENT: such is the answer to a recipient's question.
policy_says() {
	policy_send protocol_state=RCPT "client_address=$2" client_name=unknown "sender=$3" "recipient=$4" \
		"instance=$RANDOM.$RANDOM" && policy_reads "$1"
}

# ask_many PORT OPTION...: policy_client.pl; got reads its counts.
ask_many() {
	perl "$SYSTEM_TESTS/policy_client.pl" --to "inet:127.0.0.1:$1" "${@:2}" >"$PRIVATE/counts" 2>&1
}

# start_load NAME PORT OPTION...: the same in the background; its record is in PRIVATE/record-NAME.
start_load() {
	start_process perl "$SYSTEM_TESTS/policy_client.pl" --to "inet:127.0.0.1:$2" --record "$PRIVATE/record-$1" \
		"${@:3}" >"$PRIVATE/load-$1" 2>&1
	LOADS[$1]=$STARTED
	await 10 [ -s "$PRIVATE/record-$1" ]
}

# finish_load NAME: waits for its end; its counts are those that got reads.
finish_load() {
	reap "${LOADS[$1]}"
	mv "$PRIVATE/load-$1" "$PRIVATE/counts"
}

# end_load NAME: the same, but it asks nothing new from now on.
end_load() {
	kill -TERM "${LOADS[$1]}"
	finish_load "$1"
}

# got NAME: a number of the last ask_many; -1 when it told none.
got() {
	local number
	number=$(sed -n "s/.*\\b$1=\\([0-9]*\\).*/\\1/p" "$PRIVATE/counts")
	echo "${number:--1}"
}

# all_are KIND...: nothing was lost, and every answer of the last ask_many was of these kinds.
all_are() {
	local kind sum=0
	for kind in "$@"; do
		sum=$((sum + $(got "$kind")))
	done
	[ "$sum" -gt 0 ] && [ "$sum" -eq "$(got asked)" ]
}

# within MS: no answer of the last ask_many took longer.
within() {
	[ "$(got max_ms)" -le "$1" ]
}

# nothing_lost: every question of the last ask_many was answered, and by an answer that is known.
nothing_lost() {
	[ "$(got lost)" -eq 0 ] && [ "$(got answers)" -gt 0 ] && [ "$(got other)" -eq 0 ]
}

# ---- several daemons ------------------------------------------------------------------------------------------------

declare -A PORTS=() PIDS=() LOGS=()
TRIPLETS=3000     # that two are asked about at once
NEXT_NEW=10000000 # number of the next triplet never asked about

# start_named NAME [OPTION]...: one daemon of several, on a port of its own; see PORTS, PIDS and LOGS.
start_named() {
	launch_named "$@"
	weir_serves
}

launch_named() {
	PORTS[$1]=${PORTS[$1]:-$(free_port)}
	launch_weir_by "$POLICYD" -c "$PRIVATE/weir.conf" -o "policyd.listen=inet:127.0.0.1:${PORTS[$1]}" "${@:2}"
	PIDS[$1]=$WEIR_PID
	LOGS[$1]=$WEIR_LOG
}

# stop_named NAME [SIGNAL]
stop_named() {
	end_process "${PIDS[$1]}" "${2:-TERM}"
}

# logged_by NAME PATTERN, never_logged_by NAME PATTERN: what logged and never_logged are for the newest.
logged_by() {
	await 10 log_holds "${LOGS[$1]}" "$2"
}

never_logged_by() {
	not log_holds "${LOGS[$1]}" "$2"
}

# ask NAME OPTION...: ask_many of that one.
ask() {
	ask_many "${PORTS[$1]}" "${@:2}"
}

# stores NAME: it defers a triplet never asked about before, and not by the failure rule.
stores() {
	ask "$1" --first "$NEXT_NEW" --requests 1
	NEXT_NEW=$((NEXT_NEW + 1))
	all_are greylisted
}

# agree NAME NAME: what the first has stored is not new to the second, so they share a store and its secret.
agree() {
	local rcpt=user$NEXT_NEW@local.test
	stores "$1" && ask "$2" --first $((NEXT_NEW - 1)) --requests 1 && all_are greylisted prepend &&
		never_logged_by "$2" "why=greylist-new .*rcpt=$rcpt "
}

# both_answer SECONDS: begins to ask a and b about the same triplets, over and over.
both_answer() {
	start_load a "${PORTS[a]}" --requests "$TRIPLETS" --seconds "$1" --rate 1500
	start_load b "${PORTS[b]}" --requests "$TRIPLETS" --seconds "$1" --rate 1500
}

# served NAME: awaits the end of its load, of which nothing may be lost or late.
served() {
	finish_load "$1"
	nothing_lost && within 1000
}

# never_failed NAME: no answer of its last load was made without the store.
never_failed() {
	[ "$(got unavailable)" -eq 0 ] && never_logged_by "$1" 'cannot write\|why=store-failure'
}

# ---- Redis --------------------------------------------------------------------------------------------------------

REDIS_PID=

# on_each_store COMMAND [STORE]...: COMMAND STORE for each of them, for both when none is named; all is cleaned up behind each.
on_each_store() {
	local command=$1
	shift
	[ $# -gt 0 ] || set -- embedded redis
	for STORE in "$@"; do
		[ "$STORE" != redis ] || need redis-server redis-cli
		"$command" "$STORE"
		clean_up
	done
}

# start_redis [OPTION]...: on PRIVATE/redis.sock only.
start_redis() {
	mkdir -p "$PRIVATE/redis"
	start_process redis-server --port 0 --unixsocket "$PRIVATE/redis.sock" --dir "$PRIVATE/redis" --save '' \
		--daemonize no --logfile "$PRIVATE/redis.log" "$@" >/dev/null
	REDIS_PID=$STARTED
	await 10 redis_answers
}

# redis COMMAND...: what it prints when asked so.
redis() {
	redis-cli -s "$PRIVATE/redis.sock" "$@" 2>/dev/null
}

redis_answers() {
	redis ping | grep -q -e PONG -e NOAUTH
}

stop_redis() {
	end_process "$REDIS_PID"
}

kill_redis() {
	end_process "$REDIS_PID" KILL
}

# ---- Postfix ------------------------------------------------------------------------------------------------------

POSTFIX_CONF=
POSTFIX_CONFS=()
SMTP_PORT=

# start_postfix POLICY_SERVICE [MILTER [LINE]...]: an instance that shares nothing with the system's but the programs.
# It asks both, or the one that is not empty; LINE of main.cf replaces or adds. Mail to local.test, acme.test, other.test and
# third.test lands in PRIVATE/postfix/mail/inbox; loopback clients may play any client through XCLIENT.
start_postfix() {
	start_postfix_in "$PRIVATE/postfix" "$@"
}

# start_postfix_in DIR POLICY_SERVICE [MILTER [LINE]...]: the same in that directory, where there are several.
start_postfix_in() {
	local dir=$1
	SMTP_PORT=$(free_port) || return 1
	mkdir -p "$dir/etc" "$dir/queue" "$dir/data" "$dir/mail"
	chown postfix "$dir/data"
	chown nobody:nogroup "$dir/mail"
	write_main_cf "$1" "$2" "${3:-}" >"$dir/etc/main.cf"
	write_master_cf "$SMTP_PORT" >"$dir/etc/master.cf"
	# Nothing may stand there twice: with many warnings at its start, postlogd waits for itself.
	[ $# -lt 4 ] || postconf -c "$dir/etc" "${@:4}" || return
	POSTFIX_CONF=$dir/etc
	POSTFIX_CONFS+=("$POSTFIX_CONF")
	postfix -c "$POSTFIX_CONF" start >"$dir/start.log" 2>&1 && await 10 port_answers "$SMTP_PORT"
}

# policy_check POLICY_SERVICE: the restriction that asks it.
policy_check() {
	[ -z "$1" ] || echo "check_policy_service { $1, timeout=5s, default_action=DUNNO }"
}

# write_main_cf DIR POLICY_SERVICE MILTER
write_main_cf() {
	cat <<-END
		compatibility_level = 3.6
		queue_directory = $1/queue
		data_directory = $1/data
		maillog_file = $1/maillog
		maillog_file_prefixes = $1
		syslog_name = weir-private
		myhostname = mx1.test
		mydestination =
		local_recipient_maps =
		alias_maps =
		alias_database =
		inet_interfaces = loopback-only
		inet_protocols = all
		mynetworks = 127.0.0.0/8
		virtual_mailbox_domains = local.test acme.test other.test third.test
		virtual_mailbox_base = $1/mail
		virtual_mailbox_maps = static:inbox/
		virtual_uid_maps = static:$(id -u nobody)
		virtual_gid_maps = static:$(id -g nobody)
		smtpd_authorized_xclient_hosts = 127.0.0.0/8
		smtpd_recipient_restrictions = reject_unauth_destination, $(policy_check "$2")
		smtpd_data_restrictions = $(policy_check "$2")
		milter_default_action = accept
	END
	[ -z "$3" ] ||
		echo "smtpd_milters = { $3, connect_timeout=5s, command_timeout=10s, default_action=accept }"
}

# write_master_cf PORT: no service that could send mail anywhere.
write_master_cf() {
	cat <<-END
		postlog        unix-dgram n - n - 1 postlogd
		127.0.0.1:$1 inet n - n - - smtpd
		cleanup        unix n - n - 0 cleanup
		qmgr           unix n - n 300 1 qmgr
		rewrite        unix - - n - - trivial-rewrite
		bounce         unix - - n - 0 bounce
		defer          unix - - n - 0 bounce
		trace          unix - - n - 0 bounce
		error          unix - - n - - error
		retry          unix - - n - - error
		virtual        unix - n n - - virtual
		proxymap       unix - - n - - proxymap
		anvil          unix - - n - 1 anvil
	END
}

# stop_postfix: all of them.
stop_postfix() {
	local conf
	for conf in "${POSTFIX_CONFS[@]}"; do
		postfix -c "$conf" stop >/dev/null 2>&1
	done
	POSTFIX_CONF=
	POSTFIX_CONFS=()
}

# send FROM TO[,TO]... [SWAKS_OPTION]...: one SMTP session; what was said is in PRIVATE/dialogue.
send() {
	swaks --server 127.0.0.1 --port "$SMTP_PORT" --timeout 20 --helo client.test --from "$1" --to "$2" "${@:3}" \
		>"$PRIVATE/dialogue" 2>&1
}

# send_as CLIENT FROM TO[,TO]... [SWAKS_OPTION]...: the same from another address, IPV6:... too. More attributes of
# XCLIENT may follow the address.
send_as() {
	send "$2" "$3" --xclient "NAME=[UNAVAILABLE] REVERSE_NAME=[UNAVAILABLE] ADDR=$1" "${@:4}"
}

# codes_after COMMAND: the reply codes to every such command of the last session, as in "451 250".
codes_after() {
	awk -v command="$1" '
		$1 == "->" { asked = ($2 == command) }
		asked && /^<(-|\*\*) / { printf "%s%s", gap, $2; gap = " "; asked = 0 }' "$PRIVATE/dialogue"
}

# reply_to COMMAND CODES: that is how the last session was answered.
reply_to() {
	[ "$(codes_after "$1")" = "$2" ]
}

# reply_id: the decision's id in the last session's refusal.
reply_id() {
	sed -n 's/^<\*\*.*(id \([^)]*\)).*/\1/p' "$PRIVATE/dialogue"
}

# delivered SUBJECT: the files of the delivered copies of a message.
delivered() {
	grep -l -r -x -e "Subject: $1" "$PRIVATE/postfix/mail/inbox/new" 2>/dev/null
}

# copies SUBJECT COUNT: so many copies have been delivered.
copies() {
	[ "$(delivered "$1" | wc -l)" -eq "$2" ]
}

# ---- deliveries that stay under way ---------------------------------------------------------------------------------

declare -A SMTP=() # name of a session -> its descriptor

# smtp_open NAME [XCLIENT]: an SMTP session of the script's own, of another client by attributes such as ADDR=192.0.2.1.
smtp_open() {
	local fd
	{ exec {fd}<>"/dev/tcp/127.0.0.1/$SMTP_PORT"; } 2>/dev/null || return
	SMTP[$1]=$fd
	smtp_hears "$1" 220 || return
	[ -z "${2:-}" ] || smtp "$1" 220 "XCLIENT NAME=[UNAVAILABLE] REVERSE_NAME=[UNAVAILABLE] $2" || return
	smtp "$1" 250 'EHLO client.test'
}

# smtp NAME REPLY LINE: the reply to that line begins so. The last one of any session is in SMTP_REPLY.
smtp() {
	(printf '%s\r\n' "$3" >&"${SMTP[$1]}") 2>/dev/null && smtp_hears "$1" "$2"
}

smtp_hears() {
	SMTP_REPLY=
	while read -r -t 20 -u "${SMTP[$1]}" SMTP_REPLY && [[ $SMTP_REPLY == ???-* ]]; do :; done
	SMTP_REPLY=${SMTP_REPLY%$'\r'}
	[[ $SMTP_REPLY == "$2"* ]]
}

# hold_delivery NAME CLIENT FROM TO...: begins a delivery; it has its recipients accepted, and stays so until
# finish_delivery, quit_delivery or vanish. An empty CLIENT is the loopback address.
hold_delivery() {
	smtp_open "$1" "${2:+ADDR=$2}" && begin_delivery "$1" "${@:3}"
}

# begin_delivery NAME FROM TO...: the same in an open session.
begin_delivery() {
	local to
	smtp "$1" 250 "MAIL FROM:<$2>" || return
	for to in "${@:3}"; do
		smtp "$1" 250 "RCPT TO:<$to>" || return
	done
}

# send_message NAME [SUBJECT]: the content; the session stays open.
send_message() {
	smtp "$1" 354 DATA && smtp "$1" 250 "Subject: ${2:-held}"$'\r\n\r\nheld\r\n.'
}

# finish_delivery NAME [SUBJECT]: the content, and the end of the session.
finish_delivery() {
	local status=0
	send_message "$@" || status=1
	quit_delivery "$1" && return "$status"
}

# quit_delivery NAME: the session ends as it should, whatever is under way.
quit_delivery() {
	local status=0
	smtp "$1" 221 QUIT || status=1
	vanish "$1"
	return "$status"
}

# vanish NAME: the connection is gone, at once for Postfix even where a child of the script has it, too.
vanish() {
	local fd=${SMTP[$1]}
	perl -e 'open(my $socket, "+<&=", shift) or exit 1; shutdown($socket, 2)' "$fd"
	{ exec {fd}>&-; } 2>/dev/null
	unset "SMTP[$1]"
}
