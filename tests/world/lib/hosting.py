"""A hosting provider's site: 50,000 domains of its customers, a server with isolation, a client that always fetches."""

import itertools
import json
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

from lib import client
from lib.hand_over import hand_over_to
from lib.server import PATIENCE, Server, run_mta_stsd

LIB = Path(__file__).resolve().parent

SECTIONS = 25_000          # in the files of policies.d, a file a customer
ALIASES = 25_000           # in one alias file
OF_A_CUSTOMER = [1, 2, 1, 3, 1, 10]  # sections in the files, in turn
HOSTED = "hosted.example"  # the section with the alias file
FETCHED = 20               # files and aliases of each kind that the client fetches
CHANGED = 10               # and that the feeder changes
MAX_REMOVED = 5            # percent

RATE, THREADS = 60, 4      # of the client: fetches a second

FINDING = re.compile(r"(?P<file>[^:]+):(?P<line>\d+): (?P<severity>error|warning: isolated|warning): (?P<text>.+)")


def section(domain, mode="enforce", max_age=604800, mx=None):
    return f"[{domain}]\nmode    = {mode}\nmx      = {mx or 'mx.' + domain}\nmax_age = {max_age}\n"


def body(mx, max_age=604800):
    return f"version: STSv1\r\nmode: enforce\r\nmx: {mx}\r\nmax_age: {max_age}\r\n"


class Customer:
    """A file of policies.d: its text as it should be, and its domains."""

    def __init__(self, path, domains):
        self.path = path
        self.domains = domains
        self.max_age = 604800

    @property
    def domain(self):
        return self.domains[0]

    def text(self, **options):
        """options are section's, for the first domain."""
        return section(self.domain, **{"max_age": self.max_age, **options}) + "".join(map(section, self.domains[1:]))

    def body(self):
        return body(f"mx.{self.domain}", self.max_age)

    def write(self, text=None):
        self.path.write_text(self.text() if text is None else text)


class Hosting:
    """The site's files. The socket is held here, as systemd holds it: it outlives a server."""

    def __init__(self, folder, authority):
        self.folder = folder
        self.authority = authority
        self.ini = folder / "mta-stsd.ini"
        self.ca = folder / "ca.pem"
        self.ca.write_bytes(authority.root_pem())
        self.certificates = folder / "certificates"
        self.alias_file = folder / "customers.txt"
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.address = self.socket.getsockname()
        self.customers = list(self._customers())
        self.aliases = [f"alias{number:05}.example.net" for number in range(ALIASES)]
        self._write()

    def _customers(self):
        (self.folder / "policies.d").mkdir()
        counts = itertools.cycle(OF_A_CUSTOMER)
        number = 1  # HOSTED is the first of the sections
        while number < SECTIONS:
            count = min(next(counts), SECTIONS - number)
            yield Customer(self.folder / f"policies.d/customer{number:05}.ini",
                           [f"domain{at:05}.example.org" for at in range(number, number + count)])
            number += count

    def main_text(self):
        return (f"[server]\nlisten      = systemd:https\ninclude     = policies.d/*.ini\nworkers     = 2\n"
                f"access_log  = off\nisolate     = on\nmax_removed = {MAX_REMOVED}%\n"
                f"state_dir   = state\n\n[defaults]\ncertificate = {self.certificates}/%h/fullchain.pem\n"
                f"key         = {self.certificates}/%h/privkey.pem\n")

    def _write(self):
        self.ini.write_text(self.main_text())
        (self.folder / "policies.d/hosted.ini").write_text(
            f"[{HOSTED}]\nmode = enforce\nmx = mail.%d\nalias_file = {self.alias_file}\n")
        self.write_aliases()
        for customer in self.customers:
            customer.write()

    def write_aliases(self, *more):
        self.alias_file.write_text("".join(f"{alias}\n" for alias in [*self.aliases, *more]))

    def install(self, domain):
        self.authority.issue(f"mta-sts.{domain}").write(self.certificates / f"mta-sts.{domain}")

    def domain_count(self):
        return 1 + sum(len(customer.domains) for customer in self.customers) + len(self.aliases)

    def fetched(self):
        """Hosts that the feeder never touches, with their bodies: those that the client fetches, in the whole order."""
        step = len(self.customers) // FETCHED
        domains = {customer.domain: customer.body() for customer in self.customers[step // 2::step][:FETCHED]}
        step = ALIASES // FETCHED
        domains.update({alias: body(f"mail.{alias}") for alias in self.aliases[step // 2::step][:FETCHED]})
        for domain in domains:
            self.install(domain)
        return {f"mta-sts.{domain}": text for domain, text in domains.items()}

    def changed(self):
        """Customers that the feeder may touch, with several domains each."""
        several = [customer for customer in self.customers if len(customer.domains) == 3]
        step = len(several) // CHANGED
        customers = several[step // 3::step][:CHANGED]
        for customer in customers:
            for domain in customer.domains:
                self.install(domain)
        return customers

    # --- its server

    def start(self):
        """The server, with the socket; not yet ready."""
        return Server(self, **hand_over_to([("https", self.socket.fileno())]))

    def reload(self, *options):
        """mta-stsd -r: a Reload."""
        since = time.monotonic()
        done = run_mta_stsd("-c", str(self.ini), "-r", *options, timeout=PATIENCE)
        return Reload(done.returncode, done.stdout + done.stderr, time.monotonic() - since)

    def status(self):
        """What mta-stsd -s prints."""
        return run_mta_stsd("-c", str(self.ini), "-s").stdout

    def fetch(self, domain):
        """The policy of a domain, as text."""
        return client.fetch(self._as_server(), f"mta-sts.{domain}", address=self.address).body.decode()

    def refusal(self, domain):
        """The alert with which a domain is refused."""
        return client.refused_alert(self._as_server(), f"mta-sts.{domain}", address=self.address)

    def _as_server(self):
        class Anywhere:
            site = self
        return Anywhere


class Reload:
    """What mta-stsd -r printed: findings with their place, and the last line."""

    def __init__(self, status, output, seconds):
        self.status = status
        self.seconds = seconds
        self.output = output
        lines = output.splitlines() or [""]
        self.findings = [match for match in map(FINDING.fullmatch, lines) if match]
        self.last = lines[-1]

    def places(self, severity):
        """(name of the file, line) of each finding of this severity."""
        return [(Path(match["file"]).name, int(match["line"])) for match in self.findings
                if match["severity"] == severity]

    def __str__(self):
        return f"exit status {self.status} after {self.seconds:.2f} s: {self.output}"


class Client:
    """The process that fetches from untouched customers; its result when it has been stopped."""

    def __init__(self, hosting, hosts):
        parameters = hosting.folder / "fetcher.json"
        parameters.write_text(json.dumps({
            "lib": [str(LIB.parent)], "address": hosting.address, "ca": str(hosting.ca), "rate": RATE,
            "threads": THREADS, "hosts": hosts}))
        self._process = subprocess.Popen([sys.executable, str(LIB / "programs/fetcher.py"), str(parameters)],
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def stop(self):
        """{fetches, longest, failures}"""
        try:
            output, _ = self._process.communicate(timeout=2 * client.TIMEOUT)
        finally:
            self._process.kill()
        return json.loads(output)
