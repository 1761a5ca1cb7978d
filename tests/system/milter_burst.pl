#!/usr/bin/perl
# milter_burst.pl SOCKET SESSIONS BURSTS [WAIT_S]: opens so many milter sessions, and then asks about a recipient in all
# of them at the same moment, so many times, each for a message of its own. Prints what the answers were and how long
# they took: asked=64 answers=64 continue=64 deferred=0 p50_ms=12 p90_ms=40 max_ms=90, for each burst and for all.
use strict;
use warnings;
use IO::Select;
use IO::Socket::UNIX;
use Time::HiRes 'time';

my ($path, $sessions, $bursts, $wait_s) = @ARGV;
defined $bursts or die "usage: milter_burst.pl SOCKET SESSIONS BURSTS [WAIT_S]\n";
$SIG{PIPE} = 'IGNORE';
my @sockets = map { begin($_) } 1 .. $sessions;
my @all;
for my $burst (1 .. $bursts) {
	mail($sockets[$_], $_, $burst) for 0 .. $#sockets;
	my @answers = burst($burst);
	show("burst $burst:", @answers);
	push @all, @answers;
	put($_, 'A') for @sockets;
	select undef, undef, undef, $wait_s if $wait_s;
}
show('all:', @all);
put($_, 'Q') for @sockets;

# begin NUMBER: a session of a client of its own, up to the greeting.
sub begin {
	my ($number) = @_;
	my $socket = IO::Socket::UNIX->new(Peer => $path) or die "$path: $!\n";
	put($socket, 'O', pack 'N3', 6, 0x1ff, 0xfff);
	get($socket) or die "no negotiation\n";
	my $address = sprintf '100.%d.%d.1', $number >> 8, $number & 255;
	put($socket, 'C', "unknown\0" . '4' . pack('n', 1024 + $number) . "$address\0");
	get($socket) or die "no answer to connect\n";
	return $socket;
}

sub mail {
	my ($socket, $number, $burst) = @_;
	put($socket, 'M', "<burst@\L" . letters($number * 1000 + $burst) . ".test>\0");
	get($socket) or die "no answer to MAIL\n";
}

# letters: greylisting takes senders that differ in digits only for the same.
sub letters {
	my ($number) = @_;
	$number =~ tr/0-9/a-j/;
	return $number;
}

# burst: asks in all sessions at once; [letter of the answer, seconds] of each.
sub burst {
	my ($burst) = @_;
	my $select = IO::Select->new(@sockets);
	my (%asked, @answers);
	for my $socket (@sockets) {
		$asked{$socket} = time;
		put($socket, 'R', "<user$burst\@local0.test>\0");
	}
	while ($select->count and my @ready = $select->can_read(15)) {
		for my $socket (@ready) {
			my $answer = get($socket);
			push @answers, [substr($answer, 0, 1), time - $asked{$socket}] if defined $answer;
			$select->remove($socket);
		}
	}
	return @answers;
}

sub show {
	my ($name, @answers) = @_;
	my @ms = sort { $a <=> $b } map { 1000 * $_->[1] } @answers;
	my %kinds;
	$kinds{$_->[0]}++ for @answers;
	printf "%s asked=%d answers=%d continue=%d deferred=%d p50_ms=%.1f p90_ms=%.1f max_ms=%.1f\n", $name,
		$sessions * ($name eq 'all:' ? $bursts : 1), scalar @ms, $kinds{c} // 0, ($kinds{y} // 0) + ($kinds{t} // 0),
		map { @ms ? $ms[$_ * $#ms] : 0 } 0.5, 0.9, 1;
}

sub put {
	my ($socket, $letter, $data) = @_;
	$data //= '';
	syswrite $socket, pack('N', 1 + length $data) . $letter . $data;
}

# get: letter and data of the next answer; undef when there is none.
sub get {
	my ($socket) = @_;
	my $length = take($socket, 4) // return undef;
	return take($socket, unpack 'N', $length);
}

sub take {
	my ($socket, $n) = @_;
	my $bytes = '';
	while (length $bytes < $n) {
		IO::Select->new($socket)->can_read(15) or return undef;
		sysread $socket, $bytes, $n - length $bytes, length $bytes or return undef;
	}
	return $bytes;
}
