#!/bin/sh
# usage: contrib/build/unpack.sh SUITE FOLDER PACKAGE...
#
# Unpacks packages of a Debian release into FOLDER, without what they depend on, and without touching this system: by an
# apt that has its state, caches and sources in a folder of its own, and takes from the system the mirror, the proxy
# settings and the archive's keys. apt judges the signatures.

set -eu
export LC_ALL=C
cd "$(dirname "$0")/../.."
suite=$1
folder=$2
shift 2

die() {
	printf '%s\n' "$@" >&2
	exit 1
}

apt=$(mktemp -d)
trap 'rm -rf "$apt"' EXIT
mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
: >"$apt/status"

contrib/build/mirrors.sh "$suite" >"$apt/sources.list"
[ -s "$apt/sources.list" ] || die "no Debian mirror found in /etc/apt/sources.list and sources.list.d"
cat >"$apt/apt.conf" <<-END
	Dir::Etc::sourcelist "$apt/sources.list";
	Dir::Etc::sourceparts "/dev/null";
	Dir::Etc::preferences "/dev/null";
	Dir::Etc::preferencesparts "/dev/null";
	Dir::State "$apt";
	Dir::State::status "$apt/status";
	Dir::Cache "$apt/cache";
	Acquire::Languages "none";
	APT::Sandbox::User "$(id -un)";
END

mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
cd "$apt"
apt-get -c "$apt/apt.conf" update -q || true
apt-get -c "$apt/apt.conf" download -q "$@" || die "could not get $* from:" "$(cat "$apt/sources.list")"
for package in *.deb; do
	dpkg-deb -x "$package" "$folder"
done
