#!/bin/sh
# run-part.sh PROGRAM PROGRAM-AT NODE NODE-AT COMMAND…
# Runs a part that is not root. This program may lie where only root may go (/root/mayfly),
# so the part sees it, and the Node that runs it, in the data directory: by bind mounts in a
# mount namespace of the part's own, gone when it ends. What the part makes its group may
# write (sockets above all) and a dyno's user may read (sources); the directories say who gets
# that far.
set -eu
mount --bind "$1" "$2"
mount --bind "$3" "$4"
shift 4
umask 002
exec "$@"
