#!/bin/sh
# usage: tests/private-net.sh COMMAND [ARGUMENT...]
#
# Runs the command in a network namespace of its own that has nothing but loopback: tests may use any port, and reach
# nobody. Root stays root; anybody else stays who he is, and holds the capabilities of a user namespace only until
# loopback is up. Where the kernel or a container allows neither, it runs in the network there is, and says so.

set -eu

if [ "$(id -u)" = 0 ]; then
	as="unshare --net"
	drop=
else
	as="unshare --user --map-current-user --keep-caps --net"
	drop="setpriv --ambient-caps -all --inh-caps -all"
fi

if $as true 2>/dev/null; then
	# shellcheck disable=SC2016,SC2086 # the inner shell expands the one; the other is a list of words
	exec $as sh -c 'ip link set lo up && exec "$@"' sh $drop "$@"
fi
echo "No private network namespace to be had: the tests run in this machine's network." >&2
exec "$@"
