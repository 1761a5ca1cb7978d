#!/usr/bin/perl
# fake_redis.pl PATH TRICK [greet]: a Redis that cannot be trusted, on a unix socket, until killed. It answers every
# command by the trick; with "greet" it behaves until it is asked for more than a greeting.
use strict;
use warnings;
use IO::Socket::UNIX;

my %TRICKS = (
	garbage => sub { put(join '', map { chr int rand 256 } 1 .. 5000) },
	surplus => sub { put("\$-1\r\n+SURPRISE\r\n") },
	wrong_type => sub { put("*2\r\n+OK\r\n:-7\r\n") },
	huge_array => sub { put("*2147483647\r\n") },
	endless_bulk => sub { put("\$1000000000\r\n") and endless() },
	nested_arrays => sub { nest(6) },
	unasked => sub { nest(6) },
	drip => sub { drip('+' . 'x' x 1000) },
	silence => sub { 1 },
	close => sub { 0 },
);

my ($path, $trick, $greets) = @ARGV;
my $play = $TRICKS{$trick // ''} or die "usage: fake_redis.pl PATH TRICK [greet]; tricks: @{[sort keys %TRICKS]}\n";
my $listener = IO::Socket::UNIX->new(Local => $path, Listen => 10) or die "$path: $!\n";
my ($client, $secret);
$SIG{PIPE} = 'IGNORE';

while ($client = $listener->accept) {
	serve();
	close $client;
}

# serve: one connection, until either side has enough of it.
sub serve {
	my $text = '';
	while (sysread $client, $text, 65536, length $text) {
		while (my @words = take_command(\$text)) {
			my $reply = $greets ? greeting(@words) : undef;
			defined $reply ? put($reply) : $play->() or return;
			return if $trick eq 'unasked' && greeted(@words) && !$play->();
		}
	}
}

# take_command: the words of the first complete command, which leaves the text; none when there is none.
sub take_command {
	my ($text) = @_;
	my ($rest, @words) = $$text;
	$rest =~ s/^\*(\d+)\r\n// or return;
	for (1 .. $1) {
		$rest =~ s/^\$(\d+)\r\n// && length $rest >= $1 + 2 or return;
		push @words, substr $rest, 0, $1;
		substr $rest, 0, $1 + 2, '';
	}
	$$text = $rest;
	return @words;
}

# greeting: what an honest Redis says while a client settles in; undef to any other question.
sub greeting {
	my ($command, $key, $value) = @_;
	$secret //= $value if $command eq 'SET';
	return $command eq 'SET' ? "+OK\r\n"
		: $command eq 'INFO' ? bulk("maxmemory_policy:noeviction\r\n")
		: greeted($command, $key) ? bulk($secret)
		: undef;
}

# greeted: this is the last question of the greeting.
sub greeted {
	my ($command, $key) = @_;
	return $command eq 'GET' && $key =~ /secret$/;
}

sub bulk {
	my ($text) = @_;
	return sprintf "\$%d\r\n%s\r\n", length $text, $text;
}

# put: false when the client has gone.
sub put {
	my ($text) = @_;
	while (length $text) {
		my $n = syswrite $client, $text or return 0;
		substr $text, 0, $n, '';
	}
	return 1;
}

sub endless {
	my $text = 'x' x 65536;
	1 while put($text);
	return 0;
}

# nest DEPTH: one array of arrays of arrays, no element of it large, all of it far larger than any memory.
sub nest {
	my ($depth) = @_;
	return put(bulk('x' x 60000)) if $depth == 0;
	put("*64\r\n") or return 0;
	for (1 .. 64) {
		nest($depth - 1) or return 0;
	}
	return 1;
}

sub drip {
	my ($text) = @_;
	for my $byte (split //, $text) {
		put($byte) or return 0;
		select undef, undef, undef, 0.15;
	}
	return 1;
}
