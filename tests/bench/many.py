"""What a thousand hosts with a certificate each take: to start, to read the configuration anew, to hold."""

import signal
import time

import processes
import servers
from load import load
from rounds import Figures

HOSTS = 1000
ROUNDS = 5
PATIENCE = 120  # seconds
OURS, OTHER = servers.Ours.name, servers.Nginx.name
# What makes a server read its configuration anew. Caddy wants its admin listener for that.
RELOADS = {servers.Ours: signal.SIGHUP, servers.Nginx: signal.SIGHUP, servers.Apache: signal.SIGUSR1}


def _seconds_until(condition):
    """Looked at without a pause, from the processor that the server is not on."""
    since = time.monotonic()
    while not condition():
        assert time.monotonic() < since + PATIENCE
    return time.monotonic() - since


def _children(server):
    return set(server.pids) - {server.process.pid}


def _reload_seconds(server, how):
    """From the signal until all that served before is gone, and its successors are there."""
    configuration = server.configuration_path
    configuration.write_text(configuration.read_text() + "\n")  # mta-stsd does nothing for the same bytes
    before = _children(server)
    server.process.send_signal(how)
    return _seconds_until(lambda: (now := _children(server)) and not now & before)


def _of_one(kind, site, figures):
    with kind(site) as server:
        figures.add("from exec to listening (s)", server.name, server.start_seconds)
        load(server, HOSTS, site.names_file(), connections=8)
        figures.add("PSS after a fetch of each host (MB)", server.name, processes.memory(server.pids) / 1e6)
        if kind in RELOADS:
            figures.add("from the signal to a new generation alone (s)", server.name,
                        _reload_seconds(server, RELOADS[kind]))
            load(server, HOSTS, site.names_file(), connections=8)
            figures.add("PSS after that and a fetch of each host (MB)", server.name,
                        processes.memory(server.pids) / 1e6)


def measure(quick):
    figures = Figures()
    if quick:
        return [], []
    site = servers.Site("thousand", {f"d{number}.example": "p256" for number in range(HOSTS)})
    for _ in range(ROUNDS):
        for kind in [servers.Ours, servers.Nginx, servers.Caddy, servers.Apache]:
            _of_one(kind, site, figures)
    return [], [figures.table(f"{HOSTS:,} hosts, a P-256 certificate each", OURS, OTHER,
                              "One server at a time. mta-stsd reads a certificate when it is first asked for; Apache listens "
                              "before it has read them.")]
