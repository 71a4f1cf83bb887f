#!/usr/bin/python3
"""Makes the pictures of docs/reports.md from the page that `mta-sts report --html` writes.

    tests/pictures.py MTA-STS FOLDER [--dark]

Thirty days of reports of one domain that three senders made up here: on two of the days, the certificate of one of its
MX hosts had expired. FOLDER gets report-1280.png and report-390.png. Needs chromium-headless-shell, or chromium.
"""

import json
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

FIRST, DAYS = 26, 30  # from 2026-10-26 on
EXPIRED = {27, 28}    # of these days; within the last week
SENDERS = {  # how they name themselves, their sessions a day, the days without a report
    "Google Inc.": (420, {17}),
    "Microsoft Corporation": (310, {9, 17}),
    "Mail.ru": (24, {3, 4, 9, 17, 18}),
}
ADDRESSES = {"Google Inc.": "198.51.100.", "Microsoft Corporation": "203.0.113.", "Mail.ru": "192.0.2."}
POLICY = ["version: STSv1", "mode: testing", "mx: mail1.example.org", "mx: mail2.example.org", "max_age: 604800"]
SIZES = {1280: 1800, 390: 2180}  # a window's width, and how much of the page it shows
PATIENCE = 60  # seconds


def date(day):
    return f"2026-10-{FIRST + day:02}" if FIRST + day <= 31 else f"2026-11-{FIRST + day - 31:02}"


def expired(chance, sender, sessions):
    return {"result-type": "certificate-expired", "sending-mta-ip": ADDRESSES[sender] + str(chance.randrange(1, 250)),
            "receiving-mx-hostname": "mail2.example.org", "receiving-ip": "192.0.2.26", "failed-session-count": sessions}


def details(chance, sender, day, sessions):
    """What failed on this day."""
    if day in EXPIRED:
        return [expired(chance, sender, max(1, sessions * part // 100)) for part in (7, 4)]
    if sender == "Mail.ru" and day == 6:
        return [{"result-type": "sts-policy-fetch-error", "failed-session-count": 2,
                 "failure-reason-code": "bad https response code: 503"}]
    if sender == "Microsoft Corporation" and day in (20, 25, 29):
        return [{"result-type": "starttls-not-supported", "sending-mta-ip": "203.0.113.77", "failed-session-count": 1,
                 "receiving-mx-hostname": "mail1.example.org", "receiving-ip": "192.0.2.25"}]
    return []


def report(chance, sender, day):
    weekend = day % 7 in (5, 6)
    sessions = int(SENDERS[sender][0] * chance.uniform(.8, 1.2) * (.35 if weekend else 1))
    failures = details(chance, sender, day, sessions)
    failed = sum(each["failed-session-count"] for each in failures)
    policy = {"policy": {"policy-type": "sts", "policy-string": POLICY, "policy-domain": "example.org",
                         "mx-host": ["mail1.example.org", "mail2.example.org"]},
              "summary": {"total-successful-session-count": sessions - failed, "total-failure-session-count": failed},
              "failure-details": failures}
    return {"organization-name": sender, "contact-info": "tls-reports@example.net",
            "report-id": f"{date(day)}-{len(sender)}@example.net", "policies": [policy],
            "date-range": {"start-datetime": f"{date(day)}T00:00:00Z", "end-datetime": f"{date(day)}T23:59:59Z"}}


def write_reports(folder):
    chance = random.Random(8460)
    for sender, (_, without) in SENDERS.items():
        for day in sorted(set(range(DAYS)) - without):
            path = folder / f"{date(day)}-{len(sender)}.json"
            path.write_text(json.dumps(report(chance, sender, day)))


def photograph(browser, page, picture, width, dark):
    scheme = ["--blink-settings=preferredColorScheme=0"] if dark else []
    subprocess.run([browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", *scheme,
                    f"--window-size={width},{SIZES[width]}", f"--screenshot={picture}", page.as_uri()],
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=PATIENCE, check=True)


def main():
    arguments = [word for word in sys.argv[1:] if word != "--dark"]
    browser = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if len(arguments) != 2 or not browser:
        sys.exit(__doc__)
    program, folder = (pathlib.Path(word).resolve() for word in arguments)
    with tempfile.TemporaryDirectory() as name:
        reports, page = pathlib.Path(name, "reports"), pathlib.Path(name, "report.html")
        reports.mkdir()
        write_reports(reports)
        subprocess.run([program, "report", "--html", page, reports], timeout=PATIENCE, check=True)
        print(f"{page.stat().st_size} bytes of HTML")
        for width in SIZES:
            photograph(browser, page, folder / f"report-{width}.png", width, "--dark" in sys.argv)


if __name__ == "__main__":
    main()
