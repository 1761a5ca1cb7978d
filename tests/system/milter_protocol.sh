#!/bin/bash
# What weir-milter says to an MTA, to an old one, and to one that talks nonsense.

# shellcheck source=tests/system/lib.sh disable=SC1091,SC2119
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/milter_lib.sh disable=SC1091
. "$(dirname "$0")/milter_lib.sh"

OPTIONS=(-o greylist.allow_client_after=0 -o limits.lease=60s -o log.level=info)
HOLD_A=(--first-client 10000)
shopt -s extglob
ABUSE_ROUNDS=1500
MEMORY_KB=15000
[ -z "$SANITIZED" ] || MEMORY_KB=500000 # sanitizers keep freed memory for a while

# ---- an MTA's words -------------------------------------------------------------------------------------------------

# say: has a session say what comes in here; the answers are PRIVATE/said.
say() {
	perl "$SYSTEM_TESTS/milter_say.pl" "$PRIVATE/mx1.sock" >"$PRIVATE/said"
}

# say_and_retry ANSWERS TEXT TEXT: the same; between the two texts, what was deferred in so many answers has waited long
# enough.
say_and_retry() {
	: >"$PRIVATE/said"
	{
		echo "$2"
		await 20 has_answered "$1" && STORE=embedded wait_out_delay
		echo "$3"
	} | say
}

has_answered() {
	[ "$(wc -l <"$PRIVATE/said")" -ge "$1" ]
}

