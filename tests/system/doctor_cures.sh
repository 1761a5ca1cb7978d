#!/usr/bin/env bash
# The cures of weirctl doctor that need a place of their own: sockets behind a chroot and behind rights, a daemon that is not
# root, users and groups. Each is done as doctor says, literally; then what was found is gone, and the daemon runs. And each
# title that doctor knows has a place in the table at the end.

# Users and groups are changed in a copy of /etc that only this script sees.
if [ -z "${WEIR_OWN_ETC:-}" ] && [ "$(id -u)" -eq 0 ] && unshare -m true 2>/dev/null; then
	WEIR_OWN_ETC=yes exec unshare -m bash "$0" "$@"
fi

# shellcheck source=tests/system/lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"
need postconf perl setpriv usermod adduser sqlite3
need_root
private_dir

# shellcheck source=tests/system/doctor_lib.sh disable=SC1091
. "$SYSTEM_TESTS/doctor_lib.sh"

own_etc() {
	cp -a /etc "$PRIVATE/etc" && mount --bind "$PRIVATE/etc" /etc 2>/dev/null && MOUNTED+=(/etc)
}

own_etc || skip_all 'mounting is not allowed'

PORT=$(free_port) || exit 1
PORTS=([main]=$PORT)
OWNER=wcure # the daemons', as "weir" is with systemd
MTA=$PRIVATE/mta
QUEUE=$PRIVATE/queue
chmod 755 "$PRIVATE"

useradd --system --user-group --no-create-home "$OWNER" || skip_all 'no user can be made'

# ---- daemons that are started as their user, as systemd does ---------------------------------------------------------

AS_OWNER=(setpriv --reuid "$OWNER" --regid "$OWNER" --init-groups)

start_policyd_of_owner() {
	new_log
	start_process "${AS_OWNER[@]}" "$PRIVATE/bin/weir-policyd" -c "$PRIVATE/weir.conf" "${OPTIONS[@]}" >"$WEIR_LOG" 2>&1
	WEIR_PID=$STARTED
	serves "$WEIR_PID" "$WEIR_LOG"
}

start_milter_of_owner() {
	WEIR_STARTS=$((WEIR_STARTS + 1))
	MILTER_LOG=$PRIVATE/weir-$WEIR_STARTS.log
	start_process "${AS_OWNER[@]}" "$PRIVATE/bin/weir-milter" -c "$PRIVATE/weir.conf" "${OPTIONS[@]}" >"$MILTER_LOG" 2>&1
	MILTER_PID=$STARTED
	serves "$MILTER_PID" "$MILTER_LOG"
}

# What stops is waited for; what has ended already is no matter.
systemctl() {
	local unit
	for unit in "${@:2}"; do
		case $1:$unit in
		reload:* | status:* | *:postfix) ;;
		stop:weir-policyd | restart:weir-policyd) end_process "$WEIR_PID" ;;
		stop:weir-milter | restart:weir-milter) end_process "$MILTER_PID" ;;
		esac
		case $1:$unit in
		start:weir-policyd | restart:weir-policyd) start_policyd_of_owner || return ;;
		start:weir-milter | restart:weir-milter | enable:weir-milter) start_milter_of_owner || return ;;
		esac
	done
}

milter_runs() {
	await 10 port_or_socket "$1" && ! gone "$MILTER_PID"
}

port_or_socket() {
	[ -S "$1" ] || port_answers "$1"
}

# fresh SETTINGS...: nothing runs, and the settings are those of the owner.
fresh() {
	end_process "$WEIR_PID"
	end_process "$MILTER_PID"
	rm -rf "$PRIVATE/db" "$QUEUE" "$MTA"
	mkdir -p "$QUEUE" "$MTA" "$PRIVATE/bin" "$PRIVATE/run"
	cp -u "$BUILD/weir-policyd" "$BUILD/weir-milter" "$PRIVATE/bin/"
	conf embedded "$1"
	chmod 644 "$PRIVATE/weir.conf"
	install -d -o "$OWNER" -g "$OWNER" -m 750 "$PRIVATE/db"
	install -d -o "$OWNER" -g "$OWNER" -m 755 "$PRIVATE/run"
	OPTIONS=(-o "user=$OWNER" -o greylist.delay=3m -o "milter.listen=unix:$PRIVATE/run/milter.sock" -o milter.socket_mode=0660)
	cat >"$MTA/main.cf" <<-END
		compatibility_level = 3.6
		queue_directory = $QUEUE
		mydestination = local.test
		mynetworks = 127.0.0.0/8 [::1]/128
	END
	printf 'smtp inet n - %s - - smtpd\n' "${2:-n}" >"$MTA/master.cf"
}

