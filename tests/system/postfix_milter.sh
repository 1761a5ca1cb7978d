#!/bin/bash
# weir-milter alone behind a real Postfix, on each store: greylisting and limits as sending hosts see them.
# usage: postfix_milter.sh [embedded|redis]...

# shellcheck source=tests/system/lib.sh disable=SC1091,SC2119
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/milter_lib.sh disable=SC1091
. "$(dirname "$0")/milter_lib.sh"
# shellcheck source=tests/system/postfix_lib.sh disable=SC1091
. "$(dirname "$0")/postfix_lib.sh"
# shellcheck source=tests/system/ctl_lib.sh disable=SC1091
. "$(dirname "$0")/ctl_lib.sh"

ACME='destinations = ( { name = "acme"; domains = ["acme.test"]; concurrency = 2; } );'

# Each of these plays a client in a network of its own, for one that has passed is allowed in the next.
SEVERAL=(100.64.1.1 alice@many.test 'x@local.test,y@acme.test' --header 'Subject: several')
NULL=(100.64.2.1 '<>' bob@local.test --header 'Subject: bounce')

# ---- greylisting ----------------------------------------------------------------------------------------------------

first_tries() {
	send_as 192.0.2.1 alice@sender.test bob@local.test
	ok "$STORE: a first delivery is answered 451" reply_to RCPT 451
	ok "$STORE: with enhanced code, text and id" told '451 4\.7\.1 Greylisted, please try again later'
	send_as 192.0.2.1 alice@sender.test bob@local.test
	ok "$STORE: an early retry, too" logged "why=greylist-early .*id=$(reply_id)"
	send_as "${SEVERAL[@]}"
	ok "$STORE: each recipient of a message is answered 451" reply_to RCPT '451 451'
	send_as "${NULL[@]}"
	ok "$STORE: a null sender passes RCPT" reply_to RCPT 250
	ok "$STORE: and is deferred at DATA" reply_to DATA 451
	ok "$STORE: with the same text" told '451 4\.7\.1 Greylisted, please try again later'
	ok "$STORE: and holds no slot then" held 0
	send_as IPV6:2001:db8:1::1 alice@sender.test bob@local.test
	ok "$STORE: a first delivery over IPv6 is answered 451" reply_to RCPT 451
	ok "$STORE: the log names its /64" logged 'why=greylist-new .*identity=2001:db8:1::/64 '
}

# queue_id: of the last message, as Postfix says at its end.
queue_id() {
	sed -n 's/^<-  250 2\.0\.0 Ok: queued as //p' "$PRIVATE/dialogue"
}

retries() {
	send_as 192.0.2.1 alice@sender.test bob@local.test --header 'Subject: retry'
	ok "$STORE: the retry after the delay is answered 250" reply_to RCPT 250
	ok "$STORE: the message arrives" await 10 copies retry 1
	ok "$STORE: why: finds it by its queue id" await 5 tells ' greylist-passed .*alice@sender\.test' why --queue "$(queue_id)"
	ok "$STORE: with one X-Greylist header" headers retry 1
	ok "$STORE: which tells the delay" \
		grep -q -E '^X-Greylist: delayed [0-9]+ seconds by weir at mx1\.test; ' "$(delivered retry)"
	send_as 192.0.2.1 alice@sender.test bob@local.test --header 'Subject: again'
	ok "$STORE: the next message passes at once" reply_to RCPT 250
	ok "$STORE: it arrives" await 10 copies again 1
	ok "$STORE: without the header" headers again 0

	send_as "${SEVERAL[@]}"
	ok "$STORE: a retry with several recipients is answered 250" reply_to RCPT '250 250'
	ok "$STORE: it reaches all of them" await 10 copies several 2
	ok "$STORE: with one X-Greylist header for all" headers several 1

	send_as "${NULL[@]}"
	ok "$STORE: the null sender's retry passes DATA" reply_to DATA 354
	ok "$STORE: and arrives" await 10 copies bounce 1
	ok "$STORE: with one X-Greylist header" headers bounce 1

	send_as IPV6:2001:db8:1:0:ffff::2 alice@sender.test bob@local.test
	ok "$STORE: the retry from the same /64 is answered 250" reply_to RCPT 250
}

