"""The memory of a server that has nothing to do, and of connections that never say a word."""

import re
import shutil
import statistics
import subprocess
from pathlib import Path

import processes
import servers
from lib.server import MTA_STSD
from load import load, silence
from result import Row
from rounds import Figures

ROUNDS = 5
OURS, OTHER = servers.Ours.name, servers.Nginx.name


class OursAlone(servers.Ours):
    """With copies of its libraries, as the others have them in their root: of pages that are shared with the rest of
    the machine, PSS would count a part only."""

    def command(self, path):
        told = subprocess.run(["ldd", MTA_STSD], stdout=subprocess.PIPE, text=True, check=True).stdout
        libraries = [Path(name) for name in re.findall(r"(/\S+) \(0x", told)]
        for library in libraries:
            shutil.copy(library, self.site.folder)
        loader = next(library for library in libraries if library.name.startswith("ld-"))
        return [str(self.site.folder / loader.name), "--library-path", str(self.site.folder),
                *super().command(path)]


def _of_one_policy(figures, rounds):
    site = servers.Site("idle", {"example.org": "p256"})
    for _ in range(rounds):
        for kind in [OursAlone, *servers.PEERS]:
            with kind(site) as server:  # alone: else they would share pages
                figures.add("before the first fetch", server.name, processes.memory(server.pids) / 1e6)
                load(server, 200, site.names_file(), connections=8)
                figures.add("idle after 200 fetches", server.name, processes.memory(server.pids) / 1e6)


def _kernel_bytes():
    """What the kernel holds in objects of all kinds."""
    return int(re.search(r"^Slab: +(\d+) kB", Path("/proc/meminfo").read_text(), re.M)[1]) * 1024


def _of_silence(figures, kernel, rounds, count):
    site = servers.Site("silence", {"example.org": "p256"})
    for _ in range(rounds):
        for kind in [servers.Ours, servers.Nginx, servers.Caddy]:
            with kind(site, crowd=True) as server:
                load(server, 200, site.names_file(), connections=8)
                before, kernel_before = processes.memory(server.pids), _kernel_bytes()
                with silence(server, count):
                    figures.add("a silent connection", server.name,
                                (processes.memory(server.pids) - before) / count / 1000)
                    kernel.append((_kernel_bytes() - kernel_before) / count / 1000)


def measure(quick):
    rounds, silent = (2, 2000) if quick else (ROUNDS, 10_000)
    idle, silence, kernel = Figures(), Figures(), []
    _of_one_policy(idle, rounds)
    _of_silence(silence, kernel, rounds, silent)
    rows = [Row("one policy, one worker, idle: PSS of all processes", idle.median("idle after 200 fetches", OURS), "MB",
                6, 4),
            Row(f"{silent:,} silent connections: PSS for each", silence.median("a silent connection", OURS), "KB",
                1, 0.5)]
    tables = [idle.table("Memory with one policy: PSS of all processes (MB)", OURS, OTHER,
                         "Each server alone, with libraries that nothing else uses."),
              silence.table(f"Memory of a connection that never sends a byte, {silent:,} at a time: PSS (KB)", OURS, OTHER,
                            f"The kernel holds about {statistics.median(kernel):.1f} KB for each, for both of its ends. "
                            "Apache is not there: it leaves such connections to the kernel, few of them.")]
    return rows, tables
