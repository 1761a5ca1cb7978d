#!/bin/bash
# weirctl beside a running system, on each store: what its commands change is seen where mail comes in.
# usage: weirctl.sh [embedded|redis]...

# Much in single quotes is Perl, or for eval.
# shellcheck disable=SC2016

# shellcheck source=tests/system/lib.sh disable=SC1091,SC2119
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/milter_lib.sh disable=SC1091
. "$(dirname "$0")/milter_lib.sh"
# shellcheck source=tests/system/postfix_lib.sh disable=SC1091
. "$(dirname "$0")/postfix_lib.sh"
# shellcheck source=tests/system/ctl_lib.sh disable=SC1091
. "$(dirname "$0")/ctl_lib.sh"

LIMITS='limits: { destinations = (
	{ name = "acme"; domains = ["acme.test"]; concurrency = 2; },
	{ name = "third"; domains = ["third.test"]; concurrency = 2; mode = "observe"; }
); };'

# answers REGEX CLIENT SENDER RECIPIENT: weir-policyd's answer on the open connection, within two seconds.
answers() {
	await 2 policy_says "$@"
}

# deferred CLIENT FROM TO: a mail is greylisted; the id in Postfix' reply is in ID.
deferred() {
	send_as "$@"
	ID=$(reply_id)
	reply_to RCPT 451 && [ -n "$ID" ]
}

# accepted CLIENT FROM TO: it is not.
accepted() {
	send_as "$@"
	reply_to RCPT 250
}

# knows ID: the decision is remembered by now.
knows() {
	await 5 ctl 0 why "$1"
}

# ---------------------------------------------------------------------------------------------------------------------

state_of_the_site() {
	ok "$STORE: status: all is well, soon" await 10 ctl 0 status
	ok "$STORE: status: names both daemons" eval 'said "^policyd +mx1\.test +alive" && said "^milter +mx1\.test +alive"'
	ok "$STORE: status: names the destinations of the settings" eval 'said "^acme .* 0/2 " && said "^third .*observe"'
	ok "$STORE: status: as JSON" json '
		$v->{store}{up} && $v->{store}{backend} eq "'"$STORE"'" && $v->{node} eq "mx1.test" &&
		@{$v->{daemons}} == 2 && $v->{destinations}[0]{name} eq "acme" && $v->{destinations}[0]{limit} == 2' status
	ok "$STORE: status: no escape sequence where there is no terminal" not grep -q $'\033' "$PRIVATE/said"
	(timeout 3 "$WEIRCTL" -c "$PRIVATE/weir.conf" status --watch --interval 200ms >"$PRIVATE/said" 2>"$PRIVATE/complaints")
	ok "$STORE: status --watch: one after another into a pipe" eval '[ "$(grep -c "^weir .* store" "$PRIVATE/said")" -gt 3 ]'
	ok "$STORE: status --watch: with an empty line between" grep -q -x '' "$PRIVATE/said"
	"$WEIRCTL" -c "$PRIVATE/weir.conf" status --watch --interval 100ms 2>"$PRIVATE/complaints" | head -n 3 >"$PRIVATE/said"
	ok "$STORE: status --watch: ends when nobody reads on" eval '[ "$(wc -l <"$PRIVATE/said")" -eq 3 ]'
	ok "$STORE: a closed standard output is status 74" closed_output
}

reasons() {
	ok "$STORE: why: a mail is greylisted" deferred 192.0.2.1 alice@sender.test bob@local.test
	local id=$ID
	ok "$STORE: why: the id of the reply is known" knows "$id"
	ok "$STORE: why: tells what, whose and why" eval 'said "^$id: deferred by policyd on mx1\.test" &&
		said "client +192\.0\.2\.1" && said "192\.0\.2\.0/24 \(prefix\)" && said "sender +alice@sender\.test" &&
		said "recipient +bob@local\.test" && said "reason +greylist-new"'
	ok "$STORE: why: when a retry passes" said '^A retry passes from '
	ok "$STORE: why: how it passes now" eval 'said "weirctl release $id" && said "weirctl allow --sender alice@sender\.test"'
	ok "$STORE: why: an id in lower case" tells "^$id: " why "${id,,}"
	ok "$STORE: why: O and I for 0 and 1" tells "^$id: " why "$(tr 01 OI <<<"$id")"
	ok "$STORE: why: a whole reply" tells "^$id: " why "451 4.7.1 Greylisted, please try again later (id $id)"
	ok "$STORE: why: in words of their own" tells "^$id: " why id "($id)"
	ok "$STORE: why: as JSON" json '@$v == 1 && $v->[0]{id} eq "'"$id"'" && $v->[0]{why} eq "greylist-new" &&
		$v->[0]{sender} eq "alice\@sender.test" && length $v->[0]{triplet} == 22' why "$id"

	deferred 192.0.2.1 alice@sender.test bob@local.test
	ok "$STORE: why: an early retry has another id" knows "$ID"
	ok "$STORE: why: the first one knows what came later" tells "deferred again at .* \(id $ID, greylist-early\)" why "$id"
	ok "$STORE: why: by the sender, the newest first" eval 'tells "greylist-new" why alice@sender.test &&
		[ "$(sed -n 2p "$PRIVATE/said" | grep -c "$ID .*greylist-early")" -eq 1 ] && [ "$(wc -l <"$PRIVATE/said")" -eq 3 ]'
	ok "$STORE: why: by its domain" tells "$id" why sender.test
	ok "$STORE: why: by the client" tells "$id" why 192.0.2.1
	ok "$STORE: why: by the recipient" tells "$id" why '<bob@local.test>'
	ok "$STORE: why: as it stands in a log" tells "$id" why 'from=<Alice@sender.test>'
	ok "$STORE: why: by a domain with its last dot" tells "$id" why sender.test.
	ok "$STORE: why: by the client, written otherwise" tells "$id" why '::ffff:192.0.2.1'
	ok "$STORE: why: --limit" eval 'tells "$ID" why --limit 1 alice@sender.test && not said "$id" && complained "newest 1"'
	ok "$STORE: why: --limit of as many as there are" eval 'tells "$ID" why --limit 2 alice@sender.test && said "$id" && not complained newest'
	ok "$STORE: why: --cause" eval 'tells "$id" why --cause greylist-new alice@sender.test && not said "$ID"'
	ok "$STORE: why: --since" eval 'tells "$id" why --since 1h --destination local.test'
	ok "$STORE: why: nothing at another destination" refuses 1 'no such decision' why --destination other.test
	ok "$STORE: why: nor with such options" refuses 1 'no such decision is recorded with these options' \
		why --since 2030-01-01 alice@sender.test
	ok "$STORE: why: an unknown destination, and the nearest" refuses 64 'there is no destination "acne": did you mean "acme"' \
		why --destination acne
	ok "$STORE: why: nor of an id never given" eval 'refuses 1 "no such decision" why 000000 && complained "decisions.keep"'
	ok "$STORE: why: as JSON that is an empty array" eval 'JSON_STATUS=1 json "@\$v == 0" why 000000'
}