exemptions() {
	send alice@home.test bob@local.test
	ok "$STORE: a client of the own networks passes" reply_to RCPT 250
	ok "$STORE: and the log says why" logged 'why=own-network.*sender=alice@home.test'
	send_as 192.168.20.1 printer@home.test bob@local.test
	ok "$STORE: a client with a private address passes" reply_to RCPT 250
	ok "$STORE: and the log says why" logged 'why=private-network.*sender=printer@home.test'
	send_as IPV6:fd00:20::1 scanner@home.test bob@local.test
	ok "$STORE: with one of IPv6, too" reply_to RCPT 250
	send_as '100.64.20.1 LOGIN=alice' alice@roaming.test bob@local.test
	ok "$STORE: an authenticated client passes" reply_to RCPT 250
	ok "$STORE: and the log says why" logged 'why=authenticated.*sender=alice@roaming.test'
}

# What happens in one session: each message is judged by itself.
one_session() {
	smtp_open talk ADDR=100.64.30.1
	smtp talk 250 'MAIL FROM:<a@talk.test>'
	ok "$STORE: one session: the first message is greylisted" smtp talk '451 4.7.1 Greylisted' 'RCPT TO:<b@local.test>'
	smtp talk 250 RSET
	smtp talk 250 'MAIL FROM:<>'
	ok "$STORE: one session: a bounce passes RCPT" smtp talk 250 'RCPT TO:<b@acme.test>'
	ok "$STORE: one session: and holds a slot" held 1
	ok "$STORE: one session: until it is deferred at DATA" smtp talk '451 4.7.1 Greylisted' DATA
	ok "$STORE: one session: then none" held 0
	smtp talk 250 RSET
	begin_delivery talk '' b@acme.test
	ok "$STORE: one session: with BDAT, too" smtp talk '451 4.7.1 Greylisted' $'BDAT 9 LAST\r\nbounce!'
	smtp talk 250 RSET
	smtp talk 250 'MAIL FROM:<a@talk.test>'
	smtp talk 250 'RCPT TO:<postmaster@local.test>'
	ok "$STORE: one session: a listed recipient's message is taken" send_message talk listed
	ok "$STORE: one session: a held one holds a slot" begin_delivery talk a@talk.test postmaster@acme.test
	ok "$STORE: one session: only that" held 1
	quit_delivery talk
	ok "$STORE: one session: and none at its end" held 0
	ok "$STORE: one session: the message arrives without a header" await 10 copies listed 1
	ok "$STORE: one session: and without a trace of the bounce" headers listed 0
}

# ---- a destination's limit ------------------------------------------------------------------------------------------

# two_held: as many as acme takes.
two_held() {
	hold_delivery one "$OWN" a@sender.test bob@acme.test && hold_delivery two 192.0.2.1 b@sender.test bob@acme.test
}

# ends_by NAME SECONDS COMMAND...: when that has ended a delivery, the third passes within that time.
ends_by() {
	ok "$STORE: two deliveries to acme are under way, before $1" two_held
	ok "$STORE: the third gets 451" busy carol@acme.test acme
	ok "$STORE: other destinations do not mind" passes bob@other.test
	"${@:3}"
	ok "$STORE: the third passes after $1" await "$2" passes carol@acme.test
	quit_delivery two
	[ -z "${SMTP[one]:-}" ] || quit_delivery one
	ok "$STORE: no slot is left after $1" held 0
}

# new_mail NAME: Postfix tells the milter of RSET with the next MAIL.
new_mail() {
	smtp "$1" 250 RSET && smtp "$1" 250 'MAIL FROM:<a@sender.test>'
}

