"""A postmaster who does what `mta-sts advise` prints, to the letter, and senders who report every day."""

import datetime
import json
import re
import time
from pathlib import Path

from lib.toolbox import run_mta_sts

DAY = 86400
DOMAIN, MX = "example.org", "mail.example.org"
SENDERS = "a.example", "b.example"
GUIDE = Path(__file__).resolve().parents[3] / "docs" / "rollout.md"


class Postmaster:
    """With a configuration, a name server's records, a folder of reports, a state file, and a clock."""

    def __init__(self, site, server, dns, clock, options):
        self.site, self.server, self.dns, self.clock = site, server, dns, clock
        self.reports = site.folder / "reports"
        self.reports.mkdir()
        self.state = site.folder / "state"
        self.told = []  # everything that was printed
        self.options = [*options, "-c", site.ini, "--reports", self.reports, "--state", self.state]
        self._offset = 0

    # --- time

    @property
    def today(self):
        return datetime.datetime.fromtimestamp(time.time() + self._offset, datetime.timezone.utc).date()

    def _advance(self):
        self.clock.advance(DAY)
        self._offset += DAY

    def pass_days(self, days, **options):
        """So many days, with reports of each; options are those of report."""
        for _ in range(days):
            self.report(**options)
            self._advance()

    def pass_until(self, date, **options):
        self.pass_days((date - self.today).days, **options)

    # --- reports

    def report(self, senders=SENDERS, failure=None, mode=None):
        """What senders report of today, under the policy that is served; one of them a failure, if there is one."""
        mode = mode or self.mode
        for sender in senders:
            failed = failure is not None and sender == senders[0]
            policy = {"policy": {"policy-type": "sts", "policy-domain": DOMAIN, "mx-host": [MX],
                                 "policy-string": ["version: STSv1", f"mode: {mode}", f"mx: {MX}", "max_age: 604800"]},
                      "summary": {"total-successful-session-count": 12, "total-failure-session-count": int(failed)},
                      "failure-details": [{"result-type": failure, "sending-mta-ip": "192.0.2.9",
                                           "receiving-mx-hostname": MX, "failed-session-count": 1}] if failed else []}
            report = {"organization-name": sender, "contact-info": f"tls@{sender}", "report-id": f"{self.today}@{sender}",
                      "date-range": {"start-datetime": f"{self.today}T00:00:00Z",
                                     "end-datetime": f"{self.today}T23:59:59Z"},
                      "policies": [policy]}
            (self.reports / f"{self.today}-{sender}.json").write_text(json.dumps(report))

    # --- advice

    def ask(self, *arguments, status=0):
        """The title of the next step, and all that was printed."""
        done = run_mta_sts("advise", *self.options, *(arguments or [DOMAIN]), env=self.environment)
        assert (done.returncode, done.stderr) == (status, ""), done
        self.told.append(f"{self.today}\n{done.stdout}")
        return re.match(rf"{DOMAIN}: next step: (.*)\n", done.stdout)[1], done.stdout

    @property
    def environment(self):
        return {"PATH": "/usr/bin:/bin", **self.clock.environment()}

    def follow(self, text):
        """Pastes, reloads and publishes what the text says."""
        self.paste(text)
        if "systemctl reload" in text:
            assert self.server.reload().startswith("ready")
        for owner, kind, data in re.findall(r'^    (\S+)\. 3600 IN (TXT) "(.*)"$', text, re.M):
            self.dns.records[(owner, kind)] = [data]

    def paste(self, text):
        """The section into the configuration: whole, or the lines that are to be changed."""
        settings = re.findall(r"^    (mode|max_age|mx|rua|id) += (\S+)", text, re.M)
        if not settings:
            return
        assert f"    [{DOMAIN}]" in text
        head, header, section = self.site.ini.read_text().partition(f"[{DOMAIN}]\n")
        kept = [line for line in section.splitlines() if line.split(" ")[0] not in {key for key, _ in settings}]
        lines = [f"{key} = {value}" for key, value in settings] + kept
        self.site.write(head + (header or f"[{DOMAIN}]\n") + "\n".join(lines) + "\n")

    def set(self, key, value):
        """A line of the section, as the postmaster wants it, whatever was advised."""
        self.paste(f"    [{DOMAIN}]\n    {key} = {value}\n")

    @property
    def mode(self):
        return re.search(r"^mode *= *(\w+)", self.site.ini.read_text().partition(f"[{DOMAIN}]")[2], re.M)[1]


def timeless(text):
    """Without its days and paths."""
    return re.sub(r"/\S+/mta-stsd\.ini", "INI", re.sub(r"\d{4}-\d\d-\d\d", "DAY", text))


def guide():
    """What docs/rollout.md shows as printed: title to text."""
    blocks = re.findall(r"^```\n(.*?)^```", GUIDE.read_text(), re.M | re.S)
    return [(block.partition("next step: ")[2].partition("\n")[0], timeless(block)) for block in blocks]


def ask_again(text):
    """The day that a text names."""
    return datetime.date.fromisoformat(re.search(r"Ask again on (\d{4}-\d\d-\d\d)\.", text)[1])
