"""The last good configuration survives: a keeper that dies, and with state_dir a start that is refused."""

import os
import re
import resource
import shutil
import signal
import subprocess

import pytest

from lib.client import fetch
from lib.processes import kill, root_only
from lib.reloads import reload, status
from lib.server import HOST, ORG, ORG_BODY, PATIENCE, Server
from lib.tools import eventually

NEW_BODY = ORG_BODY.replace(b"604800", b"86400")
NEW = ORG + "max_age = 86400\n"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
OTHER = "\n[example.net]\nmode = testing\nmx = mx.example.net\n"
NET = "mta-sts.example.net"


@pytest.fixture(autouse=True)
def certificates(site):
    site.install("example.org")
    site.install("example.net")


def lose_keeper(server):
    """The keeper dies; waits for the next generation. Gives the line that says that it is ready."""
    server.allow("has lost its keeper")
    since = server.mark()
    kill(*server.children())
    return server.wait_for("^ready: generation", since=since).string


def typo(site):
    site.configure(ORG + "mox = mail.example.org\n")


# --- a keeper dies

@pytest.mark.parametrize("disk", ["typo", "deleted", "empty", "directory", "changed"])
def test_a_lost_keeper_is_replaced_from_the_running_configuration_whatever_is_on_disk(serve, site, disk):
    site.write("example.net\n", "customers.txt")
    server = serve(ORG + "alias_file = customers.txt\n")
    if disk == "typo":
        typo(site)
    elif disk == "changed":
        site.configure(NEW)
    elif disk == "empty":
        site.write("")
    else:
        site.ini.unlink()
        if disk == "directory":
            site.ini.mkdir()
    (site.folder / "customers.txt").unlink()
    for generation in (2, 3):  # twice in a row
        assert lose_keeper(server) == f"ready: generation {generation}, 2 domains, 1 listener, 2 workers"
        assert fetch(server).body == ORG_BODY
        assert fetch(server, NET).body == ORG_BODY
        assert status(site)[1].startswith(f"ready: generation {generation},")


def test_what_is_on_disk_is_taken_by_the_next_reload(serve, site):
    server = serve(ORG)
    site.configure(NEW)
    lose_keeper(server)
    assert fetch(server).body == ORG_BODY
    assert reload(site)[1].startswith("ready: generation 3")
    assert fetch(server).body == NEW_BODY
    lose_keeper(server)
    assert fetch(server).body == NEW_BODY


def test_an_unchanged_reload_after_a_replacement_is_unchanged(serve, site):
    server = serve(ORG)
    lose_keeper(server)
    assert reload(site)[1].startswith("reload unchanged: generation 2")


def test_a_refused_reload_and_then_a_lost_keeper_keep_configuration_and_status(serve, site):
    server = serve(ORG).allow("error: |reload refused")
    typo(site)
    assert reload(site)[0] == 1
    for generation in (3, 4):  # 2 was refused
        lose_keeper(server)
        assert fetch(server).body == ORG_BODY
        _, out, _ = status(site)
        assert re.fullmatch(rf"reload refused at {site.ini}:\d+; generation {generation} \(of {TIME}\) goes on\n", out)
    site.configure(ORG)
    assert reload(site)[1].startswith("reload unchanged: generation 4")
    assert status(site)[1].startswith("ready: generation 4,")


def test_policies_that_isolation_kept_survive_keepers_and_reloads(serve, site):
    on = "isolate = on"
    server = serve(ORG, OTHER, server=on)
    before = fetch(server, NET).body
    site.configure(ORG, OTHER.replace("testing", "tseting"), server=on)
    assert ", 2 domains, 1 isolated," in reload(site)[1]
    site.ini.unlink()
    for _ in range(2):
        assert ", 2 domains, 1 isolated," in lose_keeper(server)
        assert fetch(server, NET).body == before
    site.configure(NEW, OTHER.replace("testing", "enforec"), server=on)  # still wrong, in another way
    assert ", 2 domains, 1 isolated," in reload(site)[1]
    assert (fetch(server).body, fetch(server, NET).body) == (NEW_BODY, before)
    lose_keeper(server)
    assert (fetch(server).body, fetch(server, NET).body) == (NEW_BODY, before)


