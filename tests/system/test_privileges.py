"""What workers give away before they meet a stranger, and what a server says that can't give it away."""

import contextlib
import os
import pwd
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from lib.client import fetch, refused_alert
from lib.processes import access_of, own_address, root_only
from lib.server import HOST, ORG, ORG_BODY, Server, Site

NOBODY = pwd.getpwnam("nobody")
AS_NOBODY = ["setpriv", f"--reuid={NOBODY.pw_uid}", f"--regid={NOBODY.pw_gid}", "--clear-groups"]


@pytest.fixture(autouse=True)
def certificate(site):
    site.install("example.org")


@pytest.fixture
def nobodys_site(authority):
    """A site that nobody may read, and all the way to it; of the one who tests when that isn't root."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        inner = Path(folder) / "site"
        inner.mkdir()
        site = Site(inner, authority)
        site.install("example.org")
        yield site


def run_as_nobody(site, env=None):
    """Server(...) as nobody, who may have no way to the program, and so is given it open."""
    if os.geteuid() != 0:
        return Server(site, env=env)
    for folder, _, files in os.walk(site.folder):
        for name in [folder, *(Path(folder) / file for file in files)]:
            os.chown(name, NOBODY.pw_uid, NOBODY.pw_gid)
    program = Path(site.folder) / "mta-stsd"
    shell = 'cp "$1" "$0" && chmod 755 "$0" && shift && exec "$SETPRIV" $AS "$0" "$@"'
    return Server(site, prefix=["sh", "-c", shell, str(program)],
                  env={**(env or {}), "SETPRIV": shutil.which("setpriv"), "AS": " ".join(AS_NOBODY[1:])})


def worker_rights(worker):
    status = worker.status()
    return {key: status[key] for key in ("Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd",
                                         "CapAmb", "NoNewPrivs")}


NONE = "0" * 16


def nothing(uid, gid):
    return {"Uid": "\t".join([str(uid)] * 4), "Gid": "\t".join([str(gid)] * 4), "Groups": "",
            "CapInh": NONE, "CapPrm": NONE, "CapEff": NONE, "CapBnd": NONE, "CapAmb": NONE,
            "NoNewPrivs": "1"}


# --- root

def default_user():
    with contextlib.suppress(KeyError):
        return pwd.getpwnam("mta-sts")
    return NOBODY


USERS = [("", default_user().pw_uid, default_user().pw_gid),
         ("user = daemon", pwd.getpwnam("daemon").pw_uid, pwd.getpwnam("daemon").pw_gid),
         ("user = 54321", 54321, 54321),
         (f"user = {NOBODY.pw_uid}", NOBODY.pw_uid, NOBODY.pw_gid),
         ("user = 54321:12345", 54321, 12345)]


@root_only
@pytest.mark.parametrize("user, uid, gid", USERS, ids=[user or "unset" for user, _, _ in USERS])
def test_workers_are_the_configured_user_and_nothing_else(serve, user, uid, gid):
    server = serve(ORG, server=user)
    assert fetch(server).body == ORG_BODY
    for worker in server.workers():
        assert worker_rights(worker) == nothing(uid, gid)


@root_only
def test_replaced_workers_give_away_as_much(serve):
    """There is one worker, so who answers is the new one, and has given away what it had."""
    server = serve(ORG, server="user = 54321\nworkers = 1").allow("was ended by signal 9")
    old, = server.workers()
    os.kill(old.pid, 9)
    fetch(server)
    new, = server.workers()
    assert new.pid != old.pid
    assert worker_rights(new) == nothing(54321, 54321)


@root_only
def test_the_root_of_workers_is_an_empty_folder_that_no_longer_exists(serve):
    server = serve(ORG)
    for worker in server.workers():
        root = f"/proc/{worker.pid}/root"
        assert os.readlink(root).endswith(" (deleted)")
        assert os.listdir(root) == []
        assert os.stat(root).st_nlink == 0  # so not even its owner can make anything in it
        assert os.readlink(f"/proc/{worker.pid}/cwd") == os.readlink(root)


def test_workers_hold_no_descriptor_that_leads_anywhere_else(serve):
    server = serve(ORG, acme=["127.0.0.2:0"])
    for worker in server.workers():
        held = sorted(re.sub(r"\d+", "N", leads_to) for leads_to in worker.descriptors().values())
        assert held[:2] == ["/dev/null"] * 2  # standard input and output
        assert held.count("pipe:[N]") == 4  # the log, the lifetime pipes and the one for pings
        assert held.count("socket:[N]") == 3  # two listeners, one line to the keeper
        rest = set(held[2:]) - {"pipe:[N]", "socket:[N]"}
        assert all(leads_to.startswith("anon_inode:") for leads_to in rest), rest
        assert len(held) <= 12


@root_only
def test_workers_cannot_open_a_key_and_keys_stay_as_they_are(serve, site):
    server = serve(ORG)
    assert fetch(server).body == ORG_BODY
    key = site.certs / HOST / "privkey.pem"
    status = key.stat()
    assert (stat.S_IMODE(status.st_mode), status.st_uid) == (0o600, 0)
    worker = server.workers()[0].status()
    uid, gid = int(worker["Uid"].split()[0]), int(worker["Gid"].split()[0])
    with tempfile.TemporaryDirectory() as folder:  # where nothing but the key's own mode is in the way
        Path(folder).chmod(0o755)
        for name, mode in ("key", 0o600), ("open", 0o644):
            shutil.copy(key, Path(folder) / name)
            (Path(folder) / name).chmod(mode)

        def read_as_worker(name):
            return subprocess.run(["cat", f"{folder}/{name}"], user=uid, group=gid, extra_groups=[],
                                  capture_output=True, timeout=10)

        assert read_as_worker("open").returncode == 0
        denied = read_as_worker("key")
        assert denied.returncode != 0 and b"Permission denied" in denied.stderr


@root_only
def test_workers_cannot_be_looked_into_by_others_of_their_user(serve):
    server = serve(ORG, server="user = 54321")
    worker = server.workers()[0]
    if "libasan" in Path(f"/proc/{worker.pid}/maps").read_text():
        return  # AddressSanitizer has to look into itself
    seen = subprocess.run(["cat", f"/proc/{worker.pid}/maps"], user=54321, group=54321, extra_groups=[],
                          capture_output=True, timeout=10)
    assert seen.returncode != 0 and b"Permission denied" in seen.stderr


@pytest.fixture
def terminal():
    """(descriptor of a new terminal, its path)."""
    ours, theirs = os.openpty()
    yield theirs, os.ttyname(theirs)
    os.close(ours)
    os.close(theirs)


ON_TERMINAL = """
import fcntl, os, sys, termios
fd, *streams = map(int, sys.argv[1].split(","))
fcntl.ioctl(fd, termios.TIOCSCTTY, 0)
for stream in streams:
    os.dup2(fd, stream)
