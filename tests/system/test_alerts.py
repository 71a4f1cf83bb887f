"""The alert that each failure of a client ends in: sent once, of the kind that RFC 8446 section 6 has for it."""

import ssl
import struct

import pytest

from lib.client import connect, context, fetch, request
from lib.hello import ILLEGAL_PARAMETER, P256, X25519, answer, client_hello, records, refused, vector
from lib.server import HOST, ORG, ORG_BODY, Server

UNEXPECTED_MESSAGE, BAD_RECORD_MAC, RECORD_OVERFLOW, HANDSHAKE_FAILURE, DECODE_ERROR = 10, 20, 22, 40, 50
CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA = 20, 21, 22, 23


@pytest.fixture(scope="module")
def server(make_site):
    site = make_site()
    site.configure(ORG)
    site.install("example.org")
    with Server(site) as running:
        yield running
        assert fetch(running).body == ORG_BODY


def record(kind, content, version=0x0303):
    return struct.pack(">BH", kind, version) + vector(2, content)


def split(said):
    """Type and content of each record."""
    found = []
    while said:
        length = int.from_bytes(said[3:5], "big")
        found.append((said[0], said[5:5 + length]))
        said = said[5 + length:]
    return found


# --- a key share that is wrong

POINT = bytes.fromhex("046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"  # the generator of P-256
                      "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5")
SHARES = {
    "a point off the curve": (P256, POINT[:-1] + b"\xf4"),
    "a point that is cut": (P256, POINT[:-1]),
    "a compressed point": (P256, b"\2" + POINT[1:33]),
    "zero": (X25519, bytes(32)),
    "a number that is cut": (X25519, b"\1" * 31),
    "a number that is longer": (X25519, b"\1" * 33),
    "nothing": (X25519, b""),
}


@pytest.mark.parametrize("share", SHARES)
def test_a_wrong_key_share_is_an_illegal_parameter(server, share):
    hello = client_hello(versions=(0x0304,), groups=(X25519, P256), shares=[SHARES[share]])
    assert refused(server.https, records(hello)) == ILLEGAL_PARAMETER


def test_a_wrong_key_share_after_a_retry_is_an_illegal_parameter(server):
    first = records(client_hello(versions=(0x0304,), shares=[]))
    second = records(client_hello(versions=(0x0304,), shares=[(X25519, bytes(32))]))
    retry, change, alert = split(answer(server.https, first, second))
    assert (retry[0], change[0], alert) == (HANDSHAKE, CHANGE_CIPHER_SPEC, (ALERT, bytes([2, ILLEGAL_PARAMETER])))


def test_no_group_in_common_is_a_handshake_failure(server):
    for versions in (0x0304,), ():
        hello = client_hello(versions=versions, groups=(0x1234,), shares=[(0x1234, b"x" * 32)])
        assert refused(server.https, records(hello)) == HANDSHAKE_FAILURE


# --- within a handshake

RECORDS = {
    "an alert without content": (record(ALERT, b""), UNEXPECTED_MESSAGE),
    "half an alert": (record(ALERT, b"\2"), UNEXPECTED_MESSAGE),
    "a handshake record without content": (record(HANDSHAKE, b""), UNEXPECTED_MESSAGE),
    "a type that there is not": (record(99, b"x"), UNEXPECTED_MESSAGE),
    "a version that there is not": (record(HANDSHAKE, b"\x10\0\0\0", 0x0503), UNEXPECTED_MESSAGE),
    "application data": (record(APPLICATION_DATA, b"GET / HTTP/1.0\r\n\r\n"), UNEXPECTED_MESSAGE),
    "an early ChangeCipherSpec": (record(CHANGE_CIPHER_SPEC, b"\1"), UNEXPECTED_MESSAGE),
    "an early Finished": (record(HANDSHAKE, b"\x14\0\0\x0c" + bytes(12)), UNEXPECTED_MESSAGE),
    "a record over 16 kilobytes": (record(HANDSHAKE, bytes(20000)), RECORD_OVERFLOW),
    "a point off the curve": (record(HANDSHAKE, b"\x10" + vector(3, vector(1, POINT[:-1] + b"\xf4"))), DECODE_ERROR),
    "a key exchange without content": (record(HANDSHAKE, b"\x10\0\0\0"), DECODE_ERROR),
    "a Finished that is junk": (record(HANDSHAKE, b"\x10" + vector(3, vector(1, POINT))) + record(CHANGE_CIPHER_SPEC, b"\1")
                                + record(HANDSHAKE, b"\1" * 40), BAD_RECORD_MAC),
}


