# Its config var MOOD says how it begins: crash, or sick (never well). GET /fall-ill makes the
# dyno that is asked sick, GET /exit ends it; anything else is answered with LINE. With STUBBORN
# set it does not heed SIGTERM.
use strict;
use warnings;
use IO::Socket::INET;

my $line = $ENV{LINE} // 'first';
my $mood = $ENV{MOOD} // '';
my $sick = $mood eq 'sick';

exit 3 if $mood eq 'crash';
$| = 1;
$SIG{TERM} = sub { print "No\n" } if $ENV{STUBBORN};
$SIG{PIPE} = 'IGNORE';

my $server = IO::Socket::INET->new(LocalPort => $ENV{PORT}, Listen => 128)
    or die "cannot listen: $@";
while (1) {
    my $client = $server->accept or next;
    my (undef, $path) = split ' ', <$client> // '';
    next unless defined $path;
    1 while (<$client> // "\r\n") ne "\r\n";
    $sick = 1 if $path eq '/fall-ill';
    my $status = $path eq '/health' && $sick ? '503 Service Unavailable' : '200 OK';
    print $client "HTTP/1.1 $status\r\nConnection: close\r\n\r\n$line\n";
    close $client;
    exit 1 if $path eq '/exit';
}
