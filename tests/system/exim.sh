#!/bin/bash
# weir-policyd behind a real Exim, which opens a connection for each question, wired as etc/exim-weir.conf says: greylisting, and
# limits on messages and on deliveries at once.
# usage: exim.sh [embedded|redis]...

# shellcheck source=tests/system/lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/milter_lib.sh disable=SC1091
. "$(dirname "$0")/milter_lib.sh"
# shellcheck source=tests/system/debs_lib.sh disable=SC1091
. "$(dirname "$0")/debs_lib.sh"
# shellcheck source=tests/system/exim_lib.sh disable=SC1091
. "$(dirname "$0")/exim_lib.sh"

# Every client is 127.0.0.1 here: none is allowed as a whole, and none is of the own networks.
OPTIONS=(-o lists.networks=192.0.2.0/24 -o greylist.exempt_private=false -o greylist.allow_client_after=0)

# told TEXT: the last session was refused so, and has an id that the log holds.
told() {
	local id
	id=$(reply_id)
	grep -q -E "^<\*\* 451 4\.7\.1 $1 \(id " "$PRIVATE/dialogue" && [ -n "$id" ] && logged "verdict=defer .*id=$id"
}

# answered COMMAND CODES FROM TO...: a session is answered so.
answered() {
	send "${@:3}"
	reply_to "$1" "$2"
}

# busy TO NAME: a second delivery is told that there are too many.
busy() {
	send second@sender.test "$1"
	reply_to RCPT 451 && told "Too many connections to $2, please try again later"
}

passes() {
	answered RCPT 250 second@sender.test "$1"
}

held() {
	await 5 slots_are "$STORE" "$1"
}

# one_header SUBJECT: every delivered copy tells once that it was delayed.
one_header() {
	local file n=0
	while read -r file; do
		[ "$(grep -c '^X-Greylist: delayed [0-9]* seconds by weir at mx1\.test; ' "$file")" -eq 1 ] || return
		n=$((n + 1))
	done < <(inbox_files "$1")
	[ "$n" -gt 0 ]
}

greylisting() {
	local mail=(alice@sender.test bob@local.test --header)
	ok "$STORE: a first delivery is answered 451" answered RCPT 451 "${mail[@]}" 'Subject: first'
	ok "$STORE: with enhanced code, text and id" told 'Greylisted, please try again later'
	ok "$STORE: several recipients are judged one by one, Exim refuses those unknown" \
		answered RCPT '451 550 451' alice@many.test x@local.test,nobody@local.test,y@local.test
	ok "$STORE: a null sender passes RCPT" answered RCPT 250 '<>' bob@local.test
	ok "$STORE: and is deferred at DATA" reply_to DATA 451
	ok "$STORE: with the same text" told 'Greylisted, please try again later'
	wait_out_delay
	ok "$STORE: the retry after the delay is answered 250" answered RCPT 250 "${mail[@]}" 'Subject: retry'
	ok "$STORE: the message arrives" await 10 inbox_copies retry 1
	ok "$STORE: with one X-Greylist header" one_header retry
	ok "$STORE: the next message passes at once" answered RCPT 250 "${mail[@]}" 'Subject: again'
	ok "$STORE: a retry to several passes" \
		answered RCPT '250 250' alice@many.test x@local.test,y@local.test --header 'Subject: many'
	ok "$STORE: the message reaches both" await 10 inbox_copies many 2
	ok "$STORE: with one header" one_header many
	ok "$STORE: the null sender's retry passes DATA" answered DATA 354 '<>' bob@local.test --header 'Subject: bounce'
	ok "$STORE: and arrives" await 10 inbox_copies bounce 1
}

