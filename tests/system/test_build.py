"""The Makefile and contrib/build, in a copy of what is here: what is made again, installed, removed, and got anew."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 120
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
KNOWN = [f"build/mbedtls/{name}" for name in ("cflags", "libs", "wraps")]
PROGRAM, OBJECT = "build/unit/test_hash", "build/src/common/hash.o"


@pytest.fixture
def copy(tmp_path):
    """In a folder with a space in its name."""
    folder = tmp_path / "a copy"
    for part in ("src", "tests/unit", "contrib", "docs", "etc"):
        shutil.copytree(ROOT / part, folder / part)
    shutil.copy2(ROOT / "Makefile", folder)
    return folder


def run(folder, *command, **options):
    return subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=SECONDS, check=False, **{"env": ENVIRONMENT, **options})


def make(folder, *arguments):
    done = run(folder, "make", *arguments)
    assert done.returncode == 0, done.stdout
    return done.stdout


# --- Flags

@pytest.fixture
def made(copy):
    """made(*flags): which of a program and its object make has made again."""
    shutil.copytree(ROOT / "build/mbedtls", copy / "build/mbedtls")
    if (ROOT / "build/deps").exists():
        (copy / "build/deps").symlink_to(ROOT / "build/deps")

    def made(*flags):
        before = {name: (copy / name).stat().st_mtime_ns for name in (PROGRAM, OBJECT) if (copy / name).exists()}
        make(copy, "-s", "-j1", *(f"--old-file={name}" for name in KNOWN), *flags, PROGRAM)
        return {name for name in (PROGRAM, OBJECT) if (copy / name).stat().st_mtime_ns != before.get(name)}

    return made


def test_other_flags_of_the_linker_link_again_and_other_flags_of_the_compiler_compile_again(made):
    assert made() == {PROGRAM, OBJECT}
    assert made() == set()
    assert made("LDFLAGS=-Wl,-O1") == {PROGRAM}
    assert made("LDFLAGS=-Wl,-O1") == set()
    assert made() == {PROGRAM}
    assert made("CFLAGS=-O1") == {PROGRAM, OBJECT}
    assert made("CFLAGS=-O1", "CPPFLAGS=-DWORD='\"it is\"'") == {PROGRAM, OBJECT}
    assert made("CFLAGS=-O1", "CPPFLAGS=-DWORD='\"it is\"'") == set()


# --- Installing

def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_symlink() or path.is_file())


def test_uninstall_removes_what_install_has_put_there_and_nothing_else(copy, tmp_path):
    (copy / "build").mkdir()
    for name in ("mta-stsd", "mta-sts"):
        (copy / "build" / name).touch()
    root = tmp_path / "the root"
    others = root / "usr/local/sbin/another", root / "etc/mta-sts/policies.d/customer.ini"
    for path in others:
        path.parent.mkdir(parents=True)
        path.touch()
    where = [f"DESTDIR={root}", "--old-file=server", "--old-file=tool"]
    make(copy, *where, "install")
    installed = files(root)
    assert {"usr/local/sbin/mta-stsd", "usr/local/bin/mta-sts", "usr/local/share/man/man8/mta-stsd.8",
            "usr/local/lib/systemd/system/mta-stsd.service", "etc/mta-sts/mta-stsd.ini"} <= set(installed)
    said = make(copy, *where, "uninstall")
    assert files(root) == sorted([*(str(path.relative_to(root)) for path in others), "etc/mta-sts/mta-stsd.ini"])
    assert f"kept: {root}/etc/mta-sts" in said


# --- Libraries that are unpacked, on Debian 12

UNPACK = """#!/bin/sh
echo "$*" >>calls
[ -e mirror ] || exit 1
if [ "$1" = -n ]; then cat mirror; exit; fi
mkdir -p "$2/usr/include/mbedtls" "$2/usr/include/nettle" "$2/usr/lib/x"
echo "#define MBEDTLS_VERSION_NUMBER 0x03060600" >"$2/usr/include/mbedtls/build_info.h"
printf '#define NETTLE_VERSION_MAJOR 3\\n#define NETTLE_VERSION_MINOR 10\\n' >"$2/usr/include/nettle/version.h"
touch "$2/usr/lib/x/libmbedtls.a"
cp mirror "$2/packages"
"""
OLD, NEW = (f"libmbedtls-dev 3.6.6-0.1~deb13u{n}\nnettle-dev 3.10.1-1\n" for n in (1, 2))


class Debian12:
    """A copy with another os-release, a compiler that has no headers of the system, and a mirror that is a file."""

    def __init__(self, folder):
        self.folder = folder
        deps = folder / "contrib/build/deps.sh"
        deps.write_text(deps.read_text().replace("/etc/os-release", "os-release"))
        (folder / "os-release").write_text('ID=debian\nVERSION_ID="12"\n')
        for name, text in ("contrib/build/unpack.sh", UNPACK), ("cc", '#!/bin/sh\nexec cc -nostdinc "$@"\n'):
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
        self.offer(OLD)

    def offer(self, versions):
        (self.folder / "mirror").write_text(versions)

    def deps(self, group):
        """Exit status, what is printed, and the calls of unpack.sh."""
        (self.folder / "calls").write_text("")
        environment = {**ENVIRONMENT, "CC": str(self.folder / "cc")}
        for name in ("MBEDTLS", "CURVES"):
            environment.pop(name, None)
        done = run(self.folder, "contrib/build/deps.sh", group, env=environment)
        return done.returncode, done.stdout, (self.folder / "calls").read_text().splitlines()

    def a_day_passes(self):
        newest = self.folder / "build/apt/newest"
        os.utime(newest, (newest.stat().st_mtime - 90000,) * 2)

    def linked(self):
        return (self.folder / "build/mbedtls/cflags").read_text()


@pytest.fixture
def debian_12(copy):
    if not shutil.which("apt-get"):
        pytest.skip("needs apt")
    machine = Debian12(copy)
    status, _, calls = machine.deps("server")
    assert status == 0 and len(calls) == 1 and "deb13u1, nettle-dev 3.10.1-1" in machine.linked()
    return machine


def test_newer_libraries_of_the_mirror_are_reported_and_asked_for_once_a_day(debian_12):
    debian_12.offer(NEW)
    assert debian_12.deps("server") == (0, "", [])
    debian_12.a_day_passes()
    status, said, calls = debian_12.deps("server")
    assert status == 0 and len(calls) == 1 and calls[0].startswith("-n ")
    assert said.count("\n") == 1 and "libmbedtls-dev 3.6.6-0.1~deb13u2" in said and "make deps-update" in said
    assert debian_12.deps("server") == (0, said, [])


def test_a_mirror_that_cannot_be_asked_stops_no_build_and_is_asked_a_day_later(debian_12):
    (debian_12.folder / "mirror").unlink()
    debian_12.a_day_passes()
    status, said, calls = debian_12.deps("server")
    assert (status, said, len(calls)) == (0, "", 1)
    assert debian_12.deps("server") == (0, "", [])


def test_an_update_replaces_the_libraries_and_the_next_make_links_them_in(debian_12):
    before = debian_12.linked()
    status, said, _ = debian_12.deps("update")
    assert status == 0 and "newest" in said and "deb13u1" in said
    debian_12.offer(NEW)
    status, said, _ = debian_12.deps("update")
    assert status == 0 and "deb13u2" in said
    assert debian_12.deps("server") == (0, "", [])
    assert debian_12.linked() != before and "deb13u2" in debian_12.linked()


def test_an_update_without_a_mirror_fails_and_leaves_the_libraries(debian_12):
    (debian_12.folder / "mirror").unlink()
    status, said, _ = debian_12.deps("update")
    assert status == 1 and "cannot be asked" in said
    assert (debian_12.folder / "build/deps/packages").read_text() == OLD


def test_an_update_where_the_system_has_the_libraries_says_so(debian_12):
    (debian_12.folder / "os-release").write_text('ID=debian\nVERSION_ID="13"\n')
    status, said, calls = debian_12.deps("update")
    assert (status, calls) == (0, []) and "the system's" in said
