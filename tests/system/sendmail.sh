#!/bin/bash
# weir-milter behind a real Sendmail, as sending hosts see it: greylisting, and a limit on deliveries at a destination.
# usage: sendmail.sh [embedded|redis]

# shellcheck source=tests/system/lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/milter_lib.sh disable=SC1091
. "$(dirname "$0")/milter_lib.sh"
# shellcheck source=tests/system/debs_lib.sh disable=SC1091
. "$(dirname "$0")/debs_lib.sh"
# shellcheck source=tests/system/sendmail_lib.sh disable=SC1091
. "$(dirname "$0")/sendmail_lib.sh"

# Every client is 127.0.0.1 here: none is allowed as a whole, and none is of the own networks.
OPTIONS=(-o lists.networks=192.0.2.0/24 -o greylist.exempt_private=false -o greylist.allow_client_after=0)

# ---- a delivery that is held open -----------------------------------------------------------------------------------

HELD=

# hold_delivery FROM TO: a session that has come as far as an accepted recipient.
hold_delivery() {
	{ exec {HELD}<>"/dev/tcp/127.0.0.1/$SMTP_PORT"; } 2>/dev/null && hears 220 && says 'HELO slow.test' 250 &&
		says "MAIL FROM:<$1>" 250 && says "RCPT TO:<$2>" 250
}

# says LINE CODE: that is how the held session is answered.
says() {
	(printf '%s\r\n' "$1" >&"$HELD") && hears "$2"
}

hears() {
	local line
	while read -r -t 20 line <&"$HELD"; do
		[[ $line =~ ^[0-9]{3}- ]] || break
	done
	[[ $line =~ ^$1\  ]]
}

# finish_message SUBJECT: the session goes on.
finish_message() {
	says DATA 354 && says "Subject: $1"$'\r\n\r\n.' 250
}

cut_session() {
	{ exec {HELD}>&-; } 2>/dev/null
}

# ---- what is expected -----------------------------------------------------------------------------------------------

# told TEXT: the last session was refused so, and has an id.
told() {
	grep -q -E "^<\*\* 451 4\.7\.1 $1 \(id [^)]+\)" "$PRIVATE/dialogue"
}

# one_header SUBJECT: the delivered message tells once that it was delayed.
one_header() {
	local file
	file=$(in_inbox "$1")
	[ "$(grep -c '^X-Greylist:' "$file")" -eq 1 ] &&
		grep -q -E '^X-Greylist: delayed [0-9]+ seconds by weir at mx1\.test; ' "$file"
}

# passes FROM TO: a whole mail is accepted.
passes() {
	send "$1" "$2" && reply_to RCPT 250
}

# ---- stories ----------------------------------------------------------------------------------------------------------

greylisting() {
	local mail=(alice@sender.test bob@local.test --header)
	send "${mail[@]}" 'Subject: first'
	ok "a first delivery is answered 451" reply_to RCPT 451
	ok "with enhanced code, text and id" told 'Greylisted, please try again later'
	wait_out_delay
	send "${mail[@]}" 'Subject: retry'
	ok "the retry after the delay is answered 250" reply_to RCPT 250
	ok "the message arrives" await 10 inbox_copies retry 1
	ok "with one X-Greylist header" one_header retry
	send "${mail[@]}" 'Subject: again'
	ok "the next message passes at once" reply_to RCPT 250
}

null_sender() {
	local mail=('<>' bob@local.test --header)
	send "${mail[@]}" 'Subject: bounce'
	ok "a null sender passes RCPT" reply_to RCPT 250
	ok "and is deferred at DATA" reply_to DATA 451
	ok "with the same text" told 'Greylisted, please try again later'
	wait_out_delay
	send "${mail[@]}" 'Subject: bounce'
	ok "its retry passes DATA" reply_to DATA 354
	ok "and arrives" await 10 inbox_copies bounce 1
}

