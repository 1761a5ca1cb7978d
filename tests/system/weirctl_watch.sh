#!/bin/bash
# weirctl on a real terminal, that of tmux: status --watch redraws in place and gives the terminal back, however it ends;
# tables are cut to its width; questions are asked.

# The commands are typed into another shell.
# shellcheck disable=SC2016

# shellcheck source=tests/system/lib.sh disable=SC1091,SC2119
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/ctl_lib.sh disable=SC1091
. "$(dirname "$0")/ctl_lib.sh"

LIMITS='limits: { destinations = ( { name = "acme"; domains = ["acme.test"]; concurrency = 2; } ); };'

tm() {
	tmux -L "$TMUX_SOCKET" "$@"
}

# open_terminal COLUMNS ROWS: an interactive shell in it, with the command "w" for weirctl with these settings.
open_terminal() {
	TMUX_SOCKET=weir-test-$$
	printf '%s\n' "PS1='ready> '" "w() { '$WEIRCTL' -c '$PRIVATE/weir.conf' \"\$@\"; }" "cd /" >"$PRIVATE/shellrc"
	env -u TMUX LC_ALL=C.UTF-8 tmux -L "$TMUX_SOCKET" -f /dev/null -u new-session -d -x "$1" -y "$2" \
		"bash --noprofile --rcfile '$PRIVATE/shellrc'" && await 5 shows '^ready>'
}

# shows PATTERN: a line of the screen is such a one.
shows() {
	tm capture-pane -p >"$PRIVATE/said" && said "$1"
}

types() {
	tm send-keys -l "$1"
	tm send-keys Enter
}

# shell_says COMMAND: the shell's next answer to it stands in PRIVATE/answer.
shell_says() {
	rm -f "$PRIVATE/answer"
	types "{ $1; } >'$PRIVATE/answer.new' 2>&1; mv '$PRIVATE/answer.new' '$PRIVATE/answer'"
	await 5 [ -e "$PRIVATE/answer" ]
}

# is_given_back: the shell is back, with echo and whole lines, and without the screen of weirctl.
is_given_back() {
	await 5 shows '^ready>' && ! said '^DESTINATION' && shell_says 'stty -a' &&
		grep -q ' icanon' "$PRIVATE/answer" && grep -q ' echo ' "$PRIVATE/answer" &&
		[ "$(tm display-message -p '#{alternate_on} #{cursor_flag}')" = '0 1' ]
}

# watching: status --watch is on the screen.
watching() {
	tm send-keys C-l
	types "w status --watch --interval 300ms"
	await 5 shows '^acme ' && [ "$(tm display-message -p '#{alternate_on} #{cursor_flag}')" = '1 0' ]
}

watch_pid() {
	pgrep -f "^$WEIRCTL -c $PRIVATE/weir.conf status --watch"
}

# signalled NAME: the program that watches gets it.
signalled() {
	local pid
	pid=$(watch_pid) && kill -"$1" "$pid" && await 5 gone "$pid"
}

redraws() {
	ok "it is shown on a screen of its own" watching
	ok "from the top" eval 'head -n 1 "$PRIVATE/said" | grep -q "^weir "'
	shows ''
	cp "$PRIVATE/said" "$PRIVATE/before"
	ok "it is drawn again in place" await 3 eval 'shows "^acme " && ! cmp -s "$PRIVATE/before" "$PRIVATE/said" &&
		[ "$(grep -c "^weir " "$PRIVATE/said")" -eq 1 ]'
	ctl 0 drain acme
	ok "what changes is seen" await 3 shows '^acme .* drained'
	ctl 0 undrain acme
	ok "and that it ends" await 3 eval 'shows "^no overrides" && ! said drained'
}

sizes() {
	tm resize-window -x 40 -y 8
	ok "a small window: each line is cut, the last one counts the rest" await 3 shows '^\([0-9]+ more lines\)'
	ok "a small window: eight lines, none of them longer" eval '
		[ "$(wc -l <"$PRIVATE/said")" -eq 8 ] && ! grep -q -E "^.{41}" "$PRIVATE/said"'
	ok "a small window: it begins at its top" eval 'head -n 1 "$PRIVATE/said" | grep -q "^weir "'
	tm resize-window -x 20 -y 2
	ok "two lines: the first, and how many there are more" await 3 eval 'shows "^\([0-9]+ more lines\)" &&
		head -n 1 "$PRIVATE/said" | grep -q "^weir "'
	tm resize-window -x 100 -y 30
	ok "a large one again" await 3 eval 'shows "^no overrides" && ! said "more lines"'
}

