# shellcheck shell=bash
# A private Exim beside lib.sh and debs_lib.sh, which come first: its packages conflict with Postfix.

EXIM_PACKAGES=(exim4-daemon-light libidn12 libgnutls-dane0 libunbound8 libnsl2 libtirpc3)
EXIM_PID=

# need_exim: skips the whole file where Exim cannot be had or run. Comes behind private_dir.
need_exim() {
	need apt-get dpkg unshare
	unshare --mount true 2>/dev/null || skip_all "needs unshare --mount"
	unpack_debs "${EXIM_PACKAGES[@]}" || skip_all "needs ${EXIM_PACKAGES[*]}, which apt-get does not download"
}

# start_exim RECIPE PORT: takes mail for local.test, acme.test and other.test on SMTP_PORT, but none for nobody@, and asks the
# policy service on PORT as the file RECIPE says. Whatever it accepts lands in PRIVATE/exim/inbox, and nothing anywhere else.
start_exim() {
	local dir=$PRIVATE/exim
	SMTP_PORT=$(free_port) || return 1
	mkdir -p "$dir/spool" "$dir/inbox" "$dir/log"
	chmod 777 "$dir" "$dir/spool" "$dir/inbox" "$dir/log"
	sed "s/inet:127\.0\.0\.1:10040/inet:127.0.0.1:$2/" "$1" >"$dir/weir.conf"
	! cmp -s "$1" "$dir/weir.conf" || return 1
	write_etc "$dir/etc" && write_exim_conf "$dir" >"$dir/etc/exim4/exim4.conf" || return 1
	start_process run_exim -bdf >"$dir/start.log" 2>&1
	EXIM_PID=$STARTED
	await 10 port_answers "$SMTP_PORT"
}

# write_etc DIR: what the program looks for in /etc, with a user of its own, who is nobody. With set-user-id bits it takes its
# libraries from the cache alone.
write_etc() {
	local file
	mkdir -p "$1/exim4" && chmod 755 "$1" "$1/exim4"
	for file in nsswitch.conf hosts services localtime; do
		[ ! -e "/etc/$file" ] || cp -L "/etc/$file" "$1" || return
	done
	{ cat /etc/passwd && echo "Debian-exim:x:$(id -u nobody):$(id -g nobody)::/:/usr/sbin/nologin"; } >"$1/passwd"
	{ cat /etc/group && echo "Debian-exim:x:$(id -g nobody):"; } >"$1/group"
	local dirs
	IFS=: read -r -a dirs <<<"$(unpacked_libraries)"
	/sbin/ldconfig -X -C "$1/ld.so.cache" "${dirs[@]}"
}

# run_exim OPTION...: the unpacked program, which has that /etc; ends this shell.
run_exim() {
	# shellcheck disable=SC2016
	exec unshare --mount sh -c 'mount --bind "$1" /etc && shift && exec "$@"' \
		sh "$PRIVATE/exim/etc" "$UNPACKED/usr/sbin/exim4" "$@"
}

# write_exim_conf DIR: nothing in it asks the DNS. The ACLs are those that the recipe tells to change.
write_exim_conf() {
	cat <<-END
		primary_hostname = mx1.test
		exim_path = $UNPACKED/usr/sbin/exim4
		keep_environment =
		spool_directory = $1/spool
		log_file_path = $1/log/%s
		pid_file_path = $1/pid
		daemon_smtp_ports = $SMTP_PORT
		local_interfaces = 127.0.0.1
		domainlist local_domains = local.test : acme.test : other.test
		host_lookup =
		rfc1413_hosts =
		tls_advertise_hosts =
		acl_smtp_rcpt = acl_check_rcpt
		acl_smtp_data = acl_check_data
		acl_smtp_predata = weir_predata
		acl_smtp_quit = weir_over
		acl_smtp_notquit = weir_over
		begin acl
		.include $1/weir.conf
		acl_check_rcpt:
		  require
		    domains = +local_domains
		    verify = recipient
		  require acl = weir_rcpt
		  accept
		acl_check_data:
		  deny
		    condition = \${if match{\$h_subject:}{refused}}
		  warn acl = weir_accepted
		  accept
		begin routers
		unknown:
		  driver = redirect
		  local_parts = nobody
		  allow_fail
		  data = :fail: unknown
		inbox:
		  driver = accept
		  transport = inbox
		begin transports
		inbox:
		  driver = appendfile
		  directory = $1/inbox
		  maildir_format
		  user = nobody
	END
}

stop_exim() {
	end_process "$EXIM_PID"
}

# inbox_files SUBJECT: the files of the delivered copies of a message.
inbox_files() {
	grep -l -r -x -s -e "Subject: $1" "$PRIVATE/exim/inbox/new"
}

# inbox_copies SUBJECT COUNT: so many copies have been delivered.
inbox_copies() {
	[ "$(inbox_files "$1" | wc -l)" -eq "$2" ]
}
