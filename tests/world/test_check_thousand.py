"""mta-sts check of a thousand domains at a time: what it costs, and that it is polite to the one server they share."""

import contextlib
import json
import os
import select
import subprocess
import time
from pathlib import Path

import pytest

from lib import postfix
from lib.hosts import DNS
from lib.processes import stopped
from lib.toolbox import MTA_STS

ARTEFACTS = Path(__file__).resolve().parents[2] / "build" / "world" / "artefacts"
DOMAINS = [f"d{number:03}.example" for number in range(1000)]
WATCHED = 300    # of them, while somebody looks
POLICY_HOST, MX, ASKING = "192.0.2.40", "192.0.2.41", "192.0.2.42"
PER_SERVER = 4   # connections to one address at once: OUTSIDE_PER_SERVER
MEMORY_MB = 64   # at most
TICK = 0.002     # seconds between two looks at its connections
# States of /proc/net/tcp in which a connection is this side's: ESTABLISHED, SYN_SENT, CLOSE_WAIT
OURS = {"01", "02", "08"}


@pytest.fixture(scope="module")
def asking(world):
    """The host from which all is looked at."""
    folder = world.make_folder("certificates")
    records = [f"mx.example.net. A {MX}"]
    for domain in DOMAINS:
        world.ca.issue(f"mta-sts.{domain}").write(folder / f"mta-sts.{domain}")
        records += [f'_mta-sts.{domain}. TXT "v=STSv1; id=1;"', f"mta-sts.{domain}. A {POLICY_HOST}",
                    f'_smtp._tls.{domain}. TXT "v=TLSRPTv1; rua=mailto:tls@example.net"',
                    f"{domain}. MX 10 mx.example.net."]
    world.dns.set(*records)
    world.mta_stsd(world.host("policies", POLICY_HOST), "\n".join([
        "[server]", f"listen = {POLICY_HOST}:443", "[defaults]", "mode = enforce", "mx = mx.example.net",
        f"certificate = {folder}/%h/fullchain.pem", f"key = {folder}/%h/privkey.pem", "[*]", ""]))
    files = world.ca.issue_files("mx.example.net")
    exchangers = postfix.exchangers(world.host("mx", MX), "mx.example.net", {MX: files})
    yield world.host("asking", ASKING)
    exchangers.stop()


def connections(pid):
    """How many TCP connections this process has to each address, of its network namespace."""
    count = {}
    for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        remote, state, inode = fields[2], fields[3], fields[9]
        if state in OURS and inode != "0":
            count[remote] = count.get(remote, 0) + 1
    return count


def start(asking, output, domains):
    with output.open("w") as file:
        return subprocess.Popen([*asking.prefix, MTA_STS, "check", "--json", "--resolver", DNS, *domains],
                                stdin=subprocess.DEVNULL, stdout=file)


def judge(output, domains, status):
    found = json.loads(output.read_text())
    assert [domain["domain"] for domain in found] == domains
    assert {(domain["verdict"], len(domain["findings"])) for domain in found} == {("fine", 0)}
    assert status == 0


@pytest.fixture(scope="module")
def report():
    with (ARTEFACTS / "check_thousand.txt").open("w", buffering=1) as file:
        yield file


def test_a_thousand_domains_at_one_server_cost_little(asking, report):
    output = ARTEFACTS / "check_thousand.json"
    began = time.monotonic()
    process = start(asking, output, DOMAINS)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)  # so that nobody waits for it any more
    seconds, megabytes = time.monotonic() - began, usage.ru_maxrss / 1024
    report.write(f"mta-sts check of {len(DOMAINS)} domains at one mta-stsd, with an MX host and a name server beside:\n"
                 f"{seconds:.1f} s, on {os.cpu_count()} processors that all of them share\n"
                 f"{usage.ru_utime:.2f} s of processor time, and {usage.ru_stime:.2f} s in the kernel\n"
                 f"{megabytes:.1f} MB at most (resident)\n")
    judge(output, DOMAINS, process.returncode)
    assert megabytes < MEMORY_MB


def test_no_address_has_more_than_four_connections_at_once(asking, report):
    """It stands still while it is looked at: the kernel's list is none of one moment."""
    output = ARTEFACTS / "check_watched.json"
    process = start(asking, output, DOMAINS[:WATCHED])
    pidfd = os.pidfd_open(process.pid)
    most, looks = {}, 0
    while not select.select([pidfd], [], [], TICK)[0]:
        with contextlib.suppress(OSError), stopped(process):  # OSError: it has just ended
            for remote, count in connections(process.pid).items():
                most[remote] = max(most.get(remote, 0), count)
            looks += 1
    os.close(pidfd)
    report.write(f"{max(most.values())} connections at once to one address, in {looks} looks at {WATCHED} domains\n")
    judge(output, DOMAINS[:WATCHED], process.wait())
    # The MX host is visited once: whether that is seen is chance.
    assert 2 <= max(most.values()) <= PER_SERVER
