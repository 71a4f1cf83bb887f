#!/bin/bash
# usage: tests/world.sh [PYTEST ARGUMENTS]
#
# Runs tests/world: this server among programs that others wrote, in a network that ends at its own edge. Their system
# is a Debian 13 root that tests/root.sh keeps in build/world; a run sees it through an overlay in memory, in namespaces
# that end with it: nothing is left but build/world/artefacts.

set -eu
cd "$(dirname "$0")/.."
work=$PWD/build/world
[ "$(id -u)" = 0 ] || { echo "make check-world needs root: it makes a Debian system and networks." >&2; exit 1; }
mkdir -p "$work"
exec 9>"$work/lock"
flock -n 9 || { echo "Another make check-world is at work in $work." >&2; exit 1; }

tests/root.sh "$work" trixie tests/world/packages tests/world/more.sh tests/world/senders/package*.json

rm -rf "$work/artefacts"
mkdir -p "$work/artefacts" "$work/mnt"
exec unshare --mount --pid --fork --kill-child --net --uts --ipc tests/world/enter.sh "$work" "$@"
