"""Policy hosts: their addresses (rows P), their TLS (L), and how they answer (H)."""

import gzip

from lib.setups.places import (CLOSED, GOOD_HOST, MORE_HOSTS, NO_TLS_HOST, SECOND_HOST, SILENT, SILENT6, SLOW_HOST,
                               TLS_1_1_HOST, TLS_1_3_HOST, WRONG_HOST)
from lib.setups.setup import ALL, BODY, NEVER, Certificate, Setup, answer, body


def at(name, how, code, counts, *addresses, rows="", why="", **more):
    """A set-up whose policy host has these addresses."""
    return Setup(name, how, code, counts, rows, why,
                 host=tuple(f"{'AAAA' if ':' in address else 'A'} {address}" for address in addresses), **more)


def refused(name, how, code, rows="", **more):
    """A set-up whose policy nobody takes."""
    return Setup(name, how, code, "", rows, **more)


ADDRESSES = [
    refused("no-address", "no A, no AAAA", "host-missing", "P1", host=()),
    refused("host-servfail", "SERVFAIL for the policy host", "host-dns-failed", dns={"mta-sts.@": "servfail"}),
    refused("host-silent", "no answer for the policy host", "host-dns-failed", dns={"mta-sts.@": "silent"}),
    refused("host-circle", "CNAMEs of the policy host lead in a circle", "host-dns-failed", host=("CNAME circle.@.",),
            more=("circle.@. CNAME mta-sts.@.",)),
    Setup("host-half", "A, and SERVFAIL for AAAA", "host-dns-half", dns={"mta-sts.@": "no-aaaa"}),
    at("dead-aaaa", "A, and an AAAA that leads nowhere", "host-dead-aaaa", ALL, WRONG_HOST, SILENT6,
       rows="P2"),
    at("dead-a", "two A, of which the first is dead", "host-dead-a", "rfc resolver", CLOSED, WRONG_HOST, rows="P4",
       why="mailauth tries one address; which is the first is chance"),
    at("closed", "port 443 is closed", "host-dead", "", CLOSED, rows="P6"),
    at("unreachable", "the address is nobody's", "host-dead", "", SILENT, rows="P6"),
    at("differs", "two addresses with policies that differ", "host-differs", ALL, WRONG_HOST, SECOND_HOST,
       other_answer=answer(body(("enforce", "testing")))),
    at("many-addresses", "six addresses", "host-many", ALL, WRONG_HOST, SECOND_HOST, *MORE_HOSTS),
]

CERTIFICATES = [
    refused("self-signed", "self-signed", "tls-self-signed", "L1", certificate=Certificate(chain="self-signed")),
    refused("expired", "certificate expired", "tls-expired", "L2", certificate=Certificate(since=-90, days=-1)),
    refused("not-yet", "certificate not valid yet", "tls-not-yet", certificate=Certificate(since=1)),
    refused("wrong-name", "certificate for another name", "tls-wrong-name", "L3",
            certificate=Certificate(("www.@",))),
    refused("elsewhere", "a CNAME to a provider, whose certificate is for its own host alone", "tls-wrong-name",
            "L10", host=("CNAME mta-sts.@.hosting.example.",), more=(f"mta-sts.@.hosting.example. A {WRONG_HOST}",),
            certificate=Certificate(("mta-sts.@.hosting.example",))),
    Setup("cn-only", "the name as CN, no SAN", "tls-no-san", "resolver", "L4",
          "resolver goes by Python's default, which takes a CN where there is no SAN",
          certificate=Certificate((), common_name="mta-sts.@")),
    refused("deep.wildcards", "wildcard two labels up", "tls-deep-wildcard", "L6",
            certificate=Certificate(("*.wildcards.example",))),
    refused("no-intermediate", "intermediate missing", "tls-no-intermediate", "L7",
            certificate=Certificate(chain="leaf")),
    refused("stranger", "from a CA that nobody knows", "tls-untrusted", certificate=Certificate(chain="stranger")),
    Setup("ends-soon", "certificate of 90 days with 3 left", "tls-ends-soon",
          certificate=Certificate(since=-87, days=3)),
    at("tls-11", "TLS 1.1 at most", "tls-old", "", TLS_1_1_HOST, rows="L8"),
    at("tls-13", "TLS 1.3 only", "tls-only-13", "rfc resolver", TLS_1_3_HOST, rows="L9",
       why="Mimecast has TLS 1.2 only"),
    at("unrecognized", "a server that knows no such name", "tls-failed", "", GOOD_HOST),
    at("no-tls", "HTTP on port 443", "tls-failed", "", NO_TLS_HOST),
]