several_recipients() {
	send alice@many.test x@local.test,nobody@local.test,y@local.test
	ok "recipients are judged one by one, Sendmail refuses those unknown" reply_to RCPT '451 550 451'
	wait_out_delay
	send alice@many.test new@local.test,x@local.test,y@local.test --header 'Subject: many'
	ok "those that have waited pass" reply_to RCPT '451 250 250'
	ok "the message reaches them alone" await 10 inbox_copies many 2
}

# busy TO NAME: a second delivery is told that there are too many.
busy() {
	send second@sender.test "$1"
	reply_to RCPT 451 && told "Too many connections to $2, please try again later"
}

destination_limit() {
	ok "a delivery to acme is held open" hold_delivery slow@sender.test a@acme.test
	ok "a second one gets 451" busy b@acme.test acme
	ok "the log says why" logged 'verdict=defer why=destination-concurrency '
	ok "other destinations do not mind" passes second@sender.test bob@local.test
	ok "another recipient of the held delivery is fine" says 'RCPT TO:<c@acme.test>' 250
	ok "the held delivery ends, its session goes on" finish_message held
	ok "the second gets 250" await 10 passes second@sender.test b@acme.test
	ok "both copies of the held message arrive" await 10 inbox_copies held 2

	says 'MAIL FROM:<slow@sender.test>' 250
	ok "the session takes the slot again" says 'RCPT TO:<a@acme.test>' 250
	ok "and a second delivery gets 451" busy b@acme.test acme
	ok "RSET gives it back" says RSET 250
	ok "the second gets 250" await 10 passes second@sender.test b@acme.test
	cut_session

	ok "a delivery is held that breaks off" hold_delivery slow@sender.test a@acme.test
	ok "a second one gets 451 before" busy b@acme.test acme
	cut_session
	ok "and 250 behind" await 10 passes second@sender.test b@acme.test
}

# Domains without a rule of their own go to the smart host, away.test.
next_hop() {
	ok "by next hop: a delivery is held open" hold_delivery slow@sender.test a@one.test
	ok "a second one to another domain of that host gets 451" busy b@two.test away
	cut_session
	ok "and 250 behind" await 10 passes second@sender.test b@two.test
}

# A text that libmilter would take for a format would make Sendmail refuse for good.
per_cent() {
	send alice@percent.test bob@local.test
	ok "a reply with per cent signs arrives as it is" told 'Wait, 100% %d %s of it'
}

weir_away() {
	stop_mx mx1.test
	ok "without weir, mail comes in" passes alice@unseen.test bob@local.test
}

# restart_mx OPTION...
restart_mx() {
	stop_mx mx1.test && start_mx mx1.test "${OPTIONS[@]}" "$@"
}

write_limits() {
	cat >>"$PRIVATE/weir.conf" <<-END
		limits: { destinations = (
			{ name = "acme"; domains = ["acme.test"]; concurrency = 1; },
			{ name = "away"; domains = ["away.test"]; concurrency = 1; }
		); };
	END
}

run() {
	write_settings "$STORE" 10040
	write_limits
	if [ "$STORE" = redis ]; then
		ok "Redis starts" start_redis || return
	fi
	ok "weir-milter starts" start_mx mx1.test "${OPTIONS[@]}" || return
	ok "Sendmail starts" start_sendmail "$PRIVATE/mx1.test.sock" || return
	greylisting
	null_sender
	several_recipients
	ok "weir-milter restarts with a reply of its own" \
		restart_mx -o 'greylist.reply=451 4.7.1 Wait, 100%% %%d %%s of it (id %i)' || return
	per_cent
	ok "weir-milter restarts without greylisting" restart_mx -o greylist.mode=off || return
	destination_limit
	ok "weir-milter restarts with limits by next hop" \
		restart_mx -o greylist.mode=off -o limits.destinations_by=nexthop || return
	next_hop
	weir_away
	stop_sendmail
}

STORE=${1:-embedded}
need_root
need swaks perl sqlite3
[ "$STORE" != redis ] || need redis-server redis-cli
[ -x "$MILTER" ] || skip_all "needs weir-milter"
private_dir
need_sendmail
run
plan
