#!/usr/bin/perl -w
# begin-monitor.pl ARCH CGROUPS UNIFIED GUARDED DISKS MAPPINGS OVERLAY NETWORK PROGRAM [ARG]…
# begin-monitor.pl serve
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
#   MAPPINGS four lines each: a directory, where to mount it, and which uid and which gid of it are
#            whose there (`0 1000 1`, a line of /proc/<pid>/uid_map, or several with commas)
#   OVERLAY  two lines: where to mount one, and its layers as mount(8) wants them
#   NETWORK  LINK BRIDGE MTU ADDRESS HARDWARE GATEWAY, separated by spaces: a network
#            namespace with an eth0 of that HARDWARE address, whose other end LINK is alone on its
#            port of the BRIDGE. There is nobody on it but the GATEWAY, and no IPv6: whom one asks
#            for on a link goes into a table of neighbours that is the whole machine's, of 1,024. That port takes no frame of another address (since Linux 5.16),
#            and whoever sends one gets none of what is another's: nothing is learnt. That end
#            comes first: were the dyno's up before it, the first packets would be lost, a
#            query for a name with them, which takes 5 s to be asked again. Or PID TICKS: the
#            network namespace of that process, which began at TICKS.
#
# One process for all of it, in place of unshare, sh, umount, mount, install, ip and nsenter:
# those cost as much as all else in the start of a dyno. And `mount -o loop` looks at every loop device
# of the machine, one of each dyno, before it takes one. Perl's smallest part is on every Debian.
# No module but the smallest: others take longer to load than all of this takes to run.
#
# Told to serve, it does so in a child for each request that comes on standard input, `ID LENGTH`
# and a newline and then the arguments, each with a NUL after it. The child has a session of its
# own, and one pipe for what PROGRAM says on standard error or by _OCI_SYNCPIPE: its first line
# that is JSON, or all of it where it ends without, is told on standard output as `ID TEXT`. To
# fork a small process that has all this loaded costs a fraction of starting it anew from Node.
#
# Or it is told `limit ARCH PID SIGNALS`: so many may that process have queued, and who comes of it. What could
# not be done is the answer. An OCI runtime limits itself before it makes the user namespace: then the kernel
# takes that limit for what all dynos may have together.
use strict;

my ($arch, $cgroups, $unified, $guarded, $disks, $mappings, $overlay, $network, @program);
my $calls;

my %calls = (
    x64   => { mount => 165, umount => 166, unshare => 272, setns => 308, setsid => 112, prlimit => 302 },
    arm64 => { mount => 40,  umount => 39,  unshare => 97,  setns => 268, setsid => 157, prlimit => 261 },
);

# The same for all processors.
my %newer = (open_tree => 428, move_mount => 429, mount_setattr => 442);

my ($clone_newns, $clone_newuser, $clone_newnet) = (0x00020000, 0x10000000, 0x40000000);
my ($at_fdcwd, $at_empty_path, $at_recursive, $open_tree_clone) = (-100, 0x1000, 0x8000, 1);
my ($attr_idmap, $from_empty_path) = (0x00100000, 4);
my ($ms_nosuid, $ms_nodev, $ms_noatime, $all_private) = (2, 4, 1024, 0x44000);
my ($ms_bind, $ms_bind_read_only) = (4096, 4096 | 32 | 1);
my ($loop_get_free, $loop_configure, $autoclear, $ebusy) = (0x4c82, 0x4c0a, 4, 16);
my $tries = 1000;
my $set_flags = 2;
my $rlimit_sigpending = 11;

# Of linux/rtnetlink.h, if_link.h, if_addr.h and netlink.h.
my ($newlink, $getlink, $setlink, $newaddr, $newroute, $newneigh) = (16, 18, 19, 20, 24, 28);
my ($request, $acknowledge, $create, $nlmsg_error) = (1, 4, 0x600, 2);
my ($ifla_address, $ifla_ifname, $ifla_mtu, $ifla_master, $ifla_protinfo) = (1, 3, 4, 10, 12);
my ($ifla_linkinfo, $ifla_net_ns_pid, $nested) = (18, 19, 0x8000);
my ($info_kind, $info_data, $veth_peer) = (1, 2, 1);
my ($brport_learning, $brport_flood, $brport_isolated, $brport_locked) = (8, 9, 33, 39);
my ($nda_lladdr, $static, $of_master) = (2, 0x40, 4); # and linux/neighbour.h
my ($ifa_address, $ifa_local, $rta_dst, $rta_oif, $rta_gateway) = (1, 2, 1, 4, 5);
my ($alone, $on_link, $no_ipv6) = (32, 253, '/proc/sys/net/ipv6/conf/eth0/disable_ipv6');
my ($table_main, $by_boot, $unicast, $loopback, $iff_up) = (254, 3, 1, 1, 1);
my ($af_inet, $af_bridge, $af_netlink, $sock_raw) = (2, 7, 16, 3);

if ($ARGV[0] eq 'serve') {
    serve();
} else {
    become(@ARGV);
}

