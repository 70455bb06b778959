# exec-relay.pl HOST PORT: joins its standard input and output with a TCP connection, as seen
# from inside a dyno. Each direction ends by itself. It is given to perl as an argument, so no
# module but those that every Debian has, and only short ones.
use strict;
use Socket qw(getaddrinfo SOCK_STREAM SHUT_WR);

my ($host, $port) = @ARGV;
my ($error, @found) = getaddrinfo($host, $port, { socktype => SOCK_STREAM });
die "cannot find $host: $error\n" if $error;
my $socket;
for my $it (@found) {
    socket $socket, $it->{family}, $it->{socktype}, $it->{protocol} or next;
    last if connect $socket, $it->{addr};
    undef $socket;
}
die "cannot connect to $host:$port: $!\n" unless $socket;

$SIG{PIPE} = 'IGNORE';
my %to = (fileno STDIN, [*STDIN, $socket], fileno $socket, [$socket, *STDOUT]);
while (%to) {
    my $ready = '';
    vec($ready, $_, 1) = 1 for keys %to;
    select $ready, undef, undef, undef;
    for my $number (grep { vec $ready, $_, 1 } keys %to) {
        my ($from, $other) = @{ $to{$number} };
        my $got = sysread $from, my $bytes, 65536;
        next if $got && written($other, $bytes);
        delete $to{$number};
        # What the client has ended the other side is told; what that has ended is all there is.
        exit if $from == $socket || $got;
        shutdown $socket, SHUT_WR;
    }
}

sub written {
    my ($handle, $bytes) = @_;
    while (length $bytes) {
        my $put = syswrite $handle, $bytes or return 0;
        substr $bytes, 0, $put, '';
    }
    return 1;
}
