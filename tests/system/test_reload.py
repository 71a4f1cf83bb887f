"""SIGHUP: a new generation or nothing, and no sender ever notices."""

import contextlib
import os
import re
import resource
import signal
import socket
import time

import pytest

from lib import client
from lib.client import fetch, plain, request, tls
from lib.hello import client_hello, records
from lib.processes import Memory, ends, own_address, own_port, stopped
from lib.reloads import candidate_stopped, first, slow_configuration
from lib.senders import Senders, fetch_from_each
from lib.server import HOST, ORG, ORG_BODY, PATIENCE, Server
from lib.tools import eventually

RELOADS = 200
SENDERS = 8
NEW_BODY = ORG_BODY.replace(b"604800", b"86400")


@pytest.fixture(autouse=True)
def certificate(site):
    site.install("example.org")


def max_age(seconds):
    return ORG + f"max_age = {seconds}\n"


def pids(server):
    return [process.pid for process in server.processes()]


@contextlib.contextmanager
def unnoticed(server, body=ORG_BODY, but=None):
    """Nothing that happens inside fails a fetch or changes an answer, or the processes, but for this one."""
    before = [pid for pid in pids(server) if pid != but]
    with Senders(server, 2) as senders:
        senders.wait(2)
        yield
        senders.wait(4)
    assert senders.failures == []
    assert set(senders.bodies) == {body}
    assert set(before) <= set(pids(server))


def refused(server, reason):
    """A reload that is refused for this reason, and has no other effect."""
    server.allow("reload refused|: error: ")
    since = server.mark()
    with unnoticed(server):
        assert "reload refused" in server.reload()
        assert server.messages(reason, since), server.log(since)
    return server


# --- what a reload does

def test_a_reload_serves_the_new_configuration(serve, site):
    server = serve(ORG)
    old = server.processes()[1:]
    with ends(old):
        site.configure(max_age(86400))
        assert server.reload().startswith("ready: generation 2")
        assert fetch(server).body == NEW_BODY
    assert len(server.processes()) == 4


@pytest.mark.parametrize("name, line", [("more.ini", "include = more.ini"),
                                        ("customers.txt", None)], ids=["include", "alias_file"])
def test_a_changed_file_that_the_configuration_names_counts_as_changed(serve, site, name, line):
    content = "[example.net]\nmode = none\nmx = mx.example.net\n" if line else "example.net\n"
    site.write("# nothing yet\n".replace("#", ";" if line else "#"), name)
    server = serve(ORG + ("" if line else f"alias_file = {name}\n"), server=line or "")
    assert server.reload().startswith("reload unchanged")
    site.install("example.net")
    site.write(content, name)
    assert server.reload().startswith("ready: generation")
    assert fetch(server, "mta-sts.example.net").status == 200


def test_the_first_who_comes_after_the_word_ready_gets_the_new_configuration(serve, site):
    server = serve(max_age(100000), server="workers = 4")
    for number in range(100001, 100301):
        site.configure(max_age(number), server="workers = 4")
        assert server.reload().startswith("ready: generation")
        assert b"max_age: %d\r\n" % number in fetch(server).body


def test_server_settings_change_too(serve, site):
    server = serve(ORG, server="workers = 1")
    old = server.processes()[1:]
    with ends(old):
        site.configure(ORG, server="workers = 3\naccess_log = off")
        assert server.reload().startswith("ready: generation 2, 1 domain, 1 listener, 3 workers")
    assert len(server.workers()) == 3
    since = server.mark()
    assert fetch(server).body == ORG_BODY
    server.reload()  # whatever a worker would have said, it has said by now
    assert not [line.raw for line in server.lines[since:] if line.fields]


def test_unchanged_inputs_replace_nobody(serve, site):
    server = serve(ORG)
    before = pids(server)
    for _ in range(5):
        assert server.reload().startswith("reload unchanged")
        site.ini.touch()  # another time, the same bytes
    eventually(2, lambda: pids(server) == before)  # the last candidate is on its way out
    assert fetch(server).body == ORG_BODY


def test_an_unchanged_reload_is_one_line_of_the_log(serve, site):
    site.install("example.org")
    server = serve(ORG)
    for _ in range(3):
        fetch_from_each(server)
        since = server.mark()
        assert server.reload().startswith("reload unchanged")
        fetch_from_each(server)  # after which each worker has logged what it would
        assert len([line for line in server.lines[since:] if line.message]) == 1


# --- many of them

def settle(server):
    """Every process has the same behind it; the generation before has gone."""
    for _ in range(3):
        fetch_from_each(server)


