#!/bin/bash
# weir-milter behind a real Postfix, for recipients of every kind that Postfix knows: whom it accepts is greylisted and
# limited, whom it refuses is neither stored nor counted.  What Postfix says of each is in tests/unit/test_mailer.c.
# usage: postfix_classes.sh [embedded|redis]

# shellcheck source=tests/system/lib.sh disable=SC1091,SC2119
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/milter_lib.sh disable=SC1091
. "$(dirname "$0")/milter_lib.sh"
# shellcheck source=tests/system/postfix_lib.sh disable=SC1091
. "$(dirname "$0")/postfix_lib.sh"

# kind | recipient | its limit by domain | by next hop
ACCEPTED='
local|known@here.test|here.test|mx1.test
local, in capitals|KNOWN@HERE.TEST|here.test|mx1.test
local, with an extension|known+list@here.test|here.test|mx1.test
virtual alias to a local one|local@alias.test|alias.test|alias.test
virtual alias to a mailbox|box@alias.test|alias.test|alias.test
virtual alias to a remote one|remote@alias.test|alias.test|alias.test
virtual alias to several|several@alias.test|alias.test|alias.test
virtual alias, in capitals|BOX@ALIAS.TEST|alias.test|alias.test
virtual alias, quoted|"a b"@alias.test|alias.test|alias.test
virtual mailbox|bob@local.test|local.test|local.test
virtual mailbox that is an alias|boxed@local.test|local.test|local.test
virtual mailbox, quoted|"a b"@local.test|local.test|local.test
virtual mailbox, verified|verified@local.test|local.test|local.test
mailbox made another by recipient_canonical_maps|canonical@local.test|local.test|local.test
mailbox sent elsewhere by transport_maps|moved@local.test|local.test|[host.test]
relay|known@relay.test|relay.test|relay.test
relay by transport_maps|known@map.test|map.test|[10.1.2.3]:2525
default|friend@far.test|far.test|far.test
error:, but a virtual alias|x@error.test|error.test|error.test
discard:|q@discard.test|discard.test|discard.test
held by an access map|hold@local.test|local.test|local.test
redirected by an access map|redirect@local.test|local.test|local.test
'

# Where smtpd_reject_unlisted_recipient=no lets in whom nobody knows.
LET_IN='
luser_relay|nobody@here.test|here.test|mx1.test
unknown virtual alias|nobody@alias.test|alias.test|alias.test
unknown virtual mailbox|unknown@local.test|local.test|local.test
unknown relay recipient|nobody@relay.test|relay.test|relay.test
error:|q@error.test|error.test|error.test
error: with a code|q@code.test|code.test|code.test
error: with a text that has an address|deny@local.test|local.test|local.test
error: with no text|q@bare.test|bare.test|bare.test
retry:|q@retry.test|retry.test|retry.test
'

# kind | recipient | Postfix' answer
REFUSED='
unknown local|nobody@here.test|550
unknown virtual alias|nobody@alias.test|550
unknown virtual mailbox|unknown@local.test|550
unknown, quoted|"unknown one"@here.test|550
relay denied, quoted|"a x@y.test"@here.test|454
unknown relay recipient|nobody@relay.test|550
relay denied|a@elsewhere.test|454
error:|q@error.test|550
error: with a code|q@code.test|550
error: with a text that has an address|deny@local.test|550
error: with no text|q@bare.test|550
retry:|q@retry.test|450
access map, 4xx|map4@local.test|451
access map, 5xx|map5@local.test|554
access map, DEFER|mapdefer@local.test|450
access map, a text that is an address|mapaddress@local.test|550
policy service, 4xx|police4@local.test|450
policy service, 5xx|police5@local.test|554
'

UNVERIFIABLE='
undeliverable by a probe|unverifiable@local.test|550
'

