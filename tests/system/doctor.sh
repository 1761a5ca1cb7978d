#!/usr/bin/env bash
# weirctl doctor and check-config, on real stores, daemons and Postfix settings in bad states: what is wrong is found, and is
# gone when it is mended as doctor says.

# shellcheck source=tests/system/lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"
need redis-server redis-cli postconf perl setpriv sqlite3
need_root

PORT=$(free_port) || exit 1
USER_OF_WEIR=nobody
private_dir

# shellcheck source=tests/system/doctor_lib.sh disable=SC1091
. "$SYSTEM_TESTS/doctor_lib.sh"

# ---- settings -----------------------------------------------------------------------------------------------------

settings_that_are_wrong() {
	conf embedded 'gerylist: { mode = "on"; };'
	finds 'problem settings: the settings cannot be used' && saw "$PRIVATE/weir.conf:15: gerylist" && [ "$(wc -l <"$SAID")" -eq 1 ]
}

settings_nobody_may_read() {
	conf embedded
	OPTIONS=(-o "user=$USER_OF_WEIR")
	chmod 600 "$PRIVATE/weir.conf"
	appears_and_goes 'the daemons cannot read the settings'
}

settings_everybody_may_change() {
	chmod 666 "$PRIVATE/weir.conf"
	appears_and_goes 'everybody may change the settings'
}

password_nobody_may_read() {
	conf redis
	echo secret >"$PRIVATE/password"
	chmod 600 "$PRIVATE/password"
	OPTIONS=(-o "user=$USER_OF_WEIR" -o "store.redis.password_file=$PRIVATE/password")
	appears_and_goes 'the daemons cannot read the password of Redis'
}

no_such_user() {
	conf embedded
	OPTIONS=(-o user=no-such-user)
	finds "problem settings: the daemons' user does not exist" && OPTIONS=() && finds_not 'does not exist'
}

# hardly_meant OPTION TEXT: not said without it, and with it until it is mended.
hardly_meant() {
	OPTIONS=(-o greylist.delay=3m)
	finds_not "$2" || return
	OPTIONS=(-o greylist.delay=3m -o "$1")
	finds "$2" && cure "${2#*: }" && finds_not "$2"
}

ok 'wrong settings are named with file and line' settings_that_are_wrong
conf embedded
ok 'a delay below a minute is odd' hardly_meant greylist.delay=10s 'warning settings: greylist.delay is shorter than a minute'
ok "mode observe is noted" hardly_meant greylist.mode=observe "note settings: greylisting only observes"
ok "mode off is noted" hardly_meant greylist.mode=off "note settings: greylisting is off"
ok 'decisions.keep = 0 is noted' hardly_meant decisions.keep=0 'note settings: no decision is recorded'
ok 'milter.enforce = false is noted' hardly_meant milter.enforce=false 'note settings: weir-milter defers nothing'
ok 'a status page for all hosts is found' hardly_meant http.listen=inet:0.0.0.0:10041 'warning settings: the status page can be read by other hosts'
ok 'an open policy service is noted' hardly_meant policyd.listen=inet:0.0.0.0:10040 'note settings: other hosts may ask weir'
ok 'an embedded store for two hosts is found' hardly_meant nodes=2 'warning settings: hosts cannot share the embedded store'
# old_pools DATE: of a file of pools.
old_pools() {
	OPTIONS=(-o "greylist.pool_files=$PRIVATE/pools.conf")
	printf 'date = "%s";\n' "$1" >"$PRIVATE/pools.conf"
}

pools_get_old() {
	old_pools 2025-01-31
	finds 'note settings: the list of big providers is over a year old' || return
	old_pools "$(date -u +%F)"
	finds_not 'over a year old' || return
	echo 'pools = ( { name = "a"; } );' >>"$PRIVATE/pools.conf"
	finds 'problem settings: the settings cannot be used' && saw "$PRIVATE/pools.conf:2: greylist.pools wants groups"
}

ok 'a list of providers that is over a year old' pools_get_old
ok 'settings that the daemons cannot read' settings_nobody_may_read
ok 'settings that everybody may change' settings_everybody_may_change
ok 'a password that the daemons cannot read' password_nobody_may_read
ok 'a user that does not exist' no_such_user

# ---- check-config -------------------------------------------------------------------------------------------------

# check_config STATUS [OPTION]...: what it prints is in PRIVATE/checked.
check_config() {
	"$WEIRCTL" -c "$PRIVATE/weir.conf" "${OPTIONS[@]}" check-config "${@:2}" >"$PRIVATE/checked" 2>&1
	[ $? -eq "$1" ]
}

