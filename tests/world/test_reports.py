"""The way of a policy, and back: mta-stsd serves it, one Postfix sends by it to another, and tells how that went; the
report on it comes to the other by mail; mta-sts report says what happened."""

import email.policy
import gzip
import json
import shutil
from email.message import EmailMessage

import pytest

from lib import postfix
from lib.reporter import Reporter
from lib.toolbox import run_mta_sts

DOMAIN, MX, UNLISTED = "example.org", "mail1.example.org", "mail9.example.org"
PLAIN = "example.net"  # has no policy, but wants reports
POLICY_ADDRESS, MX_ADDRESS, SENDER_ADDRESS = "192.0.2.25", "192.0.2.26", "192.0.2.27"
HOST, SENDER, CONTACT = "sender.example.net", "The Sender", "tls@sender.example.net"
FROM, TO = f"alice@{HOST}", f"bob@{DOMAIN}"
REPORTS, ARCHIVE, FORWARDED = f"tls-reports@{DOMAIN}", f"archive@{DOMAIN}", f"forwarded@{DOMAIN}"
MAILBOXES = {ARCHIVE: "archive", FORWARDED: "forwarded/", f"@{DOMAIN}": "all/", f"@{PLAIN}": "all/"}
FIRST_DAY, SECOND_DAY = "2026-11-22", "2026-11-23"
SOCKET = "tlsrpt.socket"  # in Postfix's queue folder

TEXT = f"""\
{PLAIN}
  {SENDER}, none: 1 session worked, 0 failed ({FIRST_DAY})

{DOMAIN}
  {SENDER}, sts: 2 sessions worked, 2 failed ({FIRST_DAY} to {SECOND_DAY}, mode enforce)
    certificate-expired at {MX}: its certificate has expired: \
renew its certificate, and let the mail server load it; \
seen by {SENDER} from {SENDER_ADDRESS}, 1 session, last on {FIRST_DAY}
    certificate-host-mismatch at {MX}: its certificate is for other names: \
give it one that covers the name in the MX record; \
seen by {SENDER} from {SENDER_ADDRESS}, 1 session, last on {FIRST_DAY}

3 reports counted
"""


def failure(result_type):
    return {"result_type": result_type, "host": MX, "day": FIRST_DAY, "sessions": 1, "from": [SENDER_ADDRESS],
            "from_more": False, "to": MX_ADDRESS, "reason": None, "information": None}


GROUP = {
    "domain": DOMAIN, "sender": SENDER, "policy_type": "sts", "worked": 2, "failed": 2, "unsaid": 0,
    "days": [{"day": FIRST_DAY, "worked": 1, "failed": 2, "mode": "enforce"},
             {"day": SECOND_DAY, "worked": 1, "failed": 0, "mode": "enforce"}],
    "failures": [failure("certificate-expired"), failure("certificate-host-mismatch")]}
PLAIN_GROUP = {
    "domain": PLAIN, "sender": SENDER, "policy_type": "none", "worked": 1, "failed": 0, "unsaid": 0,
    "days": [{"day": FIRST_DAY, "worked": 1, "failed": 0, "mode": None}], "failures": []}


