#!/bin/bash
# weir-policyd and weir-milter behind one Postfix, on each store: they give one answer, and nothing counts twice. Then
# the policy service alone.
# usage: postfix_limits.sh [embedded|redis]...

# shellcheck source=tests/system/lib.sh disable=SC1091,SC2119
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/milter_lib.sh disable=SC1091
. "$(dirname "$0")/milter_lib.sh"
# shellcheck source=tests/system/postfix_lib.sh disable=SC1091
. "$(dirname "$0")/postfix_lib.sh"

OVER='451 4.7.1 Rate limit exceeded, please try again later (id '

# Each of these plays a client in a network of its own.
MAIL=(192.0.2.1 alice@sender.test 'bob@acme.test,carol@acme.test')
NULL=(100.64.2.1 '<>' bob@other.test --header 'Subject: bounce')

# acme NAME=VALUE...: a limit of that destination.
acme() {
	printf 'destinations = ( { name = "acme"; domains = ["acme.test"]; %s } );' "$*"
}

# both_with LIMITS [OPTION]...: both daemons anew.
both_with() {
	stop_weir
	milter_with "$@" && start_with_store "${@:2}"
}

# ---- both -----------------------------------------------------------------------------------------------------------

both_greylist() {
	ok "$STORE: both: they start" both_with "$(acme 'concurrency = 2;')
		default: { recipients = \"2/1h\"; };" || return
	send_as "${MAIL[@]}"
	ok "$STORE: both: a first delivery is answered 451" reply_to RCPT '451 451'
	send_as "${NULL[@]}"
	ok "$STORE: both: a null sender is deferred at DATA" eval 'reply_to RCPT 250 && reply_to DATA 451'
	send_as "${NULL[@]}"
	ok "$STORE: both: its retry, too" reply_to DATA 451
	ok "$STORE: both: nothing is held" held 0
	wait_out_delay
	send_as "${MAIL[@]}" --header 'Subject: retry'
	ok "$STORE: both: the retry after the delay is answered 250" reply_to RCPT '250 250'
	ok "$STORE: both: it arrives" await 10 copies retry 2
	ok "$STORE: both: with one X-Greylist header" headers retry 1
	send_as "${NULL[@]}"
	ok "$STORE: both: the null sender's passes DATA" reply_to DATA 354
	ok "$STORE: both: it arrives" await 10 copies bounce 1
	ok "$STORE: both: with one X-Greylist header" headers bounce 1
	ok "$STORE: both: its deferrals used nothing up of a rate" goes_through 1 passes carol@other.test
}

# both_hold CLIENT: one delivery of two recipients.
both_hold() {
	ok "$STORE: both: a delivery of two recipients is under way" \
		hold_delivery one "$1" a@sender.test bob@acme.test carol@acme.test
	ok "$STORE: both: it holds one slot" held 1
	ok "$STORE: both: the milter holds it" held 1 m/mx1.test/
}

both_slots() {
	echo 2001:db8:8::/48 >"$PRIVATE/clients"
	ok "$STORE: both: they start with a limit of 2" both_with "$(acme 'concurrency = 2;')" || return
	both_hold "$OWN"
	hold_delivery two '127.0.0.9 PORT=4711' a@sender.test bob@acme.test
	ok "$STORE: both: two hold two" held 2
	ok "$STORE: both: the third gets 451" busy carol@acme.test acme
	ok "$STORE: both: one ends by its message" send_message one
	ok "$STORE: both: the third passes" passes carol@acme.test
	ok "$STORE: both: the session takes the slot again" begin_delivery one a@sender.test bob@acme.test
	ok "$STORE: both: there is no room again" busy carol@acme.test acme
	vanish one
	ok "$STORE: both: the third passes when the client has vanished" await 5 passes carol@acme.test
	ok "$STORE: both: RSET and the next message take no second slot" \
		eval 'smtp two 250 RSET && begin_delivery two b@sender.test bob@acme.test && held 1'
	quit_delivery two
	ok "$STORE: both: no slot is left" held 0
	both_hold 192.0.2.77
	ok "$STORE: both: it ends" finish_delivery one
	both_hold IPV6:2001:db8:8::1
	ok "$STORE: both: it ends" finish_delivery one
	ok "$STORE: both: no slot is left" held 0
}

# Postfix refuses rejected@ behind the policy service, and what late@ sends at DATA.
both_refused() {
	smtp_open part && smtp part 250 'MAIL FROM:<a@sender.test>'
	ok "$STORE: both: Postfix refuses a recipient behind the policy service" smtp part 554 'RCPT TO:<rejected@acme.test>'
	ok "$STORE: both: which then holds nothing" held 0
	smtp part 250 'RCPT TO:<bob@acme.test>'
	smtp part 554 'RCPT TO:<rejected@acme.test>'
	ok "$STORE: both: one behind an accepted one leaves that one's slot" stays 1 slots_are "$STORE" 1
	ok "$STORE: both: the message is taken" send_message part
	ok "$STORE: both: and leaves none" held 0
	quit_delivery part
	hold_delivery part "$OWN" late@sender.test bob@acme.test
	ok "$STORE: both: Postfix refuses a message at DATA" smtp part 554 DATA
	quit_delivery part
	ok "$STORE: both: it leaves no slot" held 0
}

refused() {
	attempt "$OWN" a@sender.test rejected@acme.test 554
}

# passes_with TO...: a whole mail, with those recipients that Postfix does not refuse.
passes_with() {
	local to accepted=no
	smtp_open mixed && smtp mixed 250 'MAIL FROM:<a@sender.test>' || return
	for to in "$@"; do
		smtp mixed 250 "RCPT TO:<$to>" && accepted=yes
	done
	[ "$accepted" = yes ] && send_message mixed mixed
	accepted=$?
	quit_delivery mixed && return "$accepted"
}

both_rates() {
	forget_limits
	ok "$STORE: both: they start with a rate of messages" both_with "$(acme 'messages = "5/1h";')" || return
	ok "$STORE: both: a refused recipient uses up none" eval 'refused && refused && refused'
	ok "$STORE: both: 5 messages an hour are 5" goes_through 5 passes bob@acme.test
	ok "$STORE: both: the text and the log say so" \
		limited destination-messages "$OVER" "$OWN" a@sender.test bob@acme.test
	forget_limits
	ok "$STORE: both: messages of which Postfix refuses a recipient are 5, too" \
		goes_through 5 passes_with rejected@acme.test bob@acme.test carol@acme.test rejected@acme.test
	forget_limits
	ok "$STORE: both: they start with a rate of recipients" both_with "$(acme 'recipients = "6/1h";')" || return
	ok "$STORE: both: refused ones use up none" eval 'refused && refused && refused'
	ok "$STORE: both: four recipients of one message" \
		hold_delivery one "$OWN" a@sender.test a@acme.test b@acme.test c@acme.test d@acme.test
	ok "$STORE: both: and two of the next" \
		eval 'send_message one && begin_delivery one a@sender.test a@acme.test b@acme.test'
	ok "$STORE: both: are six" smtp_weir one "$OVER" 'RCPT TO:<c@acme.test>'
	quit_delivery one
}

# Mailboxes as few write them, and as the whole world does by mistake.
SENDERS=('"first last"@sender.test' '"plain"@sender.test' '@relay.test:alice@sender.test' ' alice@sender.test '
	'Alice@Sender.TEST' 'alice@sender.test.' 'sender.test!alice' 'alice%sender.test' alice)
RECIPIENTS=('"bob b"@acme.test' '@relay.test:bob@acme.test' ' bob@acme.test ' 'BOB@Acme.TEST' 'bob@acme.test.'
	'acme.test!bob' 'bob%acme.test')

# passes_utf8 FROM TO: the same as passes, with names beyond ASCII.
passes_utf8() {
	smtp_open utf8 && smtp utf8 250 "MAIL FROM:<$1> SMTPUTF8" && smtp utf8 250 "RCPT TO:<$2>" &&
		finish_delivery utf8 utf8
}

# Two daemons that do not take these for the same address would count double, and delay twice.
both_written_in_another_way() {
	local name
	forget_limits
	ok "$STORE: both: they start with a rate" \
		both_with "$(acme "messages = \"$((${#SENDERS[@]} + ${#RECIPIENTS[@]} + 2))/1h\";")" \
		-o greylist.allow_client_after=0 -o rewrite.origin=mx1.test || return
	for name in "${SENDERS[@]}"; do
		ok "$STORE: both: a message from <$name> counts once" passes bob@acme.test "$name"
	done
	for name in "${RECIPIENTS[@]}"; do
		ok "$STORE: both: a message to <$name> counts once" passes "$name"
	done
	ok "$STORE: both: one from beyond ASCII counts once" passes_utf8 'MÜLLER@FÖTZ.test' bob@acme.test
	ok "$STORE: both: and one to there" passes_utf8 a@sender.test 'MÜLLER@acme.test'
	ok "$STORE: both: they were as many as may come" \
		limited destination-messages "$OVER" "$OWN" a@sender.test bob@acme.test
	attempt 100.64.5.1 '"first last"@sender.test' '"bob b"@other.test' 451
	wait_out_delay
	ok "$STORE: both: written in another way, a message is delayed once" \
		passes '"BOB B"@Other.test.' '"First last"@sender.test' 100.64.5.1
}

