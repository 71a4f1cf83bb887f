#!/usr/bin/python3
"""Writes TLS reports for measuring `mta-sts report`, the same ones each time.

    tests/bench/reports.py FOLDER [COUNT [json|gzip|mail]]

COUNT reports (10,000) of 1 to 50 policies each, a file each: the report alone, packed, or a mail with the packed one.
Then, for example:

    perf stat -e task-clock build/mta-sts report FOLDER >/dev/null
"""

import base64
import gzip
import json
import pathlib
import random
import sys

SENDERS = ["Google Inc.", "Microsoft Corporation", "Mail.ru", "Company-X", "example.com"]
FAILURES = ["certificate-expired", "certificate-host-mismatch", "validation-failure", "starttls-not-supported",
            "sts-policy-fetch-error"]


def detail(chance):
    return {"result-type": chance.choice(FAILURES), "sending-mta-ip": f"203.0.113.{chance.randrange(256)}",
            "receiving-mx-hostname": f"mail{chance.randrange(1, 4)}.example.org", "receiving-ip": "192.0.2.25",
            "failed-session-count": chance.randrange(1, 20)}


def policy(chance, number):
    domain = f"d{number}.example.org"
    details = [detail(chance) for _ in range(chance.choice([0, 0, 0, 1, 3]))]
    return {"policy": {"policy-type": "sts", "policy-domain": domain, "mx-host": ["*.example.org"],
                       "policy-string": ["version: STSv1", "mode: testing", "mx: *.example.org", "max_age: 604800"]},
            "summary": {"total-successful-session-count": chance.randrange(1000),
                        "total-failure-session-count": sum(each["failed-session-count"] for each in details)},
            "failure-details": details}


def report(chance, number):
    day = f"2026-{number // 28 % 12 + 1:02}-{number % 28 + 1:02}"
    return {"organization-name": SENDERS[number % len(SENDERS)],
            "date-range": {"start-datetime": f"{day}T00:00:00Z", "end-datetime": f"{day}T23:59:59Z"},
            "contact-info": "tls@example.com", "report-id": f"{day}-{number}@example.com",
            "policies": [policy(chance, each) for each in chance.sample(range(1000), chance.randint(1, 50))]}


def mail(packed, number):
    body = base64.encodebytes(packed).decode()
    return (f"From: tls@example.com\nTo: tls-reports@example.org\nSubject: Report Domain: example.org\n"
            f"MIME-Version: 1.0\nContent-Type: multipart/report; report-type=tlsrpt; boundary=b{number}\n\n"
            f"--b{number}\nContent-Type: text/plain\n\nA report.\n--b{number}\n"
            f"Content-Type: application/tlsrpt+gzip; name=report.json.gz\nContent-Transfer-Encoding: base64\n\n"
            f"{body}--b{number}--\n").encode()


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 10000
    form = sys.argv[3] if len(sys.argv) > 3 else "json"
    folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(8460)
    for number in range(count):
        data = json.dumps(report(chance, number), separators=(",", ":")).encode()
        if form != "json":
            data = gzip.compress(data, mtime=0)
        if form == "mail":
            data = mail(data, number)
        (folder / f"{number:06}.{form}").write_bytes(data)


main()
