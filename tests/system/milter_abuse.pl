#!/usr/bin/perl
# milter_abuse.pl SOCKET SEED ROUNDS: what no MTA sends, so many connections of it, and always the same for a seed. Some
# stay open in the middle of a command until the end. Prints how many bytes were sent and how many connections the
# milter has closed by then. Macros come in pairs in all of it: libmilter itself dies of one without a value.
use strict;
use warnings;
use IO::Select;
use IO::Socket::UNIX;

my ($path, $seed, $rounds) = @ARGV;
defined $rounds or die "usage: milter_abuse.pl SOCKET SEED ROUNDS\n";
srand $seed;
$SIG{PIPE} = 'IGNORE';
my @LETTERS = (split(//, 'OCHMRTLNBEAQUK'), "\0", 'z', "\xff");
my @tricks = (\&noise, \&huge, \&wrong_order, \&half, \&unknown, \&empty, \&long, \&odd_peer, \&odd_macros, \&early_end,
	\&twice, \&mutated);
my ($sent, $closed, @open) = (0, 0);
for my $round (1 .. $rounds) {
	my $socket = IO::Socket::UNIX->new(Peer => $path) or die "round $round: $path: $!\n";
	my $bytes = $tricks[rand @tricks]->();
	$socket->blocking(0);
	$sent += syswrite($socket, $bytes) // 0;
	$closed += drain($socket);
	push @open, $socket if rand() < 0.1;
	shift @open if @open > 50;
}
print "rounds=$rounds sent=$sent closed=$closed\n";

# drain: takes what is answered within a moment; true when the milter has closed.
sub drain {
	my ($socket) = @_;
	my $end = 0;
	while (IO::Select->new($socket)->can_read(0.002)) {
		$end = 1, last unless sysread $socket, my $bytes, 65536;
	}
	return $end;
}

sub frame {
	my ($letter, $data) = @_;
	return pack('N', 1 + length $data) . $letter . $data;
}

sub bytes {
	my ($max) = @_;
	return join '', map { chr int rand 256 } 1 .. rand $max;
}

sub hello {
	return frame('O', pack 'N3', 6, 0x1ff, rand() < 0.5 ? 0xfff : 0x1fffff);
}

sub client {
	return frame('C', "name\0" . '4' . pack('n', 25) . '192.0.2.' . int(rand 255) . "\0");
}

# A session without fault up to a random command.
sub session {
	my @all = (hello(), client(), frame('D', "M{auth_authen}\0" . "user\0"), frame('M', "<a\@b.test>\0SIZE=1\0"),
		frame('D', "R{rcpt_mailer}\0smtp\0"), frame('R', "<c\@local.test>\0"), frame('T', ''), frame('E', ''),
		frame('A', ''), frame('Q', ''));
	return @all[0 .. rand @all];
}

sub noise {
	return bytes(2000);
}

sub huge {
	my @lengths = (0x7fffffff, 0xffffffff, 0x80000000, 0x10000000, 1 << 20, (1 << 20) + 1, 65536);
	return join '', session(), pack('N', $lengths[rand @lengths]), 'R', bytes(3000);
}

sub wrong_order {
	return join '', (rand() < 0.7 ? hello() : ''), map { frame($LETTERS[rand @LETTERS], bytes(60)) } 1 .. 1 + rand 20;
}

sub half {
	my $bytes = join '', session();
	return substr $bytes, 0, rand length $bytes;
}

sub unknown {
	return join '', session(), map { frame(chr(128 + rand 128), bytes(100)) } 1 .. 5;
}

sub empty {
	return join '', session(), pack('N', 0) x (1 + rand 5);
}

sub long {
	return join '', hello(), client(), frame('M', '<' . 'a' x rand(60000) . "\@b.test>\0"),
		frame('R', '<' . "\xff" x rand(60000) . ">\0"), frame('R', bytes(60000) . "\0");
}

sub odd_peer {
	my @families = (qw(4 6 L U), 'x', "\0");
	return join '', hello(), frame('C', bytes(50) . "\0" . $families[rand @families] . bytes(10) . "\0" x rand 2),
		frame('M', "<a\@b.test>\0"), frame('R', "<c\@local.test>\0");
}

sub odd_macros {
	my $value = bytes(500) =~ tr/\0//dr;
	return join '', hello(), frame('D', "C_\0$value\0"), client(), frame('D', "M$value\0i\0" . "x\0\0" x 200),
		frame('M', "<>\0"), frame('D', "R{rcpt_mailer}\0error\0$value\0\0"), frame('R', "\0"), frame('T', '');
}

sub early_end {
	return join '', hello(), (rand() < 0.5 ? client() : ''), frame('E', ''), frame('A', ''), frame('A', ''),
		frame('T', ''), frame('Q', ''), client(), frame('R', "<c\@local.test>\0");
}

sub twice {
	return join '', session(), session(), session();
}

sub mutated {
	my $bytes = join '', grep { substr($_, 4, 1) ne 'D' } session();
	for (1 .. 1 + rand 5) {
		my $byte = int rand 256;
		substr $bytes, rand length $bytes, 1, chr $byte if $byte != ord 'D';
	}
	return $bytes;
}
