"""The health listener: /livez and /readyz, ready_requires_certificates, and readiness before the end (drain_delay)."""

import contextlib
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from lib.client import connect, fetch, plain, request, tls
from lib.hand_over import listening
from lib.processes import kill, own_address, stopped
from lib.reloads import first
from lib.server import ORG, ORG_BODY, PATIENCE, Process, Server, run_mta_stsd
from lib.tools import eventually

HEALTH = ["127.0.0.3:0"]
MISSING = b"certificates are missing\r\n"
STOPPING = b"the server is stopping\r\n"
SOON = 10  # seconds in which a scan that looks every 2 s has seen a change


def get(server, path="/readyz", method="GET", host="127.0.0.3:8081", **options):
    with plain(server.health) as connection:
        return connection.ask(host, path, method, **options)


def status(server, path="/readyz"):
    return get(server, path).status


# --- what it answers

@pytest.fixture(scope="module")
def server(make_site):
    site = make_site()
    site.install("example.org")
    site.configure(ORG, health=HEALTH)
    with Server(site) as running:
        yield running


@pytest.mark.parametrize("path, body", [("/livez", b"alive\r\n"), ("/readyz", b"ready\r\n")])
def test_a_server_that_serves_lives_and_is_ready(server, path, body):
    response = get(server, path)
    assert (response.status, response.body, response.headers["content-type"]) == (200, body, "text/plain")
    head = get(server, path, "HEAD")
    assert (head.status, head.headers["content-length"]) == (200, str(len(body)))


@pytest.mark.parametrize("path", ["/", "/livez/", "/LIVEZ", "/readyz2", "/.well-known/mta-sts.txt",
                                  "/.well-known/acme-challenge/x", "/metrics"])
def test_another_path_is_not_found(server, path):
    response = get(server, path)
    assert (response.status, response.body) == (404, b"404 Not Found\r\n")
    assert get(server, path, host="mta-sts.example.org").status == 404


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_another_method_is_not_allowed(server, path):
    for method in "POST", "DELETE", "OPTIONS":
        response = get(server, path, method)
        assert (response.status, response.headers["allow"]) == (405, "GET, HEAD")


def test_any_host_or_none_will_do(server):
    for host in "mta-sts.example.org", "nobody.example", "[::1]:8081":
        assert get(server, host=host).status == 200
    assert get(server, host=None, version="HTTP/1.0").status == 200


def test_a_connection_is_kept(server):
    with plain(server.health) as connection:
        for path, wanted in ("/livez", 200), ("/readyz", 200), ("/", 404), ("/readyz", 200):
            response = connection.ask(path=path)
            assert (response.status, response.closes) == (wanted, False)
        connection.send(request(path="/livez") + request(path="/readyz", headers=["Connection: close"]))
        assert (connection.response().body, connection.response().body) == (b"alive\r\n", b"ready\r\n")
        assert connection.rest() == b""


def test_a_malformed_request_is_answered_as_on_other_listeners(server):
    with plain(server.health) as connection:
        connection.send(b"GET /livez HTTP/1.1\r\n\r\n")
        assert connection.response().status == 400


def test_probes_are_not_in_the_access_log(server):
    since = server.mark()
    for path in "/livez", "/readyz", "/":
        get(server, path)
    fetch(server)
    server.wait_fetch(since=since, listener="127.0.0.1:0")
    assert len([line for line in server.lines[since:] if line.fields]) == 1


def test_every_worker_answers(server):
    for worker in server.workers():
        with stopped(worker):
            assert status(server) == 200


def test_curl_asks_as_the_manual_shows(server):
    done = subprocess.run(["curl", "-fsS", "http://%s:%d/readyz" % server.health], capture_output=True, timeout=PATIENCE)
    assert (done.returncode, done.stdout) == (0, b"ready\r\n")


# --- where it listens

def test_a_socket_from_systemd_is_a_health_listener(hand_over, site):
    site.install("example.org")
    web, health = listening(), listening()
    server = hand_over({"web": web, "health": health}, listen=["systemd:web"], health=["systemd:health"])
    assert server.address("health", "systemd:health") == health.getsockname()
    assert status(server) == 200
    assert fetch(server, address=web.getsockname()).body == ORG_BODY


@pytest.mark.parametrize("name", ["127.0.0.1:8443", "systemd:web"])
def test_an_address_for_clients_is_not_one_for_probes(site, name):
    site.configure(ORG, listen=[name], health=[name])
    exit_status, lines = site.test()
    assert exit_status == 1
    assert any(re.search(rf"error: {name} is already listened on by .*mta-stsd\.ini:3", line) for line in lines), lines