# What the store sends and keeps must not be mixed with what is printed.
closed_output() {
	"$WEIRCTL" -c "$PRIVATE/weir.conf" overrides >&- 2>"$PRIVATE/complaints"
	[ $? -eq 74 ] && complained '^weirctl: cannot write the output' && tells 'no overrides' overrides
}

# evil PATH: bytes of a client reach no terminal.
evil_bytes() {
	policy_says '451 ' 192.0.2.200 $'ev\033[31mil\xff\xc2\x9b@evil.test' bob@local.test
	ok "$STORE: why: control bytes are escaped" await 5 tells 'ev\\x1B\[31mil\\xFF\\xC2\\x9B@evil\.test' why evil.test
	ok "$STORE: why: and none is left" not grep -q -a $'[\033\x9b\xff]' "$PRIVATE/said"
	ok "$STORE: why: in JSON, too" json '$v->[0]{sender} =~ /evil\.test$/' why evil.test
	local sender
	for sender in '`touch${IFS}/x`@sh.test' "it's;id@sh.test" 'j\xC3\xB6rg@sh.test'; do
		policy_says '451 .*\(id ([0-9A-Z]+)\)' 192.0.2.201 "$(printf %b "$sender")" bob@local.test
		ID=${BASH_REMATCH[1]}
		ok "$STORE: why: no command of $sender to be copied" eval 'knows "$ID" && said "^  weirctl release $ID$" &&
			said "^  weirctl allow --client 192\.0\.2\.201$" && not said "allow --sender"'
	done
}

# dump_of_long_ago: of milter-greylist, with a triplet that passed there.
dump_of_long_ago() {
	printf '%s\t<%s>\t<%s>\t%d AUTO\n' 198.51.100.11 eve@sender.test dave@local.test $(($(date +%s) + 86400))
	printf '#\n# Summary: 1 records, 0 greylisted, 1 whitelisted, 0 tarpitted\n#\n'
}

# came_back: how many first tries did, by status.
came_back() {
	"$WEIRCTL" -c "$PRIVATE/weir.conf" --json status | perl -MJSON::PP -0777 -ne 'print decode_json($_)->{greylist}{came_back}'
}

came_back_are() {
	[ "$(came_back)" -eq "$1" ]
}

passes_by_hand() {
	local id back
	ok "$STORE: release: a mail is greylisted" deferred 192.0.2.65 carol@sender.test dave@local.test
	id=$ID
	deferred 192.0.2.65 carol@sender.test dave@local.test
	ok "$STORE: why: an earlier try of the same second is no later one" await 5 tells '^No later try is recorded' why "$ID"
	ok "$STORE: why: bare, it lists the newest" tells 'carol@sender\.test' why
	ok "$STORE: why: by a network that the client is in" tells 'carol@sender\.test' why 192.0.2.64/26
	ok "$STORE: why: by a network that it is not in" ctl 1 why 10.9.9.0/24
	knows "$id"
	back=$(came_back)
	ok "$STORE: release: by id" tells '^released' -o log.to=stderr release "$id"
	ok "$STORE: release: says what was before" said 'before +waiting since'
	ok "$STORE: release: is told to the log" complained "event=release .*sender=carol@sender.test .*before=waiting by="
	ok "$STORE: release: the next try is answered 250" accepted 192.0.2.65 carol@sender.test dave@local.test
	ok "$STORE: why: tells that it came back" await 5 tells '^It came back, and was let through .*greylist-released' why "$id"
	ok "$STORE: why: tells that it passes" said 'passed, as of'
	ok "$STORE: why: one decision, and one line of it" eval 'ctl 0 why --cause greylist-released carol@sender.test &&
		[ "$(grep -c greylist-released "$PRIVATE/said")" -eq 1 ] &&
		[ "$(cat "$PRIVATE"/weir-*.log | grep -c "why=greylist-released .*sender=carol@sender.test")" -eq 1 ]'
	ok "$STORE: status: it counts as come back" await 10 came_back_are $((back + 1))
	ok "$STORE: why: and no way to let it through" eval 'not said "^A retry passes" && not said "weirctl release"'
	ok "$STORE: forget: by id" tells 'forgotten: its next try counts as the first' forget "$id"
	ok "$STORE: why: what is forgotten has no retry that passes" eval 'tells "triplet is not known\.$" why "$id" &&
		not said "^A retry passes" && said "weirctl release $id"'
	ok "$STORE: forget: the next try is answered 451" deferred 192.0.2.65 carol@sender.test dave@local.test
	ok "$STORE: release: by addresses, before any mail" tells 'before +not known' \
		release --client 198.51.100.7 --sender 'Eve+tag@Sender.test' --recipient dave@local.test
	ok "$STORE: release: the first try is answered 250" accepted 198.51.100.7 eve@sender.test dave@local.test
	ok "$STORE: forget: as JSON" json '$v->{before}{state} eq "passed" && $v->{after} eq "absent"' \
		forget --client 198.51.100.7 --sender eve@sender.test --recipient dave@local.test
	ok "$STORE: forget: twice is once too often" ctl 1 forget --client 198.51.100.7 --sender eve@sender.test \
		--recipient dave@local.test
	dump_of_long_ago >"$PRIVATE/greylist.db"
	ctl 0 -o greylist.lifetime=3650d import milter-greylist --apply "$PRIVATE/greylist.db"
	ok "$STORE: release: what has expired counts for nothing" eval 'tells "^released" release --client 198.51.100.11 \
		--sender eve@sender.test --recipient dave@local.test && said "before +not known"'
	ok "$STORE: release: mail without a sender" tells 'sender +<>' \
		-o log.to=stderr release --client 198.51.100.9 --sender '<>' --recipient dave@local.test
	ok "$STORE: release: without a sender, it is told to the log" complained 'event=release .* sender=<> rcpt=dave@local.test '
	send_as 198.51.100.9 '<>' dave@local.test
	ok "$STORE: release: it passes DATA" reply_to DATA 354
}