sub become {
    ($arch, $cgroups, $unified, $guarded, $disks, $mappings, $overlay, $network, @program) = @_;
    $calls = $calls{$arch} or die "no system calls are known for $arch\n";
    write_to($_, $$) for split ' ', $cgroups;
    my @network = split ' ', $network;
    my $makes = @network > 2;
    my $host = $makes ? netlink() : undef;
    separate($makes);
    connect_to($host, @network) if $makes;
    join_network(@network) if @network == 2;
    call('umount', $unified, 0) if $unified;
    guard() if $guarded;
    my @disks = split /\n/, $disks, -1;
    mount_disk(splice @disks, 0, 4) while @disks;
    my @mappings = split /\n/, $mappings, -1;
    mount_mapped(splice @mappings, 0, 4) while @mappings;
    if ($overlay) {
        my ($at, $layers) = split /\n/, $overlay;
        call('mount', 'overlay', $at, 'overlay', $ms_nosuid | $ms_nodev, $layers);
    }
    exec { $program[0] } @program or die "cannot run $program[0]: $!\n";
}

# Until whoever asks is gone. What was begun goes on.
sub serve {
    my ($heard, %pipes) = ('');
    local $SIG{CHLD} = 'IGNORE';
    for (;;) {
        my $ready = '';
        vec($ready, $_, 1) = 1 for 0, keys %pipes;
        select($ready, undef, undef, undef) > 0 or next;
        if (vec $ready, 0, 1) {
            sysread STDIN, $heard, 65536, length $heard or exit;
            while ($heard =~ /^(\S+) (\d+)\n/ && length $heard >= $+[0] + $2) {
                my ($id, $arguments) = ($1, substr $heard, $+[0], $2);
                $heard = substr $heard, $+[0] + $2;
                if ($arguments =~ s/^limit\0//) {
                    syswrite STDOUT, "$id " . limit(split /\0/, $arguments) . "\n";
                    next;
                }
                my $pipe = begin($arguments);
                $pipes{fileno $pipe} = { id => $id, pipe => $pipe, said => '' };
            }
        }
        for my $number (grep { vec $ready, $_, 1 } keys %pipes) {
            my $its = $pipes{$number} or next;
            my $more = sysread $its->{pipe}, $its->{said}, 65536, length $its->{said};
            next unless !$more || $its->{said} =~ /^\{.*\n/m;
            tell_of($its);
            delete $pipes{$number};
        }
    }
}

sub limit {
    my ($its_arch, $pid, $signals) = @_;
    my $prlimit = $calls{$its_arch}{prlimit};
    # A text would be given as where it lies.
    my $done = syscall $prlimit, $pid + 0, $rlimit_sigpending, pack('Q2', $signals, $signals), 0;
    return '' if $done == 0;
    return "process $pid cannot be limited: $!";
}

sub begin {
    my @arguments = split /\0/, $_[0], -1;
    pop @arguments;
    pipe my $pipe, my $end or die "no pipe: $!\n";
    defined(my $pid = fork) or die "cannot fork: $!\n";
    return $pipe if $pid;
    $SIG{CHLD} = 'DEFAULT';
    $calls = $calls{$arguments[0]};
    syscall $calls->{setsid};
    open STDIN, '<', '/dev/null';
    open STDOUT, '>', '/dev/null';
    open STDERR, '>&', $end;
    fcntl $end, $set_flags, 0; # PROGRAM has it too
    $ENV{_OCI_SYNCPIPE} = fileno $end;
    become(@arguments);
}

sub tell_of {
    my ($its) = @_;
    my ($text) = $its->{said} =~ /^(\{.*)\n/m ? $1 : $its->{said};
    $text =~ s/\s+$//;
    $text =~ s/\s*\n\s*/ /g;
    syswrite STDOUT, "$its->{id} $text\n";
}

sub separate {
    my ($makes_network) = @_;
    my $mounts = $unified || $guarded || $disks || $mappings || $overlay ? $clone_newns : 0;
    my $all = $mounts | ($makes_network ? $clone_newnet : 0);
    call('unshare', $all) if $all;
    call('mount', 'none', '/', 'none', $all_private, 0) if $mounts;
}

# What is open stays that process's, so it is asked who it is only then.
sub join_network {
    my ($pid, $ticks) = @_;
    open my $namespace, '<', "/proc/$pid/ns/net" or die "process $pid is gone: $!\n";
    open my $file, '<', "/proc/$pid/stat" or die "process $pid is gone: $!\n";
    my ($began) = readline($file) =~ /^.*\)(?: \S+){19} (\d+) /;
    $began == $ticks or die "process $pid is another\n";
    call('setns', fileno $namespace, $clone_newnet);
}

# A socket belongs to the network that it was opened in, so $host still speaks for the host's.
sub connect_to {
    my ($host, $link, $bridge, $mtu, $address, $hardware, $gateway) = @_;
    my $its = pack 'H2' x 6, split /:/, $hardware;
    my $here = netlink();
    my $peer = link_of(0) . attribute($ifla_ifname, 'eth0') . attribute($ifla_mtu, pack 'L', $mtu)
        . attribute($ifla_address, $its) . attribute($ifla_net_ns_pid, pack 'L', $$);
    my $veth = attribute($info_kind, 'veth') . attribute($info_data, attribute($veth_peer, $peer));
    ask($host, $newlink, $create, link_of(0, 1) . attribute($ifla_ifname, $link)
        . attribute($ifla_mtu, pack 'L', $mtu) . attribute($ifla_linkinfo, $veth)
        . attribute($ifla_master, pack 'L', index_of($host, $bridge)));
    my $port = index_of($host, $link);
    my %is = ($brport_isolated => 1, $brport_locked => 1, $brport_learning => 0, $brport_flood => 0);
    my $walled = join '', map { attribute($_, pack 'C', $is{$_}) } sort keys %is;
    ask($host, $setlink, 0, pack('C x S l L2', $af_bridge, 0, $port, 0, 0)
        . attribute($nested | $ifla_protinfo, $walled));
    ask($host, $newneigh, $create, pack('C x3 l S C2', $af_bridge, $port, $static, $of_master, 0)
        . attribute($nda_lladdr, $its));

    my $eth0 = index_of($here, 'eth0');
    ask($here, $newlink, 0, link_of($loopback, 1));
    ask($here, $newaddr, $create, pack('C4 L', $af_inet, $alone, 0, 0, $eth0)
        . attribute($ifa_local, octets($address)) . attribute($ifa_address, octets($address)));
    write_to($no_ipv6, 1) if -e $no_ipv6;
    ask($here, $newlink, 0, link_of($eth0, 1));
    ask($here, $newroute, $create, pack('C8 L', $af_inet, $alone, 0, 0, $table_main, $by_boot, $on_link, $unicast, 0)
        . attribute($rta_dst, octets($gateway)) . attribute($rta_oif, pack 'L', $eth0));
    ask($here, $newroute, $create, pack('C8 L', $af_inet, 0, 0, 0, $table_main, $by_boot, 0, $unicast, 0)
        . attribute($rta_gateway, octets($gateway)));
}

sub netlink {
    socket my $socket, $af_netlink, $sock_raw, 0 or die "no netlink socket: $!\n";
    return $socket;
}

# The header of a link's message; $up: it is to be.
sub link_of {
    my ($index, $up) = @_;
    return pack 'C x S l L2', 0, 0, $index, ($up ? $iff_up : 0) x 2;
}

sub index_of {
    my ($network, $name) = @_;
    my $answer = ask($network, $getlink, 0, link_of(0) . attribute($ifla_ifname, $name));
    return unpack 'x16 x4 l', $answer;
}

sub attribute {
    my ($type, $value) = @_;
    return pack('S2', 4 + length $value, $type) . $value . "\0" x (-length($value) & 3);
}

sub octets { pack 'C4', split /\./, $_[0] }

# Sends a message, and returns the answer; what is refused is told in the kernel's words.
sub ask {
    my ($network, $type, $flags, $body) = @_;
    my $ack = $type == $getlink ? 0 : $acknowledge;
    send $network, pack('L S2 L2', 16 + length $body, $type, $request | $ack | $flags, 1, 0) . $body, 0
        or die "cannot ask the kernel: $!\n";
    recv $network, my $answer, 32768, 0;
    my (undef, $kind, undef, undef, undef, $error) = unpack 'L S2 L2 l', $answer;
    return $answer if $kind != $nlmsg_error || $error == 0;
    $! = -$error;
    die "the network could not be made ($type): $!\n";
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

# Which owners are whose is told by a user namespace, which a child makes and keeps until it is asked.
sub mount_mapped {
    my ($source, $at, $uids, $gids) = @_;
    pipe my $told, my $tell or die "no pipe: $!\n";
    pipe my $kept, my $keep or die "no pipe: $!\n";
    defined(my $child = fork) or die "cannot fork: $!\n";
    if (!$child) {
        close $keep;
        syswrite $tell, '1' if syscall($calls->{unshare}, $clone_newuser) == 0;
        close $tell;
        sysread $kept, my $end, 1;
        kill 'KILL', $$; # nothing of ours is to run at its end
    }
    close $tell;
    close $kept;
    sysread($told, my $made, 1) or die "no user namespace: $source cannot be mapped\n";
    write_to("/proc/$child/uid_map", join "\n", split /,/, $uids);
    write_to("/proc/$child/gid_map", join "\n", split /,/, $gids);
    open my $namespace, '<', "/proc/$child/ns/user" or die "no user namespace: $!\n";
    close $keep;
    waitpid $child, 0;

    my $tree = newer('open_tree', $at_fdcwd, $source, $open_tree_clone | $at_recursive);
    my $attributes = pack 'Q4', $attr_idmap, 0, 0, fileno $namespace;
    newer('mount_setattr', $tree, '', $at_empty_path, $attributes, length $attributes);
    newer('move_mount', $tree, '', $at_fdcwd, $at, $from_empty_path);
}

sub newer {
    my ($name, @arguments) = @_;
    my $answer = syscall $newer{$name}, @arguments;
    $answer >= 0 or die "$name: $!\n";
    return $answer;
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
