"""usage: fetcher.py PARAMETERS.json

A client that fetches the policies of many hosts in turn over TLS, at a steady rate, until its standard input ends. Then
it prints one line of JSON: how many fetches it made, the longest, and each one that failed.

PARAMETERS: lib, the directories of the tests' modules; address; ca; rate, fetches a second; threads; hosts, with the
body that each must have.
"""

import collections
import json
import sys
import threading
import time
import types

parameters = json.load(open(sys.argv[1], encoding="utf-8"))
sys.path[:0] = parameters["lib"]

from lib import client  # noqa: E402 (needs the path)


def fetch(context, address, host):
    stream = client.connect(address)
    try:
        stream = context.wrap_socket(stream, server_hostname=host, suppress_ragged_eofs=False)
        connection = client.Connection(stream)
        response = connection.ask(host, headers=["Connection: close"])
        assert connection.rest() == b"", "bytes behind the response"
        return response
    finally:
        stream.close()


class Fetcher:
    def __init__(self):
        self.address = tuple(parameters["address"])
        self.context = client.context(types.SimpleNamespace(ca=parameters["ca"]))
        self.hosts = collections.deque(parameters["hosts"].items())
        self.done = threading.Event()
        self.lock = threading.Lock()
        self.fetches, self.longest, self.failures = 0, 0.0, []

    def next_host(self):
        with self.lock:
            self.hosts.rotate(-1)
            return self.hosts[0]

    def one(self):
        host, body = self.next_host()
        since = time.monotonic()
        failure = None
        try:
            response = fetch(self.context, self.address, host)
            if (response.status, response.body) != (200, body.encode()):
                failure = f"{response.status} {response.body!r}"
        except (OSError, AssertionError) as error:
            failure = f"{type(error).__name__}: {error}"
        took = time.monotonic() - since
        with self.lock:
            self.fetches += 1
            self.longest = max(self.longest, took)
            if failure:
                self.failures.append(f"{time.strftime('%H:%M:%S', time.gmtime())} {host} after {took:.3f} s: {failure}")

    def run(self):
        pause = parameters["threads"] / parameters["rate"]
        due = time.monotonic()
        while not self.done.is_set():
            self.one()
            due = max(due + pause, time.monotonic())
            self.done.wait(due - time.monotonic())


def main():
    fetcher = Fetcher()
    threads = [threading.Thread(target=fetcher.run) for _ in range(parameters["threads"])]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    fetcher.done.set()
    for thread in threads:
        thread.join()
    print(json.dumps({"fetches": fetcher.fetches, "longest": fetcher.longest, "failures": fetcher.failures}))


main()
