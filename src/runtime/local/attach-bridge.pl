#!/usr/bin/perl -w
# attach-bridge.pl DIRECTORY GROUP INIT [PATIENCE]
#
# Joins one client with the process that conmon watches over in DIRECTORY: the client comes by
# the stream socket `stream.sock` (the group's of gid GROUP), raw bytes go both ways. Until the
# process was let go its name is `stream.sock.new`: what is begun anew has had no client. conmon
# speaks in packets, which Node cannot read, and forgets what nobody reads in time; this keeps
# it until the client comes, which may be after the process has ended. It prints `ready` once
# it listens, and conmon knows it: from then on no output is lost.
#
# It belongs to no other process of ours: a session goes on whatever becomes of the manager.
# What is kept is bounded; then the process waits for its client, as it would for a terminal.
# Once the process whose pid is in the file INIT has ended no more than its pipes hold is to
# come, so the bound is lifted: conmon must not wait, it has an end to tell of.
#
# With PATIENCE, a number of seconds, the process does not outlive its session: when no client
# has come for so long, or it is gone, the process's group is sent SIGHUP, and SIGKILL if it
# still runs after as long again.
use strict;

my ($directory, $group, $init_file, $patience) = @ARGV;

# Of x64 and arm64 alike. The module with these names takes longer to load than all of this.
my ($pf_unix, $stream, $seqpacket, $shut_write) = (1, 1, 5, 1);
my ($largest, $packet, $piece) = (1024 * 1024, 32768, 8192);
my ($eagain, $eintr) = (11, 4);
my $listens_within = 10;

$SIG{PIPE} = $SIG{HUP} = 'IGNORE';
chdir $directory or die "cannot enter $directory: $!\n";
my $monitor = attached();
my $door = listening();
my $client;
my ($to_client, $to_dyno) = ('', '');
my ($dyno_is_over, $client_has_ended, $input_is_closed, $client_is_gone) = (0, 0, 0, 0);
my $deserted_at = time;
my $hang_ups = 0;
my $said_end_at;
announce();
step() until over();
exit 0;

# A client that is still writing when we close loses what it has not read yet: it is told that
# nothing more comes, and then heard out.
sub over {
    return 0 unless $dyno_is_over;
    return 1 if $client_is_gone;
    return 0 unless $client && $to_client eq '';
    if (!$said_end_at) {
        shutdown $client, $shut_write;
        $said_end_at = time;
    }
    return $client_has_ended || time - $said_end_at > $listens_within;
}

# A socket's path may have 107 bytes; seen from its directory it is short.
sub attached {
    socket my $socket, $pf_unix, $seqpacket, 0 or die "no socket: $!\n";
    connect $socket, pack 'Sa*x', $pf_unix, 'attach' or die "cannot attach: $!\n";
    unblock($socket);
    return $socket;
}

sub listening {
    umask 0117;
    socket my $socket, $pf_unix, $stream, 0 or die "no socket: $!\n";
    bind $socket, pack 'Sa*x', $pf_unix, 'stream.sock.new' or die "cannot bind: $!\n";
    chown 0, $group, 'stream.sock.new' if $group ne '';
    listen $socket, 1 or die "cannot listen: $!\n";
    return $socket;
}

sub announce {
    syswrite STDOUT, "ready\n";
    for my $handle (*STDIN, *STDOUT, *STDERR) {
        open $handle, '+<', '/dev/null' or die "cannot open /dev/null: $!\n";
    }
}

sub step {
    my $full = length $to_client >= $largest && defined init();
    my $reads = vector(
        !$dyno_is_over && !$full ? $monitor : undef,
        $client ? undef : $door,
        hears_client() ? $client : undef,
    );
    my $writes = vector(
        $client && $to_client ne '' ? $client : undef,
        $to_dyno ne '' ? $monitor : undef,
    );
    my ($readable, $writable) = ($reads, $writes);
    # There is something to poll only where nothing else would tell.
    select $readable, $writable, undef, $full || $patience || $said_end_at ? 0.5 : undef;
    hang_up() if $patience && is_deserted();

    take_output() if is_in($readable, $monitor);
    admit() if !$client && is_in($readable, $door);
    take_input() if $client && is_in($readable, $client);
    give_output() if $client && is_in($writable, $client);
    give_input() if is_in($writable, $monitor);
}

sub hears_client {
    return $client && !$client_has_ended && ($dyno_is_over || length $to_dyno < $packet);
}

sub take_output {
    my $got = recv $monitor, my $bytes, $packet, 0;
    return if !defined $got && again();
    # The first byte says which output it is.
    if (defined $got && $bytes ne '') {
        $to_client .= substr $bytes, 1 unless $client_is_gone;
        return;
    }
    $dyno_is_over = 1;
    $to_dyno = '';
}

sub admit {
    accept $client, $door or return $client = undef;
    unblock($client);
    close $door;
    unlink 'stream.sock';
}

sub take_input {
    my $got = sysread $client, $to_dyno, $piece, length $to_dyno;
    return if !defined $got && again();
    $to_dyno = '' if $dyno_is_over;
    return if $got;
    $client_has_ended = 1;
    client_went() unless defined $got;
    close_input();
}

sub give_output {
    my $given = syswrite $client, $to_client, 65536;
    return if !defined $given && again();
    return client_went() unless defined $given;
    substr $to_client, 0, $given, '';
}

sub give_input {
    my $given = send $monitor, substr($to_dyno, 0, $piece), 0;
    return if !defined $given && again();
    substr $to_dyno, 0, defined $given ? $given : length $to_dyno, '';
    close_input();
}

# conmon closes the process's input in turn, if that is a pipe.
sub close_input {
    return if !$client_has_ended || $to_dyno ne '' || $input_is_closed;
    $input_is_closed = 1;
    shutdown $monitor, $shut_write;
}

sub client_went {
    $client_is_gone = $client_has_ended = 1;
    $to_client = '';
}

sub is_deserted {
    return 1 if !$client || $client_is_gone;
    # One that has only ended its side can still be sent to.
    client_went() if $client_has_ended && !defined send($client, '', 0) && !again();
    $deserted_at = time;
    return 0;
}

sub hang_up {
    return if $hang_ups > 1 || !defined init();
    my $waits = $client_is_gone && !$hang_ups ? 0 : $patience;
    return if time - $deserted_at < $waits;
    kill $hang_ups ? 'KILL' : 'HUP', -getpgrp(init());
    $deserted_at = time;
    $hang_ups++;
}

# Its pid, while it runs: what its parent has yet to bury runs nothing any more.
sub init {
    open my $file, '<', $init_file or return undef;
    my $pid = readline $file;
    return defined $pid && readlink "/proc/$pid/exe" ? $pid : undef;
}

sub again { return $! == $eagain || $! == $eintr }

sub unblock {
    my ($socket) = @_;
    my ($get, $set, $nonblock) = (3, 4, 2048);
    my $flags = fcntl $socket, $get, 0;
    fcntl $socket, $set, $flags | $nonblock or die "cannot unblock: $!\n";
}

sub vector {
    my $bits = '';
    for my $handle (grep { defined } @_) { vec($bits, fileno $handle, 1) = 1 }
    return $bits;
}

sub is_in {
    my ($bits, $handle) = @_;
    my $number = fileno $handle;
    return defined $number && vec($bits, $number, 1);
}
