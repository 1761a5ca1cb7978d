#!/bin/bash
# README's commands, literally and in their order, in a root of their own: build, install, wire Postfix. Then a mail is
# greylisted, explained and released. The system's files, processes and ports are not touched.

# shellcheck source=tests/system/lib.sh disable=SC1091,SC2119
. "$(dirname "$0")/lib.sh"

NAMESPACES=(unshare --mount --pid --net --fork --kill-child --mount-proc)
SOURCE=/usr/src/weir # in the root

# ---- the root -------------------------------------------------------------------------------------------------------

# make_root: ROOT shows the system's files; what is written there is kept in memory.
make_root() {
	local disk=$PRIVATE/disk
	ROOT=$disk/root
	mkdir "$disk" && mount -t tmpfs tmpfs "$disk" && mkdir "$disk/upper" "$disk/work" "$ROOT" &&
		mount -t overlay overlay -o "lowerdir=/,upperdir=$disk/upper,workdir=$disk/work" "$ROOT"
}

fill_root() {
	local device dir
	for dir in tmp run dev; do
		mount -t tmpfs -o mode=755 tmpfs "$ROOT/$dir" || return
	done
	chmod 1777 "$ROOT/tmp"
	mount -t proc proc "$ROOT/proc"
	for device in null zero full random urandom tty; do
		touch "$ROOT/dev/$device" && mount --bind "/dev/$device" "$ROOT/dev/$device" || return
	done
	ln -s /proc/self/fd "$ROOT/dev/fd"
	mkdir -p "$ROOT$SOURCE" "$ROOT/var/log"
	tar -C "$TOP" --exclude=./.git --exclude=./b --exclude='./build*' --exclude='*.o' -cf - . | tar -C "$ROOT$SOURCE" -xf - ||
		return
	rm -f "$ROOT$SOURCE"/{configure,Makefile,config.status,weir-policyd,weir-milter,weirctl}
	rm -rf "$ROOT"/etc/weir "$ROOT"/var/lib/weir "$ROOT"/etc/postfix/{main,master}.cf "$ROOT"/var/lib/apt/lists/*
	install -m 755 "$SYSTEM_TESTS/systemctl_stub.pl" "$ROOT/usr/bin/systemctl"
}

# The loopback device of the network namespace.
raise_loopback() {
	perl -MSocket -e '
		socket(my $socket, AF_INET, SOCK_DGRAM, 0) or die;
		my $up = pack("a16 s x22", "lo", 1);
		ioctl($socket, 0x8914, $up) or die "SIOCSIFFLAGS: $!\n"'
}

# inside COMMAND...: in the root, from the source directory, with nothing of this script's environment.
inside() {
	# shellcheck disable=SC2016 # the inner shell's words
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C DEBIAN_FRONTEND=noninteractive TERM=dumb \
		MAKEFLAGS="$MAKE_FLAGS" CFLAGS=-O1 timeout 900 chroot "$ROOT" \
		sh -c 'cd "$1" && shift && exec "$@"' sh "$SOURCE" "$@" >"$PRIVATE/said" 2>&1
}

# Two at once, and compiled with little effort. What "make check" runs is run elsewhere: here one lint is enough.
MAKE_FLAGS='-j2 -- check_PROGRAMS= check_LIBRARIES= TESTS=tests/lint/words.sh'

# A Postfix of Debian's as its administrator may have it, before weir comes.
start_mail_server() {
	cp "$ROOT/usr/share/postfix/master.cf.dist" "$ROOT/etc/postfix/master.cf"
	cat >"$ROOT/etc/postfix/main.cf" <<-END
		compatibility_level = 3.6
		myhostname = mx1.here.example
		mydestination = here.example
		inet_interfaces = loopback-only
		inet_protocols = ipv4
		mynetworks = 127.0.0.0/8
		local_recipient_maps =
		alias_maps =
		local_transport = discard
		maillog_file = /var/log/postfix.log
		smtpd_authorized_xclient_hosts = 127.0.0.1
	END
	inside postfix set-permissions create-missing
	inside postfix start && SMTP_PORT=25 && await 10 port_answers 25
}

# ---- README ---------------------------------------------------------------------------------------------------------

# read_blocks SECTION...: each indented block of these, in a file of PRIVATE/blocks: NUMBER.command, or NUMBER.main.cf
# when the text before it ends with "In main.cf:".
read_blocks() {
	mkdir -p "$PRIVATE/blocks"
	awk -v dir="$PRIVATE/blocks" -v wanted="|$(IFS='|' && echo "$*")|" '
		/^(---|===)/ { on = index(wanted, "|" last "|") > 0 }
		/^    / && on {
			if (!open)
				path = sprintf("%s/%02d.%s", dir, ++n, last ~ /[Ii]n main\.cf:$/ ? "main.cf" : "command")
			open = 1
			print substr($0, 5) >path
			next
		}
		/^[^ ]/ { open = 0; last = $0 }' "$TOP/README"
}

run_block() {
	case $1 in
	*.main.cf) cat "$1" >>"$ROOT/etc/postfix/main.cf" ;;
	*.command) inside sh -e -c "$(cat "$1")" ;;
	esac
}

# has_block TEXT: one of the blocks has it, so that they are those that are meant.
has_block() {
	grep -q -r -e "$1" "$PRIVATE/blocks"
}

# Those that the build needs are quickstart's, and the tests need one more.
packages_are_known() {
	# shellcheck disable=SC1003 # a backslash
	diff <(sed -n '/apt-get install/,/[^\\]$/p' "$PRIVATE"/blocks/*.command | tr -d '\\' | xargs -n 1 | sed 1,2d | sort) \
		<({
			sed -n '/^BUILD_PACKAGES="/,/"$/p' "$TOP/quickstart" | sed 's/.*="//; s/"$//' | xargs -n 1
			echo check
		} | sort) >"$PRIVATE/said"
}

# the_limits_hold: README's group of limits is what weir-milter takes.
the_limits_are_good() {
	rm -rf "$PRIVATE/blocks"
	read_blocks 'Set limits'
	cp "$PRIVATE/blocks/01.command" "$ROOT/tmp/limits.conf"
	inside weir-milter -t -c /tmp/limits.conf
}

# What somebody does who has read too fast: the second group is named.
a_second_group_is_named() {
	cp "$ROOT/etc/weir/weir.conf" "$ROOT/tmp/twice.conf"
	echo 'milter: { listen = "unix:/run/weir/milter.sock"; };' >>"$ROOT/tmp/twice.conf"
	! inside weir-milter -t -c /tmp/twice.conf &&
		grep -q -E 'twice\.conf:[0-9]+: milter is there twice, first in line [0-9]+: merge the two' "$PRIVATE/said"
}

# ---- mail -----------------------------------------------------------------------------------------------------------

# greylisted CLIENT: a mail from there.
greylisted() {
	send_as "$1" a@x.example you@here.example --header 'Subject: hello'
	reply_to RCPT 451 && grep -q '451 4\.7\.1 .*Greylisted, please try again later (id ' "$PRIVATE/dialogue"
}

is_explained() {
	inside weirctl why "$1" && grep -q greylist-new "$PRIVATE/said"
}

is_accepted() {
	send_as "$1" a@x.example you@here.example --header 'Subject: hello'
	reply_to RCPT 250 && reply_to . 250
}

# mail_through NAME CLIENT: it waits, is explained by its id, and passes when it is released.
mail_through() {
	local id
	ok "$1: a mail is greylisted" greylisted "$2"
	id=$(reply_id)
	ok "$1: weirctl why tells about its id" await 10 is_explained "$id"
	ok "$1: weirctl release" inside weirctl release "$id"
	ok "$1: it is accepted" is_accepted "$2"
}

# ---- quickstart -----------------------------------------------------------------------------------------------------

# Where README's commands have built weir in the source directory.
quickstart_works() {
	ok "quickstart: without root it refuses" not inside setpriv --reuid=nobody --clear-groups ./quickstart
	ok "quickstart: and says what there is" grep -q 'needs root; nothing was done' "$PRIVATE/said"
	ok "quickstart: before it has built" not [ -e "$ROOT$SOURCE/build" ]
	ok "quickstart: as root, after the build that README tells" inside ./quickstart
	ok "quickstart: to its end" grep -q '^== Done' "$PRIVATE/said"
}

# ---- in order -------------------------------------------------------------------------------------------------------

readme() {
	local block names=('the milter' 'and the policy service') clients=(192.0.2.10 203.0.113.10)
	read_blocks 'Install from source' 'Wire Postfix'
	ok "README: it says how to build" has_block '^make && make check'
	ok "README: how to start" has_block '^systemctl enable --now weir-milter$'
	ok "README: what goes into main.cf" [ "$(find "$PRIVATE/blocks" -name '*.main.cf' | wc -l)" -eq 2 ]
	ok "README: its packages are those of quickstart, and check" packages_are_known
	ok "a Postfix runs" start_mail_server || return
	for block in "$PRIVATE"/blocks/*; do
		ok "README: $(head -n 1 "$block")" run_block "$block" || return
		case $(basename "$block")/$(cat "$block") in
		*command/apt-get*) ok "the tests are built" grep -q '^S\["HAVE_CHECK_TRUE"\]=""$' "$ROOT$SOURCE/config.status" ;;
		*command/postfix*reload*)
			mail_through "${names[0]}" "${clients[0]}"
			names=("${names[@]:1}") clients=("${clients[@]:1}")
			;;
		esac
	done
	ok "README: its limits are good settings" the_limits_are_good
	ok "a group that is added is named" a_second_group_is_named
	ok "weirctl status" inside weirctl status
	quickstart_works
}

if [ "${1:-}" = inside ]; then
	PRIVATE=$2
	raise_loopback
	if ! make_root 2>/dev/null; then
		skip "README's commands work" "needs overlayfs"
	elif ok "a root of its own" fill_root; then
		readme
	fi
	plan
	exit
fi

# What is mounted and started inside ends with its namespaces, and these with unshare, which does not heed other signals.
need_root
need unshare perl postfix swaks autoreconf make setpriv
"${NAMESPACES[@]}" true 2>/dev/null || skip_all "needs namespaces"
private_dir
start_process "${NAMESPACES[@]}" bash "$0" inside "$PRIVATE"
# shellcheck disable=SC2064 # this process
trap "kill -KILL $STARTED; exit 143" INT TERM HUP
reap "$STARTED"
