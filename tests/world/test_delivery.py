"""Mail from one Postfix to another, which finds its way, or stays, by the policy that mta-stsd serves."""

import json
import re
from pathlib import Path

import pytest

from lib import postfix

ARTEFACTS = Path(__file__).resolve().parents[2] / "build" / "world" / "artefacts"
DOMAIN, MX, UNLISTED = "example.org", "mail1.example.org", "mail9.example.org"
POLICY_ADDRESS, MX_ADDRESS, SENDER_ADDRESS = "192.0.2.25", "192.0.2.26", "192.0.2.27"
FROM, TO = "alice@sender.example.net", f"bob@{DOMAIN}"

PREFACE = f"""\
Mail for {DOMAIN}, from one Postfix to another. The sender asks postfix-mta-sts-resolver for the policy of the domain;
mta-stsd serves it from a third host; the exchanger is {MX}.

The resolver believes for a minute what it has looked up, by default (cache_grace), and its DNS library keeps a record
for its TTL. Here both times are 0: before each delivery it reads the TXT record, and fetches the policy again when the
id is another, and only then.
"""


class Story:
    """What happened, in order and in the words of those who took part; for people, and written whatever happens."""

    def __init__(self, path):
        self._file = path.open("w", buffering=1)
        self._file.write(PREFACE)

    def tell(self, heading, text):
        self._file.write(f"\n{heading}\n{'-' * len(heading)}\n{text.strip()}\n")

    def chapter(self, title):
        self._file.write(f"\n\n{title}\n{'=' * len(title)}\n")


class Actors:
    """Three hosts: one serves the policy, one takes mail for the domain, one sends."""

    def __init__(self, world, folder, story):
        self.world, self.story, self.folder = world, story, folder
        world.ca.issue(MX).write(folder / "mx")
        world.ca.issue(f"mta-sts.{DOMAIN}").write(folder / "policy")
        self.set_dns(policy_id="1", mx=MX)
        self.server = world.mta_stsd(world.host("policy", POLICY_ADDRESS), self.ini("enforce"))
        self.receiver = postfix.receiver(world.host("mx", MX_ADDRESS), MX, DOMAIN, folder / "mx")
        self.outside = world.host("sender", SENDER_ADDRESS)
        config = folder / "mta-sts-daemon.yml"
        config.write_text("cache_grace: 0\ncache:\n  type: internal\n")
        self.resolver = self.outside.start("mta-sts-daemon", "-v", "debug", "-c", config, ready="Server started")
        self.sender = postfix.sender(self.outside, "sender.example.net")

    def ini(self, mode):
        certs = self.folder / "policy"
        return "\n".join(["[server]", f"listen = {POLICY_ADDRESS}:443", f"[{DOMAIN}]", f"mode = {mode}", f"mx = {MX}",
                          f"certificate = {certs}/fullchain.pem", f"key = {certs}/privkey.pem", ""])

    def set_dns(self, policy_id, mx):
        zone = "\n".join([f"{DOMAIN}. MX 10 {mx}.", f"{mx}. A {MX_ADDRESS}", f"mta-sts.{DOMAIN}. A {POLICY_ADDRESS}",
                          f'_mta-sts.{DOMAIN}. 0 TXT "v=STSv1; id={policy_id};"'])
        self.world.dns.set(zone)
        self.story.tell("DNS", zone)

    def set_mode(self, mode):
        since = self.server.mark()
        self.server.site.ini.write_text(self.ini(mode))
        assert self.server.reload().startswith("ready: generation 2")
        self.story.tell("mta-stsd", self.server.log(since))

    def set_exchanger_certificate(self, name):
        self.world.ca.issue(name).write(self.folder / "mx")
        self.receiver.reload()
        self.story.tell("Certificate of the mail exchanger", f"is now for {name}")

    def policy(self):
        """The policy as curl fetches it."""
        body = self.outside.run("curl", "-sS", f"https://mta-sts.{DOMAIN}/.well-known/mta-sts.txt").stdout
        self.story.tell("Policy", body)
        return body

    def attempt(self, act):
        """Postfix tries to deliver one message: gives what it logged, and tells what everybody did."""
        logs = {"Sender's Postfix": (self.sender, ""), "Receiver's Postfix": (self.receiver, "smtpd|virtual"),
                "postfix-mta-sts-resolver": (self.resolver, " RES:|await complete"), "mta-stsd": (self.server, "")}
        marks = {name: process.mark() for name, (process, _) in logs.items()}
        act()
        try:
            outcome = self.sender.wait_for_line(r"status=(\w+)", marks["Sender's Postfix"])
            if outcome[1] == "sent":
                self.receiver.wait_for_line("delivered to maildir", marks["Receiver's Postfix"])
                self.sender.wait_for_line("qmgr.*: removed", marks["Sender's Postfix"])
        finally:
            for name, (process, wanted) in logs.items():
                lines = process.log(marks[name]).splitlines()
                self.story.tell(name, "\n".join(line for line in lines if re.search(wanted, line)) or "(nothing)")
        return self.sender.log(marks["Sender's Postfix"])

    def reason(self):
        """Why the only message in the sender's queue waits there."""
        message = self.sender.deferred()
        self.story.tell("Sender's queue", json.dumps(message, indent=1))
        assert [recipient["address"] for recipient in message["recipients"]] == [TO]
        return message["recipients"][0]["delay_reason"]


@pytest.fixture
def actors(world, tmp_path):
    actors = Actors(world, tmp_path, Story(ARTEFACTS / "delivery.log"))
    yield actors
    actors.sender.stop()
    actors.receiver.stop()


def test_mail_finds_its_way_by_the_policy(actors):
    story, sender, receiver = actors.story, actors.sender, actors.receiver

    story.chapter("1. enforce, and the exchanger is whom the policy names: delivered")
    assert "mode: enforce\n" in actors.policy()
    log = actors.attempt(lambda: sender.send(FROM, TO, "First"))
    assert f"Verified TLS connection established to {MX}[{MX_ADDRESS}]:25" in log
    assert "status=sent" in log
    assert receiver.subjects() == ["First"]

    story.chapter("2. The exchanger shows a certificate of another name: the message waits")
    actors.set_exchanger_certificate("mail.elsewhere.example")
    log = actors.attempt(lambda: sender.send(FROM, TO, "Second"))
    assert f"server certificate verification failed for {MX}[{MX_ADDRESS}]:25: num=62:hostname mismatch" in log
    assert "dsn=4.7.5, status=deferred (Server certificate not verified)" in log
    assert actors.reason() == "Server certificate not verified"

    story.chapter("3. The mail goes to another name that the policy does not list, with a certificate good for it: waits")
    actors.set_dns("1", mx=UNLISTED)
    actors.set_exchanger_certificate(UNLISTED)
    log = actors.attempt(sender.flush)
    assert f"server certificate verification failed for {UNLISTED}[{MX_ADDRESS}]:25: num=62:hostname mismatch" in log
    assert actors.reason() == "Server certificate not verified"
    assert receiver.subjects() == ["First"]

    story.chapter("4. The policy's mode is testing, and its id new: the message is delivered, whatever the certificate")
    actors.set_mode("testing")
    actors.set_dns("2", mx=MX)
    assert "mode: testing\n" in actors.policy()
    log = actors.attempt(sender.flush)
    assert f"Trusted TLS connection established to {MX}[{MX_ADDRESS}]:25" in log
    assert "status=sent" in log
    assert sorted(receiver.subjects()) == ["First", "Second"]
    assert sender.queue() == []
