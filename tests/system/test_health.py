"""-H: whether the running server is alive, asked by the name of its configuration file or by an address."""

import contextlib
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from lib.client import fetch
from lib.hand_over import listening
from lib.inspection import descriptors
from lib.processes import kill, own_address, root_only, stopped
from lib.reloads import candidate_stopped, first, slow_configuration
from lib.server import MTA_STSD, ORG, ORG_BODY, PATIENCE, Server, Site, run_mta_stsd
from lib.tools import eventually

AT_MOST = 3.5    # seconds until a probe gives up, beside those that starting and ending take
A_MOMENT = 1.0   # in which a server that lives has answered
QUICK = 0.020    # seconds of a probe itself, whatever the configuration
NOBODY = 65534
AS_NOBODY = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]


def timed(*arguments, **options):
    since = time.monotonic()
    done = run_mta_stsd(*arguments, **options)
    return done, time.monotonic() - since


def probe(site, *address, within=AT_MOST, env=None, **options):
    """Exit status, and what was printed."""
    _, of_any_start = timed("-V")
    done, seconds = timed("-c", str(site.ini), "-H", *address, env={**os.environ, **(env or {})}, **options)
    assert seconds - of_any_start < within
    return done.returncode, done.stdout + done.stderr


ALIVE = (0, "")


def dead(site, why, *address, **options):
    status, printed = probe(site, *address, **options)
    assert status == 1
    assert why in printed and printed.count("\n") == 1 and printed.startswith("not alive: "), printed
    return True


def control_sockets(server):
    """The addresses that the master listens at or has accepted clients on, as /proc/net/unix has them."""
    held = {match[1] for leads_to in descriptors(server.pid).values()
            if (match := re.fullmatch(r"socket:\[(\d+)\]", leads_to))}
    lines = [line.split() for line in Path(f"/proc/{server.pid}/net/unix").read_text().splitlines()[1:]]
    return [fields[7] for fields in lines if len(fields) > 7 and fields[6] in held]


def abstract(server):
    """The abstract address, as Python spells it."""
    name, = {name for name in control_sockets(server) if name.startswith("@mta-stsd/")}
    return "\0" + name[1:]


@pytest.fixture
def runtime_directory():
    folder = tempfile.mkdtemp()  # the address of a Unix socket has at most 107 bytes
    yield folder
    shutil.rmtree(folder)


# --- the name leads to the server, whatever is in the file

def test_a_running_server_is_alive(serve, site):
    server = serve(ORG)
    assert probe(site, within=A_MOMENT) == ALIVE
    assert not server.messages("-H")


def test_a_server_that_waits_for_its_first_certificate_is_alive(serve, site):
    assert not site.certs.exists()
    serve(ORG)
    assert probe(site, within=A_MOMENT) == ALIVE


@pytest.mark.parametrize("change", ["typo", "deleted", "listen", "closed"])
def test_what_is_on_disk_is_not_asked(serve, site, change):
    serve(ORG)
    if change == "typo":
        site.write("mistake\nmistake\n")
    elif change == "deleted":
        site.ini.unlink()
    elif change == "listen":  # not yet reloaded
        site.configure(ORG, listen=[f"{own_address()}:8443"])
    else:  # root would read it all the same, but not through a link that leads to itself
        site.ini.unlink()
        site.ini.symlink_to(site.ini)
    assert probe(site, within=A_MOMENT) == ALIVE


def test_a_directory_is_the_same_by_a_symbolic_link(serve, site, tmp_path):
    serve(ORG)
    (tmp_path / "link").symlink_to(site.folder)
    for name in tmp_path / "link" / site.ini.name, site.folder / ".." / site.folder.name / site.ini.name:
        assert run_mta_stsd("-H", "-c", str(name)).returncode == 0
    assert run_mta_stsd("-H", "-c", site.ini.name, cwd=site.folder).returncode == 0


def test_the_last_component_is_taken_as_it_is_written(serve, site):
    serve(ORG)
    (site.folder / "other.ini").symlink_to(site.ini)
    done = run_mta_stsd("-H", "-c", str(site.folder / "other.ini"))
    assert (done.returncode, "no server runs with the configuration" in done.stderr) == (1, True)


def test_a_hyphen_is_a_file_of_that_name(site):
    site.ini = site.folder / "-"
    site.configure(ORG)
    with Server(site):
        assert run_mta_stsd("-H", "-c", "-", cwd=site.folder).returncode == 0
    assert run_mta_stsd("-H", "-c", "-", cwd=site.folder).returncode == 1


