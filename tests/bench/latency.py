"""How long a fetch takes while nginx would be half busy: the same rate for all, whatever each can do."""

import contextlib
import statistics

import servers
from fetches import CONNECTIONS, FAVOURITE, OTHER, OURS, start
from load import load
from result import Row
from rounds import Figures

ROUNDS = 7
CROWD = 128  # connections at a time at most: further ones are late, and their lateness counts


def top_rate(server, names):
    """Fetches a second that the load generator gets from it, each on a processor of its own."""
    runs = [load(server, 2000, names, connections=CONNECTIONS, **FAVOURITE) for _ in range(3)]
    return statistics.median(run["fetches"] / run["seconds"] for run in runs)


def measure(quick):
    rounds, seconds = (3, 1) if quick else (ROUNDS, 3)
    figures, busy = Figures(), []
    site = servers.Site("latency", {"example.org": "p256"})
    names = site.names_file()
    with contextlib.ExitStack() as stack:
        running = start(stack, site, servers.ALL)
        nginx = next(server for server in running if server.name == OTHER)
        rate = top_rate(nginx, names) / 2
        for _ in range(rounds):
            for server in running:
                said = load(server, int(rate * seconds), names, rate=rate, connections=CROWD, **FAVOURITE)
                busy.append(said["busy"])
                figures.add("p50", server.name, said["p50_us"] / 1000)
                figures.add("p99", server.name, said["p99_us"] / 1000)
    table = figures.table("Time of a fetch at half of nginx's top rate (ms)", OURS, OTHER,
                          f"TLS 1.3, X25519, P-256 certificate; {rate:.0f} fetches a second at fixed times, counted from "
                          f"when each was due. nginx's top rate is what {CONNECTIONS} connections at a time got from it. The load "
                          f"generator had its own processor busy for {statistics.median(busy):.0%} of the time: what waits "
                          "for it there is in all of these times.")
    return [Row("p99 of a fetch at half of nginx's top rate", figures.ratio("p99", OURS, OTHER), "of nginx's",
                1.0, 0.7, f"load generator {statistics.median(busy):.0%} busy")], [table]
