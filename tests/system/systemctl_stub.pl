#!/usr/bin/perl
# systemctl_stub.pl - what systemctl does with a unit of weir, where systemd does not run: as "systemctl" in a root of a test.
#
# "daemon-reload" has systemd-analyze verify the units; "enable --now UNIT" makes the unit's directories and starts its
# ExecStart as its user, and returns when the daemon says READY=1; "reload UNIT" does what its ExecReload says.
use strict;
use warnings;
use IO::Socket::UNIX;

my $UNITS = '/usr/lib/systemd/system';

sub read_unit {
	my ($name) = @_;
	my %unit;
	open(my $file, '<', "$UNITS/$name.service") or die "Unit $name.service does not exist: $!\n";
	while (<$file>) {
		$unit{$1} = $2 if /^(\w+)=(.*)$/;
	}
	return %unit;
}

# The directories that systemd makes for it.
sub make_directories {
	my (%unit) = @_;
	my ($uid, $gid) = (scalar getpwnam($unit{User}), scalar getgrnam($unit{Group}));
	defined $uid && defined $gid or die "no user $unit{User}\n";
	for (['/run', 'Runtime'], ['/var/lib', 'State']) {
		my ($below, $kind) = @$_;
		my $dir = "$below/$unit{$kind . 'Directory'}";
		mkdir $dir;
		chown $uid, $gid, $dir;
		chmod oct($unit{$kind . 'DirectoryMode'}), $dir or die "$dir: $!\n";
	}
}

sub start {
	my ($name, %unit) = @_;
	my $path = "/run/$name.notify";
	my $notify = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $path) or die "$path: $!\n";
	chmod 0666, $path;
	my $pid = fork // die "fork: $!\n";
	if ($pid == 0) {
		$ENV{NOTIFY_SOCKET} = $path;
		umask oct $unit{UMask};
		open STDOUT, '>>', "/var/log/$name" or die;
		open STDERR, '>&', \*STDOUT or die;
		exec 'setpriv', "--reuid=$unit{User}", "--regid=$unit{Group}", '--init-groups', '--inh-caps=-all',
			split ' ', $unit{ExecStart};
		die "setpriv: $!\n";
	}
	open(my $file, '>', "/run/$name.pid") or die;
	print $file $pid;
	close $file;
	local $SIG{CHLD} = sub { die "$name ended at once; see /var/log/$name\n" };
	local $SIG{ALRM} = sub { die "$name is not ready after 60 s\n" };
	alarm 60;
	while (1) {
		defined $notify->recv(my $message, 4096) or next;
		last if $message =~ /^READY=1/m;
	}
	alarm 0;
}

sub reload {
	my ($name, %unit) = @_;
	open(my $file, '<', "/run/$name.pid") or die "$name does not run\n";
	local $ENV{MAINPID} = <$file>;
	system('sh', '-c', $unit{ExecReload}) == 0 or die "$unit{ExecReload}: failed\n";
}

my ($verb, @words) = @ARGV;
if ($verb eq 'daemon-reload') {
	exec 'systemd-analyze', '--man=no', 'verify', glob "$UNITS/weir-*" if -x '/usr/bin/systemd-analyze';
} elsif ($verb eq 'enable' && @words == 2 && $words[0] eq '--now') {
	my %unit = read_unit($words[1]);
	make_directories(%unit);
	start($words[1], %unit);
} elsif ($verb eq 'reload' && @words == 1) {
	reload($words[0], read_unit($words[0]));
} else {
	die "systemctl: the test knows no \"@ARGV\"\n";
}
