"""The server under test: its folder, its processes, and every line it says."""

import contextlib
import json
import os
import re
import shlex
import signal
import subprocess
from pathlib import Path

from lib import inspection, pki
from lib.program import PATIENCE, Program

MTA_STSD = os.environ.get("MTA_STSD",
                          str(Path(__file__).resolve().parents[3] / "build" / "mta-stsd"))

STOP_SECONDS = 8   # a drain takes at most 5

ORG = """
[example.org]
mode = enforce
mx   = mail.example.org
"""
HOST = "mta-sts.example.org"  # ORG's policy host
ORG_BODY = b"version: STSv1\r\nmode: enforce\r\nmx: mail.example.org\r\nmax_age: 604800\r\n"

_VALUE = r'(?:"(?:[ !#-\[\]-~]|\\["\\]|\\x[0-9a-f]{2})*"|[A-Za-z0-9\-._:/@+\[\]*]+)'
_LINE = re.compile(
    r"time=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (?:level=(?P<level>info|warning|error) )?"
    r"from=(?P<process>[\w.\-]+) (?:dropped=\d+ )?"
    rf"(?:msg=(?P<msg>{_VALUE})|fetch (?P<fields>\w+={_VALUE}(?: \w+={_VALUE})*))\Z")
_FIELD = re.compile(rf"(\w+)=({_VALUE})")
_PRIORITY = re.compile(r"<([0-7])>")
SANITIZER = re.compile(r"AddressSanitizer|LeakSanitizer|runtime error|Sanitizer:")


def _unquote(value):
    if not value.startswith('"'):
        return value
    return re.sub(r'\\(?:x([0-9a-f]{2})|(.))',
                  lambda m: chr(int(m[1], 16)) if m[1] else m[2], value[1:-1])


def _unique(members):
    assert len(dict(members)) == len(members), members
    return dict(members)


class LogLine:
    """One line of the log. level and message are None in a fetch line; fields is None in others.

    priority is the number that the journal reads, or None; json the whole object of a line in JSON, or None in text.
    """

    def __init__(self, raw):
        self.raw = raw
        self.json = None
        match = _PRIORITY.match(raw)
        self.priority = int(match[1]) if match else None
        line = raw[match.end():] if match else raw
        if line.startswith("{"):
            self._take_json(line)
        else:
            self._take_text(line)

    def _take_text(self, line):
        match = _LINE.match(line)
        self.valid = match is not None
        self.level = match["level"] if match else None
        self.process = match["process"] if match else None
        self.message = _unquote(match["msg"]) if match and match["msg"] else None
        self.fields = None
        if match and match["fields"]:
            self.fields = {key: _unquote(value) for key, value in _FIELD.findall(match["fields"])}

    def _take_json(self, line):
        self.level = self.process = self.message = self.fields = None
        try:
            self.json = members = json.loads(line, object_pairs_hook=_unique)
            self.valid = re.fullmatch(r"[ -~]+", line) is not None
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", members["time"])
            assert members["level"] in ("info", "warning", "error")
            assert isinstance(members.get("dropped", 0), int)
            self.process, message = members["from"], members["msg"]
        except (ValueError, AssertionError, KeyError):
            self.valid = False
            return
        others = {key: value for key, value in members.items()
                  if key not in ("time", "level", "from", "dropped", "msg")}
        if message == "fetch":
            self.fields = {key: str(value) for key, value in others.items()}
        else:
            self.level, self.message = members["level"], message
            self.valid = self.valid and not others

    def __str__(self):
        return self.raw


