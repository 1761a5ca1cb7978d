#!/bin/bash
# weirctl export and import: from one kind of store to the other and back, files that are refused, real databases of
# postgrey and a dump of milter-greylist, and a million triplets on a terminal.

# shellcheck source=tests/system/lib.sh disable=SC1091,SC2119
. "$(dirname "$0")/lib.sh"

WEIRCTL=$BUILD/weirctl
export WEIR_LIBEXEC=$TOP/ctl/transfer
QUICK=(-o greylist.delay=1s -o log.level=info)
TRIPLETS_ONLY=("${QUICK[@]}" -o greylist.allow_client_after=0)

# ---- several stores, by name ----------------------------------------------------------------------------------------

# store NAME: its options, in STORE. Names begin with "embedded" or "redis".
store() {
	case $1 in
	embedded*) STORE=(-o store.backend=embedded -o "store.path=$PRIVATE/$1") && mkdir -p "$PRIVATE/$1" ;;
	redis*) STORE=(-o store.backend=redis -o "store.redis.prefix=$1:") ;;
	esac
}

# ctl NAME WORD...: weirctl on that store; status in STATUS, what it said in PRIVATE/out and PRIVATE/err.
ctl() {
	store "$1"
	"$WEIRCTL" -c "$PRIVATE/weir.conf" "${STORE[@]}" "${QUICK[@]}" "${@:2}" >"$PRIVATE/out" 2>"$PRIVATE/err"
	STATUS=$?
	return "$STATUS"
}

# ends STATUS NAME WORD...: it ends with that status.
ends() {
	ctl "${@:2}"
	[ "$STATUS" -eq "$1" ]
}

said() {
	grep -q -e "$1" "$PRIVATE/out" "$PRIVATE/err"
}

# exported NAME FILE: all of that store in order, but for when it was exported.
exported() {
	ctl "$1" export && sed 's/,"at":[0-9]*}$/}/;t' "$PRIVATE/out" | sort >"$2"
}

# rows FILE KIND: how many there are.
rows() {
	grep -c "\"kind\":\"$2\"" "$1"
}

fresh() {
	private_dir
	PORT=$(free_port)
	write_settings embedded "$PORT"
	start_redis
}

# made NAME [OPTION]...: that store is there, and empty.
made() {
	ctl "$@" drain made.test && ctl "$@" undrain made.test
}

serve() {
	store "$1"
	start_weir "${STORE[@]}" "${@:2}" && has_store
}

# ---- from one store to another --------------------------------------------------------------------------------------

fill_store() {
	serve "$1" "${QUICK[@]}" || return
	ask_many "$PORT" --requests 300
	all_are greylisted || return
	sleep 1.5
	ask_many "$PORT" --requests 200
	all_are prepend
}

round_trip() {
	local from=$1 to=$2
	ok "$from to $to: a daemon fills the first" fill_store "$from"
	ok "$from to $to: an exemption" ctl "$from" allow --client 192.0.2.99 --for 1h
	ok "$from to $to: a drained destination" ctl "$from" drain acme.test --for 1h
	ok "$from to $to: it is exported while the daemon runs" ctl "$from" export --output "$PRIVATE/$from.export"
	ok "$from to $to: nobody else can read the file" [ "$(stat -c %a "$PRIVATE/$from.export")" = 600 ]
	ok "$from to $to: all triplets are there" [ "$(rows "$PRIVATE/$from.export" triplet)" -eq 300 ]
	ok "$from to $to: all identities" [ "$(rows "$PRIVATE/$from.export" identity)" -eq 200 ]
	ok "$from to $to: all overrides" [ "$(rows "$PRIVATE/$from.export" override)" -eq 2 ]
	stop_weir
	ok "$from to $to: a dry run" ctl "$to" import "$PRIVATE/$from.export"
	ok "$from to $to: it tells what would be taken" said ' 502 would be taken'
	ok "$from to $to: and that the secret is another" said 'secret would be taken over'
	ok "$from to $to: nothing is changed by it" ctl "$to" export
	ok "$from to $to: nothing at all" [ "$(wc -l <"$PRIVATE/out")" -eq 2 ]
	ok "$from to $to: it is imported" ctl "$to" import --apply "$PRIVATE/$from.export"
	ok "$from to $to: all of it" said ' 502 taken'
	exported "$from" "$PRIVATE/before"
	exported "$to" "$PRIVATE/after"
	ok "$from to $to: both stores hold the same" cmp "$PRIVATE/before" "$PRIVATE/after"
	ok "$from to $to: a daemon on the second starts" serve "$to" "${TRIPLETS_ONLY[@]}"
	ask_many "$PORT" --requests 200
	ok "$from to $to: it knows what had passed" all_are dunno
	ask_many "$PORT" --first 200 --requests 100
	ok "$from to $to: and what had waited may pass" all_are prepend
	policy_open "$PORT"
	ok "$from to $to: it keeps the exemption" policy_says DUNNO 192.0.2.99 a@b.test c@local.test
	policy_close
	stop_weir
}

