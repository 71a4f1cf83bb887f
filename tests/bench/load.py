"""The load generator, tests/bench/load.c, and what a server's processes spent while it ran."""

import contextlib
import json
import os
import subprocess
from pathlib import Path

import processes
from lib.tools import eventually
from servers import CPUS, started

LOAD = os.environ.get("BENCH_LOAD", str(Path(__file__).resolve().parents[2] / "build/tests/bench/load"))
PATIENCE = 300  # seconds, for all fetches of a run
BODY = "www/.well-known/mta-sts.txt"


def load(server, fetches, names, **options):
    """Fetches from a server. names: a file of hosts, asked in turn; options: those of load.c. Gives what it says."""
    command = [LOAD, "--address", server.address, "--names", names, "--body", server.site.folder / BODY,
               "--fetches", fetches]
    for name, value in options.items():
        command += [f"--{name}", value]
    with started(command, CPUS[-1], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        said, complaint = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, f"{server.name}: {complaint}"
    return json.loads(said)


def cost_us(server, fetches, names, **options):
    """The CPU time that a server's processes spend on each fetch, in us, the end of its connection included."""
    pids = server.pids
    before = processes.cpu_ns(pids)
    load(server, fetches, names, **options)
    return (processes.cpu_ns(pids) - before) / fetches / 1000


@contextlib.contextmanager
def silence(server, count):
    """So many connections that send nothing, from their acceptance on; still there at the end."""
    before = processes.descriptors(server.pids)
    with started([LOAD, "--address", server.address, "--silent", count], CPUS[-1], stdin=subprocess.PIPE,
                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        eventually(PATIENCE, lambda: process.poll() is not None
                   or processes.descriptors(server.pids) >= before + count)
        yield
        _, complaint = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, f"{server.name}: {complaint}"