TELL="connect_timeout=5s, command_timeout=10s, default_action=accept"

# ---- the MTA's way to the daemons -------------------------------------------------------------------------------------

# As Debian comes: smtpd in its chroot, weir-milter's socket where it cannot be seen.
chrooted_and_asks_nobody() {
	fresh '' y && start_milter_of_owner &&
		finds 'problem mta: Postfix asks neither weir-policyd nor weir-milter' &&
		cure 'Postfix asks neither weir-policyd nor weir-milter' && finds 'ok mta: Postfix asks weir-milter' &&
		saw "ok mta: the MTA reaches weir-milter at unix:$QUEUE/weir/milter.sock" && milter_runs "$QUEUE/weir/milter.sock" &&
		[ "$(postconf -c "$MTA" -h smtpd_milters)" = "{ unix:weir/milter.sock, $TELL }" ]
}

hidden_milter() {
	fresh '' y && start_milter_of_owner && postconf -c "$MTA" "smtpd_milters = inet:127.0.0.1:8891, unix:$PRIVATE/run/milter.sock" &&
		appears_and_goes "the chroot hides weir's socket from Postfix" && saw 'ok mta: the MTA reaches weir-milter' &&
		milter_runs "$QUEUE/weir/milter.sock" &&
		[ "$(postconf -c "$MTA" -h smtpd_milters)" = "inet:127.0.0.1:8891, { unix:weir/milter.sock, $TELL }" ]
}

hidden_policyd() {
	fresh '' y
	OPTIONS+=(-o "policyd.listen=inet:127.0.0.1:$PORT, unix:$PRIVATE/run/policy.sock")
	start_policyd_of_owner && postconf -c "$MTA" "smtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination, reject_unlisted_recipient, check_policy_service { unix:$PRIVATE/run/policy.sock, timeout=5s, default_action=DUNNO }" &&
		appears_and_goes "the chroot hides weir's socket from Postfix" &&
		saw "ok mta: the MTA reaches weir-policyd at unix:$QUEUE/weir/policy.sock" &&
		saw "ok mta: the MTA reaches weir-policyd at inet:127.0.0.1:$PORT"
}

# Postfix names a socket in its queue directory by its whole path.
hidden_by_its_name() {
	fresh '' y
	install -d -o "$OWNER" -g postfix -m 2750 "$QUEUE/weir"
	OPTIONS+=(-o "milter.listen=unix:$QUEUE/weir/milter.sock")
	start_milter_of_owner && postconf -c "$MTA" "smtpd_milters = unix:$QUEUE/weir/milter.sock" &&
		appears_and_goes "the chroot hides weir's socket from Postfix" && saw 'ok mta: the MTA reaches weir-milter'
}

# may_not MILTER_SETTING...: the socket is not for Postfix, until it is as doctor says; and weir-milter lives.
may_not() {
	OPTIONS+=("$@")
	start_milter_of_owner && postconf -c "$MTA" "smtpd_milters = { unix:$PRIVATE/run/milter.sock, $TELL }" &&
		appears_and_goes 'the MTA may not connect to weir' && saw 'ok mta: the MTA reaches weir-milter' &&
		milter_runs "$PRIVATE/run/milter.sock"
}

socket_of_another_group() {
	fresh '' && may_not
}

socket_for_nobody() {
	fresh '' && { gpasswd -d postfix "$OWNER" >/dev/null 2>&1 || :; } && may_not -o milter.socket_mode=0600
}

