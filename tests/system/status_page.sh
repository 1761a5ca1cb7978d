#!/bin/bash
# The status page in a real browser, of both daemons behind one Postfix: what it shows is what goes on, nothing that a
# stranger says becomes more than text, and it is as legible in the dark and on a phone.
# Pictures of it are left in WEIR_TEST_OUTPUT/screenshots, when that is set.

# shellcheck source=tests/system/lib.sh disable=SC1091,SC2119
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/milter_lib.sh disable=SC1091
. "$(dirname "$0")/milter_lib.sh"
# shellcheck source=tests/system/postfix_lib.sh disable=SC1091
. "$(dirname "$0")/postfix_lib.sh"

need chromium chromedriver redis-server swaks postfix
need_root
/usr/bin/python3 -c 'import selenium' 2>/dev/null || skip_all "needs python3-selenium"

HOSTILE='<img src=x onerror=alert(1)>'

# ---- the browser ----------------------------------------------------------------------------------------------------

start_browser() {
	mkdir -p "$PRIVATE/home" "$PRIVATE/tmp"
	coproc BROWSER {
		exec env HOME="$PRIVATE/home" TMPDIR="$PRIVATE/tmp" /usr/bin/python3 "$SYSTEM_TESTS/status_page.py" \
			"$PRIVATE/profile" 2>"$PRIVATE/browser.log"
	}
	# shellcheck disable=SC2153
	BROWSER_PROCESS=$BROWSER_PID
	RUNNING[$BROWSER_PROCESS]=yes
	exec {TO_BROWSER}>&"${BROWSER[1]}" {FROM_BROWSER}<&"${BROWSER[0]}"
	browser_says_ok
}

browser_says_ok() {
	local answer
	if ! read -r -t 90 -u "$FROM_BROWSER" answer; then
		diag "the browser is silent: $(tail -n 3 "$PRIVATE/browser.log")"
		return 1
	fi
	[ "$answer" = ok ] || diag "$answer"
	[ "$answer" = ok ]
}

# page COMMAND [ARGUMENT]...: what status_page.py is told, and whether it is so.
page() {
	local IFS=$'\t'
	printf '%s\n' "$*" >&"$TO_BROWSER" && browser_says_ok
}

# picture NAME
picture() {
	page run 'window.scrollTo(0, 0)' && page picture "$PICTURES/$1.png" && [ -s "$PICTURES/$1.png" ]
}

# ---- what goes on ---------------------------------------------------------------------------------------------------

fresh() {
	STORE=redis
	private_dir
	PICTURES=${WEIR_TEST_OUTPUT:-$PRIVATE}/screenshots
	mkdir -p "$PICTURES"
	POLICY_PORT=$(free_port)
	HTTP_PORT=$(free_port)
	MILTER_HTTP_PORT=$(free_port)
	WEB=(-o "http.listen=inet:127.0.0.1:$HTTP_PORT" -o "http.milter_listen=inet:127.0.0.1:$MILTER_HTTP_PORT")
	write_settings "$STORE" "$POLICY_PORT" 'limits: { destinations = (
		{ name = "acme"; domains = ["acme.test"]; concurrency = 2; },
		{ name = "other"; domains = ["other.test"]; concurrency = 8; },
		{ name = "third"; domains = ["third.test"]; concurrency = 1; mode = "observe"; } ); };'
	start_redis
}

daemons() {
	start_with_store "${WEB[@]}" && start_milter "${WEB[@]}" &&
		start_postfix "inet:127.0.0.1:$POLICY_PORT" "unix:$PRIVATE/milter.sock"
}

# load: deferrals of several kinds.
load() {
	ask_many "$POLICY_PORT" --requests 60 && all_are greylisted || return
	ask_many "$POLICY_PORT" --requests 20 && all_are greylisted || return
	perl "$SYSTEM_TESTS/smtp_load.pl" --to "$SMTP_PORT" --sessions 6 --messages 12 >"$PRIVATE/counts" 2>&1
	[ "$(got delivered)" -eq 12 ]
}

# strangers: a sender that Postfix takes, and a name that only a policy client can make up.
strangers() {
	send_as 192.0.2.66 "\"$HOSTILE\"@evil.test" bob@local.test
	reply_to RCPT 451 && policy_open "$POLICY_PORT" || return
	policy_send protocol_state=RCPT client_address=198.51.100.66 "client_name=<b>$HOSTILE</b>" sender=a@evil.test \
		recipient=bob@local.test "instance=$RANDOM.$RANDOM"
	policy_reads '451 '
	local answered=$?
	policy_close
	return "$answered"
}

weirctl() {
	"$BUILD/weirctl" -c "$PRIVATE/weir.conf" "$@" >"$PRIVATE/weirctl" 2>&1 || diag "$(cat "$PRIVATE/weirctl")"
}

# ---- what is seen ---------------------------------------------------------------------------------------------------

# row NAME PATTERN: a destination's row reads so.
row() {
	page shows "#destinations tbody tr" "^$1\\s+$2"
}

