"""No memory: each kind of allocation, told by its last calls, fails once. Nobody dies, nothing leaks, the log tells.

With --every-allocation (make check-memory), each single one does: the first, then the second, and so on.
"""

import itertools
import os
import re
import time

import pytest

from lib import client
from lib import memory as test_memory
from lib.server import HOST, ORG, ORG_BODY, PATIENCE, Server, run_mta_stsd
from lib.toolbox import run_mta_sts

NET = ORG.replace("example.org]", "example.net]", 1)
OTHER = HOST.replace(".org", ".net")

# Named by number: glibc's look-up of users ends the process where memory fails it.
SERVER = "workers = 1\nuser = 65534:65534\n"

# Attempts without a failure, one after the other, that end a test: no two handshakes allocate equally often.
LAST_TRIES = 5

# What the log says when something had to be given up.
TOLD = r"(?i)out of memory|Cannot allocate memory|not enough memory"


# The one leak is mbedTLS's: a TLS 1.3 transform that could not be set up is freed without what is in it. That is, each
# time, at most both contexts of one direction's cipher and the first of the other's.
LOSES, LOST = "mbedtls_ssl_tls13_populate_transform", 3


@pytest.fixture(scope="session")
def memory_library(tmp_path_factory):
    return test_memory.build(tmp_path_factory.mktemp("memory"))


@pytest.fixture
def memory(site, memory_library, pytestconfig):
    return test_memory.Memory(memory_library, site.folder / "memory", pytestconfig.getoption("--every-allocation"))


def failures(memory, attempt, at_least, undo=lambda result: None):
    """Calls attempt while another allocation fails in it; gives the pid of its process and what attempt gave.

    undo: is given what attempt gave when nothing failed in it.
    """
    count = in_vain = 0
    while in_vain < LAST_TRIES:
        memory.fail()
        result = attempt()
        pid = memory.failed()
        in_vain = 0 if pid else in_vain + 1
        if pid:
            count += 1
            yield pid, result
        else:
            undo(result)
    assert count >= at_least, f"only {count} allocations"


# --- Starting

def test_no_memory_to_start(site, memory):
    site.configure(ORG, acme=["127.0.0.2:0"], server=SERVER)

    def start():
        server = Server(site, env=memory.environment()).allow("")
        try:
            ready = server.wait(lambda line: (line.message or "").startswith("ready:"))
        except AssertionError:
            ready = None
        return server, ready

    for _, (server, ready) in failures(memory, start, 30, undo=lambda result: result[0].stop()):
        if ready:
            server.stop()
        else:
            assert server.wait_end() == 1, server.log()
            assert server.messages(TOLD), server.log()
            assert server.messages("^cannot start: "), server.log()
        server.check()
    start()[0].stop()


def test_no_memory_to_check_a_configuration(site, memory):
    site.install("example.org")
    site.configure(ORG, server=SERVER)
    environment = {**os.environ, **memory.environment()}
    good = site.test()

    def check():
        return run_mta_stsd("-t", "-c", str(site.ini), env=environment)

    for _, done in failures(memory, check, 40):
        lines = done.stdout.splitlines()
        if (done.returncode, lines) != good:
            assert done.returncode in (0, 1), done
            assert re.search(TOLD, done.stdout), done


def test_no_memory_to_print_records(site, memory):
    site.configure(ORG + "rua = mailto:tls@example.org\n", server=SERVER)
    environment = {**os.environ, **memory.environment()}
    good = run_mta_sts("dns", "-c", site.ini, "--format", "json").stdout

    def dns():
        return run_mta_sts("dns", "-c", site.ini, "--format", "json", env=environment)

    for _, done in failures(memory, dns, 30):
        if (done.returncode, done.stdout) != (0, good):
            assert done.returncode in (1, 3), done
            assert re.search(TOLD, done.stderr), done


# --- Serving

def holds(memory, processes):
    """Blocks and descriptors of each."""
    return [(memory.blocks(process), len(process.descriptors())) for process in processes]


def comes_to_rest(memory, processes, rest):
    """Waits until they hold no more than at rest; less, where a last connection was still on its way out then.

    Gives what is rest from now on.
    """
    def holds_more(now, lost=0):
        return any(blocks > most + lost or descriptors > most_descriptors
                   for (blocks, descriptors), (most, most_descriptors) in zip(now, rest))

    deadline = time.monotonic() + PATIENCE
    while holds_more(now := holds(memory, processes)):
        if LOSES in memory.path() and not holds_more(now, LOST):
            return now
        assert time.monotonic() < deadline, \
            f"{now} instead of {rest}, blocks and descriptors, after there was no memory for\n{memory.path()}"
    return rest


