# GET /hold/100 takes 100 megabytes and keeps them; /child starts a process that takes ever
# more until it is ended, which this one survives. Both are answered first, as is anything else.
use strict;
use warnings;
use IO::Socket::INET;

my $held = '';
# Appended, it is written; a string that is only copied would share its memory.
my $megabyte = 'x' x 1024**2;

$| = 1;
my $server = IO::Socket::INET->new(LocalPort => $ENV{PORT}, Listen => 128)
    or die "cannot listen: $@";
while (my $client = $server->accept) {
    my (undef, $path) = split ' ', <$client> // '';
    next unless defined $path;
    1 while (<$client> // "\r\n") ne "\r\n";
    print $client "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok\n";
    close $client;
    if ($path =~ m{^/hold/(\d+)$}) { $held .= $megabyte for 1 .. $1 }
    survive_a_child() if $path eq '/child';
}

sub survive_a_child {
    my $child = fork // die "cannot fork: $!";
    if ($child == 0) { $held .= $megabyte while 1 }
    waitpid $child, 0;
    print 'my child was ended by ', $? == 9 ? 'SIGKILL' : "status $?", "\n";
}