os.execvp(sys.argv[2], sys.argv[2:])
"""


@root_only
def test_keeper_and_workers_leave_the_terminal_and_its_session(site, terminal):
    """Else a worker that is taken over reads what root types, or types into root's shell (TIOCSTI)."""
    fd, path = terminal
    site.configure(ORG)
    prefix = [sys.executable, "-c", ON_TERMINAL, f"{fd},0,1"]
    with Server(site, prefix=prefix, pass_fds=[fd]) as server:
        master, *others = server.processes()
        assert master.terminal != 0 and access_of(master, path), "else this test would prove nothing"
        keeper, = server.children()
        for process in others:
            assert (process.terminal, process.session) == (0, keeper.pid)
            assert access_of(process, path) == set()
            held = process.descriptors()
            assert (held[0], held[1]) == ("/dev/null", "/dev/null")


def refused_start(server, remedy):
    server.allow(".")
    assert server.wait_end() == 1
    assert server.messages(remedy), server.log()


@root_only
@pytest.mark.parametrize("user, remedy", [
    ("no-such-user", r"mta-stsd\.ini:\d+: error: user 'no-such-user' does not exist: create it \(useradd "
                     r"--system no-such-user\) or set another user"),
    ("root", "user 'root' is root, which workers must not be: set another user"),
    ("0", "user '0' is root"), ("0:0", "user '0:0' is root"),
    ("54321:", r"mta-stsd\.ini:\d+: error: user is a name, a number or number:number"),
    ("4294967295", "user is a name, a number or number:number"),  # (uid_t)-1
])
def test_a_user_that_cannot_be_is_fatal_and_says_what_to_do(site, user, remedy):
    refused_start(Server(site.configure(ORG, server=f"user = {user}")), remedy)