ends() {
	tm send-keys q
	ok "q: the terminal is given back" is_given_back
	ok "q: the status is told" eval 'shell_says "echo $?" && watching && tm send-keys q && is_given_back'
	local signal
	for signal in INT TERM HUP QUIT; do
		watching
		ok "SIG$signal ends it" signalled "$signal"
		ok "SIG$signal: the terminal is given back" is_given_back
	done
	watching
	tm send-keys C-c
	ok "Ctrl-C: the terminal is given back" is_given_back
}

stops() {
	watching
	tm send-keys C-z
	ok "Ctrl-Z: the terminal is given back" is_given_back
	ok "Ctrl-Z: it is only stopped" eval 'shell_says jobs && grep -q Stopped "$PRIVATE/answer"'
	types fg
	ok "fg: it goes on, on its screen" await 5 eval 'shows "^acme " &&
		[ "$(tm display-message -p "#{alternate_on} #{cursor_flag}")" = "1 0" ]'
	tm send-keys C-z
	ok "Ctrl-Z: once more" is_given_back
	types fg
	await 5 shows '^acme '
	tm send-keys q
	ok "q: the terminal is given back after all" is_given_back
}

colours() {
	watching
	ok "colours: there are some" eval 'tm capture-pane -p -e | grep -q $'"'\\033\\[1m'"
	tm send-keys q
	is_given_back
	types 'NO_COLOR=1 w status'
	ok "NO_COLOR: there are none" eval 'await 5 shows "^acme " && ! tm capture-pane -p -e | grep -q $'"'\\033'"
}

# The bytes of a client come to the terminal as text.
hostile() {
	policy_open "$POLICY_PORT"
	policy_says '451 ' 192.0.2.200 $'\033]0;owned\007\033[2J\xff@evil.test' bob@local.test
	await 5 ctl 0 why evil.test
	tm send-keys C-l
	types 'w why evil.test'
	ok "control bytes do nothing to the terminal" await 5 shows '\\x1B\]0;owned\\x07'
	ok "its title is as before" eval '[ "$(tm display-message -p "#{pane_title}")" != owned ]'
	tm resize-window -x 60 -y 30
	tm send-keys C-l
	types 'w why evil.test'
	ok "a table is cut to the width" await 5 eval 'shows "^TIME" && [ "$(grep -c "…" "$PRIVATE/said")" -gt 0 ] &&
		! grep -q -E "^.{61}" "$PRIVATE/said"'
	tm resize-window -x 100 -y 30
}

# Two deliveries hold slots, and the operator is asked.
questions() {
	policy_send protocol_state=RCPT client_address=127.0.0.1 client_port=4711 client_name=unknown sender=a@b.test \
		recipient=bob@acme.test instance=1.1
	ok "leases kill: a slot is held" policy_reads DUNNO
	tm send-keys C-l
	types 'w leases kill 127.0.0.1:4711; echo status=$?'
	ok "leases kill: it asks" await 5 shows '^Take all slots away from 1 delivery\? \[y/N\]'
	types n
	ok "leases kill: no is no" await 5 shows '^status=1'
	tm send-keys C-l
	types 'w leases kill 127.0.0.1:4711; echo status=$?'
	await 5 shows '\[y/N\]'
	types y
	ok "leases kill: yes is yes" await 5 shows '^status=0'
	ok "leases kill: the slot is free" tells 'no leases' leases list
	policy_close
}

need tmux pgrep perl
private_dir
POLICY_PORT=$(free_port)
TMUX_SOCKET=
write_settings embedded "$POLICY_PORT" "$LIMITS"
ok "weir-policyd starts" start_with_store || { plan && exit; }
await 10 ctl 0 status
trap '[ -z "$TMUX_SOCKET" ] || tm kill-server; clean_up' EXIT
if ok "there is a terminal" open_terminal 100 30; then
	redraws
	sizes
	ends
	stops
	colours
	hostile
	questions
fi
plan