back_and_forth() {
	fresh
	round_trip embedded-1 redis-1
	round_trip redis-2 embedded-2
}

# ---- files that are refused -----------------------------------------------------------------------------------------

# refuses NAME FILE PATTERN: so it ends, and the store is as it was.
refuses() {
	ok "$1: it is refused" ends 65 embedded import --apply "$2"
	ok "$1: the text tells why" said "$3"
	ok "$1: and that nothing was changed" said 'nothing was changed'
	exported embedded "$PRIVATE/now"
	ok "$1: nothing was" cmp "$PRIVATE/was" "$PRIVATE/now"
}

refused_files() {
	local good bad
	fresh
	good=$PRIVATE/good
	bad=$PRIVATE/bad
	ok "refused: a daemon fills a store" fill_store embedded-a
	stop_weir
	ok "refused: it is exported" ctl embedded-a export --output "$good"
	ctl embedded import --apply "$good"
	exported embedded "$PRIVATE/was"

	head -n 100 "$good" | head -c -5 >"$bad"
	refuses "cut within a line" "$bad" "bad:[0-9]*: not JSON"
	head -n 100 "$good" >"$bad"
	refuses "cut between lines" "$bad" "bad:100: the file is cut"
	sed 2d "$good" >"$bad"
	refuses "a line is missing" "$bad" "rows are announced"
	sed 1d "$good" >"$bad"
	refuses "no header" "$bad" "bad:1: not an export of weir"
	sed '1s/"version":1/"version":2/' "$good" >"$bad"
	refuses "another version" "$bad" "bad:1: an export of version 2"
	sed '7s/$/garbage/' "$good" >"$bad"
	refuses "garbage in a line" "$bad" "bad:7: not JSON"
	sed '5s/"key":"./"key":"/' "$good" >"$bad"
	refuses "a key too short" "$bad" "bad:5: the row is malformed"
	{ sed -n 1,5p "$good" && head -c 20000 /dev/zero | tr '\0' x && sed 1,5d "$good"; } >"$bad"
	refuses "a line too long" "$bad" "bad:6: the line is too long"
	refuses "something else" /etc/passwd "passwd:1: not JSON"
	: >"$bad"
	refuses "an empty file" "$bad" "the file is empty"
	ok "a file that is not there" ends 66 embedded import "$PRIVATE/nowhere"
	ok "a directory" ends 66 embedded import "$PRIVATE"

	ok "cut, from a pipe: it is refused" ends 65 embedded import --apply - < <(head -n 100 "$good")
	exported embedded "$PRIVATE/now"
	ok "cut, from a pipe: nothing was changed" cmp "$PRIVATE/was" "$PRIVATE/now"
	ok "whole, from a pipe: it is imported" ctl embedded-b import --apply - < <(cat "$good")
	ok "whole, from a pipe: all of it" said ' 500 taken'
}

# ---- what is taken of a file ----------------------------------------------------------------------------------------

what_is_newer() {
	local file key=AAAAAAAAAAAAAAAAAAAAA
	fresh
	file=$PRIVATE/file
	made embedded
	ctl embedded export
	{
		sed -n 1p "$PRIVATE/out"
		cat <<-OLD
			{"kind":"triplet","key":"${key}A","state":"passed","at":$(date +%s),"count":0}
			{"kind":"triplet","key":"${key}Q","state":"waiting","at":$(($(date +%s) - 900)),"count":0}
			{"kind":"triplet","key":"${key}g","state":"passed","at":1000,"count":0}
			{"kind":"quota","key":"x"}
			{"kind":"end","rows":4}
		OLD
	} >"$file"
	ok "newer: import" ctl embedded import --apply "$file"
	ok "newer: two were taken" said ' 2 taken'
	ok "newer: one had expired" said ' 1 not taken: expired'
	ok "newer: one is of an unknown kind" said ' 1 not taken: of an unknown kind'
	sed -i "s/\"waiting\",\"at\":[0-9]*/\"passed\",\"at\":$(($(date +%s) - 950))/" "$file"
	ok "newer: as JSON" ctl embedded --json import "$file"
	ok "newer: what was there is older" grep -q '"older": *1' "$PRIVATE/out"
	ok "newer: a pass is taken, though of an earlier time" grep -q '"taken": *1' "$PRIVATE/out"
	ok "newer: --replace" ctl embedded --json import --replace --apply "$file"
	ok "newer: takes both" grep -q '"taken": *2' "$PRIVATE/out"
}