# What policyd took for a recipient that Postfix then refuses is found again by the milter.
both_refused_in_another_way() {
	local name
	forget_limits
	ok "$STORE: both: they start with a rate of two" \
		both_with "$(acme 'recipients = "2/1h"; concurrency = 1;')" || return
	for name in Rejected@Acme.TEST '"rejected"@acme.test' @relay.test:rejected@acme.test; do
		ok "$STORE: both: Postfix refuses <$name>" attempt "$OWN" A@Sender.test "$name" 554
	done
	ok "$STORE: both: nothing is held" held 0
	ok "$STORE: both: two recipients are two" goes_through 2 passes bob@acme.test
}

# one_destination WHO: no name of them gets around the limit of acme, or of a domain that nobody configured.
one_destination() {
	local name
	hold_delivery one "$OWN" a@sender.test bob@acme.test
	for name in bob@ACME.test. bob%acme.test acme.test!bob @relay.test:bob@acme.test; do
		ok "$STORE: $1: <$name> is acme" busy "$name" acme
	done
	finish_delivery one
	smtp_open one && smtp one 250 'MAIL FROM:<a@sender.test> SMTPUTF8' && smtp one 250 'RCPT TO:<x@fötz.test>'
	ok "$STORE: $1: the A-label is the IDN" busy x@XN--FTZ-SNA.test xn--ftz-sna.test
	finish_delivery one
}