# said LINE...: those are the answers, one a line, each a pattern as in case.
said() {
	local -a lines
	local i
	mapfile -t lines <"$PRIVATE/said"
	for ((i = 0; i < $#; i++)); do
		# shellcheck disable=SC2053
		if [[ ${lines[i]:-} != ${*:i+1:1} ]]; then
			diag "answer $((i + 1)) is \"${lines[i]:-}\""
			return 1
		fi
	done
	[ "${#lines[@]}" -eq $# ]
}

GREYLISTED='reply 451 4.7.1 Greylisted, please try again later (id ??????)'
HEADER='insert 0 X-Greylist delayed * seconds by weir at mx1; *'

# one_message: a mail and its end.
one_message() {
	printf '%s\n' 'mail <a@b.test> SIZE=100' 'rcpt <c@local.test> NOTIFY=NEVER' data eom
}

greylisting() {
	say_and_retry 6 'negotiate 6 0x1ff 0xfff
		macro C _ mail.example.net [192.0.2.1]
		connect 192.0.2.1 1000 mail.example.net
		helo mail.example.net
		mail <a@b.test>
		rcpt <c@local.test>
		rcpt <d@local.test>
		abort
		abort' "$(one_message)
		$(one_message)
		mail <a@b.test>
		rcpt <d@local.test>
		rcpt <c@local.test>
		eom
		quit"
	ok "greylisting: deferred, passed with a header, once, known; many messages in one session" said \
		'O 6 0x101 0x972' continue continue continue "$GREYLISTED" "$GREYLISTED" \
		continue continue continue "$HEADER" continue continue continue continue continue \
		continue continue continue "$HEADER" continue
}

# The null sender is let through at RCPT, since a callout ends there.
bounces() {
	say <<-END
		negotiate 6 0x1ff 0xfff
		connect 192.0.2.2 1000
		mail <>
		rcpt <c@local.test>
		data
		abort
		mail <>
		rcpt <c@local.test>
		abort
		quit
	END
	ok "bounce: deferred at DATA" said 'O *' continue continue continue "$GREYLISTED" continue continue
}

peers() {
	say <<-END
		negotiate 6 0x1ff 0xfff
		connect 2001:db8::1 1000
		$(one_message)
		quit
	END
	ok "an IPv6 client is greylisted" said 'O *' continue continue "$GREYLISTED" continue continue
	for peer in local unknown '127.0.0.1 1000'; do
		say <<-END
			negotiate 6 0x1ff 0xfff
			connect $peer
			$(one_message)
			quit
		END
		ok "a client at $peer is not" said 'O *' continue continue continue continue continue
	done
}

# old NAME OFFER NEGOTIATED HEADER: an MTA that offers less is served as well as can be.
old() {
	local client=192.0.$((NEXT_CLIENT++)).1
	say_and_retry 4 "negotiate $2
		connect $client 1000
		mail <a@b.test>
		rcpt <c@local.test>
		abort" 'mail <a@b.test>
		rcpt <c@local.test>
		eom
		quit'
	ok "$1: served" said "$3" continue continue "$GREYLISTED" continue continue ${4:+"$4"} continue
}
NEXT_CLIENT=10

old_ones() {
	old "an MTA of version 2" '2 0x3f 0x7f' 'O 2 0x1 0x72' "$HEADER"
	old "one that cannot leave steps out" '2 0x3f 0' 'O 2 0x1 0x32' "$HEADER"
	old "one that does not take lists of macros" '6 0xff 0xfff' 'O 6 0x1 0x972' "$HEADER"
	old "one that does not tell of refused recipients" '6 0x1ff 0x7ff' 'O 6 0x101 0x172' "$HEADER"
	old "one that lets nobody add headers" '6 0x1fe 0xfff' 'O 6 0x100 0x972' ''
	old "one of a later version" '99 0xffffffff 0xfff' 'O 6 0x101 0x972' "$HEADER"
}

# What Postfix and Sendmail offer today.
new_ones() {
	say <<-END
		negotiate 6 0x1ff 0x1fffff
		connect 192.0.9.1 1000
		mail <a@b.test>
		rcpt <c@local.test>
		abort
		quit
	END
	ok "an MTA that can do without some answers: served" said 'O 6 0x101 0x*972' '@(none|continue)' '@(none|continue)' \
		"$GREYLISTED"
}

limits() {
	hold a mx1 1 "${HOLD_A[@]}"
	say <<-END
		negotiate 6 0x1ff 0xfff
		connect 198.51.100.1 1000
		mail <a@b.test>
		rcpt <c@local0.test>
		macro R {rcpt_mailer} error
		rcpt <nobody@local0.test>
		rcpt <c@LOCAL1.test>
		rcpt <d@local1.test>
		quit
	END
	ok "limit: the reply names the destination; a recipient that the MTA refuses is of no concern" said \
		'O *' continue continue 'reply 451 4.7.1 Too many connections to local0.test, please try again later (id ??????)' \
		continue continue continue
	ok "limit: a session that quits without an abort holds nothing" await 2 slots_are embedded 1
	release a
	say <<-END
		negotiate 6 0x1ff 0xfff
		connect 198.51.100.1 1000
		mail <a@b.test>
		rcpt <c@local0.test>
		raw 0000002a 52 3c
		pause 0.2
	END
	ok "limit: what was held is free for others" said 'O *' continue continue continue
	ok "limit: nor does one that is cut off in the middle of a command" await 2 slots_are embedded 0
}

says() {
	fresh_milter embedded
	ok "a milter starts" start_mx mx1 "${OPTIONS[@]}" || return
	greylisting
	bounces
	peers
	old_ones
	new_ones
	stop_mx mx1
	ok "a milter starts, with a limit of 1" start_mx mx1 "${NO_GREYLIST[@]}" -o limits.default.concurrency=1 || return
	limits
	ok "it ends with status 0" stop_mx mx1
}

# ---- miltertest -----------------------------------------------------------------------------------------------------

# script NAME [OPTION]...: a script of tests/milter against a fresh milter.
script() {
	fresh_milter embedded
	start_mx mx1 "${@:2}"
	miltertest -D "sock=unix:$PRIVATE/mx1.sock" -D "dir=$TOP/tests/milter" -s "$TOP/tests/milter/$1.lua" \
		>"$PRIVATE/dialogue" 2>&1
	ok "miltertest: $1" grep -q "$1.lua is done" "$PRIVATE/dialogue"
	ok "miltertest: $1: nothing is held afterwards" await 3 slots_are embedded 0
	ok "miltertest: $1: it ends with status 0" stop_mx mx1
	clean_up
}

scripts() {
	if ! command -v miltertest >/dev/null; then
		skip "miltertest" "needs miltertest"
		return
	fi
	script greylist -o greylist.delay=1s
	script sessions -o greylist.delay=1s
	script limits "${NO_GREYLIST[@]}" -o limits.default.concurrency=1
}

# ---- nonsense -------------------------------------------------------------------------------------------------------

abuse() {
	local seed memory descriptors
	fresh_milter "$1"
	ok "nonsense, $1: a milter starts" start_mx mx1 "${NO_GREYLIST[@]}" -o limits.default.concurrency=100 || return
	hold a mx1 5 "${HOLD_A[@]}"
	load_mx mx1 --total 500 --sessions 64 --first-client 30000
	memory=$(status_of mx1 VmRSS)
	descriptors=$(descriptors_of mx1)
	begin_load it mx1 --seconds 30 --sessions 4 --first-client 30000
	for seed in 1 2; do
		perl "$SYSTEM_TESTS/milter_abuse.pl" "$PRIVATE/mx1.sock" "$seed" "$ABUSE_ROUNDS" >"$PRIVATE/abuse" 2>&1
		diag "$(cat "$PRIVATE/abuse")"
		ok "nonsense, $1: it survives $ABUSE_ROUNDS connections of it, seed $seed" \
			grep -q "^rounds=$ABUSE_ROUNDS " "$PRIVATE/abuse"
	done
	end_load it
	ok "nonsense, $1: others are served meanwhile" flawless
	ok "nonsense, $1: none of them waits" in_time
	ok "nonsense, $1: its descriptors are freed" await 10 descriptors_are_back "$descriptors"
	ok "nonsense, $1: it holds nothing" await 3 slots_are "$1" 5
	ok "nonsense, $1: memory grew by less than $((MEMORY_KB / 1000)) MB" \
		[ "$(status_of mx1 VmRSS)" -lt $((memory + MEMORY_KB)) ]
	release a
	ok "nonsense, $1: a delivery that was under way all the time ends well" flawless
	ok "nonsense, $1: it ends with status 0" stop_mx mx1
}

descriptors_are_back() {
	[ "$(descriptors_of mx1)" -le $(($1 + 2)) ]
}

need_milter
need sqlite3
STORIES=("$@")
[ $# -gt 0 ] || STORIES=(says scripts)
if [ $# -eq 0 ]; then
	for store in "${STORES[@]}"; do
		STORIES+=("abuse $store")
	done
fi
for story in "${STORIES[@]}"; do
	$story
	clean_up
done
plan
