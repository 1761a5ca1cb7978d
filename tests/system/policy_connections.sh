#!/bin/bash
# One message asked about over several policy connections, or over one for each request, as Exim does: it holds its slot
# until its end is told. A connection of Postfix that closes ends its message.
# usage: policy_connections.sh [embedded|redis]...

# shellcheck source=tests/system/lib.sh disable=SC1091,SC2119
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/milter_lib.sh disable=SC1091
. "$(dirname "$0")/milter_lib.sh"

ACME='limits: { destinations = ( { name = "acme"; domains = ["acme.test"]; concurrency = 1; } ); };'

# message N: its attributes. The client is one of the own networks, which greylisting spares.
message() {
	printf '%s\n' client_address=127.0.0.1 "client_port=$((3000 + $1))" client_name=unknown sender=a@sender.test \
		recipient=b@acme.test "instance=$1.a"
}

# once REGEX N STAGE: such is the answer over a connection of its own, of which the client ends its half at once.
once() {
	{ printf '%s\n' request=smtpd_access_policy "protocol_state=$3"; message "$2"; echo; } |
		timeout 10 nc -N 127.0.0.1 "$PORT" | grep -q "^action=$1"
}

# kept REGEX N STAGE: the same over the connection that is open.
kept() {
	local attributes
	mapfile -t attributes < <(message "$2")
	policy_send "protocol_state=$3" "${attributes[@]}" && policy_reads "$1"
}

run_on() {
	STORE=$1
	private_dir
	PORT=$(free_port)
	[ "$STORE" = embedded ] || ok "$STORE: Redis starts" start_redis || return
	write_settings "$STORE" "$PORT" "$ACME"
	ok "$STORE: weir-policyd starts" start_with_store -o store.deadline=5s || return
	ok "$STORE: a connection for each request: the first recipient passes" once DUNNO 1 RCPT
	ok "$STORE: a connection for each request: the slot stays when it is gone" busy 2
	ok "$STORE: a connection for each request: the next recipient passes" once DUNNO 1 RCPT
	ok "$STORE: a connection for each request: DATA passes" once DUNNO 1 DATA
	ok "$STORE: a connection for each request: the slot is still taken" busy 2
	ok "$STORE: a connection for each request: the end is heard" once DUNNO 1 END-OF-MESSAGE
	ok "$STORE: a connection for each request: the slot is free" passes_soon 2
	ok "$STORE: a connection for each request: that one ends" once DUNNO 2 END-OF-MESSAGE

	policy_open "$PORT"
	ok "$STORE: a connection that stays: two recipients pass" eval 'kept DUNNO 3 RCPT && kept DUNNO 3 RCPT'
	ok "$STORE: a connection that stays: they hold a slot" slots_are "$STORE" 1
	ok "$STORE: a connection that stays: the end comes over another" once DUNNO 3 END-OF-MESSAGE
	ok "$STORE: a connection that stays: no slot is left" await 5 slots_are "$STORE" 0
	ok "$STORE: a connection that stays: it is asked about a message" eval 'kept DUNNO 4 RCPT && kept DUNNO 4 DATA'
	ok "$STORE: a connection that stays: which holds a slot" slots_are "$STORE" 1
	policy_close
	ok "$STORE: a connection that stays: its end is that of the message" await 5 slots_are "$STORE" 0
	ok "$STORE: weir-policyd ends cleanly" stop_weir
}

busy() {
	once '451 4.7.1 Too many connections to acme' "$1" RCPT
}

passes_soon() {
	await 5 once DUNNO "$1" RCPT
}

need sqlite3 nc
on_each_store run_on "$@"
plan
