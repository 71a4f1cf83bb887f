"""The CA that every program of the world trusts, as programs trust the public ones: by the system's store.

Run as a program it makes the CA, and puts its root where update-ca-certificates finds it.
"""

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from lib import pki

FOLDER = Path("/etc/world-ca")
TRUSTED = Path("/usr/local/share/ca-certificates/world.crt")


class Files:
    """A certificate with its intermediate, its key, and the two in one, for programs that want it so."""

    def __init__(self, folder, pair):
        pair.write(folder)
        pair.write(folder, certificate="both.pem", key=None)
        self.pair = pair
        self.certificate = folder / "fullchain.pem"
        self.key = folder / "privkey.pem"
        self.both = folder / "both.pem"


class WorldCA(pki.Authority):
    """The CA that was made before the tests began; each worker of the tests reads it."""

    def __init__(self, folder):
        self._folder = folder  # for the files of issue_files
        self._count = 0
        self.root = _load("root")
        self.intermediate = _load("intermediate")
        self.root_file = TRUSTED

    def issue_files(self, *names, kind="p256", **options):
        """A certificate for names, as Files; kind and options are those of pki.Authority.issue."""
        self._count += 1
        return Files(self._folder / f"{self._count}-{names[0].replace('*', '_')}",
                     self.issue(*names, kind=kind, **options))


class _Loaded:
    def __init__(self, key, certificate):
        self.key = key
        self.certificate = certificate


def _load(name):
    key = serialization.load_pem_private_key((FOLDER / f"{name}.key").read_bytes(), None)
    return _Loaded(key, x509.load_pem_x509_certificate((FOLDER / f"{name}.pem").read_bytes()))


def _save(name, issuer):
    pair = pki.Pair(issuer.key, [issuer.certificate])
    pair.write(FOLDER, certificate=f"{name}.pem", key=f"{name}.key")


if __name__ == "__main__":
    authority = pki.Authority()
    _save("root", authority.root)
    _save("intermediate", authority.intermediate)
    TRUSTED.write_bytes(authority.root_pem())