def test_a_server_with_sockets_from_systemd_alone_is_asked(hand_over, site):
    server = hand_over({"web": listening()}, listen=["systemd:web"])
    assert probe(site, within=A_MOMENT) == ALIVE
    with stopped(*server.workers()):
        assert dead(site, "no worker answers")


def test_fifty_thousand_domains_cost_a_probe_nothing(serve, site):
    site.write("".join(f"a{number}.example\n" for number in range(50_000)), "customers.txt")
    serve(ORG + "alias_file = customers.txt\n")
    of_any_start = min(timed("-h")[1] for _ in range(20))
    took = []
    while len(took) < 100 and min(took, default=1) - of_any_start >= QUICK:  # on a machine with other work
        done, seconds = timed("-H", "-c", str(site.ini))
        assert done.returncode == 0
        took.append(seconds)
    assert min(took) - of_any_start < QUICK


# --- who lives

def test_no_server_is_dead(site):
    site.configure(ORG)
    assert dead(site, f"no server runs with the configuration {site.ini}", within=A_MOMENT)


def test_a_directory_that_does_not_exist_is_named(site):
    site.ini = site.folder / "missing" / "mta-stsd.ini"
    assert dead(site, f"{site.ini}: No such file or directory", within=A_MOMENT)


def test_a_server_that_has_ended_is_dead(serve, site):
    serve(ORG).stop()
    assert dead(site, "no server runs", within=A_MOMENT)


def test_a_server_that_starts_is_not_yet_alive(site):
    slow_configuration(site)
    server = Server(site)
    with stopped(*first(server.children)):
        assert dead(site, "the server is starting", within=A_MOMENT)
    with server:
        assert probe(site, within=A_MOMENT) == ALIVE


def test_workers_that_stand_still_are_dead_within_three_seconds(serve, site):
    server = serve(ORG)
    with stopped(*server.workers()):
        assert dead(site, "no worker answers")
    assert probe(site, within=A_MOMENT) == ALIVE


def test_one_worker_that_answers_is_enough(serve, site):
    server = serve(ORG)
    with stopped(server.workers()[0]):
        for _ in range(4):
            assert probe(site, within=A_MOMENT) == ALIVE


def test_a_keeper_that_stands_still_is_no_matter_of_life(serve, site):
    site.install("example.org")
    server = serve(ORG)
    assert fetch(server).body == ORG_BODY
    with stopped(*server.children()):
        assert probe(site, within=A_MOMENT) == ALIVE
        assert fetch(server).body == ORG_BODY


def test_a_master_that_stands_still_is_dead(serve, site):
    server = serve(ORG)
    with stopped(server.processes()[0]):
        assert dead(site, "did not answer in time")
    assert probe(site, within=A_MOMENT) == ALIVE


def test_a_server_is_alive_during_a_reload_and_behind_it(serve, site):
    server = serve(ORG)
    slow_configuration(site)
    with candidate_stopped(server):
        assert probe(site, within=A_MOMENT) == ALIVE
    server.wait_for("^ready: generation [^1]")
    assert probe(site, within=A_MOMENT) == ALIVE


def test_a_probe_of_a_generation_that_is_replaced_is_answered_by_the_next_one(serve, site):
    server = serve(ORG)
    with stopped(*server.workers()):
        asking = subprocess.Popen([*shlex.split(MTA_STSD), "-c", str(site.ini), "-H"])
        eventually(PATIENCE, lambda: len(control_sockets(server)) == 2)  # its own, and the client's
        site.configure(ORG + "max_age = 86400\n")
        assert server.reload().startswith("ready: generation 2")
        assert asking.wait(PATIENCE) == 0


# --- other users, and other servers

def copy_for_nobody(folder):
    """The program, where every user can run it."""
    program = Path(folder) / "mta-stsd"
    shutil.copy(shlex.split(MTA_STSD)[-1], program)
    program.chmod(0o755)
    return [*AS_NOBODY, str(program)]


@pytest.fixture
def open_site(authority):
    """A site whose directory every user may enter, so that the name leads to the server."""
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder), authority)
        site.folder.chmod(0o755)
        yield site


@root_only
def test_another_user_may_not_ask(open_site):
    open_site.configure(ORG)
    with Server(open_site) as server:
        client = copy_for_nobody(open_site.folder)
        for option in "-H", "-s", "-r":
            done = subprocess.run([*client, "-c", str(open_site.ini), option], capture_output=True, text=True,
                                  timeout=PATIENCE)
            assert done.returncode == 1
            assert "does not allow this user" in done.stderr, done.stderr
            assert done.stdout == ""
        assert not server.messages("reload")
        assert probe(open_site, within=A_MOMENT) == ALIVE


