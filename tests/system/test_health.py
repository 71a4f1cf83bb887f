"""-H: is the running server alive?"""

import contextlib
import socket
import threading
import time

import pytest

from lib.processes import own_address, own_port, stopped
from lib.server import ORG, run_mta_stsd

AT_MOST = 3.5  # seconds, beside those that starting and ending take


def timed(*arguments):
    since = time.monotonic()
    done = run_mta_stsd(*arguments)
    return done, time.monotonic() - since


def probe(site):
    """Exit status, and what it said."""
    _, of_any_start = timed("-V")
    done, seconds = timed("-H", "-c", str(site.ini))
    assert seconds - of_any_start < AT_MOST
    return done.returncode, done.stdout + done.stderr


def dead(site, why):
    status, said = probe(site)
    assert status == 1
    assert why in said and said.count("\n") == 1, said
    return True


@pytest.mark.parametrize("listen", ["{own}:8443", "0.0.0.0:{port}", "[::]:{port}", "[::1]:{port}"])
def test_a_running_server_is_alive(serve, site, listen):
    listen = listen.format(own=own_address(), port=own_port())
    site.install("example.org")
    serve(ORG, listen=[listen])
    assert probe(site) == (0, "")


def test_a_server_that_waits_for_its_first_certificate_is_alive(serve, site):
    serve(ORG, listen=[f"{own_address()}:8443"])
    assert probe(site) == (0, "")


def test_the_first_listener_is_the_one_that_is_asked(serve, site):
    first, second = f"{own_address()}:8443", f"{own_address()}:8443"
    serve(ORG, listen=[first])
    site.configure(ORG, listen=[second, first])  # not yet reloaded
    assert dead(site, second)


def test_nobody_who_listens_is_dead(site):
    site.configure(ORG, listen=[f"{own_address()}:8443"])
    assert dead(site, "refused")


def test_a_stopped_server_is_dead(serve, site):
    server = serve(ORG, listen=[f"{own_address()}:8443"])
    server.stop()
    assert dead(site, "refused")


def test_a_server_that_stands_still_is_dead_within_three_seconds(serve, site):
    server = serve(ORG, listen=[f"{own_address()}:8443"])
    with stopped(*server.workers()):
        assert dead(site, "timed out")
    assert probe(site) == (0, "")


@contextlib.contextmanager
def somebody(site, says):
    """Listens where our server should, and says so to everyone."""
    address = (own_address(), 8443)
    site.configure(ORG, listen=["%s:%d" % address])
    with socket.create_server(address) as listening:
        def serve():
            with contextlib.suppress(OSError):
                while True:
                    client, _ = listening.accept()
                    with client:
                        client.recv(1000)
                        client.sendall(says)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(5)


@pytest.mark.parametrize("says, why", [
    (b"SSH-2.0-OpenSSH_9.9\r\n", "not as mta-stsd does"),
    (b"\x15\x03\x03\x00\x02\x02\x28", "not as mta-stsd does"),  # handshake_failure: some other TLS server
    (b"", "closed without an alert"),
], ids=["ssh", "tls", "silence"])
def test_something_else_that_listens_is_not_our_server(site, says, why):
    with somebody(site, says):
        assert dead(site, why)


def test_a_configuration_that_cannot_be_read_is_one_line(site):
    assert dead(site, "mta-stsd.ini")
    site.write("mistake\nmistake\n")
    assert dead(site, "mta-stsd.ini:1: error")


def test_a_dead_keeper_or_master_is_no_matter_of_life(serve, site):
    """It is senders who must be answered."""
    server = serve(ORG, listen=[f"{own_address()}:8443"])
    assert probe(site) == (0, "")  # so the workers have heard that they may begin
    with stopped(server.processes()[0], *server.children()):
        assert probe(site) == (0, "")