identities() {
	local id
	deferred 100.64.9.1 a@sender.test b@local.test
	id=$ID
	knows "$id"
	wait_out_delay
	accepted 100.64.9.1 a@sender.test b@local.test
	time_passes "$STORE" $((-DELAY - 1)) # for others that wait
	ok "$STORE: forget --identity: a client is allowed after a pass" accepted 100.64.9.2 c@sender.test d@local.test
	ok "$STORE: explain: says so" json '$v->{verdict}{why} eq "client-allowed" &&
		$v->{greylist}{identity}{state} eq "identity" && $v->{greylist}{identity}{count} == 1' \
		explain --client 100.64.9.3 --sender e@sender.test --recipient f@local.test
	ok "$STORE: explain: and since when" tells '^identity +known, used last at .*, 1 pass counted$' \
		explain --client 100.64.9.3 --sender e@sender.test --recipient f@local.test
	ok "$STORE: why: a client that is allowed" eval 'tells "^its client is allowed now" why "$id" && not said "^A retry" &&
		not said "weirctl release"'
	ok "$STORE: forget: of a client that is allowed" eval 'tells "^forgotten$" forget "$id" &&
		said "^but the client is allowed as a whole.*: weirctl forget --identity $id$"'
	ok "$STORE: forget: it is accepted all the same" accepted 100.64.9.1 a@sender.test b@local.test
	ok "$STORE: forget: as JSON" json '$v->{client_allowed} && $v->{before}{state} eq "absent"' release "$id"
	ok "$STORE: forget --identity: forgets it" tells 'forgotten' forget --identity --client 100.64.9.77
	ok "$STORE: forget --identity: from then on it is greylisted" deferred 100.64.9.4 g@sender.test h@local.test
}

# allowance OPTION ENTRY CLIENT SENDER RECIPIENT: such mail passes within two seconds of the override, and is held up again
# as soon after its end. Each try is another triplet, for a held one of which the answer is remembered.
allowance() {
	local mail=("${@:3}")
	ok "$STORE: allow $1 $2: before, it is greylisted" policy_says '451 ' "${mail[@]}"
	ok "$STORE: allow $1 $2: the override is taken" tells 'is not greylisted' allow "$1" "$2" --for 10m
	ok "$STORE: allow $1 $2: until when" said '^until [0-9-]+ [0-9:]+ \(for 10m\)$'
	ok "$STORE: allow $1 $2: it passes" answers 'DUNNO$' "${mail[@]}"
	ok "$STORE: allow $1 $2: why: tells so" await 5 tells "override-${1#--}" why "${mail[1]}" --cause "override-${1#--}"
	ok "$STORE: allow $1 $2: it is listed" tells "^allow-${1#--} +$2 .* root$" allowed
	ok "$STORE: allow $1 $2: its end" tells 'no longer in force' disallow "$1" "$2"
	ok "$STORE: allow $1 $2: it is greylisted again" answers '451 ' "${mail[@]}"
	ok "$STORE: allow $1 $2: it cannot end twice" refuses 1 'there is no override' disallow "$1" "$2"
}

allowances() {
	allowance --client 203.0.113.0/24 203.0.113.9 a@b.test c@local.test
	allowance --sender news@letter.test 203.0.114.9 news@letter.test c@local.test
	allowance --recipient postmaster@ 203.0.115.9 a@b.test postmaster@local.test
	ok "$STORE: allow: is told to the log" eval 'ctl 0 -o log.to=stderr allow --client 203.0.113.1 --no-limits &&
		complained "event=override kind=allow-client name=203.0.113.1 limits=false until=[0-9]+ by=" &&
		logged "event=override kind=allow-client name=203.0.113.1 "'
	ok "$STORE: overrides: as JSON" json '@$v == 1 && $v->[0]{kind} eq "allow-client" && $v->[0]{no_limits} &&
		$v->[0]{until} - $v->[0]{made} == 7200' overrides
	ctl 0 disallow --client 203.0.113.1
	ok "$STORE: overrides: none" tells 'no overrides are in force' overrides
	ok "$STORE: allow: a regular expression keeps its case" tells 'sender /\^\\S\+@re\\.test\$/ is not' allow --sender '/^\S+@re\.test$/'
	ok "$STORE: allow: and is one that applies" answers 'DUNNO$' 203.0.116.9 any@re.test c@local.test
	ctl 0 disallow --sender '/^\S+@re\.test$/'
	ctl 0 allow --client 2001:db8::1
	ok "$STORE: disallow: the entry that was meant" refuses 1 '.*did you mean "2001:db8::1"' disallow --client 2001:db9::1
	ok "$STORE: disallow: an address may be written otherwise" tells 'no longer in force: allow-client 2001:db8::1' \
		disallow --client 2001:DB8:0::1
	ok "$STORE: allow: warns of what lets everybody in" eval 'ctl 0 allow --client 0.0.0.0/0 --no-limits --for 1m &&
		complained "warning: this lets everybody in: nothing is greylisted or limited"'
	ctl 0 disallow --client 0.0.0.0/0
}

MARKS=0

# Both daemons go by the overrides of now, also by those that have ended, which no line tells: they have read one that is newer.
overrides_are_read() {
	local mark=198.51.100.$((MARKS += 1))
	ctl 0 allow --client "$mark" && await 5 log_holds "$WEIR_LOG" "event=override kind=allow-client name=$mark " &&
		await 5 log_holds "$MILTER_LOG" "event=override kind=allow-client name=$mark " && ctl 0 disallow --client "$mark"
}

# gets REPLY TO: a client of the own networks is answered so at RCPT.
gets() {
	attempt "$OWN" one@sender.test "$2" "$1"
}