what_is_set_is_printed() {
	conf embedded 'limits: { destinations = ( { name = "acme"; domains = ["acme.test"]; concurrency = 5; messages = "9/1m"; } ); };'
	OPTIONS=()
	check_config 0 && grep -q -x 'greylist.delay = 3s' "$PRIVATE/checked" &&
		grep -q -x -F 'limits.destinations = acme (acme.test) concurrency=5 messages=9/1m' "$PRIVATE/checked" &&
		not grep -q '^greylist.lifetime' "$PRIVATE/checked" && grep -q 'shorter than a minute' "$PRIVATE/checked"
}

nothing_is_set() {
	echo >"$PRIVATE/empty.conf"
	"$WEIRCTL" -c "$PRIVATE/empty.conf" check-config >"$PRIVATE/checked" 2>&1 &&
		grep -q 'all of them are defaults' "$PRIVATE/checked" && not grep -q ' = ' "$PRIVATE/checked"
}

all_settings_are_printed() {
	check_config 0 --all && grep -q -x 'greylist.lifetime = 35d' "$PRIVATE/checked"
}

mistakes_are_named() {
	OPTIONS=(-o greylist.delay=soon)
	check_config 78 && grep -q '^weirctl: -o greylist.delay' "$PRIVATE/checked"
}

lists_are_loaded_too() {
	OPTIONS=(-o "lists.clients=$PRIVATE/missing")
	check_config 78 && grep -q "$PRIVATE/missing" "$PRIVATE/checked"
}

as_json() {
	perl -MJSON::PP -e 'local $/; my $j = decode_json(<STDIN>); exit !eval $ARGV[0]' "$1" <"$PRIVATE/checked"
}

# shellcheck disable=SC2016 # it is Perl's
settings_for_programs() {
	OPTIONS=()
	check_config 0 --json && as_json '$j->{good} && $j->{settings}{"greylist.delay"} eq "3s" && @{$j->{findings}} == 1' || return
	OPTIONS=(-o greylist.delay=soon)
	check_config 78 --json && as_json '!$j->{good} && $j->{error} =~ /greylist.delay/'
}

# Names of files may have any bytes but one.
# shellcheck disable=SC2016 # it is Perl's
settings_from_anywhere() {
	local odd=$PRIVATE/$'odd\033[31m\xff.conf'
	cp "$PRIVATE/weir.conf" "$odd"
	OPTIONS=(-c "$odd" -o "store.path=$PRIVATE/"$'\033[31mst\xc2\x9b')
	check_config 0 && not grep -q -a $'[\033\x9b\xff]' "$PRIVATE/checked" &&
		grep -q -F 'odd\x1B[31m\xFF.conf: the settings are good' "$PRIVATE/checked" &&
		grep -q '^store.path = .*\\x1B\[31mst\\xC2\\x9B$' "$PRIVATE/checked" || return
	check_config 0 --json && as_json '$j->{good} && $j->{file} =~ /odd/'
}

ok 'check-config prints what differs from the defaults' what_is_set_is_printed
ok 'check-config prints nothing where nothing is set' nothing_is_set
ok 'check-config --all prints all' all_settings_are_printed
ok 'check-config names a mistake, and ends with 78' mistakes_are_named
ok 'check-config loads the lists' lists_are_loaded_too
ok 'check-config --json' settings_for_programs
ok 'check-config escapes what could do something to a terminal' settings_from_anywhere

# ---- lists --------------------------------------------------------------------------------------------------------

list_findings() {
	local soon
	soon=$(perl -MPOSIX -e 'print strftime("%Y-%m-%d", gmtime(time + 2 * 86400))')
	conf embedded
	OPTIONS=()
	printf '%s\n' '# ours' 192.0.2.1 'old.example until=2020-01-31' "soon.example until=$soon" 'Twice.example' 'twice.example' \
		>"$PRIVATE/clients"
	finds 'note lists: entries have expired' && saw "1 in $PRIVATE/clients, the first in line 3" &&
		saw 'note lists: entries expire within 7 days' && saw 'the first in line 4' &&
		saw 'note lists: entries are there more than once' || return
	printf '%s\n' 192.0.2.1 >"$PRIVATE/clients"
	finds_not 'note lists' && saw "$PRIVATE/clients has 1 entry; changed 0 days ago" || return
	printf '%s\n' 192.0.2.1 'old.example until=2020-01-31' >"$PRIVATE/clients"
	appears_and_goes 'entries have expired' && [ "$(cat "$PRIVATE/clients")" = 192.0.2.1 ]
}

