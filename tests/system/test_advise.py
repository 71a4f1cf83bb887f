"""mta-sts advise: one domain from nothing to enforce and out again, with the real server and a clock that moves.

Which step belongs to which situation is held by tests/unit/test_advise_step.c.
"""

import pytest

from lib.mail_server import MailServer
from lib.name_server import SERVFAIL, NameServer
from lib.rollout import DOMAIN, MX, Postmaster, ask_again, guide, timeless
from lib.toolbox import run_mta_sts

OTHER = "[example.net]\nmode = testing\nmx = mail.example.net\n"
WEEK = 7 * 86400
LONG = 900  # days that certificates are good for: the play takes more than a year
RECORD = f"_mta-sts.{DOMAIN}", "TXT"
TOO_EARLY = "take the configuration back"


@pytest.fixture
def postmaster(site, serve, clock, tmp_path):
    server = serve(OTHER, env=clock.environment())
    with MailServer(tmp_path, site.authority.issue(MX, days=LONG)) as mail, \
            NameServer({(DOMAIN, "MX"): [f"10 {MX}"], (MX, "A"): ["127.0.0.1"]}) as dns:
        yield Postmaster(site, server, dns, clock, [
            "--resolver", dns.address, "--ca", site.ca, "--connect-to", f":25:127.0.0.1:{mail.port}",
            "--connect-to", ":443:127.0.0.1:%d" % server.https[1]])


def begin(postmaster):
    """From nothing to the first section, a served policy and both records."""
    title, text = postmaster.ask()
    assert title == "begin in mode testing" and f"mx      = {MX}" in text
    postmaster.follow(text)

    title, text = postmaster.ask()
    assert title == "serve the policy" and "[tls-failed]" in text
    postmaster.dns.records[(f"mta-sts.{DOMAIN}", "A")] = ["127.0.0.1"]
    postmaster.site.install(DOMAIN, days=LONG)
    postmaster.server.reload()

    for wanted in "ask for reports", "publish the record":
        title, text = postmaster.ask()
        assert title == wanted
        postmaster.follow(text)


def reach_enforce(postmaster):
    begin(postmaster)
    postmaster.pass_days(14)
    title, text = postmaster.ask()
    assert title == "enforce"
    postmaster.follow(text)
    assert postmaster.ask()[0] == "wait"


def test_from_nothing_to_enforce_and_out_again(postmaster):
    begin(postmaster)

    # Testing: a certificate that ended is mended, and 14 days go by since.
    title, text = postmaster.ask()
    assert title == "wait" and "0 of 14" in text and "0 of 2" in text
    assert (ask_again(text) - postmaster.today).days == 14
    postmaster.pass_days(3)
    postmaster.pass_days(1, failure="certificate-expired")
    title, text = postmaster.ask(status=1)
    assert title == "look into what failed" and "certificate-expired at mail.example.org" in text
    failed, again = postmaster.today, ask_again(text)
    assert (again - failed).days == 13  # it was yesterday
    postmaster.pass_until(again)
    title, text = postmaster.ask()
    assert title == "enforce" and "1 failure explained" in text
    postmaster.follow(text)
    assert postmaster.mode == "enforce"

    # Enforce: a longer max_age every 15 days, of which the first is half and half.
    ages = [WEEK]
    title, text = postmaster.ask()
    while title == "wait":
        assert f"max_age {ages[-1]} " in text and (ask_again(text) - postmaster.today).days == 15
        postmaster.pass_until(ask_again(text))
        title, text = postmaster.ask()
        assert title == "another max_age"
        postmaster.follow(text)
        ages.append(int(text.split("max_age = ")[1].split()[0]))
        title, text = postmaster.ask()
    assert title == "none: all is done"
    assert ages == [WEEK << step for step in range(6)] + [31557599]

    # Out.
    postmaster.set("mode", "none")
    title, text = postmaster.ask()
    assert title == "mode none" and "max_age = 86400" in text
    postmaster.follow(text)
    out = postmaster.today
    title, text = postmaster.ask()
    assert title == "wait" and (ask_again(text) - out).days in (366, 367)
    del postmaster.dns.records[RECORD]
    title, restore = postmaster.ask()
    assert title == "put the record back"
    postmaster.follow(restore)
    postmaster.pass_days((ask_again(text) - out).days - 2, senders=())
    assert postmaster.ask()[0] == "wait"
    postmaster.pass_until(ask_again(text), senders=())
    title, text = postmaster.ask()
    assert title == "remove the record, then the rest"
    del postmaster.dns.records[RECORD]
    assert postmaster.ask()[0] == "remove what is left"

    told = timeless("".join(postmaster.told))
    shown = [(title, text) for title, text in guide() if title != TOO_EARLY]
    assert len(shown) == 11
    assert [title for title, text in shown if text not in told] == []


