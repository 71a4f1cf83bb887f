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
from lib.hello import HELLO_RETRY_REQUEST, UNRECOGNIZED_NAME, alert, client_hello, records
from lib.processes import Memory, cpu_seconds, root_only, stopped
from lib.senders import Senders
from lib.server import HOST, MTA_STSD, ORG, ORG_BODY, PATIENCE, Server
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
        """False once the server has ended it, behind whatever it has sent. The caller has waited for that."""
        while select.select([self.stream], [], [], 0)[0]:
            try:
                if not self.stream.recv(65536):
                    return False
            except ConnectionResetError:
                return False
        return True


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
    server = serve(ORG, server="workers = 1\nmax_tls = 4\nmax_connections_per_ip = 0")
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
def test_an_ipv6_64_has_the_share_of_one_address_and_a_56_four_times_that(serve, site):
    addresses = ["2001:db8:0:1::1", "2001:db8:0:1:ffff::2", "2001:db8:0:1::3", "2001:db8:0:100::1",
                 *(f"2001:db8:0:{number}::1" for number in range(2, 9))]
    for address in addresses:
        subprocess.run(["ip", "-6", "address", "replace", f"{address}/128", "dev", "lo", "nodad"], check=True)
    server = serve(ORG, listen=["[::]:0"], server="workers = 1\nmax_connections_per_ip = 2")
    server_address = ("2001:db8:0:100::1", server.https[1])
    with contextlib.ExitStack() as stack:
        first, second, third, other, *more = [stack.enter_context(Stranger(server_address, source))
                                              for source in addresses]
        assert first.end()
        assert fetch(server, address=server_address).body == ORG_BODY
        assert second.end()  # the ninth of its /56, each /64 of which has fewer than 2
        assert fetch(server, address=server_address).body == ORG_BODY
        assert all(each.lives() for each in (third, other, *more))


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


# --- crowds with an address for each connection, beside a sender with several connections

class Halfway:
    """A fetch that has the server's flight and has not yet sent its own: as a real sender for one round trip."""

    def __init__(self, server):
        self._stream = socket.create_connection(server.https, PATIENCE, ("127.0.0.9", 0))
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = client.context(server.site, version="1.3").wrap_bio(self._in, self._out, server_hostname=HOST)
        self._until(self._tls.do_handshake, self._send)

    def _send(self):
        if data := self._out.read():
            self._stream.sendall(data)

    def _until(self, function, before_reading=lambda: None):
        while True:
            try:
                return function()
            except ssl.SSLWantReadError:
                before_reading()
                data = self._stream.recv(65536)
                assert data, "closed by the server"
                self._in.write(data)

    def body(self):
        """The rest of the fetch."""
        with self._stream:
            self._tls.write(request(headers=["Connection: close"]))
            self._send()
            said = b""
            with contextlib.suppress(ssl.SSLZeroReturnError):
                while piece := self._until(self._tls.read):
                    said += piece
            return said.partition(b"\r\n\r\n")[2]


def attack(server, crowd, sends, count, first):
    """So many attackers, each from an address of its own; in the given order at the server."""
    attackers = []
    for number in range(first, first + count):
        attackers += crowd(server, 1, f"127.7.{number // 250}.{1 + number % 250}", sends)
        if sends:
            attackers[-1].stream.recv(1)  # its TLS state is there
    return attackers


@pytest.mark.parametrize("sends, limit", [(HELLO, "max_tls = 20"), (b"", "max_connections = 20")],
                         ids=["half handshakes", "silent connections"])
def test_attackers_with_many_addresses_do_not_evict_a_sender_with_many_connections(serve, crowd, sends, limit):
    server = serve(ORG, server=f"workers = 1\n{limit}")
    assert fetch(server).body == ORG_BODY
    attack(server, crowd, sends, 20, first=0)  # each place is taken
    for turn in range(1, 4):
        fetches = [Halfway(server) for _ in range(8)]
        attack(server, crowd, sends, 8, first=20 * turn)  # and each of these evicts another
        fetch(server)  # which is accepted behind all of them
        assert [each.body() for each in fetches] == [ORG_BODY] * 8


def test_a_handshake_that_gets_on_is_as_young_as_a_new_one(serve, crowd):
    server = serve(ORG, server="workers = 1\nmax_tls = 2")
    assert fetch(server).body == ORG_BODY
    with connect(server.https) as retrying:
        retrying.sendall(records(client_hello(shares=[])))
        assert HELLO_RETRY_REQUEST in retrying.recv(65536)
        older, = attack(server, crowd, HELLO, 1, first=0)
        retrying.sendall(records(client_hello(), version=0x0303))
        assert retrying.recv(65536)
        attack(server, crowd, HELLO, 1, first=1)
        assert older.end()
        with contextlib.suppress(BlockingIOError):  # what is left of the flight, and not the end
            retrying.setblocking(False)
            while True:
                assert retrying.recv(65536)