def test_a_keeper_that_cannot_be_replaced_at_once_is_in_the_status(serve, site):
    server = serve(ORG).allow("has lost its keeper|could not be replaced")
    master = server.processes()[0]
    free = [number for number in range(1000) if number not in master.descriptors()]
    limits = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (free[1], limits[1]))  # for a client, and not for pipes
    kill(*server.children())
    server.wait_for("could not be replaced: Too many open files")
    assert status(site) == (0, "generation 1 could not be replaced: Too many open files\n", "")
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, limits)
    server.wait_for("^ready: generation 2")
    assert fetch(server).body == ORG_BODY
    assert status(site)[1].startswith("ready: generation 2")


# --- state_dir

@pytest.fixture
def state(site):
    return site.folder / "state"


def on(state):
    return f"state_dir = {state}"


def snapshots(state):
    return sorted(state.glob("*.snapshot"))


def saved(state):
    """The one snapshot, once it is there, and what lay beside it has gone."""
    eventually(PATIENCE, lambda: [path.suffix for path in state.iterdir()] == [".snapshot"])
    [path] = snapshots(state)
    return path.read_bytes()


def start(site, allowed="refused|: error: |degraded", **options):
    return Server(site, **options).allow(allowed)


def refused_start(site, allowed="cannot start|: error: ", **options):
    server = start(site, allowed, **options)
    assert server.wait_end() == 1
    server.check()
    return server


@pytest.fixture
def stopped_server(serve, site, state):
    """A configuration that was served, and kept in state_dir; the server has ended."""
    serve(ORG, server=on(state)).stop()
    saved(state)
    return site


def test_without_state_dir_nothing_is_written(serve, site):
    server = serve(ORG, env={"STATE_DIRECTORY": str(site.folder)})
    before = sorted(site.folder.rglob("*"))
    site.configure(NEW)
    reload(site)
    lose_keeper(server)
    server.stop()
    assert sorted(site.folder.rglob("*")) == before


def test_a_missing_state_dir_is_made_for_its_user_alone(serve, site, state):
    old = os.umask(0)
    try:
        serve(ORG, server=on(state))
    finally:
        os.umask(old)
    saved(state)
    assert state.stat().st_mode & 0o7777 == 0o700
    assert snapshots(state)[0].stat().st_mode & 0o7777 == 0o600


def test_each_accepted_reload_is_kept_and_no_other(serve, site, state):
    server = serve(ORG, server=on(state)).allow("error: |reload refused")
    first = saved(state)
    assert b"mx   = mail.example.org" in first
    typo(site)
    reload(site)
    assert saved(state) == first
    site.configure(NEW, server=on(state))
    reload(site)
    eventually(PATIENCE, lambda: saved(state) != first)
    second = saved(state)
    assert b"max_age = 86400" in second
    site.configure(ORG, server=on(state))  # on disk, but not reloaded
    lose_keeper(server)
    server.stop()
    assert saved(state) == second


@pytest.mark.parametrize("disk", ["typo", "include"])
def test_a_start_whose_configuration_is_refused_serves_the_last_good_one(stopped_server, state, disk):
    site = stopped_server
    if disk == "typo":
        site.configure(ORG + "mox = mail.example.org\n", server=on(state))
    else:
        site.configure(ORG, server=on(state) + "\ninclude = missing.ini")
    before = saved(state)
    with start(site) as server:
        assert fetch(server).body == ORG_BODY
        _, out, _ = status(site)
        assert re.fullmatch(rf"degraded: the configuration is refused at {site.ini}:\d+; generation 1 \(of {TIME}\) "
                            r"serves the last good one\n", out), out
        assert server.messages(rf"^the configuration is refused at {site.ini}:\d+: serving the last good one from")
        lose_keeper(server)  # and it is still degraded
        assert "degraded: the configuration is refused" in status(site)[1] and "generation 2 (of" in status(site)[1]
        exit_status, _, err = reload(site)
        assert exit_status == 1 and err.startswith("degraded: reload refused at ")
        assert fetch(server).body == ORG_BODY
        assert saved(state) == before
        site.configure(NEW, server=on(state))
        assert reload(site)[0] == 0
        assert status(site)[1].startswith("ready: generation ")
        assert fetch(server).body == NEW_BODY
        eventually(PATIENCE, lambda: saved(state) != before)