# Whoever logs in so, wherever the mail goes; an allowed one has no limits.
users() {
	local asked=(explain --client 203.0.113.9 --sender a@b.test --recipient bob@other.test --user alice)
	ok "$STORE: drain --user: the override is taken" tells '^mail of user alice is held back: all of it is deferred' drain --user Alice --for 1h
	ok "$STORE: drain --user: explain shows it" json '$v->{verdict}{why} eq "user-drained" && $v->{verdict}{reply} =~ /^451 4\.7\.1 Mail from you/' "${asked[@]}"
	ok "$STORE: drain --user: it is listed" tells '^drain-user +alice ' overrides
	ok "$STORE: drain: a destination or a user" refuses 64 'drain needs a destination or --user' drain
	ok "$STORE: drain: not both" refuses 64 'drain needs a destination or --user' drain acme --user alice
	ok "$STORE: undrain --user" tells 'no longer in force: drain-user alice' undrain --user ALICE
	ok "$STORE: undrain --user: the user that was meant" eval 'ctl 0 drain --user alice --for 1h; refuses 1 ".*did you mean \"alice\"" undrain --user alic'
	ctl 0 undrain --user alice
	ok "$STORE: allow --user: the override is taken" tells '^mail of user alice is not limited' allow --user alice --for 1h
	ok "$STORE: allow --user: explain shows it" json '$v->{limits}{exempt} eq "allow-user alice"' "${asked[@]}"
	ok "$STORE: allow --user: its end" tells 'no longer in force: allow-user alice' disallow --user alice
}

drains() {
	ok "$STORE: drain: before, mail is taken" gets 250 bob@acme.test
	ok "$STORE: drain: the override is taken, by a domain of the destination" tells '^destination acme \(acme\.test\) is drained' drain acme.test --for 1h
	ok "$STORE: drain: mail is answered 451 4.3.2" await 2 gets '451 4.3.2 acme is not accepting mail now' bob@acme.test
	ok "$STORE: drain: mail elsewhere is taken" gets 250 bob@other.test
	ok "$STORE: drain: the id of that answer is known" eval 'gets "451 4.3.2" bob@acme.test; knows "$REPLY_ID"'
	ok "$STORE: why: --destination, by one of its domains" tells "$REPLY_ID" why --destination acme.test
	ok "$STORE: why: a destination, without the option" tells "$REPLY_ID" why acme
	ctl 0 why "$REPLY_ID"
	ok "$STORE: drain: why names the way out" eval 'said "^It is drained until [0-9: -]+ \(for (1h|59m.*)\)" && said "^  weirctl undrain acme$"'
	ok "$STORE: forget --identity: of a decision without one" refuses 1 'decision .* \(destination-drained\) has no identity' \
		forget --identity "$REPLY_ID"
	ok "$STORE: drain: status shows it" tells '^acme .* drained (1h|59m)' status
	ok "$STORE: drain: explain shows it" json '$v->{verdict}{why} eq "destination-drained" &&
		$v->{rules}[0]{applies} eq "yes" && $v->{rules}[0]{by} eq "drain acme.test" &&
		$v->{verdict}{reply} =~ /^451 4\.3\.2 acme /' explain --client 127.0.0.1 --recipient bob@acme.test --sender a@b.test
	ok "$STORE: drain: explain says that limits are not asked" tells '^Not asked: the destination is drained' \
		explain --client 127.0.0.1 --recipient bob@acme.test --sender a@b.test
	ok "$STORE: undrain: ends it" tells '^no longer in force: drain acme\.test$' undrain acme
	ok "$STORE: undrain: why advises it no more" eval 'tells "^It is drained no longer" why "$REPLY_ID" && not said "weirctl undrain"'
	ok "$STORE: undrain: mail is taken" await 2 gets 250 bob@acme.test
	ok "$STORE: drain: a domain that may be mistyped" eval 'ctl 0 drain acme.tset &&
		complained "warning: acme\.tset is in no destination of the settings; did you mean acme\.test \(acme\)\?"'
	ok "$STORE: undrain: the override that was meant" refuses 1 '.*did you mean "acme\.tset"' undrain acne.tset
	ctl 0 undrain acme.tset
	ctl 0 drain acme
	ok "$STORE: undrain: by a domain of its destination" refuses 1 '.*"drain acme\.tset": did you mean "acme\.test"' undrain acme.tset
	ctl 0 undrain acme
	ok "$STORE: drain: by a domain, before it has a name" tells '^destination new\.test is drained' drain new.test
	sed 's/destinations = (/&{ name = "newcomer"; domains = ["new.test"]; concurrency = 3; },/' "$PRIVATE/weir.conf" >"$PRIVATE/named.conf"
	ok "$STORE: drain: the override follows its domain" tells '^newcomer .* drained ' -c "$PRIVATE/named.conf" status
	ok "$STORE: drain: what it is about now" tells '^drain +new\.test +of newcomer ' -c "$PRIVATE/named.conf" overrides
	ok "$STORE: drain: given again by its name it is the same" eval 'tells "replaces an override" -c "$PRIVATE/named.conf" drain newcomer &&
		tells "^drain +newcomer " -c "$PRIVATE/named.conf" overrides && not said "new\.test"'
	ok "$STORE: drain: the name is gone" tells '^drain +newcomer +no such destination ' overrides
	ok "$STORE: drain: the name is gone, doctor says so" eval 'ctl 1 doctor && said "an override no longer has a destination"'
	ok "$STORE: drain: the name is gone, status has no such destination" eval 'tells "." status && not said "^newcomer .*drained"'
	ok "$STORE: undrain: of a name that is gone" tells '^no longer in force: drain newcomer$' undrain newcomer
	ctl 0 drain new.test
	ok "$STORE: undrain: by the name that the domain has now" tells '^no longer in force: drain new\.test$' \
		-c "$PRIVATE/named.conf" undrain newcomer
	ok "$STORE: set-limit, unset-limit: the same" eval 'ctl 0 set-limit new.test 7 && tells "^newcomer .* 0/7 " -c "$PRIVATE/named.conf" status &&
		tells "^no longer in force: limit new\.test$" -c "$PRIVATE/named.conf" unset-limit newcomer'
	ok "$STORE: drain: no warning of other domains" eval 'ctl 0 drain other.test && not complained "no destination"'
	ctl 0 undrain other.test
	if own_syslog; then
		ok "$STORE: drain: syslog is told, whatever log.to is" told_to_syslog \
			'event=override kind=drain name=third until=[0-9]+ by=root' drain third
		ctl 0 undrain third
	else
		skip "$STORE: drain: syslog is told, whatever log.to is" 'mounting is not allowed'
	fi
}

