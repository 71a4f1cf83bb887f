"""Limits and deadlines: strangers who come in crowds, stand around or are slow, and a sender who is served."""

import concurrent.futures
import contextlib
import os
import resource
import select
import socket
import ssl
import subprocess
import time

import pytest

from lib import client
from lib.client import connect, fetch, plain, request, tls
from lib.hello import UNRECOGNIZED_NAME, alert, client_hello, records
from lib.processes import Memory, cpu_seconds, root_only, stopped
from lib.senders import Senders
from lib.server import MTA_STSD, ORG, ORG_BODY, PATIENCE, Server
from lib.tools import eventually

A_SECOND = 1.5  # what a busy machine may add to a deadline

# a body of some 60 KB
BIG = "[big.example]\nmode = enforce\n" + "".join(
    "mx = " + ".".join([f"m{number:03}" + "a" * 56, "b" * 60, "c" * 60, "d" * 60, "example"]) + "\n"
    for number in range(240))
BIG_HOST = "mta-sts.big.example"
LARGE = 4
LARGE_REQUEST = request(BIG_HOST) * LARGE  # its answers fill every buffer of the kernel's


@pytest.fixture(autouse=True)
def certificates(site):
    site.install("example.org")
    site.install("big.example")


class Stranger:
    """A connection from an address of its own that sends what it is told to, and then stands around."""

    def __init__(self, address, source="127.0.0.2", sends=b""):
        self.stream = socket.create_connection(address, PATIENCE, (source, 0))
        self.stream.sendall(sends)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stream.close()

    def end(self):
        """Waits for the server's end of it, whichever way that comes."""
        with contextlib.suppress(ConnectionResetError):
            while self.stream.recv(65536):
                pass
        return True

    def lives(self):
        """True unless it has ended. Whoever asks has made sure that it would have by now."""
        if not select.select([self.stream], [], [], 0)[0]:
            return True
        with contextlib.suppress(ConnectionResetError):
            return bool(self.stream.recv(65536))
        return False


@pytest.fixture
def crowd():
    """crowd(server, count, source, sends): so many strangers, all closed after the test."""
    with contextlib.ExitStack() as stack:
        def gather(server, count, source="127.0.0.2", sends=b""):
            return [stack.enter_context(Stranger(server.https, source, sends)) for _ in range(count)]

        gather.disperse = stack.close
        yield gather


HELLO = records(client_hello())


# --- crowds

@pytest.mark.parametrize("sends", [b"", HELLO[:-1], HELLO, b"\x16\x03\x01"],
                         ids=["silent", "half a hello", "a hello", "a header"])
def test_a_crowd_of_idle_strangers_does_not_keep_a_sender_out(serve, crowd, sends):
    server = serve(ORG, server="workers = 1\nmax_connections = 16\nmax_tls = 8")
    assert fetch(server).body == ORG_BODY
    for source in "127.0.0.2", "127.0.0.3", "127.0.0.4":
        crowd(server, 20, source, sends)
        assert fetch(server).body == ORG_BODY
    with Senders(server, 2) as senders:
        crowd(server, 40, "127.0.0.5", sends)
        senders.wait(4)
    assert senders.failures == []


def test_a_crowd_of_handshakes_does_not_keep_a_sender_out(serve, crowd):
    server = serve(ORG, server="workers = 1\nmax_tls = 4")
    strangers = crowd(server, 12, sends=HELLO)
    assert fetch(server).body == ORG_BODY
    for gone in strangers[:8]:
        assert gone.end()
    assert sum(stranger.lives() for stranger in strangers[8:]) >= 3  # the sender needed one place, for a while


def test_one_address_has_no_more_than_its_share(serve, crowd):
    server = serve(ORG, server="workers = 1\nmax_connections_per_ip = 4")
    others = crowd(server, 3, "127.0.0.3")
    strangers = crowd(server, 6, "127.0.0.2")
    assert strangers[0].end() and strangers[1].end()  # the oldest make room
    assert fetch(server).body == ORG_BODY
    assert all(stranger.lives() for stranger in strangers[2:] + others)


