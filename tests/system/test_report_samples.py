"""mta-sts report on tests/reports: what each sample says, and what is odd about it, as one reads it in the sample.

A sample stands for a way in which real senders leave the path of RFC 8460. Failures are told as type at host, or type
alone; numbers are sessions. None: the sender does not say it.
"""

import json
import pathlib

import pytest

from lib.toolbox import run_mta_sts

REPORTS = pathlib.Path(__file__).resolve().parent.parent / "reports"
DAY = "2026-11-20"
US, NET = "example.org", "example.net"
SENDER, GOOGLE, MICROSOFT, MAILRU = "Sender Inc.", "Google Inc.", "Microsoft Corporation", "Mail.ru"
MX1, MX2 = " at mail1.example.org", " at mail2.example.org"
TWO = [(US, SENDER, "sts", 2, 0, {})]
FIVE = [(US, SENDER, "sts", 5, 0, {})]

# The sample; of each domain, sender and policy type: sessions that worked and failed, and the failures; what is odd.
SAMPLES = [
    # As the RFC wants it.
    ("as-the-rfc-wants.json",
     [(US, SENDER, "sts", 5000, 303, {"certificate-expired" + MX1: 100, "starttls-not-supported" + MX2: 200,
                                      "validation-failure" + MX2: 3})], []),
    ("every-result-type.json",
     [(US, SENDER, "sts", 0, 66, {kind + MX1: count for count, kind in enumerate([
         "starttls-not-supported", "certificate-host-mismatch", "certificate-expired", "certificate-not-trusted",
         "validation-failure", "tlsa-invalid", "dnssec-invalid", "dane-required", "sts-policy-fetch-error",
         "sts-policy-invalid", "sts-webpki-invalid"], 1)})], []),
    ("sts-and-tlsa-of-the-same-sessions.json",
     [(NET, SENDER, "none", 7, 0, {}), (US, SENDER, "sts", 40, 2, {"sts-policy-invalid": 2}),
      (US, SENDER, "tlsa", 42, 0, {})], []),
    ("details-empty.json", [(US, SENDER, "sts", 10, 0, {})], []),
    ("fractions-of-seconds.json", TWO, []),
    ("domain-in-capitals.json", [(US, SENDER, "sts", 3, 0, {})], []),
    # Google's.
    ("google-lines-end-in-cr.json", [(US, GOOGLE, "sts", 12, 0, {})], ["policy-lines"]),
    ("google-empty-address.json", [(US, GOOGLE, "sts", 3, 1, {"certificate-not-trusted" + MX1: 1})], ["empty"]),
    ("google-no-policy.eml", [(US, GOOGLE, "none", 48, 0, {})], []),
    # Microsoft's.
    ("microsoft.eml", [(US, MICROSOFT, "sts", 120, 0, {})], ["date-form", "no-mx-host"]),
    ("microsoft-tlsa-in-one-text.json", [(US, MICROSOFT, "tlsa", 9, 0, {})], ["date-form", "policy-string"]),
    ("microsoft-fetch-error.json", [(US, MICROSOFT, "sts", 0, 4, {"sts-policy-fetch-error": 4})],
     ["date-form", "no-mx-host", "no-policy-string"]),
    # Mail.ru's.
    ("mailru-sum.json", [(US, MAILRU, "sts", 0, 1, {"sts-policy-fetch-error": 2})],
     ["no-mx-host", "no-policy-string", "range", "sum"]),
    ("mailru.eml", [(US, MAILRU, "sts", 5, 0, {})], ["no-mx-host", "no-policy-string", "range"]),
    # What is left out.
    ("contact-null.json", TWO, ["no-contact"]),
    ("no-contact.json", TWO, ["no-contact"]),
    ("no-organization.json", [(US, "sender.example", "sts", 2, 0, {})], ["no-organization"]),
    ("nobody.json", [(US, None, "sts", 2, 0, {})], ["no-contact", "no-organization"]),
    ("no-id.json", TWO, ["no-id"]),
    ("no-domain.json", [(None, SENDER, "none", 6, 0, {})], ["no-domain"]),
    ("no-domain-but-in-the-mail.eml", [(US, SENDER, "none", 6, 0, {})], ["no-domain"]),
    ("no-policies.json", [], ["no-policies"]),
    ("no-details.json", [(US, SENDER, "sts", 10, 5, {})], ["no-details"]),
    ("no-summary.json", [(US, SENDER, "sts", 0, 0, {"certificate-expired" + MX1: 2})], ["no-summary"]),
    ("no-dates.json", TWO, ["no-dates"]),
    # What is written otherwise.
    ("mx-host-in-one-text.json", TWO, ["mx-host"]),
    ("sts-in-one-text.json", TWO, ["policy-lines", "policy-string"]),
    ("until-midnight.json", TWO, ["range"]),
    ("a-week.json", TWO, ["range"]),
    ("another-zone.json", TWO, ["range"]),
    ("date-alone.json", TWO, ["date-form", "no-dates"]),
    ("counts-written-oddly.json", [(US, SENDER, "sts", 12, 3, {"validation-failure" + MX1: 3})], ["count-form"]),
    ("counts-that-are-none.json",
     [(NET, SENDER, "sts", 0, 0, {}), (US, SENDER, "sts", 0, 0, {"validation-failure" + MX1: 0})],
     ["count", "count-form"]),
    ("types-of-tomorrow.json", [(US, SENDER, "other", 8, 1, {"tls-too-old" + MX1: 1})],
     ["policy-type", "result-type"]),
    ("u-label.json", [("münchen.example", SENDER, "sts", 4, 0, {})], ["domain-form"]),
    ("values-of-other-kinds.json", [(None, SENDER, "other", 0, 0, {}), (US, SENDER, "sts", 2, 0, {})],
     ["field", "no-contact", "no-dates", "no-domain", "no-id", "no-summary", "policy-type"]),
    ("a-long-text.json", [(US, SENDER, "sts", 2, 1, {"validation-failure" + MX1: 1})], ["long"]),
    # Bytes.
    ("byte-order-mark.json", TWO, ["bom"]),
    ("latin-1.json", [(US, "B?ro GmbH", "sts", 2, 0, {})], ["utf8"]),
    ("control-characters.json", TWO, ["control"]),
    ("for-the-terminal.json",
     [(US, "=\x1b]0;owned\x07, \"quoted\" \\ é", "sts", 2, 1, {"validation-failure" + MX1: 1})], []),
    ("a-key-twice.json", TWO, ["key-twice"]),
    ("a-nul.json", TWO, ["field", "no-id"]),
    ("two-reports.json", FIVE, []),
    ("two-members.json.gz", FIVE, []),
    # Mails.
    ("labelled-gzip-but-plain.eml", TWO, ["label"]),
    ("labelled-json-but-packed.eml", TWO, ["label"]),
    ("not-labelled.eml", TWO, []),
    ("quoted-printable.eml", TWO, []),
    ("one-part.eml", TWO, []),
    ("forwarded.eml", TWO, []),
    ("body-beats-subject.eml", TWO, []),
    ("crlf.eml", TWO, []),
    ("another-mail.eml", [], []),
    ("another-attachment.eml", [], []),
    ("three-mails.mbox", FIVE, []),
]