# told_to_syslog PATTERN WORD...: weirctl tells syslog, though the settings name standard error.
told_to_syslog() {
	"${OWN_DEV[@]}" \
		"$WEIRCTL" -c "$PRIVATE/weir.conf" "${@:2}" >"$PRIVATE/said" 2>"$PRIVATE/complaints" &&
		await 5 grep -q -E "^<22>.* weirctl.*: $1" "$PRIVATE/syslog" && not complained event=
}

limits() {
	ok "$STORE: drain: both daemons have read that none is left" overrides_are_read
	ok "$STORE: set-limit: the override is taken" tells 'may have 1 delivery at once' set-limit acme 1
	ok "$STORE: set-limit: the daemons see it" logged 'event=override kind=limit name=acme limit=1 '
	ok "$STORE: set-limit: a delivery is under way" hold_delivery one "$OWN" one@sender.test bob@acme.test
	ok "$STORE: set-limit: the second is too much" await 2 gets '451 4.7.1 Too many connections to acme' bob@acme.test
	ok "$STORE: set-limit: why names the ways out" eval 'knows "$REPLY_ID" && said "weirctl set-limit acme N" &&
		said "weirctl allow --sender one@sender.test --no-limits"'
	ok "$STORE: set-limit: explain shows it" json '$v->{verdict}{why} eq "destination-concurrency" &&
		$v->{verdict}{action} eq "defer" && $v->{limits}{bounds}[0]{held} == 1 && $v->{limits}{bounds}[0]{count} == 1 && !$v->{limits}{bounds}[0]{room}' \
		explain --client 127.0.0.1 --recipient bob@acme.test --sender a@b.test
	ok "$STORE: set-limit: status shows it" tells '^acme .* 1/1 .* full, limit set for ' status
	ok "$STORE: allow --no-limits: exempts from it" eval 'ctl 0 allow --sender one@sender.test --no-limits &&
		await 2 gets 250 bob@acme.test'
	ctl 0 disallow --sender one@sender.test
	await 2 gets 451 bob@acme.test
	ok "$STORE: unset-limit: ends it" tells 'no longer in force: limit acme' unset-limit acme
	ok "$STORE: unset-limit: the second is taken" await 2 gets 250 bob@acme.test
	quit_delivery one
	ok "$STORE: set-limit: warns where it refuses nothing" eval 'ctl 0 set-limit third 5 && complained "warning: .*observe"'
	ok "$STORE: set-limit: of a domain nobody configured" tells '^destination other\.test may have 3' set-limit other.test 3
	await 3 log_holds "$WEIR_LOG" 'event=override kind=limit name=other.test '
	await 3 log_holds "$MILTER_LOG" 'event=override kind=limit name=other.test '
}

# user_says REGEX USER: the answer to one message more of who has logged in so.
user_says() {
	policy_send protocol_state=RCPT client_address=203.0.113.9 client_name=unknown sender=a@b.test recipient=bob@local.test \
		"sasl_username=$2" "instance=$RANDOM.$RANDOM" && policy_reads "$1"
}

# Rates, and limits of others than destinations.
other_limits() {
	ok "$STORE: set-limit --user: the override is taken" tells '^user alice may have messages at 1/1h$' \
		set-limit --user Alice messages 1/1h
	ok "$STORE: set-limit --user: it is listed" tells '^limit-user-messages +alice +1/1h ' overrides
	ok "$STORE: set-limit --user: status shows it" tells '^limit-user-messages +alice +1/1h ' status
	ok "$STORE: set-limit --user: as JSON" json 'grep { $_->{kind} eq "limit-user-messages" && $_->{rates} eq "1/1h" } @$v' overrides
	await 3 log_holds "$WEIR_LOG" 'event=override kind=limit-user-messages name=alice limit=1/1h '
	ok "$STORE: set-limit --user: the first message is taken" user_says 'DUNNO$' alice
	ok "$STORE: set-limit --user: the second is not" user_says '451 .*\(id ([0-9A-Z]+)\)$' alice
	ID=${BASH_REMATCH[1]}
	ok "$STORE: set-limit --user: another user's is" user_says 'DUNNO$' bob
	ok "$STORE: why: by the user whose limit it was" await 5 tells "$ID .*user-messages" why alice
	ok "$STORE: why: --user" eval 'tells "$ID .*user-messages" why --user Alice && ctl 1 why --user alic'
	ok "$STORE: why: names the user, the limit and the ways out" eval 'tells "^$ID: " why "$ID" && said "user +alice$" &&
		said "user-messages.*1/1h" && said "^  weirctl set-limit --user alice messages RATES$" && said "^  weirctl allow --user alice$"'
	ok "$STORE: status: names the user, as JSON" json 'grep { $_->{id} eq "'"$ID"'" && $_->{user} eq "alice" &&
		$_->{limit} eq "1/1h" } @{$v->{recent}}' status
	ok "$STORE: set-limit --user: none at all" eval 'tells "^user alice may have any number of messages$" set-limit --user alice messages 0 &&
		said "replaces an override" && await 2 user_says "DUNNO$" alice'
	ctl 0 set-limit --user alice 3
	ok "$STORE: unset-limit --user: all bounds at once" eval 'tells "^no longer in force: limit-user alice$" unset-limit --user ALICE &&
		said "^no longer in force: limit-user-messages alice$"'
	ok "$STORE: unset-limit: it cannot end twice" refuses 1 'there is no override' unset-limit --user alice

	ok "$STORE: set-limit --sender: the override is taken" tells '^sender two@sender\.test may have messages at 9/1h burst 1$' \
		set-limit --sender 'Two+x@Sender.test' messages 9/1h burst 1
	await 3 log_holds "$MILTER_LOG" 'event=override kind=limit-sender-messages '
	ok "$STORE: set-limit --sender: a mail is taken" passes bob@other.test two@sender.test
	ok "$STORE: set-limit --sender: no second one at once" limited sender-messages 451 "$OWN" two@sender.test bob@other.test
	ok "$STORE: why: by the sender whose limit it was" await 5 tells "$REPLY_ID .*sender-messages" why two@sender.test
	ok "$STORE: why: as it is known by now" eval 'tells "^$REPLY_ID: " why "$REPLY_ID" && said "9/1h burst 1" &&
		said "^  weirctl set-limit --sender two@sender\.test messages RATES$"'
	ctl 0 unset-limit --sender two@sender.test messages
	ok "$STORE: set-limit: rates of a destination" eval 'tells "^destination acme \(acme\.test\) may have recipients at 1/1h$" \
		set-limit acme.test recipients 1/1h && await 3 log_holds "$MILTER_LOG" "event=override kind=limit-recipients "'
	ok "$STORE: set-limit: rates of a destination, the first" passes bob@acme.test
	ok "$STORE: set-limit: rates of a destination, the second" limited destination-recipients 451 "$OWN" a@sender.test bob@acme.test
	ok "$STORE: set-limit: one bound ends" eval 'tells "^no longer in force: limit-recipients acme\.test$" unset-limit acme recipients &&
		ctl 1 unset-limit acme concurrency'
	ok "$STORE: set-limit --client: an address stands for its network" tells '^client 203\.0\.113\.0/24 may have' \
		set-limit --client 203.0.113.77 messages 5/1m
	ctl 0 unset-limit --client 203.0.113.0/24
	ok "$STORE: set-limit: a rate of what?" refuses 64 '"600/1m" is a rate, of messages or recipients' set-limit acme 600/1m
	ok "$STORE: set-limit: what is allowed" refuses 64 '"1/5w" .*at most 4w' set-limit acme messages 1/5w
	ok "$STORE: set-limit: of one thing" refuses 64 'set-limit needs a destination, or one of' set-limit --user a --client 192.0.2.1 5
	ok "$STORE: set-limit: no address, no group" refuses 64 '--sender: "bulk" is neither an address nor the name of a group' \
		set-limit --sender bulk messages 5/1m
	ok "$STORE: set-limit: to nothing" refuses 64 'set-limit acme messages needs N or RATES behind it' set-limit acme messages
}