def descriptors(server):
    return [sorted(re.sub(r"(?<=mta-stsd\.)\w+|\d+", "N", leads_to) for leads_to in process.descriptors().values())
            for process in server.processes()]


def keeping_no_freed_memory():
    """AddressSanitizer holds freed memory back for a while; what is measured here must not count it."""
    options = [os.environ.get("ASAN_OPTIONS", ""), "quarantine_size_mb=0", "thread_local_quarantine_size_kb=0"]
    return {"ASAN_OPTIONS": ":".join(filter(None, options))}


def test_200_changed_reloads_under_load_fail_no_fetch_and_leave_nothing(serve, site, record_property):
    server = serve(max_age(100000), env=keeping_no_freed_memory())
    held = descriptors(server)  # while there is no connection
    settle(server)
    before = Memory(*server.processes())
    started = time.monotonic()
    with Senders(server, SENDERS) as senders:
        for number in range(1, RELOADS):
            site.configure(max_age(100000 + number))
            assert server.reload().startswith(f"ready: generation {number + 1},")
    old = server.processes()[1:]
    with ends(old):
        site.configure(max_age(100000 + RELOADS))
        assert server.reload().startswith(f"ready: generation {RELOADS + 1},")
    settle(server)
    after = Memory(*server.processes())
    figures = (f"{RELOADS} reloads in {time.monotonic() - started:.1f} s, {len(senders.bodies)} fetches, "
               f"{len(senders.failures)} failed; PSS before {before}, after {after}")
    print(figures)
    record_property("reloads", figures)
    assert senders.failures == []
    assert len(set(senders.bodies)) > RELOADS / 2  # new ones, all the time
    assert after.own - before.own < 1024
    eventually(3, lambda: descriptors(server) == held)  # once the last fetch's connection has gone


def test_a_burst_of_ten_signals_is_one_or_two_reloads(serve, site):
    server = serve(ORG)
    with Senders(server, 2) as senders:
        site.configure(max_age(86400))
        for _ in range(10):
            server.signal(signal.SIGHUP)
        server.wait_for("^ready: generation 2")
        # behind the last of these, nothing of the burst is left
        site.configure("mistake")
        server.allow("mistake|: error: |reload refused")
        assert "reload refused" in server.reload() or "reload refused" in server.reload()
        senders.wait(4)
    assert senders.failures == []
    assert fetch(server).body == NEW_BODY
    assert len(server.messages("^ready: generation")) == 2


# --- what is refused

def test_a_typo_keeps_the_old_configuration_whole(serve, site):
    server = serve(ORG, server="max_connections = 100")
    site.configure(max_age(86400), server="max_conections = 100")
    refused(server, r'mta-stsd\.ini:\d+: error: .*did you mean "?max_connections')
    site.configure(max_age(86400))
    assert server.reload().startswith("ready: generation")
    assert fetch(server).body == NEW_BODY


@pytest.mark.parametrize("kind", ["missing", "folder", "closed"])
def test_an_include_that_cannot_be_read_refuses_the_reload(serve, site, kind):
    server = serve(ORG)
    include = site.folder / "more.ini"
    if kind == "folder":
        include.mkdir()
    elif kind == "closed":  # root reads it all the same, but not through a link that leads to itself
        include.symlink_to(include)
    site.configure(ORG, server="include = more.ini")
    refused(server, "more.ini")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: without it, user is ignored")
def test_a_user_that_does_not_exist_refuses_the_reload(serve, site):
    server = serve(ORG)
    site.configure(ORG, server="user = nobody-has-this-name")
    refused(server, "user 'nobody-has-this-name' does not exist")


def test_a_listener_that_cannot_bind_refuses_the_reload(serve, site):
    server = serve(ORG)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        site.configure(ORG, listen=["127.0.0.1:0", f"127.0.0.1:{port}"])
        refused(server, f"127.0.0.1:{port} is in use by another program")
    assert server.reload().startswith("ready: generation")


def test_a_missing_configuration_refuses_the_reload(serve, site):
    server = serve(ORG)
    site.ini.unlink()
    refused(server, r"mta-stsd\.ini: error: cannot open the configuration: No such file or directory$")


def test_a_generation_that_is_never_ready_is_given_up(serve, site, clock):
    server = serve(ORG, env=clock.environment())
    slow_configuration(site)
    with candidate_stopped(server):
        clock.advance(61)
        server.allow("not ready in time")
        server.signal(signal.SIGCHLD)  # something to wake up for, that asks for nothing
        server.wait_for("reload refused: the new generation was not ready in time")
        assert fetch(server).body == ORG_BODY
    assert server.reload().startswith("ready: generation")


# --- listeners

