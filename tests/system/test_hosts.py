"""mta-sts hosts: for which policy hosts an ACME client is to be called."""

import os

import pytest

from lib.server import HOST, ORG
from lib.toolbox import run_mta_sts

# root may read everything, unless it gives that up.
WITHOUT_RIGHTS = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
DOMAINS = ["example.org", "missing.example", "other.example", "soon.example", "ended.example", "key.example"]


def hosts(site, *arguments, **options):
    """Exit status, hosts, and what was told."""
    done = run_mta_sts("hosts", "-c", site.ini, *arguments, **options)
    return done.returncode, done.stdout.split(), done.stderr


def named(*labels):
    return [f"mta-sts.{label}.example" for label in labels]


@pytest.fixture
def mixed(site):
    """A domain in each state."""
    site.configure(ORG + "".join(f"alias = {domain}\n" for domain in DOMAINS[1:]))
    site.install("example.org", days=60)
    site.install("other.example", pair=site.authority.issue("mta-sts.elsewhere.example"))
    site.install("soon.example", days=20)
    site.install("ended.example", since=-9, days=-1)
    site.install("key.example", days=60)
    (site.certs / "mta-sts.key.example" / "privkey.pem").write_bytes(
        (site.certs / HOST / "privkey.pem").read_bytes())
    return site


def test_hosts_without_a_certificate_that_would_be_served_or_with_one_that_ends_soon(mixed):
    assert hosts(mixed) == (0, named("missing", "other", "soon", "ended", "key"), "")


def test_missing_alone(mixed):
    assert hosts(mixed, "--missing") == (0, named("missing", "other", "key"), "")


@pytest.mark.parametrize("days, expected", [
    (0, named("ended")), (10, named("ended")), (21, named("soon", "ended")), (61, [HOST, *named("soon", "ended")]),
])
def test_expiring_alone_within_so_many_days(mixed, days, expected):
    assert hosts(mixed, "--expiring", days) == (0, expected, "")


def test_nothing_to_do_prints_nothing(site):
    site.configure(ORG)
    site.install("example.org", days=60)
    assert hosts(site) == (0, [], "")


def test_what_is_missing_is_what_the_server_does_not_serve(mixed):
    findings = [line.split(": ", 3) for line in mixed.test()[1][:-1]]  # place, level, host, what
    refused = [host for _, _, host, what in findings if "expire" not in what]
    assert hosts(mixed, "--missing")[1] == refused == named("missing", "other", "key")


def test_a_certificate_that_cannot_be_looked_at_is_told_and_is_not_missing(mixed):
    """Else a look by somebody without the right to read keys would have all of them issued again."""
    (mixed.certs / HOST / "privkey.pem").chmod(0)
    status, listed, told = hosts(mixed, "--missing", prefix=WITHOUT_RIGHTS)
    assert (status, listed) == (3, named("missing", "other", "key"))
    assert told.startswith(f"mta-sts: {HOST}: ") and "privkey.pem: Permission denied" in told


@pytest.mark.parametrize("arguments, words", [
    (["--expiring", "soon"], "0 to 3650 days"), (["--expiring", "-1"], "0 to 3650 days"), (["--expiring"], "--expiring"),
    (["--missing", "--expiring", "1"], "neither is both"), (["example.org"], 'unexpected argument "example.org"'),
    (["--all"], "--all"),
])
def test_a_wrong_call_is_told_with_where_help_is(site, arguments, words):
    site.configure(ORG)
    status, listed, told = hosts(site, *arguments)
    assert status == 2 and not listed
    assert words in told and told.endswith("mta-sts: see: mta-sts hosts --help\n")


def test_an_error_in_the_configuration_lists_nothing(site):
    site.configure(ORG + "mod = testing\n")
    status, listed, told = hosts(site)
    assert status == 1 and not listed and ": error: " in told