destination_limit() {
	ok "$STORE: weir-milter limits acme to 2" milter_with "$ACME" || return
	ends_by "the end of the message" 0 send_message one
	ends_by "the last BDAT" 0 smtp one 250 $'BDAT 9 LAST\r\nlength!'
	ends_by "RSET and the next MAIL" 5 new_mail one
	ends_by "QUIT" 5 quit_delivery one
	ends_by "the client's vanishing" 5 vanish one
}

recipients_of_one_mail() {
	ok "$STORE: one mail has three recipients at acme" \
		hold_delivery one "$OWN" a@sender.test x@acme.test y@acme.test z@acme.test
	ok "$STORE: they share a slot" held 1
	ok "$STORE: another mail goes to two destinations" hold_delivery two "$OWN" a@sender.test x@acme.test x@other.test
	ok "$STORE: and holds a slot where there is a limit" held 2
	ok "$STORE: there is no room at acme any more" busy carol@acme.test acme
	smtp two 250 'RCPT TO:<y@acme.test>'
	ok "$STORE: but for another recipient of a mail that is under way" send_message two
	ok "$STORE: its slot is free again" held 1
	quit_delivery one
	quit_delivery two
}

# All of these reach bob@acme.test.
written_in_another_way() {
	local to
	hold_delivery one "$OWN" a@sender.test bob@acme.test carol@acme.test
	hold_delivery two "$OWN" a@sender.test bob@acme.test
	for to in 'BOB@Acme.Test.' '"bob"@acme.test' '@relay.test:bob@acme.test' ' bob@acme.test ' 'bob@ acme.test' \
		'bob@acme.test(home)' 'bob@"acme.test"' '"bob@acme.test"' 'b\ob@ac\me.test' 'bob%acme.test' 'acme.test!bob'; do
		ok "$STORE: written in another way, it is acme all the same: $to" busy "$to" acme
	done
	quit_delivery one
	quit_delivery two
}

# refused_by_postfix CODE TO: from a client that greylisting has never seen.
refused_by_postfix() {
	attempt 100.64.66.1 alice@refused.test "$2" "$1"
}

mta_refuses() {
	local before
	before=$(triplets)
	ok "$STORE: Postfix refuses an unknown user" refused_by_postfix 550 unknown@acme.test
	ok "$STORE: and one that its map refuses" refused_by_postfix 554 rejected@acme.test
	ok "$STORE: weir stores nothing of them" [ "$(triplets)" -eq "$before" ]
	smtp_open part && smtp part 250 'MAIL FROM:<a@sender.test>'
	smtp part 550 'RCPT TO:<unknown@acme.test>'
	ok "$STORE: in a session that goes on it takes no slot" slots_are "$STORE" 0
	smtp part 250 'RCPT TO:<known@acme.test>'
	smtp part 554 'RCPT TO:<rejected@acme.test>'
	ok "$STORE: one behind an accepted one does not give back that one's" slots_are "$STORE" 1
	ok "$STORE: the mail is taken" send_message part
	ok "$STORE: and its slot is free" held 0
	begin_delivery part a@sender.test bob@acme.test
	ok "$STORE: Postfix refuses a message for its content" not send_message part refused
	ok "$STORE: the next one has its slot" \
		begin_delivery part a@sender.test bob@acme.test
	ok "$STORE: and none more" slots_are "$STORE" 1
	quit_delivery part
	ok "$STORE: which is free at the end" held 0
}

exempt_from_limits() {
	echo 'vip@acme.test limits=false' >>"$PRIVATE/recipients"
	ok "$STORE: weir-milter restarts with an exempt recipient" milter_with "$ACME" || return
	ok "$STORE: two deliveries to acme are under way" two_held
	ok "$STORE: an exempt recipient has room" passes vip@acme.test
	ok "$STORE: another one has not" busy carol@acme.test acme
	stop_milter
	ok "$STORE: without weir-milter, mail comes in" passes carol@acme.test
	vanish one
	vanish two
}

