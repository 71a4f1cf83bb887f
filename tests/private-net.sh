#!/bin/sh
# usage: tests/private-net.sh COMMAND [ARGUMENT...]
#
# Runs the command in a network namespace of its own that has nothing but loopback: tests may use any port, and reach
# nobody. Root stays root. Another user keeps its user id and gets a user namespace, of whose capabilities the command
# keeps one: CAP_SYS_PTRACE, because mta-stsd's processes are not dumpable and tests count their descriptors
# (tests/system/lib/inspection.py). Where the kernel or a container allows neither, the command runs in the network of
# this machine, and a message says so.

set -eu

if [ "$(id -u)" = 0 ]; then
	as="unshare --net"
	drop=
else
	as="unshare --user --map-current-user --keep-caps --net"
	drop="setpriv --ambient-caps -all,+sys_ptrace --inh-caps -all,+sys_ptrace"
fi

if $as true 2>/dev/null; then
	# shellcheck disable=SC2016,SC2086 # the inner shell expands the one; the other is a list of words
	exec $as sh -c 'ip link set lo up && exec "$@"' sh $drop "$@"
fi
echo "No private network namespace to be had: the tests run in this machine's network." >&2
exec "$@"
