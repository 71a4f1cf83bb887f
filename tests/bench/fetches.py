"""The CPU time of a fetch: by version, group and key, of one more request on a connection, and with many hosts."""

import contextlib

import servers
from load import cost_us, load
from result import Row
from rounds import Figures

CONNECTIONS = 8  # at a time: enough to keep a server busy
REQUESTS = 100   # on a connection that is kept: what Apache allows
ROUNDS = 7
MANY = 1000
OURS, OTHER = servers.Ours.name, servers.Nginx.name

# name, options of the load generator, kind of key, must, aim
CASES = [
    ("TLS 1.3, X25519, P-256 certificate", {"tls": "1.3", "group": "X25519"}, "p256", 0.65, 0.50),
    ("TLS 1.3, P-256, P-256 certificate", {"tls": "1.3", "group": "P-256"}, "p256", 0.70, 0.55),
    ("TLS 1.2, X25519, P-256 certificate", {"tls": "1.2", "group": "X25519:P-256"}, "p256", 0.75, 0.60),
    ("TLS 1.2, P-256, P-256 certificate", {"tls": "1.2", "group": "P-256"}, "p256", 0.70, 0.55),
    ("TLS 1.3, X25519, RSA 2048 certificate", {"tls": "1.3", "group": "X25519"}, "rsa2048", 2.2, 1.8),
    ("TLS 1.2, X25519, RSA 2048 certificate", {"tls": "1.2", "group": "X25519"}, "rsa2048", 2.2, 1.8),
]
FAVOURITE = CASES[0][1]  # what senders ask for most
KEPT = "one more request on a connection"
MANY_HOSTS = f"{MANY:,} hosts in turn, TLS 1.3, X25519, P-256"


def started(stack, site, kinds):
    """All of these servers, running and warm."""
    running = [stack.enter_context(kind(site)) for kind in kinds]
    for server in running:
        load(server, len(site.hosts) + 50, site.names_file())
    return running


def of_kept_connections(server, fetches, names):
    """The CPU time of a request on a connection that is there: without its handshake and first request."""
    single = cost_us(server, fetches, names, **FAVOURITE)
    kept = cost_us(server, fetches * 10, names, requests=REQUESTS, **FAVOURITE)
    return (REQUESTS * kept - single) / (REQUESTS - 1)


def _one_host(quick, figures):
    rounds, fetches = (5, 200) if quick else (ROUNDS, 1000)
    site = servers.Site("fetches", {"example.org": "p256", "example.net": "rsa2048"})
    names = dict(zip(["p256", "rsa2048"], map(site.names_file, site.hosts)))
    kinds = [*servers.ALL, servers.NginxFromMemory]
    with contextlib.ExitStack() as stack:
        running = started(stack, site, kinds)
        for _ in range(rounds):
            for name, options, key, *_ in CASES:
                for server in running:
                    figures.add(name, server.name, cost_us(server, fetches, names[key], connections=CONNECTIONS,
                                                           **options))
            for server in running:
                figures.add(KEPT, server.name, of_kept_connections(server, fetches, names["p256"]))


def _many_hosts(figures):
    site = servers.Site("many", {f"d{number}.example": "p256" for number in range(MANY)})
    with contextlib.ExitStack() as stack:
        running = started(stack, site, servers.ALL)
        for _ in range(ROUNDS):
            for server in running:
                figures.add(MANY_HOSTS, server.name, cost_us(server, MANY, site.names_file(),
                                                             connections=CONNECTIONS, **FAVOURITE))


def measure(quick):
    figures, many = Figures(), Figures()
    _one_host(quick, figures)
    tables = [figures.table("CPU time of a fetch (us)", OURS, OTHER)]
    rows = [Row(f"CPU of a fetch: {name}", figures.ratio(name, OURS, OTHER), "of nginx's", must, aim)
            for name, _, _, must, aim in CASES]
    rows.append(Row(f"CPU of {KEPT}", figures.ratio(KEPT, OURS, OTHER), "of nginx's", 1.0, 0.6))
    if not quick:
        _many_hosts(many)
        tables.append(many.table("CPU time of a fetch with many hosts (us)", OURS, OTHER))
        rows.append(Row(f"CPU of a fetch: {MANY_HOSTS}", many.ratio(MANY_HOSTS, OURS, OTHER), "of nginx's"))
    return rows, tables