# each TABLE COMMAND...: with the columns of each line.
each() {
	local columns
	while IFS='|' read -r -a columns; do
		[ ${#columns[@]} -eq 0 ] || "${@:2}" "${columns[@]}"
	done <<<"$1"
}

# is_greylisted ADDRESS: weir defers it, and says why.
is_greylisted() {
	attempt "$CLIENT" s@sender.test "$1" '451 4.7.1 Greylisted' && logged "why=greylist-[a-z]* .*id=$REPLY_ID"
}

verdicts() {
	grep -c 'verdict=' "$MILTER_LOG"
}

# is_not_judged ADDRESS REPLY: weir says nothing of it, and nothing is held for it.
is_not_judged() {
	local before
	before=$(verdicts)
	attempt "$CLIENT" s@sender.test "$1" "$2" && [ "$(verdicts)" -eq "$before" ] && slots_are "$STORE" 0
}

# is_limited ADDRESS DESTINATION: one delivery, and no second one, until the first has ended.
is_limited() {
	local status=0 pattern=${2//[/\\[}
	hold_delivery one "$CLIENT" s@sender.test "$1" &&
		attempt "$CLIENT" t@sender.test "$1" '451 4.7.1 Too many connections to' &&
		logged "why=destination-concurrency .*destination=$pattern .*id=$REPLY_ID" || status=1
	vanish one
	held 0 && return "$status"
}

greylisted() {
	ok "accepted, $1: greylisted" is_greylisted "$2"
}

limited_by_domain() {
	ok "accepted, $1: limited by domain" is_limited "$2" "$3"
}

limited_by_next_hop() {
	ok "accepted, $1: limited by next hop" is_limited "$2" "$4"
}

not_judged() {
	ok "refused, $1: left to Postfix" is_not_judged "$2" "$3"
}

# A policy service that refuses some.
write_policy() {
	cat <<-'END'
		$| = 1;
		my %said;
		while (<STDIN>) {
			chomp;
			$said{$1} = $2 if /^([^=]+)=(.*)/;
			next if length;
			print 'action=', $said{recipient} =~ /^police4/ ? '450 4.7.1 ask again' : 'REJECT', "\n\n";
		}
	END
}

# start_postfix_of_kinds DIR [LINE]...: Postfix there, with something of each kind.
start_postfix_of_kinds() {
	local transports access
	transports='{error.test=error:no mail here}, {code.test=error:4.7.1 moved away}, bare.test=error:,
		{retry.test=retry:4.3.2 later}, discard.test=discard:silently, map.test=smtp:[10.1.2.3]:2525,
		moved@local.test=relay:[host.test], {deny@local.test=error:5.7.1 ask user@host about it}'
	access='{map4@local.test=451 4.1.0 later}, map5@local.test=REJECT, mapdefer@local.test=DEFER,
		{mapaddress@local.test=550 5.7.1 abuse@local.test}, {hold@local.test=HOLD look at it},
		{redirect@local.test=REDIRECT bob@other.test}, police4@local.test=policed, police5@local.test=policed,
		friend@far.test=OK, verified@local.test=verified, unverifiable@local.test=verified'
	local lines=(
		'mydestination = here.test' 'local_recipient_maps = inline:{ known=x, luser=x }' 'recipient_delimiter = +'
		'virtual_alias_domains = alias.test'
		'virtual_alias_maps = inline:{ local@alias.test=known@here.test, box@alias.test=bob@local.test,
			remote@alias.test=bob@far.test, {several@alias.test=a@local.test, b@local.test},
			{"a b"@alias.test=bob@local.test}, boxed@local.test=other@local.test, x@error.test=bob@local.test }'
		'virtual_mailbox_maps = regexp:{{!/^un(known|verifiable)@/ inbox/}}'
		'recipient_canonical_maps = inline:{ canonical@local.test=bob@local.test }'
		'relay_domains = relay.test map.test error.test code.test bare.test retry.test discard.test'
		'relay_recipient_maps = inline:{ known@relay.test=x, known@map.test=x, @error.test=x, @code.test=x, @bare.test=x,
			@retry.test=x, @discard.test=x }'
		"transport_maps = inline:{ $transports }"
		'smtpd_restriction_classes = policed, verified'
		'policed = check_policy_service unix:private/policy' 'verified = reject_unverified_recipient'
		'unverified_recipient_reject_code = 550' 'unverified_recipient_defer_code = 450' 'address_verify_poll_count = 20'
		"smtpd_relay_restrictions = check_recipient_access inline:{ friend@far.test=OK }, defer_unauth_destination"
		"smtpd_recipient_restrictions = check_recipient_access inline:{ $access }"
	)
	start_postfix_in "$1" '' "unix:$PRIVATE/milter.sock" "${lines[@]//$'\n'/}" "${@:2}"
}

# Their services stand in master.cf, too.
eval "$(declare -f write_master_cf | sed '1s/.*/write_usual_master_cf()/')"
write_master_cf() {
	write_usual_master_cf "$1"
	cat <<-END
		verify         unix - - n - 1 verify
		discard        unix - - n - - discard
		policy         unix - n n - 0 spawn user=nobody argv=/usr/bin/perl $PRIVATE/policy.pl
	END
}

# in_both STEP: it holds for the Postfix that refuses whom nobody knows, and for the one that does not.
in_both() {
	SMTP_PORT=$STRICT_PORT
	each "$ACCEPTED" "$1"
	each "$REFUSED" not_judged
	SMTP_PORT=$LAX_PORT
	each "$LET_IN" "$1"
	each "$UNVERIFIABLE" not_judged
}

run() {
	private_dir
	POLICY_PORT=$(free_port)
	write_policy >"$PRIVATE/policy.pl"
	[ "$STORE" != redis ] || ok "Redis starts" start_redis || return
	ok "weir-milter starts" milter_with '' -o greylist.delay=1h || return
	ok "Postfix starts" start_postfix_of_kinds "$PRIVATE/postfix" || return
	STRICT_PORT=$SMTP_PORT
	ok "Postfix that lets in whom nobody knows starts" start_postfix_of_kinds "$PRIVATE/lax" \
		'smtpd_reject_unlisted_recipient = no' 'luser_relay = luser@here.test' || return
	LAX_PORT=$SMTP_PORT
	in_both greylisted
	ok "weir-milter limits domains" milter_with 'default: { concurrency = 1; };' -o greylist.mode=off || return
	in_both limited_by_domain
	ok "weir-milter limits next hops" milter_with 'destinations_by = "nexthop"; default: { concurrency = 1; };' \
		-o greylist.mode=off || return
	in_both limited_by_next_hop
}

need_postfix_and_stores
STORE=${1:-embedded}
CLIENT=192.0.2.1
run
plan
