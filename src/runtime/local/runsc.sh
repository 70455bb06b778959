#!/bin/sh
# runsc.sh RUNSC [ARG]…: gVisor's OCI runtime as others' are called.
#
# conmon tells an `exec` of a terminal by --tty, which runsc does not know; it is in the process's
# own configuration, too. And before it takes a dyno's network, runsc looks whether it is the host's by
# a file that kernels since 6.9 have in every network: here it does not see it.
set -eu
starts=
for arg; do
  shift
  case $arg in
    --tty) continue ;;
    start) starts=1 ;;
  esac
  set -- "$@" "$arg"
done
if [ -n "$starts" ]; then
  exec unshare --mount sh -c 'mount -t tmpfs none /proc/sys/net/core && exec "$@"' sh "$@"
fi
exec "$@"
