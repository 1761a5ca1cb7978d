#!/usr/bin/perl
# slow_redis.pl PATH REDIS MS: stands before the Redis at unix socket REDIS and lets one command through each MS
# milliseconds, whoever sent it: a Redis that takes so long for each. Runs until killed. SIGUSR1 makes it slow if it was
# not, and quick if it was.
use strict;
use warnings;
use IO::Select;
use IO::Socket::UNIX;
use Time::HiRes 'time';

my ($path, $redis, $ms) = @ARGV;
defined $ms or die "usage: slow_redis.pl PATH REDIS MS\n";
my $listener = IO::Socket::UNIX->new(Local => $path, Listen => 10) or die "$path: $!\n";
my $select = IO::Select->new($listener);
my (%other, %text, @queue); # socket -> the one it talks to, bytes without a whole command; [to, command] in turn
my ($slow, $due) = (1, 0);  # when the first of the queue is let through
$SIG{PIPE} = 'IGNORE';
$SIG{USR1} = sub { $slow = !$slow };

while (1) {
	for my $socket ($select->can_read(pause())) {
		$socket == $listener ? begin() : hear($socket);
	}
	forward();
}

# pause: how long nothing can be forwarded; undef when there is nothing.
sub pause {
	return undef unless @queue;
	my $left = $due - time;
	return $left > 0 ? $left : 0;
}

sub begin {
	my $client = $listener->accept or return;
	my $server = IO::Socket::UNIX->new(Peer => $redis);
	return close $client unless $server;
	@other{$client, $server} = ($server, $client);
	$text{$client} = '';
	$select->add($client, $server);
}

sub hear {
	my ($socket) = @_;
	my $other = $other{$socket} or return;
	return end($socket) unless sysread $socket, my $bytes, 65536;
	return put($other, $bytes) unless defined $text{$socket};
	$text{$socket} .= $bytes;
	while (defined(my $command = take_command(\$text{$socket}))) {
		$due = time + delay() unless @queue;
		push @queue, [$other, $command];
	}
}

sub end {
	my ($socket) = @_;
	my $other = delete $other{$socket};
	delete $other{$other};
	delete @text{$socket, $other};
	@queue = grep { $_->[0] != $socket && $_->[0] != $other } @queue;
	$select->remove($socket, $other);
	close $_ for $socket, $other;
}

sub forward {
	while (@queue && $due <= time) {
		my ($to, $command) = @{shift @queue};
		put($to, $command);
		$due = time + delay();
	}
}

sub delay {
	return $slow ? $ms / 1000 : 0;
}

# take_command: the first whole command, which leaves the text; undef when there is none.
sub take_command {
	my ($text) = @_;
	my $at;
	$$text =~ /^\*(\d+)\r\n/ or return undef;
	$at = $+[0];
	for (1 .. $1) {
		pos($$text) = $at;
		$$text =~ /\G\$(\d+)\r\n/ or return undef;
		$at = $+[0] + $1 + 2;
	}
	return length $$text >= $at ? substr($$text, 0, $at, '') : undef;
}

sub put {
	my ($to, $bytes) = @_;
	while (length $bytes) {
		my $n = syswrite $to, $bytes or return;
		substr $bytes, 0, $n, '';
	}
}
