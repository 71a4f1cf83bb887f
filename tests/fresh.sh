#!/bin/bash
# usage: tests/fresh.sh [SUITE...]
#
# Proves, in a fresh minimal system of each Debian release, that what is committed needs no more than `make check` to be
# tested and `make run` to be seen: a clone, nothing installed but make and git. In a release other than this system's,
# `make lint` too: its compilers and checkers have to agree with those here. Root and the system's own mirror are needed;
# the base systems are kept in build/fresh, as are the logs. One line a step, with its seconds.

set -eu
cd "$(dirname "$0")/.."
checkout=$PWD
kept=$PWD/build/fresh
suites=("$@")
[ ${#suites[@]} -gt 0 ] || suites=(bookworm trixie)
here=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
[ "$(id -u)" = 0 ] || { echo "This needs root." >&2; exit 1; }

root=
trap '[ -z "$root" ] || rm -rf --one-file-system "$root"' EXIT
trap 'exit 1' INT TERM
mkdir -p "$kept"
failures=0

# step NAME COMMAND...: its output goes to a log, whose end is shown if it fails.
step() {
	local name=$1 log since=$SECONDS
	log=$kept/$(tr -cs "a-z\n" - <<<"$name").log
	shift
	if "$@" >"$log" 2>&1 </dev/null; then
		printf '%s: %s (%d s)\n' "$name" "$(tail -n 1 "$log")" $((SECONDS - since))
	else
		tail -n 40 "$log"
		printf '%s: FAILED after %d s, all of it is in %s\n' "$name" $((SECONDS - since)) "$log"
		failures=$((failures + 1))
		return 1
	fi
}

make_base() {
	local suite=$1
	tests/debian.sh "$suite" "$kept/$suite.new.tar" make git ca-certificates &&
	    mv "$kept/$suite.new.tar" "$kept/$suite.tar" &&
	    ls "$kept/$suite.tar"
}

# A fresh system at $root, with a clone of what is committed.
unpack() {
	tar -xf "$kept/$1.tar" -C "$root" &&
	    cp /etc/resolv.conf "$root/etc/resolv.conf" &&
	    git clone --quiet --no-local "$checkout" "$root/root/mta-stsd" &&
	    git -C "$root/root/mta-stsd" log -1 --format='%h %s'
}

# Runs a shell script inside, in mount and process namespaces that end with it, and so does all that it started.
# shellcheck disable=SC2016 # the inner shells expand it
inside() {
	unshare --mount --pid --fork --kill-child sh -eu -c '
		mount -t proc proc "$1/proc"
		mount --rbind /dev "$1/dev"
		exec chroot "$1" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
		    LANG=C.UTF-8 ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
		    sh -eu -c "$2"' sh "$root" "$1"
}

# Waits for the curl lines that `make run` prints, and does what they are for: pastes one, somewhere else.
# shellcheck disable=SC2016
run_and_fetch='
	cd /root/mta-stsd
	make run >/tmp/run.log 2>&1 &
	while ! grep -q "Ctrl-C ends it" /tmp/run.log; do
		kill -0 $! 2>/dev/null || { cat /tmp/run.log; exit 1; }
		sleep 0.2
	done
	cat /tmp/run.log
	cd /
	line=$(grep -m 1 "^curl " /tmp/run.log)
	policy=$(eval "$line")
	kill -TERM $!
	wait $! || true
	grep -l mta-stsd /proc/[0-9]*/comm 2>/dev/null && { echo "it is still there"; exit 1; }
	echo "$policy" | tr -d "\r"
	[ "$(echo "$policy" | head -n 1 | tr -d "\r")" = "version: STSv1" ]
	echo "a policy was fetched"'

for suite in "${suites[@]}"; do
	[ -e "$kept/$suite.tar" ] || step "$suite: base system" make_base "$suite" || continue
	targets=(check run)
	[ "$suite" = "$here" ] || targets+=(lint)
	for what in "${targets[@]}"; do
		root=$(mktemp -d)
		chmod 755 "$root"
		if step "$suite: clone" unpack "$suite"; then
			case $what in
			run) step "$suite: make run" inside "$run_and_fetch" || true ;;
			*)   step "$suite: make $what" inside "cd /root/mta-stsd && make $what" || true ;;
			esac
		fi
		rm -rf --one-file-system "$root"
		root=
	done
done
[ "$failures" = 0 ]
