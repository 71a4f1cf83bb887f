"""What a service manager says and hears: notifications, and sockets that it hands over."""

import os
import re
import select
import shutil
import signal
import socket
import tempfile
import time
from pathlib import Path

import pytest

from lib.client import fetch
from lib.hand_over import hand_over_to, listening
from lib.server import ORG, ORG_BODY, PATIENCE, Server, run_mta_stsd
from lib.processes import kill, own_address, stopped
from lib.tools import eventually

NEW = ORG + "max_age = 86400\n"
UNIT = Path(__file__).resolve().parents[2] / "contrib" / "systemd" / "mta-stsd.service"


@pytest.fixture(autouse=True)
def certificate(site):
    site.install("example.org")


# --- notifications

class Manager:
    """The other end of NOTIFY_SOCKET."""

    def __init__(self, name):
        self.name = name
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(name.replace("@", "\0", 1))
        self._socket.settimeout(PATIENCE)

    @property
    def env(self):
        return {"NOTIFY_SOCKET": self.name}

    def hear(self):
        """The next message, as a dict."""
        return dict(line.split("=", 1) for line in self._socket.recv(4096).decode().split("\n"))

    def silent(self):
        return not select.select([self._socket], [], [], 0)[0]

    def close(self):
        self._socket.close()


@pytest.fixture(params=["path", "abstract"])
def manager(request):
    folder = tempfile.mkdtemp()  # such a name has at most 107 bytes
    made = Manager(f"{folder}/notify" if request.param == "path" else f"@{folder}")
    yield made
    made.close()
    shutil.rmtree(folder)


def heard_reload(manager, since):
    """RELOADING=1 at a time that is right, and then READY=1, which is given."""
    reloading = manager.hear()
    assert reloading.pop("RELOADING") == "1"
    at = int(reloading.pop("MONOTONIC_USEC"))
    assert since <= at <= time.monotonic_ns() // 1000
    assert reloading == {}
    ready = manager.hear()
    assert ready.pop("READY") == "1"
    assert "null" not in str(ready)
    return ready


def reload(server, manager):
    since = time.monotonic_ns() // 1000
    outcome = server.reload()
    return outcome, heard_reload(manager, since)


def test_the_whole_life_is_told(serve, site, manager):
    server = serve(ORG, env=manager.env)
    first = manager.hear()
    assert first["READY"] == "1" and "generation 1" in first["STATUS"]
    site.configure(NEW)
    outcome, ready = reload(server, manager)
    assert outcome.startswith("ready") and "generation 2" in ready["STATUS"]
    outcome, _ = reload(server, manager)
    assert outcome.startswith("reload unchanged")
    server.allow("mistake|: error: |reload refused")
    site.configure("mistake")
    outcome, _ = reload(server, manager)
    assert outcome.startswith("reload refused")
    assert manager.silent()
    server.signal(signal.SIGTERM)
    assert manager.hear() == {"STOPPING": "1"}
    assert server.wait_end() == 0
    assert manager.silent()


def test_with_a_delay_the_end_is_told_once_and_nothing_behind_it(serve, site, manager):
    """Not even by a reload that was under way."""
    server = serve(ORG, env=manager.env, server="drain_delay = 600")
    assert manager.hear()["READY"] == "1"
    with stopped(*server.children()):
        server.signal(signal.SIGHUP)  # ends in "reload unchanged" once the keeper has answered
        assert manager.hear()["RELOADING"] == "1"
        waiting(server)
        server.signal(signal.SIGTERM)
        assert manager.hear() == {"STOPPING": "1"}
    server.signal(signal.SIGTERM)
    assert server.wait_end() == 0
    assert manager.silent()
    assert not server.messages("^reload")


def waiting(server):
    """Until the candidate of the reload has gone: then the master waits for the keeper alone."""
    eventually(PATIENCE, lambda: len(server.children()) == 1)


def place(site):
    """FILE:LINE of the mistake."""
    return f"{site.ini}:{site.ini.read_text().splitlines().index('mistake') + 1}"


def exec_reload(site, manager):
    """What systemd does for `systemctl reload`: runs the unit's ExecReload=, and fails when that fails."""
    [command] = re.findall(r"^ExecReload=/usr/sbin/mta-stsd (.*)$", UNIT.read_text(), re.M)
    return run_mta_stsd(*command.split(), "-c", str(site.ini), env={**os.environ, **manager.env})


def test_the_reload_of_the_unit_waits_for_the_result(serve, site, manager):
    serve(ORG, env=manager.env).allow("mistake|: error: |reload refused")
    manager.hear()
    site.configure(NEW)
    since = time.monotonic_ns() // 1000
    done = exec_reload(site, manager)
    assert done.returncode == 0 and done.stdout.startswith("ready: generation 2")
    assert heard_reload(manager, since)["STATUS"] == done.stdout.strip()  # and it has come before the command's end
    site.configure("mistake")
    since = time.monotonic_ns() // 1000
    done = exec_reload(site, manager)
    assert done.returncode == 1
    assert f"{place(site)}: error: " in done.stdout
    refused = heard_reload(manager, since)["STATUS"]
    assert refused == done.stderr.strip()
    assert re.fullmatch(rf"reload refused at {place(site)}; generation 2 \(of \S+Z\) goes on", refused)
    assert manager.silent()


def test_the_status_names_what_is_refused_until_a_reload_succeeds(serve, site, manager):
    server = serve(ORG, env=manager.env).allow("mistake|: error: |reload refused|has lost its")
    manager.hear()
    site.configure("mistake")
    _, refused = reload(server, manager)
    assert refused["STATUS"].startswith(f"reload refused at {place(site)}; generation 1 ")
    kill(*server.children())
    assert manager.hear()["STATUS"].startswith(f"reload refused at {place(site)}; generation 3 ")
    site.configure(ORG)
    _, unchanged = reload(server, manager)
    assert unchanged["STATUS"].startswith("ready: generation 3")


