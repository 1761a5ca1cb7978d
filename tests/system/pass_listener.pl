#!/usr/bin/perl
# pass_listener.pl PORT COMMAND...: runs the command with a listening socket as systemd would pass it.
use strict;
use warnings;
use IO::Socket::INET;
use POSIX 'dup2';

$^F = 9;    # descriptors up to this one stay open over exec
my $port = shift;
my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 100, ReuseAddr => 1)
	or die "port $port: $!\n";
dup2(fileno $socket, 3);
@ENV{qw(LISTEN_FDS LISTEN_PID)} = (1, $$);
exec @ARGV or die "$ARGV[0]: $!\n";
