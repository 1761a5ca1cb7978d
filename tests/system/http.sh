#!/bin/bash
# The HTTP side of weir-policyd and weir-milter: what is answered and what is refused, to whom, and that nobody there is in
# the way of mail.

# shellcheck source=tests/system/lib.sh disable=SC1091,SC2119
. "$(dirname "$0")/lib.sh"

need curl jq
IDLE=500

fresh() {
	private_dir
	PORT=$(free_port)
	HTTP_PORT=$(free_port)
	HTTP=inet:127.0.0.1:$HTTP_PORT
	WEB=http://127.0.0.1:$HTTP_PORT
	write_settings embedded "$PORT"
}

# start_at ENDPOINT...: weir-policyd with its status page there.
start_at() {
	local list
	list=$(printf '%s,' "$@")
	start_with_store -o "http.listen=${list%,}"
}

# get PATH [CURL_OPTION]...: its head is in PRIVATE/head, its body in PRIVATE/body, its status in STATUS.
get() {
	STATUS=$(curl -s --max-time 10 --path-as-is -D "$PRIVATE/head" -o "$PRIVATE/body" -w '%{http_code}' "${@:2}" \
		"${WEB:-http://127.0.0.1:$HTTP_PORT}$1")
}

# answers STATUS PATH [CURL_OPTION]...: and no answer lacks what keeps a browser in check.
answers() {
	local header
	get "${@:2}"
	for header in 'Content-Security-Policy: default-src '"'none'" 'X-Content-Type-Options: nosniff' \
		'Referrer-Policy: no-referrer' 'Cache-Control: no-store' 'X-Frame-Options: DENY' 'Connection: close'; do
		grep -q -F -e "$header" "$PRIVATE/head" || return
	done
	[ "$STATUS" = "$1" ]
}

# holds FILE PATTERN
holds() {
	grep -q -e "$2" "$PRIVATE/$1"
}

# told STATUS FILE: sent these bytes, it answers so.
told() {
	local fd
	{ exec {fd}<>"/dev/tcp/127.0.0.1/$HTTP_PORT"; } 2>/dev/null || return
	(cat "$2" >&"$fd") 2>/dev/null
	timeout 10 cat <&"$fd" >"$PRIVATE/reply" 2>/dev/null
	{ exec {fd}>&-; } 2>/dev/null
	grep -q -a -e "^HTTP/1.1 $1 " "$PRIVATE/reply"
}

# greylists: the policy port answers at once.
greylists() {
	ask_many "$PORT" --requests 100 --connections 4 --first "${1:-0}" && all_are greylisted && within 1000
}

page_is_whole() {
	[ "$(head -n 1 "$PRIVATE/body")" = '<!DOCTYPE html>' ] && [ "$(tail -n 1 "$PRIVATE/body")" = '</html>' ]
}

# within_seconds FROM TO COMMAND...: so long does it take, whatever comes of it.
within_seconds() {
	local before took
	before=$(now_ms)
	"${@:3}"
	took=$(($(now_ms) - before))
	[ "$took" -ge $(($1 * 1000)) ] && [ "$took" -le $(($2 * 1000)) ]
}

status_is_known() {
	answers 200 /status.json && jq -e '.daemons | length > 0' "$PRIVATE/body" >"$PRIVATE/jq" 2>&1
}

paths() {
	fresh
	ok "it starts" start_at "$HTTP" || return
	ok "the log says where the page is" logged "status page at $HTTP\$"
	ok "which is nothing to warn of" never_logged 'beyond loopback'
	ok "/status.json tells of the daemon" await 10 status_is_known
	ok "as JSON" holds head '^Content-Type: application/json'
	ok "/ is there" answers 200 /
	ok "as HTML" holds head '^Content-Type: text/html; charset=utf-8'
	ok "whole" page_is_whole
	cp "$PRIVATE/head" "$PRIVATE/first"
	ok "its policy lets only its own script run" holds head "script-src 'nonce-[0-9a-f]\{32\}'; style-src 'nonce-"
	get /
	ok "with another nonce each time" not cmp -s "$PRIVATE/head" "$PRIVATE/first"
	ok "/metrics is there" answers 200 /metrics
	ok "for Prometheus" holds head '^Content-Type: text/plain; version=0.0.4'
	ok "/healthz is there" answers 200 /healthz
	ok "and well" holds body '^ok'
	ok "a query changes nothing" answers 200 '/healthz?x=/metrics'
	ok "other paths are not there" answers 404 /etc/passwd
	ok "nor with dots" answers 404 /../../etc/passwd
	ok "nor in disguise" answers 404 /%2e%2e/status.json
	ok "POST is refused" answers 405 / -X POST
	ok "with what is allowed" holds head '^Allow: GET'
	ok "HEAD, too" answers 405 / --head
	ok "a body is refused" answers 400 /status.json -X GET -d weir
	ok "a name as host is refused" answers 403 / -H 'Host: rebind.test'
	ok "with a plain text" holds head '^Content-Type: text/plain'
	ok "a short one" [ "$(wc -c <"$PRIVATE/body")" -lt 100 ]
	ok "localhost is not" answers 200 / -H "Host: localhost:$HTTP_PORT"
}

