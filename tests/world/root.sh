#!/bin/bash
# usage: tests/world/root.sh FOLDER
#
# Makes FOLDER the root of a Debian 13 system with what tests/world needs: the packages of tests/world/packages, in
# /opt/senders the npm packages that tests/world/senders locks, and in /opt/openssl-3.0 Debian 12's OpenSSL. All of it
# comes from where this machine gets its own packages, by its own proxies.

set -eu
export LC_ALL=C
cd "$(dirname "$0")/../.."
root=$1
work=$PWD/build/world

# mmdebstrap is a program in Perl: unpacked is as good as installed.
find_mmdebstrap() {
	command -v mmdebstrap && return
	local codename
	codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
	contrib/build/unpack.sh "$codename" "$work/tools" mmdebstrap >&2
	echo "$work/tools/usr/bin/mmdebstrap"
}

# What npm trusts is what this machine trusts, which may have a proxy that opens TLS.
# shellcheck disable=SC2016 # the inner shell expands it
install_senders() {
	mkdir "$root/opt/senders"
	cp tests/world/senders/package*.json "$root/opt/senders"
	cp /etc/resolv.conf "$root/etc/resolv.conf"
	local bundle=/etc/ssl/certs/ca-certificates.crt
	[ ! -e "$bundle" ] || cp "$bundle" "$root/tmp/machine.crt"
	unshare --mount --pid --fork --kill-child sh -eu -c '
		mount -t proc proc "$1/proc"
		mount --rbind /dev "$1/dev"
		HOME=/tmp NODE_EXTRA_CA_CERTS=/tmp/machine.crt npm_config_cafile= \
		    exec chroot "$1" npm ci --prefix /opt/senders --ignore-scripts --no-audit --no-fund' sh "$root"
	rm -rf "$root/tmp/machine.crt" "$root/tmp/.npm"
}

mmdebstrap=$(find_mmdebstrap)
packages=$(sed 's/#.*//' tests/world/packages | xargs | tr ' ' ,)
# The way to the mirror: proxies, and what is to be thought of its dates.
apt-config dump | grep -E '^Acquire::(https?::|Check-)' >"$work/apt.conf" || true
contrib/build/mirrors.sh trixie |
    "$mmdebstrap" --variant=minbase --include="$packages" --aptopt="$work/apt.conf" --dpkgopt=force-unsafe-io \
        --format=directory trixie "$root" -
contrib/build/unpack.sh bookworm "$root/opt/openssl-3.0" openssl libssl3
install_senders