def test_listeners_come_and_go(serve, site):
    first, second = own_address(), own_address()
    server = serve(ORG, listen=[f"{first}:8443"])
    with Senders(server, 2) as senders:
        site.configure(ORG, listen=[f"{first}:8443", f"{second}:8443"])
        assert server.reload().startswith("ready: generation 2")
        assert fetch(server, address=(second, 8443)).status == 200
        senders.wait(4)
    assert senders.failures == []
    site.configure(ORG, listen=[f"{second}:8443"])
    assert server.reload().startswith("ready: generation 3")
    with ends_connecting_to((first, 8443)):
        assert fetch(server, address=(second, 8443)).status == 200
    with socket.create_server((first, 8443)):
        pass  # and anybody may have it


@contextlib.contextmanager
def ends_connecting_to(address):
    """Inside, or already, whoever held the address lets go of it: a drain closes its listeners at once."""
    yield
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            socket.create_connection(address, PATIENCE).close()
        except ConnectionRefusedError:
            return
    raise AssertionError(f"{address} is still open")


def test_two_listeners_swap_what_they_are_for(serve, site):
    first, second = own_address(), own_address()
    thumbprint = "A" * 43
    server = serve(ORG, listen=[f"{first}:8443"], acme=[f"{second}:8443"], server=f"acme_thumbprint = {thumbprint}")
    site.configure(ORG, listen=[f"{second}:8443"], acme=[f"{first}:8443"], server=f"acme_thumbprint = {thumbprint}")
    old = server.processes()[1:]
    with ends(old):
        assert server.reload().startswith("ready: generation 2")
    assert fetch(server, address=(second, 8443)).status == 200
    with plain((first, 8443)) as client:
        assert client.ask(HOST, "/.well-known/acme-challenge/token").body == b"token." + thumbprint.encode()


def test_listeners_of_two_kinds_on_port_0_keep_their_kinds(serve, site):
    address, thumbprint = f"{own_address()}:0", "A" * 43
    server = serve(ORG, listen=[address], acme=[address], server=f"acme_thumbprint = {thumbprint}")
    held = listening(server)
    for generation in (2, 3):
        site.configure(max_age(86400 + generation), listen=[address], acme=[address],
                       server=f"acme_thumbprint = {thumbprint}")
        with ends(server.processes()[1:]):  # then every process is of the new generation
            assert server.reload().startswith(f"ready: generation {generation}")
        for _ in range(4):  # with two acceptors on one socket, either may be first
            assert fetch(server).status == 200
            with plain(server.acme) as client:
                assert client.ask(HOST, "/.well-known/acme-challenge/token").body == b"token." + thumbprint.encode()
        assert listening(server) == held
    site.configure(ORG, listen=[address])
    with ends(server.processes()[1:]):
        assert server.reload().startswith("ready: generation 4")
    assert len(listening(server)) == 1 and fetch(server).status == 200


def listening(server):
    """What the master's descriptors lead to, as far as they listen."""
    with open(f"/proc/{server.pid}/net/tcp", encoding="ascii") as table:
        fields = [line.split() for line in table]
    inodes = {f"socket:[{line[9]}]" for line in fields if line[3] == "0A"}
    return inodes & set(server.processes()[0].descriptors().values())


def test_a_listener_that_overlaps_one_still_held_needs_a_restart(serve, site):
    port = own_port()
    server = serve(ORG, listen=[f"127.0.0.1:{port}"])
    site.configure(ORG, listen=[f"0.0.0.0:{port}"])
    refused(server, f"0.0.0.0:{port} overlaps 127.0.0.1:{port}.*needs a restart")


# --- what is under way

def test_connections_that_wait_in_the_queue_are_served_by_the_next_generation(serve, site):
    server = serve(ORG)
    old = server.workers()
    with contextlib.ExitStack() as stack:
        stack.enter_context(ends(old))
        stack.enter_context(stopped(*old))  # so nobody accepts
        waiting = [stack.enter_context(socket.create_connection(server.https, PATIENCE)) for _ in range(20)]
        site.configure(max_age(86400))
        assert server.reload().startswith("ready: generation 2")
        for stream in waiting:
            wrapped = client.context(site).wrap_socket(stream, server_hostname=HOST,
                                                       suppress_ragged_eofs=False)
            assert client.Connection(wrapped).ask().body == NEW_BODY


def test_a_slow_request_is_answered_by_the_generation_it_came_to(serve, site):
    server = serve(ORG)
    with tls(server) as slow:
        half, rest = request()[:20], request()[20:]
        slow.send(half)
        site.configure(max_age(86400))
        assert server.reload().startswith("ready: generation 2")
        assert fetch(server).body == NEW_BODY
        slow.send(rest)
        response = slow.response()
        assert (response.status, response.body, response.closes) == (200, ORG_BODY, True)
        assert slow.rest() == b""