# lets_everybody_in LIST ENTRY
lets_everybody_in() {
	printf '%s\n' user.example "$2" >"$PRIVATE/$1"
	finds 'warning lists: an entry lets everybody in' && saw "$PRIVATE/$1:2: $2" && cure 'an entry lets everybody in' &&
		finds_not 'an entry lets everybody in' && [ "$(cat "$PRIVATE/$1")" = user.example ]
}

network_for_everybody() {
	OPTIONS=(-o 'lists.networks=127.0.0.0/8, 0.0.0.0/0, ::/0, ::1')
	appears_and_goes 'an entry lets everybody in' && [ "${OPTIONS[-1]}" = 'lists.networks=127.0.0.0/8, ::1' ] && OPTIONS=()
}

# lets_some_in LIST ENTRY
lets_some_in() {
	printf '%s\n' "$2" >"$PRIVATE/$1"
	finds_not 'an entry lets everybody in'
}

list_nobody_may_read() {
	OPTIONS=(-o "user=$USER_OF_WEIR")
	chmod 644 "$PRIVATE/weir.conf"
	chmod 600 "$PRIVATE/senders"
	appears_and_goes 'the daemons cannot read a list'
}

ok 'entries that have run out, will soon, stand twice' list_findings
ok '0.0.0.0/0 lets everybody in' lets_everybody_in clients 0.0.0.0/0
ok '::/0 lets everybody in' lets_everybody_in clients ::/0
ok 'all of IPv4 as IPv6 lets everybody in' lets_everybody_in clients '[::ffff:0.0.0.0]/96'
ok '/./ lets all clients in' lets_everybody_in clients /./
ok '/@/ lets all senders in' lets_everybody_in senders /@/
ok '/.*/ lets all recipients in' lets_everybody_in recipients '/.*/'
ok '0.0.0.0/0 and ::/0 in lists.networks' network_for_everybody
ok '/^mail/ does not' lets_some_in clients '/^mail/'
ok '10.0.0.0/8 does not' lets_some_in clients 10.0.0.0/8
ok 'a list that the daemons cannot read' list_nobody_may_read

# ---- the embedded store -------------------------------------------------------------------------------------------

no_folder() {
	conf embedded
	OPTIONS=(-o "user=$USER_OF_WEIR")
	rm -r "$PRIVATE/db"
	appears_and_goes "the daemons cannot use the store's folder"
}

files_of_root() {
	chown root:root "$PRIVATE/db/"*.db && chmod 600 "$PRIVATE/db/"*.db
	finds "problem store: the daemons cannot write a file of the store" && saw "$PRIVATE/db/weir.db belongs to root:root, mode 0600" &&
		cure 'the daemons cannot write a file of the store' && finds_not 'cannot write a file' || return
	chmod 600 "$PRIVATE/db/ledger.db" && chown root:root "$PRIVATE/db/ledger.db"
	finds 'problem store: the store cannot be' && [ -z "$(advice 'the store cannot be used'; advice 'the store cannot be written')" ] &&
		cure 'the daemons cannot write a file of the store' && finds_not 'problem store'
}

files_for_everybody() {
	chmod 664 "$PRIVATE/db/weir.db"
	appears_and_goes 'everybody may read the store'
}

another_programs_file() {
	OPTIONS=()
	rm -f "$PRIVATE/db/"*
	printf '%04000d' 7 >"$PRIVATE/db/weir.db"
	finds 'problem store: the store cannot be written' && saw 'not an SQLite file' || return
	cure 'the store cannot be written' && finds_not 'problem store'
}

# To throw it away would throw away all that was learned.
another_weirs_file() {
	local version
	start_with_store && ask_many "$PORT" --requests 3 && stop_weir || return
	version=$(sqlite3 "$PRIVATE/db/weir.db" 'PRAGMA user_version')
	sqlite3 "$PRIVATE/db/weir.db" 'PRAGMA user_version = 999'
	finds 'problem store: the store cannot be' && saw 'another version of weir (schema 999' || return
	advice 'the store cannot be used' >"$PRIVATE/advice"
	advice 'the store cannot be written' >>"$PRIVATE/advice"
	grep -q '^Leave the file where it is' "$PRIVATE/advice" && not grep -q -e '^[a-z]' "$PRIVATE/advice" || return
	sqlite3 "$PRIVATE/db/weir.db" "PRAGMA user_version = $version"
	finds_not 'problem store'
}

