"""Very many domains: each has its own policy and certificate, and what the processes hold stays small."""

import contextlib
import ctypes
import os
import random
import struct

import pytest

from lib.client import fetch
from lib.processes import Memory, ends
from lib.server import Server

POLICIES = 10_000
ALIASES = 100_000
MEMORY_MB = 20  # what all processes hold, without files; 7 were measured, 13 with AddressSanitizer

# As in test_reload: AddressSanitizer holds freed memory back, which is none of the server's.
ENVIRONMENT = {"ASAN_OPTIONS": ":".join(filter(None, [
    os.environ.get("ASAN_OPTIONS"), "quarantine_size_mb=0", "thread_local_quarantine_size_kb=0"]))}


def policy_domain(number):
    return f"d{number:05}.example"


def alias(number):
    return f"customer{number:06}.example.net"


def body(mx, max_age=604800):
    return f"version: STSv1\r\nmode: enforce\r\nmx: {mx}\r\nmax_age: {max_age}\r\n".encode()


def some(count, seed):
    """The first, the last, and a few in between."""
    return [0, *random.Random(seed).sample(range(1, count - 1), 6), count - 1]


def configure(site, changed=None):
    """changed: the number of a policy that has another max_age."""
    sections = [f"[{policy_domain(number)}]\nmode = enforce\nmx = mx.{policy_domain(number)}\n"
                for number in range(POLICIES)]
    if changed is not None:
        sections[changed] += "max_age = 86400\n"
    site.write("".join(f"{alias(number)}\n" for number in range(ALIASES)), "customers.txt")
    site.configure("[example.net]\nmode = enforce\nmx = mail.%d\nalias_file = customers.txt\n", *sections,
                   server="workers = 1")


@pytest.fixture
def server(site):
    configure(site)
    with Server(site, env=ENVIRONMENT) as server:
        yield server


def served(server, domain):
    """The policy, under the certificate of that domain alone, as it was issued."""
    pair = server.site.install(domain)
    response = fetch(server, f"mta-sts.{domain}")
    assert response.certificate == pair.leaf_der()
    return response.body


def test_each_of_10000_policies_is_served_for_its_own_domain(server, request):
    server.wait_for(rf"^ready: generation 1, {POLICIES + ALIASES + 1} domains, 1 listener, 1 worker$")
    for number in some(POLICIES, request.node.name):
        assert served(server, policy_domain(number)) == body(f"mx.{policy_domain(number)}")


def test_each_of_100000_aliases_has_its_own_name_in_the_policy(server, request):
    for number in some(ALIASES, request.node.name):
        assert served(server, alias(number)) == body(f"mail.{alias(number)}")


def test_the_neighbours_of_many_names_are_still_nobodys(server):
    for domain in (policy_domain(POLICIES), alias(ALIASES), "d0000.example", "customer000000.example"):
        server.site.install(domain)
        with pytest.raises(OSError, match="UNRECOGNIZED_NAME"):
            fetch(server, f"mta-sts.{domain}")


class Reads:
    """Which certificate files were read, by domain, as the kernel reports it (inotify)."""

    IN_ACCESS = 1
    EVENT = struct.Struct("iIII")  # wd, mask, cookie, bytes of a name: none for a file

    def __init__(self):
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        assert self._fd >= 0, os.strerror(ctypes.get_errno())
        self._domains = {}

    def watch(self, site, domain):
        path = site.certs / f"mta-sts.{domain}" / "fullchain.pem"
        number = self._libc.inotify_add_watch(self._fd, bytes(path), self.IN_ACCESS)
        assert number >= 0, os.strerror(ctypes.get_errno())
        self._domains[number] = domain

    def since(self):
        """The domains whose file has been read since the last call."""
        try:
            events = os.read(self._fd, 65536)
        except BlockingIOError:
            return set()
        return {self._domains[number] for number, mask, _, _ in self.EVENT.iter_unpack(events)
                if mask & self.IN_ACCESS}

    def close(self):
        os.close(self._fd)


@pytest.fixture
def reads():
    with contextlib.closing(Reads()) as reads:
        yield reads


def test_files_are_read_once_and_again_after_a_signal_only_when_they_changed(server, reads):
    domains = [policy_domain(number) for number in (0, POLICIES // 2, POLICIES - 1)]
    for domain in domains:
        server.site.install(domain)
        reads.watch(server.site, domain)
        fetch(server, f"mta-sts.{domain}")
    assert reads.since() == set(domains), "first asked for"
    for domain in domains:
        fetch(server, f"mta-sts.{domain}")
    assert reads.since() == set(), "from memory"
    assert server.reload().startswith("reload unchanged")
    server.site.install(domains[1])
    reads.watch(server.site, domains[1])
    for domain in domains:
        fetch(server, f"mta-sts.{domain}")
    assert reads.since() == {domains[1]}, "all were looked at, and one was another file"
    assert not server.messages("cache"), "a reload ends in one line"


def test_a_cache_that_is_too_small_reads_again(site, serve, reads):
    domains = [policy_domain(number) for number in range(4)]
    server = serve(*(f"[{domain}]\nmode = enforce\nmx = mx.example\n" for domain in domains),
                   server="workers = 1\ncert_cache = 2")
    for domain in domains:
        site.install(domain)
        reads.watch(site, domain)
    for _ in range(2):
        for domain in domains:
            fetch(server, f"mta-sts.{domain}")
            assert reads.since() == {domain}


def test_a_changed_policy_among_many_changes_alone_and_takes_no_more_memory(server, request):
    before = Memory(*server.processes())
    assert before.own < MEMORY_MB * 1024
    with ends(server.processes()[1:]):
        configure(server.site, changed=POLICIES // 2)
        assert server.reload().startswith(f"ready: generation 2, {POLICIES + ALIASES + 1} domains")
    after = Memory(*server.processes())
    assert after.own - before.own < 1024, f"before {before}, after {after}"
    changed = policy_domain(POLICIES // 2)
    assert served(server, changed) == body(f"mx.{changed}", 86400)
    for number in set(some(POLICIES, request.node.name)) - {POLICIES // 2}:
        assert served(server, policy_domain(number)) == body(f"mx.{policy_domain(number)}")
