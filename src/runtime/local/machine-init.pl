#!/usr/bin/perl
# machine-init.pl ARCH USER
#
# The first program of a dyno that is a virtual machine: runs the dyno's, and ends as that does. What to run is
# in a file: the environment, an empty word, program and arguments, with NULs between. libkrun passes no
# signal on to what runs inside, so the driver writes it into a file, which is looked at five times a
# second: whenever its first byte is another than before, it is SIGTERM, its second SIGHUP. Its size never changes, for the
# machine's kernel remembers sizes for seconds; what is in it is asked for by each open. A signal goes to every
# process of the dyno's user but this one. Whoever is killed for memory is so by the machine's own kernel, which
# the host cannot see: the last line says it (`machine.ts` looks for it).
#
# It begins as the machine's root, to mount what libkrun's own program leaves out: file
# systems in memory that are the machine's own. The container's would be memory of this machine's beside all that
# the virtual one has. Then it is USER, and so is what it runs. ARCH is Node's word for the processor.
#
# No modules: they take longer to load than all else.
use strict;

my $signals = '/.mayfly_signals';
my $command = '/.mayfly_command';
my @names = ('TERM', 'HUP');
my $seen = '--';
my $look_every = 0.2;
my $no_hang = 1;
# Of fcntl.h, errno.h.
my ($no_wait, $overwritten) = (04000, 32);
my $for_memory = 'Killed for memory: the dyno has no more.';

# Of unistd.h, sys/mount.h and linux/prctl.h.
my %calls = (
    x64   => { mount => 165, setresuid => 117, setresgid => 119, prctl => 157 },
    arm64 => { mount => 40,  setresuid => 147, setresgid => 149, prctl => 167 },
);
my ($nosuid_nodev, $no_new_privileges) = (2 | 4, 38);

my ($arch, $user) = @ARGV;
prepare() if $> == 0;
my ($environment, @words) = words();
my $before = killed_for_memory();
defined(my $program = fork) or die "cannot fork: $!\n";
if (!$program) {
    %ENV = map { split /=/, $_, 2 } @$environment;
    exec { $words[0] } @words or die "cannot run $words[0]: $!\n";
}

# A terminal's keys are for the others. A handler ends the wait; what is ignored would not.
$SIG{$_} = 'IGNORE' for qw(HUP INT QUIT TERM TSTP TTIN TTOU);
$SIG{CHLD} = sub { };
until (waitpid($program, $no_hang) == $program) {
    kill $_, -1 for asked();
    select undef, undef, undef, $look_every;
}
my $status = $? & 127 ? 128 + ($? & 127) : $? >> 8;
print STDERR "$for_memory\n" if killed_for_memory() > $before;
exit $status;

sub prepare {
    my $calls = $calls{$arch} or die "no system calls are known for $arch\n";
    my $call = sub {
        my ($name, @arguments) = @_;
        syscall($calls->{$name}, @arguments) == 0 or die "cannot $name: $!\n";
    };
    for my $at ('/tmp', '/var/tmp') {
        my ($type, $options) = ('tmpfs', 'mode=1777');
        $call->('mount', $type, $at, $type, $nosuid_nodev, $options);
    }
    my $id = $user + 0;
    $call->('setresgid', $id, $id, $id);
    $call->('setresuid', $id, $id, $id);
    $call->('prctl', $no_new_privileges, 1, 0, 0, 0);
}

sub words {
    open my $file, '<', $command or die "cannot read $command: $!\n";
    local $/;
    my @all = split /\0/, readline($file), -1;
    my @environment;
    while (@all && $all[0] ne '') { push @environment, shift @all }
    shift @all;
    return (\@environment, @all);
}

sub asked {
    open my $file, '<', $signals or return;
    sysread $file, my $text, 2;
    my @asked = map { substr($text, $_, 1) eq substr($seen, $_, 1) ? () : $names[$_] } 0, 1;
    $seen = $text;
    return @asked;
}

# How often, in what is left of the kernel's words: it keeps no count that can be read (/proc/vmstat is not told).
sub killed_for_memory {
    sysopen my $words, '/dev/kmsg', $no_wait or return 0;
    my $killed = 0;
    for (;;) {
        my $read = sysread $words, my $record, 8192;
        # One that was overwritten meanwhile is told as an error, and the next one follows.
        return $killed if !$read && $! != $overwritten;
        $killed++ if $read && $record =~ /;Out of memory: Killed process/;
    }
}
