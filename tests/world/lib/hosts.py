"""Hosts: network namespaces on a bridge that leads nowhere else, with what runs on them.

A host sees the files of the world, but those below its `etc` in the place of the same in /etc, where that exists.
"""

import contextlib
import os
import re
import signal
import subprocess
import time
from pathlib import Path

from lib.program import Program

PATIENCE = 30  # seconds to wait for what should come at once, on a machine with much to do
DNS, DNS6 = "192.0.2.53", "2001:db8::53"

_worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0")


def ip(*arguments, **options):
    subprocess.run(["ip", *arguments], check=True, timeout=PATIENCE, **options)


class Network:
    """A bridge in a namespace of its own. Two networks may have hosts of the same name and address."""

    _count = 0

    def __init__(self):
        Network._count += 1
        self.prefix = f"{_worker}-{Network._count}"
        self._namespace = f"{self.prefix}-bridge"
        self.hosts = {}
        ip("netns", "add", self._namespace)
        ip("-n", self._namespace, "link", "add", "bridge", "type", "bridge")
        ip("-n", self._namespace, "link", "set", "bridge", "up")

    def add(self, name, address, address6=None):
        assert name not in self.hosts, f"there is a host {name} already"
        host = self.hosts[name] = Host(self.prefix, name, address, address6)
        outer = f"v{len(self.hosts)}"
        ip("-n", self._namespace, "link", "add", outer, "type", "veth", "peer", "eth0", "netns", host.namespace)
        ip("-n", self._namespace, "link", "set", outer, "master", "bridge", "up")
        host.go_online()
        return host

    def close(self):
        for host in self.hosts.values():
            host.close()
        ip("netns", "delete", self._namespace)


class Host:
    """A machine of the world, by its name and addresses."""

    def __init__(self, prefix, name, address, address6):
        self.name = name
        self.address = address
        self.address6 = address6
        self.namespace = f"{prefix}-{name}"
        self.prefix = ["ip", "netns", "exec", self.namespace]  # before a command that is to run here
        self.processes = []
        self.etc = Path("/etc/netns") / self.namespace
        self.etc.mkdir(parents=True)
        (self.etc / "resolv.conf").write_text(f"nameserver {DNS}\noptions timeout:2 attempts:2\n")
        (self.etc / "hosts").write_text("127.0.0.1 localhost\n::1 localhost\n")
        ip("netns", "add", self.namespace)
        ip("-n", self.namespace, "link", "set", "lo", "up")

    def go_online(self):
        ip("-n", self.namespace, "address", "add", f"{self.address}/24", "dev", "eth0")
        if self.address6:
            ip("-n", self.namespace, "address", "add", f"{self.address6}/64", "dev", "eth0", "nodad")
        ip("-n", self.namespace, "link", "set", "eth0", "up")

    def add_address(self, address):
        """One more, IPv4."""
        ip("-n", self.namespace, "address", "add", f"{address}/24", "dev", "eth0")

    def run(self, *command, env=None, input=None, timeout=PATIENCE, check=True, text=True):  # noqa: A002 (subprocess's word)
        """Runs a command to its end; its input and output are text, or else bytes. check: it must succeed."""
        done = subprocess.run([*self.prefix, *map(str, command)], env={**os.environ, **(env or {})},
                              input=input if input is not None else "" if text else b"", timeout=timeout,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=text)
        assert not check or done.returncode == 0, \
            f"{' '.join(map(str, command))}: exit status {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def start(self, *command, ready=None, env=None, log=None, timeout=PATIENCE):
        """Starts what goes on until the test or the world ends, and waits until it is ready.

        ready: a regular expression for a line that it prints, or the TCP port that it listens on. log: a file for what
        it prints.
        """
        process = HostProgram(self, command, env, log)
        self.processes.append(process)
        if isinstance(ready, int):
            self.wait_for_port(ready, timeout, process)
        elif ready:
            process.wait_for_line(ready, timeout)
        return process

    def wait_for_port(self, port, timeout=PATIENCE, process=None):
        """Waits until something listens on this TCP port. There is no event for that: pebble tells it before it does."""
        deadline = time.monotonic() + timeout
        while not self.run("ss", "-Hltn", f"sport = :{port}").stdout:
            assert not process or process.running, f"it ended before it listened on {port}:\n{process.log()}"
            assert time.monotonic() < deadline, f"nothing listens on port {port} of {self.name}"
            time.sleep(0.05)

    def close(self):
        for process in reversed(self.processes):
            process.stop()
        with contextlib.suppress(FileNotFoundError):
            for file in self.etc.iterdir():
                if file.is_file():
                    file.unlink()
        ip("netns", "delete", self.namespace)


class HostProgram(Program):
    """A program of others, on a host."""

    def __init__(self, host, command, env=None, log=None):
        super().__init__(f"{Path(str(command[0])).name} on {host.name}", [*host.prefix, *map(str, command)],
                         env=env, log=log)

    def wait_for_line(self, pattern, timeout=PATIENCE, since=0):
        """Waits for a line that the pattern is found in; gives the match."""
        return self.wait(lambda line: re.search(pattern, line), timeout, since, f"line like {pattern!r}")

    def stop(self, timeout=10):
        """Ends it, and what it has started. Gives the exit status."""
        if self.running:
            self.signal(signal.SIGTERM)
        try:
            status = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            status = None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait(timeout)
        self._reader.join(timeout)
        return status
