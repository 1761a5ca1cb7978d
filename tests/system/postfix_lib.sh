# shellcheck shell=bash
# What the tests of weir-milter behind Postfix share, beside lib.sh and milter_lib.sh, which come first.

OWN='' # hold_delivery's client of the own networks, which greylisting spares

# milter_with LIMITS [OPTION]...: weir-milter anew, with such members of the group "limits".
milter_with() {
	stop_milter
	write_settings "$STORE" "$POLICY_PORT" "limits: { $1 };" && start_milter "${@:2}"
}

# told TEXT: the last refusal of swaks' session begins so, and has an id that the log holds with it.
told() {
	local id
	id=$(reply_id)
	grep -q -E "^<\*\* $1 \(id " "$PRIVATE/dialogue" && [ -n "$id" ] && logged "verdict=defer .*id=$id"
}

# smtp_weir NAME REPLY LINE: smtp, without what Postfix puts before the policy service's text.
smtp_weir() {
	smtp "$1" '' "$3"
	if [[ $SMTP_REPLY =~ ^([^<]*)\<.*\>:\ [A-Z][a-z]*\ [a-z]*\ rejected:\ (.*) ]]; then
		SMTP_REPLY=${BASH_REMATCH[1]}${BASH_REMATCH[2]}
	fi
	[[ $SMTP_REPLY == "$2"* ]]
}

# attempt CLIENT FROM TO REPLY: a delivery that goes as far as RCPT is answered so; then it is given up.
attempt() {
	local status=0
	smtp_open attempt "${1:+ADDR=$1}" || return
	smtp attempt 250 "MAIL FROM:<$2>" && smtp_weir attempt "$4" "RCPT TO:<$3>" || status=1
	REPLY_ID=$(sed -n 's/.*(id \([^)]*\))$/\1/p' <<<"$SMTP_REPLY")
	quit_delivery attempt && return "$status"
}

# busy TO NAME [CLIENT [FROM]]: there are too many at that destination; the log says the same.
busy() {
	attempt "${3:-$OWN}" "${4:-third@sender.test}" "$1" \
		"451 4.7.1 Too many connections to $2, please try again later (id " &&
		logged "verdict=defer why=destination-concurrency .*id=$REPLY_ID"
}

# limited WHY REPLY CLIENT FROM TO: that limit is over.
limited() {
	attempt "$3" "$4" "$5" "$2" && logged "verdict=defer why=$1 .*id=$REPLY_ID"
}

# passes TO [FROM [CLIENT]]: a whole mail is taken.
passes() {
	hold_delivery passing "${3:-$OWN}" "${2:-third@sender.test}" "$1" && finish_delivery passing passing
}

# given_up TO: messages that come no further than RCPT, in each way there is; and that gave back what they held.
given_up() {
	local n
	for n in 1 2; do
		attempt "$OWN" a@sender.test "$1" 250 && attempt "$OWN" '' "$1" 250 &&
			hold_delivery given "$OWN" a@sender.test "$1" && smtp given 250 RSET &&
			begin_delivery given b@sender.test "$1" && quit_delivery given &&
			hold_delivery given "$OWN" a@sender.test "$1" && vanish given || return
	done
	held 0
}

# goes_through N COMMAND...: it succeeds so many times, and not once more.
goes_through() {
	local n
	for ((n = 0; n < $1; n++)); do
		"${@:2}" || return
	done
	! "${@:2}"
}

# headers SUBJECT COUNT: every delivered copy holds so many X-Greylist headers.
headers() {
	local file
	for file in $(delivered "$1"); do
		[ "$(grep -c '^X-Greylist:' "$file")" -eq "$2" ] || return 1
	done
}

# held COUNT [PART]: so many slots are in force, soon, of holders with such a name.
held() {
	await 5 slots_are "$STORE" "$1" "${2:-/}"
}

# triplets: how many are stored.
triplets() {
	if [ "$STORE" = redis ]; then
		redis keys 'weir:t*' | grep -c .
	else
		sqlite3 -readonly "$PRIVATE/db/weir.db" '.timeout 2000' 'SELECT count(*) FROM triplet'
	fi
}

# forget_limits: all slots and rates, as if nothing had been delivered.
forget_limits() {
	if [ "$STORE" = redis ]; then
		redis eval 'for _, k in ipairs(redis.call("KEYS", "weir:[lrn]*")) do redis.call("DEL", k) end' 0 >/dev/null
	else
		sqlite3 "$PRIVATE/db/weir.db" '.timeout 2000' 'DELETE FROM lease; DELETE FROM rate; DELETE FROM note'
	fi
}

need_postfix_and_stores() {
	need_root
	need postfix swaks perl sqlite3
	[ -x "$MILTER" ] || skip_all "needs weir-milter"
}