leases() {
	ok "$STORE: unset-limit: both daemons have read that none is left" overrides_are_read
	ok "$STORE: leases: none" tells 'no leases are in force' leases list
	hold_delivery one '' one@sender.test bob@acme.test
	hold_delivery two '' one@sender.test bob@acme.test carol@other.test
	ok "$STORE: leases: list, with whose limits they are" await 5 tells '^destination other\.test +milter +mx1\.test +127\.0\.0\.1:[0-9]+ ' leases list
	ok "$STORE: leases: each has its line" eval '[ "$(grep -c "^destination acme +*" "$PRIVATE/said")" -eq 2 ]'
	ok "$STORE: leases: of one destination, as JSON" json '@$v == 2 && $v->[0]{limit} eq "destination acme" &&
		$v->[0]{holder} eq "m/mx1.test/$v->[0]{client}" && $v->[0]{daemon} eq "milter" && $v->[0]{left} > 0' leases list acme.test
	ok "$STORE: leases: a third is too much" gets 451 bob@acme.test
	ok "$STORE: leases kill: not unasked" refuses 64 '.*--yes' leases kill --destination acme
	kill_milter
	ok "$STORE: leases kill: the slots of a dead milter are taken" gets 451 bob@acme.test
	local client
	ctl 0 leases list acme
	client=$(sed -n '2s/.* \(127\.0\.0\.1:[0-9]*\) .*/\1/p' "$PRIVATE/said")
	ok "$STORE: leases kill: by client and port" tells ' of 1 holder (is|are) gone' -o log.to=stderr leases kill --yes "$client"
	ok "$STORE: leases kill: is told to the log" complained "event=leases-killed holder=m/mx1.test/$client leases=[12] by="
	ok "$STORE: leases kill: its slot is free" gets 250 bob@acme.test
	ok "$STORE: leases kill: a destination is no holder" refuses 1 'there is no such lease: did you mean --destination acme' \
		leases kill --yes acme.test
	ok "$STORE: leases kill: once" refuses 1 'there is no such lease' leases kill --yes "$client"
	ok "$STORE: leases kill: all of a destination" json '$v->{killed} >= 1 && @{$v->{holders}} >= 1' \
		leases kill --yes --destination acme
	ok "$STORE: leases kill: none is left there" tells 'no leases are in force' leases list acme
	start_milter
	quit_delivery one
	quit_delivery two
	ctl 0 unset-limit other.test
}

explanations() {
	local mail=(--client 192.0.2.1 --sender Alice+x@Sender.test --recipient bob@local.test)
	ok "$STORE: explain: a triplet that waits" tells '^deferred: greylist-early' explain "${mail[@]}"
	ok "$STORE: explain: as it is compared, its record, the reply" eval 'said "alice@sender\.test" &&
		said "^triplet +waiting since" && said "^identity +not known" && said "^reply: 451 4\.7\.1 Greylisted"'
	echo 'news@listed.test' >>"$PRIVATE/senders"
	ok "$STORE: explain: a list, with its line" json '$v->{verdict}{why} eq "list-sender" &&
		(grep { $_->{rule} eq "list-sender" && $_->{applies} eq "yes" && $_->{by} =~ m{/senders:1$} } @{$v->{rules}}) &&
		(grep { $_->{rule} eq "own-network" && $_->{applies} eq "no" } @{$v->{rules}}) &&
		(grep { $_->{rule} eq "list-recipient" && $_->{applies} eq "not tried" } @{$v->{rules}})' \
		explain --client 192.0.2.1 --sender news@listed.test --recipient bob@local.test
	ok "$STORE: explain: a private address" json '$v->{verdict}{why} eq "private-network" &&
		(grep { $_->{rule} eq "private-network" && $_->{applies} eq "yes" } @{$v->{rules}})' \
		explain --client 192.168.1.10 --sender a@b.test --recipient bob@local.test
	ok "$STORE: explain: in plain words, with a zone" tells '^accepted: private-network' \
		explain --client fe80::1%eth0 --sender a@b.test --recipient bob@local.test
	ok "$STORE: explain: mail without a sender, at each stage" eval '
		tells "^accepted: null-sender" explain --client 192.0.2.1 --recipient bob@local.test &&
		tells "^deferred: greylist-new" explain --client 192.0.2.1 --recipient bob@local.test --stage data'
	ok "$STORE: explain: limits are not asked at DATA" tells '^Not asked at DATA' \
		explain --client 192.0.2.1 --recipient bob@acme.test --stage data
	ok "$STORE: explain: whom it is taken as, though no rule asks" tells '^taken as +192\.0\.2\.0/24 \(prefix\)' \
		explain --client 192.0.2.1 --recipient bob@acme.test
	ok "$STORE: explain: nothing is written" tells '^deferred: greylist-new' \
		explain --client 192.0.2.1 --recipient bob@local.test --stage data
	ok "$STORE: explain: how full limits are, though it does not come to that" json '!$v->{limits}{asked} &&
		$v->{limits}{bounds}[0]{name} eq "acme" && $v->{limits}{bounds}[0]{count} == 2' \
		explain --client 192.0.2.1 --sender a@b.test --recipient bob@acme.test
	ctl 0 allow --client 192.0.2.1 --no-limits
	ok "$STORE: explain: an override that exempts from limits" json '$v->{limits}{exempt} eq "allow-client 192.0.2.1" &&
		@{$v->{limits}{bounds}} == 0 && $v->{verdict}{why} eq "override-client"' \
		explain --client 192.0.2.1 --sender a@b.test --recipient bob@acme.test
	ctl 0 disallow --client 192.0.2.1
	ok "$STORE: explain: who has logged in" tells '^accepted: authenticated' explain "${mail[@]}" --user alice
	ok "$STORE: explain: a name makes the identity" json '$v->{identity} eq "sender.test" && $v->{identity_by} eq "domain"' \
		explain "${mail[@]}" --client-name mail.sender.test
}