@pytest.mark.parametrize("what", RECORDS)
def test_what_does_not_belong_into_a_handshake_of_1_2_gets_one_alert(server, what):
    sent, description = RECORDS[what]
    hello = records(client_hello(versions=(), groups=(P256,)))
    *flight, last = split(answer(server.https, hello, sent))
    assert last == (ALERT, bytes([2, description]))
    assert {kind for kind, _ in flight} == {HANDSHAKE}


def test_a_client_that_has_ended_the_handshake_gets_no_alert(server):
    hello = records(client_hello(versions=(), groups=(P256,)))
    for sent, half_close in (record(ALERT, b"\2\x28"), False), (b"", True), (b"\x16\3", True):
        assert {kind for kind, _ in split(answer(server.https, hello, sent, half_close=half_close))} == {HANDSHAKE}


# --- later, as a client reads it that has the keys

class Client:
    """OpenSSL behind a test that may change what it sends."""

    def __init__(self, server, version):
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context(server.site, version).wrap_bio(self._in, self._out, server_hostname=HOST)
        self.stream = connect(server.https)

    def run(self, call, *arguments, change=lambda data: data):
        """What call gives, once the server has sent enough for it; change: of what is sent meanwhile."""
        while True:
            try:
                return call(*arguments)
            except ssl.SSLWantReadError:
                self.flush(change)
                data = self.stream.recv(65536)
                if data:
                    self._in.write(data)
                else:
                    self._in.write_eof()

    def flush(self, change=lambda data: data):
        if data := self._out.read():
            self.stream.sendall(change(data))

    def connect(self, change=lambda data: data):
        self.run(self._tls.do_handshake, change=change)
        self.flush(change)

    def ask(self, change=lambda data: data):
        """Sends a request, changed on its way, and reads."""
        self._tls.write(request())
        self.flush(change)
        self.run(self._tls.read, 1000)


@pytest.fixture(params=["1.2", "1.3"])
def client(server, request):
    made = Client(server, request.param)
    yield made
    made.stream.close()


def flip_the_last_bit(data):
    return data[:-1] + bytes([data[-1] ^ 1])


AFTERWARDS = {
    "a changed bit": (flip_the_last_bit, "SSLV3_ALERT_BAD_RECORD_MAC"),
    "a record that is cut": (lambda data: record(APPLICATION_DATA, data[5:12]), "SSLV3_ALERT_BAD_RECORD_MAC"),
    "a record without content": (lambda data: record(APPLICATION_DATA, b""), "SSLV3_ALERT_UNEXPECTED_MESSAGE"),
    "an alert without content": (lambda data: record(ALERT, b""), "SSLV3_ALERT_UNEXPECTED_MESSAGE"),
    "a type that there is not": (lambda data: record(99, b"x"), "SSLV3_ALERT_UNEXPECTED_MESSAGE"),
    "a record over 16 kilobytes": (lambda data: record(APPLICATION_DATA, bytes(18000)), "TLSV1_ALERT_RECORD_OVERFLOW"),
}


@pytest.mark.parametrize("what", AFTERWARDS)
def test_what_is_no_request_gets_its_alert(client, what):
    change, reason = AFTERWARDS[what]
    client.connect()
    with pytest.raises(ssl.SSLError) as error:
        client.ask(change)
    assert error.value.reason == reason


@pytest.mark.parametrize("client", ["1.2"], indirect=True)
def test_a_changed_finished_is_a_bad_record(client):
    """Under TLS 1.3, mbedTLS 3.6.6 encrypts this alert with the keys of the handshake, so that no client can read it."""
    sent = []

    def change(data):  # of the second flight, in which it is the last record
        sent.append(data)
        return flip_the_last_bit(data) if len(sent) == 2 else data

    with pytest.raises(ssl.SSLError) as error:
        client.connect(change)
        client.ask()
    assert error.value.reason == "SSLV3_ALERT_BAD_RECORD_MAC"
