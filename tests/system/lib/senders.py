"""Senders that fetch all the time, and never again what has failed."""

import threading

from lib.client import fetch
from lib.server import HOST, PATIENCE
from lib.processes import stopped


class Senders:
    """with Senders(server, 8) as senders: ...; then senders.failures is what went wrong, which must be []."""

    def __init__(self, server, count, host=HOST):
        self.server = server
        self.failures = []
        self.bodies = []
        self._host = host
        self._address = server.https
        self._end = False
        self._news = threading.Condition()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(count)]

    def _run(self):
        while not self._end:
            try:
                response = fetch(self.server, self._host, self._address)
                assert response.status == 200
                with self._news:
                    self.bodies.append(response.body)
                    self._news.notify_all()
            except Exception as error:  # whatever it is: a sender would see it
                self.failures.append(repr(error))

    def wait(self, count):
        """Until so many more fetches are through."""
        with self._news:
            wanted = len(self.bodies) + count
            assert self._news.wait_for(lambda: len(self.bodies) >= wanted or self.failures, PATIENCE)

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._end = True
        for thread in self._threads:
            thread.join(PATIENCE)


def fetch_from_each(server, host=HOST):
    """One fetch from each worker, so that all have the host's certificate in memory."""
    workers = server.workers()
    for worker in workers:
        with stopped(*(other for other in workers if other.pid != worker.pid)):
            assert fetch(server, host).status == 200
