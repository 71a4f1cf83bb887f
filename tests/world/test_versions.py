"""Which programs the server was tested among: build/world/artefacts/versions.txt."""

import json
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SERVER = str(ROOT / "build/mta-stsd")
OPENSSL_3_0 = "/opt/openssl-3.0"


def packages():
    """Those that tests/world/packages names, as they are installed."""
    wanted = re.sub(r"#.*", "", (ROOT / "tests/world/packages").read_text()).split()
    return output("dpkg-query", "--show", "--showformat", "${Package} ${Version}\n", *wanted).splitlines()


def senders():
    exact = json.loads((ROOT / "tests/world/senders/package.json").read_text())["dependencies"]
    return [f"npm {name} {version}" for name, version in exact.items()]


def openssl_3_0():
    return output("env", f"LD_LIBRARY_PATH={OPENSSL_3_0}/usr/lib/x86_64-linux-gnu",
                  f"{OPENSSL_3_0}/usr/bin/openssl", "version")


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def test_the_versions_of_all_peers_are_kept():
    lines = [*output(SERVER, "-V").splitlines(), *packages(), f"Debian 12: {openssl_3_0()}", *senders()]
    (ROOT / "build/world/artefacts/versions.txt").write_text("\n".join(lines) + "\n")
    assert all(re.search(r"\d", line) for line in lines)


def test_the_server_among_them_puts_nettle_under_a_shared_mbedtls():
    """The other way, with a static one, is `make check`'s on Debian 12."""
    assert "libmbedcrypto.so" in output("ldd", SERVER)
    assert re.search(r"Nettle 3\.\d+: P-256, X25519, SHA-256, ECDSA, RSA; with libsodium 1\.0\.\d+$", output(SERVER, "-V"), re.M)
