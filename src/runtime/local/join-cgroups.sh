#!/bin/sh
# join-cgroups.sh CGROUPS UNIFIED PROGRAM [ARG]…
#
# Becomes PROGRAM inside the given cgroups (files cgroup.procs, separated by spaces), so that it
# outlives whatever cgroup its starter is ended with. Where UNIFIED is not empty, the machine's
# cgroups are hybrid, which crun 1.8 refuses: then UNIFIED is unmounted first. The caller has
# given us a mount namespace of our own for that.
set -eu
for procs in $1; do
  echo $$ >"$procs"
done
[ -z "$2" ] || umount "$2"
shift 2
exec "$@"