# What is refused, and a word of why.
REFUSED = [
    ("empty.json", "empty"),
    ("cut-short.json", "premature end"),
    ("cut-short.json.gz", "broken gzip"),
    ("wrong-sum.json.gz", "broken gzip"),
    ("gzip-in-gzip.json.gz", "no TLS report"),
    ("no-report.json", "no list of policies"),
    ("no-json.txt", "no TLS report"),
    ("a-list.json", "no TLS report"),
    ("an-archive.zip", "zip archive"),
    ("a-number-too-large.json", "too big"),
    ("deep.json", "32 levels"),
    ("says-it-has-one.eml", "says that it has a TLS report, and has none"),
    ("mail-with-a-broken-one.eml", "broken gzip"),
]


def told(group):
    failures = {}
    for each in group["failures"]:
        what = (each["result_type"] or "") + (f" at {each['host']}" if each["host"] else "")
        failures[what] = failures.get(what, 0) + (each["sessions"] or 0)
    return (group["domain"], group["sender"], group["policy_type"], group["worked"], group["failed"], failures)


@pytest.mark.parametrize("name, groups, odd", SAMPLES, ids=[sample[0] for sample in SAMPLES])
def test_a_sample_says_what_is_in_it(name, groups, odd):
    done = run_mta_sts("report", "--json", REPORTS / name)
    sums = json.loads(done.stdout)
    assert [told(group) for group in sums["groups"]] == groups
    assert sorted(kind for sender in sums["senders"] for kind in sender["odd"]) == odd
    assert done.returncode == 0


@pytest.mark.parametrize("name, why", REFUSED, ids=[sample[0] for sample in REFUSED])
def test_what_cannot_be_read_is_told_and_counts_nothing(name, why):
    done = run_mta_sts("report", "--json", REPORTS / name)
    sums = json.loads(done.stdout)
    assert (done.returncode, sums["reports"], sums["groups"]) == (1, 0, [])
    assert done.stderr.startswith(f"mta-sts: {REPORTS / name}: ") and why in done.stderr
    assert done.stderr.count("\n") == 1


def test_every_sample_is_in_these_tables_or_has_a_test_of_its_own():
    of_their_own = {"once-more.eml", "once-more-with-brackets.json", "once-more-with-other-numbers.json",
                    "junk-behind.json"}
    assert {path.name for path in REPORTS.iterdir()} == {sample[0] for sample in SAMPLES + REFUSED} | of_their_own