def test_the_same_configuration_mends_a_degraded_server(stopped_server, state):
    site = stopped_server
    good = site.ini.read_text()
    site.configure(ORG + "mox = mail.example.org\n", server=on(state))
    with start(site):
        site.write(good)
        assert reload(site)[1].startswith("ready: generation 2")
        assert status(site)[1].startswith("ready: generation 2")


@pytest.mark.parametrize("disk", ["empty", "missing", "typo above"])
def test_where_the_file_does_not_name_state_dir_the_directory_of_systemd_is_asked(serve, site, state, disk):
    environment = {"STATE_DIRECTORY": f"{site.folder / 'none'}:{site.folder}"}
    serve(ORG, server=on(state), env=environment).stop()
    saved(state)
    if disk == "missing":
        site.ini.unlink()
    else:
        site.write("" if disk == "empty" else "mistake\n")
    with start(site, env=environment) as server:
        assert fetch(server).body == ORG_BODY
        assert status(site)[1].startswith(f"degraded: the configuration is refused at {site.ini}")


def test_without_it_such_a_start_is_refused(stopped_server):
    stopped_server.write("")
    refused_start(stopped_server)


def test_a_degraded_server_logs_it_each_minute(stopped_server, state, clock):
    site = stopped_server
    site.configure(ORG + "mox = mail.example.org\n", server=on(state))
    with start(site, env=clock.environment()) as server:
        assert status(site)[1].startswith("degraded: ")
        for _ in range(3):
            since = server.mark()
            clock.advance(61)
            server.signal(signal.SIGCHLD)
            server.wait_for("^degraded: the configuration is refused at .* serves the last good one$", since=since)
            assert {line.level for line in server.lines[since:] if "degraded" in (line.message or "")} == {"error"}
        site.configure(ORG, server=on(state))
        reload(site)
        since = server.mark()
        clock.advance(3601)
        server.signal(signal.SIGCHLD)
        status(site)
        assert not server.messages("degraded", since)


