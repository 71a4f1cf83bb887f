"""How mta-sts check is called, and what it says to people and programs, in some of the set-ups of lib/setups."""

import json
import os
import re
import subprocess

import pytest

from lib import pki
from lib.setups import BY_NAME, places
from lib.setups.setup import Setup
from lib.site_of_setups import SiteOfSetups
from lib.toolbox import MTA_STS, run_mta_sts

FINE, PROBLEMS, MISUSED, UNABLE = 0, 1, 2, 3
COLOR = "\033["


@pytest.fixture(scope="module")
def site(world):
    site = SiteOfSetups(world)
    yield site
    site.close()


def codes(done):
    """Of all domains of a call with --json."""
    return {finding["code"] for found in json.loads(done.stdout) for finding in found["findings"]}


def domains(*names):
    return [BY_NAME[name].domain for name in names]


# --- Exit statuses, each alone

@pytest.mark.parametrize("names", [("good",), ("mode-none",), ("good", "latin-1", "lf")], ids=" ".join)
def test_0_nothing_but_notes(site, names):
    done = site.check(*domains(*names))
    assert (done.returncode, done.stderr) == (FINE, "")


@pytest.mark.parametrize("names", [("two-records",), ("good", "html-type"), ("mx-soon",), ("reports-two",)],
                         ids=" ".join)
def test_1_something_is_wrong_be_it_for_one_of_them_or_for_the_strictest_alone(site, names):
    done = site.check(*domains(*names))
    assert (done.returncode, done.stderr) == (PROBLEMS, "")


@pytest.mark.parametrize("arguments", [
    (), ("--nonsense", "good.example"), ("good.example", "--all"), ("--timeout", "0", "good.example"),
    ("--resolver", "ns.example.net", "good.example"), ("--connect-to", "a:b", "good.example"), ("not a name",)],
    ids=" ".join)
def test_2_it_was_called_wrongly(site, arguments):
    done = run_mta_sts("check", *arguments, prefix=site.asking.prefix)
    assert (done.returncode, done.stdout) == (MISUSED, "")
    assert re.match(r"mta-sts(?: check)?: \S", done.stderr)


def test_3_the_resolver_does_not_answer(site):
    done = run_mta_sts("check", "--resolver", places.MX, "good.example", prefix=site.asking.prefix, timeout=60)
    assert done.returncode == UNABLE
    assert "the resolver does not answer" in done.stderr


def test_3_there_is_no_way_to_the_policy_host(site):
    setup = Setup("unroutable", "", host=(f"AAAA {places.NO_ROUTE6}",))
    site.world.dns.set(*setup.zone())
    done = site.check("--json", setup.domain)
    assert (done.returncode, codes(done)) == (UNABLE, {"host-unseen"})
    assert json.loads(done.stdout)[0]["verdict"] == "unseen"
    text = site.check(setup.domain)
    assert text.returncode == UNABLE
    assert "unseen" in text.stdout.splitlines()[0] and "counts" not in text.stdout.splitlines()[0]


# --- What is said

@pytest.mark.parametrize("name", ["two-records", "dead-aaaa", "expired", "html-type", "comment", "mx-wrong-name",
                                  "reports-bang", "lf"])
def test_a_finding_is_told_with_its_evidence_and_what_to_do(site, name):
    found, = json.loads(site.check("--json", BY_NAME[name].domain).stdout)
    text = site.check(BY_NAME[name].domain).stdout
    assert found["findings"]
    for finding in found["findings"]:
        told = text[text.index(finding["evidence"]):].splitlines()
        advice = told[1] if finding["strictest"] == "note" else told[2]  # behind what comes of it
        assert advice.strip() == finding["advice"]


def test_who_does_not_take_it_is_told(site):
    text = site.check(BY_NAME["html-type"].domain).stdout
    assert text.startswith("html-type.example: problems: the policy counts by the RFC, and does not by the strictest")
    assert "the policy does not count (tlspol, resolver, go-mtasts, chasquid, KumoMTA) [answer-other-type]" in text


def test_domains_come_in_the_order_asked_for_and_are_counted(site):
    names = ("slow-2", "two-records", "good", "lf", "expired")
    done = site.check(*domains(*names))
    heads = [line.split(":")[0] for line in done.stdout.splitlines() if not line.startswith(" ")]
    assert heads[:-1] == domains(*names)
    assert done.stdout.splitlines()[-1] == "5 domains: 2 fine, 3 with problems, 0 not wholly seen"