# What SQLite cannot read in the middle of the file, where the tables are.
damaged_file() {
	start_with_store && ask_many "$PORT" --requests 3000 && stop_weir || return
	dd if=/dev/urandom of="$PRIVATE/db/weir.db" bs=1024 seek=40 count=20 conv=notrunc 2>/dev/null
	appears_and_goes 'the store is damaged' && start_with_store && stop_weir && ls "$PRIVATE/db/"damaged.*/weir.db >/dev/null
}

quota_used_up() {
	OPTIONS=(-o store.max_size=128K -o store.on_failure=accept)
	rm -rf "$PRIVATE/db/"*
	start_with_store "${OPTIONS[@]}" && ask_many "$PORT" --requests 6000 && stop_weir || return
	appears_and_goes 'the store has nearly used up its quota' && start_with_store "${OPTIONS[@]}" && stop_weir &&
		rm -rf "$PRIVATE/db/"*
}

full_disk() {
	OPTIONS=(-o "store.path=$PRIVATE/disk")
	small_disk "$PRIVATE/disk" 4M || return 2
	finds 'warning store: the store is in memory' && saw 'warning store: the disk of the store is nearly full' || return
	dd if=/dev/zero of="$PRIVATE/disk/filling" bs=64k 2>/dev/null
	finds 'problem store: the disk of the store is nearly full' && saw 'problem store: the store cannot be' || return
	rm "$PRIVATE/disk/filling"
	finds_not 'problem store'
}

few_inodes() {
	umount "$PRIVATE/disk" && mount -t tmpfs -o size=400M,nr_inodes=120 tmpfs "$PRIVATE/disk" || return
	finds_not 'few more files' || return
	touch "$PRIVATE/disk/"{1..60}
	finds 'warning store: the disk of the store can hold few more files' || return
	rm "$PRIVATE/disk/"*
	finds_not 'few more files'
}

ok 'a folder that is not there' no_folder
ok 'files that root has made' files_of_root
ok 'files that everybody may read' files_for_everybody
ok "another program's file" another_programs_file
ok 'a file of another weir' another_weirs_file
ok 'a damaged file' damaged_file
ok 'a quota that is used up' quota_used_up
if small_disk "$PRIVATE/trial" 1M; then
	ok 'a disk that is full' full_disk
	ok 'a disk with few inodes' few_inodes
else
	skip 'a disk that is full' 'mounting is not allowed'
fi

# ---- daemons ------------------------------------------------------------------------------------------------------

PORTS=(["main"]="$PORT")

start_main() {
	start_named main "${OPTIONS[@]}" && has_store
}

no_daemon_alive() {
	conf embedded
	OPTIONS=(-o greylist.delay=3m)
	rm -f "$PRIVATE/db/"*
	finds 'problem daemons: no daemon is alive' || return
	start_main && await 5 finds 'ok daemons: weir-policyd on mx1.test is alive' && not saw 'no daemon is alive'
}

silent_daemon() {
	kill -STOP "${PIDS["main"]}"
	await 20 finds 'warning daemons: a daemon has fallen silent' && kill -CONT "${PIDS["main"]}" &&
		await 5 finds_not 'has fallen silent'
}

policyd_alone_with_limits() {
	OPTIONS+=(-o limits.default.concurrency=3)
	finds 'note daemons: limits on deliveries at once are judged without weir-milter' &&
		start_milter "${OPTIONS[@]}" && await 5 finds_not 'judged without weir-milter'
}

one_name_for_two() {
	start_named other -o http.listen= && has_store || return
	sleep 2 # both have to have begun before doctor does
	finds 'problem daemons: two daemons use the same node name' && stop_named other && await 5 finds_not 'two daemons use the same node name'
}

nodes_that_do_not_fit() {
	start_named second -o http.listen= -o node=mx2.test && await 5 finds 'warning daemons: the setting nodes is not the number of hosts' &&
		saw 'mx1.test, mx2.test' || return
	cure 'the setting nodes is not the number of hosts' && finds_not 'the number of hosts' && stop_named second
}

# no_complaint: none but about the place of the test, which may be small or in memory.
no_complaint() {
	doctor
	! grep -e '^warning' -e '^problem' "$SAID" | grep -v -e 'is in memory' -e 'nearly full' | grep -q .
}

all_is_well() {
	conf embedded
	rm -f "$PRIVATE/db/"*
	OPTIONS=(-o greylist.delay=3m)
	MTA=$PRIVATE/good
	good_postfix "$MTA" && start_main && start_milter "${OPTIONS[@]}" && await 5 finds 'ok daemons: weir-milter' || return
	no_complaint
}