@root_only
@pytest.mark.parametrize("capability", ["setuid", "setgid", "sys_chroot"])
def test_root_without_a_needed_capability_is_fatal_and_says_what_to_do(site, capability):
    server = Server(site.configure(ORG), prefix=["setpriv", f"--bounding-set=-{capability}",
                                                 f"--inh-caps=-{capability}"])
    name = capability.upper()
    refused_start(server, rf"root without CAP_{name} cannot give up its privileges: allow it "
                          rf"\(systemd: CapabilityBoundingSet=, docker: --cap-add={name}\)")


@root_only
def test_root_in_a_container_without_cap_setpcap_serves(site):
    """The bounding set can't be dropped then; everything else can."""
    site.configure(ORG)
    with Server(site, prefix=["setpriv", "--bounding-set=-setpcap", "--inh-caps=-setpcap"]) as server:
        assert fetch(server).body == ORG_BODY
        rights = worker_rights(server.workers()[0])
        assert {rights[key] for key in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {NONE}


# --- not root

def test_not_root_has_the_same_processes_and_serves(nobodys_site):
    nobodys_site.configure(ORG)
    with run_as_nobody(nobodys_site) as server:
        assert fetch(server).body == ORG_BODY
        assert len(server.children()) == 1 and len(server.workers()) == 2
        users = {process.status()["Uid"] for process in server.processes()}
        assert len(users) == 1 and not users.pop().startswith("0\t")
        for worker in server.workers():
            rights = worker_rights(worker)
            assert (rights["CapPrm"], rights["CapEff"], rights["NoNewPrivs"]) == (NONE, NONE, "1")


def test_not_root_ignores_the_user_even_one_that_is_missing(nobodys_site):
    nobodys_site.configure(ORG, server="user = no-such-user")
    with run_as_nobody(nobodys_site) as server:
        assert fetch(server).body == ORG_BODY


def test_not_root_replaces_and_reloads_alike(nobodys_site):
    nobodys_site.configure(ORG)
    with run_as_nobody(nobodys_site) as server:
        server.allow("has lost its")
        os.kill(server.children()[0].pid, 9)
        server.wait_for("^ready: generation 2")
        if os.geteuid() != 0:
            nobodys_site.configure(ORG + "max_age = 86400\n")
            assert server.reload().startswith("ready: generation 3")
        assert fetch(server).status == 200


def test_a_low_port_without_the_right_to_it_says_what_to_do(nobodys_site):
    first_free = int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
    if first_free == 0:
        pytest.skip("every port is free for everyone in this network")
    listen = f"{own_address()}:{min(443, first_free - 1)}"
    refused_start(run_as_nobody(nobodys_site.configure(ORG, listen=[listen])),
                  rf"mta-stsd\.ini:\d+: error: {re.escape(listen)} needs CAP_NET_BIND_SERVICE: start as root")


@root_only
def test_a_key_that_only_root_reads_is_told_by_a_server_that_is_not_root(nobodys_site):
    with run_as_nobody(nobodys_site.configure(ORG)) as server:
        os.chown(nobodys_site.certs / HOST / "privkey.pem", 0, 0)
        assert refused_alert(server) == "TLSV1_UNRECOGNIZED_NAME"
        server.wait_for(f"{HOST}: key file: .*/privkey.pem: Permission denied")
