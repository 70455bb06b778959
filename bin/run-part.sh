#!/bin/sh
# run-part.sh PROGRAM PROGRAM-AT NODE NODE-AT COMMAND…
# Runs a part that is not root. This program may lie where only root may go (/root/mayfly),
# so the part sees it, and the Node that runs it, in the data directory: by bind mounts in a
# mount namespace of the part's own, gone when it ends. What the part makes is its own to
# write, and for the group of the directory that it makes it in to read.
set -eu
mount --bind "$1" "$2"
mount --bind "$3" "$4"
shift 4
umask 027
exec "$@"