socket_in_a_closed_folder() {
	fresh '' && mkdir -p "$PRIVATE/closed/in/it" && chmod 700 "$PRIVATE/closed" "$PRIVATE/closed/in" &&
		chown -R "$OWNER" "$PRIVATE/closed" || return
	OPTIONS+=(-o "milter.listen=unix:$PRIVATE/closed/in/it/milter.sock")
	start_milter_of_owner && postconf -c "$MTA" "smtpd_milters = { unix:$PRIVATE/closed/in/it/milter.sock, $TELL }" &&
		appears_and_goes 'the MTA may not connect to weir' && saw 'ok mta: the MTA reaches weir-milter'
}

# Started as root it can give the socket to any group, and that is what it needs.
socket_of_root() {
	fresh ''
	start_milter "${OPTIONS[@]}" && postconf -c "$MTA" "smtpd_milters = { unix:$PRIVATE/run/milter.sock, $TELL }" &&
		finds 'problem mta: the MTA may not connect to weir' &&
		advice 'the MTA may not connect to weir' | grep -q -F 'socket_group = "postfix"' || return
	AS_OWNER=()
	cure 'the MTA may not connect to weir' && finds 'ok mta: the MTA reaches weir-milter'
}

daemon_that_is_away() {
	fresh '' && usermod -a -G "$OWNER" postfix && postconf -c "$MTA" "smtpd_milters = { unix:$PRIVATE/run/milter.sock, $TELL }" &&
		appears_and_goes 'the MTA does not reach weir' && saw 'ok mta: the MTA reaches weir-milter'
}

# What trivial-rewrite does is not what weir does, in each of the ways there are.
rewritten_in_another_way() {
	fresh '' && start_policyd_of_owner || return
	printf 'rewrite unix - - n - - trivial-rewrite\n  -o allow_percent_hack=no\n' >>"$MTA/master.cf"
	postconf -c "$MTA" 'smtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination, reject_unlisted_recipient, check_policy_service { inet:127.0.0.1:'"$PORT"', timeout=5s, default_action=DUNNO }' \
		'myorigin = origin.test' 'mydomain = domain.test' 'append_dot_mydomain = yes' 'swap_bangpath = no' 'append_at_myorigin = no' &&
		appears_and_goes 'Postfix and weir-policyd rewrite addresses differently' && saw 'ok mta: Postfix asks weir-policyd' &&
		[ "$(postconf -c "$MTA" -h append_at_myorigin)" = yes ] &&
		[[ ${OPTIONS[*]} == *origin=origin.test*append_domain=domain.test*percent_hack=false*bangpath=false* ]] &&
		systemctl restart weir-policyd
}

# ---- the daemons' user and what it may do -----------------------------------------------------------------------------

no_such_user() {
	fresh ''
	OPTIONS+=(-o user=wcure2)
	appears_and_goes "the daemons' user does not exist" && id wcure2 >/dev/null
}

# ends_with_78: what doctor says of a folder that the daemons cannot use is what they do.
ends_with_78() {
	"${AS_OWNER[@]}" timeout 10 "$PRIVATE/bin/weir-policyd" -c "$PRIVATE/weir.conf" "${OPTIONS[@]}" >/dev/null 2>&1
	[ $? -eq 78 ] || return
	"${AS_OWNER[@]}" timeout 10 "$PRIVATE/bin/weir-milter" -c "$PRIVATE/weir.conf" "${OPTIONS[@]}" >/dev/null 2>&1
	[ $? -eq 78 ]
}

# has_file: the store has its files, which a stopped daemon has left.
has_file() {
	fresh '' && start_policyd_of_owner && has_store && systemctl stop weir-policyd
}

# said_why TITLE TEXT: that comes of it, says the last doctor.
said_why() {
	perl -MJSON::PP -e '
		local $/;
		exit !grep { $_->{title} eq $ARGV[0] && $_->{why} =~ /$ARGV[1]/ } @{decode_json(<STDIN>)}' "$@" <"$PRIVATE/said.json"
}

