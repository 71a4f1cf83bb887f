"""SIGTERM: what is in flight is finished, in five seconds at most, and nobody is left."""

import signal
import socket
import time

import pytest

from lib.client import connect, fetch, request, tls
from lib.hello import client_hello, records
from lib.processes import own_address, stopped
from lib.reloads import candidate_stopped, first, slow_configuration
from lib.server import ORG, ORG_BODY, Server

BOTH = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])


@pytest.fixture
def server(serve, site):
    site.install("example.org")
    return serve(ORG, listen=[f"{own_address()}:8443"])


@BOTH
def test_a_server_at_rest_ends_at_once_with_status_0(server, number):
    assert fetch(server).status == 200
    since = time.monotonic()
    server.signal(number)
    assert server.wait_end(2) == 0
    assert time.monotonic() - since < 1
    assert server.processes() == []


def test_a_server_that_is_stopped_as_soon_as_it_is_ready_ends_as_any_other(site):
    """The workers may have ended before their keeper has sent them GO."""
    site.configure(ORG, server="workers = 4")
    for _ in range(15):
        with Server(site):
            pass  # it is stopped, and an error in its log is a failure


@BOTH
def test_a_slow_request_is_answered_while_nobody_else_comes_in(server, number):
    with tls(server) as slow, tls(server) as idle:
        idle.ask()
        half, rest = request()[:30], request()[30:]
        slow.send(half)
        since = time.monotonic()
        server.signal(number)
        assert idle.rest() == b""  # an idle keep-alive is ended at once
        assert time.monotonic() - since < 1
        refused(server.https)
        slow.send(rest)
        response = slow.response()
        assert (response.status, response.body, response.closes) == (200, ORG_BODY, True)
        assert slow.rest() == b""
    assert server.wait_end() == 0


def refused(address):
    """Within a moment nobody listens any more: keeper and other worker may be a little later."""
    since = time.monotonic()
    while True:
        try:
            connect(address).close()
        except ConnectionRefusedError:
            return
        except ConnectionResetError:
            pass  # it was in the queue when the last of them let go
        assert time.monotonic() - since < 1


def test_a_handshake_under_way_is_finished_and_answered(server):
    with socket.create_connection(server.https) as stream, tls(server) as idle:
        idle.ask()
        hello = records(client_hello())
        stream.sendall(hello[:50])
        server.signal(signal.SIGTERM)
        assert idle.rest() == b""
        stream.sendall(hello[50:])
        assert stream.recv(1) == b"\x16"  # a server hello
    assert server.wait_end() == 0


def test_who_came_before_gets_a_certificate_that_nobody_has_asked_for_yet(serve, site):
    site.install("example.org")
    server = serve(ORG, listen=[f"{own_address()}:8443"], server="workers = 1")
    with socket.create_connection(server.https) as stream:
        stream.sendall(b"\x16")  # so that it is accepted, and one worker's
        with connect(server.https) as second:
            second.sendall(records(client_hello("nobody.example")))
            assert second.recv(7)
        server.signal(signal.SIGTERM)
        refused(server.https)
        stream.sendall(records(client_hello())[1:])
        assert stream.recv(1) == b"\x16"  # the keeper has opened the files
    assert server.wait_end() == 0


def test_a_client_that_hangs_is_cut_after_five_seconds(server):
    with connect(server.https) as hanging:
        hanging.sendall(records(client_hello()))  # a handshake may take 10 s
        assert hanging.recv(1)
        since = time.monotonic()
        server.signal(signal.SIGTERM)
        assert server.wait_end(7) == 0
        assert time.monotonic() - since > 4.5
    assert server.messages("and cut, connections: 1")


def test_the_port_is_free_afterwards(server):
    address = server.https
    assert fetch(server).status == 200
    server.stop()
    with socket.create_server(address):
        pass


def test_a_second_signal_changes_nothing(server):
    with tls(server) as slow:
        slow.send(request()[:30])
        server.signal(signal.SIGTERM)
        server.wait_for("stopping")
        server.signal(signal.SIGTERM)
        server.signal(signal.SIGHUP)
        slow.send(request()[30:])
        assert slow.response().body == ORG_BODY
    assert server.wait_end() == 0
    assert len(server.messages("stopping")) == 1


def test_a_reload_under_way_is_given_up(server, site):
    with tls(server) as slow:
        slow.send(request()[:30])
        slow_configuration(site, listen=["%s:%d" % server.https])
        with candidate_stopped(server) as candidate:
            server.signal(signal.SIGTERM)
            server.wait_for("stopping")
            slow.send(request()[30:])
            assert slow.response().body == ORG_BODY
            assert server.wait_end() == 0
    assert not server.messages("reload refused")
    assert candidate.pid not in {process.pid for process in server.processes()}


def test_a_worker_that_hangs_is_ended_by_its_keeper(server):
    with stopped(server.workers()[0]):
        since = time.monotonic()
        server.signal(signal.SIGTERM)
        assert server.wait_end(12) == 0
    assert 6 <= time.monotonic() - since
    assert not server.messages("does not end")  # as the master says of a keeper that does not
    assert server.processes() == []


def test_a_start_under_way_is_given_up(site):
    slow_configuration(site)
    server = Server(site)
    first(server.children)
    server.signal(signal.SIGTERM)
    assert server.wait_end(2) == 0