def survives(server, memory, attempt, good, at_least):
    """What fails in attempt is told unless all went well; the same processes do good, and hold no more."""
    for _ in range(3):
        good()
    processes = server.processes()
    rest = holds(memory, processes)

    def marked_attempt():
        return server.mark(), attempt()

    for _, (since, went_well) in failures(memory, marked_attempt, at_least):
        try:
            if not went_well:
                server.wait_for(TOLD, since=since)
            good()
        except AssertionError:
            print("the allocation that failed:", memory.path(), sep="\n")
            raise
        rest = comes_to_rest(memory, processes, rest)


def answered(connect, host, path, body):
    """True: the answer; False: none, or 503. Nothing else will do."""
    try:
        with connect() as connection:
            connection.send(client.request(host, path, headers=["Connection: close"]))
            connection.buffer = connection.stream.recv(65536)
            response = connection.response() if connection.buffer else None
    except OSError:  # an alert, too
        return False
    if response is None or response.status == 503:
        return False
    assert (response.status, response.body) == (200, body)
    return True


@pytest.mark.parametrize("version, kind", [("1.2", "p256"), ("1.3", "p256"), ("1.3", "rsa2048")])
def test_no_memory_for_a_fetch(version, kind, site, serve, clock, memory):
    site.install("example.org", kind=kind)
    server = serve(ORG, server=SERVER, env=memory.environment(clock.environment()))

    def fetch():
        return answered(lambda: client.tls(server, version=version), HOST, client.POLICY, ORG_BODY)

    def good():  # a minute later, when everything is told again
        clock.advance(61)
        assert fetch()

    survives(server, memory, fetch, good, 40)


@pytest.mark.parametrize("kind", ["p256", "rsa2048"])
def test_errno_after_allocations_that_succeed_ends_no_handshake(kind, site, serve, memory):
    """glibc leaves ENOMEM there when brk has no memory and mmap has."""
    site.install("example.org", kind=kind)
    memory.mislead()
    server = serve(ORG, server=SERVER, env=memory.environment())
    for version in "1.2", "1.3":
        for _ in range(100):
            assert client.fetch(server, version=version).body == ORG_BODY
    assert not server.messages(TOLD)


def test_no_memory_for_an_acme_token(site, serve, clock, memory):
    site.acme.mkdir(mode=0o755)
    (site.acme / "token").write_bytes(b"token.thumbprint")
    server = serve(ORG, acme=["127.0.0.2:0"], server=f"{SERVER}acme_dir = {site.acme}",
                   env=memory.environment(clock.environment()))

    def fetch():
        return answered(lambda: client.plain(server.acme), HOST, "/.well-known/acme-challenge/token",
                        b"token.thumbprint")

    def good():
        clock.advance(61)
        assert fetch()

    survives(server, memory, fetch, good, 5)


@pytest.mark.parametrize("kind", ["p256", "rsa2048"])
def test_no_memory_for_a_fetch_whose_certificate_has_to_be_read(kind, site, serve, clock, memory):
    site.install("example.org", kind=kind)
    site.install("example.net")
    server = serve(ORG, NET, server=f"{SERVER}cert_cache = 1", env=memory.environment(clock.environment()))

    def fetch(host=HOST):
        return answered(lambda: client.tls(server, host, version="1.2"), host, client.POLICY, ORG_BODY)

    def good():
        clock.advance(61)
        assert fetch()
        assert fetch(OTHER)  # whose certificate takes the only place

    survives(server, memory, fetch, good, 40)


# --- Reloading

@pytest.mark.parametrize("changed", [True, False], ids=["changed", "unchanged"])
def test_no_memory_for_a_reload(changed, site, serve, memory):
    site.install("example.org")
    server = serve(ORG, server=SERVER, env=memory.environment()).allow("")
    text, numbers = site.ini.read_text(), itertools.count()
    master = server.processes()[:1]

    def reload():
        if changed:
            site.write(f"{text}; {next(numbers)}\n")
        return not server.reload().startswith("reload refused")

    def good():
        assert reload()
        assert client.fetch(server).body == ORG_BODY
    rest = holds(memory, master)
    for _, (since, went_well) in failures(memory, lambda: (server.mark(), reload()), 5):
        if not went_well:
            assert server.messages(TOLD, since), server.log(since)
            assert client.fetch(server).body == ORG_BODY
        good()
        comes_to_rest(memory, master, rest)
