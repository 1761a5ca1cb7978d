# shellcheck shell=bash
# What the tests of weirctl doctor share, beside lib.sh, which comes first: to ask it, and to do what it says.

WEIRCTL=$BUILD/weirctl
MTA=$PRIVATE/no-mta
mkdir "$MTA"

# What it says, as lines, is where a failed test shows it.
SAID=$PRIVATE/dialogue

# doctor: what it says is in SAID and, for programs, in PRIVATE/said.json; its status in DOCTOR_STATUS.
doctor() {
	# What has just been written, postconf reads again a second later.
	touch -c -d '1 minute ago' "$MTA/main.cf" "$MTA/master.cf"
	"${RUN[@]}" "$WEIRCTL" -c "$PRIVATE/weir.conf" "${OPTIONS[@]}" doctor --mta "$MTA" --json >"$PRIVATE/said.json" 2>"$PRIVATE/said.err" &&
		DOCTOR_STATUS=0 || DOCTOR_STATUS=$?
	perl -MJSON::PP -e '
		local $/;
		for (@{decode_json(<STDIN>)}) {
			print "$_->{level} $_->{topic}: $_->{title} | $_->{seen}\n";
		}' <"$PRIVATE/said.json" >"$SAID"
}

RUN=()
OPTIONS=()
DOCTOR_STATUS=

# finds TEXT: doctor says so, and ends accordingly.
finds() {
	local want=0
	doctor
	! grep -q -e '^warning ' -e '^problem ' "$SAID" || want=1
	[ "$DOCTOR_STATUS" -eq "$want" ] && grep -q -F -e "$1" "$SAID"
}

finds_not() {
	doctor
	[ -s "$SAID" ] && ! grep -q -F -e "$1" "$SAID"
}

# saw TEXT: the last doctor said so.
saw() {
	grep -q -F -e "$1" "$SAID"
}

# advice TITLE: how the last doctor would mend what has a title that begins so; an empty line between several.
advice() {
	perl -MJSON::PP -e '
		local $/;
		for (@{decode_json(<STDIN>)}) {
			print $n++ ? "\n" : "", "$_->{mend}\n" if index($_->{title}, $ARGV[0]) == 0;
		}' "$1" <"$PRIVATE/said.json"
}

# The programs that a cure may call and a test cannot; a test may have its own instead.
systemctl() { :; }
postfix() { :; }

weirctl() {
	"$WEIRCTL" -c "$PRIVATE/weir.conf" "${OPTIONS[@]}" "$@"
}

# set_as_said "a: { b = [\"x\"]; };": an option that says the same.
set_as_said() {
	local option
	option=$(perl -e '
		my ($text, @path) = ($ARGV[0]);
		while ($text =~ /\G\s*(?:(\w+)\s*:\s*\{|(\w+)\s*=\s*(\[[^]]*\]|"[^"]*"|[^;]*);|(\}\s*;))\s*/gc) {
			if (defined $1) { push @path, $1 }
			elsif (defined $2) { my ($name, $v) = ($2, $3); $v =~ tr/"[]//d; print join(".", @path, $name), "=$v\n" }
			else { pop @path }
		}
		exit((pos($text) // 0) != length $text)' "$1") || return
	while IFS= read -r option; do
		OPTIONS+=(-o "$option")
	done <<<"$option"
}

# cure TITLE [WAY]: does what it says literally, the first way or the WAY-th; fails when nothing could be done.
# Words begin with a capital letter, another way with "Or"; all else is for the shell, or for weir.conf.
cure() {
	local line way=1 done=1
	while IFS= read -r line; do
		[[ $line != Or\ * ]] || way=$((way + 1))
		[ -n "$line" ] || way=1
		[ "$way" -eq "${2:-1}" ] || continue
		case $line in
		[A-Z]* | '') continue ;;
		'in weir.conf: '*) set_as_said "${line#in weir.conf: }" || return ;;
		*) eval "$line" >>"$PRIVATE/cure.out" 2>&1 || { echo "failed: $line" >>"$SAID"; return 1; } ;;
		esac
		done=0
	done < <(advice "$1")
	return $done
}

# appears_and_goes TITLE [WAY]: it is found; when mended by its own advice, it is not.
appears_and_goes() {
	finds ": $1 |" && cure "$@" && await 5 finds_not ": $1 |"
}

# shellcheck disable=SC2034
DELAY=3
short_deadlines

conf() {
	write_settings "$1" "$PORT" "${2:-}"
}
