"""A program that a test started, and every line that it has printed."""

import os
import subprocess
import threading
import time

PATIENCE = 20  # seconds to wait for what should come at once, on a machine with much to do


class Program:
    """Runs in a session of its own. A reader of its output wakes up who waits for a line.

    A kind of program says with _line() what it makes of a line, and with check() what it may not have said.
    """

    known = []  # those that lived during the test that runs now; for conftest.py

    def __init__(self, name, command, *, env=None, pass_fds=(), log=None):
        self.name = name
        self.lines = []
        self._news = threading.Condition()
        self._ended = False
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})}, pass_fds=pass_fds, start_new_session=True)
        self.pid = self._process.pid
        # All that it starts holds the pipe, too: its end is the end of the last of them.
        self._reader = threading.Thread(target=self._read, args=(log or os.devnull,), daemon=True)
        self._reader.start()
        Program.known.append(self)

    def _line(self, text):
        return text

    def _read(self, log):
        with open(log, "wb", buffering=0) as file:
            for raw in self._process.stdout:
                file.write(raw)
                line = self._line(raw.decode("utf-8", "backslashreplace").rstrip("\n"))
                with self._news:
                    self.lines.append(line)
                    self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    def mark(self):
        """Where the output is now, for since=."""
        return len(self.lines)

    def log(self, since=0):
        return "\n".join(str(line) for line in self.lines[since:])

    def wait(self, wanted, timeout=PATIENCE, since=0, what="line"):
        """Waits until wanted(line) is true of a line behind since; gives what it returned."""
        deadline = time.monotonic() + timeout
        with self._news:
            at = since
            while True:
                for line in self.lines[at:]:
                    found = wanted(line)
                    if found:
                        return found
                at = len(self.lines)
                left = deadline - time.monotonic()
                if self._ended or left <= 0 or not self._news.wait(left):
                    if at == len(self.lines):
                        break
        raise AssertionError(f"{self.name}: no {what} in {timeout} s" + (" before it ended" if self._ended else ""))

    def signal(self, number):
        self._process.send_signal(number)

    @property
    def running(self):
        return self._process.poll() is None

    def check(self):
        """Fails on what it should not have said since the last check."""
