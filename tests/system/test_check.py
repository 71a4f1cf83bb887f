"""mta-sts check: the command, against a name server, a policy server and a mail server on loopback.

What it finds in every kind of broken set-up is tested in tests/world.
"""

import json
import os
import pty
import re
import subprocess

import pytest

from lib.mail_server import MailServer
from lib.name_server import NXDOMAIN, SERVFAIL, SILENT, NameServer
from lib.program import PATIENCE
from lib.server import ORG
from lib.toolbox import MTA_STS, run_mta_sts

DOMAIN, MX = "example.org", "mail.example.org"
NOBODY = "127.0.0.1:1"  # a port that no resolver has


def records_of(domain, policy_id, mx=MX):
    return {(f"_mta-sts.{domain}", "TXT"): [f"v=STSv1; id={policy_id};"],
            (f"mta-sts.{domain}", "A"): ["127.0.0.1"],
            (domain, "MX"): [f"10 {mx}"], (mx, "A"): ["127.0.0.1"],
            (f"_smtp._tls.{domain}", "TXT"): [f"v=TLSRPTv1; rua=mailto:tls@{domain}"]}


class Around:
    """A domain with all that belongs to it."""

    def __init__(self, site, server, mail, dns):
        self.site, self.server, self.mail, self.dns = site, server, mail, dns
        self.options = ["--resolver", dns.address, "--ca", site.ca,
                        "--connect-to", ":443:127.0.0.1:%d" % server.https[1],
                        "--connect-to", f":25:127.0.0.1:{mail.port}"]

    def check(self, *arguments, **options):
        return run_mta_sts("check", *self.options, *arguments, **options)

    def judged(self, *arguments):
        """The exit status, and the domains."""
        done = self.check("--json", *arguments)
        return done.returncode, json.loads(done.stdout)

    def codes(self, *arguments):
        """Of one domain."""
        return [finding["code"] for finding in self.judged(*(arguments or [DOMAIN]))[1][0]["findings"]]


def policy_id(site, domain=DOMAIN):
    done = run_mta_sts("dns", "-c", site.ini, "--format", "json", domain)
    return json.loads(done.stdout)[0]["data"].split("id=")[1].rstrip(";")


@pytest.fixture
def around(site, serve, tmp_path):
    site.install(DOMAIN)
    server = serve(ORG + "rua = mailto:tls@example.org\n")
    with MailServer(tmp_path, site.authority.issue(MX)) as mail, \
            NameServer(records_of(DOMAIN, policy_id(site))) as dns:
        yield Around(site, server, mail, dns)


def test_a_good_domain_is_fine(around):
    done = around.check("-c", around.site.ini, DOMAIN)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "example.org: fine: the policy counts, by the RFC and by the strictest sender"
    assert [line.split()[:2] for line in lines[1:]] == [
        [step, "ok"] for step in ("record", "host", "tls", "answer", "policy", "mx", "starttls", "reports")]
    assert "\033" not in done.stdout


def test_json_has_what_was_seen(around):
    status, (domain,) = around.judged(DOMAIN)
    assert status == 0
    assert domain["domain"] == DOMAIN and domain["verdict"] == "fine"
    assert domain["counts"] == {"rfc": True, "strictest": True}
    assert domain["policy"] == {"mode": "enforce", "max_age": 604800, "mx": [MX]}
    assert domain["record"]["id"] == policy_id(around.site)
    (place,) = domain["host"]["addresses"]
    assert (place["result"], place["status"], place["content_type"]) == ("ok", 200, "text/plain")
    (mx,) = domain["mx"]
    assert (mx["host"], mx["addresses"][0]["result"]) == (MX, "ok")
    assert place["seconds"] == float(f"{place['seconds']:.4g}")
    assert domain["findings"] == []


def test_json_has_all_bytes_of_a_record(around):
    record = "v=STSv1; id=1;\0\033[31m\u202e"
    around.dns.records[(f"_mta-sts.{DOMAIN}", "TXT")] = [record]
    status, (domain,) = around.judged(DOMAIN)
    assert status == 1 and domain["record"]["texts"] == [record]
    assert "\033" not in around.check(DOMAIN).stdout


def test_a_problem_says_how_bad_it_is_and_what_to_do(around):
    around.dns.records[(f"_mta-sts.{DOMAIN}", "TXT")].append("v=spf1 -all")
    done = around.check(DOMAIN)
    assert done.returncode == 1
    assert done.stdout.startswith("example.org: problems: the policy counts by the RFC, and does not by the strictest")
    assert "by the RFC: fine; by the strictest sender: the policy does not count (go-mtasts, KumoMTA) [record-beside]" \
        in done.stdout
    assert "Remove the other TXT records of this name" in done.stdout


def test_an_id_that_is_not_the_configured_policys_is_told(around):
    around.dns.records[(f"_mta-sts.{DOMAIN}", "TXT")] = ["v=STSv1; id=old;"]
    assert around.codes() == []
    assert around.codes("-c", around.site.ini, DOMAIN) == ["record-stale"]


def test_a_policy_that_is_not_the_configured_one_is_told(around):
    around.site.write(around.site.ini.read_text().replace("enforce", "testing"))
    assert around.codes("-c", around.site.ini, DOMAIN) == ["record-stale", "policy-not-configured"]


@pytest.mark.parametrize("answer, code", [(SERVFAIL, "record-dns-failed"), (SILENT, "record-dns-failed"),
                                          (NXDOMAIN, "record-missing"), ([], "record-missing")])