def test_no_share_is_no_limit(serve, crowd):
    server = serve(ORG, server="workers = 1\nmax_connections_per_ip = 0")
    strangers = crowd(server, 100)
    assert fetch(server).body == ORG_BODY
    assert all(stranger.lives() for stranger in strangers)


def only_loopback():
    return [name for _, name in socket.if_nameindex()] == ["lo"]


@root_only
@pytest.mark.skipif(not only_loopback(), reason="the machine's own network is left as it is")
def test_an_ipv6_64_has_the_share_of_one_address(serve, site):
    addresses = ["2001:db8:0:1::1", "2001:db8:0:1:ffff::2", "2001:db8:0:1::3", "2001:db8:0:2::1"]
    for address in addresses:
        subprocess.run(["ip", "-6", "address", "replace", f"{address}/128", "dev", "lo", "nodad"], check=True)
    server = serve(ORG, listen=["[::]:0"], server="workers = 1\nmax_connections_per_ip = 2")
    server_address = ("2001:db8:0:2::1", server.https[1])
    with contextlib.ExitStack() as stack:
        first, second, third, other = [stack.enter_context(Stranger(server_address, source))
                                       for source in addresses]
        assert first.end()
        assert fetch(server, address=server_address).body == ORG_BODY
        assert second.lives() and third.lives() and other.lives()


def test_who_says_nothing_costs_next_to_nothing(serve, crowd):
    # AddressSanitizer holds freed memory back; what is measured here must not count it
    options = ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), "quarantine_size_mb=0:thread_local_quarantine_size_kb=0"]))
    server = serve(ORG, server="workers = 1\nmax_connections_per_ip = 0", env={"ASAN_OPTIONS": options})
    assert fetch(server).body == ORG_BODY
    worker, = server.workers()
    before = Memory(worker).own
    crowd(server, 400)
    assert fetch(server).body == ORG_BODY
    each = (Memory(worker).own - before) / 400
    print(f"{each:.2f} KB a silent connection")
    assert each < (4 if "sanitized" in MTA_STSD else 1.5)  # a buffer alone has 2


# --- who has to go

def test_the_oldest_idle_keep_alive_goes_first(serve, crowd):
    server = serve(ORG, server="workers = 1\nmax_connections = 4")
    older, = crowd(server, 1)
    with tls(server) as idle, tls(server) as younger_idle:
        idle.ask()
        younger_idle.ask()
        crowd(server, 2, "127.0.0.3")
        with contextlib.suppress(ConnectionResetError, ssl.SSLError):
            idle.rest()
        assert younger_idle.ask().body == ORG_BODY
        assert older.lives()


def test_then_the_oldest_of_the_address_that_holds_most(serve, crowd):
    server = serve(ORG, server="workers = 1\nmax_connections = 6")
    oldest, = crowd(server, 1, "127.0.0.2")
    many = crowd(server, 3, "127.0.0.3")
    two = crowd(server, 2, "127.0.0.4")
    one_more, = crowd(server, 1, "127.0.0.5")
    assert many[0].end()
    assert fetch(server).body == ORG_BODY  # from yet another address; one of three that now hold two
    lives = [stranger.lives() for stranger in (oldest, *many[1:], *two, one_more)]
    assert lives.count(False) == 1 and lives[0] and lives[-1]


def tiny_connection(server, host=BIG_HOST):
    """TLS through buffers so small that a response does not fit."""
    stream = socket.socket()
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 500)  # keeps the peer's buffer small too
    stream.settimeout(PATIENCE)
    stream.connect(server.https)
    return client.Connection(client.context(server.site).wrap_socket(
        stream, server_hostname=host, suppress_ragged_eofs=False))


def test_what_is_being_answered_never_goes(serve, crowd):
    server = serve(ORG + BIG, server="workers = 1\nmax_connections = 2")
    with tiny_connection(server) as first, tiny_connection(server) as second:
        for busy in first, second:
            busy.send(LARGE_REQUEST)
            busy._more()  # a response has begun
        for late in crowd(server, 3):
            assert late.end()  # there is no room for any other
        for busy in [first] * LARGE + [second] * LARGE:
            assert len(busy.response().body) > 58000
    assert fetch(server).body == ORG_BODY


