"""Very many domains: each has its own policy and certificate, and what the processes hold stays small."""

import os
import random

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


def test_the_cache_of_certificates_counts(server):
    """First asked for, from memory, looked at again after the signal."""
    domains = [policy_domain(number) for number in (0, POLICIES // 2, POLICIES - 1)]
    for domain in domains:
        served(server, domain)
    for domain in domains:
        fetch(server, f"mta-sts.{domain}")
    server.reload()
    server.wait_for(r"^certificate cache: 3 hits, 3 misses, 0 evictions$")
    fetch(server, f"mta-sts.{domains[0]}")
    served(server, domains[1])
    server.stop()
    server.wait_for(r"^certificate cache: 4 hits, 4 misses, 0 evictions$")


def test_a_cache_that_is_too_small_says_so(site, serve):
    domains = [policy_domain(number) for number in range(4)]
    server = serve(*(f"[{domain}]\nmode = enforce\nmx = mx.example\n" for domain in domains),
                   server="workers = 1\ncert_cache = 2")
    for _ in range(2):
        for domain in domains:
            served(server, domain)
    server.stop()
    server.wait_for(r"^certificate cache: 0 hits, 8 misses, 6 evictions$")


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
