"""What real senders get while half handshakes and silent connections come from thousands of addresses."""

import json
import os
import subprocess
import threading
from pathlib import Path

import processes
import servers
from result import Row, Table
from servers import CPUS, started

SIEGE = os.environ.get("BENCH_SIEGE", str(Path(__file__).resolve().parents[2] / "build/tests/bench/siege"))
WORKERS = 2
WARM_UP = 10  # seconds: a deadline of 10 s then limits what is held
PATIENCE = 600
PARALLEL, ROUND_TRIPS = (1, 2, 8, 16), (20, 100, 300)  # ms
FETCHES = {20: 100, 100: 40, 300: 20}  # of a cell, and four of each connection, at least
HELLOS = [(rate, addresses) for rate in (60, 500, 1000, 2000) for addresses in (2000, 50_000)]
SILENT = [(4000, 2000)]
SAMPLE_SECONDS = 0.5


class Ours(servers.Ours):
    """With the limits that it has without configuration."""

    def configuration(self):
        return super().configuration().replace("workers = 1", f"workers = {WORKERS}")


class Nginx(servers.Nginx):
    def configuration(self):
        return super().configuration().replace("worker_processes 1", f"worker_processes {WORKERS}")


class Watch(threading.Thread):
    """The most memory that a server's processes have, from now to the end of the `with`; and their CPU time."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.pids = server.pids
        self.memory = 0
        self._end = threading.Event()
        self._cpu = processes.cpu_ns(self.pids)

    def run(self):
        while not self._end.wait(SAMPLE_SECONDS):
            self.memory = max(self.memory, processes.memory(self.pids))

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self.join()
        self.cpu_seconds = (processes.cpu_ns(self.pids) - self._cpu) / 1e9


def besiege(server, kind, rate, addresses, cells, warm_up=WARM_UP):
    """A dict for each (parallel, round trip, fetches), and the Watch of the server."""
    command = [SIEGE, server.address, server.site.hosts[0], kind, rate, addresses, warm_up,
               *(":".join(map(str, cell)) for cell in cells)]
    with Watch(server) as watch, started(command, CPUS[-1], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                         text=True) as process:
        said, complaint = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, f"{server.name}: {complaint}"
    return [json.loads(line) for line in said.splitlines()], watch


def share(cell):
    return 100 * cell["served"] / (cell["served"] + cell["failed"])


def measure(quick):
    parallel, attacks = (PARALLEL, HELLOS) if not quick else ((1, 16), [(500, 2000)])
    cells = [(count, rtt, max(FETCHES[rtt], 4 * count)) for rtt in ROUND_TRIPS for count in parallel]
    site = servers.Site("siege", {"example.org": "p256"})
    tables, lowest, ratios = [], 100.0, []
    for kind, table_attacks, what in (("hello", attacks, "half handshakes"), ("silent", [] if quick else SILENT,
                                                                              "silent connections")):
        table = Table(f"Fetches served beside {what} (%)",
                      ["", "a second", "addresses", *(f"{rtt} ms x {count}" for count, rtt, _ in cells), "PSS (MB)",
                       "CPU", "generator"],
                      note="The columns: round trip x connections of the real sender at a time; most PSS and mean CPU time "
                           "of all processes of the server; CPU time of the load generator. From 0.9 on, the processor "
                           "limits the figures and not the rule.")
        for rate, addresses in table_attacks:
            memory = {}
            for make in (Ours, Nginx) if addresses == 2000 else (Ours,):
                with make(site) as server:
                    found, watch = besiege(server, kind, rate, addresses, cells)
                seconds = sum(cell["seconds"] for cell in found)
                memory[server.name] = watch.memory
                table.lines.append([server.name, round(sum(cell["rate"] for cell in found) / len(found)), addresses,
                                    *(f"{share(cell):.0f}" if share(cell) in (0, 100) else f"{share(cell):.1f}"
                                      for cell in found), watch.memory / 1e6, watch.cpu_seconds / (seconds + WARM_UP),
                                    max(cell["busy"] for cell in found)])
                if make is Ours and rate <= 1000:
                    lowest = min(lowest, *map(share, found))
            if kind == "hello" and rate <= 1000 and addresses == 2000:
                ratios.append(memory[Ours.name] / memory[Nginx.name])
        if table_attacks:
            tables.append(table)
    return [Row("fetches not served beside 60 to 1,000 half handshakes a second", 100 - lowest, "%", 1, 0,
                "in the worst cell"),
            Row("PSS in the worst of these attacks", max(ratios), "of nginx's", None, 1)], tables