def test_many_silent_handshakes_end_before_their_deadline(serve, crowd):
    server = serve(ORG, server="workers = 1")
    since = time.monotonic()
    first, *_ = attack(server, crowd, HELLO, 140, first=0)

    def evicted():
        attack(server, crowd, HELLO, 1, first=140)
        return not first.lives()

    eventually(PATIENCE, evicted)
    assert time.monotonic() - since < 8  # the deadline is 10 s: with few handshakes it is what ends them


unlimited = pytest.mark.address_space  # a limit of it, which AddressSanitizer does not live with: see conftest.py


@unlimited
def test_without_memory_the_silent_handshakes_are_evicted(serve, crowd):
    server = serve(ORG, server="workers = 1\nmax_tls = 4000")
    assert fetch(server).body == ORG_BODY
    worker, = server.workers()
    limit(worker, "as", 1024 * int(worker.status()["VmSize"].split()[0]) + 3_000_000)  # for about 70
    for turn in range(3):
        crowd(server, 120, f"127.0.0.{10 + turn}", HELLO)
        fetches = [Halfway(server) for _ in range(8)]
        assert [each.body() for each in fetches] == [ORG_BODY] * 8
    assert server.messages("out of memory: the connection from 127.0.0.10:")


def automatic(server):
    return int(server.wait_for(r"max_tls = auto: (\d+) a worker")[1])


@unlimited
def test_the_number_of_tls_states_follows_the_memory(site):
    site.configure(ORG, server="workers = 2\nmax_connections = 100000")
    numbers = []
    for kilobytes in 100_000, 60_000:
        with Server(site, prefix=["sh", "-c", f'ulimit -v {kilobytes} && exec "$@"', "sh"]) as server:
            numbers.append(automatic(server.ready()))
            assert fetch(server).body == ORG_BODY
    # half of what a worker may still map
    assert 400 < numbers[0] - numbers[1] < 550 and numbers[0] < 1300


def test_no_number_of_tls_states_is_found_where_one_is_configured(serve):
    server = serve(ORG, server="workers = 1\nmax_tls = 10")
    assert fetch(server).body == ORG_BODY
    assert not server.messages("max_tls")


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


def test_then_the_one_that_has_been_silent_longest(serve, crowd):
    server = serve(ORG, server="workers = 1\nmax_connections = 6")
    oldest, = crowd(server, 1, "127.0.0.2")
    many = crowd(server, 3, "127.0.0.3")
    two = crowd(server, 2, "127.0.0.4")
    one_more, = crowd(server, 1, "127.0.0.5")
    assert oldest.end()
    assert fetch(server).body == ORG_BODY
    lives = [stranger.lives() for stranger in (*many, *two, one_more)]
    assert lives == [False, True, True, True, True, True]


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
    server = serve(ORG + BIG, server="workers = 1\nmax_connections = 2\nmax_connections_per_ip = 0")
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


ENOUGH = 48 + 1 + 16  # beside listeners and connections, the one listener, the fewest connections


def with_descriptors(number):
    return ["sh", "-c", f'ulimit -n {number} && exec "$@"', "sh"]


@pytest.mark.parametrize("number", [12, 20, 32, ENOUGH - 1])
def test_too_few_descriptors_for_the_processes_are_an_error_with_the_number_needed(site, number):
    server = Server(site.configure(ORG), prefix=with_descriptors(number))
    server.allow("each process needs|cannot start")
    assert server.wait_end() == 1
    told, = server.messages("descriptors")
    assert told == (f"{site.ini}: error: each process needs {ENOUGH} descriptors (1 listener, 2 workers), and the limit "
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


def limit(process, resource_name, number):
    """Sets a limit of a process, by the name that prlimit has for it. Its user does that: not every root may."""
    status = process.status()
    uid, gid = int(status["Uid"].split()[0]), int(status["Gid"].split()[0])
    same = {} if uid == os.getuid() else {"user": uid, "group": gid, "extra_groups": []}
    subprocess.run(["prlimit", f"--pid={process.pid}", f"--{resource_name}={number}:"], check=True, **same)


def leave(process, more):
    """From now on it can open so many descriptors more."""
    limit(process, "nofile", sorted(set(range(1000)) - held(process))[more])


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