_TAKE = """
import socket, sys
with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
    listening.bind(bytes.fromhex(sys.argv[1]))
    listening.listen()
    print("taken", flush=True)
    while True:
        client, _ = listening.accept()
        client.recv(100)
        client.send(b"E0")
        client.close()
"""


@contextlib.contextmanager
def taken(address, prefix):
    """Another process has the name, and answers every client that all is well."""
    with subprocess.Popen([*prefix, sys.executable, "-c", _TAKE, address.encode().hex()],
                          stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout.readline() == b"taken\n"
            yield
        finally:
            process.kill()


@root_only
def test_a_name_that_another_user_has_taken_is_a_warning_and_not_believed(serve, site, clock):
    server = serve(ORG)
    name = abstract(server)
    server.stop()
    with taken(name, AS_NOBODY):
        server = serve(ORG, env=clock.environment())
        assert server.messages("cannot use @mta-stsd/.*: Address already in use$")
        assert server.lines and not [line for line in server.lines if line.level == "error"]
        assert dead(site, f"the process that answers belongs to user {NOBODY}", within=A_MOMENT)
    clock.advance(11)
    server.reload()
    server.wait_for("can use @mta-stsd/.* now$")
    assert probe(site, within=A_MOMENT) == ALIVE


def test_a_second_server_of_one_file_is_warned(serve, site):
    serve(ORG)
    with Server(site) as second:
        assert second.messages("cannot use @mta-stsd/.*: Address already in use$")
    assert probe(site, within=A_MOMENT) == ALIVE


def test_silent_clients_do_not_keep_a_probe_out(serve, site):
    server = serve(ORG)
    name = abstract(server)
    with contextlib.ExitStack() as stack:
        for _ in range(100):
            client = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
            client.connect(name)
        for _ in range(3):
            assert probe(site, within=A_MOMENT) == ALIVE


def test_a_client_that_sends_what_is_no_request_is_closed(serve, site):
    server = serve(ORG)
    name = abstract(server)
    for packet in b"X", b"HH", b"\0", b"H" * 5000:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
            client.settimeout(PATIENCE)
            client.connect(name)
            with contextlib.suppress(BrokenPipeError):
                client.send(packet)
            with contextlib.suppress(ConnectionResetError):
                assert client.recv(100) == b""
    assert probe(site, within=A_MOMENT) == ALIVE


def test_no_child_holds_the_control_socket(serve):
    server = serve(ORG)
    assert control_sockets(server)
    for process in server.processes()[1:]:
        inodes = {leads_to for leads_to in process.descriptors().values()}
        lines = [line.split() for line in Path(f"/proc/{server.pid}/net/unix").read_text().splitlines()[1:]]
        assert not [fields for fields in lines
                    if fields[-1].startswith("@mta-stsd/") and f"socket:[{fields[6]}]" in inodes]


# --- $RUNTIME_DIRECTORY

def test_a_runtime_directory_has_the_socket_as_well(serve, site, runtime_directory):
    env = {"RUNTIME_DIRECTORY": runtime_directory}
    server = serve(ORG, env=env)
    socket_file, = Path(runtime_directory).iterdir()
    assert socket_file.suffix == ".sock" and socket_file.stat().st_mode & 0o777 == 0o600
    assert probe(site, within=A_MOMENT) == ALIVE
    assert probe(site, within=A_MOMENT, env=env) == ALIVE
    server.stop()
    assert not list(Path(runtime_directory).iterdir())
    assert dead(site, "no server runs", within=A_MOMENT, env=env)


def test_of_a_list_of_runtime_directories_the_first_counts(serve, runtime_directory):
    serve(ORG, env={"RUNTIME_DIRECTORY": f"{runtime_directory}:/nowhere"})
    assert len(list(Path(runtime_directory).iterdir())) == 1


@root_only
def test_the_socket_file_leads_to_the_server_from_another_network_namespace(serve, site, runtime_directory):
    env = {"RUNTIME_DIRECTORY": runtime_directory}
    serve(ORG, env=env)
    command = ["unshare", "--net", *shlex.split(MTA_STSD), "-c", str(site.ini), "-H"]
    assert subprocess.run(command, env={**os.environ, **env}, timeout=PATIENCE).returncode == 0
    done = subprocess.run(command, timeout=PATIENCE, capture_output=True, text=True)
    assert done.returncode == 1 and "no server runs" in done.stderr


def test_a_socket_file_of_a_killed_server_is_replaced(serve, site, runtime_directory):
    env = {"RUNTIME_DIRECTORY": runtime_directory}
    server = serve(ORG, env=env)
    left = next(Path(runtime_directory).iterdir())
    before = left.stat().st_ino
    kill(*server.processes())
    server.wait_end()
    assert left.exists()
    assert dead(site, "no server runs", within=A_MOMENT, env=env)
    server = serve(ORG, env=env)
    assert left.stat().st_ino != before or left.stat().st_mode & 0o777 == 0o600
    assert not server.messages("cannot use")
    assert any(name == str(left) for name in control_sockets(server))
    assert probe(site, within=A_MOMENT, env=env) == ALIVE


@pytest.mark.parametrize("directory", ["missing", "too long"])
def test_a_runtime_directory_of_no_use_is_a_warning(serve, site, runtime_directory, directory):
    env = {"RUNTIME_DIRECTORY": f"{runtime_directory}/nowhere" if directory == "missing" else "/run/" + "x" * 100}
    server = serve(ORG, env=env)
    assert server.messages("^mta-stsd -H, -r and -s ")
    assert probe(site, within=A_MOMENT) == ALIVE
    assert probe(site, within=A_MOMENT, env=env) == ALIVE


# --- an address

def test_an_address_is_asked_without_a_configuration(serve, site):
    server = serve(ORG, listen=["127.0.0.1:0", "[::1]:0"])
    site.ini.unlink()
    assert probe(site, "%s:%d" % server.address(name="127.0.0.1:0"), within=A_MOMENT) == ALIVE
    assert probe(site, "[%s]:%d" % server.address(name="[::1]:0"), within=A_MOMENT) == ALIVE
    assert run_mta_stsd("-H", "%s:%d" % server.https).returncode == 0


@pytest.mark.parametrize("kind", ["acme", "health"])
def test_a_listener_without_tls_is_named(serve, site, kind):
    server = serve(ORG, acme=["127.0.0.2:0"], health=["127.0.0.3:0"], server=f"acme_thumbprint = {'A' * 43}")
    address = "%s:%d" % server.address(kind)
    assert dead(site, f"{address}: it speaks HTTP without TLS: ask a health listener for /livez", address,
                within=A_MOMENT)


def test_an_address_where_no_server_listens_is_dead(site):
    address = f"{own_address()}:8443"
    assert dead(site, f"{address}: Connection refused", address, within=A_MOMENT)


def test_an_address_whose_workers_stand_still_is_dead_within_three_seconds(serve, site):
    server = serve(ORG)
    with stopped(*server.workers()):
        assert dead(site, "timed out", "%s:%d" % server.https)
    assert probe(site, "%s:%d" % server.https, within=A_MOMENT) == ALIVE


@contextlib.contextmanager
def other_server(answer):
    """Listens, and sends each client the same. Gives the address."""
    with socket.create_server(("127.0.0.1", 0)) as listening_socket:
        def serve():
            with contextlib.suppress(OSError):
                while True:
                    client, _ = listening_socket.accept()
                    with client:
                        client.recv(1000)
                        client.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield "%s:%d" % listening_socket.getsockname()
        listening_socket.shutdown(socket.SHUT_RDWR)
        thread.join(5)


@pytest.mark.parametrize("answer, why", [
    (b"SSH-2.0-OpenSSH_9.9\r\n", "not as mta-stsd does"),
    (b"\x15\x03\x03\x00\x02\x02\x28", "not as mta-stsd does"),  # handshake_failure: some other TLS server
    (b"", "closed without an alert"),
], ids=["ssh", "tls", "silence"])
def test_another_server_at_the_address_is_not_ours(site, answer, why):
    with other_server(answer) as address:
        assert dead(site, why, address, within=A_MOMENT)


@pytest.mark.parametrize("address", ["443", ":443", "localhost:443", "127.0.0.1", "127.0.0.1:", "::1:443", "[::1]",
                                     "127.0.0.1:https", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1: 80",
                                     "127.0.0.1:0", "systemd:https", ""])
def test_what_is_no_address_is_wrong_usage(address):
    done = run_mta_stsd("-H", address)
    assert done.returncode == 2
    assert f'"{address}" is not an address and a port' in done.stderr