def test_enforce_is_taken_back_from_the_configuration_when_it_is_too_early(postmaster):
    begin(postmaster)
    postmaster.pass_days(5)
    postmaster.set("mode", "enforce")
    title, text = postmaster.ask()
    assert title == TOO_EARLY and "5 of 14" in text
    assert [shown for title, shown in guide() if title == TOO_EARLY] == [timeless(text)]
    postmaster.follow(text)
    assert postmaster.mode == "testing"
    assert postmaster.ask()[0] == "wait"


def test_one_sender_is_not_enough(postmaster):
    begin(postmaster)
    postmaster.pass_days(20, senders=("a.example",))
    title, text = postmaster.ask()
    assert title == "wait" and "senders that report: 1 of 2" in text


def test_reports_from_before_other_mx_hosts_do_not_count(postmaster):
    begin(postmaster)
    postmaster.pass_days(14)
    assert postmaster.ask()[0] == "enforce"
    postmaster.dns.records[(DOMAIN, "MX")] = ["10 mx2.example.org"]
    postmaster.dns.records[("mx2.example.org", "A")] = ["127.0.0.1"]
    assert postmaster.ask(status=1)[0] == "mend what is wrong"  # it is not in the policy
    postmaster.dns.records[(DOMAIN, "MX")] = [f"10 {MX}"]
    title, text = postmaster.ask()
    assert title == "wait" and "days with reports under this policy: 0 of 14" in text


def test_a_record_that_was_removed_is_put_back_while_senders_enforce(postmaster):
    reach_enforce(postmaster)
    del postmaster.dns.records[RECORD]
    title, text = postmaster.ask()
    assert title == "put the record back"
    postmaster.follow(text)
    assert postmaster.ask()[0] == "wait"


def test_failures_under_enforce_say_what_becomes_of_mail(postmaster):
    reach_enforce(postmaster)
    postmaster.pass_days(1, failure="validation-failure")
    title, text = postmaster.ask(status=1)
    assert title == "look into what failed" and "hold mail or return it" in text


def test_an_id_that_is_set_by_hand_and_was_forgotten(postmaster):
    begin(postmaster)
    postmaster.set("id", "20261124")
    postmaster.server.reload()
    title, text = postmaster.ask()
    assert title == "publish the new id" and 'id=20261124;"' in text
    postmaster.follow(text)
    postmaster.pass_days(14)
    title, text = postmaster.ask()
    assert title == "enforce" and "; and no id: it is derived from the policy then" in text
    assert "id=20261124;" not in text
    postmaster.set("mode", "enforce")
    postmaster.server.reload()
    title, text = postmaster.ask()
    assert title == "publish the new id" and "Take the line id out" in text


def rash(postmaster, sections, more="", name=None):
    """What is printed where enforce is configured at once, in these sections."""
    if name:
        postmaster.site.write(more, name)
    head = postmaster.site.ini.read_text().partition("[example.net]")[0]
    postmaster.site.write(head.replace("[server]", "[server]\ninclude = *.more" if name else "[server]") + sections)
    title, text = postmaster.ask()
    assert title == TOO_EARLY
    return text


ENFORCE = "mode = enforce\nmx = mail.example.org\n"


def test_the_lines_are_those_of_the_section(postmaster):
    text = rash(postmaster, OTHER + f"[{DOMAIN}]\n{ENFORCE}")
    line = postmaster.site.ini.read_text().splitlines().index(f"[{DOMAIN}]") + 1
    assert f"    [{DOMAIN}]    ; {postmaster.site.ini}:{line}\n    mode    = testing\n" in text


