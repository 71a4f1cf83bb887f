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

# name, options of the load generator, kind of key, must, aim. A P-256 certificate is no use under TLS 1.2 to who does not
# offer P-256; X25519 is what is agreed on all the same.
CASES = [
    ("TLS 1.3, X25519, P-256 certificate", {"tls": "1.3", "group": "X25519"}, "p256", 0.65, 0.50),
    ("TLS 1.3, P-256, P-256 certificate", {"tls": "1.3", "group": "P-256"}, "p256", 0.70, 0.55),
    ("TLS 1.2, X25519, P-256 certificate", {"tls": "1.2", "group": "X25519:P-256"}, "p256", 0.75, 0.60),
    ("TLS 1.2, P-256, P-256 certificate", {"tls": "1.2", "group": "P-256"}, "p256", 0.70, 0.55),
    ("TLS 1.3, X25519, RSA 2048 certificate", {"tls": "1.3", "group": "X25519"}, "rsa2048", 2.2, 1.8),
    ("TLS 1.2, X25519, RSA 2048 certificate", {"tls": "1.2", "group": "X25519"}, "rsa2048", 2.2, 1.8),
]
ONE_SUITE = ("the first, with a client that offers AES-128-GCM alone",
             {"tls": "1.3", "group": "X25519", "suites": "TLS_AES_128_GCM_SHA256"}, "p256", None, None)
FAVOURITE = CASES[0][1]  # what senders ask for most
KEPT = "one more request on a connection"
MANY_HOSTS = f"{MANY:,} hosts in turn, TLS 1.3, X25519, P-256"


def start(stack, site, kinds):
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


def _agreements(running, names):
    """Which suites the servers choose. Makes sure that the groups are those that the cases are about."""
    chosen = {}
    for name, options, key, *_ in CASES:
        for server in running:
            said = load(server, 1, names[key], **options)
            expected = {"X25519": "X25519", "P-256": "prime256v1"}[options["group"].split(":")[0]]
            assert said["group"] == expected, f"{server.name}: {name}: {said['group']}"
            chosen.setdefault(server.name, {})[said["suite"]] = None
    by_suites = {}
    for server, suites in chosen.items():
        by_suites.setdefault(", ".join(suites), []).append(server)
    return "; ".join(f"{suites} with {', '.join(some)}" for suites, some in by_suites.items())


def _one_host(figures, rounds, fetches, kinds, cases):
    """Gives which suites were used."""
    site = servers.Site("fetches", {"example.org": "p256", "example.net": "rsa2048"})
    names = dict(zip(["p256", "rsa2048"], map(site.names_file, site.hosts)))
    with contextlib.ExitStack() as stack:
        running = start(stack, site, kinds)
        suites = _agreements(running, names)
        for _ in range(rounds):
            for name, options, key, *_ in cases:
                for server in running:
                    figures.add(name, server.name, cost_us(server, fetches, names[key], connections=CONNECTIONS,
                                                           **options))
            for server in running:
                figures.add(KEPT, server.name, of_kept_connections(server, fetches, names["p256"]))
    return suites


def _many_hosts(figures, rounds):
    site = servers.Site("many", {f"d{number}.example": "p256" for number in range(MANY)})
    with contextlib.ExitStack() as stack:
        running = start(stack, site, servers.ALL)
        for _ in range(rounds):
            for server in running:
                figures.add(MANY_HOSTS, server.name, cost_us(server, MANY, site.names_file(), connections=CONNECTIONS,
                                                             **FAVOURITE))


def measure(quick):
    figures, many = Figures(), Figures()
    if quick:
        suites = _one_host(figures, 5, 150, servers.ALL, CASES)
    else:
        suites = _one_host(figures, ROUNDS, 500, [*servers.ALL, servers.NginxFromMemory], [*CASES, ONE_SUITE])
    tables = [figures.table("CPU time of a fetch (us)", OURS, OTHER, f"Suites: {suites}.")]
    rows = [Row(f"CPU of a fetch: {name}", figures.ratio(name, OURS, OTHER), "of nginx's", must, aim)
            for name, _, _, must, aim in CASES]
    rows.append(Row(f"CPU of {KEPT}", figures.ratio(KEPT, OURS, OTHER), "of nginx's", 1.0, 0.6))
    if not quick:
        _many_hosts(many, ROUNDS)
        tables.append(many.table("CPU time of a fetch with many hosts (us)", OURS, OTHER))
        rows.append(Row(f"CPU of a fetch: {MANY_HOSTS}", many.ratio(MANY_HOSTS, OURS, OTHER), "of nginx's"))
    return rows, tables
