"""Log lines that no client can forge, and a server that nobody's silence stops."""

import errno
import fcntl
import os
import re
import select
import shlex
import socket
import subprocess
import time

import pytest

from lib.client import POLICY, fetch, plain, tls
from lib.hello import answer, client_hello, records
from lib.processes import access_of, own_address, root_only
from lib.server import HOST, MTA_STSD, ORG, ORG_BODY, PATIENCE, LogLine, Server, all_processes, lineage

FIELDS = {"listener", "client", "host", "status", "tls", "agent", "ms"}
EVIL = [
    b'" level=error from=master msg="gotcha', b"' level=error", b"\\", b'\\"', b'\\" level=error msg="x',
    b"a b=c", b"status=200 tls=1.3", b"\t", b"\x7f", b"\x80\xff\xc3\xa9", b"\xe2\x80\xa8", b"%s%n%x",
    b"A" * 1500, b'"' * 700, b"\\" * 700, b"\xff" * 700, b"...", b"-", b"=", b'""',
]
CONTROLS = [bytes([byte]) for byte in range(1, 32) if byte not in b"\t\r\n"] + [
    b"\x1b[31mred", b"\x1b]0;title\x07", b"\r", b"\rtime=2026", b"\n", b"\nlevel=error msg=gotcha", b"\0",
    b"\r\n\tlevel=error from=master msg=gotcha", b"\r\n level=error msg=gotcha"]  # obs-fold


@pytest.fixture(params=["text", "json"])
def server(request, serve, site):
    site.install("example.org")
    return serve(ORG, acme=["127.0.0.2:0"],
                 server=f"log_format = {request.param}\nacme_thumbprint = {'A' * 43}\nworkers = 1")


def logged(server, since, count=1):
    """So many fetches and nothing else, each with just the fields that a fetch has."""
    server.wait(lambda line: len(server.lines) >= since + count, since=since)
    lines = server.lines[since:]
    assert len(lines) == count
    for line in lines:
        assert line.valid and line.level is None, line.raw
        assert set(line.fields) == FIELDS, line.raw
        assert re.fullmatch(r"[ -~]*", line.raw)
        assert (line.json is not None) == ("log_format = json" in server.site.ini.read_text())
    return [line.fields for line in lines]


def test_a_fetch_is_one_line(server):
    since = server.mark()
    with tls(server, version="1.2") as client:
        client.ask(headers=["User-Agent: sender/1.0"])
        port = client.stream.getsockname()[1]
    fields, = logged(server, since)
    assert int(fields.pop("ms")) < 5000
    assert fields == {"listener": "127.0.0.1:0", "client": f"127.0.0.1:{port}", "host": HOST, "status": "200",
                      "tls": "1.2", "agent": "sender/1.0"}


def test_the_milliseconds_of_a_fetch_are_its_own(server):
    since = server.mark()
    with tls(server) as client:
        client.ask()
        time.sleep(1)  # idle, not slow
        client.ask()
        time.sleep(0.1)
        head = b"GET %s HTTP/1.1\r\nHost: %s\r\n" % (POLICY.encode(), HOST.encode())
        client.send(head)
        time.sleep(1)
        client.send(b"\r\n")
        assert client.response().status == 200
    _, second, slow = logged(server, since, 3)
    assert int(second["ms"]) < 900 <= int(slow["ms"]) < 5000


@pytest.mark.parametrize("where", ["agent", "path", "host", "other"])
@pytest.mark.parametrize("over", ["tls", "plain"])
def test_nothing_that_a_client_sends_forges_a_line_or_a_field(server, where, over):
    heads = {"agent": b"GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: {}\r\n\r\n",
             "path": b"GET %s{} HTTP/1.1\r\nHost: %s\r\n\r\n",
             "host": b"GET %s HTTP/1.1\r\nHost: %s{}\r\n\r\n",
             "other": b"GET %s HTTP/1.1\r\nHost: %s\r\nX-{}: y\r\n\r\n"}
    head = heads[where] % (POLICY.encode(), HOST.encode())
    for evil in EVIL + CONTROLS:
        since = server.mark()
        with tls(server) if over == "tls" else plain(server.acme) as client:
            client.send(head.replace(b"{}", evil))
            client.response()
        fields = logged(server, since)[0]
        assert "gotcha" not in fields["status"] and fields["client"].startswith("127.0.0.1:")
        if where == "agent" and fields["status"] in ("200", "404") and len(evil) < 200:
            expected = evil.strip(b" \t").decode("latin-1")
            assert fields["agent"] == (expected or "-")


@pytest.mark.parametrize("name", ['" level=error msg="gotcha', "a\nlevel=error", "\x1b[2J", "a b", "x" * 250])
def test_a_forged_server_name_is_no_line_at_all(server, name):
    since = server.mark()
    answer(server.https, records(client_hello(name)))
    assert fetch(server).body == ORG_BODY
    logged(server, since)


