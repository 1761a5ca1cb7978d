#!/usr/bin/perl
# idle_client.pl PORT COUNT: opens that many connections, sends half a line on each, says "open", and stays so.
use strict;
use warnings;
use IO::Socket::INET;

my ($port, $count) = @ARGV;
my @open = map {
	my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) or die "connection $_: $!\n";
	syswrite $socket, 'request=smtpd_acc';
	$socket;
} 1 .. $count;
$| = 1;
print "open\n";
sleep;
