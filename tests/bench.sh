#!/bin/bash
# usage: tests/bench.sh [ARGUMENTS OF tests/bench/run.py]
#
# Runs tests/bench, in namespaces that end with it: no port of this machine is used, and no process is left.

set -eu
cd "$(dirname "$0")/.."
[ "$(id -u)" = 0 ] || { echo "make bench needs root: it makes namespaces." >&2; exit 1; }

# shellcheck disable=SC2016 # the inner shell expands it
exec unshare --mount --pid --fork --kill-child --mount-proc --net sh -eu -c '
	ip link set lo up
	PYTHONDONTWRITEBYTECODE=1 exec "$@"' sh "${PYTHON:-/usr/bin/python3}" tests/bench/run.py "$@"
