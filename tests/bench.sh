#!/bin/bash
# usage: tests/bench.sh [ARGUMENTS OF tests/bench/run.py]
#
# Runs tests/bench: mta-stsd, and beside it the servers of others from a Debian root that tests/root.sh keeps in
# build/bench; of the release that runs here, or of $BENCH_SUITE. All in namespaces that end with it: no port of this
# machine is used, and no process is left.

set -eu
cd "$(dirname "$0")/.."
work=$PWD/build/bench
[ "$(id -u)" = 0 ] || { echo "make bench needs root: it makes a Debian system and namespaces." >&2; exit 1; }
mkdir -p "$work"
exec 9>"$work/lock"
flock -n 9 || { echo "Another make bench is at work in $work." >&2; exit 1; }

suite=${BENCH_SUITE:-$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)}
tests/root.sh "$work" "$suite" tests/bench/packages

ulimit -n "$(ulimit -H -n)"
export BENCH_ROOT=$work/root BENCH_SUITE=$suite PYTHONDONTWRITEBYTECODE=1
# What a run writes is in memory.
# shellcheck disable=SC2016 # the inner shell expands it
exec unshare --mount --pid --fork --kill-child --mount-proc --net sh -eu -c '
	ip link set lo up
	for folder in srv tmp run; do mount -t tmpfs -o mode=755 bench "$BENCH_ROOT/$folder"; done
	mount -t proc proc "$BENCH_ROOT/proc"
	mount --rbind /dev "$BENCH_ROOT/dev"
	exec "$@"' sh "${PYTHON:-/usr/bin/python3}" tests/bench/run.py "$@"
