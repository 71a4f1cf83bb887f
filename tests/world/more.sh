#!/bin/bash
# usage: tests/world/more.sh ROOT
#
# Gives the Debian 13 system in ROOT what tests/world needs beside its packages: in /opt/senders the npm packages that
# tests/world/senders locks, and in /opt/openssl-3.0 Debian 12's OpenSSL.

set -eu
export LC_ALL=C
cd "$(dirname "$0")/../.."
root=$1

contrib/build/unpack.sh bookworm "$root/opt/openssl-3.0" openssl libssl3

# What npm trusts is what this machine trusts, which may have a proxy that opens TLS.
mkdir "$root/opt/senders"
cp tests/world/senders/package*.json "$root/opt/senders"
cp /etc/resolv.conf "$root/etc/resolv.conf"
bundle=/etc/ssl/certs/ca-certificates.crt
[ ! -e "$bundle" ] || cp "$bundle" "$root/tmp/machine.crt"
# shellcheck disable=SC2016 # the inner shell expands it
unshare --mount --pid --fork --kill-child sh -eu -c '
	mount -t proc proc "$1/proc"
	mount --rbind /dev "$1/dev"
	HOME=/tmp NODE_EXTRA_CA_CERTS=/tmp/machine.crt npm_config_cafile= \
	    exec chroot "$1" npm ci --prefix /opt/senders --ignore-scripts --no-audit --no-fund' sh "$root"
rm -rf "$root/tmp/machine.crt" "$root/tmp/.npm"
