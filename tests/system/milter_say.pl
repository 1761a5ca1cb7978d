#!/usr/bin/perl
# milter_say.pl SOCKET: says to a milter what the lines of its input tell, as an MTA would, and prints what is answered.
#   negotiate VERSION ACTIONS STEPS    what the MTA can do; prints "O VERSION ACTIONS STEPS"; a step that then has no
#                                      answer prints "none"
#   connect ADDRESS PORT [NAME]        ADDRESS may be "local" or "unknown"
#   macro LETTER NAME VALUE            for the command of that letter, which follows
#   helo|mail|rcpt|header|body TEXT    text is one or more words, each ends in a zero byte
#   data, eoh, eom                     prints every answer up to the last one
#   abort, quit                        have no answer
#   raw HEX                            these bytes, without waiting for an answer
#   pause SECONDS, answer              an answer to what was sent raw
use strict;
use warnings;
use IO::Select;
use IO::Socket::UNIX;

my %LETTERS = (helo => 'H', mail => 'M', rcpt => 'R', data => 'T', header => 'L', eoh => 'N', body => 'B', eom => 'E');
my %SILENT = (connect => 0x1000, helo => 0x2000, mail => 0x4000, rcpt => 0x8000, data => 0x10000); # SMFIP_NR_*
my %NAMES = (c => 'continue', a => 'accept', t => 'tempfail', r => 'reject', d => 'discard');
my $steps = 0;
my $socket = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "$ARGV[0]: $!\n";
$SIG{PIPE} = 'IGNORE';
$| = 1;

while (my $line = <STDIN>) {
	my ($command, @words) = split ' ', $line or next;
	if ($command eq 'negotiate') {
		put('O', pack 'N3', map { /^0/ ? oct : $_ } @words);
		print_answer();
	} elsif ($command eq 'connect') {
		put('C', peer(@words));
		print_answer($SILENT{$command});
	} elsif ($command eq 'macro') {
		put('D', shift(@words) . terminated(shift @words, "@words"));
	} elsif ($command eq 'abort') {
		put('A', '');
	} elsif ($command eq 'quit') {
		put('Q', '');
	} elsif ($command eq 'raw') {
		syswrite $socket, pack 'H*', join '', @words;
	} elsif ($command eq 'pause') {
		select undef, undef, undef, $words[0];
	} elsif ($command eq 'answer') {
		print_answer();
	} else {
		put($LETTERS{$command} // die("$command?\n"), terminated(@words));
		print_answer($SILENT{$command});
	}
}

sub peer {
	my ($address, $port, $name) = @_;
	$name //= "[$address]";
	return "$name\0U" if $address eq 'unknown';
	return "$name\0L" . pack('n', 0) . "/tmp/socket\0" if $address eq 'local';
	return "$name\0" . ($address =~ /:/ ? '6' : '4') . pack('n', $port) . "$address\0";
}

sub terminated {
	return join '', map { "$_\0" } @_;
}

sub put {
	my ($letter, $data) = @_;
	syswrite $socket, pack('N', 1 + length $data) . $letter . $data;
}

# print_answer [STEP]: each until the last, since others change the message only.
sub print_answer {
	return print "none\n" if $steps & (shift // 0);
	while (1) {
		my $frame = take(4);
		return print "closed\n" unless defined $frame;
		$frame = take(unpack 'N', $frame);
		return print "closed\n" unless defined $frame;
		my ($letter, $data) = (substr($frame, 0, 1), substr $frame, 1);
		print text_of($letter, $data), "\n";
		return unless $letter =~ /[ih+p]/;
	}
}

sub text_of {
	my ($letter, $data) = @_;
	$steps = unpack 'x8 N', $data if $letter eq 'O';
	return sprintf 'O %d 0x%x 0x%x', unpack 'N3', $data if $letter eq 'O';
	return 'insert ' . unpack('N', $data) . ' ' . join ' ', split /\0/, substr $data, 4 if $letter eq 'i';
	return 'add ' . join ' ', split /\0/, $data if $letter eq 'h';
	return 'reply ' . $data =~ s/\0$//r if $letter eq 'y';
	return $NAMES{$letter} // "answer $letter";
}

sub take {
	my ($n) = @_;
	my $bytes = '';
	while (length $bytes < $n) {
		IO::Select->new($socket)->can_read(10) or return undef;
		sysread $socket, $bytes, $n - length $bytes, length $bytes or return undef;
	}
	return $bytes;
}