EVERY_DOMAIN="$(acme 'concurrency = 1;') default: { concurrency = 1; };"

both_one_destination() {
	forget_limits
	ok "$STORE: both: they start with limits of every domain" both_with "$EVERY_DOMAIN" || return
	one_destination both
}

alone_one_destination() {
	forget_limits
	write_settings "$STORE" "$POLICY_PORT" "limits: { $EVERY_DOMAIN };"
	stop_weir
	ok "$STORE: alone: weir-policyd starts with limits of every domain" start_with_store || return
	one_destination alone
}

# Daemons that count double would let through half.
both_given_up() {
	forget_limits
	ok "$STORE: both: they start with rates and slots" \
		both_with "$(acme 'concurrency = 9; messages = "2/1h"; recipients = "2/1h";')" || return
	ok "$STORE: both: messages that are given up leave nothing" given_up bob@acme.test
	ok "$STORE: both: and use nothing up" goes_through 2 passes bob@acme.test
}

both_other_scopes() {
	forget_limits
	ok "$STORE: both: they start with limits of users and senders" both_with '
		users: { messages = "3/1h"; concurrency = 2; };
		senders: { recipients = "4/1h"; };' || return
	ok "$STORE: both: 3 messages of a user are 3" \
		goes_through 3 passes bob@acme.test u@sender.test '100.64.3.1 LOGIN=alice'
	ok "$STORE: both: 4 recipients of a sender are 4" \
		goes_through 4 passes bob@acme.test much@sender.test
	ok "$STORE: both: no slot is left" held 0
}