# --- deadlines

def until_end(stream):
    """What comes until the server's end of the connection."""
    said = b""
    while piece := stream.recv(65536):
        said += piece
    return said


def trickle(stream, pieces, pause):
    """Sends a piece now and then until the server ends the connection."""
    events = select.poll()
    events.register(stream.fileno(), select.POLLIN | select.POLLRDHUP)
    for piece in pieces:
        if events.poll(pause * 1000):
            return
        try:
            stream.sendall(piece)
        except OSError:
            return
    raise AssertionError("it never ends")


def bytes_of(data):
    return [data[at:at + 1] for at in range(len(data))]


def silent_hello(server):
    with connect(server.https) as stream:
        assert until_end(stream) == b""


def slow_hello(server):
    with connect(server.https) as stream:
        trickle(stream, bytes_of(HELLO), 0.5)


def silent_handshake(server):
    with connect(server.https) as stream:
        stream.sendall(HELLO)
        assert until_end(stream)[0] == 22


def slow_handshake(server):
    """A record of the second flight that comes byte by byte."""
    with connect(server.https) as stream:
        stream.sendall(HELLO)
        stream.recv(65536)
        while select.select([stream], [], [], 0.2)[0]:
            stream.recv(65536)
        trickle(stream, bytes_of(b"\x17\x03\x03\x40\x00" + b"x" * 100), 0.5)


def expect_408(connection):
    assert connection.response().status == 408
    assert connection.rest() == b""


def silent_request(server):
    with tls(server) as connection:
        expect_408(connection)


def half_a_request(server):
    with tls(server) as connection:
        connection.send(request()[:40])
        expect_408(connection)


def slow_request(server):
    with tls(server) as connection:
        trickle(connection.stream, bytes_of(request(headers=["X-Header: " + "x" * 100])), 0.5)
        expect_408(connection)


def silent_acme_request(server):
    with plain(server.acme) as connection:
        expect_408(connection)


def slow_acme_request(server):
    with plain(server.acme) as connection:
        trickle(connection.stream, bytes_of(request(headers=["X-Header: " + "x" * 100])), 0.5)
        expect_408(connection)


def idle_keep_alive(server):
    with tls(server, version="1.2") as connection:  # 1.3 has no say after its last flight
        connection.ask()
        since = time.monotonic()
        assert connection.rest() == b""
        return since


def second_request_half(server):
    """Bytes of a next request end the idle time and begin that of a request."""
    with tls(server) as connection:
        connection.ask()
        since = time.monotonic()
        connection.send(b"GET ")
        expect_408(connection)
        return since


def linger(server):
    """Behind an alert, what still comes is read, but not for ever. Only a reset tells of its end."""
    with connect(server.https) as stream:
        stream.sendall(records(client_hello("nobody.example")))
        assert alert(until_end(stream)) == (2, UNRECOGNIZED_NAME)
        since = time.monotonic()
        events = select.poll()
        events.register(stream.fileno(), 0)  # errors alone
        with contextlib.suppress(OSError):
            while not events.poll(100):
                stream.sendall(b"x")
        return since


def cut_response(server, port, within, since):
    """When the response began that the log says was cut: those before it have deadlines of their own.

    Only the log tells: what lay in buffers still comes, much later.
    """
    fields = server.wait_fetch(within, since, client=f"127.0.0.1:{port}", incomplete="yes")
    return time.monotonic() - int(fields["ms"]) / 1000


def silent_response(server):
    """A client that does not read."""
    since = server.mark()
    with tiny_connection(server) as connection:
        connection.send(LARGE_REQUEST)
        return cut_response(server, connection.stream.getsockname()[1], PATIENCE, since)


