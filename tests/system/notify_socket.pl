#!/usr/bin/perl
# notify_socket.pl PATH: what systemd does with NOTIFY_SOCKET: prints every message that comes, until killed.
use strict;
use warnings;
use IO::Socket::UNIX;

my $socket = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $ARGV[0]) or die "$ARGV[0]: $!\n";
$| = 1;
while (defined $socket->recv(my $message, 4096)) {
	print $message =~ s/\n*$/\n/r;
}
