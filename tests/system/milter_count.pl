#!/usr/bin/perl
# milter_count.pl SECONDS SESSIONS HOLD_MS SOCKET...: so many sessions, in turn at each of the milters, that try a
# recipient over and over; who is let in goes on for about HOLD_MS and aborts. Counts outside of weir how many are under
# way at all milters together, and prints the most, in each tenth of a second ("at=1.2 under_way=7 let_in=3
# deferred=40"), and at the end peak=20 let_in=500 deferred=2000 lost=3.
use strict;
use warnings;
use IO::Select;
use IO::Socket::UNIX;
use Time::HiRes 'time';

my ($seconds, $count, $hold_ms, @paths) = @ARGV;
@paths or die "usage: milter_count.pl SECONDS SESSIONS HOLD_MS SOCKET...\n";
$SIG{PIPE} = 'IGNORE';
$| = 1;
my ($begin, $serial) = (time, 0);
my ($under_way, $most, $let_in, $deferred) = (0, 0, 0, 0);
my %all = (peak => 0, let_in => 0, deferred => 0, lost => 0);
my $select = IO::Select->new;
my @sessions = map { { number => $_, path => $paths[$_ % @paths], at => time + rand 0.2, state => 'away' } } 1 .. $count;
my %by_socket;
my $tenth = 0;
while (time < $begin + $seconds) {
	for my $socket ($select->can_read(0.005)) {
		hear($by_socket{$socket}) if $by_socket{$socket};
	}
	my $now = time;
	for my $session (@sessions) {
		act($session) if defined $session->{at} and $session->{at} <= $now;
	}
	show_tenth() while $tenth < int(($now - $begin) * 10);
}
print join(' ', map { "$_=$all{$_}" } sort keys %all), "\n";

sub act {
	my ($session) = @_;
	$session->{at} = undef;
	return connect_to($session) if $session->{state} eq 'away';
	if ($session->{state} eq 'delivers') {
		$under_way--;
		put($session, 'A');
	}
	begin($session);
}

sub connect_to {
	my ($session) = @_;
	my $socket = IO::Socket::UNIX->new(Peer => $session->{path});
	if (!$socket) {
		$session->{at} = time + 0.1;
		return;
	}
	@$session{qw(socket buffer state)} = ($socket, '', 'greets');
	$by_socket{$socket} = $session;
	$select->add($socket);
	put($session, 'O', pack 'N3', 6, 0x1ff, 0xfff);
	put($session, 'C', "unknown\0" . '4' . pack('n', 1024 + $session->{number}) . "100.64.0.1\0");
}

sub begin {
	my ($session) = @_;
	$session->{state} = 'mail';
	put($session, 'M', "<a\@sender.test>\0");
}

sub hear {
	my ($session) = @_;
	my $n = sysread $session->{socket}, $session->{buffer}, 65536, length $session->{buffer};
	return lose($session) if !$n;
	while (length $session->{buffer} >= 4 and length $session->{buffer} >= 4 + unpack 'N', $session->{buffer}) {
		my $length = unpack 'N', $session->{buffer};
		my $letter = substr $session->{buffer}, 4, 1;
		substr $session->{buffer}, 0, 4 + $length, '';
		answered($session, $letter);
	}
}

sub answered {
	my ($session, $letter) = @_;
	if ($session->{state} eq 'greets') {
		$session->{greetings}++;
		return if $session->{greetings} % 2;
		begin($session);
	} elsif ($session->{state} eq 'mail') {
		$session->{state} = 'rcpt';
		put($session, 'R', "<user\@local0.test>\0");
	} elsif ($letter eq 'c') {
		$session->{state} = 'delivers';
		$under_way++;
		$let_in++;
		$most = $under_way if $under_way > $most;
		$session->{at} = time + $hold_ms * (0.5 + rand) / 1000;
	} else {
		$deferred++;
		put($session, 'A');
		$session->{state} = 'waits';
		$session->{at} = time + 0.02 + rand 0.06;
	}
}

# lose: the milter has ended the session, and with it a delivery.
sub lose {
	my ($session) = @_;
	$under_way-- if $session->{state} eq 'delivers';
	$all{lost}++;
	$select->remove($session->{socket});
	delete $by_socket{$session->{socket}};
	close $session->{socket};
	@$session{qw(state at greetings)} = ('away', time + 0.1, 0);
}

sub show_tenth {
	$all{peak} = $most if $most > $all{peak};
	$all{let_in} += $let_in;
	$all{deferred} += $deferred;
	printf "at=%.1f under_way=%d let_in=%d deferred=%d\n", ++$tenth / 10, $most, $let_in, $deferred;
	($most, $let_in, $deferred) = ($under_way, 0, 0);
}

sub put {
	my ($session, $letter, $data) = @_;
	$data //= '';
	syswrite $session->{socket}, pack('N', 1 + length $data) . $letter . $data;
}
