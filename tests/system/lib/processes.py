"""Processes from outside: their end without polling, a pause that a test gives them, what they hold."""

import contextlib
import os
import random
import re
import select
import signal
import socket
import time
from pathlib import Path

import pytest

from lib.inspection import need_rights
from lib.server import PATIENCE

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def own_address():
    """A loopback address that no other test has: then a fixed port is free."""
    return f"127.{random.randint(1, 254)}.{random.randint(0, 254)}.{random.randint(1, 254)}"


def own_port():
    """For what must listen on every address; below the ports that the kernel hands out."""
    while True:
        port = random.randint(20000, 30000)
        with socket.socket(socket.AF_INET6) as probe:  # dual-stack: covers IPv4 too
            try:
                probe.bind(("::", port))
                return port
            except OSError:
                pass


@contextlib.contextmanager
def ends(processes, within=PATIENCE):
    """What happens inside ends all of these processes, in time. Gives a pidfd of each that has not ended before."""
    watched = {}
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            watched[os.pidfd_open(process.pid)] = process
    try:
        yield list(watched)
        deadline = time.monotonic() + within
        for fd, process in watched.items():
            left = max(0, deadline - time.monotonic())
            assert select.select([fd], [], [], left)[0], f"{process} has not ended in {within} s"
    finally:
        for fd in watched:
            os.close(fd)


def kill(*processes):
    """SIGKILL to all of them at once, and their end. One may have ended with another."""
    with ends(processes) as pidfds:
        for pidfd in pidfds:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(pidfd, signal.SIGKILL)


@contextlib.contextmanager
def stopped(*processes):
    """Inside, they stand still."""
    for process in processes:
        os.kill(process.pid, signal.SIGSTOP)
    try:
        for process in processes:
            while Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] not in "TZX":
                pass
        yield
    finally:
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGCONT)


def access_of(process, path):
    """How it holds this file open: a set of os.O_RDONLY, O_WRONLY and O_RDWR."""
    numbers = [number for number, leads_to in process.descriptors().items() if leads_to == path]
    infos = [Path(f"/proc/{process.pid}/fdinfo/{number}").read_text() for number in numbers]
    return {int(re.search(r"^flags:\s*(\d+)", info, re.M)[1], 8) & os.O_ACCMODE for info in infos}


class Memory:
    """Its memory in KB, with what it shares divided among those who share it: all, and without files.

    Program and libraries count less the more others run them, be they of another test.
    """

    def __init__(self, *processes):
        need_rights()
        self.all = self.own = 0
        for process in processes:
            lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()[1:]
            kb = {key: int(value.split()[0]) for key, value in (line.split(":") for line in lines)}
            self.all += kb["Pss"]
            self.own += kb["Pss"] - kb["Pss_File"]

    def __str__(self):
        return f"{self.all} KB (without files {self.own})"


def cpu_seconds(process):
    stat = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