def test_every_address_covers_one_for_clients(site):
    site.configure(ORG, listen=["127.0.0.1:8443"], health=["0.0.0.0:8443"])
    exit_status, lines = site.test()
    assert exit_status == 1 and any("0.0.0.0:8443 overlaps 127.0.0.1:8443" in line for line in lines), lines


def test_a_health_listener_comes_and_goes_with_a_reload(serve, site):
    address = (own_address(), 8081)
    server = serve(ORG)
    site.configure(ORG, health=["%s:%d" % address])
    assert server.reload().startswith("ready: generation 2")
    assert status(server) == 200
    site.configure(ORG)
    assert server.reload().startswith("ready: generation 3")
    eventually(PATIENCE, lambda: refused(address))


def refused(address):
    try:
        connect(address).close()
    except (ConnectionRefusedError, ConnectionResetError):
        return True
    return False


def test_a_server_without_an_https_listener_does_not_start(site):
    site.write(f"[server]\nlisten_health = 127.0.0.3:0\n{ORG}")
    assert site.test()[0] == 1


# --- crowds

def test_probes_are_answered_while_max_connections_are_taken(serve, site):
    site.install("example.org")
    server = serve(ORG, health=HEALTH, server="workers = 1\nmax_connections = 4\nmax_connections_per_ip = 0")
    with tls(server) as one, tls(server) as two, tls(server) as three, tls(server) as four:
        for held in one, two, three, four:
            held.send(request()[:30])
        for _ in range(3):
            assert status(server) == 200
        for held in one, two, three, four:  # and none of them has made room
            held.send(request()[30:])
            assert held.response().body == ORG_BODY


def test_silent_clients_of_the_health_listener_keep_no_probe_out(serve, site):
    site.install("example.org")
    server = serve(ORG, health=HEALTH, server="workers = 1\nmax_connections = 4")
    crowd = [connect(server.health) for _ in range(100)]
    try:
        for _ in range(3):
            assert status(server, "/livez") == 200
        assert fetch(server).body == ORG_BODY
        assert crowd[0].recv(100) == b""  # the oldest have made room
    finally:
        for stream in crowd:
            stream.close()


def needed(site, **options):
    """How many descriptors a worker needs, as a server with too few of them says."""
    site.configure(ORG, server="workers = 1\nmax_connections = 4096", **options)
    with Server(site, prefix=["sh", "-c", 'ulimit -n 256 && exec "$@"', "sh"]) as server:
        return int(server.wait_for(r"max_connections = 4096 needs (\d+) descriptors a worker")[1])


def test_probes_have_descriptors_of_their_own(site):
    assert needed(site, health=HEALTH) == needed(site) + 32 + 1  # and the listener's


# --- ready_requires_certificates

def several(count):
    return [f"[d{number}.example]\nmode = enforce\nmx = mail.example.org\n" for number in range(count)]


def test_without_the_key_a_server_without_certificates_is_ready(serve):
    server = serve(ORG, health=HEALTH)
    assert (status(server), status(server, "/livez")) == (200, 200)


def test_a_server_is_ready_once_its_certificates_are_there(serve, site):
    server = serve(ORG, health=HEALTH, server="ready_requires_certificates = 100%")
    for worker in server.workers():  # each of them
        with stopped(worker):
            response = get(server)
            assert (response.status, response.body) == (503, MISSING)
    assert status(server, "/livez") == 200
    assert run_mta_stsd("-c", str(site.ini), "-H").returncode == 0
    site.install("example.org")
    server.wait_for("^ready_requires_certificates: 1 of 1 hosts have a good certificate$")
    for worker in server.workers():
        with stopped(worker):
            eventually(SOON, lambda: status(server) == 200)


def test_it_stays_ready_in_later_generations(serve, site):
    site.install("example.org")
    server = serve(ORG, health=HEALTH, server="ready_requires_certificates = 100%").allow("has lost its")
    server.wait_for("^ready_requires_certificates: 1 of 1")
    eventually(SOON, lambda: status(server) == 200)
    (site.certs / "mta-sts.example.org" / "privkey.pem").unlink()
    site.configure(ORG, "[other.example]\nmode = enforce\nmx = mail.example.org\n", health=HEALTH,
                   server="ready_requires_certificates = 100%")
    assert server.reload().startswith("ready: generation 2")
    assert status(server) == 200
    since = server.mark()
    kill(*server.children())
    server.wait_for("^ready: generation 3", since=since)
    for _ in range(4):
        assert status(server) == 200
    assert len(server.messages("^ready_requires_certificates:")) == 1