@pytest.mark.parametrize("damage, why", [
    (lambda bytes: bytes[:-1], "it is not whole: its checksum is wrong"),
    (lambda bytes: bytes[:len(bytes) // 2], "it is not whole: its checksum is wrong"),
    (lambda bytes: bytes[:10], "it is too short for a snapshot"),
    (lambda bytes: b"", "it is too short for a snapshot"),
    (lambda bytes: bytes.replace(b"mail.example.org", b"nail.example.org", 1), "its checksum is wrong"),
    (lambda bytes: bytes.replace(b"snapshot 1", b"snapshot 2", 1), "it is no snapshot of this version"),
], ids=["a byte less", "half", "ten bytes", "empty", "a byte changed", "another version"])
def test_a_torn_snapshot_is_not_served(stopped_server, state, damage, why):
    [path] = snapshots(state)
    path.write_bytes(damage(path.read_bytes()))
    stopped_server.configure(ORG + "mox = mail.example.org\n", server=on(state))
    server = refused_start(stopped_server)
    assert server.messages(f"^no last good configuration: cannot use {path}: .*{why}"), server.log()


def test_a_torn_snapshot_is_no_obstacle_to_a_good_configuration(stopped_server, state):
    [path] = snapshots(state)
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    with Server(stopped_server) as server:
        assert fetch(server).body == ORG_BODY
    assert len(saved(state)) == len(whole)


def test_what_a_killed_server_was_writing_is_written_anew(stopped_server, state):
    [path] = snapshots(state)
    path.with_suffix(".new").write_bytes(b"half of it")
    stopped_server.configure(ORG + "mox = mail.example.org\n", server=on(state))
    with start(stopped_server) as server:  # what counts is whole
        assert fetch(server).body == ORG_BODY
    stopped_server.configure(NEW, server=on(state))
    with Server(stopped_server):
        eventually(PATIENCE, lambda: b"86400" in saved(state))


def test_a_link_in_its_place_is_not_followed(stopped_server, state, site):
    [path] = snapshots(state)
    victim = site.folder / "victim"
    victim.write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(victim)
    path.with_suffix(".new").symlink_to(victim)
    before = victim.read_bytes()
    stopped_server.configure(ORG + "mox = mail.example.org\n", server=on(state))
    refused_start(stopped_server)
    stopped_server.configure(NEW, server=on(state))
    with Server(stopped_server):
        eventually(PATIENCE, lambda: b"86400" in saved(state))
    assert victim.read_bytes() == before and not path.is_symlink()


def test_two_configurations_in_one_state_dir_have_each_their_own(serve, make_site, site, state):
    other = make_site()
    other.install("example.net")
    other.configure(OTHER, server=on(state))
    with Server(other):
        pass
    serve(ORG, server=on(state)).stop()
    assert len(snapshots(state)) == 2
    for which, host in (other, NET), (site, HOST):
        which.configure("mistake\n", server=on(state))
        with start(which) as server:
            assert fetch(server, host).status == 200
    site.write("mistake\n[server]\n" + on(state) + "\n", "third.ini")
    third = Server(site, arguments=["-c", str(site.folder / "third.ini")]).allow("cannot start|: error: ")
    assert third.wait_end() == 1


def test_a_last_good_configuration_carries_kept_policies(serve, site, state):
    isolate = on(state) + "\nisolate = on"
    server = serve(ORG, OTHER, server=isolate)
    before = fetch(server, NET).body
    first = saved(state)
    site.configure(ORG, OTHER.replace("testing", "tseting"), server=isolate)
    assert "1 isolated" in reload(site)[1]
    eventually(PATIENCE, lambda: saved(state) != first)
    server.stop()
    with Server(site) as again:  # not refused, and the policy is kept from before the start
        again.wait_for("^ready: generation 1, 2 domains, 1 isolated,")
        assert fetch(again, NET).body == before
    site.configure("mistake\n", server=isolate)
    with start(site) as degraded:
        assert fetch(degraded, NET).body == before
        assert fetch(degraded).body == ORG_BODY


# --- state_dir that is not to be had

@pytest.mark.parametrize("mode", [0o755, 0o750, 0o701, 0o707])
def test_a_state_dir_that_others_may_enter_is_refused(site, state, mode):
    state.mkdir()
    state.chmod(mode)
    site.configure(ORG, server=on(state))
    server = refused_start(site)
    line = site.ini.read_text().splitlines().index(on(state)) + 1
    assert server.messages(rf"^{site.ini}:{line}: error: state_dir {state} has mode {mode:04o}: "
                           "other users may enter it; chmod 0700$"), server.log()
    assert server.messages(rf"^cannot start: the configuration is refused at {site.ini}:{line}$")


@root_only
def test_a_state_dir_of_another_user_is_refused(site, state):
    state.mkdir(mode=0o700)
    os.chown(state, 12345, -1)
    site.configure(ORG, server=on(state))
    assert refused_start(site).messages(rf"error: state_dir {state} belongs to user 12345, not to user 0")


@pytest.mark.parametrize("kind", ["file", "link", "below a file", "below nothing"])
def test_a_state_dir_that_is_none_is_refused(site, state, kind):
    if kind == "file":
        state.write_bytes(b"")
    elif kind == "link":
        (site.folder / "real").mkdir(mode=0o700)
        state.symlink_to(site.folder / "real")
    elif kind == "below a file":
        (site.folder / "file").write_bytes(b"")
        state = site.folder / "file" / "state"
    else:
        state = site.folder / "nothing" / "state"
    site.configure(ORG, server=on(state))
    server = refused_start(site)
    assert server.messages(rf"^{site.ini}:\d+: error: .*state_dir {state}"), server.log()


def test_a_reload_to_such_a_state_dir_is_refused(serve, site, state):
    server = serve(ORG).allow("error: |reload refused")
    state.mkdir()
    state.chmod(0o755)
    site.configure(ORG, server=on(state))
    exit_status, out, err = reload(site)
    assert exit_status == 1 and f"state_dir {state} has mode 0755" in out
    line = site.ini.read_text().splitlines().index(on(state)) + 1
    assert err.startswith(f"reload refused at {site.ini}:{line}; generation 1")
    assert fetch(server).body == ORG_BODY
    state.chmod(0o700)
    assert reload(site)[0] == 0
    saved(state)


def own_mounts():
    """A command that gives another a mount namespace. In a chroot, whose root is no mount, unshare cannot make all of
    it private; it is private there already, since the namespace that the chroot was made in is not the system's."""
    usual = ["unshare", "-m"]
    works = subprocess.run([*usual, "true"], stderr=subprocess.DEVNULL, timeout=PATIENCE, check=False).returncode == 0
    return usual if works else [*usual, "--propagation", "unchanged"]


@root_only
def test_a_full_disk_is_a_warning_of_each_reload_until_there_is_room(site, state):
    state.mkdir(mode=0o700)
    mount = f'mount -t tmpfs -o size=4k,mode=0700 none {state} && exec "$@"'
    padding = "; comment\n" * 2000
    site.configure(ORG, padding, server=on(state))
    with Server(site, prefix=[*own_mounts(), "sh", "-c", mount, "sh"]) as server:
        warning = rf"the last good configuration is not kept: cannot write {state}/.*No space left on device"
        assert server.messages(warning)
        mounted = f"/proc/{server.pid}/root{state}"
        assert os.listdir(mounted) == []
        site.configure(NEW, padding, server=on(state))
        exit_status, out, _ = reload(site)
        line = site.ini.read_text().splitlines().index(on(state)) + 1
        assert exit_status == 0 and re.match(rf"{site.ini}:{line}: warning: {warning}\nready: generation 2", out), out
        assert fetch(server).body == NEW_BODY
        subprocess.run(["nsenter", "-t", str(server.pid), "-m", "-r", "mount", "-o", "remount,size=1m", str(state)],
                       check=True, timeout=PATIENCE)
        exit_status, out, _ = reload(site)  # of the same inputs
        assert exit_status == 0 and re.fullmatch("ready: generation 3, .*\n", out), out
        eventually(PATIENCE, lambda: [name[-9:] for name in os.listdir(mounted)] == [".snapshot"])
        assert reload(site)[1].startswith("reload unchanged: generation 3")


def test_a_limit_of_file_sizes_costs_the_last_good_configuration_alone(site, state):
    """Not even memory files can be written: a lost keeper is replaced from the files then."""
    prefix = ["prlimit", "--fsize=100:100"]
    site.configure(ORG, server=on(state))
    with Server(site, prefix=prefix) as server:
        assert server.messages("warning: the configuration cannot be kept: File too large")
        assert fetch(server).body == ORG_BODY
        lose_keeper(server)
        assert fetch(server).body == ORG_BODY
        server.allow(": error: |reload refused")
        typo(site)
        assert reload(site)[0] == 1  # and not the last good one: the generation that serves goes on
        assert status(site)[1].startswith("reload refused at ")
    assert snapshots(state) == []


def test_state_dir_is_removed_while_the_server_runs(serve, site, state):
    server = serve(ORG, server=on(state))
    saved(state)
    shutil.rmtree(state)
    site.configure(NEW, server=on(state))
    assert reload(site)[0] == 0
    assert b"86400" in saved(state)
    assert fetch(server).body == NEW_BODY