ANSWERS = [
    refused("redirect", "301", "answer-redirect", "H1",
            answer=answer("", "301 Moved Permanently", fields=("Location: https://www.example.net/policy",))),
    refused("not-found", "404", "answer-not-found", "H2", answer=answer("no such page\n", "404 Not Found")),
    refused("limited", "429", "answer-error", "H3", answer=answer("", "429 Too Many Requests")),
    refused("error", "500", "answer-error", "H3", answer=answer(status="500 Internal Server Error")),
    refused("status-203", "203 with the policy", "answer-other-2xx", "H4",
            answer=answer(status="203 Non-Authoritative Information")),
    refused("html", "a web page", "answer-html", "H5",
            answer=answer("<!DOCTYPE html>\n<title>Welcome</title>\n", content_type="text/html")),
    Setup("no-type", "no Content-Type", "answer-no-type", "rfc", "H6",
          "senders should look at it, and resolver does", answer=answer(content_type=None)),
    Setup("html-type", "text/html with the policy", "answer-other-type", "rfc", "H12",
          "senders should look at it, and resolver does", answer=answer(content_type="text/html")),
    Setup("charset-unknown", "charset=foo", "answer-charset", "rfc", "H9", "resolver decodes by it",
          answer=answer(content_type="text/plain; charset=foo")),
    Setup("charset-empty", "charset and no value", "answer-charset-empty", "rfc", "H10",
          "resolver makes nothing of it, nor do those in Go", answer=answer(content_type="text/plain; charset")),
    Setup("bad-type", "a parameter without a name", "answer-bad-type", "rfc resolver", "",
          "Go takes it for no media type", answer=answer(content_type="text/plain; =x")),
    Setup("type-case", "Text/Plain", "answer-type-case", "rfc resolver", "H11", "KumoMTA wants lower case",
          answer=answer(content_type="Text/Plain; charset=utf-8")),
    Setup("type-twice", "two Content-Type", "answer-type-twice", answer=answer(fields=("Content-Type: text/html",))),
    Setup("gzip", "gzip, not asked for", "answer-encoded", "rfc resolver", "H13",
          "mailauth, Stalwart and KumoMTA do not undo it",
          answer=answer(gzip.compress(BODY.encode(), mtime=0), fields=("Content-Encoding: gzip",))),
    at("slow-2", "complete after 2.5 s", "answer-slow-2", "rfc resolver", SLOW_HOST, rows="H16",
       why="tlspol waits for 2 s", delay=2.5),
    at("slow-4", "complete after 5 s", "answer-slow-4", "rfc", SLOW_HOST, rows="H17",
       why="tlspol waits for 2 s, resolver for 4, Halon for 5", delay=5.0),
    at("slow-15", "silent for 16 s", "answer-slow-15", "rfc", SLOW_HOST, rows="H18",
       why="a minute is allowed; mailauth, too, has gone by then", delay=16.0),
    at("never", "no answer", "answer-timed-out", "", SLOW_HOST, rows="H19", delay=NEVER),
    at("trickle", "a byte a second", "answer-timed-out", "", SECOND_HOST, rows="H20", pause=1.0),
    Setup("over-10k", "12 KB", "answer-over-10k mx-unused", "rfc resolver", "H21", "chasquid cuts it, max_age included",
          answer=answer(body(("max_age", "".join(f"mx: mx{n:03}.example.net\r\n" for n in range(500)) + "max_age")))),
    Setup("over-64k", "70 KB", "answer-over-64k mx-unused", "rfc", "H22",
          "64 KB is the RFC's suggestion of a limit, which tlspol, resolver and mox follow",
          answer=answer(BODY + "".join(f"mx: mx{n:04}.example.net\r\n" for n in range(3000)))),
    refused("empty", "nothing in it", "answer-empty", "H23", answer=answer("")),
    refused("cut-short", "the connection ends within the policy", "answer-broken", answer=answer()[:-20]),
    refused("no-answer", "the connection ends with the request", "answer-broken", answer=b""),
    refused("no-http", "what is no HTTP", "answer-broken", answer=b"220 mail.example.net ESMTP\r\n"),
]

SETUPS = [*ADDRESSES, *CERTIFICATES, *ANSWERS]