live_data() {
	ok "a delivery is under way at acme" hold_delivery one '' a@sender.test bob@acme.test
	ok "and another" hold_delivery two '' b@sender.test bob@acme.test
	ok "and one at other" hold_delivery three '' c@sender.test bob@other.test
	ok "a third at acme is too many" busy carol@acme.test acme
	ACME_ID=$REPLY_ID
	ok "the page opens" page open "http://127.0.0.1:$HTTP_PORT/"
	ok "acme is full, with two of two" row acme 'full\s+2 / 2'
	ok "other is up, with one of eight" row other 'up\s+1 / 8'
	ok "the headline says so" page shows '#headline' 'acme'
	ok "the title, too" page title '^weir [^ ]+: 1 full'
	ok "weir-policyd is running" page shows '#daemons tbody tr' '^policyd on mx1\.test[^$]*running'
	ok "weir-milter is running" page shows '#daemons tbody tr' '^milter on mx1\.test[^$]*running'
	ok "first contacts wait" page shows '#greylist-box' 'waiting\s+[1-9]'
	ok "deferrals are drawn by cause" page holds 'document.querySelectorAll("#chart-svg rect.c0").length > 0'
	ok "and said" page holds \
		'/^[0-9,]+ deferrals from .*greylist-new [0-9]+/.test(document.querySelector("#chart-svg").getAttribute("aria-label"))'
	ok "a destination is drained by hand" weirctl drain other --for 2h
	ok "the page says by whom, and until when" row other 'drained\s+drained until [0-9 A-Za-z]*[0-9]{2}:[0-9]{2} by [a-z]'
	ok "another limit is set" weirctl set-limit acme 2 --for 1h
	ok "and a client allowed" weirctl allow --client 203.0.113.7 --for 30m
	ok "these are the overrides in force" page count '#overrides tbody tr' 3
	ok "with what they say" page shows '#overrides tbody tr' '^203\.0\.113\.7\s+client allowed'
	page click '#chart-details summary'
	ok "the same numbers are in a table" page count '#chart-table tbody tr' 30
	page click '#chart-details summary'
	ok "the latest decision stands on top" page holds \
		"document.querySelector('#recent tbody tr').innerText.startsWith('$ACME_ID')"
}

news() {
	ok "the override ends" weirctl undrain other
	page open "http://127.0.0.1:$HTTP_PORT/" && row acme full && row other up
	page run 'window.kept = document.querySelector("#destinations tbody tr"); window.scrollTo(0, 300)'
	ok "a delivery ends" finish_delivery three
	ok "the page shows it by itself" row other 'up\s+0 / 8'
	ok "in the same row" page holds 'kept.isConnected && kept === document.querySelector("#destinations tbody tr")'
	ok "without scrolling" page holds 'window.scrollY === 300'
	finish_delivery two
	ok "acme has room again" row acme 'up\s[^$]*1 / 2'
}

# What is only observed has been accepted, and is remembered for what it would have been.
observed() {
	ok "a delivery is under way at third" hold_delivery observed '' a@sender.test bob@third.test
	ok "another is let in, since it is only observed" passes carol@third.test
	page open "http://127.0.0.1:$HTTP_PORT/"
	ok "the page says that it would have been deferred" page shows '#recent tbody tr' \
		'^[0-9A-Z]+\s[^$]*would defer\s+destination-concurrency[^$]*carol@third\.test'
	ok "which is none that was accepted" page holds \
		'![...document.querySelectorAll("#recent .accent")].some((e) => e.innerText === "would defer")'
	ok "the destination is said to be observed only" page shows '#destinations tbody th' '^third\s+observed only'
	finish_delivery observed
}

as_text() {
	page open "http://127.0.0.1:$HTTP_PORT/"
	ok "a hostile sender is shown as it is" page shows '#recent [data-part=sender]' '^"?<img src=x onerror=alert\(1\)>"?@evil\.test$'
	ok "a hostile client name, too" page shows '#recent [data-part=name]' '^<b><img src=x onerror=alert\(1\)></b>$'
	ok "no image was made of them" page none img
	ok "nor anything bold" page none '#recent b'
	ok "no dialog came up" page no_dialog
}

search() {
	page press /
	ok "no key alone takes the focus away" page holds 'document.activeElement === document.body'
	ok "the number of decisions is not said unasked" page shows '#found' '^$'
	page click '#find'
	page type "$ACME_ID"
	ok "an id from an SMTP reply finds its decision" page count '#recent tbody tr' 1
	ok "which is that one" page shows '#recent tbody tr' "^$ACME_ID\\s[^$]*destination-concurrency"
	ok "their number is said" page shows '#found' '^1 of the last [0-9]+ decisions matches$'
	page run 'window.said = 0; new MutationObserver(() => said++).observe(found, {childList: true, characterData: true, subtree: true})'
	ok "with what to do next" page shows '#recent-hint' "weirctl why $ACME_ID\\b[^$]*weirctl release $ACME_ID\\b"
	page next_news
	page next_news
	ok "news leave the search as it is" page holds "document.getElementById('find').value === '$ACME_ID'"
	ok "and the focus" page holds 'document.activeElement.id === "find"'
	ok "and what was found" page count '#recent tbody tr' 1
	ok "which is not said again" page holds 'said === 0'
	page press ESCAPE
	ok "Escape clears it" page holds 'document.getElementById("find").value === ""'
	ok "and there is no more to say" page shows '#found' '^$'
	page type 'evil.test bob@local'
	ok "words of several columns are looked for together" page count '#recent tbody tr' 2
	page press ESCAPE
	page type nothing-like-this
	ok "what is not there is said" page shows '#recent-empty' '^None of the last [0-9]+ decisions matches'
	ok "to who does not see it, too" page shows '#found' '^0 of the last [0-9]+ decisions match$'
	ok "an address with an id opens with that search" page open "http://127.0.0.1:$HTTP_PORT/#$ACME_ID"
	ok "and finds it" page count '#recent tbody tr' 1
}