# ---- other limits ---------------------------------------------------------------------------------------------------

replies() {
	local own='{ name = "acme"; domains = ["acme.test"]; concurrency = 1; reply = "451 4.4.5 %n is 100%% full, %%s (id %i)"; }'
	local watched='{ name = "other"; domains = ["other.test"]; concurrency = 1; mode = "observe"; }'
	ok "$STORE: weir-milter starts with replies of its own" milter_with "destinations = ( $own, $watched );" || return
	hold_delivery one "$OWN" a@sender.test x@acme.test x@other.test
	ok "$STORE: a reply of its own arrives, its per cent signs single" \
		limited destination-concurrency '451 4.4.5 acme is 100% full, %s (id ' "$OWN" a@sender.test y@acme.test
	ok "$STORE: mode observe lets a second one pass" passes watched@other.test
	ok "$STORE: and logs what it would have done" \
		logged 'why=destination-concurrency observed=1 .*rcpt=watched@other.test '
	quit_delivery one
}

not_enforced() {
	ok "$STORE: weir-milter starts without enforcing" milter_with "$ACME" -o milter.enforce=false || return
	two_held
	ok "$STORE: not enforced: a third one passes" passes third@acme.test
	ok "$STORE: not enforced: the log has what it would have done" \
		logged 'why=destination-concurrency observed=1 .*rcpt=third@acme.test '
	ok "$STORE: not enforced: a new client passes" passes new@local.test a@sender.test 100.64.70.1
	ok "$STORE: not enforced: the log has that, too" logged 'why=greylist-new observed=1 .*rcpt=new@local.test '
	ok "$STORE: not enforced: slots are held" held 2
	vanish one
	vanish two
	ok "$STORE: not enforced: and given back" held 0
}

rates() {
	local over='451 4.7.1 Rate limit exceeded, please try again later (id '
	forget_limits
	ok "$STORE: weir-milter limits rates" milter_with '
		destinations = ( { name = "acme"; domains = ["acme.test"]; concurrency = 9; messages = "3/1h"; },
			{ name = "other"; domains = ["other.test"]; messages = "4/1h"; recipients = "5/1h"; } );' || return
	ok "$STORE: messages that are given up leave nothing" given_up bob@acme.test
	ok "$STORE: and use nothing up: 3 messages an hour are 3" goes_through 3 passes bob@acme.test
	ok "$STORE: the text and the log say so" \
		limited destination-messages "$over" "$OWN" a@sender.test bob@acme.test
	hold_delivery one "$OWN" a@sender.test w@other.test x@other.test y@other.test
	ok "$STORE: a rate does not mind how many are under way" hold_delivery two "$OWN" a@sender.test x@other.test
	ok "$STORE: a deferred attempt uses nothing up" limited greylist-new 451 100.64.80.1 a@sender.test x@other.test
	ok "$STORE: the fifth recipient passes" smtp two 250 'RCPT TO:<y@other.test>'
	ok "$STORE: the sixth does not" smtp two "$over" 'RCPT TO:<z@other.test>'
	ok "$STORE: the log says so" logged 'why=destination-recipients .*rcpt=z@other.test'
	send_message two
	ok "$STORE: nor does it in a message of its own" \
		limited destination-recipients "$over" "$OWN" a@sender.test v@other.test
	quit_delivery one
	quit_delivery two
}

# scope NAME: a second delivery of that one gets 451.
scope() {
	limited "$1-concurrency" '451 4.7.1 Too many connections from you, please try again later (id ' "${@:2}"
}

