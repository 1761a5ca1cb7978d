#!/bin/bash
# A log that stalls: mail is answered and slots are kept all the same, and what was lost of the log is told.

# shellcheck source=tests/system/lib.sh disable=SC1091,SC2119
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/milter_lib.sh disable=SC1091
. "$(dirname "$0")/milter_lib.sh"

# fresh: both daemons log every decision to a syslog of their own, by SYSLOG_PID.
fresh() {
	private_dir
	PORT=$(free_port)
	write_settings embedded "$PORT"
	own_syslog || skip_all "mounting is not allowed"
}

# syslog_holds PATTERN
syslog_holds() {
	grep -q -e "$1" "$PRIVATE/syslog"
}

# start_on_syslog NAME COMMAND...: serves, as its log says; its process id is in WEIR_PID.
start_on_syslog() {
	launch_weir_by "${OWN_DEV[@]}" "${@:2}" -c "$PRIVATE/weir.conf" -o log.to=syslog -o log.level=debug
	await 10 syslog_holds "$1\[$WEIR_PID\]: listening on"
}

stall() {
	kill -STOP "$SYSLOG_PID"
}

go_on() {
	kill -CONT "$SYSLOG_PID"
}

# ask_new COUNT: about so many new triplets; all are answered by greylisting.
FIRST=0
ask_new() {
	ask_many "$PORT" --first "$FIRST" --requests "$1"
	FIRST=$((FIRST + $1))
	all_are greylisted
}

# lines_and_lost_are COUNT: so many decisions are in the log, or told to be lost.
lines_and_lost_are() {
	local lines lost
	lines=$(grep -c 'verdict=' "$PRIVATE/syslog")
	lost=$(sed -n 's/.*: \([0-9]*\) log lines were lost.*/\1/p' "$PRIVATE/syslog" | awk '{ n += $1 } END { print n + 0 }')
	diag "$lines lines, $lost lost"
	[ $((lines + lost)) -eq "$1" ]
}

in_order() {
	sed -n 's/.*rcpt=user\([0-9]*\)@.*/\1/p' "$PRIVATE/syslog" >"$PRIVATE/order"
	[ -s "$PRIVATE/order" ] && sort -n -c "$PRIVATE/order"
}

policyd_stalled() {
	fresh
	ok "policyd: starts" start_on_syslog weir-policyd "$POLICYD" || return
	stall
	ok "policyd: 12000 questions are answered while syslog hangs" ask_new 12000
	go_on
	ok "policyd: the log says how many lines it has lost" await 20 syslog_holds 'weir-policyd.*: [0-9]* log lines were lost'
	ok "policyd: each decision is in the log, or counted as lost" await 10 lines_and_lost_are 12000
	kill -HUP "$WEIR_PID"
	ok "policyd: there is a counter of them" await 10 syslog_holds 'event=counters.* log_lines_lost=[1-9]'
	stall
	ok "policyd: it stalls again" ask_new 2000
	ok "policyd: SIGTERM ends it nevertheless" ends_well
	go_on
}

# One connection asks one question after the other, so that the order is known.
policyd_order() {
	fresh
	ok "order: starts" start_on_syslog weir-policyd "$POLICYD" || return
	stall
	ask_many "$PORT" --connections 1 --requests 300
	go_on
	ok "order: after a short stall nothing is lost" await 10 lines_and_lost_are 300
	ok "order: and all is in order" in_order
	ok "order: SIGTERM ends it with status 0" ends_well
	ok "order: and its last line is in the log" await 10 syslog_holds 'weir-policyd.*: event=counters'
}

# The renewals of slots would stop with the loop, and the slots run out.
milter_stalled() {
	fresh
	ok "milter: starts" start_on_syslog weir-milter "$MILTER" -o limits.default.concurrency=100 -o limits.lease=3s \
		-o store.deadline=300ms \
		-o greylist.mode=off || return
	PIDS[mx1]=$WEIR_PID
	mv "$PRIVATE/milter.sock" "$PRIVATE/mx1.sock"
	ok "milter: 20 slots are held" hold a mx1 20
	stall
	load_mx mx1 --total 8000 --sessions 16 --first-client 30000 --clients 20000
	ok "milter: sessions go on while syslog hangs" all_of_them sessions 8000
	ok "milter: and slots are kept for longer than their leases" stays 5 slots_are embedded 20
	release a
	ok "milter: deliveries end" await 5 slots_are embedded 0
	ok "milter: SIGTERM ends it nevertheless" ends_well
	go_on
}

# two_sessions: on one connection, of which only the first negotiates; by an MTA that waits for no answer to connect.
two_sessions() {
	perl "$SYSTEM_TESTS/milter_say.pl" "$PRIVATE/mx1.sock" >"$PRIVATE/said" <<-END
		negotiate 6 0x1ff 0x1fffff
		connect 192.0.2.1 1000
		mail <a@b.test>
		rcpt <c@local.test>
		abort
		raw 00000001 4b
		connect 192.0.2.2 1000
		mail <a@b.test>
		rcpt <c@local.test>
		quit
	END
	[ "$(tail -n +2 "$PRIVATE/said" | tr '\n' ' ')" = 'none continue continue none continue continue ' ]
}

# 50 sessions leave nothing in the log but decisions.
milter_quiet() {
	fresh
	ok "quiet: the milter starts" start_on_syslog weir-milter "$MILTER" -o greylist.mode=off || return
	PIDS[mx1]=$WEIR_PID
	mv "$PRIVATE/milter.sock" "$PRIVATE/mx1.sock"
	ok "quiet: two sessions on one connection" two_sessions
	load_mx mx1 --total 50 --sessions 5
	ok "quiet: 50 sessions" all_of_them sessions 50
	ok "quiet: are all told of" await 10 lines_and_lost_are 52
	ok "quiet: libmilter logs nothing of them" not syslog_holds 'libmilter: '
	ok "quiet: nor anybody else" not syslog_holds 'private data'
	perl "$SYSTEM_TESTS/milter_say.pl" "$PRIVATE/mx1.sock" >"$PRIVATE/said" <<-END
		negotiate 6 0x1ff 0x1fffff
		raw 00000008 43 6800 58 0019 6100
		pause 0.2
	END
	ok "quiet: what it has to say stands with our lines" await 10 syslog_holds \
		"weir-milter\[$WEIR_PID\]: libmilter: connect.*unknown family"
	stop_weir
}

ends_well() {
	end_process "$WEIR_PID"
}

need perl sqlite3
need_root
need_milter
for story in policyd_stalled policyd_order milter_stalled milter_quiet; do
	$story
	clean_up
done
plan
