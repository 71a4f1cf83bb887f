"""Other people's clients, and the one helper that asks again and again."""

import subprocess
import time

from lib.client import POLICY
from lib.server import HOST, PATIENCE


def run(*command, feed=b"", timeout=PATIENCE):
    """Runs a command to its end; gives what subprocess.run does, standard error in stdout."""
    return subprocess.run([str(part) for part in command], input=feed, timeout=timeout,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def curl(server, *options, host=HOST, path=POLICY):
    """curl as README shows it; standard output is the body, or the message of an error."""
    address, port = server.https
    address = f"[{address}]" if ":" in address else address
    return run("curl", "-sS", "--resolve", f"{host}:{port}:{address}", "--cacert", server.site.ca,
               *options, f"https://{host}:{port}{path}")


def s_client(server, *options, host=HOST, feed=b""):
    """openssl s_client, fed with bytes; behind a request it waits for the server's end."""
    address, port = server.https
    if feed.endswith(b"\r\n\r\n"):
        options = ("-ign_eof", *options)
    return run("openssl", "s_client", "-connect", f"{address}:{port}", "-servername", host,
               "-CAfile", server.site.ca, "-verify_return_error", "-verify_hostname", host,
               *options, feed=feed)


def gnutls_cli(server, *options, host=HOST, feed=b""):
    address, port = server.https
    return run("gnutls-cli", "--port", port, "--sni-hostname", host, "--verify-hostname", host,
               "--x509cafile", server.site.ca, *options, address, feed=feed)


def eventually(within, attempt):
    """Asks until attempt gives something true, within so many seconds.

    Only for what the server promises "within so many seconds" with no line or event to wait for.
    """
    deadline = time.monotonic() + within
    while True:
        result = attempt()
        if result:
            return result
        assert time.monotonic() < deadline, f"not within {within} s"
        time.sleep(0.05)
