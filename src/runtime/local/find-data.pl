#!/usr/bin/perl -w
# find-data.pl FILE
#
# Prints where FILE has data, and is no hole: START END, in bytes, a line each. To read the zeros of
# the holes takes as long as to read data, and Node knows no lseek(2). All of it is data to a file
# system that tells of no holes.
use strict;

my ($SEEK_DATA, $SEEK_HOLE) = (3, 4);

open my $file, '<', $ARGV[0] or die "$ARGV[0]: $!\n";
my $end = 0;
while (defined(my $start = sysseek $file, $end, $SEEK_DATA)) {
    $end = sysseek $file, $start, $SEEK_HOLE or die "$ARGV[0]: $!\n";
    printf "%d %d\n", $start, $end;
}
