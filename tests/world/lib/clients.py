"""Other people's TLS clients, all asked for the same: fetch a policy, and tell what was negotiated.

Each trusts what the system trusts. A client that is given an address for a name sends no name in its hello.
"""

import base64
import dataclasses
import ipaddress
import json
import re
from pathlib import Path

from cryptography import x509

from lib.ca import TRUSTED

PATIENCE = 90  # seconds for a fetch: a Java machine takes some to start, on a machine with much to do
POLICY = "/.well-known/mta-sts.txt"
PROGRAMS = Path(__file__).resolve().parent / "programs"
OPENSSL_3_0 = "/opt/openssl-3.0"

# What clients call the groups: OpenSSL, GnuTLS, and NSS, which tells nothing but the size.
GROUP_NAMES = {"x25519": "X25519", "255": "X25519",
               "prime256v1": "P-256", "secp256r1": "P-256", "p-256": "P-256", "256": "P-256",
               "secp384r1": "P-384", "p-384": "P-384", "384": "P-384"}


class Refused(Exception):
    """The client got no answer; what it said."""


@dataclasses.dataclass
class Fetched:
    version: str      # "1.2" or "1.3"
    group: str        # None from a client that does not tell
    retried: bool     # after a HelloRetryRequest; None from a client that does not tell
    names: list       # the leaf's DNS names
    answers: list     # pairs of status and body


def is_address(name):
    try:
        return bool(ipaddress.ip_address(name))
    except ValueError:
        return False


def requests(host, times):
    """So many requests, the last of which ends the connection."""
    one = f"GET {POLICY} HTTP/1.1\r\nHost: {host}\r\n"
    return ((one + "\r\n") * (times - 1) + one + "Connection: close\r\n\r\n").encode()


def responses(output):
    """The HTTP responses among what a client printed."""
    found = []
    at = output.find(b"HTTP/1.1 ")
    while at >= 0:
        head, _, rest = output[at:].partition(b"\r\n\r\n")
        length = int(re.search(rb"(?i)\r\ncontent-length: (\d+)", head)[1])
        assert len(rest) >= length, f"cut short: {output[at:]}"
        found.append((int(head[9:12]), rest[:length]))
        at = output.find(b"HTTP/1.1 ", at + len(head) + 4 + length)
    return found


def dns_names(pem):
    leaf = x509.load_pem_x509_certificate(pem.encode())
    return leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)


class Client:
    """One client on one host of the world. A kind of client says how it is called, and how it says things.

    groups: the field's name of a group to its own, for those that can be told which groups to offer; a list of two has
    a share for the first alone, retry is a list for which the server has to ask for another.
    """

    name = None
    groups = {}
    retry = None
    retried = None
    version = group = None
    certificate = r"-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----"

    def __init__(self, host, folder):
        self.host = host
        self.folder = folder
        self.prepare()

    def prepare(self):
        """What has to be there before the first call."""

    def fetch(self, name, version, *, header=None, times=1, groups=()):
        """Fetches the policy of this name, so many times in one connection. header: another Host than name."""
        groups = [self.groups[group] for group in groups]
        command = self.command(name, version, header, times, groups)
        done = self.host.run(*command, input=self.feed(header or name, times), timeout=PATIENCE, text=False, check=False)
        said = (done.stdout + done.stderr).decode("utf-8", "replace")
        fetched = self.told(done.stdout, said) if done.returncode == 0 else None
        if fetched is None or not fetched.answers:
            raise Refused(said)
        return fetched

    def feed(self, host, times):
        return b""

    def told(self, stdout, said):
        if not re.search(self.version, said):
            return None
        group = self.group and re.findall(self.group, said)[-1]
        return Fetched(version=re.search(self.version, said)[1], group=group and GROUP_NAMES[group.lower()],
                       retried=len(re.findall(self.retried, said)) > 1 if self.retried else None,
                       names=dns_names(re.search(self.certificate, said)[0]), answers=responses(stdout))


class Curl(Client):
    name = "curl"
    groups = {name: name for name in ("X25519", "P-256", "P-384", "X448", "X25519MLKEM768")}
    retry = ("X448", "X25519")
    version = r"SSL connection using TLSv(1\.\d)"
    group = r"SSL connection using TLSv1\.\d / \w[\w-]* / (\w+) /"
    retried = r"\(IN\), TLS handshake, Server hello"

    def command(self, name, version, header, times, groups):
        return ["curl", "--silent", "--show-error", "--verbose", "--include", f"--tlsv{version}", "--tls-max", version,
                *(["--curves", ":".join(groups)] if groups else []), *(["--header", f"Host: {header}"] if header else []),
                "--write-out", "%{stderr}%{certs}", *[f"https://{name}{POLICY}"] * times]


class OpenSSL(Client):
    """s_client of Debian 13."""

    name = "openssl-3.5"
    program = ("openssl",)
    groups = Curl.groups
    retry = ("X448", "X25519")
    version = r"(?m)^New, TLSv(1\.\d)"
    group = r"Temp Key: (?:ECDH, )?(\w+)"
    retried = r"<<< TLS 1\.\d, Handshake \[length \w+\], ServerHello\b"

    def command(self, name, version, header, times, groups):
        named = ["-noservername"] if is_address(name) else ["-servername", name, "-verify_hostname", name]
        return [*self.program, "s_client", "-connect", f"{name}:443", *named, "-verify_return_error", "-ign_eof", "-msg",
                f"-tls{version.replace('.', '_')}", *(["-groups", ":".join(groups)] if groups else [])]

    def feed(self, host, times):
        return requests(host, times)


