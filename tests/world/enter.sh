#!/bin/bash
# usage: tests/world/enter.sh BUILD/WORLD [PYTEST ARGUMENTS]
#
# The inside of tests/world.sh, run in namespaces of its own: mounts an overlay of the root, with a copy of the sources
# in /mta-stsd, enters it, builds both programs there and runs the tests.

set -eu
work=$1
shift
root=$work/mnt/root

mount -t tmpfs -o mode=755 world "$work/mnt"
mkdir "$work/mnt/upper" "$work/mnt/work" "$root"
mount -t overlay -o "lowerdir=$work/root,upperdir=$work/mnt/upper,workdir=$work/mnt/work" world "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t tmpfs -o mode=755 dev "$root/dev"
for device in null zero full random urandom tty; do
	: >"$root/dev/$device"
	mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=666 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
ln -s fd/1 "$root/dev/stdout"  # where Postfix logs to

mkdir "$root/mta-stsd"
tar --exclude=./build --exclude=./.git -cf - . | tar -xf - -C "$root/mta-stsd" --no-same-owner
mkdir -p "$root/mta-stsd/build/world/artefacts"
mount --bind "$work/artefacts" "$root/mta-stsd/build/world/artefacts"

hostname world
ip link set lo up
# shellcheck disable=SC2016 # the inner shell expands it
exec chroot "$root" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
    TMPDIR=/mta-stsd/build/world/artefacts bash -eu -c '
	cd /mta-stsd
	rm -f /etc/resolv.conf  # every host has its own, mounted over this one
	: >/etc/resolv.conf
	useradd --system --no-create-home --shell /usr/sbin/nologin mta-sts
	quietly() { "$@" >/tmp/log 2>&1 || { cat /tmp/log; exit 1; }; }
	quietly make server tool
	PYTHONPATH=tests/world quietly /usr/bin/python3 -m lib.ca
	quietly update-ca-certificates
	exec /usr/bin/python3 tests/run.py --server build/mta-stsd --tests tests/world --pytest="$*"' bash "$@"
