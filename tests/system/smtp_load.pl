#!/usr/bin/perl
# Many SMTP sessions at once, which count for themselves how many deliveries are under way at acme.test: from the 250 to
# a recipient until the final dot, RSET, QUIT or the end of the connection is sent. What is deferred is tried again.
# usage: smtp_load.pl --to PORT[,PORT]... [--sessions N] [--messages N] [--hold MIN-MAX] [--seed N]
# Prints: delivered= deferred= later= given_up= other= most=
# later: a recipient at acme was deferred although its message had one there
use strict;
use warnings;
use Getopt::Long;
use IO::Select;
use IO::Socket::INET;
use Time::HiRes qw(time);

my ($to, $sessions, $messages, $hold, $seed) = ('', 20, 300, '50-300', 1);
GetOptions('to=s' => \$to, 'sessions=i' => \$sessions, 'messages=i' => \$messages, 'hold=s' => \$hold, 'seed=i' => \$seed)
	or exit 64;
my @ports = split /,/, $to;
my ($hold_min, $hold_max) = split /-/, $hold;
my $end = time + 80;
srand $seed;

my ($delivered, $deferred, $later, $given_up, $other, $under_way, $most) = (0) x 7;
my $begun = 0; # messages that were begun, or are to be tried again
my %by_socket;
my @all;
my $select = IO::Select->new;
$SIG{PIPE} = 'IGNORE';

sub ms { return time + $_[0] / 1000 }

sub enters {
	my ($s) = @_;
	return if $s->{under_way}++;
	$most = $under_way if ++$under_way > $most;
}

sub leaves {
	my ($s) = @_;
	$under_way-- if $s->{under_way};
	$s->{under_way} = 0;
}

sub disconnect {
	my ($s, $pause) = @_;
	leaves($s);
	delete $by_socket{$s->{socket}};
	$select->remove($s->{socket});
	close $s->{socket};
	@$s{qw(state buffer wake)} = ('idle', '', ms($pause));
}

sub say_line {
	my ($s, $line, $state) = @_;
	leaves($s) if $line =~ /^(\.|RSET|QUIT)\r?$/m;
	$s->{state} = $state;
	syswrite $s->{socket}, "$line\r\n";
}

sub connects {
	my ($s) = @_;
	my $port = $ports[int rand @ports];
	$s->{socket} = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port);
	if (!$s->{socket}) {
		$s->{wake} = ms(50);
		return;
	}
	$by_socket{$s->{socket}} = $s;
	$select->add($s->{socket});
	@$s{qw(state buffer wake)} = ('greeting', '', 0);
}

# Most messages have one recipient, some another one at acme, or one elsewhere, before or behind it.
sub next_mail {
	my ($s) = @_;
	my $kind = rand;
	if (!$s->{retry}) {
		return say_line($s, 'QUIT', 'quit') if $begun >= $messages;
		$begun++;
	}
	$s->{retry} = 1; # until it is done
	my @to = ('a@acme.test');
	push @to, 'b@acme.test' if $kind < 0.2;
	push @to, 'c@other.test' if $kind > 0.9;
	unshift @to, 'd@other.test' if $kind > 0.8 && $kind < 0.9;
	$s->{to} = \@to;
	say_line($s, "MAIL FROM:<sender$begun\@load.test>", 'mail');
}

sub next_rcpt {
	my ($s) = @_;
	$s->{asked} = shift @{ $s->{to} };
	return say_line($s, "RCPT TO:<$s->{asked}>", 'rcpt') if $s->{asked};
	$s->{state} = 'held';
	$s->{wake} = ms($hold_min + rand($hold_max - $hold_min));
}

# How a delivery that was held ends: nearly always by its message.
sub after_hold {
	my ($s) = @_;
	my $how = rand;
	$s->{wake} = 0;
	return say_line($s, 'DATA', 'data') if $how > 0.15;
	$given_up++;
	return disconnect($s, 10) if $how > 0.10;
	return say_line($s, 'QUIT', 'quit') if $how > 0.05;
	say_line($s, 'RSET', 'rset');
}

sub unexpected {
	my ($s, $line) = @_;
	$other++;
	print STDERR "$s->{state}: $line\n";
	disconnect($s, 50);
}

sub heard {
	my ($s, $line) = @_;
	my ($code, $state) = (substr($line, 0, 3), $s->{state});
	if ($state eq 'quit') {
		disconnect($s, 20 + rand 60);
	} elsif ($state eq 'rcpt' && $code eq '451' && $line =~ /Too many connections to acme/) {
		$s->{under_way} ? $later++ : $deferred++;
		say_line($s, 'QUIT', 'quit');
	} elsif ($state eq 'rcpt' && $code eq '250') {
		enters($s) if $s->{asked} =~ /acme/;
		next_rcpt($s);
	} elsif ($state eq 'data' && $code eq '354') {
		say_line($s, "Subject: load\r\n\r\nload\r\n.", 'dot');
	} elsif ($state eq 'greeting' && $code eq '220') {
		say_line($s, 'EHLO load.test', 'ehlo');
	} elsif ($state eq 'dot' && $code eq '250') {
		$delivered++;
		$s->{retry} = 0;
		rand() < 0.5 ? next_mail($s) : say_line($s, 'QUIT', 'quit');
	} elsif ($state =~ /^(ehlo|rset)$/ && $code eq '250') {
		next_mail($s);
	} elsif ($state eq 'mail' && $code eq '250') {
		next_rcpt($s);
	} else {
		unexpected($s, $line);
	}
}

sub readable {
	my ($s) = @_;
	my $n = sysread $s->{socket}, $s->{buffer}, 4096, length $s->{buffer};
	if (!$n) {
		return $s->{state} eq 'quit' ? disconnect($s, 20) : unexpected($s, 'end of the connection');
	}
	while ($s->{buffer} =~ s/^(.*?)\r\n//) {
		my $line = $1;
		heard($s, $line) if $line !~ /^\d{3}-/;
	}
}

for (1 .. $sessions) {
	push @all, { state => 'idle', buffer => '', wake => ms(rand 30), under_way => 0, retry => 0 };
}
while ($delivered < $messages && time < $end) {
	my $wake = ms(200);
	for (grep { $_->{wake} } @all) {
		$wake = $_->{wake} if $_->{wake} < $wake;
	}
	my $wait = $wake - time;
	for my $socket ($select->can_read($wait > 0 ? $wait : 0)) {
		my $s = $by_socket{$socket};
		readable($s) if $s;
	}
	for my $s (grep { $_->{wake} && $_->{wake} <= time } @all) {
		if ($s->{state} eq 'held') {
			after_hold($s);
		} elsif ($s->{state} eq 'idle') {
			$s->{wake} = 0;
			connects($s) if $s->{retry} || $begun < $messages;
		}
	}
}
print "delivered=$delivered deferred=$deferred later=$later given_up=$given_up other=$other most=$most\n";
