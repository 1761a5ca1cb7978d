# shellcheck shell=bash
# What the tests of weirctl share, beside lib.sh, which comes first.

WEIRCTL=$BUILD/weirctl

# ctl STATUS WORD...: weirctl ends so; what it says is in PRIVATE/said and PRIVATE/complaints.
ctl() {
	timeout 20 "$WEIRCTL" -c "$PRIVATE/weir.conf" "${@:2}" >"$PRIVATE/said" 2>"$PRIVATE/complaints" </dev/null
	[ $? -eq "$1" ] && [ "$(grep -c -E 'ERROR: AddressSanitizer|runtime error:|LeakSanitizer' "$PRIVATE/complaints")" -eq 0 ]
}

# said PATTERN / complained PATTERN: the last one printed such a line.
said() {
	grep -q -E -e "$1" "$PRIVATE/said"
}

complained() {
	grep -q -E -e "$1" "$PRIVATE/complaints"
}

# tells PATTERN WORD...: weirctl ends well, and prints such a line.
tells() {
	ctl 0 "${@:2}" && said "$1"
}

# refuses STATUS PATTERN WORD...: it ends so, prints nothing, and complains so.
refuses() {
	ctl "$1" "${@:3}" && complained "^weirctl: $2" && [ ! -s "$PRIVATE/said" ]
}

# json EXPRESSION WORD...: of what weirctl prints as JSON, $v, the Perl expression is true.
json() {
	ctl "${JSON_STATUS:-0}" --json "${@:2}" && perl -MJSON::PP -0777 -e '
		my $v = decode_json(<STDIN>);
		my $is = eval shift;
		die $@ if $@;
		exit !$is' "$1" <"$PRIVATE/said"
}
