"""Master, keeper and workers: who there is, and what becomes of the rest when one of them dies."""

import array
import contextlib
import os
import resource
import select
import signal
import socket
import struct
import time

import pytest

from lib.client import connect, fetch
from lib.hello import client_hello, records
from lib.inspection import by_copying, copy_descriptor
from lib.processes import cpu_seconds, ends, kill, root_only, stopped
from lib.senders import Senders, fetch_from_each
from lib.server import HOST, ORG, ORG_BODY, PATIENCE, Server
from lib.tools import eventually

A_SECOND = 2.0  # "within a second", and what a busy machine adds

# struct message of src/server/message.h
UP, CERTIFICATE, TOKEN, GO, RECHECK, ANSWER, SCANNED = range(1, 8)
MESSAGE = struct.Struct("=IBBHB256s3x")


@pytest.fixture
def server(serve, site):
    site.install("example.org")
    return serve(ORG).allow("was ended by signal 9|has lost its")


def keeper(server):
    found, = server.children()
    return found


def crew(server):
    return {worker.pid for worker in server.workers()}


def replaced(server, before):
    """The pids of a full crew without any of those before."""
    now = crew(server)
    return now if len(now) == len(before) and not now & before else None


# --- who there is

def test_a_master_a_keeper_and_as_many_workers_as_configured(serve, site):
    server = serve(ORG, server="workers = 3")
    assert len(server.children()) == 1
    assert len(server.workers()) == 3
    assert len(server.processes()) == 5


# --- who dies

def test_a_killed_worker_is_replaced_within_a_second(server):
    first, second = server.workers()
    kill(first)
    eventually(A_SECOND, lambda: len(crew(server)) == 2)
    assert second.pid in crew(server)
    kill(second)  # so that the new one has to answer, or its replacement
    assert fetch(server).body == ORG_BODY


def test_a_worker_that_dies_again_and_again_is_replaced_after_growing_pauses(serve, site):
    site.install("example.org")
    server = serve(ORG, server="workers = 1").allow("was ended by signal 9")
    pauses = []
    for _ in range(4):
        worker, = server.workers()
        since = time.monotonic()  # before: a pause can only seem longer than it was
        kill(worker)
        eventually(A_SECOND, lambda: replaced(server, {worker.pid}))
        pauses.append(time.monotonic() - since)
    assert pauses[3] > 0.35, pauses  # 0, 0.1, 0.2, 0.4 s
    assert fetch(server).body == ORG_BODY


def test_a_killed_keeper_is_followed_by_a_new_generation_while_its_workers_serve(server):
    fetch_from_each(server)
    old = server.workers()
    since = server.mark()
    with Senders(server, 4) as senders, ends(old):
        senders.wait(8)
        killed = time.monotonic()
        kill(keeper(server))
        server.wait_for("^ready: generation 2", since=since)
        took = time.monotonic() - killed
        senders.wait(8)
    assert senders.failures == []
    assert took < A_SECOND
    assert len(server.processes()) == 4


def test_workers_without_a_keeper_serve_from_memory_as_long_as_it_takes(server, site):
    fetch_from_each(server)
    limits = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (4, limits[1]))
    server.allow("could not be replaced: Too many open files")
    kill(keeper(server))
    # no next generation without descriptors: it is tried again, later each time
    server.wait_for("could not be replaced")
    server.wait_for("could not be replaced", since=server.mark())
    fetch_from_each_orphan(server)
    since = server.mark()
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, limits)
    server.wait_for("^ready: generation", since=since)
    assert fetch(server).body == ORG_BODY
    eventually(A_SECOND, lambda: len(server.processes()) == 4)


def fetch_from_each_orphan(server):
    orphans = server.children()  # of the master, which inherits them
    assert len(orphans) >= 2
    for _ in range(4):
        assert fetch(server).body == ORG_BODY


def test_a_worker_that_hangs_without_a_keeper_is_ended(server):
    """Nobody is left who would end it but the master, and until it has gone no reload can come."""
    worker = server.workers()[0]
    with stopped(worker), ends([worker]):
        kill(keeper(server))
        server.wait_for("^ready: generation 2")
        since = server.mark()
        server.signal(signal.SIGHUP)
        server.wait_for("generation 1 does not end: killing it", since=since)
        server.wait_for("^reload unchanged", since=since)
    assert fetch(server).body == ORG_BODY