def test_what_dns_does_not_say(around, answer, code):
    around.dns.records[(f"_mta-sts.{DOMAIN}", "TXT")] = answer
    assert around.codes() == [code]


def test_a_mail_server_without_starttls(around, tmp_path):
    with MailServer(tmp_path) as plain:
        around.options[-1] = f":25:127.0.0.1:{plain.port}"
        assert around.codes() == ["smtp-no-starttls"]


def test_a_mail_server_with_another_certificate(around, tmp_path):
    with MailServer(tmp_path, around.site.authority.issue("other.example.org")) as other:
        around.options[-1] = f":25:127.0.0.1:{other.port}"
        assert around.codes() == ["smtp-wrong-name"]


def test_an_mx_record_with_an_address_for_a_host_leads_nowhere(around):
    around.options[-2:] = []
    around.dns.records[(DOMAIN, "MX")] = ["10 127.0.0.1"]
    assert around.codes() == ["mx-not-in-policy", "mx-unused", "smtp-no-address"]


def test_no_smtp_leaves_mail_servers_alone(around):
    assert around.check("--no-smtp", DOMAIN).returncode == 0
    assert around.mail.visits == 0


def test_many_domains_are_told_in_the_order_given_and_one_mail_server_is_visited_once(around):
    for number in range(30):
        around.dns.records.update(records_of(f"{number}.example", "1"))
    names = [f"{number}.example" for number in range(30)]
    status, domains = around.judged("--jobs", 7, *names)
    assert status == 1 and [domain["domain"] for domain in domains] == names
    assert {finding["code"] for domain in domains for finding in domain["findings"]} == {"tls-failed"}
    assert around.mail.visits == 1


def test_of_hundreds_of_exchangers_the_preferred_ones_are_visited(around):
    for number in range(300):
        around.dns.records[(f"mx{number:03}.example.org", "A")] = ["127.0.0.1"]
    around.dns.records[(DOMAIN, "MX")] = [f"{number} mx{number:03}.example.org" for number in range(300)]
    status, (domain,) = around.judged(DOMAIN)
    assert status == 1 and around.mail.visits >= 64
    found = {finding["code"]: finding for finding in domain["findings"]}
    assert found["mx-many"]["evidence"] == "there are more than 256 MX records"
    assert found["smtp-many"]["evidence"] == "192 more MX hosts were not visited"
    assert found["smtp-wrong-name"]["where"] == "mx015.example.org [127.0.0.1]"  # the last one that is told in full
    assert found["smtp-wrong-name"]["evidence"].endswith("not for mx015.example.org, and 48 more")


def test_of_many_domains_the_good_ones_take_a_line(around):
    done = around.check(DOMAIN, "missing.example", "--no-smtp")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("example.org: fine: ") and lines[1].startswith("missing.example: problems: ")
    assert lines[-1] == "2 domains: 1 fine, 1 with problems, 0 not wholly seen"


def test_all_is_every_domain_of_the_configuration(around):
    status, domains = around.judged("-c", around.site.ini, "--all")
    assert status == 0 and [domain["domain"] for domain in domains] == [DOMAIN]


def test_a_resolver_that_is_not_there_is_no_problem_of_the_domain(around):
    around.options[1] = NOBODY
    done = around.check(DOMAIN)
    assert done.returncode == 3
    assert done.stderr == "mta-sts: the resolver does not answer: nothing could be looked at\n"


@pytest.mark.parametrize("arguments, words", [
    ([], "which DOMAIN?"), (["--all", DOMAIN], "--all or DOMAINs, not both"), (["no domain"], "no domain "),
    (["--jobs", "0", DOMAIN], "--jobs is 1 to 1000"), (["--timeout", "x", DOMAIN], "--timeout is 1 to"),
    (["--resolver", "nobody", DOMAIN], "nobody"), (["--connect-to", "a:b", DOMAIN], "a:b"), (["--jobs"], "--jobs lacks"),
    (["--soon", DOMAIN], "no option --soon"),
])
def test_a_wrong_call_is_told_with_where_help_is(arguments, words):
    done = run_mta_sts("check", *arguments)
    assert done.returncode == 2 and done.stdout == ""
    assert words in done.stderr and done.stderr.endswith("mta-sts: see: mta-sts check --help\n")


def test_a_domain_that_is_not_in_the_configuration(around):
    done = around.check("-c", around.site.ini, "other.example")
    assert done.returncode == 2 and "other.example: " in done.stderr and "has no such domain" in done.stderr


def on_terminal(*arguments, env=None):
    """The output of a run whose standard output and error are a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([MTA_STS, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs,
                               env={**os.environ, **(env or {})})
    os.close(theirs)
    out = b""
    try:
        while chunk := os.read(ours, 65536):
            out += chunk
    except OSError:
        pass  # how a terminal says that nobody has it any more
    os.close(ours)
    process.wait(PATIENCE)
    return out.decode()


def test_color_and_a_bar_on_a_terminal_alone(around):
    out = on_terminal("check", *around.options, DOMAIN, "missing.example", "--no-smtp", env={"NO_COLOR": ""})
    assert "\033[32mfine\033[0m" in out and re.search(r"\] [01] of 2", out)
    out = on_terminal("check", *around.options, DOMAIN, "missing.example", "--no-smtp", env={"NO_COLOR": "1"})
    assert "\033[32m" not in out and "example.org: fine: " in out
