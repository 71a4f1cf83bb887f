"""mta-sts report: what it finds, what it counts, how it says it, and what it costs."""

import csv
import gzip
import io
import json
import os
import pathlib
import re
import resource
import shutil
import threading

import pytest

from lib.toolbox import MTA_STS, run_mta_sts

REPORTS = pathlib.Path(__file__).resolve().parent.parent / "reports"
PLAIN = REPORTS / "as-the-rfc-wants.json"
MAIL = REPORTS / "once-more.eml"
MIB = 1 << 20


def report(*arguments, **options):
    """The sums, exit status, and what was told."""
    done = run_mta_sts("report", "--json", *arguments, **options)
    return json.loads(done.stdout), done.returncode, done.stderr


def make(folder, name, number=1, domain="example.org", day="2026-11-20", **over):
    """A report of its own id, as text; and as a file, with a folder."""
    text = json.dumps({
        "organization-name": "Sender Inc.", "contact-info": "tls@sender.example", "report-id": name,
        "date-range": {"start-datetime": f"{day}T00:00:00Z", "end-datetime": f"{day}T23:59:59Z"},
        "policies": [{"policy": {"policy-type": "sts", "policy-domain": domain, "policy-string": ["mode: testing"],
                                 "mx-host": ["mail1.example.org"]},
                      "summary": {"total-successful-session-count": number, "total-failure-session-count": 0}}],
        **over})
    if folder is not None:
        (folder / name).write_text(text)
    return text


def worked(sums):
    return sum(group["worked"] for group in sums["groups"])


# --- What is read

def test_a_folder_is_read_with_what_is_in_it(tmp_path):
    (tmp_path / "a/b").mkdir(parents=True)
    make(tmp_path, "first", 1)
    make(tmp_path / "a", "second", 2)
    make(tmp_path / "a/b", "third", 4)
    make(tmp_path, ".hidden", 100)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "first")
    (tmp_path / "a/round").symlink_to(tmp_path)
    sums, status, told = report(tmp_path)
    assert (worked(sums), sums["reports"], sums["duplicates"], status, told) == (7, 3, 1, 0, "")


def test_a_link_that_leads_nowhere_is_told(tmp_path):
    make(tmp_path, "first", 1)
    (tmp_path / "gone").symlink_to("nothing")
    (tmp_path / "round").symlink_to("round")
    sums, status, told = report(tmp_path)
    assert (worked(sums), status) == (1, 1)
    assert told == (f"mta-sts: {tmp_path}/gone: No such file or directory\n"
                    f"mta-sts: {tmp_path}/round: Too many levels of symbolic links\n")


def test_of_a_maildir_cur_and_new_are_read(tmp_path):
    for folder in ("cur", "new", "tmp"):
        (tmp_path / folder).mkdir()
    shutil.copy(MAIL, tmp_path / "cur/1:2,S")
    shutil.copy(REPORTS / "microsoft.eml", tmp_path / "new/2")
    shutil.copy(REPORTS / "google-no-policy.eml", tmp_path / "tmp/3")
    (tmp_path / "dovecot-uidlist").write_text("3 V1 N3\n")
    sums, status, told = report(tmp_path)
    assert ({group["sender"] for group in sums["groups"]}, status, told) == (
        {"Sender Inc.", "Microsoft Corporation"}, 0, "")


@pytest.mark.parametrize("name, expected", [(PLAIN.name, 5000), ("three-mails.mbox", 5), (MAIL.name, 2)])
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
def test_standard_input_is_read_whatever_it_is(tmp_path, name, expected, packed):
    data = (REPORTS / name).read_bytes()
    (tmp_path / "input").write_bytes(gzip.compress(data) if packed else data)
    with open(tmp_path / "input", "rb") as file:
        sums, status, _ = report("-", stdin=file)
    assert (worked(sums), status) == (expected, 0)


def test_a_named_pipe_is_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=lambda: (tmp_path / "pipe").write_bytes(PLAIN.read_bytes()))
    writer.start()
    sums, status, _ = report(tmp_path / "pipe")
    writer.join()
    assert (worked(sums), status) == (5000, 0)


def test_what_cannot_be_read_does_not_stop_the_rest(tmp_path):
    sums, status, told = report(tmp_path / "missing", REPORTS / "cut-short.json", PLAIN)
    assert (worked(sums), status) == (5000, 1)
    assert re.fullmatch(r"mta-sts: .*/missing: No such file or directory\n"
                        r"mta-sts: .*/cut-short.json: no JSON: line \d+: premature end of input\n", told)


def test_what_follows_a_report_is_told_and_the_report_counts():
    sums, status, told = report(REPORTS / "junk-behind.json")
    assert (worked(sums), status) == (2, 1)
    assert "what follows the report" in told