def test_the_lines_of_an_included_section(postmaster):
    text = rash(postmaster, OTHER, f"\n[{DOMAIN}]\n{ENFORCE}", "a.more")
    assert f"    [{DOMAIN}]    ; " in text and "a.more:2\n" in text


def test_an_alias_has_no_section_of_its_own(postmaster):
    text = rash(postmaster, f"[example.net]\n{ENFORCE}alias = {DOMAIN}\n")
    assert f"    ; in the section that has {DOMAIN}, " in text and f"[{DOMAIN}]" not in text


def test_the_section_of_every_domain(postmaster):
    text = rash(postmaster, f"[*]\n{ENFORCE}")
    assert "    [*]    ; every domain that it stands for\n    mode    = testing\n" in text


def test_reports_have_nowhere_to_go(postmaster):
    begin(postmaster)
    del postmaster.dns.records[(f"_smtp._tls.{DOMAIN}", "TXT")]
    ini = postmaster.site.ini.read_text()
    postmaster.site.write("".join(line for line in ini.splitlines(True) if not line.startswith("rua")))
    title, text = postmaster.ask()
    assert title == "ask for reports"
    assert f"    [{DOMAIN}]    ; " in text and f"    rua     = mailto:tls-reports@{DOMAIN}\n" in text


def test_the_way_out_without_a_state_has_no_end(postmaster):
    reach_enforce(postmaster)
    postmaster.options = postmaster.options[:-2]
    postmaster.set("mode", "none")
    title, text = postmaster.ask()
    assert title == "mode none"
    postmaster.follow(text)
    postmaster.pass_days(30, senders=())
    title, text = postmaster.ask()
    assert title == "wait" and "what was served before is not\n  known here" in text
    assert (ask_again(text) - postmaster.today).days in (366, 367)
    del postmaster.dns.records[RECORD]
    title, text = postmaster.ask()
    assert title == "remove what is left" and "put the\n  record back" in text


def test_without_a_look_at_mx_hosts_enforce_is_not_advised(postmaster):
    begin(postmaster)
    postmaster.pass_days(14)
    title, text = postmaster.ask("--no-smtp", DOMAIN)
    assert title == "wait" and "a look at the MX hosts" in text and "Ask again when this is done." in text


def test_what_cannot_be_read_of_reports_stops_enforce(postmaster):
    begin(postmaster)
    postmaster.pass_days(14)
    (postmaster.reports / "broken.json").write_text("{")
    done = run_mta_sts("advise", *postmaster.options, DOMAIN, env=postmaster.environment)
    assert done.returncode == 0 and "broken.json" in done.stderr
    assert "next step: wait" in done.stdout and "could not be read: 1" in done.stdout


def test_dns_that_does_not_answer_is_no_advice(postmaster):
    postmaster.dns.records[RECORD] = SERVFAIL
    title, text = postmaster.ask(status=3)
    assert title == "look again" and "[record-dns-failed]" in text and "Ask again when that answers." in text
    assert DOMAIN not in postmaster.state.read_text()


def test_a_domain_that_takes_no_mail(postmaster):
    postmaster.dns.records[(DOMAIN, "MX")] = ["0 ."]
    assert postmaster.ask()[0] == "none"


def test_every_domain_of_the_configuration(postmaster):
    done = run_mta_sts("advise", *postmaster.options, "--all", env=postmaster.environment)
    assert "example.net: next step: serve the policy\n" in done.stdout


def test_a_state_file_that_is_none_is_left_alone(postmaster):
    postmaster.state.write_text("mine\n")
    done = run_mta_sts("advise", *postmaster.options, DOMAIN, env=postmaster.environment)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == f"mta-sts: {postmaster.state}:1: this is no state file of mta-sts advise\n"
    assert postmaster.state.read_text() == "mine\n"


@pytest.mark.parametrize("arguments, words", [
    ([], "which DOMAIN"), (["--all", DOMAIN], "not both"), (["--state", "a", "--state", "b", DOMAIN], "one --state"),
    (["--reports"], "lacks"), (["--json", DOMAIN], "no option --json"), (["no_name", DOMAIN], "no_name"),
])
def test_how_it_is_called(arguments, words):
    done = run_mta_sts("advise", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr and done.stderr.endswith("mta-sts: see: mta-sts advise --help\n")
