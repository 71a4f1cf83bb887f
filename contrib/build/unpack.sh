#!/bin/sh
# usage: contrib/build/unpack.sh SUITE FOLDER PACKAGE...
#        contrib/build/unpack.sh -n SUITE PACKAGE...
#
# Unpacks packages of a Debian release into FOLDER, without what they depend on, and without touching this system: by an
# apt that has its state, caches and sources in a folder of its own, and takes from the system the mirror, the proxy
# settings and the archive's keys. apt judges the signatures. FOLDER/packages has a line "PACKAGE VERSION" for each.
#
# -n prints these lines, as the mirror's newest versions are, and unpacks nothing. The lists of packages stay in
# build/apt, compressed, so that the next call gets only what has changed.

set -eu
export LC_ALL=C
cd "$(dirname "$0")/../.."
only_print=
if [ "$1" = -n ]; then
	only_print=yes
	shift
fi
suite=$1
shift
if [ -z "$only_print" ]; then
	folder=$1
	shift
fi

die() {
	printf '%s\n' "$@" >&2
	exit 1
}

# The state of apt, but for the lists, lasts as long as this script.
kept=$PWD/build/apt/$suite
apt=$(mktemp -d)
trap 'rm -rf "$apt"' EXIT
trap 'exit 1' INT TERM
mkdir -p "$kept/lists/partial" "$apt/cache/archives/partial"
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
	Dir::State::lists "$kept/lists";
	Dir::Cache "$apt/cache";
	Acquire::GzipIndexes "true";
	Acquire::Languages "none";
	APT::Sandbox::User "$(id -un)";
	APT::Update::Error-Mode "any";
END

if [ -n "$only_print" ]; then
	apt-get -c "$apt/apt.conf" update -q >&2
	newest=$(apt-cache -c "$apt/apt.conf" show --no-all-versions "$@" |
	    awk '/^Package:/ { name = $2 } /^Version:/ { print name, $2 }' | sort)
	[ -n "$newest" ] || die "no $* in:" "$(cat "$apt/sources.list")"
	printf '%s\n' "$newest"
	exit
fi
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
cd "$apt"
apt-get -c "$apt/apt.conf" update -q || true
apt-get -c "$apt/apt.conf" download -q "$@" || die "could not get $* from:" "$(cat "$apt/sources.list")"
for package in *.deb; do
	dpkg-deb -x "$package" "$folder"
	# shellcheck disable=SC2016 # dpkg-deb expands it
	dpkg-deb -W --showformat='${Package} ${Version}\n' "$package" >>"$folder/packages"
done
sort -u -o "$folder/packages" "$folder/packages"
