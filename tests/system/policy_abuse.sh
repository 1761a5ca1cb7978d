#!/bin/bash
# Bad input on the policy port: that connection is closed, the others are served, memory stays, nothing is stored.

# shellcheck source=tests/system/lib.sh disable=SC1091,SC2119
. "$(dirname "$0")/lib.sh"

IDLE=1000
MEMORY_KB=20000
[ -z "${WEIR_SANITIZED:-}" ] || MEMORY_KB=100000 # sanitizers keep freed memory for a while

# closed_after FILE: the daemon closes a connection that sent this, without an answer.
closed_after() {
	timeout 10 nc 127.0.0.1 "$PORT" <"$1" >"$PRIVATE/reply" 2>/dev/null
	[ $? -ne 124 ] && ! [ -s "$PRIVATE/reply" ]
}

# others_served: an honest client is answered at once; one of the own networks, so that it leaves nothing in the store.
others_served() {
	local before answered
	before=$(now_ms)
	policy_says 'DUNNO$' 127.0.0.1 a@own.test b@local.test
	answered=$?
	[ "$answered" -eq 0 ] && [ $(($(now_ms) - before)) -lt 1000 ]
}

rss_kb() {
	awk '$1 == "VmRSS:" { print $2 }' "/proc/$WEIR_PID/status"
}

descriptors() {
	local all=("/proc/$WEIR_PID/fd"/*)
	echo "${#all[@]}"
}

descriptors_are_back() {
	[ "$(descriptors)" -le "$DESCRIPTORS_BEFORE" ]
}

rows() {
	sqlite3 -readonly "$PRIVATE/db/weir.db" 'SELECT (SELECT count(*) FROM triplet) + (SELECT count(*) FROM identity)'
}

request_of() {
	printf '%s\n' request=smtpd_access_policy protocol_state=RCPT client_address=192.0.2.1 sender=a@b.test \
		recipient=c@local.test "$@"
}

write_abuse() {
	mkdir "$PRIVATE/abuse"
	head -c 100000 /dev/urandom >"$PRIVATE/abuse/garbage"
	printf 'GET / HTTP/1.1\r\nHost: weir\r\n\r\n' >"$PRIVATE/abuse/an HTTP request"
	head -c 10000000 /dev/zero | tr '\0' a >"$PRIVATE/abuse/a line of 10 MB"
	{ echo request=smtpd_access_policy; head -c 10000 /dev/zero | tr '\0' a; echo; echo; } \
		>"$PRIVATE/abuse/a line over 8 KiB"
	mapfile -t many < <(seq -f 'attribute%g=x' 200)
	{ request_of "${many[@]}"; echo; } >"$PRIVATE/abuse/200 attributes"
	mapfile -t large < <(seq -f "large%g=$(head -c 4000 /dev/zero | tr '\0' a)" 30)
	{ request_of "${large[@]}"; echo; } >"$PRIVATE/abuse/a request of 120 KB"
}

abuse() {
	local file
	for file in "$PRIVATE"/abuse/*; do
		ok "${file##*/}: the connection is closed" closed_after "$file"
		ok "${file##*/}: others are served" others_served
	done
}

half_request() {
	request_of | timeout 10 nc -N 127.0.0.1 "$PORT" >"$PRIVATE/reply"
	ok "half a request: gets no answer" not [ -s "$PRIVATE/reply" ]
	request_of >"$PRIVATE/half"
	ok "half a request: is not waited for beyond policyd.request_timeout" closed_after "$PRIVATE/half"
	ok "half a request: others are served" others_served
}

idle_connections() {
	local idle
	start_process perl "$SYSTEM_TESTS/idle_client.pl" "$PORT" "$IDLE" >"$PRIVATE/idle" 2>&1
	idle=$STARTED
	ok "$IDLE idle connections: they are open" await 20 grep -q open "$PRIVATE/idle"
	ok "$IDLE idle connections: an open connection is served" others_served
	policy_close
	policy_open "$PORT"
	ok "$IDLE idle connections: a new one too" others_served
	end_process "$idle"
	ok "$IDLE idle connections: all their descriptors are freed" await 10 descriptors_are_back
}

need perl sqlite3 nc
ulimit -S -n 4096 2>/dev/null || true
private_dir
PORT=$(free_port)
write_settings embedded "$PORT"
write_abuse
if ! ok "weir-policyd starts" start_weir -o policyd.request_timeout=5s; then
	clean_up
	plan
	exit
fi
policy_open "$PORT"
ok "an honest client is served" others_served
RSS_BEFORE=$(rss_kb)
DESCRIPTORS_BEFORE=$(descriptors)

abuse
half_request
idle_connections

ok "memory grew by less than $((MEMORY_KB / 1000)) MB" [ "$(rss_kb)" -lt $((RSS_BEFORE + MEMORY_KB)) ]
ok "nothing was stored" [ "$(rows)" -eq 0 ]
kill -0 "$WEIR_PID" && stop_weir
ok "it ends cleanly" [ $? -eq 0 ]
clean_up
plan
