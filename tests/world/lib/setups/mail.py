"""MX hosts (rows X, and M5), and the TXT records of TLS reports (R)."""

from lib.setups.places import MX, MX_HOST, SILENT
from lib.setups.setup import ALL, BODY, Certificate, Setup, answer, body

# MX hosts that something is wrong with: the certificate of each, None for one without STARTTLS.
WRONG_EXCHANGERS = {
    "wrong-name.mx.example.net": Certificate(("other.example.net",)),
    "expired.mx.example.net": Certificate(since=-90, days=-1),
    "not-yet.mx.example.net": Certificate(since=1),
    "self-signed.mx.example.net": Certificate(chain="self-signed"),
    "cn-only.mx.example.net": Certificate((), common_name="cn-only.mx.example.net"),
    "leaf.mx.example.net": Certificate(chain="leaf"),
    "stranger.mx.example.net": Certificate(chain="stranger"),
    "soon.mx.example.net": Certificate(since=-87, days=3),
    "plain.mx.example.net": None,
}
DEAD, NOWHERE, UNKNOWN = "dead.mx.example.net", "nowhere.mx.example.net", "unknown.mx.example.net"
DEEP = "a.b.example.net"
LONG = ".".join(["a" * 50] * 4 + ["example.net"])
# Names of the MX that is as it should be
GOOD_NAMES = (MX_HOST, "mx2.example.net", DEEP, LONG, "implicit.example", "upper.example")


def exchanger(name, how, host, code, rows=""):
    """A set-up with one MX host, which is this; its policy allows it."""
    return Setup(name, how, code, ALL, rows, mx=(f"MX 10 {host}.",), answer=answer(body((MX_HOST, host))))


def mx(name, how, code, *records, rows="", text=BODY, **more):
    return Setup(name, how, code, ALL, rows, mx=records, answer=answer(text), **more)


def reports(name, how, records, code, rows=""):
    """A set-up whose TXT record for reports, or records, are these strings."""
    records = (records,) if isinstance(records, str) else records
    return Setup(name, how, code, ALL, rows, reports=tuple(f'TXT "{record}"' for record in records))


EXCHANGERS = [
    mx("mx-unlisted", "an MX that is not in the policy", "mx-not-in-policy",
       f"MX 10 {MX_HOST}.", "MX 20 mx2.example.net.", rows="X1"),
    mx("mx-two-labels", "*.example.net, MX a.b.example.net", "mx-two-labels",
       f"MX 10 {MX_HOST}.", f"MX 20 {DEEP}.", rows="M5", text=body((MX_HOST, "*.example.net"))),
    mx("mx-upper", "the MX record in upper case", "mx-upper", rows="X6", dns={"@": "upper-mx"}),
    mx("mx-unused", "an mx line without an MX", "mx-unused", f"MX 10 {MX_HOST}.",
       text=body(("max_age", "mx: old.example.net\r\nmax_age"))),
    mx("null-mx", "a null MX", "mx-null", "MX 0 ."),
    mx("no-mx", "neither MX nor address", "mx-missing"),
    mx("implicit", "no MX, but an address", "mx-implicit", f"A {MX}", text=body((MX_HOST, "implicit.example"))),
    mx("mx-servfail", "SERVFAIL for the MX records", "mx-dns-failed", dns={"@": "servfail"}),
    mx("mx-long", "an MX whose name has 215 characters", "", f"MX 10 {LONG}.", text=body((MX_HOST, LONG))),
    mx("two-exchangers", "two MX hosts, both listed", "", f"MX 10 {MX_HOST}.", "MX 20 mx2.example.net.",
       text=body(("max_age", "mx: mx2.example.net\r\nmax_age"))),

    exchanger("mx-wrong-name", "MX certificate for another name", "wrong-name.mx.example.net", "smtp-wrong-name", "X2"),
    exchanger("mx-expired", "MX certificate expired", "expired.mx.example.net", "smtp-expired", "X3"),
    exchanger("mx-not-yet", "MX certificate not valid yet", "not-yet.mx.example.net", "smtp-not-yet"),
    exchanger("mx-self-signed", "MX certificate self-signed", "self-signed.mx.example.net", "smtp-self-signed", "X4"),
    exchanger("mx-cn-only", "MX certificate without SAN", "cn-only.mx.example.net", "smtp-no-san"),
    exchanger("mx-leaf", "MX without its intermediate", "leaf.mx.example.net", "smtp-no-intermediate"),
    exchanger("mx-stranger", "MX certificate from a CA that nobody knows", "stranger.mx.example.net", "smtp-untrusted"),
    exchanger("mx-soon", "MX certificate of 90 days with 3 left", "soon.mx.example.net", "smtp-ends-soon"),
    exchanger("mx-plain", "no STARTTLS", "plain.mx.example.net", "smtp-no-starttls", "X5"),
    exchanger("mx-dead", "the MX host is dead", DEAD, "smtp-dead"),
    exchanger("mx-nowhere", "the MX host has no address", NOWHERE, "smtp-no-address"),
    exchanger("mx-unknown", "SERVFAIL for the MX host", UNKNOWN, "smtp-dns-failed"),
]
RECORDS = [f"{name}. A {MX}" for name in GOOD_NAMES if name.endswith(".net")] + [f"{DEAD}. A {SILENT}"]
DNS = {UNKNOWN: "servfail"}