def test_keeper_and_workers_killed_at_once_are_followed_within_a_second(server):
    since = time.monotonic()
    kill(keeper(server), *server.workers())
    assert fetch(server).body == ORG_BODY  # what comes meanwhile waits in the queue
    assert time.monotonic() - since < A_SECOND
    server.wait_for("^ready: generation 2")
    assert len(server.processes()) == 4


def test_a_generation_that_is_killed_again_and_again_always_comes_back(server):
    took = []
    for generation in range(2, 6):
        since = time.monotonic()
        kill(keeper(server), *server.workers())
        server.wait_for(f"^ready: generation {generation}")
        took.append(time.monotonic() - since)
        assert fetch(server).body == ORG_BODY
    assert took[3] > 0.9, took  # 0, 0.25, 0.5, 1 s


def test_a_master_that_cannot_fork_a_keeper_tries_again(server):
    limits = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (4, limits[1]))
    server.allow("could not be replaced: Too many open files")
    kill(keeper(server), *server.workers())
    server.wait_for("could not be replaced")
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, limits)
    server.wait_for("^ready: generation 2")
    assert fetch(server).body == ORG_BODY


def test_a_killed_master_leaves_nobody(server):
    since = time.monotonic()
    server.signal(signal.SIGKILL)
    assert server.wait_end(6) == -signal.SIGKILL
    assert time.monotonic() - since < A_SECOND  # nothing was in flight


def test_a_killed_master_leaves_nobody_even_with_a_client_that_hangs(server):
    with connect(server.https) as hanging:
        hanging.sendall(records(client_hello()))  # a handshake may take 10 s
        assert hanging.recv(1)
        since = time.monotonic()
        server.signal(signal.SIGKILL)
        server.wait_end(7.5)
        assert 4.5 < time.monotonic() - since


def test_signals_to_the_whole_group_are_the_masters_alone(server):
    """Terminals and service managers signal every process there is."""
    before = {process.pid for process in server.processes()}
    for number in signal.SIGHUP, signal.SIGINT, signal.SIGTERM:
        for process in server.processes()[1:]:
            os.kill(process.pid, number)
    assert fetch(server).body == ORG_BODY
    assert {process.pid for process in server.processes()} == before


# --- what it is started with

@pytest.fixture
def server_with_closed_streams(site):
    site.install("example.org")
    site.configure(ORG)
    with Server(site, prefix=["sh", "-c", 'exec "$@" <&- >&-', "sh"]) as server:
        yield server


def test_closed_standard_streams_are_no_descriptors_of_the_server(server_with_closed_streams):
    for process in server_with_closed_streams.processes():
        held = process.descriptors()
        assert (held[0], held[1]) == ("/dev/null", "/dev/null"), process


def test_with_closed_standard_streams_a_generation_drains(server_with_closed_streams, site):
    server = server_with_closed_streams
    with ends(server.workers(), A_SECOND):
        site.configure(ORG + "max_age = 86400\n")
        assert server.reload().startswith("ready: generation 2")
    assert fetch(server).status == 200


def test_with_closed_standard_streams_a_killed_master_leaves_no_process(server_with_closed_streams):
    since = time.monotonic()
    server_with_closed_streams.signal(signal.SIGKILL)
    assert server_with_closed_streams.wait_end(6) == -signal.SIGKILL
    assert time.monotonic() - since < A_SECOND


# --- a worker that strangers have taken over

def request(kind, name=b"", number=7, name_len=None, error=0, step=0):
    return MESSAGE.pack(number, kind, len(name) if name_len is None else name_len, error, step, name)


class Line:
    """The copy of a worker's line to its keeper. The worker must stand still, or it reads the answers."""

    def __init__(self, worker):
        for number, leads_to in worker.descriptors().items():
            if leads_to.startswith("socket:"):
                self.socket = socket.socket(fileno=copy_descriptor(worker.pid, number))
                if self.socket.type == socket.SOCK_SEQPACKET:
                    return
                self.socket.close()
        raise AssertionError("no line")

    def __enter__(self):
        # the description is the worker's, and non-blocking: a timeout here makes Python wait
        self.socket.settimeout(10)
        return self

    def __exit__(self, *_):
        self.socket.close()

    def ask(self, packet):
        """(error, descriptors)"""
        self.socket.send(packet)
        answer, ancillary, _, _ = self.socket.recvmsg(512, socket.CMSG_SPACE(64))
        number, kind, _, error, _, _ = MESSAGE.unpack(answer)
        assert (number, kind) == (7, ANSWER)
        fds = array.array("i")
        for _, _, data in ancillary:
            fds.frombytes(data[:len(data) - len(data) % fds.itemsize])
        return error, list(fds)