class OpenSSL30(OpenSSL):
    """s_client of Debian 12."""

    name = "openssl-3.0"
    program = ("env", f"LD_LIBRARY_PATH={OPENSSL_3_0}/usr/lib/x86_64-linux-gnu", f"{OPENSSL_3_0}/usr/bin/openssl")
    groups = {name: name for name in ("X25519", "P-256", "P-384", "X448")}


class GnuTLS(Client):
    name = "gnutls"
    groups = {"X25519": "X25519", "P-256": "SECP256R1", "P-384": "SECP384R1", "X448": "X448"}
    retry = ("X448", "X25519")
    version = r"Description: \(TLS(1\.\d)"
    group = r"Description: \(TLS1\.\d-X\.509\)-\(ECDHE-(\w+)\)"
    retried = r"(?:HELLO RETRY REQUEST|SERVER HELLO) \(\d+\) was received"

    def command(self, name, version, header, times, groups):
        priority = f"NORMAL:-VERS-ALL:+VERS-TLS{version}"
        if groups:
            priority += ":-GROUP-ALL" + "".join(f":+GROUP-{group}" for group in groups)
        return ["gnutls-cli", "--debug", "4", "--print-cert", "--priority", priority,
                *(["--single-key-share"] if len(groups) > 1 else []), name]

    def feed(self, host, times):
        return requests(host, times)


class NSS(Client):
    """tstclnt. NSS knows no file of CAs: as Firefox and Chrome do, it trusts a database."""

    name = "nss"
    groups = {"X25519": "x25519", "P-256": "P256", "P-384": "P384", "X25519MLKEM768": "mlkem768x25519"}
    retry = ("X25519MLKEM768", "X25519")
    version = r"SSL version 3\.(\d)"
    group = r"Key Exchange: (\d+)-bit"

    def prepare(self):
        self.host.run("certutil", "-N", "-d", f"sql:{self.folder}", "--empty-password")
        self.host.run("certutil", "-A", "-d", f"sql:{self.folder}", "-n", "world", "-t", "C,,", "-i", TRUSTED)

    def command(self, name, version, header, times, groups):
        request = self.folder / "request"
        request.write_bytes(requests(header or name, times))
        return ["tstclnt", "-d", f"sql:{self.folder}", "-h", name, "-p", "443", "-V", f"tls{version}:tls{version}",
                "-v", *["-C"] * 3, *(["-I", ",".join(groups)] if groups else []), "-A", request]

    def told(self, stdout, said):
        fetched = super().told(stdout, said)
        if fetched:
            fetched.version = {"3": "1.2", "4": "1.3"}[fetched.version]
        return fetched


class Program(Client):
    """A few lines of ours in somebody's language and TLS: they print JSON."""

    def told(self, stdout, said):
        told = json.loads(stdout)
        groups = re.findall(self.group, said) if self.group else [told["group"]]
        group = groups[-1] if groups else None
        return Fetched(version=told["version"].removeprefix("TLSv"), group=group and GROUP_NAMES[group.lower()],
                       retried=bool(re.search(self.retried, said)) if self.retried else None,
                       names=dns_names(told["certificate"]),
                       answers=[(status, base64.b64decode(body)) for status, body in told["answers"]])


class Python(Program):
    name = "python"
    def command(self, name, version, header, times, groups):
        return ["python3", PROGRAMS / "fetch.py", version, name, header or "", str(times)]


class Node(Program):
    name = "node"
    groups = OpenSSL30.groups
    retry = ("X448", "X25519")

    def command(self, name, version, header, times, groups):
        return ["node", "--use-openssl-ca", PROGRAMS / "fetch.mjs", version, name, header or "", str(times),
                ":".join(groups)]


class Java(Program):
    """Tells its group by its debugging output alone, which slows it down."""

    name = "java"
    groups = {"X25519": "x25519", "P-256": "secp256r1", "P-384": "secp384r1", "X448": "x448"}
    retry = ("X448", "X25519")
    group = r'"named group": "?(\w+)'
    retried = '"HelloRetryRequest"'

    def prepare(self):
        # Debian's runtime brings the compiler's module, not its command.
        self.host.run("java", "-m", "jdk.compiler/com.sun.tools.javac.Main", "-d", self.folder, PROGRAMS / "Fetch.java")

    def command(self, name, version, header, times, groups):
        return ["java", "-cp", self.folder, f"-Djdk.tls.client.protocols=TLSv{version}",
                *([f"-Djdk.tls.namedGroups={','.join(groups)}", "-Djavax.net.debug=ssl:handshake"] if groups else []),
                "-Dsun.net.http.allowRestrictedHeaders=true", "Fetch", name, header or "", str(times)]


KINDS = {kind.name: kind for kind in (Curl, OpenSSL, OpenSSL30, GnuTLS, NSS, Python, Node, Java)}
