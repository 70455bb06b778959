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
# It begins as the machine's root, to do what libkrun's own program leaves out: /dev/stdout and its like, and file
# systems in memory that are the machine's own. The container's would be memory of this machine's beside all that
# the virtual one has. Then it is USER, and so is what it runs. ARCH is Node's word for the processor.
#
# What the dyno prints comes by pipes and is passed on: the machine's own ends can be opened by one only, and
# /dev/stdout is opened once more.
#
# No modules: they take longer to load than all else.
use strict;

my $signals = '/.mayfly_signals';
my $command = '/.mayfly_command';
my @names = ('TERM', 'HUP');
my $seen = '--';
my $look_every = 0.2;
my $no_hang = 1;
# Bytes; a pipe has no more than the second.
my ($at_once, $fullest) = (65536, 1048576);
# Of fcntl.h, errno.h.
my ($no_wait, $overwritten, $interrupted) = (04000, 32, 4);
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
my @relays = (relay(\*STDOUT), relay(\*STDERR));
defined(my $program = fork) or die "cannot fork: $!\n";
if (!$program) {
    open $_->{to}, '>&', $_->{in} or die "cannot connect: $!\n" for @relays;
    %ENV = map { split /=/, $_, 2 } @$environment;
    exec { $words[0] } @words or die "cannot run $words[0]: $!\n";
}
close $_->{in} for @relays;

# A terminal's keys are for the others. A handler ends the wait; what is ignored would not.
$SIG{$_} = 'IGNORE' for qw(HUP INT QUIT TERM TSTP TTIN TTOU PIPE);
$SIG{CHLD} = sub { };
my ($left, $looked) = ($look_every, time);
until (waitpid($program, $no_hang) == $program) {
    $left = pass_on($left);
    # Who prints all the time makes no pause.
    next if $left > 0 && time == $looked;
    kill $_, -1 for asked();
    ($left, $looked) = ($look_every, time);
}
my $status = $? & 127 ? 128 + ($? & 127) : $? >> 8;
# What it left in them, and no more: others may go on printing.
for (1 .. $fullest / $at_once * @relays) { pass_on(0) }
print STDERR "$for_memory\n" if killed_for_memory() > $before;
exit $status;

sub prepare {
    my $calls = $calls{$arch} or die "no system calls are known for $arch\n";
    my $call = sub {
        my ($name, @arguments) = @_;
        syscall($calls->{$name}, @arguments) == 0 or die "cannot $name: $!\n";
    };
    my @streams = ('stdin', 'stdout', 'stderr');
    symlink "/proc/self/fd/$_", "/dev/$streams[$_]" for 0 .. 2;
    chown $user, $user, \*STDIN if -t STDIN;
    for my $at ('/tmp', '/var/tmp') {
        my ($type, $options) = ('tmpfs', 'mode=1777');
        $call->('mount', $type, $at, $type, $nosuid_nodev, $options);
    }
    my $id = $user + 0;
    $call->('setresgid', $id, $id, $id);
    $call->('setresuid', $id, $id, $id);
    $call->('prctl', $no_new_privileges, 1, 0, 0, 0);
}

# None for a terminal.
sub relay {
    my ($to) = @_;
    return () if -t $to;
    pipe(my $from, my $in) or die "cannot make a pipe: $!\n";
    return { from => $from, in => $in, to => $to };
}

# Waits until something was printed, and passes it on; says what is left of the time.
sub pass_on {
    my ($time) = @_;
    my $ready = '';
    vec($ready, fileno $_->{from}, 1) = 1 for @relays;
    my ($found, $left) = select $ready, undef, undef, $time;
    return $left if $found <= 0;
    for my $relay (grep { vec $ready, fileno $_->{from}, 1 } @relays) {
        my $read = sysread($relay->{from}, my $text, $at_once);
        $relay->{ended} = defined $read && $read == 0;
        my $written = 0;
        while ($read && $written < $read) {
            my $more = syswrite $relay->{to}, $text, $read - $written, $written;
            $written += $more // ($! == $interrupted ? 0 : $read);
        }
    }
    @relays = grep { !$_->{ended} } @relays;
    return $left;
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