def outside(site):
    """Names that are not in the configuration, and near something that is."""
    host = HOST.encode()
    return [b"example.org", b"mta-sts.example.com", b"MTA-STS.example.org", host + b".", b"." + host,
            b"x." + host, b"mta-sts.org", b".", b"..", b"/", b"../" + host, host + b"/", host + b"/..",
            host + b"/../" + host, b"./" + host, b"/etc/passwd", b"%h", b"%d", b"*", b"[*]",
            str(site.certs / HOST / "privkey.pem").encode()[-250:], b"\xff" * 255, b"a" * 255,
            b"a." * 126 + b"a", host.replace(b".", b"\n"), b"server", b"defaults", b" " + host]


@root_only
def test_the_keeper_opens_nothing_for_names_that_it_does_not_have(serve, site):
    site.install("example.org")
    site.install("example.com")  # on the disk, where the pattern finds it, and not in the configuration
    site.acme.mkdir()
    (site.folder / "secret").write_text("secret")
    (site.acme / "token").write_text("public")
    server = serve(ORG, server=f"acme_dir = {site.acme}", acme=["127.0.0.2:0"])
    fetch_from_each(server)  # so nothing but answers is under way on any line
    worker = server.workers()[0]
    with stopped(worker), Line(worker) as line:
        error, fds = line.ask(request(CERTIFICATE, HOST.encode()))
        assert error == 0 and len(fds) == 2, "else this test would prove nothing"
        for fd in fds:
            os.close(fd)
        for name in outside(site):
            error, fds = line.ask(request(CERTIFICATE, name))
            assert (error != 0, fds) == (True, []), name
        for name in [b"../secret", b"/etc/passwd", b".", b"..", b"token/../token", b"x", b"token\n",
                     HOST.encode(), b"./token", b"t" * 255]:
            error, fds = line.ask(request(TOKEN, name))
            assert (error != 0, fds) == (True, []), name
    assert fetch(server).body == ORG_BODY


@root_only
def test_a_worker_that_sends_one_message_very_often_ends_no_other(serve, site):
    """What the keeper passes on to all workers would fill their lines."""
    site.install("example.org")
    server = serve(ORG)
    fetch_from_each(server)
    first, second = server.workers()
    with stopped(first, second), Line(first) as line:
        for _ in range(2000):
            line.socket.send(request(SCANNED, number=0))
        line.socket.send(request(CERTIFICATE, HOST.encode()))
        assert MESSAGE.unpack(line.socket.recv(512))[1] == SCANNED
        assert MESSAGE.unpack(line.socket.recv(512))[1] == ANSWER  # all before it are read
    assert crew(server) == {first.pid, second.pid}
    assert fetch(server).body == ORG_BODY


@root_only
def test_descriptors_as_root_reads_them_are_those_that_tests_without_root_copy(serve):
    for process in serve(ORG).processes():
        assert process.descriptors() == by_copying(process.pid)


@root_only
def test_a_listener_that_a_worker_has_shut_down_makes_nobody_spin(serve, site):
    site.install("example.org")
    server = serve(ORG).allow("cannot accept")
    worker = server.workers()[0]
    for number, leads_to in worker.descriptors().items():
        if leads_to.startswith("socket:"):
            with socket.socket(fileno=copy_descriptor(worker.pid, number)) as copy:
                if copy.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                    copy.shutdown(socket.SHUT_RDWR)
    server.wait_for("cannot accept, and tries again")
    before = sum(map(cpu_seconds, server.workers()))
    alive = os.pidfd_open(worker.pid)
    # a second, in which a worker that spins would have used all of it
    assert not select.select([alive], [], [], 1)[0]
    os.close(alive)
    assert sum(map(cpu_seconds, server.workers())) - before < 0.2