# legible SCHEME WIDTH HEIGHT NAME
legible() {
	page scheme "$1" && page size "$2" "$3"
	ok "$4: the page opens" page open "http://127.0.0.1:$HTTP_PORT/"
	ok "$4: with its content" row acme full
	ok "$4: nothing stands out at the side" page fits
	ok "$4: every text has enough contrast" page contrast
	ok "$4: a picture of it" picture "$4"
}

looks() {
	legible light 1280 1600 light
	legible dark 1280 1600 dark
	ok "dark: the paper is" page holds 'getComputedStyle(document.body).backgroundColor === "rgb(20, 24, 27)"'
	legible light 375 2400 phone
	page scheme light && page size 1280 1600
}

structure() {
	ok "one heading of the first rank" page count h1 1
	ok "each section has its heading" page holds \
		'[...document.querySelectorAll("section")].every((e) => document.getElementById(e.getAttribute("aria-labelledby"))?.tagName === "H2")'
	ok "each field has its label" page holds '[...document.querySelectorAll("input")].every((e) => e.labels.length === 1)'
	ok "only the headline speaks by itself, and what a search has found" page holds \
		'[...document.querySelectorAll("[aria-live], [role=status], [role=alert]")].map((e) => e.id).join() === "headline,found"'
	ok "nothing went wrong in the browser" page console_is_empty
}

trouble() {
	vanish one
	stop_redis
	ok "the store is away: the page says so" page shows '#headline' 'The store does not answer'
	ok "the title, too" page title 'store away'
	ok "what is not known then is not said" page shows '#facts' 'daemons –[^$]*minutes –[^$]*force –'
	ok "nor that destinations are up" page shows '#destinations-empty' 'Unknown: '
	ok "the store comes back" start_redis
	ok "the page says that it has" page shows_not '#headline' 'The store does not answer'
	ok "and that destinations are up again" row acme up
	page forget_console
	stop_weir
	ok "the daemon is away: the page says since when" page shows '#headline' 'Not answering since [0-9]{2}:[0-9]{2}:[0-9]{2}\.'
	ok "the title, too" page title 'not answering'
	ok "what was known is still there" row acme up
	ok "greyed" page holds 'document.body.classList.contains("stale")'
	ok "and legible" page contrast
	page scheme dark
	ok "in the dark, too" page contrast
	ok "a picture of it" picture stale
	page scheme light
	page forget_console
	ok "weir-milter's page knows that it is" page open "http://127.0.0.1:$MILTER_HTTP_PORT/"
	ok "stopped" page shows '#daemons tbody tr' '^policyd on mx1\.test[^$]*stopped\s+at [0-9]{2}:[0-9]{2}'
	ok "which is no trouble" page shows '#headline' '^All is well\.\s*$'
	ok "and is counted apart" page shows '#facts' 'daemons 1 running, 1 stopped'
	ok "and nothing went wrong there" page console_is_empty
	ok "it is back" start_with_store "${WEB[@]}"
	ok "as weir-milter's page knows" page shows '#daemons tbody tr' '^policyd on mx1\.test[^$]*running'
	kill_weir
	ok "killed, it is silent" page shows '#daemons tbody tr' '^policyd on mx1\.test[^$]*silent'
	ok "which is trouble" page shows '#headline' '^Trouble\. policyd on mx1\.test has been silent since '
	page open "http://127.0.0.1:$MILTER_HTTP_PORT/"
	ok "it is back again" start_with_store "${WEB[@]}"
	ok "weir-milter's page says so" page shows '#daemons tbody tr' '^policyd on mx1\.test[^$]*running'
	ok "of decisions it knows none yet" page shows '#recent-empty' '^Nothing has been deferred yet'
	stop_weir
	ok "weir-policyd keeps none from now on" start_with_store "${WEB[@]}" -o decisions.keep=0
	page open "http://127.0.0.1:$HTTP_PORT/"
	ok "its page says that" page shows '#recent-empty' '^Decisions are not kept: decisions\.keep is 0'
}

fresh
ok "both daemons and Postfix start" daemons
ok "there is mail for them" load
ok "and there are strangers" strangers
ok "a browser starts" start_browser
live_data
looks
news
observed
as_text
search
structure
trouble
plan