class Actors:
    """Three hosts: one serves the policy, one takes mail, one sends, and reports."""

    def __init__(self, world, folder):
        self.world, self.folder = world, folder
        self.set_certificate(MX)
        world.ca.issue(f"mta-sts.{DOMAIN}").write(folder / "policy")
        self.set_dns(MX)
        world.mta_stsd(world.host("policy", POLICY_ADDRESS), "\n".join([
            "[server]", f"listen = {POLICY_ADDRESS}:443", f"[{DOMAIN}]", "mode = enforce", f"mx = {MX}",
            f"certificate = {folder}/policy/fullchain.pem", f"key = {folder}/policy/privkey.pem", ""]))
        table = ", ".join(f"{{ {address} = {mailbox} }}" for address, mailbox in MAILBOXES.items())
        self.receiver = postfix.receiver(world.host("mx", MX_ADDRESS), MX, f"{DOMAIN} {PLAIN}", folder / "mx",
                                         mailboxes=f"inline:{{ {table} }}")
        self.outside = world.host("sender", SENDER_ADDRESS)
        config = folder / "mta-sts-daemon.yml"
        config.write_text("cache:\n  type: internal\ndefault_zone:\n  tlsrpt: true\n")
        self.outside.start("mta-sts-daemon", "-c", config, ready="Server started")
        self.sender = postfix.sender(self.outside, HOST, "smtp_tlsrpt_enable = yes",
                                     f"smtp_tlsrpt_socket_name = {SOCKET}")
        self.reporter = Reporter(self.sender.folder / "queue" / SOCKET, SENDER, CONTACT)

    def set_certificate(self, name, **options):
        self.world.ca.issue(name, **options).write(self.folder / "mx")

    def set_dns(self, mx):
        self.world.dns.set(
            f"{DOMAIN}. MX 10 {mx}.", f"{PLAIN}. MX 10 {mx}.", f"{mx}. A {MX_ADDRESS}",
            f"mta-sts.{DOMAIN}. A {POLICY_ADDRESS}", f'_mta-sts.{DOMAIN}. TXT "v=STSv1; id=1;"',
            f'_smtp._tls.{DOMAIN}. TXT "v=TLSRPTv1; rua=mailto:{REPORTS},mailto:{ARCHIVE};"',
            f'_smtp._tls.{PLAIN}. TXT "v=TLSRPTv1; rua=mailto:{REPORTS}"')

    def deliver(self, act, outcome):
        """Postfix tries to deliver one message."""
        since, since_there = self.sender.mark(), self.receiver.mark()
        act()
        assert self.sender.wait_for_line(r"dsn=\S+, status=(\w+)", since)[1] == outcome
        if outcome == "sent":
            self.receiver.wait_for_line("status=sent .delivered to (maildir|mailbox)", since_there)

    def first_day(self):
        """All goes well; then the exchanger has a certificate that has expired, then one of another name."""
        sender, told = self.sender, self.reporter.session
        self.deliver(lambda: sender.send(FROM, TO, "First"), "sent")
        assert told() == []
        self.deliver(lambda: sender.send(FROM, f"bob@{PLAIN}", "To whom nobody has a policy"), "sent")
        assert told() == []

        self.set_certificate(MX, since=-90, days=-1)
        self.receiver.reload()
        self.deliver(lambda: sender.send(FROM, TO, "Second"), "deferred")
        assert told() == ["certificate-expired"]
        sender.deferred()

        self.set_certificate(UNLISTED)
        self.receiver.reload()
        self.deliver(sender.flush, "deferred")
        assert told() == ["certificate-host-mismatch"]
        sender.deferred()

    def unlisted(self):
        """The mail goes to an exchanger that the policy does not list: Postfix opens no session, of which it could tell."""
        self.set_dns(UNLISTED)
        since = self.sender.mark()
        self.deliver(self.sender.flush, "deferred")
        self.sender.wait_for_line(f"'{UNLISTED}' does not match STS MX pattern for '{DOMAIN}'", since)
        assert not self.reporter.has_more()
        self.sender.deferred()

    def second_day(self):
        """All is as it should be again, and the message that waited is delivered."""
        self.set_dns(MX)
        self.set_certificate(MX)
        self.receiver.reload()
        self.deliver(self.sender.flush, "sent")
        assert self.reporter.session() == []

    def report(self, day):
        for mail in self.reporter.end_day(day):
            self.deliver(lambda mail=mail: self.sender.submit(CONTACT, mail["To"], mail.as_string()), "sent")

    def close(self):
        self.sender.stop()
        self.receiver.stop()
        self.reporter.close()


@pytest.fixture(scope="module")
def actors(world, tmp_path_factory):
    """After two days and their reports. Those of the first come through what they tell of."""
    actors = Actors(world, tmp_path_factory.mktemp("actors"))
    actors.first_day()
    actors.unlisted()
    actors.report(FIRST_DAY)
    actors.second_day()
    actors.report(SECOND_DAY)
    yield actors
    actors.close()


def report(*arguments):
    """The sums, exit status, and what was told."""
    done = run_mta_sts("report", "--json", *arguments)
    return json.loads(done.stdout), done.returncode, done.stderr