# Another user than root and the daemons': what they must be able to do cannot be tried, and is nobody's fault.
somebody_else() {
	conf embedded
	OPTIONS=(-o "user=$USER_OF_WEIR" -o greylist.delay=3m)
	chmod 644 "$PRIVATE/weir.conf"
	cp "$BUILD/weirctl" "$PRIVATE/weirctl"
	RUN=(setpriv --reuid daemon --regid daemon --clear-groups)
	WEIRCTL=$PRIVATE/weirctl
	finds 'note settings: not tested: whether the daemons can read the settings' && saw 'note store: the store was not checked' &&
		saw 'note mta: not tested: whether the MTA reaches weir' && not grep -q -e ^warning -e ^problem "$SAID" &&
		advice 'the store was not checked' | grep -q -x 'Run doctor as root.' || return
	chmod 600 "$PRIVATE/weir.conf"
	finds 'problem settings: you may not read the settings' && saw 'as user daemon (it belongs to root:' &&
		[ "$(wc -l <"$SAID")" -eq 1 ]
}

# ---- Postfix ------------------------------------------------------------------------------------------------------

ASK="check_policy_service { inet:127.0.0.1:$PORT, timeout=5s, default_action=DUNNO }"
BEFORE='permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination, reject_unlisted_recipient'
TELL="{ unix:$PRIVATE/milter.sock, connect_timeout=5s, command_timeout=10s, default_action=accept }"

