#!/usr/bin/perl
# content_milter.pl SOCKET: a milter that lets everything go on up to the end of the message, and then does what the
# sender's address begins with: reject, discard or quarantine; else it lets the message pass.
use strict;
use warnings;
use IO::Select;
use IO::Socket::UNIX;

@ARGV == 1 or die "usage: content_milter.pl SOCKET\n";
my $MAY_QUARANTINE = 0x20;
my $listener = IO::Socket::UNIX->new(Local => $ARGV[0], Listen => 64) or die "$ARGV[0]: $!\n";
chmod 0666, $ARGV[0];
$SIG{PIPE} = 'IGNORE';
my $select = IO::Select->new($listener);
my %senders;
while (my @ready = $select->can_read) {
	for my $socket (@ready) {
		if ($socket == $listener) {
			$select->add($listener->accept);
		} elsif (!serve($socket)) {
			$select->remove($socket);
			close $socket;
		}
	}
}

sub take {
	my ($socket, $n) = @_;
	my $bytes = '';
	while (length $bytes < $n) {
		return undef unless sysread $socket, $bytes, $n - length $bytes, length $bytes;
	}
	return $bytes;
}

sub put {
	my ($socket, $bytes) = @_;
	syswrite $socket, pack('N', length $bytes) . $bytes;
	return 1;
}

# serve: one command; false at the end of the session.
sub serve {
	my ($socket) = @_;
	my $length = take($socket, 4) // return 0;
	my $command = take($socket, unpack 'N', $length) // return 0;
	my $letter = substr $command, 0, 1;
	return put($socket, 'O' . pack('N3', 6, $MAY_QUARANTINE, 0)) if $letter eq 'O';
	return 0 if $letter eq 'Q';
	return 1 if $letter eq 'D' or $letter eq 'A' or $letter eq 'K';
	$senders{$socket} = substr $command, 1 if $letter eq 'M';
	return put($socket, $letter eq 'E' ? verdict($socket) : 'c');
}

sub verdict {
	my ($socket) = @_;
	my ($what) = $senders{$socket} =~ /^<(reject|discard|quarantine)/;
	return 'c' unless defined $what;
	put($socket, "qheld back\0") if $what eq 'quarantine';
	return {reject => 'r', discard => 'd', quarantine => 'a'}->{$what};
}
