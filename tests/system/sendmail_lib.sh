# shellcheck shell=bash
# A private Sendmail beside lib.sh and debs_lib.sh, which come first: its packages conflict with Postfix.

SENDMAIL_PACKAGES=(sendmail-bin sendmail-base sendmail-cf libwrap0 liblockfile1)
SENDMAIL_PID=

# need_sendmail: skips the whole file where Sendmail cannot be had or run. Comes behind private_dir.
need_sendmail() {
	need apt-get dpkg m4 unshare
	unshare --uts true 2>/dev/null || skip_all "needs unshare --uts"
	unpack_debs "${SENDMAIL_PACKAGES[@]}" || skip_all "needs ${SENDMAIL_PACKAGES[*]}, which apt-get does not download"
	# With a group of its own the program would be denied the unpacked libraries.
	chmod g-s "$UNPACKED/usr/libexec/sendmail/sendmail"
}

# start_sendmail MILTER_SOCKET: takes mail for local.test and, by a mailer of its own, acme.test on SMTP_PORT, but none
# for nobody@. Whatever it accepts lands in PRIVATE/sendmail/inbox, and nothing anywhere else.
start_sendmail() {
	local dir=$PRIVATE/sendmail
	SMTP_PORT=$(free_port) || return 1
	mkdir -p "$dir/queue" "$dir/inbox"
	chmod 700 "$dir/queue"
	printf 'hosts files\npasswd files\naliases files\n' >"$dir/service.switch"
	write_deliver "$dir" >"$dir/deliver"
	chmod 755 "$dir/deliver"
	write_sendmail_mc "$dir" "$1" >"$dir/sendmail.mc"
	m4 -D"_CF_DIR_=$UNPACKED/usr/share/sendmail/cf/" "$dir/sendmail.mc" >"$dir/sendmail.cf" || return 1
	start_process run_sendmail -bD -X "$dir/traffic" >"$dir/start.log" 2>&1
	SENDMAIL_PID=$STARTED
	await 10 port_answers "$SMTP_PORT"
}

# run_sendmail OPTION...: the unpacked program on the private configuration; ends this shell. It would wait a minute for
# a host name with a dot, so it gets one, and one that needs no look-up.
run_sendmail() {
	# shellcheck disable=SC2016
	exec unshare --uts sh -c 'hostname 127.0.0.1 && LD_LIBRARY_PATH=$1 && export LD_LIBRARY_PATH && shift && exec "$@"' \
		sh "$(unpacked_libraries)" "$UNPACKED/usr/libexec/sendmail/sendmail" -C "$PRIVATE/sendmail/sendmail.cf" "$@"
}

# write_deliver DIR: one file for each delivery; the name ends in .new once it is whole.
write_deliver() {
	cat <<-END
		#!/bin/sh
		file=$1/inbox/\$\$.\$(date +%s%N)
		{ echo "Delivered-To: \$1"; cat; } >"\$file" && mv "\$file" "\$file.new" || exit 75
	END
}

# write_sendmail_mc DIR MILTER_SOCKET: nothing in it asks the DNS, or minds how busy the host is. TrustStickyBit is for
# /tmp: the milter's socket must not be where others can write.
write_sendmail_mc() {
	cat <<-END
		divert(-1)
		include(_CF_DIR_\`'m4/cf.m4)
		divert(0)dnl
		define(\`_USE_ETC_MAIL_')dnl
		define(\`MAIL_SETTINGS_DIR', \`$1/')dnl
		OSTYPE(\`linux')dnl
		define(\`confDOMAIN_NAME', \`mx1.test')dnl
		define(\`QUEUE_DIR', \`$1/queue')dnl
		define(\`confPID_FILE', \`$1/pid')dnl
		define(\`STATUS_FILE', \`$1/status')dnl
		define(\`ALIAS_FILE', \`')dnl
		define(\`confDEAD_LETTER_DROP', \`$1/dead.letter')dnl
		define(\`confSERVICE_SWITCH_FILE', \`$1/service.switch')dnl
		define(\`confDONT_PROBE_INTERFACES', \`True')dnl
		define(\`confTO_IDENT', \`0')dnl
		define(\`confTO_RESOLVER_RETRANS', \`1s')dnl
		define(\`confTO_RESOLVER_RETRY', \`1')dnl
		define(\`confBAD_RCPT_THROTTLE', \`0')dnl
		define(\`confQUEUE_LA', \`1000')dnl
		define(\`confREFUSE_LA', \`1000')dnl
		define(\`confDELAY_LA', \`0')dnl
		define(\`confDEF_USER_ID', \`root:root')dnl
		define(\`confDONT_BLAME_SENDMAIL', \`TrustStickyBit')dnl
		define(\`SMART_HOST', \`backend:away.test')dnl
		define(\`LOCAL_MAILER_PATH', \`$1/deliver')dnl
		define(\`LOCAL_MAILER_ARGS', \`deliver \$u')dnl
		define(\`_DEF_LOCAL_MAILER_FLAGS', \`lsDFMS')dnl
		define(\`LOCAL_MAILER_FLAGS', \`nu9')dnl
		FEATURE(\`no_default_msa')dnl
		FEATURE(\`nocanonify')dnl
		FEATURE(\`accept_unresolvable_domains')dnl
		DAEMON_OPTIONS(\`Name=MTA, Family=inet, Addr=127.0.0.1, Port=$SMTP_PORT')dnl
		INPUT_MAIL_FILTER(\`weir', \`S=unix:$2, T=C:5s;S:5s;R:10s;E:1m')dnl
		RELAY_DOMAIN(\`acme.test')dnl
		MAILER(\`local')dnl
		MAILER_DEFINITIONS
		Mbackend,	P=$1/deliver, F=DFMSnu9, S=EnvFromL/HdrFromL, R=EnvToL/HdrToL,
		 		T=DNS/RFC822/X-Unix, A=deliver \$u
		LOCAL_CONFIG
		Cwlocal.test
		LOCAL_RULE_0
		Rnobody <@ \$* > \$*	\$#error \$@ 5.1.1 \$: "550 User unknown"
		R\$+ <@ acme.test . > \$*	\$#backend \$@ acme.test \$: \$1 <@ acme.test>
	END
}

stop_sendmail() {
	end_process "$SENDMAIL_PID"
}

# in_inbox SUBJECT: the files of the delivered copies of a message.
in_inbox() {
	grep -l -x -s -e "Subject: $1" "$PRIVATE"/sendmail/inbox/*.new
}

# inbox_copies SUBJECT COUNT: so many copies have been delivered.
inbox_copies() {
	[ "$(in_inbox "$1" | wc -l)" -eq "$2" ]
}