@root_only
def test_a_worker_that_closes_its_line_and_lives_is_killed_and_replaced(server):
    """It would never look at a renewed certificate again."""
    server.allow("worker . has closed its line; killed")
    worker, other = server.workers()
    with Line(worker) as line, ends([worker], 1 + A_SECOND):
        line.socket.shutdown(socket.SHUT_WR)
    eventually(A_SECOND, lambda: len(crew(server)) == 2)
    assert other.pid in crew(server) and len(server.messages("closed its line; killed")) == 1
    assert fetch(server).body == ORG_BODY


@root_only
def test_a_worker_that_has_closed_its_line_does_not_survive_a_reload(server):
    server.allow("worker . has closed its line; killed")
    worker, other = server.workers()
    with Line(worker) as line, ends([worker], 0.9):  # before it would be killed in any case
        line.socket.shutdown(socket.SHUT_WR)
        assert server.reload().startswith("reload unchanged")
    eventually(A_SECOND, lambda: len(crew(server)) == 2)
    assert other.pid in crew(server)


@root_only
def test_a_server_that_stops_within_a_reload_ends_without_an_error(site):
    """The workers have ended with the lifetime pipe before the keeper reads that they are to look again."""
    site.configure(ORG)
    with Server(site) as server, contextlib.ExitStack() as copies:
        slow = keeper(server)
        lines = []
        for number, leads_to in slow.descriptors().items():
            if leads_to.startswith("socket:"):
                lines.append(copies.enter_context(socket.socket(fileno=copy_descriptor(slow.pid, number))))
        lines = [line for line in lines if line.type == socket.SOCK_SEQPACKET]
        with stopped(slow):
            server.signal(signal.SIGHUP)
            assert select.select(lines, [], [], PATIENCE)[0], "no message to the keeper"
            with ends(server.workers()):
                server.signal(signal.SIGTERM)
        assert server.wait_end() == 0


@root_only
def test_a_worker_that_does_not_read_its_line_does_not_survive_a_reload(server):
    """It would not look at its certificates again, and the reload would say that it has."""
    server.allow("worker . does not read its line; killed")
    worker, other = server.workers()
    with stopped(worker), Line(worker) as line:
        for _ in range(2000):
            line.socket.send(request(CERTIFICATE, b"x.example"))  # the answers fill its buffer
        with ends([worker], A_SECOND):
            assert server.reload().startswith("reload unchanged")
    eventually(A_SECOND, lambda: len(crew(server)) == 2)
    assert other.pid in crew(server) and server.messages("does not read its line; killed")
    assert fetch(server).body == ORG_BODY


@root_only
def test_a_worker_that_dies_is_not_said_to_have_closed_its_line(server):
    for _ in range(5):
        before = crew(server)
        kill(server.workers()[0])
        eventually(1 + A_SECOND, lambda: len(crew(server) - before) == 1)  # pylint: disable=cell-var-from-loop
    assert not server.messages("closed its line")


@root_only
def test_a_worker_that_sends_what_no_worker_sends_is_ended_and_replaced(serve, site):
    host = HOST.encode()
    malformed = [
        b"x", request(CERTIFICATE, host)[:-1], request(CERTIFICATE, host) + b"x", b"\0" * 300,
        request(GO), request(RECHECK), request(ANSWER), request(0), request(255),
        request(CERTIFICATE), request(TOKEN),                      # without a name
        request(CERTIFICATE, host, name_len=len(host) - 1),        # more behind its end
        request(CERTIFICATE, host, name_len=len(host) + 1),        # a NUL within
        request(CERTIFICATE, host.replace(b".", b"\0")),
        request(CERTIFICATE, b"a" * 256, name_len=255),            # no NUL behind it
        request(UP, host), request(CERTIFICATE, host, error=1), request(CERTIFICATE, host, step=1),
    ]
    site.install("example.org")
    server = serve(ORG, server=f"workers = {len(malformed) + 1}")
    server.allow("sent an invalid message; killed|was ended by signal 9")
    before = server.workers()
    for worker, packet in zip(before, malformed):
        with Line(worker) as line, ends([worker], A_SECOND):
            line.socket.send(packet)
    now = eventually(A_SECOND, lambda: crew(server) if len(crew(server)) == len(before) else None)
    assert now & {worker.pid for worker in before} == {before[-1].pid}
    assert fetch(server).body == ORG_BODY