wrong_usage() {
	ok "usage: no command" eval 'ctl 64 && complained "^weirctl: a command is missing$" && complained "^usage: weirctl"'
	ok "usage: an unknown command, and the nearest" refuses 64 'unknown command "stauts": did you mean "status"' stauts
	ok "usage: an unknown option, and the nearest" refuses 64 'unknown option "--sinse": did you mean "--since"' why --sinse 2h x
	ok "usage: an unknown destination, and the nearest" refuses 64 'there is no destination "acne": did you mean "acme"' drain acne
	ok "usage: a domain of one, misspelt" refuses 64 '.*did you mean "acme\.test"' drain acme-test
	ok "usage: nothing like a destination" refuses 64 '"xyzzy" is neither a destination of the settings nor a domain' drain xyzzy
	ok "usage: an unknown reason, and the nearest" refuses 64 '--cause: .*did you mean "greylist-new"' why --cause greylist-nwe
	ok "times: --for may be a sum" eval 'tells "\(for 1h 30m\)$" drain acme --for "1h 30m" && tells "\(for 1d 12h\)$" drain acme --for 1d12h'
	ctl 0 undrain acme
	ok "usage: --for is too short" refuses 64 '--for: "30s" is no time from 1m to 365d' drain acme --for 30s
	ok "usage: --for is too long" refuses 64 '--for: ' drain acme --for 366d
	ok "usage: --for is no time" refuses 64 '--for: ' drain acme --for soon
	ok "usage: allow whom" refuses 64 'allow needs one of' allow --for 1h
	ok "usage: allow one at a time" refuses 64 'allow needs one of' allow --client 192.0.2.1 --sender a@b.test
	ok "usage: no such client" refuses 64 '--client: ' allow --client 192.0.2.1/33
	ok "usage: no such regular expression" refuses 64 '--sender: ' allow --sender '/(/'
	ok "usage: no such limit" refuses 64 '"many" is no number' set-limit acme many
	ok "usage: a star is no pattern" refuses 64 '.*for a whole domain write "acme\.test"' allow --recipient '*@acme.test'
	ok "usage: nor elsewhere" refuses 64 '.*give a domain' allow --sender 'bounce-*@acme.test'
	ok "usage: an operand is missing" refuses 64 'set-limit needs \[DESTINATION\]' set-limit
	ok "usage: neither id nor address" refuses 64 '"two words" is neither' why two words
	ok "usage: no id" refuses 64 '"7Q2K9U" is no id' release 7Q2K9U
	ok "usage: explain needs a recipient" refuses 64 'the option --recipient is missing' explain --client 192.0.2.1
	ok "usage: explain needs an address" refuses 64 '--client: "mail.test" is no address' explain --client mail.test --recipient a@b.test
	ok "usage: --interval is no time" refuses 64 '--interval: ' status --watch --interval often
	ok "usage: leases do what" refuses 64 'leases: "lsit" is neither' leases lsit
	ok "usage: an id, and options that it leaves no use for" refuses 64 'the option --sender does not go with an id' \
		release 7Q2K9F --sender other@y.test
	ok "usage: a client, and the same" refuses 64 'the option --recipient does not go with --identity' \
		forget --identity --client 192.0.2.1 --recipient a@b.test
	ok "usage: leases of two destinations" refuses 64 'the option --destination does not go with acme' \
		leases list acme --destination third.test
	ok "usage: help" tells '^usage: weirctl ' --help
	ok "usage: help of a command" tells '^usage: weirctl set-limit \[DESTINATION\] \[BOUND\] N' help set-limit
	ok "usage: help of an unknown command, and the nearest" refuses 64 'unknown command "staus": did you mean "status"' help staus
	ok "usage: help of nothing like a command" refuses 64 'unknown command "xyzzy"$' help xyzzy
	ok "usage: the version" tells '^weirctl [0-9]' -V
	ok "settings: wrong ones" refuses 78 '.*greylist\.delay' -o greylist.delay=soon status
	ok "settings: none" refuses 78 '.*nowhere' -c "$PRIVATE/nowhere" overrides
}

# as_nobody STATUS WORD...: the same as another user, with a copy of the program that it may read.
as_nobody() {
	cp "$WEIRCTL" "$PRIVATE/weirctl"
	timeout 20 setpriv --reuid nobody --regid nogroup --clear-groups "$PRIVATE/weirctl" -c "$PRIVATE/weir.conf" \
		"${@:2}" >"$PRIVATE/said" 2>"$PRIVATE/complaints" </dev/null
	[ $? -eq "$1" ]
}