def test_bytes_that_are_no_tls_are_no_line_at_all(server):
    since = server.mark()
    for junk in b"GET / HTTP/1.1\r\n\r\n", b"\nlevel=error\n", b"\0" * 100:
        answer(server.https, junk, half_close=True)
    assert fetch(server).body == ORG_BODY
    logged(server, since)


def test_access_log_off_logs_no_fetch(serve, site):
    site.install("example.org")
    server = serve(ORG, server="access_log = off")
    since = server.mark()
    assert fetch(server).body == ORG_BODY
    server.reload()  # whatever a worker would have said, it has said by now
    assert not [line.raw for line in server.lines[since:] if line.fields]


# --- JSON

def test_a_fetch_in_json_has_numbers_and_strings(serve, site):
    site.install("example.org")
    server = serve(ORG, server="log_format = json\nworkers = 1")
    since = server.mark()
    with tls(server, version="1.2") as client:
        client.ask(headers=["User-Agent: sender \xff"])
        port = client.stream.getsockname()[1]
    server.wait_fetch(since=since)
    line = next(line for line in server.lines[since:] if line.fields)
    assert list(line.json) == ["time", "level", "from", "msg", "listener", "client", "host", "status", "tls", "agent",
                               "ms"]
    assert type(line.json["ms"]) is int and 0 <= line.json["ms"] < 5000
    assert type(line.json["status"]) is int and line.json["status"] == 200
    assert (line.json["level"], line.json["msg"], line.json["from"]) == ("info", "fetch", "worker.1.1")
    assert (line.json["client"], line.json["tls"]) == (f"127.0.0.1:{port}", "1.2")
    assert line.json["agent"].encode("latin-1") in (b"sender \xff", "sender \xff".encode())


def test_keeper_and_workers_log_json_from_the_first_start_and_with_its_errors(serve, site):
    site.install("example.org")
    server = serve(ORG, server="log_format = json")
    assert all(line.json for line in server.lines if line.process != "master")
    since = server.mark()
    site.configure(ORG, server="log_format = json\nmax_tls = many", defaults="max_age = 1")
    assert server.allow("max_tls|reload refused").reload().startswith("reload refused")
    bad = [line for line in server.lines[since:] if line.process == "keeper.2"]
    assert bad and all(line.json for line in bad)
    assert {line.level for line in bad} == {"error", "warning"}


def test_the_format_of_the_log_changes_with_a_reload_both_ways(serve, site):
    site.install("example.org")
    server = serve(ORG)
    assert not any(line.json for line in server.lines)
    for generation, log_format in (2, "json"), (3, "text"):
        since = server.mark()
        site.configure(ORG, server=f"log_format = {log_format}", defaults="max_age = 1")
        assert server.reload().startswith(f"ready: generation {generation}")
        warned = server.wait(lambda line: line if line.level == "warning" else None, since=since)
        assert bool(warned.json) == (log_format == "json")
        fetch(server)
        server.wait_fetch(since=since)
        assert bool(server.lines[-1].json) == (log_format == "json")


# --- the journal

def journal(add):
    """Runs the server with the numbers of its standard error in JOURNAL_STREAM; the inode's is wrong by add."""
    return ["sh", "-c", 'set -- $(stat -Lc "%d %i" /proc/self/fd/2) "$@"; '
            f'export JOURNAL_STREAM=$1:$(($2 + {add})); shift 2; exec "$@"', "sh"]


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_each_line_to_the_journal_begins_with_its_priority(site, log_format):
    site.install("example.org")
    site.configure(ORG, server=f"log_format = {log_format}", defaults="max_age = 1")
    with Server(site, prefix=journal(0)) as server:
        fetch(server)
        server.wait_fetch()
        site.configure(ORG, server=f"log_format = {log_format}\nmax_tls = many")
        server.allow("max_tls|reload refused").reload()
        server.stop()
        wanted = {"error": 3, "warning": 4, "info": 6, None: 6}
        assert {line.level for line in server.lines} == set(wanted)
        for line in server.lines:
            assert line.priority == wanted[line.level], line.raw


def test_a_stream_that_is_not_the_journal_has_no_priorities(site):
    site.install("example.org")
    site.configure(ORG)
    with Server(site, prefix=journal(1)) as server:
        server.stop()
        assert server.lines and all(line.priority is None for line in server.lines)


# --- a log that is not read