# What would end a line, a list, an argument or a pattern.
odd_addresses() {
	local from to
	for from in "a%b@sender.test" "'\$\{x\}'@sender.test" '"a:b{c}d"@sender.test'; do
		for to in 'x%y@local.test' '"a b"@local.test' '"a{b"@local.test'; do
			smtp_open odd && smtp odd 250 "MAIL FROM:<$from>" && smtp odd 4 "RCPT TO:<$to>"
			ok "$STORE: $from to $to: asked about" logged "why=greylist-new .*id=$(sed -n 's/.*(id \([^)]*\)).*/\1/p' <<<"$SMTP_REPLY")"
			quit_delivery odd
		done
	done
	ok "$STORE: no question was malformed" never_logged malformed
}

deliveries_at_once() {
	local to=(slow@sender.test a@acme.test c@acme.test)
	ok "$STORE: a delivery to two of acme is held open" hold_delivery one '' "${to[@]}"
	ok "$STORE: it holds one slot" held 1
	ok "$STORE: a second one gets 451" busy b@acme.test acme
	ok "$STORE: other destinations do not mind" passes bob@local.test
	ok "$STORE: the held delivery ends, its session goes on" send_message one
	ok "$STORE: its slot is free" held 0
	ok "$STORE: the session takes the slot again" begin_delivery one "${to[@]}"
	ok "$STORE: and a second delivery gets 451" busy b@acme.test acme
	ok "$STORE: RSET, and the next message" smtp one 250 RSET
	ok "$STORE: is the same session's: one slot" begin_delivery one "${to[@]}"
	ok "$STORE: held by it" held 1
	ok "$STORE: QUIT gives it back" quit_delivery one
	ok "$STORE: at once" held 0
	ok "$STORE: a delivery is held that breaks off" hold_delivery one '' "${to[@]}"
	ok "$STORE: a second one gets 451 before" busy b@acme.test acme
	vanish one
	ok "$STORE: and 250 behind" await 10 passes b@acme.test
	hold_delivery one '' "${to[@]}"
	ok "$STORE: a message that Exim refuses at its end" not send_message one refused
	ok "$STORE: gives its slot back with the session" quit_delivery one
	ok "$STORE: all of them" held 0
}

messages() {
	ok "$STORE: a message to other begins" hold_delivery given '' a@sender.test x@other.test
	ok "$STORE: is given up" smtp given 250 RSET
	quit_delivery given
	ok "$STORE: and uses nothing up: two an hour pass, however many recipients they have" \
		answered RCPT '250 250' a@sender.test x@other.test,y@other.test
	ok "$STORE: the second" answered RCPT '250 250' a@sender.test x@other.test,z@other.test
	ok "$STORE: the third does not" answered RCPT 451 a@sender.test x@other.test
	ok "$STORE: with the text of rates" told 'Rate limit exceeded, please try again later'
}

weir_away() {
	stop_weir
	ok "$STORE: without weir, mail comes in" answered RCPT 250 alice@unseen.test bob@local.test --header 'Subject: away'
	ok "$STORE: and arrives" await 10 inbox_copies away 1
}

run_on() {
	STORE=$1
	private_dir
	need_exim
	PORT=$(free_port) || return
	write_settings "$STORE" "$PORT" 'limits: { destinations = (
		{ name = "acme"; domains = ["acme.test"]; concurrency = 1; },
		{ name = "other"; domains = ["other.test"]; messages = "2/1h"; } ); };'
	if [ "$STORE" = redis ]; then
		ok "$STORE: Redis starts" start_redis || return
	fi
	ok "$STORE: weir-policyd starts" start_with_store "${OPTIONS[@]}" || return
	ok "$STORE: Exim starts" start_exim "$TOP/etc/exim-weir.conf" "$PORT" || return
	greylisting
	odd_addresses
	stop_weir
	ok "$STORE: weir-policyd starts without greylisting" start_with_store "${OPTIONS[@]}" -o greylist.mode=off || return
	deliveries_at_once
	messages
	weir_away
	stop_exim
}

need_root
need swaks perl sqlite3
on_each_store run_on "$@"
plan
