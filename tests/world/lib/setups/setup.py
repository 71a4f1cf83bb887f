"""What a set-up is: a domain with one thing about it that is unusual or wrong, and what that is expected to come to.

Records are written as in a zone file, without their owner. In all texts "@" stands for the domain.
"""

import dataclasses

from lib.setups.places import MX_HOST, WRONG_HOST

BODY = f"version: STSv1\r\nmode: enforce\r\nmx: {MX_HOST}\r\nmax_age: 604800\r\n"
PLAIN = "text/plain; charset=utf-8"
ALL = "rfc strictest resolver"
NEVER = 3600.0  # seconds, in which nobody waits


def answer(body=BODY, status="200 OK", content_type=PLAIN, fields=(), version="1.1"):
    """An HTTP answer as bytes. content_type None: no such field. A text goes as UTF-8."""
    body = body.encode() if isinstance(body, str) else body
    head = [f"HTTP/{version} {status}", *([f"Content-Type: {content_type}"] if content_type is not None else []),
            f"Content-Length: {len(body)}", "Connection: close", *fields]
    return "\r\n".join([*head, "", ""]).encode() + body


@dataclasses.dataclass(frozen=True)
class Certificate:
    """Of a policy host, from the world's CA unless something else is said."""

    names: tuple = ("mta-sts.@",)
    days: int = 90            # from now, until it ends
    since: int = -1           # likewise, from when
    common_name: str = None   # of one without names
    chain: str = "whole"      # "leaf": without the intermediate; "self-signed"; "stranger": from a CA that nobody knows


@dataclasses.dataclass(frozen=True)
class Setup:
    name: str             # its domain is NAME.example
    how: str              # in words, for people
    codes: str = ""       # what mta-sts check is to find, notes too
    counts: str = ALL     # for whom there is a policy: by the RFC, for the strictest sender, for mta-sts-query
    rows: str = ""        # of docs/senders.md
    why: str = ""         # where these three differ: who does what

    record: tuple = ('TXT "v=STSv1; id=1;"',)                         # of _mta-sts.@
    reports: tuple = ('TXT "v=TLSRPTv1; rua=mailto:tls@example.net"',)  # of _smtp._tls.@
    host: tuple = (f"A {WRONG_HOST}",)                                # of mta-sts.@
    mx: tuple = (f"MX 10 {MX_HOST}.",)                                # of @
    more: tuple = ()                                                  # whole lines
    dns: dict = dataclasses.field(default_factory=dict)  # a name to how the name server misbehaves: programs/liar.py

    certificate: Certificate = Certificate()
    answer: bytes = answer()
    other_answer: bytes = b""  # that of its second address
    delay: float = 0.0         # seconds before it
    pause: float = 0.0         # seconds before each byte of it
    policy: str = ""           # lines of a section of mta-stsd.ini: mta-stsd serves it, and no answer counts
    configured: str = ""       # likewise, of the file that mta-sts check is given, where that is another

    @property
    def domain(self):
        return f"{self.name}.example"

    @property
    def policy_host(self):
        return f"mta-sts.{self.domain}"

    def fill(self, text):
        return text.replace("@", self.domain)

    def zone(self):
        """Its records, each name in full."""
        owned = {"_mta-sts.@": self.record, "_smtp._tls.@": self.reports, "mta-sts.@": self.host, "@": self.mx}
        return [self.fill(owner) + ". " + (record if record.startswith("TXT") else self.fill(record))
                for owner, records in owned.items() for record in records] + [self.fill(line) for line in self.more]

    def counts_for(self, who):
        return who in self.counts.split()


def body(*changes, base=BODY):
    """The usual body, with (old, new) replaced, each of which has to be there."""
    for old, new in changes:
        assert old in base, f"{old!r} is not in {base!r}"
        base = base.replace(old, new)
    return base