scopes() {
	ok "$STORE: weir-milter limits clients, senders and users" \
		milter_with 'clients: { concurrency = 3; }; senders: { concurrency = 2; }; users: { concurrency = 1; };' \
		-o greylist.mode=off || return
	hold_delivery one '192.0.2.1 LOGIN=alice' a@one.test bob@acme.test
	ok "$STORE: a user's second delivery gets 451" scope user '198.51.100.1 LOGIN=alice' a@two.test bob@acme.test
	hold_delivery two 198.51.100.1 a@one.test bob@acme.test
	ok "$STORE: a sender's third gets 451" scope sender 203.0.113.1 a@one.test bob@acme.test
	hold_delivery three 192.0.2.2 a@three.test bob@acme.test
	hold_delivery four 192.0.2.3 a@four.test bob@acme.test
	ok "$STORE: the fourth of a network gets 451" scope client 192.0.2.4 a@five.test bob@acme.test
	ok "$STORE: another network's passes" passes bob@acme.test a@five.test 203.0.113.1
	ok "$STORE: a client over IPv6 has room" \
		hold_delivery six '' a@six.test bob@acme.test
	quit_delivery one
	ok "$STORE: the user has room again" await 5 passes bob@acme.test a@two.test '198.51.100.1 LOGIN=alice'
	for name in two three four six; do
		quit_delivery "$name"
	done
	ok "$STORE: no slot is left" held 0

	hold_delivery one IPV6:2001:db8:7::1 a@one.test bob@acme.test
	hold_delivery two IPV6:2001:db8:7::2 a@two.test bob@acme.test
	hold_delivery three IPV6:2001:db8:7::3 a@three.test bob@acme.test
	ok "$STORE: the fourth of a /64 gets 451" scope client IPV6:2001:db8:7::4 a@four.test bob@acme.test
	ok "$STORE: holders have IPv6 addresses" held 2 2001:db8:7::1
	for name in one two three; do
		vanish "$name"
	done
}

next_hop() {
	ok "$STORE: weir-milter limits next hops" milter_with '
		destinations_by = "nexthop"; default: { concurrency = 1; };
		destinations = ( { name = "house"; domains = ["backend"]; concurrency = 2; } );' || return
	hold_delivery one "$OWN" a@sender.test bob@acme.test
	hold_delivery two "$OWN" a@sender.test bob@other.test
	ok "$STORE: two domains of a next hop share its limit" busy bob@other.test house
	ok "$STORE: another next hop has room" passes bob@third.test
	vanish one
	ok "$STORE: there is room again when one ends" await 5 passes bob@other.test
	vanish two
}

# ---------------------------------------------------------------------------------------------------------------------

# Two domains go to one next hop; some recipients are refused.
start_postfix_here() {
	local refuse='check_recipient_access inline:{ rejected@acme.test=REJECT }'
	start_postfix '' "unix:$PRIVATE/milter.sock" \
		'transport_maps = inline:{ acme.test=virtual:backend, other.test=virtual:backend }' \
		'virtual_mailbox_maps = regexp:{{!/^unknown@/ inbox/}}' \
		'header_checks = regexp:{{/^Subject: refused/ REJECT}}' \
		"smtpd_recipient_restrictions = reject_unauth_destination, $refuse"
}

run_on() {
	STORE=$1
	private_dir
	POLICY_PORT=$(free_port)
	if [ "$STORE" = redis ]; then
		ok "$STORE: Redis starts" start_redis || return
	fi
	mkdir "$PRIVATE/db"
	echo postmaster@ >"$PRIVATE/recipients"
	ok "$STORE: weir-milter starts" milter_with "$ACME" || return
	ok "$STORE: Postfix starts" start_postfix_here || return
	first_tries
	one_session
	wait_out_delay
	retries
	exemptions
	destination_limit
	recipients_of_one_mail
	written_in_another_way
	mta_refuses
	exempt_from_limits
	replies
	not_enforced
	rates
	scopes
	next_hop
}

need_postfix_and_stores
on_each_store run_on "$@"
plan