strange_requests() {
	local file=$PRIVATE/request
	printf 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: %08200d\r\n\r\n' 0 >"$file"
	ok "a request of more than 8 KiB is refused" told 431 "$file"
	printf 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: %01000000d\r\n\r\n' 0 >"$file"
	ok "one of a megabyte, too" told 431 "$file"
	printf 'request=smtpd_access_policy\n\n' >"$file"
	ok "a policy request is none" told 400 "$file"
	printf 'GET /healthz HTTP/1.0\r\n\r\nGET /metrics HTTP/1.0\r\n\r\n' >"$file"
	ok "of two requests the first is answered" told 200 "$file"
	ok "but not the second" not holds reply '^weir_'
	head -c 65536 /dev/urandom >"$file"
	told 400 "$file"
	ok "whatever came, the page is there" answers 200 /
	printf 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n' >"$file"
	ok "half a request ends after five seconds" within_seconds 4 9 told none "$file"
}

descriptors() {
	local all=("/proc/$WEIR_PID/fd"/*)
	echo "${#all[@]}"
}

descriptors_at_most() {
	[ "$(descriptors)" -le "$1" ]
}

many_connections() {
	local before
	before=$(descriptors)
	start_process perl "$SYSTEM_TESTS/idle_client.pl" "$HTTP_PORT" "$IDLE" >"$PRIVATE/idle" 2>&1
	ok "$IDLE connections are made and stay idle" await 10 holds idle '^open'
	ok "the page is there all the same" answers 200 /
	ok "the policy port answers at once" greylists 1000
	ok "at most 64 of them are held" descriptors_at_most $((before + 64 + 10))
	ok "the log says so" logged 'more than 64 connections'
	ok "once" [ "$(grep -c 'more than 64 connections' "$WEIR_LOG")" -eq 1 ]
	ok "after five seconds none of them is left" await 10 descriptors_at_most $((before + 10))
	end_process "$STARTED"
	ok "the policy port still answers at once" greylists 2000
}

unix_socket() {
	local socket
	fresh
	socket=$PRIVATE/status.sock
	ok "unix: it starts" start_at "unix:$socket" || return
	ok "unix: the page is there, whatever the host is called" answers 200 / --unix-socket "$socket" -H 'Host: mx1.example.org'
	ok "unix: the socket has the rights of the settings" [ "$(stat -c %a "$socket")" = 660 ]
	kill_weir
	ok "unix: a socket left behind is replaced" start_at "unix:$socket"
	ok "unix: and serves" answers 200 / --unix-socket "$socket"
	stop_weir
	ok "unix: none is left" not [ -e "$socket" ]
}

other_addresses() {
	local other
	fresh
	ok "beyond loopback: it starts" start_at "inet:0.0.0.0:$HTTP_PORT" || return
	ok "beyond loopback: the log warns" logged "inet:0.0.0.0:$HTTP_PORT is beyond loopback"
	ok "beyond loopback: any host will do" answers 200 / -H 'Host: mx1.example.org'
	stop_weir
	start_process nc -l -k 127.0.0.1 "$HTTP_PORT" >"$PRIVATE/nc" 2>&1
	other=$STARTED
	await 10 port_answers "$HTTP_PORT"
	ok "a port in use: it starts" start_at "$HTTP"
	ok "a port in use: mail is served all the same" greylists
	ok "a port in use: the log says so" logged "cannot listen on $HTTP: Address already in use"
	end_process "$other"
	stop_weir
	ok "none: it starts" start_with_store -o http.listen= || return
	ok "none: nobody listens there" not port_answers "$HTTP_PORT"
	stop_weir
}

milter() {
	fresh
	ok "milter: it starts" start_milter -o "http.milter_listen=$HTTP" || return
	ok "milter: its page is there" answers 200 /
	ok "milter: its status, too" await 10 status_is_known
	ok "milter: it is a milter's" [ "$(jq -r '.daemons[0].daemon' "$PRIVATE/body")" = milter ]
	stop_milter
}

# one_daemon: what is asked of it, well or not.
one_daemon() {
	paths
	strange_requests
	many_connections
}

for story in one_daemon unix_socket other_addresses milter; do
	$story
	clean_up
done
plan