def test_notes_of_many_are_told_only_with_v(site):
    quiet = site.check(*domains("good", "lf")).stdout
    verbose = site.check("-v", *domains("good", "lf")).stdout
    assert "End each line with CRLF." not in quiet and "End each line with CRLF." in verbose
    assert len(quiet.splitlines()) == 3


def on_terminal(site, *arguments, **env):
    """What a call says whose standard output is a terminal."""
    ours, theirs = os.openpty()
    env = {**{name: value for name, value in os.environ.items() if name != "NO_COLOR"}, **env}
    said = b""
    with subprocess.Popen([*site.asking.prefix, MTA_STS, "check", "--resolver", places.DNS, *arguments], stdout=theirs,
                          stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, env=env):
        os.close(theirs)
        try:
            while part := os.read(ours, 65536):
                said += part
        except OSError:  # so ends a terminal that nobody holds any more
            pass
        os.close(ours)
    return said.decode()


def test_colours_are_for_terminals_that_want_them(site):
    domain, = domains("two-records")
    assert COLOR in on_terminal(site, domain)
    assert COLOR in on_terminal(site, domain, NO_COLOR="")
    assert COLOR not in on_terminal(site, domain, NO_COLOR="1")
    assert COLOR not in site.check(domain).stdout


# --- Options

def test_all_is_every_domain_of_the_configuration(site):
    done = site.check("--json", "--all", "-c", site.configuration)
    found = {found["domain"]: {finding["code"] for finding in found["findings"]} for found in json.loads(done.stdout)}
    assert found.keys() == {setup.domain for setup in BY_NAME.values() if setup.policy}
    assert {domain for domain, codes in found.items() if codes - {"policy-mode-none"}} == \
        set(domains("stale", "not-reloaded"))
    assert done.returncode == PROBLEMS


def test_without_the_configuration_nothing_is_stale(site):
    done = site.check("--json", *domains("stale", "not-reloaded"))
    assert (done.returncode, codes(done)) == (FINE, set())


def test_no_smtp_leaves_mx_hosts_alone(site):
    since = site.postfix.mark()
    done = site.check("--json", "--no-smtp", *domains("mx-wrong-name", "mx-plain", "mx-dead"))
    assert (done.returncode, codes(done)) == (FINE, set())
    assert site.check(*domains("mx-wrong-name")).returncode == PROBLEMS
    site.postfix.wait_for_line(r"disconnect from", since)
    connections = re.findall(r"(?<!dis)connect from", site.postfix.log(since))
    assert 1 <= len(connections) <= 2  # all of the last call: one that trusts nobody, and one to see why


def test_connect_to_goes_elsewhere_for_a_host(site):
    domain, = domains("closed")
    done = site.check("--json", "--connect-to", f"mta-sts.{domain}:443:{places.WRONG_HOST}:443", domain)
    assert (done.returncode, codes(done)) == (FINE, set())
    by_name = site.check("--json", "--connect-to", f"mta-sts.{domain}:443:mta-sts.lf.example:", domain)
    assert (by_name.returncode, codes(by_name)) == (FINE, set())

    domain, = domains("mx-dead")
    done = site.check("--json", "--connect-to", f"dead.mx.example.net:25:{places.MX}:25", domain)
    assert (done.returncode, codes(done)) == (PROBLEMS, {"smtp-wrong-name"})


def test_ca_is_who_is_trusted_instead_of_the_system(site):
    stranger = site.folder / "stranger.pem"
    stranger.write_bytes(pki.Authority().root_pem())
    assert codes(site.check("--json", "--ca", stranger, "good.example")) == {"tls-untrusted", "smtp-untrusted"}
    assert codes(site.check("--json", "--ca", site.world.ca.root_file, "good.example")) == set()


def test_one_at_a_time_finds_the_same(site):
    names = domains("good", "two-records", "expired", "mx-two-labels", "gzip")
    one, many = ([(found["domain"], found["verdict"], {finding["code"] for finding in found["findings"]})
                  for found in json.loads(site.check("--json", "--jobs", jobs, *names).stdout)] for jobs in (1, 50))
    assert one == many
