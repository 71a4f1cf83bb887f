"""A reload that is under way for as long as a test wants."""

import contextlib
import signal
import time
from pathlib import Path

from lib.processes import ends, stopped
from lib.server import ORG, PATIENCE, Process, run_mta_stsd


def _command(site, *arguments):
    done = run_mta_stsd(*arguments, "-c", str(site.ini))
    return done.returncode, done.stdout, done.stderr


def reload(site, *options):
    """mta-stsd -r: exit status, standard output, standard error."""
    return _command(site, "-r", *options)


def status(site):
    """mta-stsd -s: likewise."""
    return _command(site, "-s")


def admin_address(server):
    """The abstract address on which the server takes -r and -s."""
    held = set(server.processes()[0].descriptors().values())
    with open(f"/proc/{server.pid}/net/unix", encoding="ascii") as table:
        fields = [line.split() for line in table if " @mta-stsd/" in line]
    [name] = {line[7] for line in fields if f"socket:[{line[6]}]" in held}
    return name.replace("@", "\0", 1)


def slow_configuration(site, **options):
    """A changed configuration that takes a while to read."""
    names = "".join(f"a{number}.example\n" for number in range(500000))
    site.write(names, "customers.txt")
    site.configure(ORG + "max_age = 86400\nalias_file = customers.txt\n", **options)


@contextlib.contextmanager
def candidate_stopped(server):
    """A reload that is under way for as long as the test wants. Gives its keeper.

    A busy machine may let it have workers before this sees it, and then it may be ready: then there is another, once
    the generation before it has ended.
    """
    text = server.site.ini.read_text()
    for attempt in range(20):
        server.site.write(f"{text}; {attempt}\n")
        active, processes = _keepers(server), server.processes()[1:]
        since = server.mark()
        server.signal(signal.SIGHUP)
        candidate = Process(first(lambda: _keepers(server) - active).pop())
        with stopped(candidate):
            if not server.children(candidate.pid):
                yield candidate
                return
        with ends(processes):
            server.wait_for("^ready", since=since)
    raise AssertionError("no reload was slow enough")


def _keepers(server):
    """Their pids. Looking through all of /proc would take longer than some reloads."""
    return {int(pid) for pid in Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()}


def first(look):
    """What look sees first, as soon as there is anything."""
    deadline = time.monotonic() + PATIENCE
    while not (seen := look()):
        assert time.monotonic() < deadline
    return seen
