#!/usr/bin/perl
# The smallest server that answers over kept connections: what is measured is Mayfly, not it.
# Its first answer says how many milliseconds after listening it was asked for.
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use Time::HiRes 'time';

my $server = IO::Socket::INET->new(
    LocalAddr => '0.0.0.0', LocalPort => $ENV{PORT}, Listen => 128, ReuseAddr => 1
) or die "cannot listen: $!";
my $listening = time;
my $first;
$SIG{PIPE} = 'IGNORE';

my $select = IO::Select->new($server);
while (1) {
    for my $socket ($select->can_read) {
        if ($socket == $server) {
            $select->add(scalar $server->accept);
            next;
        }
        my $read = sysread $socket, my $request, 16384;
        if (!$read) { $select->remove($socket); close $socket; next }
        $first //= (time - $listening) * 1000;
        my $body = sprintf "%s %.1f\n", $ENV{PORT}, $first;
        syswrite $socket, "HTTP/1.1 200 OK\r\nContent-Length: " . length($body) . "\r\n\r\n$body";
    }
}