def test_so_many_percent_are_enough(serve, site):
    for number in range(3):
        site.install(f"d{number}.example")
    server = serve(*several(5), health=HEALTH, server="ready_requires_certificates = 80%")
    server.wait_for("mta-sts.d4.example: ")  # looked at
    for _ in range(4):
        assert get(server).body == MISSING
    site.install("d4.example")
    server.wait_for("^ready_requires_certificates: 4 of 5 hosts")
    eventually(SOON, lambda: all(status(server) == 200 for _ in range(8)))


def children(pid):
    """Their pids. Looking through all of /proc would take longer than a worker needs to start."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def several_of(pids):
    return pids if len(pids) > 1 else None


@contextlib.contextmanager
def scanned_before_ready(site):
    """A server whose scan has ended while its last worker stood still and was not up."""
    for _ in range(20):
        server = Server(site)
        keeper = first(lambda: children(server.pid))[0]
        workers = first(lambda: several_of(children(keeper)))
        with stopped(Process(workers[-1])):
            server.wait_for("^ready_requires")
            early = not server.messages("^ready: ")
        with server:
            if early:
                yield server
                return
    raise AssertionError("every start was too fast")


def test_a_scan_that_ends_before_all_workers_are_up_counts(site):
    """The keeper is a candidate then."""
    many = "workers = 8\nready_requires_certificates = 100%"
    site.install("example.org")
    site.configure(ORG, health=HEALTH, server=many)
    with scanned_before_ready(site) as server:
        eventually(SOON, lambda: all(status(server) == 200 for _ in range(8)))
        (site.certs / "mta-sts.example.org" / "privkey.pem").unlink()
        site.configure(ORG + "max_age = 86400\n", health=HEALTH, server=many)
        assert server.reload().startswith("ready: generation 2")
        for _ in range(8):
            assert status(server) == 200


def test_a_pair_that_is_not_usable_does_not_count(serve, site, authority):
    other = authority.issue("mta-sts.other.example")
    site.install("example.org", pair=other)
    server = serve(ORG, health=HEALTH, server="ready_requires_certificates = 1%")
    server.wait_for("mta-sts.example.org")
    assert get(server).body == MISSING


def test_a_worker_that_dies_during_the_scan_is_followed_by_one_that_scans(serve, site):
    server = serve(ORG, health=HEALTH, server="ready_requires_certificates = 100%").allow("was ended by signal 9")
    server.wait_for("mta-sts.example.org: ")
    for _ in range(2):
        before = server.workers()
        kill(before[0])
        eventually(PATIENCE, lambda: len(server.workers()) == 2
                   and {one.pid for one in server.workers()} != {one.pid for one in before})
    assert get(server).body == MISSING
    site.install("example.org")
    server.wait_for("^ready_requires_certificates: 1 of 1")
    eventually(SOON, lambda: all(status(server) == 200 for _ in range(8)))
    before = {one.pid for one in server.workers()}
    kill(server.workers()[0])
    eventually(PATIENCE, lambda: len(server.workers()) == 2 and {one.pid for one in server.workers()} != before)
    for worker in server.workers():
        with stopped(worker):
            eventually(SOON, lambda: status(server) == 200)


def test_the_scan_has_filled_the_cache(serve, site):
    """Then the first sender does not wait for the keeper."""
    site.install("example.org")
    server = serve(ORG, health=HEALTH, server="workers = 1\nready_requires_certificates = 100%")
    eventually(SOON, lambda: status(server) == 200)  # it accepts, too
    with stopped(*server.children()):
        assert fetch(server).body == ORG_BODY


def test_a_reload_that_sets_the_key_waits_for_certificates(serve, site):
    server = serve(ORG, health=HEALTH)
    assert status(server) == 200
    site.configure(ORG, health=HEALTH, server="ready_requires_certificates = 100%")
    assert server.reload().startswith("ready: generation 2")
    eventually(SOON, lambda: get(server).body == MISSING)
    site.install("example.org")
    eventually(SOON, lambda: all(status(server) == 200 for _ in range(8)))


def test_a_keep_alive_connection_is_ready_while_its_generation_drains(serve, site):
    """A reload is not the end of the server."""
    site.install("example.org")
    server = serve(ORG, health=HEALTH, server="workers = 1")
    with plain(server.health) as probe, tls(server) as slow:
        half = request(path="/readyz")
        probe.send(half[:20])
        slow.send(request()[:30])
        site.configure(ORG + "max_age = 86400\n", health=HEALTH, server="workers = 1")
        assert server.reload().startswith("ready: generation 2")
        assert refuses_to_accept(server)
        probe.send(half[20:])
        response = probe.response()
        assert (response.status, response.body, response.closes) == (200, b"ready\r\n", True)
        slow.send(request()[30:])
        assert slow.response().body == ORG_BODY


def refuses_to_accept(server):
    """The old worker has seen that it drains: an idle connection of it would have been closed, a new one is the new one's."""
    return eventually(PATIENCE, lambda: b"max_age: 86400" in fetch(server).body)


