"""Reports on TLS (RFC 8460) from what a Postfix tells of its sessions, and the mails that bring them.

Ours, in the place of a program of others, of which Debian 13 has none. Postfix and the library through which it tells
(libtlsrpt) are Debian's; what is made of it has the form that sys4's tlsrpt-reporter gives it.
"""

import collections
import datetime
import gzip
import json
import select
import socket
from email.message import EmailMessage
from email.utils import make_msgid

PATIENCE = 20  # seconds for what should come at once
DATAGRAM_MAX = 65536
DAY = 86400

# What stands for what in a datagram, which tells of one session
POLICY_TYPES = {1: "tlsa", 2: "sts", 9: "no-policy-found"}
RESULT_TYPES = {
    201: "starttls-not-supported", 202: "certificate-host-mismatch", 203: "certificate-not-trusted",
    204: "certificate-expired", 205: "validation-failure", 301: "sts-policy-fetch-error", 302: "sts-policy-invalid",
    303: "sts-webpki-invalid", 304: "tlsa-invalid", 305: "dnssec-invalid", 306: "dane-required"}
FIELDS = {"a": "additional-information", "f": "failure-reason-code", "h": "receiving-mx-helo",
          "n": "receiving-mx-hostname", "r": "receiving-ip", "s": "sending-mta-ip"}


class Reporter:
    """Listens at the socket that Postfix's smtp_tlsrpt_socket_name names. A day is over when the test says so."""

    def __init__(self, path, organization, contact):
        self._organization, self._contact = organization, contact
        self._submitter = contact.partition("@")[2]
        self._sessions = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(PATIENCE)
        path.chmod(0o666)  # Postfix's client is none of root's processes

    def close(self):
        self._socket.close()

    def session(self):
        """Waits until Postfix tells of a session; gives the types of its failures."""
        self._sessions.append(json.loads(self._socket.recv(DATAGRAM_MAX)))
        return [RESULT_TYPES[failure["c"]] for policy in self._sessions[-1]["policies"]
                for failure in policy.get("failure-details", [])]

    def has_more(self):
        """Has Postfix told of a session that session() has not given?"""
        return select.select([self._socket], [], [], 0)[0] != []

    def end_day(self, day):
        """The mails about all sessions since the last end of a day, which were on this day."""
        by_domain = {}
        for session in self._sessions:
            by_domain.setdefault((session["d"], session["pr"]), []).append(session)
        self._sessions = []
        return [self._mail(day, domain, recipient, self._report(day, domain, sessions))
                for (domain, record), sessions in by_domain.items() for recipient in _recipients(record)]

    def _report(self, day, domain, sessions):
        return {"organization-name": self._organization,
                "date-range": {"start-datetime": f"{day}T00:00:00Z", "end-datetime": f"{day}T23:59:59Z"},
                "contact-info": self._contact,
                "policies": _policies(sessions),
                "report-id": f"{day}T00:00:00Z_idx1_{domain}"}

    def _mail(self, day, domain, recipient, report):
        start = int(datetime.datetime.fromisoformat(f"{day}T00:00:00+00:00").timestamp())
        mail = EmailMessage()
        mail["Subject"] = (f"Report Domain: {domain} Submitter: {self._submitter}"
                           f" Report-ID: <{report['report-id']}@{self._submitter}>")
        mail["From"] = self._contact
        mail["To"] = recipient
        mail["Message-ID"] = make_msgid(domain=self._submitter)
        mail["TLS-Report-Domain"] = domain
        mail["TLS-Report-Submitter"] = self._submitter
        mail["TLS-Required"] = "No"  # RFC 8689: what it tells of may not keep it from coming
        mail.set_content(f"This is an aggregate TLS report from {self._organization}", charset="ascii")
        mail.add_attachment(gzip.compress(json.dumps(report).encode()), "application", "tlsrpt+gzip",
                            filename=f"{self._submitter}!{domain}!{start}!{start + DAY - 1}!1.json.gz")
        mail.set_type("multipart/report")
        mail.set_param("report-type", "tlsrpt")
        return mail


def _recipients(record):
    """Those of a _smtp._tls record, in which there are mail addresses alone."""
    return [uri.removeprefix("mailto:") for uri in record.partition("rua=")[2].rstrip(";").split(",")]


def _policies(sessions):
    """Summed up are sessions under the same policy, and in them failures that are alike."""
    total, failed = collections.Counter(), collections.Counter()
    failures = collections.defaultdict(collections.Counter)
    for told in (policy for session in sessions for policy in session["policies"]):
        policy = json.dumps({name: value for name, value in told.items() if name not in ("t", "f", "failure-details")})
        total[policy] += 1
        failed[policy] += told["f"]
        failures[policy].update(map(json.dumps, told.get("failure-details", [])))
    return [{"policy": _policy(json.loads(policy)),
             "summary": {"total-failure-session-count": failed[policy],
                         "total-successful-session-count": total[policy] - failed[policy]},
             "failure-details": [_detail(json.loads(failure), count) for failure, count in failures[policy].items()]}
            for policy in total]


def _policy(told):
    return {**told, "policy-type": POLICY_TYPES[told["policy-type"]]}


def _detail(told, count):
    return {**{FIELDS[name]: value for name, value in told.items() if name in FIELDS},
            "result-type": RESULT_TYPES[told["c"]], "failed-session-count": count}