# One message to many destinations.
both_many() {
	local n all=()
	for n in {1..100}; do
		all+=("bob@many$n.test")
	done
	forget_limits
	ok "$STORE: both: they start with limits of each domain" \
		both_with 'default: { concurrency = 1; messages = "2/1h"; recipients = "3/1h"; };' || return
	ok "$STORE: both: a message to 100 destinations is under way" hold_delivery one "$OWN" a@sender.test "${all[@]}"
	ok "$STORE: both: it holds 100 slots" held 100
	ok "$STORE: both: one of them is busy" busy bob@many100.test many100.test
	ok "$STORE: both: it is taken" finish_delivery one
	ok "$STORE: both: the slots are free again" held 0
	ok "$STORE: both: a second one is under way" hold_delivery one "$OWN" a@sender.test "${all[@]}"
	vanish one
	ok "$STORE: both: its slots are free when the client has vanished" held 0
	ok "$STORE: both: it has used nothing up of the rate" goes_through 1 passes bob@many50.test
	ok "$STORE: both: which the log names" \
		limited destination-messages "$OVER" "$OWN" a@sender.test bob@many50.test
}

# observed COUNT RECIPIENT: both logs together tell so often what would have become of it.
observed() {
	[ "$(cat "$WEIR_LOG" "$MILTER_LOG" | grep -c "observed=1 .*rcpt=$2 ")" -eq "$1" ]
}

# Each mail is told once, by the first that hears of it; the milter has heard, too, when the mail is taken.
both_in_mode_observe() {
	ok "$STORE: both: they start in mode observe, with a limit that observes" \
		both_with "$(acme 'concurrency = 1; mode = "observe";')" -o greylist.mode=observe || return
	ok "$STORE: both: a mail that greylisting would defer passes" passes o1@other.test o@sender.test 203.0.113.7
	ok "$STORE: both: it is told once" observed 1 o1@other.test
	ok "$STORE: both: too early it passes" passes o1@other.test o@sender.test 203.0.113.7
	ok "$STORE: both: that is told once" observed 2 o1@other.test
	hold_delivery one "$OWN" a@sender.test bob@acme.test
	ok "$STORE: both: one above the limit passes" passes o2@acme.test
	ok "$STORE: both: that is told once, too" observed 1 o2@acme.test
	quit_delivery one
}

both_observe() {
	ok "$STORE: both: the milter starts without enforcing, the policy service with" \
		both_with "$(acme 'concurrency = 1;')" -o milter.enforce=false || return
	hold_delivery one "$OWN" a@sender.test bob@acme.test
	ok "$STORE: both: the policy service says that there are too many" busy carol@acme.test acme
	finish_delivery one
	ok "$STORE: both: the milter sees the end" await 5 passes carol@acme.test
}

# too_many DAEMON: one more recipient than two is refused, the others get the message, and so do those of the next.
too_many() {
	hold_delivery many "$OWN" a@sender.test bob@acme.test carol@acme.test
	ok "$STORE: $1: the third recipient of a message is one too many" \
		smtp_weir many '452 4.5.3 Too many recipients (id ' 'RCPT TO:<dave@other.test>'
	REPLY_ID=$(sed -n 's/.*(id \([^)]*\))$/\1/p' <<<"$SMTP_REPLY")
	ok "$STORE: $1: the log says why" logged "verdict=defer why=message-recipients .*id=$REPLY_ID"
	ok "$STORE: $1: the others get it" eval "finish_delivery many many-$1 && await 10 copies many-$1 2"
	ok "$STORE: $1: the next message is taken" passes dave@other.test
}

both_too_many() {
	forget_limits
	ok "$STORE: both: they start with a number of recipients" both_with 'message_recipients = 2;' || return
	too_many policyd
	stop_weir
	ok "$STORE: both: weir-policyd starts without" start_with_store -o limits.message_recipients=0 || return
	too_many milter
}

# ---- the policy service alone ---------------------------------------------------------------------------------------

