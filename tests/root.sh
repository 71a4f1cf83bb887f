#!/bin/bash
# usage: tests/root.sh FOLDER SUITE PACKAGES [SCRIPT INPUT...]
#
# Makes FOLDER/root the root of a Debian system: the packages that the file PACKAGES lists, and what SCRIPT ROOT does
# then. It is kept until one of these, or of the files that the script takes in, changes. Its log is FOLDER/root.log.

set -eu
cd "$(dirname "$0")/.."
folder=$1
suite=$2
packages=$3
shift 3
script=${1:-true}

key=$(cat tests/root.sh tests/debian.sh "$packages" "$@" | cat - <(echo "$suite") | sha256sum)
[ "$(cat "$folder/root.key" 2>/dev/null)" != "$key" ] || exit 0

echo "making a Debian system ($suite) in $folder/root: some minutes, once"
rm -rf --one-file-system "$folder/root.key" "$folder/root" "$folder/root.new"
mapfile -t names < <(sed 's/#.*//' "$packages" | xargs -n 1)
# In namespaces that end with it: an interrupted build leaves neither its processes nor its mounts.
# shellcheck disable=SC2016 # the inner shell expands it
unshare --mount --pid --fork --kill-child --mount-proc sh -eu -c '
	script=$1 suite=$2 root=$3
	shift 3
	tests/debian.sh "$suite" "$root" "$@"
	"$script" "$root"' sh "$script" "$suite" "$folder/root.new" "${names[@]}" \
    >"$folder/root.log" 2>&1 </dev/null ||
    { tail -n 40 "$folder/root.log"; echo "That failed; all of it is in $folder/root.log" >&2; exit 1; }
mv "$folder/root.new" "$folder/root"
echo "$key" >"$folder/root.key"
