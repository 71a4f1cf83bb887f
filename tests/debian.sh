#!/bin/bash
# usage: tests/debian.sh SUITE TARGET PACKAGE...
#
# Makes TARGET, a folder or a .tar, the root of a minimal system of a Debian release with these packages. All of it comes
# from where this machine gets its own packages, by its own proxies. Root only.

set -eu
export LC_ALL=C
cd "$(dirname "$0")/.."
suite=$1
target=$2
shift 2

# mmdebstrap is a program in Perl: unpacked is as good as installed.
find_mmdebstrap() {
	command -v mmdebstrap && return
	local codename
	codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
	contrib/build/unpack.sh "$codename" build/tools mmdebstrap >&2
	echo "$PWD/build/tools/usr/bin/mmdebstrap"
}

mmdebstrap=$(find_mmdebstrap)
# The way to the mirror: proxies, and what is to be thought of its dates.
conf=$(mktemp)
trap 'rm -f "$conf"' EXIT
apt-config dump | grep -E '^Acquire::(https?::|Check-)' >"$conf" || true
contrib/build/mirrors.sh "$suite" |
    "$mmdebstrap" --variant=minbase --include="$(tr ' ' , <<<"$*")" --aptopt="$conf" --dpkgopt=force-unsafe-io \
        "$suite" "$target" -
