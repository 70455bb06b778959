#!/bin/sh
# begin-monitor.sh CGROUPS UNIFIED DISK AT OWNER PROGRAM [ARG]…
#
# Becomes PROGRAM inside the given cgroups (files cgroup.procs, separated by spaces), so that it
# outlives whatever cgroup its starter is ended with. The caller has given us a mount namespace
# of our own. Where UNIFIED is not empty, the machine's cgroups are hybrid, which crun 1.8
# refuses: then UNIFIED is unmounted. Where DISK is not empty, it is mounted at AT, with the two
# directories in it that an overlay wants, both OWNER's (a uid and gid). It has no barriers, for
# nothing of it is to survive a crash, and giving it up must not wait for the machine's disk; its
# inode tables stay the holes they are.
set -eu
for procs in $1; do
  echo $$ >"$procs"
done
[ -z "$2" ] || umount "$2"
if [ -n "$3" ]; then
  mount -n -t ext4 -o loop,nosuid,nodev,noatime,nobarrier,noinit_itable "$3" "$4"
  install -d -o "$5" -g "$5" "$4/upper" "$4/work"
fi
shift 5
exec "$@"