# ---- another site's secret ------------------------------------------------------------------------------------------

other_secret() {
	fresh
	ok "secret: one site" fill_store redis-a
	stop_weir
	ok "secret: its export" ctl redis-a export --output "$PRIVATE/a"
	ok "secret: another site" fill_store embedded-b
	stop_weir
	exported embedded-b "$PRIVATE/was"
	ok "secret: is not mixed with it" ends 1 embedded-b import --apply "$PRIVATE/a"
	ok "secret: which is said, and what to do" said 'import it into an empty store'
	exported embedded-b "$PRIVATE/now"
	ok "secret: nothing was changed" cmp "$PRIVATE/was" "$PRIVATE/now"
	ok "secret: a daemon on an empty store" serve embedded-c "${QUICK[@]}"
	ok "secret: it has told of itself" await 10 told_of_daemon embedded-c
	ok "secret: is not given another one" ends 1 embedded-c import --apply "$PRIVATE/a"
	ok "secret: the text names the daemon" said 'first stop the daemons.*weir-policyd on mx1.test'
	stop_weir
	# its heartbeat must have grown old
	ok "secret: it is, when no daemon runs" await 20 ctl embedded-c import --apply "$PRIVATE/a"
	ok "secret: all is there then" said ' 500 taken'
}

told_of_daemon() {
	ctl "$1" --json status && grep -q '"alive": true' "$PRIVATE/out"
}

# ---- postgrey -------------------------------------------------------------------------------------------------------

POSTGREY_PID=

# start_postgrey DIR [OPTION]...: on PRIVATE/postgrey.sock, as Debian runs it where that is allowed.
start_postgrey() {
	local user
	user=$(id -un)
	[ "$user" != root ] || user=postgrey
	mkdir -p "$1" "$PRIVATE/run"
	chown "$user" "$1" "$PRIVATE/run"
	chmod 700 "$1"
	start_process postgrey --dbdir="$1" --unix="$PRIVATE/run/postgrey.sock" --user="$user" --group="$(id -gn "$user")" \
		--delay=1 "${@:2}" >"$PRIVATE/postgrey.log" 2>&1
	POSTGREY_PID=$STARTED
	await 10 [ -S "$PRIVATE/run/postgrey.sock" ]
}

stop_postgrey() {
	end_process "$POSTGREY_PID" >/dev/null
	rm -f "$PRIVATE/run/postgrey.sock"
}

ask_postgrey() {
	perl "$SYSTEM_TESTS/policy_client.pl" --to "unix:$PRIVATE/run/postgrey.sock" "$@" >"$PRIVATE/counts" 2>&1
}

# postgrey_is_told CLIENT SENDER RECIPIENT
postgrey_is_told() {
	perl -MIO::Socket::UNIX -e '
		my $socket = IO::Socket::UNIX->new(Peer => shift) or exit 1;
		printf {$socket} "request=smtpd_access_policy\nclient_address=%s\nclient_name=unknown\nsender=%s\n" .
			"recipient=%s\n\n", @ARGV;
		exit(<$socket> !~ /^action=/)' "$PRIVATE/run/postgrey.sock" "$@"
}

fill_postgrey() {
	ask_postgrey --requests 200
	postgrey_is_told 2001:db8:7::25 'Bounce-17-4@Lists.test' 'User+tag@local.test'
	postgrey_is_told 198.51.100.7 '' a/b@local.test
	sleep 1.5
	ask_postgrey --requests 150
	all_are prepend || return
	postgrey_is_told 2001:db8:7::25 bounce-17-4@lists.test user+tag@local.test
	postgrey_is_told 198.51.100.7 '' a/b@local.test
	# one that still waits
	postgrey_is_told 203.0.113.5 late@x.test user@local.test
}

