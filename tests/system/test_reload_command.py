"""mta-stsd -r and -s: the running server reloads, and the command has its result."""

import contextlib
import os
import re
import shlex
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from lib.client import fetch
from lib.processes import ends, kill, stopped
from lib.reloads import admin_address, candidate_stopped, first, reload, slow_configuration, status
from lib.senders import Senders
from lib.server import MTA_STSD, ORG, ORG_BODY, PATIENCE, run_mta_stsd
from lib.tools import eventually

NEW_BODY = ORG_BODY.replace(b"604800", b"86400")
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


@pytest.fixture(autouse=True)
def certificate(site):
    site.install("example.org")


def max_age(seconds):
    return ORG + f"max_age = {seconds}\n"


def typo(site):
    """A configuration with an error; gives the number of its line."""
    site.configure(ORG + "mox = mail.example.org\n")
    return site.ini.read_text().splitlines().index("mox = mail.example.org") + 1


@contextlib.contextmanager
def reloading(site, count, *options):
    """So many mta-stsd -r at once, which end inside. Gives them."""
    commands = [subprocess.Popen([*shlex.split(MTA_STSD), "-r", "-c", str(site.ini), *options], text=True,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                for _ in range(count)]
    try:
        yield commands
    finally:
        for command in commands:
            command.kill()
            command.communicate()


def results(commands):
    """(exit status, output) of each, once they have ended."""
    found = []
    for command in commands:
        out, err = command.communicate(timeout=PATIENCE)
        found.append((command.returncode, out + err))
    return found


@contextlib.contextmanager
def during_a_reload(server):
    """Inside, a reload is under way, which goes on when what this gives is called."""
    slow_configuration(server.site, server="max_removed = 100%")
    with candidate_stopped(server) as candidate:
        yield lambda: os.kill(candidate.pid, signal.SIGCONT)


def outcomes(server, since):
    return server.messages("^(ready: generation|reload unchanged|reload refused)", since)


def clients(server):
    """How many processes are connected to the control socket."""
    with open(f"/proc/{server.pid}/net/unix", encoding="ascii") as table:
        fields = [line.split() for line in table if " @mta-stsd/" in line]
    held = set(server.processes()[0].descriptors().values())
    return len([line for line in fields if line[5] == "03" and f"socket:[{line[6]}]" in held])


# --- its result

def test_a_reload_that_succeeds_is_one_line_and_status_0(serve, site):
    server = serve(ORG)
    site.configure(max_age(86400))
    assert reload(site) == (0, "ready: generation 2, 1 domain, 1 listener, 2 workers\n", "")
    assert fetch(server).body == NEW_BODY


def test_unchanged_inputs_are_one_line_and_status_0(serve, site):
    serve(ORG)
    assert reload(site) == (0, "reload unchanged: generation 1 goes on and looks at its certificates again\n", "")


def test_a_typo_is_printed_with_its_place_and_status_1_while_the_server_serves(serve, site):
    server = serve(ORG).allow("error: |reload refused")
    line = typo(site)
    with Senders(server, 2) as senders:
        exit_status, out, err = reload(site)
        senders.wait(4)
    assert senders.failures == []
    assert exit_status == 1
    assert re.fullmatch(rf"{site.ini}:{line}: error: .*did you mean \"?mx.*\n", out), out
    assert re.fullmatch(rf"reload refused at {site.ini}:{line}; generation 1 \(of {TIME}\) goes on\n", err), err
    assert fetch(server).body == ORG_BODY


def test_the_result_comes_behind_the_findings_in_one_pipe(serve, site):
    serve(ORG).allow("error: |reload refused")
    line = typo(site)
    done = subprocess.run([*shlex.split(MTA_STSD), "-r", "-c", str(site.ini)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PATIENCE)
    findings = done.stdout.splitlines()
    assert len(findings) == 2 and findings[0].startswith(f"{site.ini}:{line}: error")
    assert findings[1].startswith("reload refused")


def test_warnings_of_a_reload_that_succeeds_are_printed(serve, site):
    serve(ORG)
    site.configure(ORG + "max_age = 60\n")
    exit_status, out, err = reload(site)
    assert (exit_status, err) == (0, "")
    finding, result = out.splitlines()
    assert re.match(rf"{site.ini}:\d+: warning: ", finding) and result.startswith("ready: generation 2")


def test_a_reload_is_one_line_of_the_log(serve, site):
    server = serve(ORG).allow("error: |reload refused")
    since = server.mark()
    site.configure(max_age(86400))
    reload(site)
    server.wait_for("^ready: generation 2, 1 domain, 1 listener, 2 workers$", since=since)
    line = typo(site)
    reload(site)
    server.wait_for(f"^reload refused at {site.ini}:{line}; generation 2 ", since=since)
    assert len([line for line in server.lines[since:] if line.process == "master"]) == 2


def test_without_a_server_it_is_one_line_and_status_1(site):
    site.configure(ORG)
    assert reload(site) == (1, "", f"no reload: no server runs with the configuration {site.ini}\n")
    assert reload(site, "--force")[0] == 1
    assert status(site) == (1, "", f"no status: no server runs with the configuration {site.ini}\n")


def test_a_stopped_server_is_no_server(serve, site):
    serve(ORG).stop()
    assert reload(site)[0] == 1


def test_a_server_of_another_file_is_no_server(serve, site, make_site):
    serve(ORG)
    other = make_site()
    other.configure(ORG)
    assert "no server runs" in reload(other)[2]
    site.write(site.ini.read_text(), "other.ini")
    done = run_mta_stsd("-r", "-c", str(site.folder / "other.ini"))
    assert done.returncode == 1 and "no server runs" in done.stderr


@pytest.mark.parametrize("breakage", ["missing", "empty", "directory"])
def test_it_finds_the_server_although_the_file_is_broken(serve, site, breakage):
    server = serve(ORG).allow("error: |reload refused")
    site.ini.unlink()
    if breakage == "empty":
        site.write("")
    elif breakage == "directory":
        site.ini.mkdir()
    exit_status, out, err = reload(site)
    assert exit_status == 1 and str(site.ini) in out and err.startswith(f"reload refused at {site.ini}")
    assert fetch(server).body == ORG_BODY


def test_force_needs_reload(site):
    assert run_mta_stsd("-f").returncode == 2
    assert run_mta_stsd("-f", "-s", "-c", str(site.ini)).returncode == 2


# --- which reload it waits for

def test_a_reload_that_is_under_way_is_not_the_one_it_waits_for(serve, site):
    server = serve(ORG)
    with during_a_reload(server) as go_on, reloading(site, 1) as commands:
        eventually(PATIENCE, lambda: clients(server) == 1)
        since = server.mark()
        site.configure(max_age(100000), server="max_removed = 100%")
        go_on()
        [(exit_status, output)] = results(commands)
    assert exit_status == 0
    server.wait_for(f"^{re.escape(output.rstrip())}$", since=since)
    assert len(outcomes(server, since)) == 2
    assert b"max_age: 100000\r\n" in fetch(server).body


def test_ten_at_once_have_the_result_of_one_reload_that_began_after_all_of_them(serve, site):
    server = serve(ORG)
    with during_a_reload(server) as go_on, reloading(site, 10) as commands:
        eventually(PATIENCE, lambda: clients(server) == 10)
        since = server.mark()
        site.configure(max_age(100000), server="max_removed = 100%")
        go_on()
        found = results(commands)
    assert len(set(found)) == 1 and found[0][0] == 0, found
    server.wait_for(f"^{re.escape(found[0][1].rstrip())}$", since=since)
    assert len(outcomes(server, since)) == 2
    assert b"max_age: 100000\r\n" in fetch(server).body
    assert clients(server) == 0


def test_ten_at_once_that_are_refused_have_all_findings(serve, site):
    server = serve(ORG).allow("error: |reload refused")
    line = typo(site)
    with reloading(site, 10) as commands:
        for exit_status, output in results(commands):
            assert exit_status == 1
            assert f"{site.ini}:{line}: error: " in output and "reload refused at" in output
    assert fetch(server).body == ORG_BODY


def test_one_that_is_killed_takes_nothing_with_it(serve, site):
    server = serve(ORG)
    with during_a_reload(server) as go_on, reloading(site, 2) as (first, second):
        eventually(PATIENCE, lambda: clients(server) == 2)
        first.kill()
        eventually(PATIENCE, lambda: clients(server) == 1)
        site.configure(max_age(100000), server="max_removed = 100%")
        go_on()
        assert results([second])[0][0] == 0
    assert b"max_age: 100000\r\n" in fetch(server).body


def test_a_client_that_reads_nothing_gets_the_result_all_the_same(serve, site):
    """What it has not read holds up neither the reload nor the last packet."""
    server = serve(ORG).allow("error: |reload refused")
    below = Path(*["d" * 200] * 15)  # each finding begins with the name of its file
    (site.folder / below).mkdir(parents=True)
    site.write("mistake\n" * 99, below / "more.ini")
    site.configure(ORG, server=f"include = {below}/more.ini")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
        client.settimeout(PATIENCE)
        client.connect(admin_address(server))
        client.send(b"R")
        # the log does not take so much at once either, and may have dropped the line
        eventually(PATIENCE, lambda: status(site)[1].startswith("reload refused at "))
        packets = []
        while packet := client.recv(9000):
            packets.append(packet)
    assert 10 < len(packets) < 99 and {packet[:1] for packet in packets[:-1]} == {b"L"}
    assert packets[-1].startswith(b"E1reload refused at ")


@pytest.mark.parametrize("said", [b"X", b"RR", b"R" * 5000])
def test_what_is_no_request_is_closed(serve, site, said):
    server = serve(ORG)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
        client.settimeout(PATIENCE)
        client.connect(admin_address(server))
        client.send(said)
        assert client.recv(100) == b""
    assert status(site)[0] == 0


def test_a_stop_ends_it(serve, site):
    server = serve(ORG)
    with during_a_reload(server), reloading(site, 2) as commands:
        eventually(PATIENCE, lambda: clients(server) == 2)
        server.signal(signal.SIGTERM)
        for exit_status, output in results(commands):
            assert (exit_status, output) == (1, "the server is stopping\n")
    assert server.wait_end() == 0


def test_a_candidate_that_dies_is_its_result(serve, site):
    server = serve(ORG).allow("reload refused: the new generation ended")
    before = {process.pid for process in server.children()}
    slow_configuration(site)
    with reloading(site, 1) as commands:
        [candidate] = first(lambda: [process for process in server.children() if process.pid not in before])
        kill(candidate)
        [(exit_status, output)] = results(commands)
    assert exit_status == 1
    assert re.fullmatch(rf"reload refused: the new generation ended before it was ready; "
                        rf"generation 1 \(of {TIME}\) goes on\n", output)
    assert status(site) == (0, output, "")


def test_a_keeper_that_dies_while_it_is_asked_to_look_again_ends_in_the_next_generation(serve, site):
    """The reload is unchanged, and then there is nobody to look at the certificates: the next one does."""
    server = serve(ORG).allow("has lost its")
    [keeper] = server.children()
    with stopped(keeper), reloading(site, 1) as commands:
        eventually(PATIENCE, lambda: clients(server) == 1)
        eventually(PATIENCE, lambda: server.children() and len(server.children()) == 1)
        kill(keeper)
        [(exit_status, output)] = results(commands)
    assert exit_status == 0 and output.startswith("ready: generation "), output


# --- max_removed

def domains(numbers):
    return "".join(f"[{number}.example.org]\nmode = none\nmx = mx.example.org\n" for number in numbers)


REFUSAL = ("reload refused: 9 of 12 domains would be removed, and max_removed is 50%: if this is meant, "
           "mta-stsd -r --force; generation 1 (of ")


def test_a_reload_that_would_remove_most_domains_is_refused_and_can_be_forced(serve, site):
    server = serve(ORG, domains(range(11))).allow("reload refused")
    site.configure(ORG, domains(range(2)))
    exit_status, out, err = reload(site)
    assert (exit_status, out) == (1, "") and err.startswith(REFUSAL)
    assert server.reload().startswith(REFUSAL)  # by SIGHUP
    exit_status, out, err = reload(site, "--force")
    assert (exit_status, err) == (0, "") and out.startswith("ready: generation ") and ", 3 domains," in out
    assert status(site)[1] == out


def test_the_limit_that_counts_is_that_of_the_running_generation(serve, site):
    server = serve(ORG, domains(range(11)), server="max_removed = 3").allow("reload refused")
    site.configure(ORG, domains(range(7)), server="max_removed = 100%")
    assert "4 of 12 domains would be removed, and max_removed is 3:" in server.reload()
    site.configure(ORG, domains(range(8)), server="max_removed = 100%")
    assert server.reload().startswith("ready")
    site.configure(ORG)
    assert server.reload().startswith("ready")


def test_domains_that_any_still_serves_do_not_count_and_aliases_do(serve, site):
    alias = "".join(f"alias = {number}.example.net\n" for number in range(20))
    server = serve(ORG + alias).allow("reload refused")
    site.configure(ORG)
    assert "20 of 21 domains would be removed" in server.reload()
    site.configure(ORG, "[*]\nmode = none\nmx = mx.example.org\n")
    assert server.reload().startswith("ready")


def test_few_domains_have_no_limit(serve, site):
    server = serve(ORG, domains(range(8)))
    site.configure(ORG)
    assert server.reload().startswith("ready")


def test_an_isolated_domain_without_a_kept_policy_counts(serve, site):
    on = "isolate = on\nmax_removed = 1"
    server = serve(ORG, domains(range(2)), server=on).allow("reload refused")
    bad = domains(["a", "b"]).replace("none", "never")
    site.configure(ORG, bad, server=on)  # two new ones that are wrong, and two that are gone
    exit_status, out, err = reload(site)
    assert exit_status == 1 and out.count("warning: isolated: ") == 2
    assert "2 of 3 domains would be removed, and max_removed is 1:" in err
    site.configure(ORG, domains(range(2)).replace("none", "never"), server=on)
    exit_status, out, _ = reload(site)  # these keep their policies
    assert exit_status == 0 and ", 3 domains, 2 isolated," in out
    assert fetch(server).status == 200


def test_force_counts_together_with_a_signal_and_with_a_reload_without_it(serve, site):
    server = serve(ORG, domains(range(11))).allow("reload refused")  # the one under way, if it comes to that file
    with during_a_reload(server) as go_on, reloading(site, 1, "--force") as forced, reloading(site, 1) as plain:
        eventually(PATIENCE, lambda: clients(server) == 2)
        server.signal(signal.SIGHUP)
        site.configure(ORG)
        go_on()
        for exit_status, output in results(forced + plain):
            assert exit_status == 0 and re.match(r"ready: generation \d+, 1 domain,|reload unchanged", output)


# --- mta-stsd -s

def test_the_status_says_what_is_refused_until_a_reload_succeeds(serve, site):
    server = serve(ORG).allow("error: |reload refused")
    ready = (0, "ready: generation 1, 1 domain, 1 listener, 2 workers\n", "")
    assert status(site) == ready
    line = typo(site)
    _, _, refused = reload(site)
    assert status(site) == (0, refused, "") and f"{site.ini}:{line}; generation 1 (of " in refused
    site.configure(ORG)
    assert server.reload().startswith("reload unchanged")
    assert status(site) == ready
    typo(site)
    server.reload()
    site.configure(max_age(86400))
    assert server.reload() + "\n" == status(site)[1]


def test_a_refusal_is_logged_again_after_an_hour_until_it_is_mended(serve, site, clock):
    server = serve(ORG, env=clock.environment()).allow("error: |reload refused")
    typo(site)
    refused = server.reload()
    for _ in range(2):
        since = server.mark()
        clock.advance(3601)
        server.signal(signal.SIGCHLD)
        assert server.wait_for("^reload refused", since=since).string == refused
    since = server.mark()
    clock.advance(1800)
    site.configure(max_age(86400))
    server.reload()
    clock.advance(7200)
    server.signal(signal.SIGCHLD)
    assert status(site)[1].startswith("ready: generation")
    assert not server.messages("refused", since)


# --- descriptors

def masters(server):
    return sorted(re.sub(r"\d+", "N", leads_to) for leads_to in server.processes()[0].descriptors().values())


def test_50_reloads_of_each_kind_leave_the_masters_descriptors_as_they_were(serve, site):
    server = serve(ORG).allow("error: |reload refused")
    before = masters(server)
    for number in range(50):
        site.configure(max_age(100000 + number))
        assert reload(site)[0] == 0
        assert reload(site)[1].startswith("reload unchanged")
        typo(site)
        assert reload(site)[0] == 1
    site.configure(ORG)
    with ends(server.processes()[1:]):
        assert reload(site)[0] == 0
    eventually(PATIENCE, lambda: masters(server) == before)
    assert len([leads_to for leads_to in before if "memfd" in leads_to]) == 1


def test_workers_and_keeper_hold_no_snapshot_and_no_client(serve, site):
    server = serve(ORG)
    site.configure(max_age(86400))
    with ends(server.processes()[1:]):
        assert reload(site)[0] == 0
    assert fetch(server).body == NEW_BODY
    with open(f"/proc/{server.pid}/net/unix", encoding="ascii") as table:
        control = {f"socket:[{line.split()[6]}]" for line in table if " @mta-stsd/" in line}
    assert control & set(server.processes()[0].descriptors().values())
    for process in server.processes()[1:]:
        held = set(process.descriptors().values())
        assert not control & held
        assert not [leads_to for leads_to in held if "memfd" in leads_to]
