#!/bin/bash
# usage: tests/world.sh [PYTEST ARGUMENTS]
#
# Runs tests/world: this server among programs that others wrote, in a network that ends at its own edge. Their system
# is a Debian 13 root that tests/world/root.sh makes, kept in build/world/root until what it is made from changes; a run
# sees it through an overlay in memory, in namespaces that end with it: nothing is left but build/world/artefacts.

set -eu
cd "$(dirname "$0")/.."
work=$PWD/build/world
[ "$(id -u)" = 0 ] || { echo "make check-world needs root: it makes a Debian system and networks." >&2; exit 1; }
mkdir -p "$work"
exec 9>"$work/lock"
flock -n 9 || { echo "Another make check-world is at work in $work." >&2; exit 1; }

key=$(cat tests/world/root.sh tests/world/packages tests/world/senders/package*.json | sha256sum)
if [ "$(cat "$work/root.key" 2>/dev/null)" != "$key" ]; then
	echo "making a Debian 13 system in build/world/root: some minutes, once"
	rm -rf --one-file-system "$work/root.key" "$work/root" "$work/root.new"
	# In namespaces that end with it: an interrupted build leaves neither its processes nor its mounts.
	unshare --mount --pid --fork --kill-child --mount-proc \
	    tests/world/root.sh "$work/root.new" >"$work/root.log" 2>&1 </dev/null ||
	    { tail -n 40 "$work/root.log"; echo "That failed; all of it is in $work/root.log" >&2; exit 1; }
	mv "$work/root.new" "$work/root"
	echo "$key" >"$work/root.key"
fi

rm -rf "$work/artefacts"
mkdir -p "$work/artefacts" "$work/mnt"
exec unshare --mount --pid --fork --kill-child --net --uts --ipc tests/world/enter.sh "$work" "$@"