rights() {
	ok "rights: another user may not use the store" as_nobody 77 overrides
	ok "rights: and is told what is missing" complained "$PRIVATE/db.* nobody|nobody.*$PRIVATE/db"
	chmod 600 "$PRIVATE/weir.conf"
	ok "rights: nor the settings, which nobody else may read" as_nobody 77 overrides
	ok "rights: and is told whose they are" complained \
		'weir\.conf as user nobody \(it belongs to root:root, mode 0600\): Permission denied'
	chmod 644 "$PRIVATE/weir.conf"
	[ "$STORE" = redis ] || start_redis
	chmod 600 "$PRIVATE/redis.sock"
	ok "rights: nor the socket of Redis" as_nobody 77 -o store.backend=redis overrides
	ok "rights: and is told which" complained "redis at unix:$PRIVATE/redis.sock: cannot connect: Permission denied"
	[ "$STORE" = redis ] || stop_redis
	mkdir "$PRIVATE/theirs" && chown nobody "$PRIVATE/theirs"
	ok "rights: no store, for who only reads" refuses 69 "there is no $PRIVATE/theirs/weir\.db" -o "store.path=$PRIVATE/theirs" overrides
	ok "rights: status tells" eval 'ctl 1 -o "store.path=$PRIVATE/theirs" status && said "embedded DOWN: there is no "'
	ok "rights: none is made" eval '[ -z "$(ls "$PRIVATE/theirs")" ]'
	ok "rights: root becomes the daemons' user" ctl 0 -o user=nobody -o "store.path=$PRIVATE/theirs" drain acme
	ok "rights: so that its files are that user's" eval '[ -e "$PRIVATE/theirs/ledger.db" ] &&
		[ -z "$(find "$PRIVATE/theirs" ! -user nobody)" ]'
	rm "$PRIVATE/theirs"/ledger.db*
	chown root "$PRIVATE/theirs"
	ok "rights: a lost ledger.db is made" ctl 0 -o user= -o "store.path=$PRIVATE/theirs" overrides
	ok "rights: for the owner of weir.db" eval '[ "$(stat -c %U "$PRIVATE/theirs/ledger.db")" = nobody ]'
	ok "rights: an unknown user" refuses 78 'user: there is no user' -o user=no-such-user overrides
}

# completes WORD LINE...: so does the shell, at the end of the line.
completes() {
	local want=$1
	COMP_WORDS=("${@:2}")
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	COMPREPLY=()
	_weirctl
	printf '%s\n' "${COMPREPLY[@]}" | grep -q -x -e "$want"
}

completion() {
	# shellcheck source=etc/weirctl.bash-completion disable=SC1091
	. "$TOP/etc/weirctl.bash-completion"
	local line=("$WEIRCTL" -c "$PRIVATE/weir.conf")
	ok "completion: commands" completes set-limit "${line[@]}" s
	ok "completion: not the others" not completes drain "${line[@]}" s
	ok "completion: destinations of these settings" completes third "${line[@]}" drain ''
	ok "completion: no second one" not completes third "${line[@]}" drain acme ''
	ok "completion: options of the command" completes --no-limits "${line[@]}" allow --
	ok "completion: options of all" completes --json "${line[@]}" allow --
	ok "completion: reasons" completes greylist-early "${line[@]}" why --cause greylist-e
	ok "completion: with '='" completes greylist-early "${line[@]}" why --cause = greylist-e
	ok "completion: what can be imported" completes milter-greylist "${line[@]}" import m
	ok "completion: or a file" completes "$PRIVATE/weir.conf" "${line[@]}" import "$PRIVATE/weir.c"
	ok "completion: a file of postgrey's" completes "$PRIVATE/theirs" "${line[@]}" import --delay 5m postgrey "$PRIVATE/the"
	ok "completion: a folder of an MTA" completes "$PRIVATE/theirs" "${line[@]}" doctor --mta "$PRIVATE/the"
	ok "completion: and no file" not completes "$PRIVATE/weir.conf" "${line[@]}" doctor --mta "$PRIVATE/weir.c"
	ok "completion: no file where none is taken" not completes "$PRIVATE/weir.conf" "${line[@]}" check-config "$PRIVATE/weir.c"
	ok "completion: settings named with '='" completes third "$WEIRCTL" --config = "$PRIVATE/weir.conf" drain ''
	ok "completion: behind a setting of its own" completes third "${line[@]}" -o nodes = 2 drain ''
	ok "completion: destinations of an option" completes acme "${line[@]}" why --destination ''
}

# The daemons are away from here on.
alone() {
	stop_postfix
	stop_weir
	stop_milter
	ok "$STORE: alone: status says so" await 15 eval 'ctl 1 status && [ "$(grep -c " stopped " "$PRIVATE/said")" -eq 2 ]'
	ok "$STORE: alone: an override is taken, with a warning" eval 'ctl 0 drain acme && complained "warning: no daemon is alive"'
	ctl 0 undrain acme
	[ "$STORE" = redis ] || return
	redis acl setuser default -eval -evalsha -hgetall >/dev/null
	ok "$STORE: rights: a command that Redis denies" refuses 77 '.*NOPERM' overrides
	redis acl setuser default +eval +evalsha +hgetall '>right' >/dev/null
	ok "$STORE: rights: no password" refuses 77 '.*NOAUTH' overrides
	echo wrong >"$PRIVATE/password" && chmod 600 "$PRIVATE/password"
	ok "$STORE: rights: a wrong one" refuses 77 '.*WRONGPASS' -o "store.redis.password_file=$PRIVATE/password" overrides
	stop_redis
	ok "$STORE: away: overrides cannot be read" refuses 69 '.*redis' overrides
	ok "$STORE: away: nor can decisions" refuses 69 '' why a@b.test
	ok "$STORE: away: status tells" eval 'ctl 1 status && said "store redis DOWN: "'
	ok "$STORE: away: and that the rest is not known" eval '[ "$(tail -n +2 "$PRIVATE/said")" = "nothing else is known while the store is down" ]'
	ok "$STORE: away: as JSON" eval 'JSON_STATUS=1 json "!\$v->{store}{up} && length \$v->{store}{error} &&
		!grep { defined \$v->{\$_} } qw(daemons destinations greylist chart overrides recent)" status'
}

run_on() {
	STORE=$1
	private_dir
	POLICY_PORT=$(free_port)
	write_settings "$STORE" "$POLICY_PORT" "$LIMITS"
	if [ "$STORE" = redis ]; then
		ok "$STORE: Redis starts" start_redis || return
	fi
	ok "$STORE: weir-policyd starts" start_with_store || return
	ok "$STORE: weir-milter starts" start_milter || return
	ok "$STORE: Postfix starts" start_postfix "inet:127.0.0.1:$POLICY_PORT" "unix:$PRIVATE/milter.sock" || return
	policy_open "$POLICY_PORT"
	state_of_the_site
	reasons
	evil_bytes
	passes_by_hand
	identities
	allowances
	drains
	users
	limits
	other_limits
	leases
	explanations
	if [ "$STORE" = embedded ]; then
		wrong_usage
		rights
		completion
	fi
	policy_close
	alone
}

need_postfix_and_stores
need setpriv
on_each_store run_on "$@"
plan
