#!/usr/bin/perl
# Asks a policy service about many triplets over several connections at once, and prints the answers counted by kind.
# Triplet number N has a client network, a sender and a recipient of its own, the same in every run. A connection asks
# its next question when the last is answered; one that is cut off or silent for too long loses its question and ends.
# SIGTERM makes it stop asking; it prints what it got once all is answered.
use strict;
use warnings;
use Getopt::Long;
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use Time::HiRes 'time';

my %opt = (connections => 8, first => 0, requests => 1000, seconds => 0, rate => 0, wait => 10, domain => 'local.test');
GetOptions(\%opt,
	'to=s',             # inet:HOST:PORT or unix:PATH
	'connections=i',    # at once
	'first=i',          # number of the first triplet
	'requests=i',       # how many triplets are asked about, each once
	'seconds=f',        # or: over and over again for so long
	'rate=f',           # at most so many questions a second
	'wait=f',           # seconds after which a question without an answer is lost
	'domain=s',         # of the recipients; %d in it is the triplet's number
	'record=s',         # file: number, kind, time asked, time answered (ms), a line for each answer
) && $opt{to} && !@ARGV or die "usage: policy_client.pl --to ADDRESS [--connections N] [--first N] [--requests N]"
	. " [--seconds S] [--rate N] [--wait S] [--domain NAME] [--record FILE]\n";

my @KINDS = qw(dunno prepend greylisted unavailable other);
my %count = map { $_ => 0 } @KINDS;
my ($asked, $answered, $lost, $max_ms, $start, $enough) = (0, 0, 0, 0, time, 0);
my $record;
if ($opt{record}) {
	open $record, '>', $opt{record} or die "$opt{record}: $!\n";
	$record->autoflush(1);
}
$SIG{PIPE} = 'IGNORE';
$SIG{TERM} = sub { $enough = 1 };

run(map { {socket => dial($opt{to}), number => undef, text => ''} } 1 .. $opt{connections});
print join(' ', "asked=$asked", "answers=$answered", "lost=$lost", (map { "$_=$count{$_}" } @KINDS),
	sprintf('max_ms=%d', $max_ms), sprintf('ms=%d', 1000 * (time - $start))), "\n";

sub dial {
	my ($to) = @_;
	my $socket = $to =~ /^unix:(.+)/ ? IO::Socket::UNIX->new(Peer => $1)
		: $to =~ /^inet:(.+):(\d+)$/ ? IO::Socket::INET->new(PeerAddr => $1, PeerPort => $2)
		: die "$to: neither inet:HOST:PORT nor unix:PATH\n";
	return $socket // die "$to: $!\n";
}

sub run {
	my %by_socket = map { $_->{socket} => $_ } @_;
	my $select = IO::Select->new(map { $_->{socket} } @_);
	while ($select->count) {
		ask_next($_) for grep { !waiting($_) } values %by_socket;
		last if over() && !grep { waiting($_) } values %by_socket;
		my @ended = grep { !hear($by_socket{$_}) } $select->can_read($opt{rate} ? 0.005 : 0.5);
		push @ended, map { $_->{socket} } grep { waiting($_) && time - $_->{asked} > $opt{wait} } values %by_socket;
		for my $socket (@ended) {
			$select->remove($socket);
			$lost++ if waiting(delete $by_socket{$socket} // {});
		}
	}
}

sub waiting {
	my ($conn) = @_;
	return defined $conn->{number};
}

sub over {
	return 1 if $enough;
	return $opt{seconds} ? time - $start >= $opt{seconds} : $asked >= $opt{requests};
}

sub ask_next {
	my ($conn) = @_;
	return if over() || ($opt{rate} && $asked >= $opt{rate} * (time - $start));
	my $number = $opt{first} + $asked++ % $opt{requests};
	@$conn{qw(number asked)} = ($number, time);
	syswrite $conn->{socket}, request($number);
}

sub request {
	my ($number) = @_;
	my $client = join '.', 11 + ($number >> 16), $number >> 8 & 255, $number & 255, 1;
	my $domain = $opt{domain} =~ s/%d/$number/r;
	return join "\n", 'request=smtpd_access_policy', 'protocol_state=RCPT', 'protocol_name=ESMTP',
		"client_address=$client", 'client_name=unknown', 'reverse_client_name=unknown', 'helo_name=client.test',
		'sender=load@sender.test', "recipient=user$number\@$domain", "instance=$$.$asked", '', '';
}

# hear: takes what has come on a connection; false when it was cut off.
sub hear {
	my ($conn) = @_;
	sysread $conn->{socket}, $conn->{text}, 65536, length $conn->{text} or return 0;
	$conn->{text} =~ s/^action=(.*)\n\n// or return 1;
	note($conn, kind_of($1));
	$conn->{number} = undef;
	return 1;
}

sub kind_of {
	my ($action) = @_;
	return $action =~ /^DUNNO$/i ? 'dunno'
		: $action =~ /^PREPEND X-Greylist: /i ? 'prepend'
		: $action =~ /^451 4\.7\.1 / ? 'greylisted'
		: $action =~ /^451 4\.3\.0 / ? 'unavailable'
		: 'other';
}

sub note {
	my ($conn, $kind) = @_;
	my $now = time;
	my $ms = 1000 * ($now - $conn->{asked});
	$answered++;
	$count{$kind}++;
	$max_ms = $ms if $ms > $max_ms;
	printf $record "%d %s %d %d\n", $conn->{number}, $kind, 1000 * $conn->{asked}, 1000 * $now if $record;
}