def reports_in(maildir):
    """The files with a report, that of the first day on DOMAIN first, as mails."""
    mails = {file: email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
             for file in sorted(maildir.glob("new/*"))}
    found = {file: mail for file, mail in mails.items() if mail["TLS-Report-Domain"]}
    return sorted(found.items(), key=lambda pair: (pair[1]["TLS-Report-Domain"] != DOMAIN, pair[1]["Subject"]))


def test_people_read_what_happened(actors):
    done = run_mta_sts("report", actors.receiver.mail / "all")
    assert (done.returncode, done.stdout) == (0, TEXT)
    assert done.stderr == "mta-sts: 3 mails about something else\n"


def test_so_do_programs(actors):
    sums, status, _ = report(actors.receiver.mail / "all")
    assert (status, sums["reports"], sums["duplicates"]) == (0, 3, 0)
    assert sums["groups"] == [PLAIN_GROUP, GROUP]
    assert sums["senders"] == [{"name": SENDER, "reports": 3, "duplicates": 0, "contradictions": 0, "odd": {}}]


def test_the_report_cites_the_policy_that_is_served(actors):
    (_, mail), *_ = reports_in(actors.receiver.mail / "all")
    told = json.loads(gzip.decompress(mail.get_payload(1).get_content()))
    served = actors.outside.run("curl", "-sS", f"https://mta-sts.{DOMAIN}/.well-known/mta-sts.txt").stdout
    policy, = (each["policy"] for each in told["policies"])
    assert sorted(policy["policy-string"]) == sorted(served.splitlines())
    assert policy["mx-host"] == [MX]


def test_one_domain_on_one_day(actors):
    sums, status, _ = report("--domain", DOMAIN, "--since", SECOND_DAY, actors.receiver.mail / "all")
    assert (status, sums["reports"], sums["before"]) == (0, 1, 2)
    assert sums["groups"] == [{**GROUP, "worked": 1, "failed": 0, "days": GROUP["days"][1:], "failures": []}]


def test_an_mbox_that_postfix_wrote(actors):
    mbox = actors.receiver.mail / "archive"
    assert mbox.is_file()
    sums, status, told = report(mbox)
    assert (status, told, sums["reports"], sums["groups"]) == (0, "", 2, [GROUP])


def test_a_report_to_two_mailboxes_counts_once(actors):
    sums, status, _ = report(actors.receiver.mail / "archive", actors.receiver.mail / "all")
    assert (status, sums["reports"], sums["duplicates"], sums["groups"]) == (0, 3, 2, [PLAIN_GROUP, GROUP])


def test_a_report_that_was_forwarded_as_an_attachment(actors):
    (_, original), *_ = reports_in(actors.receiver.mail / "all")
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = FROM, FORWARDED, "Fwd: a report"
    mail.set_content("What is this?")
    mail.add_attachment(original)
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/mixed", "text/plain", "message/rfc822", "multipart/report", "text/plain", "application/tlsrpt+gzip"]
    actors.deliver(lambda: actors.sender.submit(FROM, FORWARDED, mail.as_string()), "sent")

    sums, status, told = report(actors.receiver.mail / "forwarded")
    assert (status, told, sums["reports"]) == (0, "", 1)
    assert sums["groups"] == [{**GROUP, "worked": 1, "days": GROUP["days"][:1]}]


def test_a_broken_mail_is_told_and_the_others_are_summed(actors, tmp_path):
    maildir = shutil.copytree(actors.receiver.mail / "all", tmp_path / "maildir")
    (broken, mail), *_ = reports_in(maildir)
    text = broken.read_bytes()
    attachment = mail.get_payload(1).get_payload().encode()
    broken.write_bytes(text[:text.index(attachment) + len(attachment) // 2])

    sums, status, told = report(maildir)
    assert (status, sums["reports"]) == (1, 2)
    assert sums["groups"] == [PLAIN_GROUP, {**GROUP, "worked": 1, "failed": 0, "days": GROUP["days"][1:],
                                            "failures": []}]
    assert told == f"mta-sts: {broken}: a broken gzip\nmta-sts: 3 mails about something else\n"
