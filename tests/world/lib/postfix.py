"""Postfix, as many as hosts want one: each with its own configuration, queue, data and mailboxes."""

import json
import re
import tempfile
import time
from pathlib import Path

ETC = Path("/etc/postfix")  # the package's, from which master.cf and dynamicmaps.cf are taken
PATIENCE = 20  # seconds for what should come at once
START = 60     # for its start, which is a hundred small programs
TRUST = "/etc/ssl/certs/ca-certificates.crt"


class Postfix:
    """One instance, on one host, running from the start: settings are lines of its main.cf.

    services: an address to the settings of what listens there on port 25, in the place of the one that listens on all.
    """

    def __init__(self, host, name, settings, services=None):
        self.host = host
        # Below /srv and open to all: Postfix's processes run as several users.
        self.folder = Path(tempfile.mkdtemp(prefix=f"postfix-{name}-", dir="/srv"))
        self.folder.chmod(0o755)
        self.mail = self.folder / "mail"
        self.etc = self.folder / "etc"
        self.etc.mkdir()
        self.mail.mkdir()
        for file in ("master.cf", "dynamicmaps.cf"):
            (self.etc / file).write_bytes((ETC / file).read_bytes())
        (self.etc / "main.cf").write_text("\n".join([
            "compatibility_level = 3.9",
            f"myhostname = {name}",
            "mydestination =",
            "alias_maps =",
            f"queue_directory = {self.folder}/queue",
            f"data_directory = {self.folder}/data",
            "maillog_file = /dev/stdout",
            *settings, ""]))
        (self.folder / "queue").mkdir()
        self.run("postconf", "-c", self.etc, "-F", "*/*/chroot=n")  # a chroot has no resolv.conf of its own
        for address, options in (services or {}).items():
            self.run("postconf", "-c", self.etc, "-M", f"{address}:smtp/inet={address}:smtp inet n - n - - smtpd"
                     + "".join(f" -o {option}" for option in options))
        if services:
            self.run("postconf", "-c", self.etc, "-M#", "smtp/inet")
        self.process = host.start("postfix", "-c", self.etc, "start-fg", ready=r"daemon started -- version",
                                  timeout=START)

    def run(self, *command, **options):
        return self.host.run(*map(str, command), **options)

    def reload(self):
        """The whole configuration and all keys are read again, by new processes."""
        since = self.mark()
        self.run("postfix", "-c", self.etc, "reload")
        self.wait_for_line(r"postfix/master\[\d+\]: reload -- version", since)

    def send(self, sender, recipient, subject):
        """What a user's mail program does."""
        self.submit(sender, recipient, f"From: {sender}\nTo: {recipient}\nSubject: {subject}\n\nHello.\n")

    def submit(self, sender, recipient, message):
        """What any program does that has made a message, which is text."""
        self.run("sendmail", "-C", self.etc, "-i", "-f", sender, recipient, input=message)

    def flush(self):
        """Tries again at once what is deferred."""
        self.run("postqueue", "-c", self.etc, "-f")

    def queue(self):
        """The messages that wait, as postqueue -j tells them."""
        lines = self.run("postqueue", "-c", self.etc, "-j").stdout.splitlines()
        return [json.loads(line) for line in lines]

    def deferred(self):
        """The only message in the queue, once the queue manager has put it away: a flush passes over active ones."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            message, = self.queue()
            if message["queue_name"] == "deferred":
                return message
        raise AssertionError(f"still not deferred: {message}")

    def subjects(self):
        """Of all messages in its mailboxes."""
        texts = [file.read_text() for file in self.mail.glob("*/new/*")]
        return [re.search(r"(?m)^Subject: (.*)$", text)[1] for text in texts]

    # --- its log, as every program has it

    def mark(self):
        return self.process.mark()

    def log(self, since=0):
        return self.process.log(since)

    def wait_for_line(self, pattern, since=0):
        return self.process.wait_for_line(pattern, since=since)

    def stop(self):
        self.run("postfix", "-c", self.etc, "stop")


def receiver(host, name, domain, certificate, mailboxes="static:all/"):
    """Takes mail for one domain, or several, into mailboxes; offers TLS with the pair in the folder certificate.

    mailboxes: a table of Postfix's, from an address to a Maildir, whose name ends in a slash, or to an mbox.
    """
    postfix = Postfix(host, name, [
        "inet_interfaces = all",
        f"smtpd_tls_cert_file = {certificate}/fullchain.pem",
        f"smtpd_tls_key_file = {certificate}/privkey.pem",
        "smtpd_tls_security_level = may",
        "smtpd_tls_received_header = yes",
        "smtpd_tls_loglevel = 1",
        f"virtual_mailbox_domains = {domain}",
        "virtual_mailbox_base = $queue_directory/../mail",
        f"virtual_mailbox_maps = {mailboxes}",
        "virtual_uid_maps = static:65534",
        "virtual_gid_maps = static:65534",
    ])
    postfix.mail.chmod(0o777)
    return postfix


def exchangers(host, name, certificates):
    """Offers TLS on several addresses of the host, with the Files (lib/ca.py) of each; None: offers none there."""
    return Postfix(host, name, ["inet_interfaces = all"], {
        address: ["smtpd_tls_security_level=none"] if files is None else
        ["smtpd_tls_security_level=may", f"smtpd_tls_cert_file={files.certificate}", f"smtpd_tls_key_file={files.key}"]
        for address, files in certificates.items()})


def sender(host, name, *settings):
    """Sends directly, and asks postfix-mta-sts-resolver for the policy of each domain, as its README says to."""
    return Postfix(host, name, [
        "inet_interfaces = loopback-only",
        f"smtp_tls_CAfile = {TRUST}",
        "smtp_tls_security_level = may",
        "smtp_tls_policy_maps = socketmap:inet:127.0.0.1:8461:postfix",
        "smtp_tls_loglevel = 1",
        *settings,
    ])
