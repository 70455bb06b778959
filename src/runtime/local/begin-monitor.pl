#!/usr/bin/perl -w
# begin-monitor.pl ARCH CGROUPS UNIFIED GUARDED DISKS OUTSIDE INSIDE HOST PROGRAM [ARG]…
#
# Becomes PROGRAM inside the given cgroups (files cgroup.procs, separated by spaces), so that it
# outlives whatever cgroup its starter is ended with, and in namespaces of its own: what is
# mounted and connected here ends with PROGRAM and its children, by the kernel's doing. ARCH is
# Node's word for the processor. Each of the others may be empty, and then nothing is done:
#
#   UNIFIED  on a machine with hybrid cgroups, which crun 1.8 refuses, what to unmount first
#   GUARDED  a device to mount over itself, read-only: it can be used, but not given away
#   DISKS    four lines each: a file with an ext4 file system, where to mount it, the
#            directories to make in it, whose they are (a uid and gid)
#   OUTSIDE  lines for `ip -batch` in the network namespace of process HOST, in which SELF stands
#            for our pid; then INSIDE, lines for our own. In this order: were the dyno's end of a
#            link up before the host's, the first packets would be lost, a query for a name with
#            them, which takes 5 s to be asked again.
#
# One process for all of it, in place of unshare, sh, umount, mount, install and nsenter: those
# cost as much as all else in the start of a dyno. And `mount -o loop` looks at every loop device
# of the machine, one of each dyno, before it takes one. Perl's smallest part is on every Debian.
# No module but the smallest: others take longer to load than all of this takes to run.
use strict;

my ($arch, $cgroups, $unified, $guarded, $disks, @rest) = @ARGV;
my ($outside, $inside, $host, @program) = @rest;

my %calls = (
    x64   => { mount => 165, umount => 166, unshare => 272, setns => 308 },
    arm64 => { mount => 40,  umount => 39,  unshare => 97,  setns => 268 },
);
my $calls = $calls{$arch} or die "no system calls are known for $arch\n";

my ($clone_newns, $clone_newnet) = (0x00020000, 0x40000000);
my ($ms_nosuid, $ms_nodev, $ms_noatime, $all_private) = (2, 4, 1024, 0x44000);
my ($ms_bind, $ms_bind_read_only) = (4096, 4096 | 32 | 1);
my ($loop_get_free, $loop_configure, $autoclear, $ebusy) = (0x4c82, 0x4c0a, 4, 16);
my $tries = 1000;

write_to($_, $$) for split ' ', $cgroups;
separate();
my $network = $inside ? connected() : undef;
call('umount', $unified, 0) if $unified;
guard() if $guarded;
my @disks = split /\n/, $disks, -1;
mount_disk(splice @disks, 0, 4) while @disks;
if ($network) {
    waitpid $network, 0;
    exit 1 if $?;
}
exec { $program[0] } @program or die "cannot run $program[0]: $!\n";

sub separate {
    my $mounts = $unified || $guarded || $disks ? $clone_newns : 0;
    my $all = $mounts | ($inside ? $clone_newnet : 0);
    call('unshare', $all) if $all;
    call('mount', 'none', '/', 'none', $all_private, 0) if $mounts;
}

# Both ends of the dyno's link, beside what else there is to do. Returns the pid that does it.
sub connected {
    my $self = $$;
    defined(my $pid = fork) or die "cannot fork: $!\n";
    return $pid if $pid;
    open my $here, '<', "/proc/$self/ns/net" or die "process $self is gone: $!\n";
    open my $there, '<', "/proc/$host/ns/net" or die "process $host is gone: $!\n";
    $outside =~ s/\bSELF\b/$self/g;
    call('setns', fileno $there, $clone_newnet);
    ip($outside);
    call('setns', fileno $here, $clone_newnet);
    ip($inside);
    exit 0;
}

sub ip {
    my ($lines) = @_;
    open my $ip, '|-', 'ip', '-batch', '-' or die "cannot run ip: $!\n";
    print $ip "$lines\n";
    close $ip or exit 1;
}

sub guard {
    call('mount', $guarded, $guarded, 'none', $ms_bind, 0);
    call('mount', 'none', $guarded, 'none', $ms_bind_read_only, 0);
}

# No barriers: nothing of the disk is to survive a crash, and giving it up must not wait for the
# machine's. Its inode tables stay the holes they are, and what is deleted becomes one again.
sub mount_disk {
    my ($image, $at, $directories, $owner) = @_;
    my ($loop, $device) = loop_device($image);
    my $flags = $ms_nosuid | $ms_nodev | $ms_noatime;
    call('mount', $device, $at, 'ext4', $flags, 'nobarrier,noinit_itable,discard');
    for my $directory (map { "$at/$_" } split ' ', $directories) {
        next if -d $directory;
        mkdir $directory, 0755 or die "cannot make $directory: $!\n";
        chown $owner, $owner, $directory or die "cannot give $directory away: $!\n";
    }
}

# An open loop device over the image, which frees itself once nobody uses it, and its path.
sub loop_device {
    my ($image) = @_;
    open my $file, '+<', $image or die "cannot open $image: $!\n";
    open my $control, '+<', '/dev/loop-control' or die "no loop devices: $!\n";
    my @info = ((0) x 8, $autoclear, $image, '', '', (0) x 2);
    my $configuration = pack 'L2 Q5 L4 a63x a64 a32 Q2 Q8', fileno $file, 0, @info, (0) x 8;
    for (1 .. $tries) {
        my $number = ioctl $control, $loop_get_free, 0 or die "no loop device: $!\n";
        my $device = '/dev/loop' . ($number + 0);
        open my $loop, '+<', $device or next; # it was taken, or has no name yet
        return ($loop, $device) if ioctl $loop, $loop_configure, $configuration;
        $! == $ebusy or die "cannot set up $device: $!\n";
    }
    die "no loop device could be had\n";
}

sub call {
    my ($name, @arguments) = @_;
    syscall($calls->{$name}, @arguments) == 0 or die "$name @arguments: $!\n";
}

sub write_to {
    my ($path, $text) = @_;
    open my $file, '>', $path or die "cannot open $path: $!\n";
    syswrite $file, $text or die "cannot write to $path: $!\n";
}