ENDS='refuse to start \(exit status 78\)'

file_of_root() {
	local file
	for file in weir.db ledger.db; do
		has_file && chown root:root "$PRIVATE/db/$file" && chmod 600 "$PRIVATE/db/$file" || return
		if [ "$file" = weir.db ]; then
			ends_with_78 && finds 'cannot write a file' && said_why 'the daemons cannot write a file of the store' "$ENDS" &&
				said_why 'the store cannot be written' "$ENDS" || return
		else
			start_policyd_of_owner && systemctl stop weir-policyd && finds 'cannot write a file' &&
				said_why 'the daemons cannot write a file of the store' 'Mail is judged as before' || return
		fi
		cure 'the daemons cannot write a file of the store' && finds_not 'problem store' && start_policyd_of_owner || return
	done
}

file_of_another_program() {
	local file
	for file in weir.db ledger.db; do
		has_file && rm "$PRIVATE/db/$file"* && printf '%04000d' 7 >"$PRIVATE/db/$file" &&
			chown "$OWNER:$OWNER" "$PRIVATE/db/$file" || return
		if [ "$file" = weir.db ]; then
			ends_with_78 && finds 'problem store: the store cannot be written' && said_why 'the store cannot be written' "$ENDS" || return
		else
			start_policyd_of_owner && systemctl stop weir-policyd && finds 'problem store: the store cannot be used' &&
				said_why 'the store cannot be used' 'Mail is judged as before' || return
		fi
		cure 'the store cannot be' && finds_not 'problem store' && systemctl restart weir-policyd || return
	done
}

file_of_another_weir() {
	has_file && sqlite3 "$PRIVATE/db/weir.db" 'PRAGMA user_version = 999' && ends_with_78 &&
		finds 'problem store: the store cannot be written' && said_why 'the store cannot be written' "$ENDS" && ! cure 'the store cannot be'
}

FOLDER="the daemons cannot use the store's folder"

folder_of_nobody() {
	fresh '' && rmdir "$PRIVATE/db" && ends_with_78 && appears_and_goes "$FOLDER" && start_policyd_of_owner
}

folder_of_root() {
	fresh '' && chown root:root "$PRIVATE/db" && ends_with_78 && appears_and_goes "$FOLDER" && start_policyd_of_owner
}

folder_behind_another() {
	fresh '' && mkdir -p "$PRIVATE/shut it/x" && chmod 700 "$PRIVATE/shut it" || return
	install -d -o "$OWNER" -g "$OWNER" -m 750 "$PRIVATE/shut it/x/db"
	OPTIONS+=(-o "store.path=$PRIVATE/shut it/x/db")
	ends_with_78 && appears_and_goes "$FOLDER" && start_policyd_of_owner
}

settings_behind_a_folder() {
	fresh '' && chmod 750 "$PRIVATE" && appears_and_goes 'the daemons cannot read the settings'
	local status=$?
	chmod 755 "$PRIVATE"
	return $status
}

list_behind_a_folder() {
	fresh '' && mkdir -p "$PRIVATE/lists" && chmod 700 "$PRIVATE/lists" && touch "$PRIVATE/lists/it's" || return
	OPTIONS+=(-o "lists.clients=$PRIVATE/lists/it's")
	appears_and_goes 'the daemons cannot read a list'
}

limit_that_observes() {
	fresh ''
	OPTIONS+=(-o limits.default.concurrency=3 -o limits.default.mode=observe)
	appears_and_goes 'a limit only observes'
}

daemons_that_are_stopped() {
	fresh '' && appears_and_goes 'no daemon is alive'
}

daemon_that_hangs() {
	fresh '' && start_policyd_of_owner && has_store && await 5 finds 'ok daemons: weir-policyd on mx1.test is alive' &&
		kill -STOP "$WEIR_PID" && await 20 finds 'warning daemons: a daemon has fallen silent' &&
		cure 'a daemon has fallen silent' && await 5 finds_not 'a daemon has fallen silent'
}

