"""A hundred thousand domains in the memory of one: starts, reloads and memory of large configurations."""

import datetime
import multiprocessing
import os
import re
import shutil
import signal
import statistics
import tempfile
import time
from pathlib import Path

import processes
from lib import client, pki
from lib.processes import ends
from lib.server import Server, Site
from result import Row

ROOT = Path(__file__).resolve().parents[2]
POLICIES = 100_000
ALIASES = 1_000_000
DAYS = 900  # that a certificate is good for


def _domain(number):
    return f"d{number:06}.example"


def _host(number):
    return f"mta-sts.{_domain(number)}"


# --- certificates: one for each policy host, with a key of its own and its chain

def _issue(authority, folder, numbers):
    for number in numbers:
        pair = authority.issue(_host(number), days=DAYS)
        (folder / f"{_host(number)}.key").write_bytes(pair.key_pem())
        (folder / f"{_host(number)}.pem").write_bytes(pair.chain_pem())


def _make_certificates(folder, count):
    authority = pki.Authority()
    folder.mkdir(parents=True)
    (folder / "ca.pem").write_bytes(authority.root_pem())
    forked, parts = multiprocessing.get_context("fork"), os.cpu_count()
    issuers = [forked.Process(target=_issue, args=(authority, folder, range(part, count, parts)))
               for part in range(parts)]
    for issuer in issuers:
        issuer.start()
    for issuer in issuers:
        issuer.join()
        assert issuer.exitcode == 0


def _certificates(count):
    """The folder that holds those of the first count policies. They take long to make, and are kept in build/."""
    kept = ROOT / "build" / "bench" / f"certificates-{count}"
    young = datetime.timedelta(days=DAYS - 60).total_seconds()
    if kept.exists() and time.time() - kept.stat().st_mtime < young:
        return kept
    new = kept.with_name(f"{kept.name}.new")
    for old in (new, kept):
        shutil.rmtree(old, ignore_errors=True)
    _make_certificates(new, count)
    return new.rename(kept)


class _Stored:
    """What a Site wants of an authority."""

    def __init__(self, folder):
        self.root_pem = (folder / "ca.pem").read_bytes


# --- configurations

def _policies(site, round_):
    """Each is a section of its own and no two are alike. round_: the reload that this one is for."""
    sections = [f"[{_domain(number)}]\nmode = enforce\nmx = mail.{_domain(number)}\nmx = backup.{_domain(number)}\n"
                for number in range(POLICIES)]
    sections[POLICIES // 2] += f"max_age = {86400 + round_}\n"
    site.configure("".join(sections), server="workers = 1",
                   defaults=f"certificate = {site.certs}/%h.pem\nkey = {site.certs}/%h.key")


def _aliases(site):
    site.write("".join(f"customer{number:07}.example\n" for number in range(ALIASES)), "customers.txt")
    site.configure("[example.org]\nmode = enforce\nmx = mail.%d\nalias_file = customers.txt\n", server="workers = 1")


# --- measurements

def _memory(some, key="Pss"):
    """Megabytes."""
    return processes.memory([process.pid for process in some], key) / 1e6


def _cpu(some):
    """Seconds: on a machine with nothing else to do, these are what passes."""
    return processes.cpu_ns([process.pid for process in some]) / 1e9


def _medians(found):
    return [statistics.median(column) for column in zip(*found)]


def _starts(site, rounds):
    """From before exec to the line with the word ready: seconds, those of CPU, and memory then, before any fetch."""
    found = []
    for _ in range(rounds):
        started = time.monotonic()
        with Server(site) as server:
            passed = time.monotonic() - started
            found.append((passed, _cpu(server.processes()), _memory(server.processes())))
    return _medians(found)


def _reloads(site, rounds):
    """From SIGHUP to the word ready: seconds, those of CPU; and by how much the processes have grown after all."""
    found = []
    with Server(site) as server:
        # Without pages of files, which count the less the more others run the same program and libraries.
        before = _memory(server.processes(), "Pss_Anon")
        for round_ in range(1, rounds + 1):
            _policies(site, round_)
            with ends(server.processes()[1:]):
                since = server.mark()
                started = time.monotonic()
                server.signal(signal.SIGHUP)
                server.wait_for(r"^ready: generation", since=since)
                passed = time.monotonic() - started
            found.append((passed, _cpu(server.processes()[1:])))
        after = _memory(server.processes(), "Pss_Anon")
    return *_medians(found), after - before


def _fetch(context, address, host):
    """Milliseconds from the connection's start to the whole answer."""
    started = time.perf_counter()
    stream = context.wrap_socket(client.connect(address), server_hostname=host)
    with client.Connection(stream) as connection:
        answer = connection.ask(host, headers=["Connection: close"])
        elapsed = time.perf_counter() - started
    assert re.search(rb"^mx: mail\." + re.escape(host.removeprefix("mta-sts.").encode()) + rb"\r$", answer.body, re.M)
    return elapsed * 1000


def _cold(site, count):
    """Medians of the first and the second fetch of a host, one after the other: time and CPU; of how many hosts."""
    numbers = range(0, count, max(1, count // 1000))
    for number in numbers:  # the disk is not what is measured
        for suffix in ("key", "pem"):
            (site.certs / f"{_host(number)}.{suffix}").read_bytes()
    first, second = [], []
    context = client.context(site)
    with Server(site) as server:
        address, some = server.https, server.processes()
        _fetch(context, address, _host(1))  # what the first of all takes longer
        for number in numbers:
            for found in (first, second):
                before = _cpu(some)
                passed = _fetch(context, address, _host(number))
                found.append((passed, (_cpu(some) - before) * 1000))
    return *map(_medians, (first, second)), len(first)


def _note(rounds, cpu):
    return f"median of {rounds}; {cpu:.2f} s of CPU"


def _rows_of_policies(site, starts, reloads, certificates):
    name = f"{POLICIES:,} policies"
    _policies(site, 0)
    ready, ready_cpu, memory = _starts(site, starts)
    (first, first_cpu), (second, second_cpu), hosts = _cold(site, certificates)
    reload, reload_cpu, growth = _reloads(site, reloads)
    return [Row(f"{name}: from exec to ready", ready, "s", 0.4, 0.15, _note(starts, ready_cpu)),
            Row(f"{name}, one worker, idle: PSS of all processes", memory, "MB", 40, 25, f"median of {starts}"),
            Row(f"{name}: from SIGHUP to ready, one changed", reload, "s", 0.6, 0.2, _note(reloads, reload_cpu)),
            Row(f"{name}: PSS gained in {reloads} changed reloads", growth, "MB", 1, 0, "pages of files left out"),
            Row("a certificate that is not in memory: added to p50", first - second, "ms", 0.5, 0.2,
                f"to {second:.2f}; {first_cpu - second_cpu:.2f} ms of CPU; {hosts} hosts, files in the page cache")]


def _rows_of_aliases(site, starts):
    name = f"{ALIASES:,} aliases"
    _aliases(site)
    ready, cpu, memory = _starts(site, starts)
    return [Row(f"{name}: from exec to ready", ready, "s", 3, 1, _note(starts, cpu)),
            Row(f"{name}, one worker, idle: PSS of all processes", memory, "MB", 150, 80, f"median of {starts}")]


def measure(quick):
    starts, reloads, certificates = (3, 5, 200) if quick else (9, 100, POLICIES)
    stored = _certificates(certificates)
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder), _Stored(stored))
        site.certs = stored
        return [*_rows_of_policies(site, starts, reloads, certificates), *_rows_of_aliases(site, starts)], []
