"""Nettle's arithmetic under mbedTLS, seen from outside: what is no share is refused, and every key serves."""

import re
import ssl

import pytest

from lib.client import connect, context, fetch
from lib.hello import P256, X25519, alert, client_hello, records, vector
from lib.server import HOST, ORG, ORG_BODY, Server, run_mta_stsd
from lib.tools import s_client

KINDS = {"p256": "example.org", "p384": "p384.example", "p521": "p521.example", "rsa2048": "rsa2048.example",
         "rsa3072": "rsa3072.example"}


@pytest.fixture(scope="module")
def server(make_site):
    site = make_site()
    site.configure(ORG, *(f"[{domain}]\nmode = enforce\nmx = mail.example.org\n" for domain in KINDS.values()
                          if domain != "example.org"))
    for kind, domain in KINDS.items():
        site.install(domain, kind=kind)
    with Server(site) as running:
        yield running


# --- Shares of small order: whoever takes one has a secret that everybody knows (RFC 7748 section 6.1)

P = 2 ** 255 - 19
ORDER_8 = [0xb8495f16056286fdb1329ceb8d09da6ac49ff1fae35616aeb8413b7c7aebe0,
           0x57119fd0dd4e22d8868e1c58c45c44045bef839c55b1d0b1248c50a3bc959c5f]
TOP_BIT = 2 ** 255  # which a receiver has to ignore (RFC 7748 section 5)
SMALL = [number + top for top in (0, TOP_BIT) for number in (0, 1, *ORDER_8, P - 1, P, P + 1)]
GOOD = 9  # the generator: the share of a client whose scalar is 1
BAD_RECORD_MAC, ILLEGAL_PARAMETER, DECODE_ERROR = 20, 47, 50


def as_share(number):
    return number.to_bytes(32, "little")


def to_the_end(stream):
    said = b""
    try:
        while piece := stream.recv(65536):
            said += piece
    except ConnectionResetError:
        pass  # what was sent behind the share was not read any more
    return said


def messages(stream):
    """The handshake messages of plain records, as (type, content)."""
    pending = b""
    with stream.makefile("rb") as file:
        while head := file.read(5):
            assert head[0] == 22, f"a record of type {head[0]}"
            pending += file.read(int.from_bytes(head[3:], "big"))
            while len(pending) >= 4 and len(pending) >= (end := 4 + int.from_bytes(pending[1:4], "big")):
                yield pending[0], pending[4:end]
                pending = pending[end:]


def answer_to_1_2(server, share):
    """What is said to a ClientKeyExchange (RFC 8422 section 5.7) with this share, and a Finished that is none."""
    with connect(server.https) as stream:
        stream.sendall(records(client_hello(versions=(), groups=(X25519, P256), suites=(0xC02B,))))
        kinds = []
        for kind, content in messages(stream):
            kinds.append(kind)
            if kind == 12:  # ServerKeyExchange: a named curve, X25519, and a share
                assert content[:4] == b"\3\0\x1d\x20"
            if kind == 14:  # ServerHelloDone
                break
        assert kinds == [2, 11, 12, 14]
        stream.sendall(records(b"\x10" + vector(3, vector(1, share)), version=0x0303)
                       + b"\x14\3\3\0\1\1" + records(bytes(40), version=0x0303))
        return to_the_end(stream)


def answer_to_1_3(server, share):
    with connect(server.https) as stream:
        stream.sendall(records(client_hello(versions=(0x0304,), shares=[(X25519, share)])))
        return stream.recv(65536)


@pytest.mark.parametrize("number", SMALL, ids=hex)
def test_a_share_of_small_order_ends_tls_1_2(server, number):
    assert alert(answer_to_1_2(server, as_share(number))) == (2, DECODE_ERROR)
    assert fetch(server).body == ORG_BODY


@pytest.mark.parametrize("number", SMALL, ids=hex)
def test_a_share_of_small_order_ends_tls_1_3(server, number):
    assert alert(answer_to_1_3(server, as_share(number))) == (2, ILLEGAL_PARAMETER)
    assert fetch(server).body == ORG_BODY


@pytest.mark.parametrize("top", [0, TOP_BIT], ids=["", "top bit"])
def test_any_other_share_is_taken(server, top):
    # so that it is for the share that those are refused
    assert alert(answer_to_1_2(server, as_share(GOOD + top))) == (2, BAD_RECORD_MAC)
    said = answer_to_1_3(server, as_share(GOOD + top))
    assert (said[0], said[5]) == (22, 2), "a ServerHello"


# --- Keys

@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_key_signs_under_each_version(server, kind, version):
    for _ in range(5):
        assert fetch(server, f"mta-sts.{KINDS[kind]}", version=version).body == ORG_BODY


@pytest.mark.parametrize("group", ["X25519", "P-256", "P-384", "P-521"])
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_each_group_exchanges_keys_under_each_version(server, version, group):
    groups = [group] if version == "-tls1_3" or group == "P-256" else [group, "P-256"]  # the certificate's, under 1.2
    said = s_client(server, version, "-groups", ":".join(groups)).stdout.decode()
    assert "Verify return code: 0 (ok)" in said, said


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_every_signature_of_many_is_good(server, version):
    # OpenSSL looks at each: its r and s are of 29 to 33 bytes, with and without zeros before them
    made = context(server.site, version=version)
    for _ in range(300):
        with connect(server.https) as stream:
            try:
                made.wrap_socket(stream, server_hostname=HOST).close()
            except ssl.SSLError as error:
                raise AssertionError(f"refused: {error}") from error


# --- What is said of it

def test_v_tells_whose_curves_they_are():
    said = run_mta_stsd("-V").stdout
    assert re.search(r"curves: (stock|Nettle 3\.\d+: P-256, X25519, SHA-256, ECDSA, RSA(; with libsodium [0-9.]+)?)$",
                     said, re.M), said
