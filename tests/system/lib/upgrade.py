"""Configurations of an earlier release, and what a mta-stsd answers to them.

tests/upgrade/collect.py asks the release itself and stores its answers; tests/system/test_upgrade.py asks the program
that was built, and compares.
"""

import json
import re
import shutil

from lib import client
from lib.server import Server, run_mta_stsd
from lib.toolbox import run_mta_sts

DIRECTORY = "@DIR@"  # in stored files and answers: the absolute path of the directory that holds them
ANY = "*"            # the domain under which a body of [*] is stored
ANY_DOMAIN = "any.upgrade.example"

FINDING = re.compile(r"^(?:.+: )?(?:error|warning): ")
SUMMARY = re.compile(r"^(.* listeners?): \d+ errors?, \d+ warnings?$|^\d+ errors?, \d+ warnings?$")
# This depends on the machine and on the user that runs the test.
OF_THE_MACHINE = re.compile(r": user '[^']*' does not exist: ")


class Case:
    """One configuration: its files (texts by relative name), the name of the main one, where it comes from."""

    def __init__(self, name, files, main="main.ini", answers=None):
        self.name = name
        self.files = files
        self.main = main
        self.answers = answers or {}

    def stored(self):
        """For JSON: a text is a list of its lines, and bytes that are not UTF-8 are surrogates."""
        return {"name": self.name, "main": self.main,
                "files": {name: text.split("\n") for name, text in self.files.items()}, **self.answers}

    @classmethod
    def load(cls, stored):
        answers = {key: value for key, value in stored.items() if key not in ("name", "main", "files")}
        return cls(stored["name"], {name: "\n".join(lines) for name, lines in stored["files"].items()}, stored["main"],
                   answers)

    def write(self, directory, changed=lambda text: text):
        """Writes the files below the directory, each as changed() makes it."""
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in self.files.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            text = changed(text).replace(DIRECTORY, str(directory))
            path.write_bytes(text.encode("utf-8", "surrogateescape"))


def cases_of(path):
    return [Case.load(stored) for stored in json.loads(path.read_text())]


def answers_of(case, directory):
    """What mta-stsd -t and mta-sts dns say: status, findings, the summary's first part, and the id of each domain."""
    case.write(directory)
    done = run_mta_stsd("-t", "-c", case.main, cwd=directory)
    lines = [line.replace(str(directory), DIRECTORY) for line in done.stdout.splitlines()]
    *findings, last = lines
    summary = SUMMARY.match(last)
    assert summary, f"{case.name}: no summary: {last!r}"
    assert all(map(FINDING.match, findings)), f"{case.name}: {findings}"
    assert done.returncode == any(" error: " in line or line.startswith("error: ") for line in lines), case.name
    findings = [line for line in findings if not OF_THE_MACHINE.search(line)]
    answers = {"findings": findings, "summary": summary[1]}
    if summary[1]:
        answers["ids"] = _ids(case, directory)
    return answers


def _ids(case, directory):
    done = run_mta_sts("dns", "-c", case.main, "--format", "json", cwd=directory)
    records = json.loads(done.stdout or "[]")
    return {record["name"].removeprefix("_mta-sts."): re.search(r"id=(\w+);", record["data"])[1]
            for record in records if record["name"].startswith("_mta-sts.")}


class Serving:
    """One server that serves a case after the other, each by a reload; gives the bodies that it serves over TLS."""

    def __init__(self, directory, authority, server_lines=""):
        """server_lines: more for [server], such as keys that the release does not have."""
        self._authority = authority
        self._server_lines = server_lines
        self._count = 0
        self._server = None
        self._now = directory / "now"
        self._certificates = directory / "certificates"
        self.ini = self._now / "main.ini"
        self.ca = directory / "ca.pem"
        self.ca.write_bytes(authority.root_pem())

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if self._server:
            self._server.__exit__(*exception)

    def bodies(self, case, domains):
        """The body of each of the domains; that of ANY is fetched for ANY_DOMAIN."""
        self._count += 1
        names = {domain: f"mta-sts.{ANY_DOMAIN if domain == ANY else domain}" for domain in domains}
        certificate = self._certificates / f"{self._count}.pem"
        self._authority.issue(*names.values(), common_name="upgrade").write(
            self._certificates, certificate=certificate.name, key=None)
        shutil.rmtree(self._now, ignore_errors=True)
        case.write(self._now, lambda text: self._servable(text, certificate))
        (self._now / case.main).rename(self.ini)
        if self._server is None:
            self._server = Server(self).__enter__()
        else:
            outcome = self._server.reload()
            assert outcome.startswith("ready"), f"{case.name}: {outcome}\n{self._server.log()[-3000:]}"
        return {domain: client.fetch(self._server, host).body.decode() for domain, host in names.items()}

    def _servable(self, text, certificate):
        """The same policies with a certificate that exists, and a [server] that this machine can have."""
        out, section = [], None
        for line in text.split("\n"):
            header = re.match(r"^\ufeff?[ \t]*(\[.*?\])", line)
            key = re.match(r"^[ \t]*(\w+)[ \t]*=", line)
            if header:
                section = header[1]
            if key and key[1] in ("certificate", "key"):
                line = f"{key[1]} = {certificate}"
            elif key and section == "[server]" and key[1] != "include":
                line = ""
            out.append(line)
            if header and section == "[server]":
                out += ["listen = 127.0.0.1:0", "workers = 1", self._server_lines]
        return "\n".join(out)
