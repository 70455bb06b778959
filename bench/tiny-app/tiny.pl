#!/usr/bin/perl
# The smallest server that answers over kept connections: what is measured is Mayfly, not it.
# No module is loaded, for that takes longer than starting all else. Each answer says how many
# milliseconds after listening the first request came.
use strict;
use warnings;

my ($inet, $stream, $monotonic) = (2, 1, 1);
my $clock_gettime = -e '/lib64/ld-linux-x86-64.so.2' ? 228 : 113; # x86-64, arm64

socket my $server, $inet, $stream, 0 or die "no socket: $!";
bind $server, pack 'S n a4 x8', $inet, $ENV{PORT}, "\0\0\0\0" or die "cannot bind: $!";
listen $server, 128 or die "cannot listen: $!";
my $listening = now();
my $first;
$SIG{PIPE} = 'IGNORE';

my %sockets = (fileno $server => $server);
while (1) {
    my $readable = '';
    vec($readable, $_, 1) = 1 for keys %sockets;
    select $readable, undef, undef, undef;
    for my $number (keys %sockets) {
        serve($number) if vec $readable, $number, 1;
    }
}

sub serve {
    my ($number) = @_;
    my $socket = $sockets{$number};
    if ($socket == $server) {
        accept my $client, $server or return;
        $sockets{fileno $client} = $client;
        return;
    }
    if (!sysread $socket, my $request, 16384) {
        delete $sockets{$number};
        return;
    }
    $first //= now() - $listening;
    my $body = sprintf "%s %.1f\n", $ENV{PORT}, $first;
    syswrite $socket, "HTTP/1.1 200 OK\r\nContent-Length: " . length($body) . "\r\n\r\n$body";
}

# Milliseconds.
sub now {
    my $time = pack 'q q', 0, 0;
    syscall $clock_gettime, $monotonic, $time;
    my ($seconds, $nanoseconds) = unpack 'q q', $time;
    return $seconds * 1e3 + $nanoseconds / 1e6;
}