def slow_response(server):
    """One that reads a little now and then."""
    since = server.mark()
    with tiny_connection(server) as connection:
        connection.send(LARGE_REQUEST)
        for _ in range(4 * PATIENCE):
            with contextlib.suppress(BlockingIOError):
                os.read(connection.stream.fileno(), 50)  # not by TLS, which reads whole records
            with contextlib.suppress(AssertionError):
                return cut_response(server, connection.stream.getsockname()[1], 0.25, since)
    raise AssertionError("it never ends")


DEADLINES = [
    (5, silent_hello), (5, slow_hello), (10, silent_handshake), (10, slow_handshake),
    (5, silent_request), (5, half_a_request), (5, slow_request), (5, silent_acme_request),
    (5, slow_acme_request), (2, idle_keep_alive), (5, second_request_half), (2, linger),
    (10, silent_response), (10, slow_response),
]


def test_every_deadline_is_kept_and_a_byte_now_and_then_puts_none_off(serve):
    server = serve(ORG + BIG, acme=["127.0.0.2:0"], server=f"acme_thumbprint = {'A' * 43}")

    def measure(seconds, behave):
        begun = time.monotonic()
        begun = behave(server) or begun
        return behave.__name__, seconds, time.monotonic() - begun

    with concurrent.futures.ThreadPoolExecutor(len(DEADLINES)) as pool:
        done = [pool.submit(measure, *each) for each in DEADLINES]
        measured = [each.result() for each in done]
    print(*("%s: %d s, took %.2f" % each for each in measured), sep="\n")
    wrong = [each for each in measured if not each[1] - 0.1 < each[2] < each[1] + A_SECOND]
    assert wrong == []


# --- sizes

@pytest.mark.parametrize("size, status", [(8192, 200), (8193, 431), (100000, 431)])
def test_a_head_has_8_kilobytes(serve, size, status):
    server = serve(ORG)
    filler = ["X-A: " + "a" * 1000] * 7
    short = len(request(headers=[*filler, "X-B: "]))
    if size < 9000:
        filler.append("X-B: " + "b" * (size - short))
        assert len(request(headers=filler)) == size
    else:
        filler = ["X-A: " + "a" * 1000] * 50
    with tls(server) as connection:
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            connection.send(request(headers=filler))
        assert connection.response().status == status
    assert fetch(server).body == ORG_BODY


# --- descriptors

def test_few_descriptors_at_start_mean_fewer_connections_and_no_failure(site, crowd):
    site.configure(ORG, server="workers = 1\nmax_connections_per_ip = 0")
    with Server(site, prefix=["sh", "-c", 'ulimit -n 80 && exec "$@"', "sh"]) as server:
        assert server.messages(r"max_connections = 4096 needs \d+ descriptors a worker, and the limit is 80: raise it")
        for source in "127.0.0.2", "127.0.0.3":
            crowd(server, 60, source)
            assert fetch(server).body == ORG_BODY
        assert not server.messages("cannot accept")
        crowd.disperse()


ENOUGH = 32 + 1 + 16  # beside listeners and connections, the one listener, the fewest connections


def with_descriptors(number):
    return ["sh", "-c", f'ulimit -n {number} && exec "$@"', "sh"]


@pytest.mark.parametrize("number", [10, 12, 20, ENOUGH - 1])
def test_too_few_descriptors_for_the_processes_are_an_error_with_the_number_needed(site, number):
    server = Server(site.configure(ORG), prefix=with_descriptors(number))
    server.allow("each process needs|cannot start")
    assert server.wait_end() == 1
    told, = server.messages("descriptors")
    assert told == (f"{site.ini}:0: error: each process needs {ENOUGH} descriptors (1 listener, 2 workers), and the limit "
                    f"is {number}: raise it (LimitNOFILE=, ulimit -n)")


def test_with_just_enough_descriptors_all_is_served_and_reloaded(site, crowd):
    site.acme.mkdir()
    (site.acme / "token").write_text("public")
    options = {"acme": ["127.0.0.2:0"], "server": f"acme_dir = {site.acme}\nworkers = 16"}
    site.configure(ORG, **options)
    with Server(site, prefix=with_descriptors(ENOUGH + 1)) as server:
        for seconds in 86400, 86401, 86402:
            crowd(server, 20)
            assert fetch(server).status == 200
            with plain(server.acme) as connection:
                assert connection.ask(path="/.well-known/acme-challenge/token").body == b"public"
            crowd.disperse()
            site.configure(ORG + f"max_age = {seconds}\n", **options)
            assert server.reload().startswith("ready")


