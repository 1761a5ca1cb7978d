#!/bin/bash
# What the embedded store keeps when the daemon is killed, the file is damaged or the disk is full.

# shellcheck source=tests/system/lib.sh disable=SC1091,SC2119
. "$(dirname "$0")/lib.sh"

# fresh: a private directory and settings that tell a store failure (defer 4.3.0) from every other answer.
fresh() {
	private_dir
	PORT=$(free_port)
	write_settings embedded "$PORT"
	STRICT=(-o greylist.delay=1s -o greylist.allow_client_after=0 -o store.on_failure=defer -o log.level=info)
}

wait_out_delay() {
	sleep 1.5
}

# ---- killed in mid-load -------------------------------------------------------------------------------------------

lines_in() {
	[ -s "$1" ] && [ "$(wc -l <"$1")" -ge "$2" ]
}

# forgotten KILLED_MS: how many triplets passed more than 2 s before the kill and were not known afterwards.
forgotten() {
	awk -v safe=$(($1 - 2000)) '
		NR == FNR { if ($2 == "prepend" && $4 < safe) passed[$1] = 1; next }
		$1 in passed { seen++; if ($2 != "dunno") lost++ }
		END { print (seen ? lost + 0 : "none seen") }' "$PRIVATE/record-it" "$PRIVATE/after"
}

killed_in_load() {
	local killed
	fresh
	ok "weir-policyd starts" start_weir "${STRICT[@]}" || return
	ask_many "$PORT" --requests 6000
	ok "6000 first tries are deferred" all_are greylisted
	wait_out_delay
	start_load it "$PORT" --requests 6000 --rate 1000
	ok "their retries go on for some seconds" await 20 lines_in "$PRIVATE/record-it" 4000
	killed=$(now_ms)
	kill_weir
	finish_load it
	ok "it starts again after kill -9" start_weir "${STRICT[@]}" || return
	ask_many "$PORT" --requests 6000 --record "$PRIVATE/after"
	ok "and knows every triplet passed 2 s before" [ "$(forgotten "$killed")" = 0 ]
	ok "answers none by the failure rule" [ "$(got unavailable)" -eq 0 ]
}

# ---- damaged files ------------------------------------------------------------------------------------------------

# refuses NAME: the daemon does not start on db/weir.db as it is, says why, and leaves every byte.
refuses() {
	local sum
	sum=$(sha256sum <"$PRIVATE/db/weir.db")
	ok "$1: it refuses to start" not start_weir "${STRICT[@]}"
	ok "$1: with an exit status that tells" ended_in_error
	ok "$1: the text names the file" logged "$PRIVATE/db/weir\\.db"
	ok "$1: no byte is changed" [ "$(sha256sum <"$PRIVATE/db/weir.db")" = "$sum" ]
	stop_weir
}

ended_in_error() {
	gone "$WEIR_PID" && ! reap "$WEIR_PID"
}