# postfix_dir DIR [SETTING]...: Debian's settings, and these.
postfix_dir() {
	mkdir -p "$1"
	cat >"$1/main.cf" <<-END
		compatibility_level = 3.6
		mydestination = local.test
		mynetworks = 127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128
		smtpd_relay_restrictions = permit_mynetworks permit_sasl_authenticated defer_unauth_destination
	END
	cat >"$1/master.cf" <<-END
		smtp       inet n - n - - smtpd
		submission inet n - n - - smtpd
		  -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject
		  -o smtpd_data_restrictions=
		  -o { smtpd_end_of_data_restrictions = }
		  -o smtpd_milters=
		cleanup    unix n - n - 0 cleanup
	END
	[ $# -eq 1 ] || postconf -c "$1" "${@:2}"
}

good_postfix() {
	postfix_dir "$1" "smtpd_recipient_restrictions = $BEFORE, $ASK" "smtpd_data_restrictions = $ASK" "smtpd_milters = $TELL"
}

# postfix_case TEXT BAD: found in a good Postfix with the setting BAD; gone when mended as said.
postfix_case() {
	MTA=$PRIVATE/case
	good_postfix "$MTA" && postconf -c "$MTA" "$2" && finds "$1" && cure "${1#*: }" && finds_not "$1"
}

# The same with lines of master.cf.
master_case() {
	MTA=$PRIVATE/case
	good_postfix "$MTA" && printf '%s\n' "${@:2}" >>"$MTA/master.cf" && finds "$1" && cure "${1#*: }" && finds_not "$1"
}

no_mta() {
	MTA=$PRIVATE/no-mta
	finds 'note mta: there is no Postfix and no Sendmail here'
}

no_folder_of_an_mta() {
	MTA=$PRIVATE/nowhere
	doctor
	[ "$DOCTOR_STATUS" -eq 66 ] && grep -q "^weirctl: --mta: $MTA: No such file or directory" "$PRIVATE/said.err"
}

sample_of_ours() {
	MTA=$PRIVATE/sample
	postfix_dir "$MTA" && sed -e "s/127.0.0.1:10040/127.0.0.1:$PORT/" -e "s|unix:weir/milter.sock|unix:$PRIVATE/milter.sock|" \
		"$TOP/etc/postfix-main.cf" >>"$MTA/main.cf" && finds 'ok mta: Postfix asks weir-policyd and weir-milter'
}

as_advised() {
	MTA=$PRIVATE/advised
	postfix_dir "$MTA" && appears_and_goes 'Postfix asks neither weir-policyd nor weir-milter' && saw 'ok mta: Postfix asks weir-milter' || return
	postfix_dir "$MTA" && appears_and_goes 'Postfix asks neither weir-policyd nor weir-milter' 2 && saw 'ok mta: Postfix asks weir-policyd'
}

COMES_BACK='Postfix asks weir again about mail that comes back from a filter'

# comes_back SETTING LINE...: with this in main.cf, and these lines of master.cf.
comes_back() {
	MTA=$PRIVATE/case
	good_postfix "$MTA" && printf '%s\n' "${@:2}" >>"$MTA/master.cf" && postconf -c "$MTA" "$1" &&
		finds "warning mta: $COMES_BACK" && cure "$COMES_BACK" && finds_not "$COMES_BACK" &&
		saw 'ok mta: Postfix asks weir-policyd and weir-milter'
}

other_instance() {
	MTA=$PRIVATE/case
	good_postfix "$PRIVATE/out" && echo '127.0.0.1:10026 inet n - n - - smtpd' >"$PRIVATE/out/master.cf" || return
	touch -d '1 minute ago' "$PRIVATE/out"/*
	good_postfix "$MTA" && postconf -c "$MTA" "multi_instance_directories = $PRIVATE/out" &&
		finds "warning mta: $COMES_BACK" && saw "service 127.0.0.1:10026 in $PRIVATE/out/master.cf" && cure "$COMES_BACK" || return
	touch -d '1 minute ago' "$PRIVATE/out"/*
	finds_not "$COMES_BACK"
}

broken_postfix() {
	MTA=$PRIVATE/case
	good_postfix "$MTA" && rm "$MTA/master.cf" && finds 'warning mta: the settings of Postfix could not be read'
}

not_to_be_reached() {
	MTA=$PRIVATE/case
	start_main && start_milter "${OPTIONS[@]}" && good_postfix "$MTA" && chmod 600 "$PRIVATE/milter.sock" && finds 'problem mta: the MTA may not connect to weir' &&
		chmod 666 "$PRIVATE/milter.sock" && finds_not 'may not connect' && saw 'ok mta: the MTA reaches weir-milter' || return
	stop_named main
	finds 'problem mta: the MTA does not reach weir' && saw 'Connection refused' && start_main &&
		finds_not 'does not reach'
}

own_networks() {
	postfix_case 'warning mta: hosts of your own networks are greylisted' 'mynetworks = 127.0.0.0/8 198.51.100.0/24'
}

sendmail_settings() {
	MTA=$PRIVATE/sendmail
	mkdir "$MTA"
	echo "INPUT_MAIL_FILTER(\`weir', \`S=unix:$PRIVATE/milter.sock, F=T')dnl" >"$MTA/sendmail.mc"
	finds 'warning mta: without weir-milter Sendmail' || return
	echo "INPUT_MAIL_FILTER(\`weir', \`S=unix:$PRIVATE/milter.sock')dnl" >"$MTA/sendmail.mc"
	finds 'ok mta: Sendmail asks weir-milter' || return
	echo 'Xother, S=unix:/run/other.sock' >"$MTA/sendmail.cf"
	finds 'problem mta: Sendmail does not ask weir-milter' && rm "$MTA/sendmail.cf" || return
	: >"$MTA/sendmail.mc"
	finds 'problem mta: Sendmail does not ask weir-milter' || return
	advice 'Sendmail does not ask weir-milter' | sed -n 's/^In sendmail.mc: //p' >"$MTA/sendmail.mc"
	finds 'ok mta: Sendmail asks weir-milter'
}

override_for_everybody() {
	local ctl=("$WEIRCTL" -c "$PRIVATE/weir.conf" "${OPTIONS[@]}")
	"${ctl[@]}" allow --sender '/.*/' >/dev/null 2>&1
	appears_and_goes 'an override lets everybody in'
}

override_for_nobody() {
	cp "$PRIVATE/weir.conf" "$PRIVATE/plain.conf"
	echo 'limits: { destinations = ( { name = "acme"; domains = ["acme.test"]; concurrency = 1; } ); };' >>"$PRIVATE/weir.conf"
	weirctl drain acme >/dev/null 2>&1 && finds_not 'no longer has a destination' && mv "$PRIVATE/plain.conf" "$PRIVATE/weir.conf" &&
		appears_and_goes 'an override no longer has a destination'
}

ok 'without a daemon, and with one' no_daemon_alive
ok 'an override for everybody' override_for_everybody
ok 'an override for a destination that is gone' override_for_nobody
ok 'a daemon that hangs' silent_daemon
ok 'limits without the milter' policyd_alone_with_limits
ok 'two daemons with one name' one_name_for_two
ok 'another number of hosts than nodes' nodes_that_do_not_fit
stop_named main
stop_milter
ok 'all is well' all_is_well
ok 'as another user' somebody_else
RUN=()
OPTIONS=(-o greylist.delay=3m)
WEIRCTL=$BUILD/weirctl
stop_named main
stop_milter
ok 'no MTA' no_mta
ok 'settings of an MTA where there are none' no_folder_of_an_mta
ok 'Postfix as our sample has it' sample_of_ours
ok 'Postfix that asks nobody, and as advised' as_advised
ok 'without default_action' postfix_case 'warning mta: without weir-policyd Postfix does not accept' \
	"smtpd_recipient_restrictions = $BEFORE, check_policy_service { inet:localhost:$PORT, timeout=5s }"
ok 'with a long time-out' postfix_case 'warning mta: Postfix waits too long for weir-policyd' \
	"smtpd_recipient_restrictions = $BEFORE, check_policy_service { inet:localhost:$PORT, default_action=DUNNO }"
ok 'relay attempts' postfix_case "problem mta: strangers' attempts to relay reach weir-policyd" \
	"smtpd_sender_restrictions = $ASK"
ok 'restrictions behind it' postfix_case 'note mta: other restrictions come behind weir-policyd' \
	"smtpd_recipient_restrictions = $BEFORE, $ASK, reject_rbl_client zen.test"
ok 'the way back of a content filter' comes_back 'content_filter = scan:[127.0.0.1]:10024' \
	'127.0.0.1:10025 inet n - n - - smtpd' '  -o content_filter='
ok 'the way back of a proxy, which asks in its own ways' comes_back 'content_filter =' \
	'2525 inet n - n - - smtpd' '  -o smtpd_proxy_filter=127.0.0.1:10024' '127.0.0.1:10026 inet n - n - - smtpd' \
	"  -o { smtpd_milters = $TELL inet:127.0.0.1:8891 }" "  -o { smtpd_client_restrictions = $ASK }"
ok 'another instance of Postfix' other_instance
ok 'a milter without default_action' postfix_case 'warning mta: without weir-milter Postfix does not accept' \
	"smtpd_milters = unix:$PRIVATE/milter.sock"
ok 'soft_bounce' postfix_case 'note mta: soft_bounce is on' 'soft_bounce = yes'
ok 'local mail' postfix_case 'note mta: Postfix asks weir-milter about local mail' "non_smtpd_milters = unix:$PRIVATE/milter.sock"
ok "users' mail" master_case "note mta: other milters come behind" '2525 inet n - n - - smtpd' "  -o { smtpd_milters = $TELL inet:127.0.0.1:8891 }"
ok 'the policy service at the submission port' master_case "warning mta: Postfix asks weir-policyd about mail of your own users" \
	'smtps inet n - n - - smtpd' "  -o { smtpd_recipient_restrictions = reject_unauth_destination, $ASK }"
ok 'settings of Postfix that cannot be read' broken_postfix
ok 'own networks' own_networks
ok 'Sendmail' sendmail_settings
ok 'a daemon that Postfix does not reach' not_to_be_reached
stop_named main
stop_milter
MTA=$PRIVATE/no-mta

# ---- Redis --------------------------------------------------------------------------------------------------------

# fresh_redis [OPTION]...: with settings of its own, which CONFIG REWRITE can write.
fresh_redis() {
	[ -z "$REDIS_PID" ] || kill_redis # it does not end while it begins to save
	rm -rf "$PRIVATE/redis"
	mkdir "$PRIVATE/redis"
	: >"$PRIVATE/redis/redis.conf"
	start_process redis-server "$PRIVATE/redis/redis.conf" --port 0 --unixsocket "$PRIVATE/redis.sock" --dir "$PRIVATE/redis" \
		--daemonize no --logfile "$PRIVATE/redis.log" "$@" >/dev/null
	REDIS_PID=$STARTED
	await 10 redis_answers
}

redis_as_it_comes() {
	fresh_redis && finds 'ok store: the store can be written and read' && not grep -q -e '^[wp].* store:' "$SAID"
}

without_saving() {
	fresh_redis --save '' && appears_and_goes 'Redis does not save anything'
}

always_writing() {
	fresh_redis --appendonly yes --appendfsync always && appears_and_goes 'Redis writes to the disk at every change'
}

refusing_connections() {
	fresh_redis --maxclients 2 || return
	perl -MIO::Socket::UNIX -e '
		my $one = IO::Socket::UNIX->new(Peer => $ARGV[0]) or exit 1;
		my $two = IO::Socket::UNIX->new(Peer => $ARGV[0]) or exit 1;
		my $three = IO::Socket::UNIX->new(Peer => $ARGV[0]) or exit 1;
		exit(<$three> !~ /max number of clients/)' "$PRIVATE/redis.sock" && appears_and_goes 'Redis has refused connections'
}

evicting() {
	fresh_redis --maxmemory-policy allkeys-lru && appears_and_goes 'Redis may drop what weir has stored'
}

nearly_full() {
	fresh_redis && redis config set maxmemory 1mb >/dev/null && appears_and_goes 'the memory of Redis is nearly full'
}

has_evicted() {
	fresh_redis --maxmemory-policy allkeys-lru --maxmemory 2mb &&
		redis eval 'for i = 1, 3000 do redis.call("set", "k" .. i, string.rep("x", 1000)) end' 0 >/dev/null
	finds 'warning store: Redis has dropped keys because its memory was full' &&
		cure 'Redis has dropped keys because its memory was full' && finds_not 'has dropped keys'
}

replica() {
	fresh_redis && redis replicaof 127.0.0.1 "$(free_port)" >/dev/null && finds 'problem store: the store cannot be written' &&
		appears_and_goes 'this Redis is a replica' 2 && finds_not 'problem store'
}

save_that_fails() {
	fresh_redis && mkdir "$PRIVATE/redis/dump.rdb" && redis set k v >/dev/null && redis bgsave >/dev/null &&
		await 10 finds 'problem store: Redis could not save' && rmdir "$PRIVATE/redis/dump.rdb" && cure 'Redis could not save' &&
		await 10 finds_not 'could not save'
}

wrong_password() {
	fresh_redis --requirepass right && finds 'problem store: the store cannot be used' && saw NOAUTH &&
		advice 'the store cannot be used' | grep -q '^See store.redis.username' || return
	OPTIONS=(-o "store.redis.password_file=$PRIVATE/password")
	echo wrong >"$PRIVATE/password" && chmod 600 "$PRIVATE/password" && finds 'problem store: the store cannot be used' &&
		saw WRONGPASS && echo right >"$PRIVATE/password" && finds_not 'problem store'
	local status=$?
	OPTIONS=()
	return $status
}

few_rights() {
	fresh_redis && redis acl setuser weir on '>pw' resetkeys '~weir:*' -@all +get +set +del +eval +evalsha +time +info +ping +select \
		+zadd +zrem +zscore +zcount +zcard +zrange +zremrangebyscore +pexpire \
		+rpush +lrange +ltrim +llen +hset +hget +hgetall +hdel +hscan +expire +scan >/dev/null || return
	echo pw >"$PRIVATE/password"
	OPTIONS=(-o store.redis.username=weir -o "store.redis.password_file=$PRIVATE/password")
	finds 'note store: cannot see whether Redis saves' && not grep -q -e '^[wp].* store:' "$SAID"
	local status=$?
	OPTIONS=()
	return $status
}

too_few_rights() {
	fresh_redis && redis acl setuser default -set >/dev/null && finds 'problem store: the store cannot be written' && saw NOPERM &&
		advice 'the store cannot be written' | grep -q '^See store.redis.username'
}

# The other host does not come: the settings are told so.
limits_that_wait() {
	local status=1
	fresh_redis && conf redis 'limits: { default: { concurrency = 5; }; };' && start_with_store -o nodes=2 -o greylist.mode=off || return
	if ask_many "$PORT" --requests 3 && await 10 finds 'warning daemons: limits wait for another daemon' &&
		advice 'limits wait for another daemon' | grep -q 'set nodes to the number of hosts and restart' &&
		stop_weir && start_with_store -o nodes=1 -o greylist.mode=off && ask_many "$PORT" --requests 3; then
		await 10 finds_not 'limits wait for another daemon' && status=0
	fi
	stop_weir
	conf redis
	return $status
}

redis_away() {
	stop_redis
	finds 'problem store: the store cannot be used' && saw 'note daemons: the daemons were not checked' && fresh_redis &&
		finds_not 'problem store'
}

conf redis
OPTIONS=()
ok 'Redis as it comes' redis_as_it_comes
ok 'Redis without saving' without_saving
ok 'Redis that writes at every change' always_writing
ok 'Redis that has refused connections' refusing_connections
ok 'Redis that drops any key' evicting
ok 'Redis that is nearly full' nearly_full
ok 'Redis that has dropped keys' has_evicted
ok 'a replica' replica
ok 'Redis that cannot save' save_that_fails
ok 'a wrong password' wrong_password
ok 'a user with the rights of the manual' few_rights
ok 'a user who may not write' too_few_rights
ok 'limits that wait for another host' limits_that_wait
ok 'Redis that is away' redis_away

plan