# It must have heard one end to know that this service tells them. An smtpd without a client ends soon, and so does its
# policy connection.
alone_given_up() {
	stop_weir
	stop_postfix
	forget_limits
	ok "$STORE: alone: Postfix starts with smtpds that end soon" postfix_with '' "$1" 'max_idle = 1s' || return
	write_settings "$STORE" "$POLICY_PORT" "limits: { $(acme 'concurrency = 9; messages = "3/1h"; recipients = "3/1h";') };"
	ok "$STORE: alone: weir-policyd starts with rates" start_with_store || return
	ok "$STORE: alone: a message is taken" passes bob@acme.test
	ok "$STORE: alone: messages that are given up leave nothing" given_up bob@acme.test
	ok "$STORE: alone: and use nothing up" goes_through 2 passes bob@acme.test
	stop_weir
	write_settings "$STORE" "$POLICY_PORT" "limits: { $(acme 'concurrency = 1;') };"
}

alone() {
	local end_of_data
	end_of_data="smtpd_end_of_data_restrictions = $(policy_check "inet:127.0.0.1:$POLICY_PORT")"
	stop_milter
	stop_postfix
	ok "$STORE: alone: Postfix starts with END-OF-MESSAGE" postfix_with '' "$end_of_data" 'max_use = 1' || return
	hold_delivery one "$OWN" a@sender.test bob@acme.test carol@acme.test
	ok "$STORE: alone: a delivery holds one slot" held 1 p/mx1.test/
	ok "$STORE: alone: the next gets 451" busy carol@acme.test acme
	ok "$STORE: alone: its message ends" send_message one
	ok "$STORE: alone: and its slot is free at once" slots_are "$STORE" 0
	begin_delivery one a@sender.test bob@acme.test
	smtp one 250 RSET
	begin_delivery one a@sender.test dave@other.test
	ok "$STORE: alone: one that was given up ends with the next message" held 0
	begin_delivery one a@sender.test bob@acme.test
	vanish one
	ok "$STORE: alone: that of a client that vanishes when Postfix closes the policy connection" held 0

	alone_given_up "$end_of_data"

	stop_postfix
	ok "$STORE: alone: Postfix starts without END-OF-MESSAGE" postfix_with '' || return
	stop_weir
	ok "$STORE: alone: weir-policyd starts with a short hold" start_with_store -o policyd.hold=2s || return
	hold_delivery one "$OWN" a@sender.test bob@acme.test
	ok "$STORE: alone: a message of which the end is not heard" send_message one
	ok "$STORE: alone: keeps its slot" slots_are "$STORE" 1
	ok "$STORE: alone: for that time" held 0
	vanish one
}

# ---------------------------------------------------------------------------------------------------------------------

# postfix_with MILTER [LINE]...: some recipients and messages are refused behind the policy service.
postfix_with() {
	local check refuse='check_recipient_access inline:{ rejected@acme.test=REJECT }'
	check=$(policy_check "inet:127.0.0.1:$POLICY_PORT")
	start_postfix "inet:127.0.0.1:$POLICY_PORT" "$1" \
		'virtual_mailbox_domains = regexp:{{/\.test/ yes}}' \
		"smtpd_recipient_restrictions = reject_unauth_destination, $check, $refuse" \
		"smtpd_data_restrictions = $check, check_sender_access inline:{ late@sender.test=REJECT }" "${@:2}"
}

run_on() {
	STORE=$1
	private_dir
	POLICY_PORT=$(free_port)
	if [ "$STORE" = redis ]; then
		ok "$STORE: Redis starts" start_redis || return
	fi
	ok "$STORE: Postfix starts" postfix_with "unix:$PRIVATE/milter.sock" || return
	both_greylist
	both_slots
	both_refused
	both_rates
	both_given_up
	both_written_in_another_way
	both_refused_in_another_way
	both_one_destination
	both_other_scopes
	both_many
	both_too_many
	both_in_mode_observe
	both_observe
	alone
	alone_one_destination
}

need_postfix_and_stores
on_each_store run_on "$@"
plan