def test_a_start_with_the_last_good_configuration_is_ready_and_its_status_degraded(serve, site, manager):
    line = f"state_dir = {site.folder / 'state'}"
    serve(ORG, server=line).stop()
    site.configure("mistake", server=line)
    with Server(site, env=manager.env).allow(": error: |refused"):
        first = manager.hear()
        assert first["READY"] == "1"
        assert first["STATUS"].startswith("degraded: the configuration is refused at ")


def test_nothing_is_told_before_every_listener_accepts(site, manager):
    with socket.create_server((own_address(), 8443)) as other:
        site.configure(ORG, listen=["%s:8443" % other.getsockname()[0]])
        server = Server(site, env=manager.env).allow("in use|cannot start")
        assert server.wait_end() == 1
    assert manager.silent()


def test_a_replaced_generation_is_no_reload(serve, site, manager):
    server = serve(ORG, env=manager.env).allow("has lost its")
    manager.hear()
    kill(*server.children())
    assert "generation 2" in manager.hear()["STATUS"]  # and no RELOADING=1 before


def test_a_manager_that_does_not_listen_is_no_obstacle(serve, site):
    server = serve(ORG, env={"NOTIFY_SOCKET": str(site.folder / "nobody")})
    server.wait_for("cannot notify")
    assert fetch(server).body == ORG_BODY


def test_only_the_master_knows_the_manager(serve, site, manager):
    server = serve(ORG, env=manager.env)
    for process in server.processes()[1:]:
        with open(f"/proc/{process.pid}/net/unix", encoding="ascii") as table:
            inodes = {line.split()[6] for line in table if line.split()[4] == "0002"}  # datagram sockets
        held = {match[1] for leads_to in process.descriptors().values()
                if (match := re.fullmatch(r"socket:\[(\d+)\]", leads_to))}
        assert not held & inodes


# --- sockets

def test_a_socket_is_used_by_its_name(hand_over):
    web, acme = listening(), listening()
    server = hand_over({"acme": acme, "web": web}, listen=["systemd:web"], acme=["systemd:acme"],
                       server="acme_thumbprint = " + "A" * 43)
    assert fetch(server, address=web.getsockname()).body == ORG_BODY
    assert server.address("acme", "systemd:acme") == acme.getsockname()
    assert server.wait_fetch(status=200)["listener"] == "systemd:web"


def test_a_name_that_is_no_bare_word_is_quoted_in_the_log(hand_over):
    web = listening()
    server = hand_over({'web="1"': web}, listen=['systemd:web="1"'])
    assert fetch(server, address=web.getsockname()).body == ORG_BODY
    assert server.wait_fetch(status=200)["listener"] == 'systemd:web="1"'


def test_several_sockets_of_one_name_are_all_used(hand_over):
    sockets = [listening(), listening(socket.AF_INET6, "::1")]
    server = hand_over({"web": sockets}, listen=["systemd:web"])
    for one in sockets:
        assert fetch(server, address=one.getsockname()[:2]).body == ORG_BODY


def test_ipv4_through_a_dual_stack_socket_is_logged_as_ipv4(hand_over):
    web = listening(socket.AF_INET6, "::", dual=True)
    server = hand_over({"web": web}, listen=["systemd:web"])
    port = web.getsockname()[1]
    since = server.mark()
    fetch(server, address=("127.0.0.1", port))
    assert server.wait_fetch(since=since)["client"].startswith("127.0.0.1:")
    since = server.mark()
    fetch(server, address=("::1", port))
    assert server.wait_fetch(since=since)["client"].startswith("[::1]:")


def test_a_socket_is_kept_even_by_a_configuration_that_does_not_use_it(hand_over, site):
    web = listening()
    server = hand_over({"web": web}, listen=["systemd:web"])
    address = web.getsockname()
    web.close()  # so the server alone holds it
    for _ in range(2):
        site.configure(ORG)
        assert server.reload().startswith("ready")
        site.configure(ORG, listen=["systemd:web"])
        assert server.reload().startswith("ready")
        assert fetch(server, address=address).body == ORG_BODY


def test_a_name_that_nobody_handed_over_is_told_with_those_that_were(hand_over, site):
    server = hand_over({"web": listening(), "other": listening()}, listen=["systemd:web"])
    site.configure(ORG, listen=["systemd:wbe"])
    server.allow("systemd:wbe|reload refused")
    assert server.reload().startswith("reload refused")
    assert server.messages(r"mta-stsd\.ini:\d+: error: systemd:wbe was not handed over "
                           r"\(systemd:web, systemd:other\)")


def test_a_name_is_an_error_where_nothing_was_handed_over(site):
    server = Server(site.configure(ORG, listen=["systemd:web"])).allow("handed over|cannot start")
    assert server.wait_end() == 1
    assert server.messages("handed over none")


def test_sockets_for_another_process_are_left_alone(site):
    """LISTEN_PID is another's: those variables were inherited by mistake."""
    site.configure(ORG, listen=["systemd:web"])
    with listening() as web:
        server = Server(site, env={"LISTEN_PID": "1", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "web"},
                        pass_fds=[web.fileno()]).allow("handed over|cannot start")
        assert server.wait_end() == 1


def test_a_socket_that_does_not_listen_is_an_error(site):
    site.configure(ORG, listen=["systemd:web"])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        fd = datagrams.fileno()
        server = Server(site, **hand_over_to([("web", fd)]))
        server.allow("no listening stream socket")
        assert server.wait_end() == 1
    assert server.messages("systemd:web: descriptor 3 is no listening stream socket")
