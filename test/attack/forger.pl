# Sends frames that no dyno can make, from a dyno's network namespace, where only the host's root
# can open such a socket: what the walls do when the dyno's own ones have fallen.
#
#   forger.pl udp SOURCE-MAC TARGET-MAC SOURCE-IP TARGET-IP PORT
#   forger.pl arp SOURCE-MAC CLAIMED-MAC CLAIMED-IP TARGET-IP
use strict;
use warnings;
use Socket;

my ($kind, @given) = @ARGV;
my ($packet_family, $raw) = (17, 3);
socket my $socket, $packet_family, $raw, unpack('S', pack 'n', 3) or die "socket: $!";
my ($get_index, $interface) = (0x8933, pack 'a16 i x20', 'eth0', 0);
ioctl $socket, $get_index, $interface or die "ioctl: $!";
my $ifindex = unpack 'x16 i', $interface;

sub mac { pack 'H2' x 6, split /:/, shift }

sub checksum {
    my $sum = 0;
    $sum += $_ for unpack 'n*', shift;
    $sum = ($sum & 0xffff) + ($sum >> 16) while $sum >> 16;
    return ~$sum & 0xffff;
}

my $frame;
if ($kind eq 'udp') {
    my ($source_mac, $target_mac, $source, $target, $port) = @given;
    my $udp = pack 'n4 a*', 4000, $port, 12, 0, 'forg';
    my @head = (0x4500, 20 + length $udp, 1, 0, 0x4011, 0);
    my $addresses = inet_aton($source) . inet_aton($target);
    $head[5] = checksum(pack('n6', @head) . $addresses);
    $frame = mac($target_mac) . mac($source_mac) . pack('n', 0x0800) . pack('n6', @head) . $addresses . $udp;
} else {
    my ($source_mac, $claimed_mac, $claimed, $target) = @given;
    my $everybody = 'ff:ff:ff:ff:ff:ff';
    $frame = mac($everybody) . mac($source_mac) . pack('n', 0x0806) . pack('n2 C2 n', 1, 0x0800, 6, 4, 2)
        . mac($claimed_mac) . inet_aton($claimed) . mac($everybody) . inet_aton($target);
}
for (1 .. 3) {
    send $socket, $frame, 0, pack 'S S l S C C a8', $packet_family, 0, $ifindex, 0, 0, 6, ''
        or die "send: $!";
}