class Site:
    """A folder with a configuration and certificates, as an operator has it: closed to all others."""

    def __init__(self, folder, authority):
        self.folder = folder
        self.authority = authority
        self.ini = folder / "mta-stsd.ini"
        self.certs = folder / "certs"
        self.acme = folder / "acme"
        self.ca = folder / "ca.pem"
        self.ca.write_bytes(authority.root_pem())
        folder.chmod(0o700)

    def configure(self, *policies, listen=("127.0.0.1:0",), acme=(), health=(), server="", defaults=""):
        """Writes the configuration: sections as text, and more lines for [server] and [defaults].

        An ACME listener takes 127.0.0.2, so that no two listeners have one name.
        """
        lines = ["[server]", "workers = 2"]
        if re.search(r"^\s*workers\s*=", server, re.M):
            lines.pop()
        lines += [f"listen = {address}" for address in listen]
        lines += [f"listen_acme = {address}" for address in acme]
        lines += [f"listen_health = {address}" for address in health]
        lines += [server, "[defaults]"]
        if not re.search(r"^\s*certificate\s*=", defaults, re.M):
            lines += [f"certificate = {self.certs}/%h/fullchain.pem",
                      f"key = {self.certs}/%h/privkey.pem"]
        lines += [defaults, *policies]
        self.write("\n".join(lines) + "\n")
        return self

    def write(self, text, name=None):
        """Puts text, whole and at once, where the configuration is, or beside it."""
        pki.replace(self.folder / (name or self.ini.name), text.encode())

    def install(self, domain, pair=None, **options):
        """A certificate for the policy host of domain, issued (options are Authority.issue's) unless given."""
        host = f"mta-sts.{domain}"
        pair = pair or self.authority.issue(host, **options)
        pair.write(self.certs / host)
        return pair

    def test(self, *arguments):
        """mta-stsd -t: exit status and lines."""
        done = run_mta_stsd("-t", "-c", str(self.ini), *arguments)
        return done.returncode, done.stdout.splitlines()


def run_mta_stsd(*arguments, timeout=PATIENCE, **options):
    """Runs the program to its end, as for -t, -V or -H."""
    done = subprocess.run([*shlex.split(MTA_STSD), *arguments], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=timeout, **options)
    assert not SANITIZER.search(done.stderr), done.stderr
    return done


