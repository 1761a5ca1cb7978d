#!/bin/bash
# Greylisting as a sending host sees it: real Postfix, real mail, weir-policyd on each store.
# usage: postfix_greylist.sh [embedded|redis]...

# shellcheck source=tests/system/lib.sh disable=SC1091,SC2119
. "$(dirname "$0")/lib.sh"

# Each story plays a client in a network of its own, for one that has passed is allowed in the next.

# deferred_as WHY: the log line of the last refused session, found by the id in the reply.
deferred_as() {
	local id
	id=$(reply_id)
	[ -n "$id" ] && logged "verdict=defer why=$1 .*id=$id"
}

# headers SUBJECT COUNT: every delivered copy holds so many X-Greylist headers.
headers() {
	local file
	for file in $(delivered "$1"); do
		[ "$(grep -c '^X-Greylist:' "$file")" -eq "$2" ] || return 1
	done
}

header_tells_delay() {
	grep -q -E '^X-Greylist: delayed [0-9]+ seconds by weir at mx1\.test; ' "$(delivered "$1")"
}

first_delivery_and_retries() {
	local mail=(192.0.2.1 alice@sender.test bob@local.test --header)

	send_as "${mail[@]}" 'Subject: first'
	ok "$STORE: a first delivery is answered 451" reply_to RCPT 451
	ok "$STORE: with enhanced code, text and id" \
		grep -q -E '^<\*\* 451 4\.7\.1 .*Greylisted, please try again later \(id [^)]+\)' "$PRIVATE/dialogue"
	ok "$STORE: the log names reason and id" deferred_as greylist-new

	send_as "${mail[@]}" 'Subject: early'
	ok "$STORE: an early retry is answered 451" reply_to RCPT 451
	ok "$STORE: the log calls it early" deferred_as greylist-early

	wait_out_delay
	send_as "${mail[@]}" 'Subject: retry'
	ok "$STORE: the retry after the delay is answered 250" reply_to RCPT 250
	ok "$STORE: the log has one line for the first pass" logged 'verdict=accept why=greylist-passed .*rcpt=bob@local.test'
	ok "$STORE: the message arrives" await 10 copies retry 1
	ok "$STORE: with exactly one X-Greylist header" headers retry 1
	ok "$STORE: which tells the delay" header_tells_delay retry

	send_as "${mail[@]}" 'Subject: again'
	ok "$STORE: the next message of the same triplet passes at once" reply_to RCPT 250
	ok "$STORE: it arrives" await 10 copies again 1
	ok "$STORE: without the header" headers again 0
}

allowed_identity() {
	send_as 192.0.2.77 carol@elsewhere.test dave@local.test
	ok "$STORE: after a pass the whole network is allowed" reply_to RCPT 250
	ok "$STORE: and the log says why" logged 'why=client-allowed.*sender=carol@elsewhere.test'
}

null_sender() {
	local mail=(203.0.113.9 '<>' bob@local.test --header)

	send_as "${mail[@]}" 'Subject: bounce'
	ok "$STORE: a null sender passes RCPT" reply_to RCPT 250
	ok "$STORE: and is deferred at DATA" reply_to DATA 451
	wait_out_delay
	send_as "${mail[@]}" 'Subject: bounce'
	ok "$STORE: its retry passes DATA" reply_to DATA 354
	ok "$STORE: and arrives" await 10 copies bounce 1
}

ipv6_client() {
	send_as IPV6:2001:db8:1::1 alice@sender.test bob@local.test
	ok "$STORE: a first delivery over IPv6 is answered 451" reply_to RCPT 451
	ok "$STORE: the log names its /64" logged 'why=greylist-new .*identity=2001:db8:1::/64 '
	wait_out_delay
	send_as IPV6:2001:db8:1:0:ffff::2 alice@sender.test bob@local.test
	ok "$STORE: the retry from the same /64 is answered 250" reply_to RCPT 250
}