def test_an_idle_keep_alive_is_ended_by_a_reload(serve, site):
    server = serve(ORG)
    with tls(server) as idle:
        idle.ask()
        site.configure(max_age(86400))
        since = time.monotonic()
        server.reload()
        assert idle.rest() == b""
        assert time.monotonic() - since < 1.5  # its own deadline is 2 s


def test_one_generation_drains_at_a_time_and_for_five_seconds_at_most(serve, site):
    server = serve(max_age(100000))
    first = server.processes()[1:]
    with client.connect(server.https) as hanging:
        hanging.sendall(records(client_hello()))  # a handshake may take 10 s
        assert hanging.recv(1)
        site.configure(max_age(100001))
        since = time.monotonic()
        with ends(first, 7):
            assert server.reload().startswith("ready: generation 2")
            site.configure(max_age(100002))
            mark = server.mark()
            server.signal(signal.SIGHUP)
            with pytest.raises(AssertionError):
                server.wait_for("^ready", 2, mark)
            assert len(server.children()) == 2, "no third one meanwhile"
            assert b"max_age: 100001\r\n" in fetch(server).body
            server.wait_for("and cut, connections: 1", since=mark)
            server.wait_for("^ready: generation 3", since=mark)
        assert 4.5 < time.monotonic() - since < 7
    assert b"max_age: 100002\r\n" in fetch(server).body


def test_a_signal_during_a_reload_means_one_more(serve, site):
    server = serve(ORG)
    slow_configuration(site)
    with candidate_stopped(server):
        since = server.mark()
        for _ in range(3):
            server.signal(signal.SIGHUP)
    server.wait_for("^ready: generation", since=since)
    server.wait_for("^reload unchanged", since=since)
    assert fetch(server, HOST).body == NEW_BODY


def test_a_signal_before_the_first_ready_means_one_more(site):
    slow_configuration(site)
    for _ in range(20):  # until it is not ready before this sees it
        server = Server(site)
        first(server.children)
        server.signal(signal.SIGHUP)
        early = not server.messages("^ready")
        with server:
            server.wait_for("^reload unchanged: generation 1")
        if early:
            return
    raise AssertionError("no start was slow enough")


def test_a_keeper_that_stands_still_does_not_stop_reloads_for_good(serve, site):
    """It may hang in a file system that does not answer."""
    server = serve(ORG).allow("reload refused: the keeper of the generation that serves does not answer")
    server.allow("the master does not read")  # it says what nobody waits for any more
    assert fetch(server).body == ORG_BODY
    with stopped(*server.children()):
        assert server.reload().startswith("reload refused")
        site.configure(max_age(86400))
        assert server.reload().startswith("ready: generation")
        assert fetch(server).body == NEW_BODY


def test_a_master_that_cannot_take_a_new_listener_refuses_the_reload(serve, site):
    """A descriptor that finds no room is left out by the kernel, and nothing else tells."""
    addresses = [own_address() for _ in range(4)]
    listen = [f"{address}:8443" for address in addresses]
    server = serve(ORG, listen=listen[:1])
    server.allow("reload refused: there are not enough descriptors|the keeper is gone")
    master = server.processes()[0]
    limits = resource.prlimit(master.pid, resource.RLIMIT_NOFILE)
    slow_configuration(site, listen=listen)
    since = server.mark()
    with candidate_stopped(server):
        used = set(master.descriptors())
        free = [number for number in range(100) if number not in used]
        resource.prlimit(master.pid, resource.RLIMIT_NOFILE, (free[2], limits[1]))  # three are new
    server.wait_for("^reload refused", since=since)
    resource.prlimit(master.pid, resource.RLIMIT_NOFILE, limits)
    assert fetch(server, address=(addresses[0], 8443)).body == ORG_BODY
    for seconds in 86401, 86400:  # what the first of them binds, the second is given
        site.configure(max_age(seconds), listen=listen)
        assert server.reload().startswith("ready")
    for address in addresses:
        assert fetch(server, address=(address, 8443)).body == NEW_BODY


def test_a_candidate_that_is_killed_refuses_the_reload(serve, site):
    server = serve(ORG)
    slow_configuration(site)
    server.allow("reload refused: the new generation ended before it was ready")
    with candidate_stopped(server) as candidate:
        with unnoticed(server, fetch(server).body, but=candidate.pid):
            os.kill(candidate.pid, signal.SIGKILL)
            server.wait_for("reload refused")
    assert server.reload().startswith("ready: generation")