class Process:
    """One process, as /proc tells it."""

    def __init__(self, pid):
        self.pid = pid
        # The name in parentheses may hold anything, so what counts stands behind the last of them.
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        self.state, self.parent, self.session, self.terminal = stat[0], int(stat[1]), int(stat[3]), int(stat[4])

    def status(self):
        """The fields of /proc/PID/status."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}

    def descriptors(self):
        """What each open descriptor leads to."""
        return inspection.descriptors(self.pid)

    def __repr__(self):
        return f"<process {self.pid} of {self.parent}>"


def all_processes():
    """Every process of the system, by its pid."""
    found = {}
    for name in os.listdir("/proc"):
        with contextlib.suppress(ValueError, OSError, IndexError):  # no process, or one that has just gone
            found[int(name)] = Process(int(name))
    return found


def lineage(pid, everyone):
    """The pid of a process and those of all its ancestors."""
    pids = [pid]
    while pids[-1] in everyone:
        pids.append(everyone[pids[-1]].parent)
    return pids


class Server(Program):
    """A running mta-stsd. With `with`: started and ready inside, stopped and judged at the end.

    prefix: a command that runs the server (setpriv ..., sh -c '...' with "$@"). Errors in the log
    are failures unless a test names them with allow().
    """

    def __init__(self, site, *, env=None, prefix=(), arguments=(), pass_fds=()):
        self.site = site
        self._allowed = []
        self._checked = 0
        self._stopped = False
        super().__init__("mta-stsd", [*prefix, *shlex.split(MTA_STSD), "-c", str(site.ini), *arguments],
                         env=env, pass_fds=pass_fds)
        self.name = f"mta-stsd {self.pid}"

    # --- its log

    def _line(self, text):
        return LogLine(text)

    def wait_for(self, pattern, timeout=PATIENCE, since=0):
        """Waits for a message that the pattern is found in; gives the match."""
        return self.wait(lambda line: line.message and re.search(pattern, line.message),
                         timeout, since, f"line like {pattern!r}")

    def wait_fetch(self, timeout=PATIENCE, since=0, **fields):
        """Waits for a fetch line with these fields; gives all its fields."""
        def wanted(line):
            return line.fields if line.fields and all(
                line.fields.get(key) == str(value) for key, value in fields.items()) else None
        return self.wait(wanted, timeout, since, f"fetch with {fields}")

    def messages(self, pattern, since=0):
        """The messages so far that the pattern is found in."""
        return [line.message for line in self.lines[since:]
                if line.message and re.search(pattern, line.message)]

    def allow(self, pattern):
        """An error of this kind belongs to the test."""
        self._allowed.append(re.compile(pattern))
        return self

    def check(self):
        """Fails on what nobody expected since the last check."""
        lines, self._checked = self.lines[self._checked:], len(self.lines)
        bad = [line.raw for line in lines if not line.valid or SANITIZER.search(line.raw)]
        assert not bad, "not a log line:\n" + "\n".join(bad)
        bad = [line.raw for line in lines if line.level == "error"
               and not any(allowed.search(line.message) for allowed in self._allowed)]
        assert not bad, "unexpected errors:\n" + "\n".join(bad)

    # --- where it listens

    def ready(self, timeout=PATIENCE):
        self.wait_for(r"^ready: generation", timeout)
        return self

    def address(self, kind="https", name=None):
        """(host, port) of a listener, by kind and by the name it has in the configuration."""
        pattern = rf"^listening on (\S+):(\d+) \({kind}\) for " + (re.escape(name) + "$" if name else "")
        match = self.wait_for(pattern)
        return match[1].strip("[]"), int(match[2])

    @property
    def https(self):
        return self.address("https")

    @property
    def acme(self):
        return self.address("acme")

    @property
    def health(self):
        return self.address("health")

    # --- its processes

    def processes(self):
        """Those that live, the master first: its descendants, and what is left of them once it has gone."""
        everyone = all_processes()

        def ours(process):
            # Orphans descend from init; those of another running server from this test.
            pids = lineage(process.pid, everyone)
            return self.pid in pids or (os.getpid() not in pids and self._is_named_by(process))

        found = [process for process in everyone.values() if process.state not in "ZX" and ours(process)]
        return sorted(found, key=lambda process: (process.pid != self.pid, process.pid))

    def _is_named_by(self, process):
        """Whether its command line has our configuration, which no other server's has."""
        try:
            return os.fsencode(self.site.ini) in Path(f"/proc/{process.pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False

    def children(self, pid=None):
        """The keepers (of the master); the workers of a keeper when its pid is given."""
        return [process for process in self.processes() if process.parent == (pid or self.pid)]

    def workers(self):
        return [worker for keeper in self.children() for worker in self.children(keeper.pid)]

    def reload(self, timeout=PATIENCE):
        """SIGHUP, and the message that ends the reload."""
        since = self.mark()
        self.signal(signal.SIGHUP)
        return self.wait_for(r"^(ready: generation|reload refused|reload unchanged)",
                             timeout, since).string

    def wait_end(self, timeout=PATIENCE):
        """Waits until all its processes have gone; gives the exit status."""
        self._stopped = True
        self._reader.join(timeout)
        if self._reader.is_alive():
            left = self.processes()
            self._kill()
            raise AssertionError(f"after {timeout} s there still are {left}")
        return self._process.wait(PATIENCE)

    def stop(self):
        """SIGTERM: exit status 0, in time, and nothing left."""
        self.signal(signal.SIGTERM)
        status = self.wait_end(STOP_SECONDS)
        assert status == 0, f"exit status {status} after SIGTERM"
        self.check()

    def _kill(self):
        for process in self.processes():  # each generation is a session of its own
            try:
                os.kill(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self._process.wait(PATIENCE)
        self._reader.join(PATIENCE)

    @property
    def running(self):
        return not self._stopped

    def __enter__(self):
        try:
            return self.ready()
        except BaseException:
            self._stopped = True
            self._kill()
            raise

    def __exit__(self, kind, value, trace):
        try:
            if not self._stopped:
                self.stop()
            else:
                self.check()
        finally:
            self._stopped = True
            self._kill()
