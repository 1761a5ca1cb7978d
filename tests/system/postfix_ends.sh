#!/bin/bash
# The end of a message that Postfix does not tell weir-milter: another milter has settled it, a proxy takes it. On each
# store, weir-milter alone and with weir-policyd.
# usage: postfix_ends.sh [embedded|redis]...

# shellcheck source=tests/system/lib.sh disable=SC1091,SC2119
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/milter_lib.sh disable=SC1091
. "$(dirname "$0")/milter_lib.sh"
# shellcheck source=tests/system/postfix_lib.sh disable=SC1091
. "$(dirname "$0")/postfix_lib.sh"

LIMIT='destinations = ( { name = "acme"; domains = ["acme.test"]; concurrency = 1; } );'

# postfix_with MILTERS [LINE]...: Postfix anew, which asks those milters in that order.
postfix_with() {
	stop_postfix
	start_postfix "${POLICY:-}" '' 'virtual_mailbox_domains = regexp:{{/\.test/ yes}}' "smtpd_milters = $1" "${@:2}"
}

# with_policyd: what is asked of the policy service, its end of a message among it.
with_policyd() {
	POLICY=inet:127.0.0.1:$POLICY_PORT
	END="smtpd_end_of_data_restrictions = $(policy_check "$POLICY")"
}

# ends NAME FROM REPLY: a message of that sender, which is answered so at its end; the session stays open.
ends() {
	hold_delivery "$1" '' "$2" bob@acme.test && held 1 && smtp "$1" 354 DATA &&
		smtp "$1" "$3" $'Subject: ends\r\n\r\nends\r\n.'
}

# goes_on NAME: its next message is one as any other.
goes_on() {
	begin_delivery "$1" a@sender.test bob@acme.test && held 1 && quit_delivery "$1" && held 0
}

WAYS=('reject 550' 'discard 250' 'quarantine 250' 'pass 250')

# each_way WHAT COMMAND...: in each way a message may come to its end, COMMAND holds behind it, and the session goes on.
each_way() {
	local way from reply
	for way in "${WAYS[@]}"; do
		read -r from reply <<<"$way"
		ok "$STORE: $1: a content filter says $from" ends one "$from@sender.test" "$reply"
		ok "$STORE: $1: $from: the slot is free as expected" "${@:2}"
		ok "$STORE: $1: $from: the session goes on" goes_on one
	done
}

# Nobody tells of the end.
released_in_time() {
	slots_are "$STORE" 1 && await 10 slots_are "$STORE" 0 && logged 'no end of the message since DATA'
}

milter_alone() {
	POLICY=''
	ok "$STORE: alone: Postfix asks a content filter first" postfix_with "$CONTENT, $OURS" || return
	ok "$STORE: alone: weir-milter starts" milter_with "$LIMIT" "${OFF[@]}" -o milter.hold=2s || return
	WAYS=('reject 550' 'discard 250')
	each_way 'behind a filter, by milter.hold' released_in_time
	ok "$STORE: alone: Postfix asks weir-milter first" postfix_with "$OURS, $CONTENT" || return
	ok "$STORE: alone: weir-milter starts" milter_with "$LIMIT" "${OFF[@]}" -o milter.hold=1h || return
	WAYS=('reject 550' 'discard 250' 'quarantine 250' 'pass 250')
	each_way 'before a filter, at once' held 0
}

# With the same slots as before, and no bound that could hide a fault.
with_both() {
	with_policyd
	ok "$STORE: both: Postfix asks a content filter first" postfix_with "$CONTENT, $OURS" "$END" || return
	ok "$STORE: both: weir-milter starts" milter_with "$LIMIT" "${OFF[@]}" -o milter.hold=1h || return
	ok "$STORE: both: weir-policyd starts" start_with_store "${OFF[@]}" || return
	each_way 'both, behind a filter, at once' held 0
	ends one reject@sender.test 550
	ok "$STORE: both: another session is let in at once" passes bob@acme.test
	ok "$STORE: both: the first one's next message, too" goes_on one
}

# The proxy takes the message, and Postfix' cleanup never sees it.
with_proxy() {
	local port
	port=$(free_port)
	start_process smtp-sink -u nobody -c "127.0.0.1:$port" 100 >/dev/null 2>&1
	ok "$STORE: proxy: it listens" await 5 port_answers "$port" || return
	ok "$STORE: proxy: Postfix hands mail to it" \
		postfix_with "$OURS" "$END" "smtpd_proxy_filter = 127.0.0.1:$port" || return
	ok "$STORE: proxy: a message ends" ends one a@sender.test 250
	ok "$STORE: proxy: both: its slot is free at once" held 0
	ok "$STORE: proxy: both: the session goes on" goes_on one
	stop_weir
	POLICY=''
	ok "$STORE: proxy: Postfix asks weir-milter alone" \
		postfix_with "$OURS" "smtpd_proxy_filter = 127.0.0.1:$port" || return
	ok "$STORE: proxy: weir-milter starts" milter_with "$LIMIT" "${OFF[@]}" -o milter.hold=2s || return
	ok "$STORE: proxy: a message ends" ends one a@sender.test 250
	ok "$STORE: proxy: alone: its slot is free in time" released_in_time
	ok "$STORE: proxy: alone: the session goes on" goes_on one
}

run_on() {
	STORE=$1
	private_dir
	POLICY_PORT=$(free_port)
	OFF=(-o greylist.mode=off -o log.level=info)
	OURS="{ unix:$PRIVATE/milter.sock, connect_timeout=5s, command_timeout=10s, default_action=accept }"
	CONTENT="{ unix:$PRIVATE/content.sock, default_action=tempfail }"
	if [ "$STORE" = redis ]; then
		ok "$STORE: Redis starts" start_redis || return
	fi
	start_process perl "$SYSTEM_TESTS/content_milter.pl" "$PRIVATE/content.sock" >/dev/null
	ok "$STORE: a content filter starts" await 5 [ -S "$PRIVATE/content.sock" ]
	milter_alone
	with_both
	with_proxy
}

need_postfix_and_stores
need smtp-sink
on_each_store run_on "$@"
plan