def test_mails_about_something_else_are_no_error():
    sums, status, told = report(REPORTS / "another-mail.eml", REPORTS / "another-attachment.eml")
    assert (sums["reports"], status, told) == (0, 0, "mta-sts: 2 mails about something else\n")


# --- What is counted

def test_a_report_that_came_twice_counts_once():
    first, second = "once-more.eml", "once-more-with-brackets.json"
    for names in ((first, second), (second, first), (first, first)):
        sums, status, _ = report(*(REPORTS / name for name in names))
        assert (worked(sums), sums["reports"], sums["duplicates"], status) == (2, 1, 1, 0)
        assert sums["senders"][0]["contradictions"] == 0


def test_another_report_of_the_same_id_is_told(tmp_path):
    again = REPORTS / "once-more-with-other-numbers.json"
    sums, status, _ = report(REPORTS / "once-more.eml", again)
    assert (worked(sums), sums["duplicates"], sums["senders"][0]["contradictions"], status) == (2, 1, 1, 0)
    assert "with other numbers (1, not counted)" in run_mta_sts("report", REPORTS / "once-more.eml", again).stdout


def test_reports_without_an_id_are_told_apart_by_what_they_say(tmp_path):
    for number, name in enumerate(("a", "b", "c")):
        make(tmp_path, name, 1 + number // 2, **{"report-id": None})
    sums, _, _ = report(tmp_path)
    assert (worked(sums), sums["reports"], sums["duplicates"]) == (3, 2, 1)


def test_a_report_without_an_id_is_the_same_in_a_mail_that_has_one(tmp_path):
    text = make(tmp_path, "file", 1, **{"report-id": None})
    for name in ("1", "2"):
        (tmp_path / name).write_text(f"Subject: Report Domain: example.org Report-ID: <{name}>\n"
                                     f"Content-Type: application/tlsrpt+json\n\n{text}\n\n")
    sums, _, _ = report(tmp_path)
    assert (worked(sums), sums["reports"], sums["duplicates"]) == (1, 1, 2)


@pytest.mark.parametrize("since, expected", [
    ("2026-11-20", 7), ("2026-11-21", 6), ("2026-11-21T00:00:00Z", 6), ("2026-11-21T00:00:01Z", 4),
    ("2026-11-21T01:00:00+01:00", 6), ("2026-11-23", 0),
])
def test_since_counts_reports_that_begin_then_or_later(tmp_path, since, expected):
    for number, day in enumerate(("2026-11-20", "2026-11-21", "2026-11-22")):
        make(tmp_path, day, 1 << number, day=day)
    make(tmp_path, "undated", 100, **{"date-range": None})
    sums, status, _ = report("--since", since, tmp_path)
    assert (worked(sums), sums["undated"], status) == (expected, 1, 0)
    assert sums["reports"] + sums["before"] == 3


def test_domain_counts_what_is_said_of_it_alone(tmp_path):
    make(tmp_path, "a", 1, domain="example.org")
    make(tmp_path, "b", 2, domain="xn--mnchen-3ya.example")
    make(tmp_path, "c", 4, domain="sub.example.org")
    for typed, expected in (("Example.ORG.", 1), ("münchen.example", 2), ("example.net", 0)):
        sums, _, _ = report("--domain", typed, tmp_path)
        assert (worked(sums), sums["reports"] + sums["elsewhere"]) == (expected, 3)


def test_days_and_modes_are_told_apart(tmp_path):
    make(tmp_path, "a", 1)
    make(tmp_path, "b", 2)
    make(tmp_path, "c", 4, day="2026-11-21")
    sums, _, _ = report(tmp_path, REPORTS / "sts-in-one-text.json")
    assert sums["groups"][0]["days"] == [{"day": "2026-11-20", "worked": 5, "failed": 0, "mode": "enforce"},
                                         {"day": "2026-11-21", "worked": 4, "failed": 0, "mode": "testing"}]


# --- How it is said

def test_a_failure_is_said_in_plain_words():
    said = run_mta_sts("report", PLAIN).stdout
    assert "example.org\n  Sender Inc., sts: 5000 sessions worked, 303 failed (2026-11-20, mode testing)\n" in said
    assert ("certificate-expired at mail1.example.org: its certificate has expired: renew its certificate, and let the "
            "mail server load it; seen by Sender Inc. from 203.0.113.9, 100 sessions, last on 2026-11-20\n") in said
    assert "-connect mail2.example.org:25; seen by" in said
    assert said.endswith("\n1 report counted\n")


def test_a_number_of_sessions_that_is_not_said_is_none():
    sample = REPORTS / "counts-that-are-none.json"
    sums, _, _ = report(sample)
    assert [failure["sessions"] for group in sums["groups"] for failure in group["failures"]] == [None]
    assert '"validation-failure",2026-11-20,,,\n' in run_mta_sts("report", "--csv", sample).stdout


def test_what_is_no_name_is_put_into_no_command(tmp_path):
    hostile = "$(reboot).example.org"
    text = PLAIN.read_text().replace('"receiving-mx-hostname": "mail2.example.org"',
                                     f'"receiving-mx-hostname": "{hostile}"')
    (tmp_path / "a").write_text(text)
    said = run_mta_sts("report", tmp_path).stdout
    assert f"validation-failure at {hostile}: " in said
    assert "-connect HOST:25" in said and f"-connect {hostile}" not in said
    page = run_mta_sts("report", "--html", "-", tmp_path).stdout
    assert "-connect HOST:25" in page and f"-connect {hostile}" not in page


def test_nothing_that_a_terminal_obeys_comes_out(tmp_path):
    name = tmp_path / "evil\x1b[2J\n.json"
    name.write_text("{")
    for form in ([], ["--csv"], ["--json"]):
        done = run_mta_sts("report", *form, REPORTS / "for-the-terminal.json", REPORTS / "latin-1.json", name)
        for text in (done.stdout, done.stderr):
            assert not re.search("[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u202e]", text)
        assert r"evil\x1b[2J\x0a.json: " in done.stderr
    assert r"=\x1b]0;owned\x07" in run_mta_sts("report", REPORTS / "for-the-terminal.json").stdout


def test_csv_has_a_line_a_failure_type_and_day_that_no_spreadsheet_takes_for_a_formula():
    done = run_mta_sts("report", "--csv", PLAIN, REPORTS / "for-the-terminal.json")
    rows = list(csv.reader(io.StringIO(done.stdout, newline="")))
    assert rows[0] == ["domain", "sender", "policy_type", "result_type", "day", "worked", "failed", "sessions"]
    hostile = r"""'=\x1b]0;owned\x07, "quoted" \\ é"""
    assert rows[1:] == [
        ["example.org", hostile, "sts", "", "2026-11-20", "2", "1", ""],
        ["example.org", hostile, "sts", "validation-failure", "2026-11-20", "", "", "1"],
        ["example.org", "Sender Inc.", "sts", "", "2026-11-20", "5000", "303", ""],
        ["example.org", "Sender Inc.", "sts", "certificate-expired", "2026-11-20", "", "", "100"],
        ["example.org", "Sender Inc.", "sts", "starttls-not-supported", "2026-11-20", "", "", "200"],
        ["example.org", "Sender Inc.", "sts", "validation-failure", "2026-11-20", "", "", "3"]]


@pytest.mark.parametrize("arguments, why", [
    ([], "whose reports?"), (["--since", "yesterday", "-"], "--since is a day"),
    (["--since", "2026-11-20T00:00:00", "-"], "--since is a day"), (["--since", "2026-02-29", "-"], "--since is a day"),
    (["--domain", "a b", "-"], "--domain a b "), (["--json", "--csv", "-"], "not two"), (["--jason", "-"], "no option"),
    (["--since"], "lacks what belongs"), (["--domain", "a.example", "--domain", "b.example", "-"], "not two"),
])
def test_a_wrong_call_is_told(arguments, why):
    done = run_mta_sts("report", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert why in done.stderr and done.stderr.endswith("see: mta-sts report --help\n")


def test_output_that_cannot_be_written_is_told():
    with open("/dev/full", "w", encoding="ascii") as full:
        done = run_mta_sts("report", PLAIN, stdout=full)
    assert done.returncode == 3 and "No space left" in done.stderr


# --- What it costs

UNBOUNDED = "sanitized" in MTA_STS  # a sanitizer takes terabytes of addresses for itself


def bounded(*arguments, mib=400):
    """Runs it with so much memory."""
    def limit():
        if not UNBOUNDED:
            resource.setrlimit(resource.RLIMIT_AS, (mib * MIB, mib * MIB))

    return run_mta_sts("report", *arguments, preexec_fn=limit)


def test_a_gzip_that_unfolds_to_much_is_refused(tmp_path):
    (tmp_path / "bomb.json.gz").write_bytes(gzip.compress(b"{" + b" " * (33 * MIB)))
    (tmp_path / "bomb.eml").write_bytes(
        b"From: a@b.example\nMIME-Version: 1.0\nContent-Type: application/tlsrpt+gzip\n\n"
        + (tmp_path / "bomb.json.gz").read_bytes())
    done = bounded(tmp_path)
    assert done.returncode == 1
    assert done.stderr.count(": a gzip of over 33554432 bytes\n") == 2


def test_a_large_mail_is_read_and_a_larger_one_refused(tmp_path):
    head = b"Subject: a photo\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n"
    part = b"\n--b\nContent-Type: application/tlsrpt+json\n\n" + make(None, "x", 5).encode() + b"\n--b--\n"
    (tmp_path / "25").write_bytes(head + b"photo\n" * (25 * MIB // 6) + part)
    (tmp_path / "33").write_bytes(head + b"photo\n" * (33 * MIB // 6) + part)
    (tmp_path / "box").write_bytes(b"From a\n" + (tmp_path / "33").read_bytes() + b"\nFrom b\n" + head + part)
    done = bounded("--json", tmp_path)
    sums = json.loads(done.stdout)
    assert (done.returncode, worked(sums), sums["duplicates"]) == (1, 5, 1)
    assert re.fullmatch(r"mta-sts: .*/33: over 33554432 bytes\n"
                        r"mta-sts: .*/box: mail 1: a mail of over 33554432 bytes\n", done.stderr)


def details(count):
    return ",".join(f'{{"result-type":"validation-failure","failed-session-count":1,"receiving-mx-hostname":"m{i}.a.example"}}'
                    for i in range(count))


@pytest.mark.parametrize("name, text, why", [
    ("a million details", lambda: '{"policies":[{"failure-details":[' + ",".join(["{}"] * 1000000) + "]}]}",
     "over 1000000 values"),
    ("nothing but arrays", lambda: '{"policies":[' + ",".join(["[]"] * 800000) + "]}", "over 1000000 values"),
    ("deep", lambda: '{"policies":' + "[" * 1000000 + "]" * 1000000 + "}", "over 32 levels deep"),
    ("an endless text", lambda: '{"policies":[],"report-id":"' + "a" * (33 * MIB), "over 33554432 bytes"),
])
def test_a_report_that_would_take_much_memory_is_refused(tmp_path, name, text, why):
    (tmp_path / name).write_text(text())
    done = bounded(tmp_path, mib=200)
    assert done.returncode == 1 and done.stderr == f"mta-sts: {tmp_path / name}: {why}\n"


def test_many_details_are_summed(tmp_path):
    (tmp_path / "a").write_text('{"policies":[{"policy":{"policy-type":"sts","policy-domain":"a.example"},'
                                '"failure-details":[' + details(180000) + "]}]}")
    done = bounded("--csv", tmp_path)
    assert done.returncode == 0
    assert '"a.example","",sts,"validation-failure",,,,180000\n' in done.stdout


def test_without_memory_no_sums_are_shown(tmp_path):
    (tmp_path / "a").write_text('{"policies":[{"failure-details":[' + details(180000) + "]}]}")
    done = bounded(tmp_path, mib=100)
    if UNBOUNDED:
        assert done.returncode == 0
    else:
        assert (done.returncode, done.stdout, done.stderr) == (3, "", "mta-sts: out of memory\n")


@pytest.mark.parametrize("mail, why", [
    (b"Subject: " + b"a " * (200 * 1024) + b"\n\n", "bytes of headers"),
    (b"To: " + b"a@b," * (100 * 1024) + b"\n\n", "bytes of headers"),
    (b"To: " + b"a:" * 100000 + b"\n\n", "over 1000 colons"),
    (b"To: a:\n" + b" a:\n" * 1000 + b"\n", "over 1000 colons"),
    (b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\n" * 20000, "over 10000 parts"),
    (b"Content-Type: message/rfc822\n\n" * 20000, "bytes of headers"),
    (b"Content-Type: (;) message/rfc822\n\n" * 20000, "bytes of headers"),
    (b"Content-Type: multipart/digest; boundary=b\n\n--b\n\n" + b"A: b\n" * 100000, "bytes of headers"),
    (b"".join(b"Content-Type: multipart/mixed; boundary=%d\n\n--%d\n" % (i, i) for i in range(101)) + b"\n{}\n",
     "over 100 parts in each other"),
    (b"Content-Type: message/rfc822\n\n" * 101 + b"\n{}\n", "over 100 parts in each other"),
], ids=["a long field", "many addresses", "groups in groups", "folded ones", "many parts", "mails in mails",
        "behind a comment", "in a digest", "parts in parts", "mails in mails that are few"])
def test_a_mail_that_would_take_much_memory_is_refused(tmp_path, mail, why):
    (tmp_path / "mail").write_bytes(mail)
    done = bounded(tmp_path, mib=100)
    assert done.returncode == 1 and why in done.stderr


def test_a_mail_with_a_message_in_a_name_may_be_long(tmp_path):
    (tmp_path / "mail").write_bytes(b"Content-Type: application/tlsrpt+json; name=message.json\n\n"
                                    + b"\n".join([b" " * 70] * 10000) + make(None, "x", 5).encode())
    sums, status, _ = report(tmp_path)
    assert (worked(sums), status) == (5, 0)