ok 'Postfix in its chroot that asks nobody' chrooted_and_asks_nobody
ok "a milter's socket outside the chroot" hidden_milter
ok "a policy service's socket outside the chroot" hidden_policyd
ok 'a socket inside the chroot, by its whole path' hidden_by_its_name
ok 'a socket of a group that Postfix is not in' socket_of_another_group
ok 'a socket for its owner only' socket_for_nobody
ok 'a socket in a folder that is closed' socket_in_a_closed_folder
ok 'a daemon that is away' daemon_that_is_away
ok 'addresses that are rewritten in another way' rewritten_in_another_way
ok "a user that does not exist" no_such_user
ok "a store's folder that is not there" folder_of_nobody
ok "a store's folder of root" folder_of_root
ok "a store's folder behind a closed one" folder_behind_another
ok "a store's file of root" file_of_root
ok "a store's file of another program" file_of_another_program
ok "a store's file of another weir" file_of_another_weir
ok 'settings behind a closed folder' settings_behind_a_folder
ok 'a list behind a closed folder' list_behind_a_folder
ok 'a limit that only observes' limit_that_observes
ok 'daemons that are stopped' daemons_that_are_stopped
ok 'a daemon that hangs' daemon_that_hangs
ok 'a socket of root' socket_of_root

# ---- every title ------------------------------------------------------------------------------------------------------

# Titles whose cure no test applies, and why. All others are in doctor.sh, here, or in test_postfix_judge.c, where each cure
# of a wiring is applied to it.
not_applied() {
	cat <<-'END'
		Redis is open to the network|needs a Redis on another host
		Redis runs no scripts for weir|rights that only the administrator of Redis gives: few_rights in doctor.sh gives those of the manual
		a daemon had to work without the store|what has been is not undone; the finding goes with the daemon's life
		a daemon has another version than weirctl|needs another weir; by a restart, as with a daemon that hangs
		a daemon does not reach its store|needs a daemon and weirctl that are told apart by a firewall
		a list cannot be used|the operator's own words are mended
		nearly all mail comes from one private address|names what stands before the MTA: a proxy, NAT or container
		the clock of Redis differs from this host's|sets the clocks of hosts
		the clocks of two hosts differ|sets the clocks of hosts
		the settings of Sendmail could not be read|is found by others than root only
		the store does not report its state|comes with another finding, whose cure is applied
		the store is slow|needs a slow disk
		the store is on a network file system|needs a file server
		the store's write-ahead log does not shrink|names the program that keeps it
		this Postfix takes no mail by SMTP|may be meant
		this Postfix is too old|needs another Postfix
		this Redis is too old|needs another Redis
		this is a Redis Cluster|needs another Redis
		the reports of the daemons cannot be read|comes with another finding, whose cure is applied
	END
}

# titles: those that stand in the sources as they are.
titles() {
	perl -0777 -ne '
		while (/finding_add\(\s*[^,"]+,\s*[^"]*?,\s*((?:"(?:[^"\\]|\\.)*"\s*)+)/g) {
			my ($strings, $title) = ($1, "");
			$title .= $1 while $strings =~ /"((?:[^"\\]|\\.)*)"/g;
			print "$title\n" unless $title =~ /[.%]/;
		}' "$TOP"/ctl/doctor/*.c | sort -u
}

every_title_has_its_place() {
	local title missing=0
	while IFS= read -r title; do
		! grep -q -F -e "$title" "$SYSTEM_TESTS/doctor.sh" "$TOP/tests/unit/test_postfix_judge.c" || continue
		[ "$(grep -c -F -e "$title" "$SYSTEM_TESTS/doctor_cures.sh")" -eq 0 ] || continue
		diag "no test applies the cure of: $title"
		missing=1
	done < <(titles)
	[ "$(titles | wc -l)" -gt 80 ] && [ $missing -eq 0 ] && not_applied_is_short
}

# What is in the table is a title still.
not_applied_is_short() {
	[ -z "$(not_applied | cut -d '|' -f 1 | sort | comm -23 - <(titles))" ]
}

ok 'every title has a test that applies its cure, or a reason' every_title_has_its_place

plan