exemptions() {
	send alice@home.test bob@local.test
	ok "$STORE: a client of the own networks passes" reply_to RCPT 250
	ok "$STORE: and the log says why" logged 'why=own-network.*sender=alice@home.test'

	send_as '100.64.20.1 LOGIN=alice' alice@roaming.test bob@local.test
	ok "$STORE: an authenticated client passes" reply_to RCPT 250
	ok "$STORE: and the log says why" logged 'why=authenticated.*sender=alice@roaming.test'
}

allowed_lists() {
	send_as 198.18.5.5 a1@sender.test bob@local.test
	ok "$STORE: a listed client passes" reply_to RCPT 250
	send_as 100.64.31.1 news@letter.test bob@local.test
	ok "$STORE: a listed sender passes" reply_to RCPT 250
	send_as 100.64.32.1 a2@sender.test postmaster@local.test
	ok "$STORE: a listed recipient passes" reply_to RCPT 250
	ok "$STORE: the log names the list of each" all_lists_logged
}

all_lists_logged() {
	logged 'why=list-client.*client=198.18.5.5' && logged 'why=list-sender.*sender=news@letter.test' &&
		logged 'why=list-recipient.*rcpt=postmaster@local.test'
}

# late_sender_gets REGEX: the answer for a sender that is about to be listed, on the open connection.
late_sender_gets() {
	policy_says "$1" 100.64.40.1 late@entry.test bob@local.test
}

reload() {
	policy_open "$POLICY_PORT"
	ok "$STORE: a sender not listed yet is deferred" late_sender_gets '451 4\.7\.1 '
	echo late@entry.test >>"$PRIVATE/senders"
	kill -HUP "$WEIR_PID"
	ok "$STORE: SIGHUP picks the entry up, the connection stays open" await 10 late_sender_gets 'DUNNO$'
	policy_close
}

several_recipients() {
	send_as 100.64.50.1 alice@many.test x@local.test,y@local.test
	ok "$STORE: each recipient of a message is answered 451" reply_to RCPT '451 451'
	wait_out_delay
	send_as 100.64.50.1 alice@many.test new@local.test,x@local.test,y@local.test --header 'Subject: many'
	ok "$STORE: each is judged by its own triplet" reply_to RCPT '451 250 250'
	ok "$STORE: the message reaches the two that passed" await 10 copies many 2
	ok "$STORE: with one X-Greylist header for both" headers many 1
}

observe() {
	send_as 100.64.60.1 alice@watched.test bob@local.test
	ok "$STORE: observe mode accepts a first delivery" reply_to RCPT 250
	ok "$STORE: and logs what it would have done" logged 'why=greylist-new .*sender=alice@watched.test'
}

write_lists() {
	echo 198.18.0.0/15 >"$PRIVATE/clients"
	echo news@letter.test >"$PRIVATE/senders"
	echo postmaster@local.test >"$PRIVATE/recipients"
}

# restart_weir OPTION...
restart_weir() {
	stop_weir && start_with_store "$@"
}

run_on() {
	STORE=$1
	private_dir
	POLICY_PORT=$(free_port)
	write_settings "$STORE" "$POLICY_PORT"
	write_lists
	if [ "$STORE" = redis ]; then
		ok "$STORE: Redis starts" start_redis || return
	fi
	ok "$STORE: weir-policyd starts" start_with_store || return
	ok "$STORE: Postfix starts" start_postfix "inet:127.0.0.1:$POLICY_PORT" || return

	first_delivery_and_retries
	allowed_identity
	null_sender
	ipv6_client
	exemptions
	allowed_lists
	reload
	ok "$STORE: weir-policyd restarts without client allowance" restart_weir -o greylist.allow_client_after=0 || return
	several_recipients
	ok "$STORE: weir-policyd restarts in observe mode" restart_weir -o greylist.mode=observe || return
	observe
}

need_root
need postfix swaks perl sqlite3
on_each_store run_on "$@"
plan