# --- drain_delay

@pytest.fixture
def delayed(serve, site):
    site.install("example.org")
    return serve(ORG, health=HEALTH, server="drain_delay = 30")


def unready(server):
    server.wait_for("^stopping: not ready any more, and accepting for another 30 s$")
    eventually(PATIENCE, lambda: all(status(server) == 503 for _ in range(8)))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_server_that_stops_is_not_ready_and_still_accepts(delayed, site, number):
    with plain(delayed.health) as kept:
        assert kept.ask(path="/readyz").status == 200
        delayed.signal(number)
        unready(delayed)
        response = kept.ask(path="/readyz")
        assert (response.status, response.body, response.closes) == (503, STOPPING, False)
    assert status(delayed, "/livez") == 200
    for _ in range(8):
        assert fetch(delayed).body == ORG_BODY
    assert run_mta_stsd("-c", str(site.ini), "-H").returncode == 0
    done = run_mta_stsd("-c", str(site.ini), "-s")
    assert (done.returncode, "stopping" in done.stdout) == (0, True)
    since = time.monotonic()
    delayed.signal(signal.SIGTERM)
    assert delayed.wait_end(PATIENCE) == 0
    assert time.monotonic() - since < 5
    assert len(delayed.messages("^stopping: finishing what is in flight$")) == 1


def test_the_delay_ends_by_itself(serve, site, clock):
    site.install("example.org")
    server = serve(ORG, health=HEALTH, server="drain_delay = 600", env=clock.environment())
    server.signal(signal.SIGTERM)
    server.wait_for("^stopping: not ready any more, and accepting for another 600 s$")
    clock.advance(590)
    server.signal(signal.SIGCHLD)  # something to wake up for
    assert fetch(server).body == ORG_BODY
    clock.advance(11)
    server.signal(signal.SIGCHLD)
    assert server.wait_end() == 0
    assert server.messages("^stopping: finishing what is in flight$")


def test_a_short_delay_is_waited_for(serve, site):
    site.install("example.org")
    server = serve(ORG, health=HEALTH, server="drain_delay = 1")
    since = time.monotonic()
    server.signal(signal.SIGTERM)
    assert server.wait_end() == 0
    assert time.monotonic() - since >= 1


def test_a_reload_during_the_delay_does_not_happen(delayed, site):
    delayed.signal(signal.SIGTERM)
    unready(delayed)
    site.configure(ORG + "max_age = 86400\n", health=HEALTH)
    delayed.signal(signal.SIGHUP)
    done = run_mta_stsd("-c", str(site.ini), "-r")
    assert done.returncode == 1 and "stopping" in done.stderr
    assert fetch(delayed).body == ORG_BODY
    delayed.signal(signal.SIGTERM)
    assert delayed.wait_end() == 0
    assert not delayed.messages("reload|generation 2")


def test_a_keeper_that_dies_during_the_delay_is_not_replaced(delayed):
    assert fetch(delayed).body == ORG_BODY
    delayed.signal(signal.SIGTERM)
    unready(delayed)
    delayed.allow("has lost its keeper and is not replaced: the server is stopping")
    kill(*delayed.children())
    delayed.wait_for("has lost its keeper and is not replaced")
    assert status(delayed) == 503 and status(delayed, "/livez") == 200
    delayed.signal(signal.SIGTERM)
    assert delayed.wait_end() == 0
    assert not delayed.messages("starting the next one")


def test_a_start_under_way_has_no_delay(site):
    """Its configuration is not known yet, and it serves no client."""
    with socket.create_server((own_address(), 8443)) as other:
        site.configure(ORG, listen=["%s:8443" % other.getsockname()[0]], server="drain_delay = 30")
        server = Server(site).allow("in use|cannot start")
        assert server.wait_end() == 1


def test_a_request_that_is_under_way_at_the_end_is_answered_not_ready(serve, site):
    server = serve(ORG, health=HEALTH, server="workers = 1")
    asks = request(path="/readyz")
    with plain(server.health) as idle, plain(server.health) as probe:
        assert idle.ask(path="/readyz").status == 200
        probe.send(asks[:20])
        assert status(server) == 200  # so the worker has the half
        server.signal(signal.SIGTERM)
        assert idle.rest() == b""  # it has seen the end
        probe.send(asks[20:])
        response = probe.response()
        assert (response.status, response.body, response.closes) == (503, STOPPING, True)
    assert server.wait_end() == 0


def test_without_the_key_there_is_no_delay(serve, site):
    site.install("example.org")
    server = serve(ORG, health=HEALTH)
    since = time.monotonic()
    server.stop()
    assert time.monotonic() - since < 2
    assert not server.messages("accepting for another")
