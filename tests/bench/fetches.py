"""Fetches, and what a server costs that has none."""

import tempfile
from pathlib import Path

import processes
from lib import pki
from lib.server import ORG, Server, Site
from result import Row


def _idle_memory():
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder), pki.Authority())
        site.configure(ORG, server="workers = 1")
        site.install("example.org")
        with Server(site) as server:
            return processes.memory(processes.tree(server.pid))


def measure(quick):
    rows = [Row("one policy, one worker, idle: PSS of all processes", _idle_memory() / 1e6, "MB", 6, 4)]
    return rows, []