REPORTS = [
    reports("reports-none", "no record for reports", (), "reports-missing"),
    reports("reports-two", "two records for reports", ("v=TLSRPTv1; rua=mailto:a@example.net",
                                                       "v=TLSRPTv1; rua=mailto:b@example.net"), "reports-two", "R1"),
    reports("reports-beside", "another TXT record beside, and ; at the end",
            ("v=TLSRPTv1; rua=mailto:a@example.net;", "x"), "", "R2 R6"),
    reports("reports-no-rua", "no rua", "v=TLSRPTv1;", "reports-no-rua", "R3"),
    reports("reports-rua-third", "rua not second", "v=TLSRPTv1; a=b; rua=mailto:a@example.net",
            "reports-rua-not-second reports-unknown-field", "R4"),
    reports("reports-blank", "blank before the first ;", "v=TLSRPTv1 ; rua=mailto:a@example.net",
            "reports-blank-before-semicolon", "R5"),
    reports("reports-case", "v=tlsrptv1", "v=tlsrptv1; rua=mailto:a@example.net", "reports-version-case", "R7"),
    reports("reports-comma", "a comma within an address", "v=TLSRPTv1; rua=mailto:a,b@example.net",
            "reports-rua-comma", "R8"),
    reports("reports-word", "a word without =", "v=TLSRPTv1; rua=mailto:a@example.net; word", "reports-bad-field"),
    reports("reports-bang", "!10m behind an address", "v=TLSRPTv1; rua=mailto:a@example.net!10m",
            "reports-rua-bang", "R9"),
    reports("reports-http", "http: alone", "v=TLSRPTv1; rua=http://example.net/", "reports-rua-http-alone", "R10"),
    reports("reports-http-too", "http: beside a mailto:", "v=TLSRPTv1; rua=mailto:a@example.net,http://example.net/",
            "reports-rua-http", "R11"),
    reports("reports-https", "https: alone", "v=TLSRPTv1; rua=https://example.net/", "reports-rua-https-alone", "R12"),
    reports("reports-twice", "rua twice", "v=TLSRPTv1; rua=mailto:a@example.net; rua=mailto:b@example.net",
            "reports-rua-twice"),
    reports("reports-bad-rua", "rua without mailto:", "v=TLSRPTv1; rua=a@example.net", "reports-rua-bad"),
    reports("reports-quoted", "quotation marks in the record",
            r"\"v=TLSRPTv1; rua=mailto:a@example.net\"", "reports-almost"),
    Setup("reports-servfail", "SERVFAIL for the record", "reports-dns-failed", dns={"_smtp._tls.@": "servfail"}),
]

SETUPS = [*EXCHANGERS, *REPORTS]
