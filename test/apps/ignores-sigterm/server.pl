use strict;
use warnings;
use IO::Socket::INET;

$| = 1;
$SIG{TERM} = sub { print "I would rather stay\n" };

my $server = IO::Socket::INET->new(LocalPort => $ENV{PORT}, Listen => 128)
    or die "cannot listen: $@";
while (1) {
    my $client = $server->accept or next;
    1 while (<$client> // "\r\n") ne "\r\n";
    print $client "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nstill here\n";
}
