"""The unit as `make install` puts it, under a systemd of its own: what systemctl says of a reload, and of a reboot.

That systemd is the first process of namespaces, with a /run, /etc, /var/lib and control groups that end with it.
"""

import re
import shlex
import subprocess
import time
from pathlib import Path

import pytest

from lib.server import MTA_STSD

ROOT = Path(__file__).resolve().parents[2]
UNIT = ROOT / "contrib" / "systemd" / "mta-stsd.service"
INI = "/etc/mta-sts/mta-stsd.ini"
PATIENCE = 60  # seconds
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
TARGETS = "basic", "sysinit", "shutdown", "network-online", "multi-user"

# $1: the program, $2: the unit, $3: its targets
_BOOT = """
mount -t proc proc /proc
mount -t tmpfs -o mode=755 none /run
cp -a /etc /run/etc && mount --bind /run/etc /etc && rm -rf /etc/mta-sts && mkdir /etc/mta-sts
mount -t tmpfs -o mode=755 none /var/lib
mountpoint -q /sys || mount -t sysfs none /sys
umount -R /sys/fs/cgroup 2>/dev/null || :
mount -t cgroup2 none /sys/fs/cgroup
install -D "$1" /run/prefix/sbin/mta-stsd
mkdir /run/units
sed 's|/usr/sbin/|/run/prefix/sbin/|' "$2" >/run/units/mta-stsd.service
for target in $3; do printf '[Unit]\\nDescription=%s\\n' "$target" >/run/units/$target.target; done
ip link set lo up
export container=lxc SYSTEMD_UNIT_PATH=/run/units
exec /usr/lib/systemd/systemd --system --unit=basic.target --log-target=console
"""

CONFIGURATION = """[server]
listen = 127.0.0.1:443
state_dir = /var/lib/mta-sts/state
[defaults]
certificate = /etc/mta-sts/%h.pem
[example.org]
mode = none
mx = mx.example.org
"""


class Booted:
    """systemd as the first process of its own namespaces."""

    def __init__(self):
        program = shlex.split(MTA_STSD)[-1]
        self._process = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--net", "--ipc", "--uts", "--cgroup", "--fork", "--kill-child",
             "sh", "-euc", _BOOT, "sh", program, str(UNIT), " ".join(TARGETS)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        deadline = time.monotonic() + PATIENCE
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        while not (pids := children.read_text().split()):
            assert time.monotonic() < deadline
        self._first = pids[0]
        while self.run("systemctl", "is-active", "basic.target")[1] != "active\n":
            assert self._process.poll() is None and time.monotonic() < deadline, self.log()
            time.sleep(0.1)  # before it listens, there is nothing to wait for

    def run(self, *command):
        """Exit status and output."""
        done = subprocess.run(["nsenter", "-t", self._first, "-m", "-p", "-n", "-C", "-r", *command], text=True, timeout=PATIENCE,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        return done.returncode, done.stdout

    def systemctl(self, verb):
        """The exit status."""
        return self.run("systemctl", verb, "mta-stsd")[0]

    def status(self):
        """What the service manager says of the service: its state, and its own words."""
        _, text = self.run("systemctl", "show", "-p", "ActiveState", "-p", "SubState", "-p", "StatusText", "mta-stsd")
        shown = dict(line.split("=", 1) for line in text.splitlines())
        return f"{shown['ActiveState']} {shown['SubState']}", shown["StatusText"]

    def configure(self, text):
        file = Path(f"/proc/{self._first}/root{INI}")
        file.write_text(text, encoding="ascii")

    def end(self):
        self._process.kill()
        self._process.communicate()

    def log(self):
        self._process.kill()
        return self._process.communicate()[0]


@pytest.fixture
def booted():
    booted = Booted()
    booted.configure(CONFIGURATION)
    yield booted
    booted.end()


def test_systemctl_reload_has_the_result_of_the_reload(booted):
    assert booted.systemctl("start") == 0
    assert booted.status()[1].startswith("ready: generation 1, 1 domain,")
    assert booted.systemctl("reload") == 0  # of the same inputs
    booted.configure(CONFIGURATION.replace("mode = none", "mode = testing"))
    assert booted.systemctl("reload") == 0
    state, text = booted.status()
    assert state == "active running" and re.match(r"ready: generation \d+, 1 domain,", text)
    booted.configure(CONFIGURATION + "mox = mx.example.org\n")
    assert booted.systemctl("reload") != 0
    state, text = booted.status()
    line = CONFIGURATION.count("\n") + 1
    assert state == "active running"
    assert re.fullmatch(rf"reload refused at {INI}:{line}; generation \d+ \(of {TIME}\) goes on", text)
    exit_status, output = booted.run("/run/prefix/sbin/mta-stsd", "-r")  # as an operator's shell has it
    assert exit_status == 1 and f"{INI}:{line}: error: " in output and "reload refused at" in output
    booted.configure(CONFIGURATION)
    assert booted.systemctl("reload") == 0
    assert booted.status()[1].startswith("ready: ")
    assert booted.systemctl("stop") == 0


@pytest.mark.parametrize("broken", [CONFIGURATION + "mox = mx.example.org\n", "", None], ids=["typo", "empty", "missing"])
def test_a_restart_with_a_broken_configuration_serves_the_last_good_one(booted, broken):
    assert booted.systemctl("start") == 0
    if broken is None:
        booted.run("rm", INI)
    else:
        booted.configure(broken)
    assert booted.systemctl("restart") == 0
    state, text = booted.status()
    assert state == "active running"
    assert text.startswith(f"degraded: the configuration is refused at {INI}")
    assert booted.systemctl("reload") != 0
    booted.configure(CONFIGURATION)
    assert booted.systemctl("reload") == 0
    assert booted.status()[1].startswith("ready: ")


def test_what_the_unit_makes_is_for_its_user_alone(booted):
    assert booted.systemctl("start") == 0
    for directory in "/var/lib/mta-sts/state", "/run/mta-sts":
        assert booted.run("stat", "-c", "%a %U", directory) == (0, "700 root\n")
    assert booted.run("stat", "-c", "%a", "/var/lib/mta-sts/acme") == (0, "755\n")