damaged_files() {
	fresh
	head -c 65536 /dev/urandom >"$PRIVATE/db/weir.db"
	refuses "garbage"

	rm -f "${PRIVATE:?}"/db/*
	sqlite3 "$PRIVATE/db/weir.db" 'CREATE TABLE song (title TEXT); INSERT INTO song VALUES ("x");'
	refuses "a database of another program"

	rm -f "${PRIVATE:?}"/db/*
	ok "weir-policyd makes a database" start_weir "${STRICT[@]}" || return
	ask_many "$PORT" --requests 5000
	stop_weir
	truncate -s 100K "$PRIVATE/db/weir.db"
	refuses "a truncated database"
}

# A file that takes its time is looked through while it is in use. The damaged page is in the middle, where no question of
# this test leads.
damaged_large_file() {
	local size
	fresh
	ok "large: weir-policyd makes a database" start_weir "${STRICT[@]}" || return
	stop_weir
	sqlite3 "$PRIVATE/db/weir.db" "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)
		INSERT INTO triplet SELECT randomblob(16), (1 << 49) + (2 << 46) + ((strftime('%s') + 0) << 12) FROM n"
	ok "large: it starts with a large one" start_weir "${STRICT[@]}" || return
	ok "large: and stores new ones" new_ones_are_stored
	stop_weir
	ok "large: nothing is said against a sound one" never_logged damaged
	size=$(stat -c %s "$PRIVATE/db/weir.db")
	dd if=/dev/urandom of="$PRIVATE/db/weir.db" bs=1024 count=64 seek=$((size / 2048)) conv=notrunc status=none
	ok "large: it starts with a damaged one" start_weir "${STRICT[@]}" || return
	ok "large: says so when it has found it" logged "$PRIVATE/db/weir\\.db is damaged"
	ok "large: and answers by the failure rule from then on" await 10 new_ones_are unavailable
	mkdir "$PRIVATE/away"
	mv "$PRIVATE"/db/weir.db* "$PRIVATE/away"
	ok "large: once it is moved away, weir begins anew" await 20 new_ones_are_stored
}

# ---- files that are not where they were ------------------------------------------------------------------------------

# ctl WORD...: what weirctl prints.
ctl() {
	"$BUILD/weirctl" -c "$PRIVATE/weir.conf" "$@" >"$PRIVATE/said" 2>&1
}

# triplets_in_file COUNT: at least so many are in the file that has the name.
triplets_in_file() {
	[ "$(sqlite3 -readonly "$PRIVATE/db/weir.db" '.timeout 2000' 'SELECT count(*) FROM triplet' 2>/dev/null || echo 0)" -ge "$1" ]
}

deleted_file() {
	fresh
	ok "deleted: weir-policyd starts" start_weir "${STRICT[@]}" || return
	ok "deleted: it stores" new_ones_are_stored
	rm "$PRIVATE/db/weir.db"
	ok "deleted: it says so" logged 'weir\.db was deleted or replaced'
	ok "deleted: and stores in a new file" await 10 new_ones_are_stored
	ok "deleted: which is the one that has the name" await 10 triplets_in_file 10
	rm "$PRIVATE"/db/weir.db* "$PRIVATE"/db/ledger.db*
	ok "deleted: all of them, and it goes on" await 10 new_file_is_used
	ok "deleted: weirctl works on the same" ctl status
	stop_weir
	ok "deleted: the new file is sound" database_is_sound
}

new_file_is_used() {
	new_triplets 10
	triplets_in_file 5
}

# A copy is put in its place; log and index of the one before are still there.
replaced_file() {
	fresh
	ok "replaced: weir-policyd starts" start_weir "${STRICT[@]}" || return
	ok "replaced: some triplets pass" know_some
	sqlite3 "$PRIVATE/db/weir.db" ".backup $PRIVATE/copy.db"
	new_triplets 2000
	mv "$PRIVATE/copy.db" "$PRIVATE/db/weir.db"
	ok "replaced: it says so" logged 'weir\.db was deleted or replaced'
	ok "replaced: those that had passed in the copy are known" await 10 still_known
	ok "replaced: new ones are stored" new_ones_are_stored
	stop_weir
	ok "replaced: the copy is sound" database_is_sound
}

linked_files() {
	local name
	fresh
	mkdir "$PRIVATE/elsewhere"
	for name in weir.db weir.db-wal; do
		rm -f "${PRIVATE:?}"/db/*
		ln -s "$PRIVATE/elsewhere/file" "$PRIVATE/db/$name"
		ok "linked: with $name as a symbolic link it refuses to start" not start_weir "${STRICT[@]}"
		ok "linked: with a text that says so" logged "$name is a symbolic link"
	done
	rm -f "${PRIVATE:?}"/db/*
	ln -s "$PRIVATE/elsewhere/file" "$PRIVATE/db/ledger.db"
	ok "linked: with ledger.db it starts" start_weir "${STRICT[@]}" || return
	ok "linked: says so" logged 'ledger\.db is a symbolic link'
	ok "linked: and serves" new_ones_are_stored
	ok "linked: weirctl refuses it, too" not ctl drain acme.test
	ok "linked: with the same text" grep -q 'ledger\.db is a symbolic link' "$PRIVATE/said"
	ok "linked: nothing is made where it leads" [ ! -e "$PRIVATE/elsewhere/file" ]
	rm "$PRIVATE/db/ledger.db"
	mv "$PRIVATE/db" "$PRIVATE/real"
	ln -s real "$PRIVATE/db"
	stop_weir
	ok "linked: the directory may be one" start_weir "${STRICT[@]}"
}

# ---- full disk ----------------------------------------------------------------------------------------------------

KNOWN=200     # triplets that have passed before the disk fills
NEXT=100000   # number of the next triplet never asked about

# new_triplets COUNT: asks about some never seen before.
new_triplets() {
	ask_many "$PORT" --first "$NEXT" --requests "$1"
	NEXT=$((NEXT + $1))
}

know_some() {
	ask_many "$PORT" --requests "$KNOWN"
	wait_out_delay
	ask_many "$PORT" --requests "$KNOWN"
	all_are prepend
}

still_known() {
	ask_many "$PORT" --requests "$KNOWN"
	all_are dunno
}

new_ones_are() {
	new_triplets 10
	all_are "$1"
}

new_ones_are_stored() {
	new_ones_are greylisted
}

database_is_sound() {
	[ "$(sqlite3 -readonly "$PRIVATE/db/weir.db" 'PRAGMA integrity_check')" = ok ]
}

# until_refused: new triplets until the store takes no more; in at most 200,000.
until_refused() {
	local round
	for round in {1..20}; do
		new_triplets 10000
		all_are greylisted unavailable || return 1
		[ "$(got unavailable)" -eq 0 ] || return 0
	done
	diag "all $round rounds were stored"
	return 1
}

full_disk() {
	fresh
	if ! small_disk "$PRIVATE/db" 8m; then
		skip "full disk" "mounting is not allowed here"
		return
	fi
	ok "weir-policyd starts on a small disk" start_weir "${STRICT[@]}" || return
	ok "some triplets pass" know_some
	head -c 8M /dev/zero >"$PRIVATE/db/filler" 2>/dev/null
	ok "on a full disk new ones are answered by the failure rule" until_refused
	ok "within a second each" within 1000
	rm "$PRIVATE/db/filler"
	ok "once there is room new ones are stored again" await 20 new_ones_are_stored
	ok "and those that had passed are still known" still_known
	stop_weir
	ok "the database is sound" database_is_sound
}

full_quota() {
	fresh
	ok "weir-policyd starts with a quota" start_weir "${STRICT[@]}" -o store.max_size=1M || return
	ok "some triplets pass under it" know_some
	ok "over the quota new ones are answered by the failure rule" until_refused
	stop_weir
	ok "the file stays within it" [ "$(stat -c %s "$PRIVATE/db/weir.db")" -le 1048576 ]
	ok "it starts with a larger quota" start_weir "${STRICT[@]}" -o store.max_size=64M || return
	ok "stores new ones again" new_ones_are_stored
	ok "and knows those that had passed" still_known
}

need perl sqlite3
for story in killed_in_load damaged_files damaged_large_file deleted_file replaced_file linked_files full_disk full_quota; do
	$story
	clean_up
done
plan
