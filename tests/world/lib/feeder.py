"""The provider's own programs, and their mistakes: what feeds the site of lib.hosting.

Each kind of event checks all that it must lead to: the exit status and the words of mta-stsd -r, the line in the log,
and what is served then. It counts in the table.
"""

import itertools
import re
import time

from lib.processes import kill, stopped
from lib.server import PATIENCE
from lib.hosting import MAX_REMOVED, body, section

CHANGES = 5  # rows of the table that are not mistakes
UNRECOGNIZED = "TLSV1_UNRECOGNIZED_NAME"


class Row:
    """A kind of event: how often, and what followed."""

    def __init__(self, done, served, reported):
        self.done, self.served, self.reported = done, served, reported
        self.count, self.longest = 0, 0.0


class Feeder:
    def __init__(self, hosting):
        self.hosting = hosting
        self.untouched = hosting.fetched()
        self.customers = itertools.cycle(hosting.changed())
        self.rows = {}
        self.server = None
        self.client = None
        self._number = itertools.count(1)
        self._changes = itertools.cycle([self.policy_changes, self.alias_comes_and_goes, self.policy_changes,
                                         self.customer_comes_and_goes])
        self._kinds = [self.header_cut_short, self.alias_file_emptied, self.value_cut_short, self.unknown_key,
                       self.domain_in_two_files, self.keeper_killed, self.file_emptied, self.alias_wrong,
                       self.server_section_broken, self.mode_misspelt, self.restarted]
        self._disturbances = itertools.cycle(self._kinds)

    # --- the server

    def start(self):
        self.server = self.hosting.start()
        self.server.ready()

    def stop(self):
        """The server ends without an error in its log that was not asked for."""
        if self.server and self.server.running:
            self.server.__exit__(None, None, None)
        self.hosting.socket.close()

    # --- what it does

    def change(self):
        next(self._changes)()

    def disturb(self):
        next(self._disturbances)()

    def all_kinds_done(self):
        return len(self.rows) >= len(self._kinds) + CHANGES

    # --- what it sees

    def count(self, done, served, reported, seconds=0.0):
        row = self.rows.setdefault(done, Row(done, served, reported))
        row.count += 1
        row.longest = max(row.longest, seconds)

    def add_client(self, result):
        self.client = result

    def slowest(self):
        return max(row.longest for row in self.rows.values())

    def table(self):
        """What was done, what was served, what was reported."""
        lines = [("what was done", "times", "what was served", "live after, at most", "what was reported")]
        lines += [(row.done, str(row.count), row.served, f"{row.longest:.2f} s" if row.longest else "-", row.reported)
                  for row in self.rows.values()]
        widths = [max(map(len, column)) for column in zip(*lines)]
        lines.insert(1, ["-" * width for width in widths])
        text = "".join("| " + " | ".join(map(str.ljust, line, widths)) + " |\n" for line in lines)
        if self.client:
            text += (f"\n{self.client['fetches']} fetches from {len(self.untouched)} customers that were not touched: "
                     f"{len(self.client['failures'])} failed, the longest took {self.client['longest']:.2f} s\n")
        return text

    def reload(self, status):
        reload = self.hosting.reload()
        assert reload.status == status, str(reload)
        return reload

    def serves(self, domain, expected):
        assert self.hosting.fetch(domain) == expected

    def live(self, written, domain, expected):
        """Seconds from the write until a fetch shows it: expected is a body, or None where the host is refused."""
        while True:
            try:
                seen = self.hosting.fetch(domain)
            except OSError as error:
                assert UNRECOGNIZED in str(error), error
                seen = None
            took = time.monotonic() - written
            if seen == expected:
                return took
            assert took < PATIENCE, f"{domain}: {seen!r} is served, not {expected!r}"

    def isolated(self, reload, since, name, line, text):
        """Findings about one entry, one of them at this place, printed and in the log; all else is live."""
        places = reload.places("warning: isolated")
        assert (name, line) in places and {file for file, _ in places} == {name}, str(reload)
        assert not reload.places("error") and re.search(text, reload.output), str(reload)
        assert re.search(r"^ready: generation \d+.*, 1 isolated", reload.last), str(reload)
        self.server.wait_for(rf"{re.escape(name)}:{line}: (warning: )?isolated: .*{text}", since=since)

    # --- changes

    def policy_changes(self):
        customer = next(self.customers)
        customer.max_age = 604800 + next(self._number)
        written = time.monotonic()
        customer.write()
        self.reload(0)
        took = self.live(written, customer.domain, customer.body())
        self.count("policy changed in its file", "the new policy", "exit 0, ready", took)

    def alias_comes_and_goes(self):
        """A name is added and, the next time, another taken away."""
        hosting = self.hosting
        if hosting.aliases[-1].startswith("new"):
            alias = hosting.aliases.pop()
        else:
            alias = f"new{next(self._number)}.example.net"
            hosting.install(alias)
            hosting.aliases.append(alias)
        written = time.monotonic()
        hosting.write_aliases()
        self.reload(0)
        came = alias in hosting.aliases[-1:]
        took = self.live(written, alias, body(f"mail.{alias}") if came else None)
        self.count("alias added" if came else "alias removed", "the new host" if came else "the host no more",
                   "exit 0, ready", took)
        if came:
            self.alias_comes_and_goes()

    def customer_comes_and_goes(self):
        """A file of a customer is made, and removed."""
        domain = f"newcomer{next(self._number)}.example.org"
        self.hosting.install(domain)
        path = self.hosting.folder / "policies.d/newcomer.ini"
        written = time.monotonic()
        path.write_text(section(domain))
        self.reload(0)
        took = self.live(written, domain, body(f"mx.{domain}"))
        self.count("customer's file added", "the new host", "exit 0, ready", took)
        written = time.monotonic()
        path.unlink()
        self.reload(0)
        took = self.live(written, domain, None)
        self.count("customer's file removed", "the host no more", "exit 0, ready", took)

    # --- mistakes in a customer's file: isolated

    def isolated_file(self, done, text, line, words):
        """The customer's file with this text is isolated, and all of its domains are served; its next good text is live."""
        customer = next(self.customers)
        since = self.server.mark()
        text, line = text(customer), line(customer)
        customer.write(text)
        self.isolated(self.reload(0), since, customer.path.name, line, words)
        self.serves(customer.domain, customer.body())
        for domain in customer.domains[1:]:
            self.live(time.monotonic(), domain, body(f"mx.{domain}"))
        customer.max_age = 604800 + next(self._number)
        written = time.monotonic()
        customer.write()
        assert not self.reload(0).findings
        took = self.live(written, customer.domain, customer.body())
        self.count(done, "the last good policies", "exit 0, FILE:LINE: isolated, also in the log", took)

    def header_cut_short(self):
        self.isolated_file("file cut inside a section header", lambda customer: "[" + customer.domain[:9], lambda _: 1,
                           r"\]")

    def value_cut_short(self):
        self.isolated_file("file cut inside a value", lambda customer: f"[{customer.domain}]\nmode = enf", lambda _: 2,
                           "mode")

    def unknown_key(self):
        self.isolated_file("unknown key", lambda customer: customer.text() + "max_ages = 1w\n",
                           lambda customer: customer.text().count("\n") + 1, r"max_age\?")

    def mode_misspelt(self):
        self.isolated_file("mode misspelt", lambda customer: customer.text(mode="enfroce"), lambda _: 2,
                           r"enforce\?")

    def file_emptied(self):
        """It is not wrong: the customer has gone."""
        customer = next(self.customers)
        written = time.monotonic()
        customer.write("")
        self.reload(0)
        took = self.live(written, customer.domain, None)
        customer.write()
        self.reload(0)
        self.serves(customer.domain, customer.body())
        self.count("customer's file emptied", "its hosts no more; then again", "exit 0, ready", took)

    def domain_in_two_files(self):
        first, second = sorted([next(self.customers), next(self.customers)], key=lambda customer: customer.path)
        since = self.server.mark()
        second.write(second.text() + section(first.domain, mx="mx.thief.example"))
        line = second.text().count("\n") + 1
        self.isolated(self.reload(0), since, second.path.name, line,
                      rf"{re.escape(first.domain)} is already named at .*{first.path.name}:1")
        self.serves(first.domain, first.body())
        self.serves(second.domain, second.body())
        second.write()
        assert not self.reload(0).findings
        self.count("domain in two customers' files", "what both had",
                   "exit 0, FILE:LINE: isolated, with both places, also in the log")

    def alias_wrong(self):
        since = self.server.mark()
        self.hosting.write_aliases("bad_name.example.net")
        self.isolated(self.reload(0), since, self.hosting.alias_file.name, len(self.hosting.aliases) + 1, "bad_name")
        self.serves(*self.some_alias())
        self.hosting.write_aliases()
        assert not self.reload(0).findings
        self.count("wrong line in the alias file", "all other aliases", "exit 0, FILE:LINE: isolated, also in the log")

    def some_alias(self):
        host, text = next(item for item in self.untouched.items() if ".alias" in item[0])
        return host.removeprefix("mta-sts."), text

    # --- mistakes of the provider: refused as a whole

    def refused(self, text):
        """A refused reload, with this text in what is printed and in the log; the generation goes on."""
        since = self.server.mark()
        self.server.allow(text).allow("^reload refused")
        reload = self.reload(1)
        assert re.search(text, reload.output), str(reload)
        self.server.wait_for(r"reload refused.*generation \d+.* goes on", since=since)
        self.server.wait_for(text, since=since)
        return reload

    def alias_file_emptied(self):
        hosting = self.hosting
        hosting.alias_file.write_text("")
        reload = self.refused(rf"{len(hosting.aliases)} of {hosting.domain_count()} domains would be removed")
        assert "max_removed" in reload.output and f"{MAX_REMOVED}%" in reload.output, str(reload)
        assert "--force" in reload.output, str(reload)
        self.serves(*self.some_alias())
        hosting.write_aliases()
        self.reload(0)
        self.count("alias file emptied", "all of its 25,000 aliases",
                   "exit 1, reload refused: 25000 of 50000 domains ... --force, also in the log")

    def broken_server_section(self):
        """Writes it; gives FILE:LINE of the mistake."""
        good = self.hosting.main_text()
        self.hosting.ini.write_text(good.replace("access_log  = off", "acces_log   = off"))
        return f"{self.hosting.ini.name}:{good[:good.index('access_log')].count(chr(10)) + 1}"

    def mend_server_section(self):
        self.hosting.ini.write_text(self.hosting.main_text())
        return self.reload(0)

    def server_section_broken(self):
        place = self.broken_server_section()
        reload = self.refused(rf"{re.escape(place)}: error: .*access_log\?")
        assert re.search(rf"reload refused at .*{re.escape(place)}", reload.last), str(reload)
        self.serves(*self.some_alias())
        self.mend_server_section()
        self.count("wrong line in [server]", "all as before", "exit 1, FILE:LINE: error, also in the log")

    # --- accidents

    def warm(self):
        """Each worker has each host's certificate in memory: without a keeper it can open none."""
        workers = self.server.workers()
        for worker in workers:
            with stopped(*[other for other in workers if other.pid != worker.pid]):
                for host in self.untouched:
                    self.hosting.fetch(host.removeprefix("mta-sts."))

    def keeper_killed(self):
        """Between a mistake's write and its reload: the next keeper starts from what was accepted."""
        self.warm()
        self.broken_server_section()
        customer = next(self.customers)
        customer.write("[" + customer.domain[:9])
        since = self.server.mark()
        self.server.allow("has lost its")
        kill(*self.server.children())
        self.server.wait_for("has lost its", since=since)
        self.server.wait_for(rf"^ready: generation \d+, {self.hosting.domain_count()} domains, 1 listener", since=since)
        self.serves(customer.domain, customer.body())
        self.serves(*self.some_alias())
        customer.write()
        self.mend_server_section()
        self.count("keeper killed, with a broken [server] and a half file on disk", "all as before",
                   "generation N has lost its keeper; ready: the next generation, 50000 domains")

    def restarted(self):
        """With a mistake in the main file: the last good configuration is served."""
        place = self.broken_server_section()
        self.server.stop()
        self.server = self.hosting.start().allow(rf"{re.escape(place)}: (error|serving the last good)")
        self.server.wait_for(rf"{re.escape(place)}: error: .*access_log\?")
        self.server.wait_for(rf"{re.escape(place)}: serving the last good one")
        self.server.wait_for(rf"^ready: generation \d+, {self.hosting.domain_count()} domains")
        assert self.hosting.status().startswith("degraded: ")
        self.serves(*self.some_alias())
        self.refused(rf"{re.escape(place)}: error: .*access_log\?")
        reload = self.mend_server_section()
        assert reload.last.startswith("ready: generation"), str(reload)
        assert self.hosting.status().startswith("ready: generation")
        self.count("restart with a wrong line in [server]", "the last good configuration",
                   "FILE:LINE: error in the log; degraded and exit 1 until it is mended")