# all_bytes DIR: what is in it, names, owners, times and contents.
all_bytes() {
	(cd "$1" && stat -c '%n %U %a %s %Y' ./* && sha256sum ./*)
}

postgrey_says_at_data() {
	policy_send protocol_state=DATA client_address=198.51.100.7 client_name=unknown sender= recipient=a/b@local.test \
		recipient_count=1 "instance=$RANDOM.$RANDOM" && policy_reads "$1"
}

from_postgrey() {
	local dir options=(--delay 1)
	if ! command -v postgrey >/dev/null; then
		skip "postgrey's databases are imported" "needs postgrey"
		return
	fi
	fresh
	dir=$PRIVATE/postgrey-db
	mkdir -m 1777 "$PRIVATE/tmp"
	ok "postgrey: it runs" start_postgrey "$dir"
	ok "postgrey: it has let some pass" fill_postgrey
	all_bytes "$dir" >"$PRIVATE/bytes"
	ok "postgrey: a dry run while it runs" with_tmp ctl embedded import postgrey "$dir" "${options[@]}"
	ok "postgrey: its rows" said ': 355 rows$'
	ok "postgrey: all would be taken" said ' 355 would be taken'
	ok "postgrey: it is said what that is worth" said 'confirmed'
	all_bytes "$dir" >"$PRIVATE/bytes-now"
	ok "postgrey: its files are as they were" cmp "$PRIVATE/bytes" "$PRIVATE/bytes-now"
	ok "postgrey: no file is left behind" not_left_behind
	ok "postgrey: a list of clients is not written by it" with_tmp ctl embedded import postgrey "$dir" "${options[@]}" \
		--clients-to "$PRIVATE/list"
	ok "postgrey: which is said" said '152 networks would be written to '
	ok "postgrey: it is not there" no_list
	ok "postgrey: import, with a list of clients" ctl embedded import postgrey "$dir" "${options[@]}" --apply \
		--clients-to "$PRIVATE/passed"
	ok "postgrey: all was taken" said ' 355 taken'
	ok "postgrey: the list has the networks that passed" [ "$(grep -c ' until=20' "$PRIVATE/passed")" -eq 152 ]
	stop_postgrey

	ok "postgrey: a daemon starts on it" serve embedded "${TRIPLETS_ONLY[@]}"
	ask_many "$PORT" --requests 150
	ok "postgrey: its passed triplets pass" all_are dunno
	policy_open "$PORT"
	ok "postgrey: from elsewhere in the network, too" policy_says DUNNO 2001:db8:7::99 bounce-18-5@lists.test user@local.test
	ok "postgrey: mail without a sender, too" postgrey_says_at_data DUNNO
	ok "postgrey: what waited there has waited" await 5 policy_says PREPEND 203.0.113.5 late@x.test user@local.test
	ok "postgrey: others are new" policy_says 451 203.0.113.5 other@x.test user@local.test
	ok "postgrey: a client with a name is known by that" by_name 451
	policy_close
	stop_weir
	ok "postgrey: a daemon starts with the list" serve embedded "${TRIPLETS_ONLY[@]}" -o "lists.clients=$PRIVATE/passed"
	policy_open "$PORT"
	ok "postgrey: it exempts the client with a name" by_name DUNNO
	policy_close
	stop_weir
	ok "postgrey: a daemon that allows clients" serve embedded "${QUICK[@]}"
	policy_open "$PORT"
	ok "postgrey: takes its passes for its own" policy_says DUNNO 198.51.100.7 new@x.test new@local.test
	policy_close
	stop_weir
	ok "postgrey: --delay with a unit" ctl embedded import postgrey "$dir" --delay 1s
	ok "postgrey: --delay that is no time" ends 64 embedded import postgrey "$dir" --delay soon
	ok "postgrey: what it was is said" said '--delay: "soon" is no time'
	ok "postgrey: a second import" ctl embedded import postgrey "$dir" "${options[@]}"
	ok "postgrey: has nothing newer" said ' 0 would be taken'
	ok "postgrey: with longer prefixes" ctl embedded-2 -o greylist.ipv4_prefix=32 import postgrey "$dir" "${options[@]}"
	ok "postgrey: networks cannot be taken" said ' not taken: of a wider network'
}

# write_postgrey DIR: databases with the keys of versions 1.34 and 1.36, which let pass what they have.
write_postgrey() {
	mkdir -p "$1"
	perl -MBerkeleyDB -e '
		my ($dir, $now) = (shift, time);
		my %rows = ("postgrey.db" => {
			"192.0.2.0/24/a\@s.test/b\@here.test" => "first",
			"192.0.2.0/24//bounce\@here.test" => "first",
			"2001:db8:0:1:0:0:0:0/64/a\@s.test/b\@here.test" => "first",
			"198.51.100.0/24/lists/x\@s.test/b\@here.test" => "first",
			"203.0.113.7/pool\@s.test/b\@here.test" => "first",
			"203.0.113.0/a\@s.test/b\@here.test" => "first,7",
			"198.18.0.0/15/wide\@s.test/b\@here.test" => "first",
			"192.0.2.0/24/srs0\@forwarder.test/b\@here.test" => "first",
		}, "postgrey_clients.db" => {
			"192.0.2.7/32" => "9", "2001:db8:0:1:0:0:0:7" => "9",
		});
		for my $name (keys %rows) {
			tie(my %db, "BerkeleyDB::Btree", -Filename => "$dir/$name", -Flags => DB_CREATE) or die;
			for (keys %{$rows{$name}}) {
				my ($first, $host) = split /,/, $rows{$name}{$_};
				$first = $now - 600 if $first eq "first";
				$db{$_} = join ",", $first, $now - 60, $host // ();
			}
		}' "$1"
}

from_older_postgrey() {
	if ! perl -MBerkeleyDB -e1 2>/dev/null; then
		skip "older databases of postgrey are imported" "needs Perl's BerkeleyDB"
		return
	fi
	fresh
	write_postgrey "$PRIVATE/old"
	ok "older postgrey: import" ctl embedded "${TRIPLETS_ONLY[@]}" import postgrey "$PRIVATE/old" --apply
	ok "older postgrey: its rows" said ': 10 rows$'
	ok "older postgrey: those that a mail will find are taken" said ' 6 taken$'
	ok "older postgrey: the length in a key counts" said ' 1 not taken: of a wider network'
	ok "older postgrey: a sender that was cut" said ' 1 not taken: of a sender (SRS0+\.\.\.) that'
	ok "older postgrey: a daemon starts on it" serve embedded "${TRIPLETS_ONLY[@]}"
	policy_open "$PORT"
	ok "older postgrey: a network with its length" policy_says DUNNO 192.0.2.99 a@s.test b@here.test
	ok "older postgrey: IPv6" policy_says DUNNO 2001:db8:0:1::99 a@s.test b@here.test
	ok "older postgrey: '/' in a sender" policy_says DUNNO 198.51.100.9 lists/x@s.test b@here.test
	ok "older postgrey: a client of a pool" policy_says DUNNO 203.0.113.7 pool@s.test b@here.test
	ok "older postgrey: a network with a host in the value" policy_says DUNNO 203.0.113.9 a@s.test b@here.test
	ok "older postgrey: others are new" policy_says 451 192.0.2.99 24/a@s.test b@here.test
	policy_close
	stop_weir
	ok "older postgrey: whole clients" ctl embedded-2 "${QUICK[@]}" import postgrey "$PRIVATE/old" --apply
	ok "older postgrey: both of them" said ' 8 taken$'
	lost_on_the_way
}

# What the store does not have afterwards was not taken.
lost_on_the_way() {
	if ! command -v sqlite3 >/dev/null; then
		skip "what the store lost is not taken" "needs sqlite3"
		return
	fi
	made embedded-3
	sqlite3 "$PRIVATE/embedded-3/weir.db" \
		'CREATE TRIGGER lose AFTER INSERT ON triplet BEGIN DELETE FROM triplet WHERE key = NEW.key; END'
	ok "lost: import" ctl embedded-3 "${TRIPLETS_ONLY[@]}" import postgrey "$PRIVATE/old" --apply
	ok "lost: nothing counts as taken" said ' 0 taken$'
	ok "lost: it is said why" said ' 6 not taken: written, but not in the store afterwards'
}

with_tmp() {
	TMPDIR=$PRIVATE/tmp "$@"
}

not_left_behind() {
	! compgen -G "$PRIVATE/tmp/*" >/dev/null
}

by_name() {
	policy_send protocol_state=RCPT client_address=198.51.100.7 client_name=mail.example.com sender=a@example.com \
		recipient=new@local.test "instance=$RANDOM.$RANDOM" && policy_reads "$1"
}

# What cannot be imported says why.
not_from_postgrey() {
	command -v postgrey >/dev/null || return
	fresh
	ok "postgrey --privacy: it runs" start_postgrey "$PRIVATE/private-db" --privacy
	ask_postgrey --requests 20
	ok "postgrey --privacy: it is refused" ends 65 embedded import postgrey "$PRIVATE/private-db"
	ok "postgrey --privacy: the text tells why" said 'ran with --privacy'
	stop_postgrey
	ok "postgrey --lookup-by-host: it runs" start_postgrey "$PRIVATE/host-db" --lookup-by-host
	ask_postgrey --requests 20
	ok "postgrey --lookup-by-host: it is read" ctl embedded -o greylist.ipv4_prefix=32 import postgrey "$PRIVATE/host-db"
	ok "postgrey --lookup-by-host: addresses fit any prefix" said ' 20 would be taken'
	stop_postgrey
	ok "postgrey: no such directory" ends 66 embedded import postgrey "$PRIVATE/nowhere"
	ok "postgrey: which is said, and that nothing was changed" said '^weirctl: .*nowhere.*; nothing was changed$'
	head -c 30000 /dev/urandom >"$PRIVATE/host-db/postgrey.db"
	rm -f "$PRIVATE"/host-db/log.*
	ok "postgrey: a damaged database is refused" ends 65 embedded import postgrey "$PRIVATE/host-db" \
		--clients-to "$PRIVATE/list"
	ok "postgrey: which is said" said 'no database of postgrey'
	ok "postgrey: the list is not made then" no_list
	mkdir -p "$PRIVATE/perl"
	echo 'die "not installed";' >"$PRIVATE/perl/BerkeleyDB.pm"
	PERL5LIB=$PRIVATE/perl ctl embedded import postgrey "$PRIVATE/private-db"
	ok "postgrey: without Perl's module it says which" said 'libberkeleydb-perl'
	ok "postgrey: and ends so" [ "$STATUS" -eq 69 ]
}

no_list() {
	! compgen -G "$PRIVATE/list*" >/dev/null
}

# ---- milter-greylist ------------------------------------------------------------------------------------------------

# write_dump: as version 4.6 writes it.
write_dump() {
	local now
	now=$(date +%s)
	cat <<-DUMP
		#
		# milter-greylist databases, dumped by milter-greylist-4.6.4 on $(date '+%Y-%m-%d %T').
		# DO NOT EDIT while milter-greylist is running, changes will be overwritten.
		#


		#
		# stored tuples
		#
		# Sender IP	Sender e-mail	Recipient e-mail	Time accepted	Unsuccessful shortest tarpit
		192.0.2.7	<passed@x.test>	<user@local.test>	$((now + 86400)) AUTO # 2026-11-23 10:00:00
		192.0.2.7	<"john.doe"@x.test>	<user@local.test>	$((now + 86400)) AUTO
		192.0.2.7	<"john \"q\" doe"@x.test>	<user@local.test>	$((now + 86400)) AUTO
		2001:db8::7	<Bounce-12@x.test>	<User@local.test>	$((now + 86400)) AUTO
		192.0.2.8	<ready@x.test>	<user@local.test>	$((now - 60)) # 2026-11-22 10:00:00
		192.0.2.8	<early@x.test>	<user@local.test>	$((now + 3600)) # 2026-11-22 11:00:00
		192.0.2.7	<old@x.test>	<user@local.test>	$((now - 864000)) AUTO
		192.0.2.9	<tar@x.test>	<user@local.test>	$((now + 60))	30 TARPIT
		mail.x.test	<odd@x.test>	<user@local.test>	$((now + 60))
		#
		# Summary: 7 records, 2 greylisted, 3 whitelisted, 1 tarpitted
		#
	DUMP
}

from_milter_greylist() {
	local dump settings=("${TRIPLETS_ONLY[@]}" -o greylist.delay=2h)
	fresh
	dump=$PRIVATE/greylist.db
	write_dump >"$dump"
	ok "milter-greylist: import" ctl embedded "${settings[@]}" import milter-greylist "$dump" --apply \
		--clients-to "$PRIVATE/passed"
	ok "milter-greylist: its rows" said ': 9 rows$'
	ok "milter-greylist: what was taken" said ' 6 taken'
	ok "milter-greylist: what had expired" said ' 1 not taken: expired'
	ok "milter-greylist: the tarpit" said ' 1 not taken: of the tarpit'
	ok "milter-greylist: what is malformed" said ' 1 not taken: malformed'
	ok "milter-greylist: in which line" said 'first malformed one is in line 19$'
	ok "milter-greylist: the clients that passed" grep -q '^192\.0\.2\.0/24 until=' "$PRIVATE/passed"
	ok "milter-greylist: both of them" [ "$(grep -c ' until=20' "$PRIVATE/passed")" -eq 2 ]
	ctl embedded "${settings[@]}" import milter-greylist "$dump" --apply --clients-to "$PRIVATE/"$'odd\033'
	ok "milter-greylist: the list's name is escaped" said 'written to .*odd\\x1B, for lists'
	ok "milter-greylist: a daemon starts on it" serve embedded "${settings[@]}"
	policy_open "$PORT"
	ok "milter-greylist: what had passed passes" policy_says DUNNO 192.0.2.99 passed@x.test user@local.test
	ok "milter-greylist: without the quotes it had there" policy_says DUNNO 192.0.2.7 john.doe@x.test user@local.test
	ok "milter-greylist: nor those within" policy_says DUNNO 192.0.2.7 'john "q" doe@x.test' user@local.test
	ok "milter-greylist: IPv6, too" policy_says DUNNO 2001:db8::99 bounce-13@x.test user@local.test
	ok "milter-greylist: what has waited enough passes" policy_says PREPEND 192.0.2.8 ready@x.test user@local.test
	ok "milter-greylist: what has not, waits on" policy_says 451 192.0.2.8 early@x.test user@local.test
	ok "milter-greylist: as long as it would have there" logged 'why=greylist-early .*wait=3[56][0-9][0-9] '
	ok "milter-greylist: others are new" policy_says 451 192.0.2.8 other@x.test user@local.test
	policy_close
	stop_weir
	chmod 640 "$PRIVATE/passed"
	echo '192.0.2.3' >>"$PRIVATE/passed"
	ok "milter-greylist: a list of ours is made anew" ctl embedded "${settings[@]}" import milter-greylist "$dump" --apply \
		--clients-to "$PRIVATE/passed"
	ok "milter-greylist: it is" not grep -q '192\.0\.2\.3' "$PRIVATE/passed"
	ok "milter-greylist: its mode stays" [ "$(stat -c %a "$PRIVATE/passed")" = 640 ]
	cp "$PRIVATE/weir.conf" "$PRIVATE/before"
	ok "milter-greylist: another file is left alone" ends 73 embedded import milter-greylist "$dump" --apply \
		--clients-to "$PRIVATE/weir.conf"
	ok "milter-greylist: which is said" said 'did not make the list .*weir.conf'
	ok "milter-greylist: it is as it was" cmp "$PRIVATE/before" "$PRIVATE/weir.conf"
	sed '/Summary/,$d' "$dump" >"$PRIVATE/cut"
	ok "milter-greylist: a cut dump is refused" ends 65 embedded import milter-greylist "$PRIVATE/cut" --apply
	ok "milter-greylist: which is said" said 'cut:[0-9]*: the file is cut'
	ok "milter-greylist: something else is refused" ends 65 embedded import milter-greylist /etc/passwd
	ok "milter-greylist: with the line" said 'passwd:1: this is no dump'
}

# ---- wrong use ------------------------------------------------------------------------------------------------------

# does_not_go OPTION WORD...: with these words, it is refused.
does_not_go() {
	ends 64 embedded import "${@:2}" "$1" 5 && said "^weirctl: the option $1 does not go with "
}

wrong_use() {
	fresh
	ok "usage: another greylister, misspelt" ends 64 embedded import postgray "$PRIVATE"
	ok "usage: the nearest is named" said '"postgray" is unknown: did you mean "postgrey"'
	ok "usage: no dump" ends 64 embedded import milter-greylist
	ok "usage: which is said" said 'import milter-greylist needs FILE'
	ok "usage: --clients-to is not for an export" does_not_go --clients-to "$PRIVATE/export"
	ok "usage: --delay is not for an export" does_not_go --delay "$PRIVATE/export"
	ok "usage: nor for milter-greylist" does_not_go --delay milter-greylist "$PRIVATE/export"
	ok "usage: no store was made" not [ -e "$PRIVATE/embedded/weir.db" ]
}

# ---- rights ---------------------------------------------------------------------------------------------------------

# Root gives up its rights before it touches the store, but the files of the command are root's.
as_root() {
	if [ "$(id -u)" -ne 0 ]; then
		skip "root gives up its rights" "needs root"
		return
	fi
	fresh
	mkdir -p "$PRIVATE/roots" "$PRIVATE/embedded"
	chmod 700 "$PRIVATE/roots"
	chown nobody "$PRIVATE/embedded"
	ok "root: no store, no export" ends 69 embedded -o user=nobody export --output "$PRIVATE/roots/export"
	made embedded -o user=nobody
	ok "root: export into a directory of root's" ctl embedded -o user=nobody export --output "$PRIVATE/roots/export"
	ok "root: it is there" [ "$(stat -c '%U %a' "$PRIVATE/roots/export")" = 'root 600' ]
	ok "root: the store is the user's" [ "$(stat -c %U "$PRIVATE/embedded/weir.db")" = nobody ]
	ok "root: import from there" ctl embedded -o user=nobody import "$PRIVATE/roots/export"
	ok "root: what is no regular file is left alone" ends 73 embedded export --output /dev/null
	ok "root: it is still what it was" [ -c /dev/null ]
	ok "root: nothing is left beside" [ "$(ls "$PRIVATE/roots")" = export ]
}

# ---- a million ------------------------------------------------------------------------------------------------------

# In the order of their keys, as the embedded store exports them.
write_million() {
	made embedded
	ctl embedded export
	sed -n 1p "$PRIVATE/out"
	perl -e '
		my @digits = ("A".."Z", "a".."z", 0..9, "-", "_");
		my $now = time;
		for my $i (0 .. 999_999) {
			my $key = join "", map { $digits[$i >> $_ & 63] } 18, 12, 6, 0;
			printf "{\"kind\":\"triplet\",\"key\":\"%sAAAAAAAAAAAAAAAAAA\",\"state\":\"passed\",\"at\":%d,\"count\":0}\n",
				$key, $now - $i % 86400;
		}
		print "{\"kind\":\"end\",\"rows\":1000000}\n"'
}

# on_terminal FILE WORD...: weirctl on a terminal of 80 columns; what that shows is in FILE.
on_terminal() {
	local words
	store embedded
	printf -v words '%q ' "$WEIRCTL" -c "$PRIVATE/weir.conf" "${STORE[@]}" "${@:2}"
	script -q -e -c "stty columns 80; $words ${READER:-}" "$1" >/dev/null 2>&1 </dev/null
}

# export_slowly FILE SHOWN: to somebody who reads so slowly that no bar can be missed.
export_slowly() {
	local READER="| perl -e 'while (sysread STDIN, my \$some, 65536) { print \$some; select undef, undef, undef, 0.001 }' >$1"
	on_terminal "$2" export
}

# quick SECONDS COMMAND...: it succeeds in that time.
quick() {
	local start
	start=$(now_ms)
	"${@:2}" || return
	diag "$(($(now_ms) - start)) ms: ${*: -3}"
	[ $(($(now_ms) - start)) -lt $(($1 * 1000)) ]
}

# shows_progress FILE WORD: a bar that moved, with a rate and the time left, which is gone at the end.
shows_progress() {
	tr '\r' '\n' <"$1" | grep -E -c "$2  \[#*\.*\] +[0-9]+%  [0-9]+ rows  [0-9]+/s  0:[0-9]+ left" >"$PRIVATE/pictures"
	[ "$(cat "$PRIVATE/pictures")" -ge 3 ]
}

a_million() {
	if ! command -v script >/dev/null || [ -n "${WEIR_SANITIZED:-}" ]; then
		skip "a million triplets" "needs script and a build without sanitizers"
		return
	fi
	fresh
	write_million >"$PRIVATE/million"
	ok "a million: import within a minute" quick 60 on_terminal "$PRIVATE/shown" import "$PRIVATE/million" --apply
	ok "a million: all of it" grep -q '1000000 taken' "$PRIVATE/shown"
	ok "a million: the check shows its progress" shows_progress "$PRIVATE/shown" checking
	ok "a million: so does the import" shows_progress "$PRIVATE/shown" importing
	ok "a million: export to a slow reader" export_slowly "$PRIVATE/million-2" "$PRIVATE/shown"
	ok "a million: it shows its progress" shows_progress "$PRIVATE/shown" exporting
	ok "a million: and warns of the secret" grep -q "contains the site's secret" "$PRIVATE/shown"
	ok "a million: all are there" same_rows "$PRIVATE/million" "$PRIVATE/million-2"
	ok "a million: elsewhere it is silent, within a minute" quick 60 quiet
	ok "a million: all are there as well" same_rows "$PRIVATE/million" "$PRIVATE/million-2"
}

# While it waits for Redis.
killed() {
	fresh
	store redis
	kill -STOP "$REDIS_PID"
	start_process "$WEIRCTL" -c "$PRIVATE/weir.conf" "${STORE[@]}" export --output "$PRIVATE/killed" 2>/dev/null
	ok "killed: the export has begun" await 4 eval "is_beside && pgrep -P $STARTED >/dev/null"
	end_process "$STARTED" KILL
	kill -CONT "$REDIS_PID"
	ok "killed: it leaves nothing" await 10 not is_beside
	ok "killed: nor what it was to be" not [ -e "$PRIVATE/killed" ]
}

is_beside() {
	compgen -G "$PRIVATE/killed.*" >/dev/null
}

same_rows() {
	cmp <(sed 1d "$1") <(sed 1d "$2")
}

quiet() {
	ctl embedded export --output "$PRIVATE/million-2" && [ ! -s "$PRIVATE/out" ] && [ ! -s "$PRIVATE/err" ]
}

need perl pgrep redis-server redis-cli "$WEIRCTL"
for story in ${STORIES:-back_and_forth refused_files what_is_newer other_secret from_postgrey not_from_postgrey from_older_postgrey \
	from_milter_greylist wrong_use as_root killed a_million}; do
	$story
	clean_up
done
plan
