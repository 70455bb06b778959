#!/bin/sh
# Runs on the host, as mmdebstrap's customise hook: $1 is the root of the stack being made.
# Adds what every dyno needs and a Debian root lacks: mountpoints, the dyno's user.
set -eu
root=$1

for directory in app slug etc/heroku buildpacks cache build source; do
  mkdir -p "$root/$directory"
done
echo 'dyno:x:1000:1000::/app:/bin/bash' >>"$root/etc/passwd"
echo 'dyno:x:1000:' >>"$root/etc/group"

# Bound over in every dyno; a symbolic link could not be.
for file in etc/hosts etc/hostname etc/resolv.conf etc/heroku/dyno sbin/mayfly-init; do
  rm -f "$root/$file"
  : >"$root/$file"
done

rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* "$root"/var/log/* \
  "$root"/usr/share/doc/* "$root"/usr/share/man/* "$root"/usr/share/info/* "$root"/usr/share/locale/*