def test_a_reload_that_needs_more_descriptors_than_there_are_is_refused(site):
    site.configure(ORG)
    with Server(site, prefix=with_descriptors(ENOUGH)) as server:
        site.configure(ORG, acme=["127.0.0.2:0"], server=f"acme_thumbprint = {'A' * 43}")
        server.allow("each process needs|reload refused")
        assert server.reload().startswith("reload refused")
        assert server.messages(f"each process needs {ENOUGH + 1} descriptors .2 listeners, 2 workers., and the limit is {ENOUGH}")
        assert fetch(server).body == ORG_BODY
        site.configure(ORG, server="workers = 17")
        assert server.reload().startswith("reload refused")
        assert server.messages(f"each process needs {ENOUGH + 1} descriptors .1 listener, 17 workers.")
        assert fetch(server).body == ORG_BODY


def held(process):
    return set(process.descriptors())


def leave(process, more):
    """From now on it can open so many descriptors more. Its user does that: not every root may."""
    free = sorted(set(range(1000)) - held(process))[more]
    status = process.status()
    uid, gid = int(status["Uid"].split()[0]), int(status["Gid"].split()[0])
    same = {} if uid == os.getuid() else {"user": uid, "group": gid, "extra_groups": []}
    subprocess.run(["prlimit", f"--pid={process.pid}", f"--nofile={free}:"], check=True, **same)


def test_a_worker_without_descriptors_rests_and_recovers(serve, crowd):
    server = serve(ORG, server="workers = 1")
    worker, = server.workers()
    at_rest = held(worker)
    assert fetch(server).body == ORG_BODY
    eventually(2, lambda: held(worker) == at_rest)
    leave(worker, 3)
    crowd(server, 4)
    server.wait_for("cannot accept, and tries again")
    used, since = cpu_seconds(worker), time.monotonic()
    # waits in the queue until the strangers' time is over
    assert fetch(server).body == ORG_BODY
    waited = time.monotonic() - since
    assert waited > 3, "descriptors had not run out"
    assert cpu_seconds(worker) - used < 0.1 * waited
    with Senders(server, 2) as senders:
        senders.wait(10)
    assert senders.failures == []


def test_the_others_answer_while_one_worker_has_no_descriptors(serve, crowd):
    server = serve(ORG, server="workers = 2")
    poor, _ = server.workers()
    leave(poor, 0)
    since = time.monotonic()
    with Senders(server, 2) as senders:
        crowd(server, 6)
        senders.wait(10)
    assert senders.failures == []
    assert time.monotonic() - since < 4  # before any stranger's time is over
    assert server.messages("cannot accept")


def test_a_keeper_without_descriptors_refuses_one_host_and_recovers(serve, site):
    server = serve(ORG + BIG)
    fetch(server)
    keeper, = server.children()
    limits = resource.prlimit(keeper.pid, resource.RLIMIT_NOFILE)
    leave(keeper, 1)  # the certificate, and not the key
    assert client.refused_alert(server, BIG_HOST) == "TLSV1_UNRECOGNIZED_NAME"
    resource.prlimit(keeper.pid, resource.RLIMIT_NOFILE, limits)

    def served():  # a failure is remembered for a second
        with contextlib.suppress(ssl.SSLError):
            return fetch(server, BIG_HOST).status == 200

    eventually(3, served)


def test_a_crowd_that_waits_for_a_certificate_keeps_no_sender_out(serve, crowd):
    server = serve(ORG + BIG, server="workers = 1\nmax_connections = 8")
    assert fetch(server).body == ORG_BODY
    with stopped(*server.children()):  # a keeper that is slow to answer
        crowd(server, 12, sends=records(client_hello(BIG_HOST)))
        assert fetch(server).body == ORG_BODY