class Unread:
    """A server whose log goes into a pipe, a terminal or a socket that nobody reads until told to."""

    def __init__(self, site, kind, server="workers = 1"):
        self.site = site
        self.https = own_address(), 8443
        site.install("example.org")
        site.configure(ORG, listen=["%s:%d" % self.https], server=server)
        if kind == "socket":
            reader, writer = socket.socketpair()
            writer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            self.reader, writer = reader.detach(), writer.detach()
        else:
            self.reader, writer = os.pipe() if kind == "pipe" else os.openpty()
            if kind == "pipe":
                fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
            else:
                self.terminal = os.ttyname(writer)
        self.process = subprocess.Popen([*shlex.split(MTA_STSD), "-c", str(site.ini)], stderr=writer,
                                        stdin=subprocess.DEVNULL, start_new_session=True)
        os.close(writer)
        self._left = b""
        self.lines = []
        try:
            self.read(lambda: any(line.message and line.message.startswith("ready") for line in self.lines))
        except BaseException:
            self.process.kill()
            self.process.wait()
            os.close(self.reader)
            raise

    def _next(self):
        """What is there, or nothing at the end: of a terminal, that is an error."""
        try:
            return os.read(self.reader, 65536)
        except OSError as error:
            assert error.errno == errno.EIO
            return b""

    def read(self, enough):
        deadline = time.monotonic() + PATIENCE
        while not enough():
            ready = select.select([self.reader], [], [], max(0, deadline - time.monotonic()))[0]
            assert ready, "no such line in time"
            data = self._next()
            assert data, "the log ended before such a line"
            *lines, self._left = (self._left + data.replace(b"\r\n", b"\n")).split(b"\n")
            self.lines += [LogLine(line.decode()) for line in lines]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            assert self.process.wait(PATIENCE) == 0
        finally:
            self.process.kill()
            self.process.wait()
            os.close(self.reader)


@pytest.mark.parametrize("kind", ["pipe", "terminal", "socket"])
def test_the_wait_for_a_line_of_a_server_that_has_ended_fails_and_does_not_hang(site, kind):
    with pytest.raises(AssertionError, match="the log ended"):
        Unread(site, kind, server="workers = none")


@pytest.mark.parametrize("kind, fetches", [("pipe", 60), ("terminal", 200), ("socket", 60)])
def test_a_log_that_nobody_reads_blocks_nobody_and_what_is_lost_is_told(site, kind, fetches):
    with Unread(site, kind) as server:
        before = len(server.lines)
        since = time.monotonic()
        for _ in range(fetches):
            assert fetch(server, address=server.https).body == ORG_BODY
        assert time.monotonic() - since < PATIENCE

        def told():
            return sum(int(match[1]) for line in server.lines[before:]
                       if (match := re.search(r" dropped=(\d+) ", line.raw)))

        def accounted():
            return told() + len([line for line in server.lines[before:] if line.fields])

        server.read(lambda: not select.select([server.reader], [], [], 0)[0])
        fetch(server, address=server.https)  # there is room again
        server.read(lambda: accounted() > fetches)
        assert told() > 0
        torn = 1 if kind == "terminal" else 0  # it takes a part of the first line that doesn't fit
        assert accounted() <= fetches + 1 + torn
        assert len([line for line in server.lines if not line.valid]) <= torn


@root_only
def test_a_terminal_that_takes_the_log_is_held_for_writing_alone(site):
    """Else a worker that is taken over reads what is typed there."""
    with Unread(site, "terminal") as server:
        everyone = all_processes()
        ours = [each for each in everyone.values() if server.process.pid in lineage(each.pid, everyone)]
        assert len(ours) == 3  # master, keeper, worker
        for process in ours:
            assert access_of(process, server.terminal) == {os.O_WRONLY}, process


def test_a_log_that_nobody_can_read_any_more_stops_nobody(site):
    with Unread(site, "pipe") as server:
        reader, server.reader = server.reader, os.open("/dev/null", os.O_RDONLY)
        os.close(reader)
        for _ in range(5):
            assert fetch(server, address=server.https).body == ORG_BODY


def test_a_closed_standard_error_is_no_obstacle(site):
    address = own_address(), 8443
    site.install("example.org")
    site.configure(ORG, listen=["%s:%d" % address])
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(f"\0mta-stsd-test-{address[0]}")
    manager.settimeout(PATIENCE)
    process = subprocess.Popen(["sh", "-c", 'exec "$@" 2>&-', "sh", *shlex.split(MTA_STSD), "-c", str(site.ini)],
                               env={**os.environ, "NOTIFY_SOCKET": f"@mta-stsd-test-{address[0]}"},
                               start_new_session=True)
    try:
        assert manager.recv(1000).startswith(b"READY=1")

        class Running:
            pass

        Running.site = site
        assert fetch(Running, address=address).body == ORG_BODY  # no line went to the client instead
        process.terminate()
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait()
        manager.close()
