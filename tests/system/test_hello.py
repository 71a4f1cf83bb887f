"""ClientHellos of every shape: what is refused gets its exact alert and a clean end, the rest a fetch."""

import time

import pytest

from lib.client import connect, fetch, request, shaped
from lib.hello import (HELLO_RETRY_REQUEST, ILLEGAL_PARAMETER, P256, UNRECOGNIZED_NAME, X25519,
                       X25519MLKEM768, ServerHello, alert, answer, client_hello, every_byte,
                       extension, records, refused, resplit, server_name, x25519_share)
from lib.server import HOST, ORG, ORG_BODY, Server
from lib.tools import run, s_client


@pytest.fixture(scope="module")
def server(make_site):
    site = make_site()
    site.configure(ORG, listen=["127.0.0.1:0", "[::1]:0"])
    site.install("example.org")
    with Server(site) as running:
        yield running


# --- names that are nobody's

NOBODY = {
    "none": None,
    "another domain's": "mta-sts.example.net",
    "the policy domain": "example.org",
    "no policy host": "mail.example.org",
    "below the policy host": "www.mta-sts.example.org",
    "twice the prefix": "mta-sts.mta-sts.example.org",
    "longer": "mta-sts.example.orgx",
    "shorter": "mta-sts.example.or",
    "prefix alone": "mta-sts.",
    "an address": "127.0.0.1",
    "NUL behind it": HOST + "\0",
    "NUL and more": HOST + "\0.example.net",
    "slash": "mta-sts.../../etc/passwd",
    "a path": "mta-sts.example.org/../x",
    "255 bytes": "a" * 63 + "." + "b" * 63 + "." + "c" * 63 + "." + "d" * 63,
    "300 bytes": HOST + "x" * 280,
    "10000 bytes": HOST + "x" * 10000,
}


@pytest.mark.parametrize("versions", [(), (0x0304, 0x0303), (0x0304,)], ids=["1.2", "both", "1.3"])
@pytest.mark.parametrize("name", NOBODY)
def test_a_name_that_is_nobodys_is_unrecognized(server, name, versions):
    # answer() fails on a reset and on bytes behind the alert
    assert refused(server.https, records(client_hello(NOBODY[name], versions=versions))) \
        == UNRECOGNIZED_NAME


def test_an_empty_host_name_is_not_served(server):
    assert refused(server.https, records(client_hello(""))) in (50, UNRECOGNIZED_NAME)


def test_a_hello_without_any_extension_is_unrecognized(server):
    body = b"\3\3" + bytes(32) + b"\0" + b"\0\2\xc0\x2b" + b"\1\0"
    hello = b"\1" + len(body).to_bytes(3, "big") + body
    assert refused(server.https, records(hello)) == UNRECOGNIZED_NAME


def test_openssl_reports_the_alert_by_its_name(server):
    for option in ("-tls1_2", "-tls1_3"):
        said = s_client(server, option, host="mta-sts.example.net").stdout.decode()
        assert "unrecognized name" in said
        assert "no peer certificate available" in said


def test_the_alert_comes_without_waiting(server):
    before = time.monotonic()
    assert refused(server.https, records(client_hello("mta-sts.example.net"))) == UNRECOGNIZED_NAME
    assert time.monotonic() - before < 2


def test_the_alert_is_not_lost_when_the_client_has_sent_more(server):
    hello = records(client_hello("mta-sts.example.net"))
    assert refused(server.https, hello, b"\x17\x03\x03\x40\0" + b"x" * 300000) == UNRECOGNIZED_NAME


# --- what two readers could read in two ways

def test_two_host_names_are_an_illegal_parameter(server):
    hello = client_hello(None, first=server_name(HOST, "mta-sts.example.net"))
    assert refused(server.https, records(hello)) == ILLEGAL_PARAMETER


def test_the_same_host_name_twice_is_an_illegal_parameter(server):
    hello = client_hello(None, first=server_name(HOST, HOST))
    assert refused(server.https, records(hello)) == ILLEGAL_PARAMETER


@pytest.mark.parametrize("second", [HOST, "mta-sts.example.net"])
@pytest.mark.parametrize("versions", [(), (0x0304, 0x0303)], ids=["1.2", "1.3"])
def test_two_server_name_extensions_are_an_illegal_parameter(server, second, versions):
    hello = client_hello(HOST, versions=versions, last=server_name(second))
    assert refused(server.https, records(hello)) == ILLEGAL_PARAMETER


def test_any_repeated_extension_is_an_illegal_parameter(server):
    hello = client_hello(first=extension(0x1234, b"x"), last=extension(0x1234, b"y"))
    assert refused(server.https, records(hello)) == ILLEGAL_PARAMETER


@pytest.mark.parametrize("sizes", [(), (4,), (1000,) * 16], ids=["full records", "early", "small"])
def test_a_hello_over_16_kilobytes_is_an_illegal_parameter(server, sizes):
    hello = client_hello(last=extension(21, bytes(16384)))
    assert refused(server.https, records(hello, *sizes)) == ILLEGAL_PARAMETER


def test_a_hello_that_announces_too_much_is_refused_before_it_comes(server):
    start = records(b"\1" + (16 * 1024 * 1024 - 1).to_bytes(3, "big"))
    assert refused(server.https, start) == ILLEGAL_PARAMETER


def test_a_hello_just_below_16_kilobytes_is_answered(server):
    hello = client_hello(last=extension(21, bytes(15900)))
    assert len(records(hello)) < 16384
    assert ServerHello(server.https, records(hello)).suite == 0x1301


# --- what is no hello

NOT_TLS = {
    "HTTP": b"GET / HTTP/1.1\r\nHost: mta-sts.example.org\r\n\r\n",
    "SSLv2": bytes.fromhex("802e0100020015000000100100800200800300800400800500800600") + bytes(22),
    "zeros": bytes(100),
    "SMTP": b"EHLO example.org\r\n",
    "a PROXY header": b"PROXY TCP4 192.0.2.1 192.0.2.2 1234 443\r\n",
    "a TLS alert": bytes.fromhex("15030300020100"),
    "application data": b"\x17\x03\x03\x00\x05hello",
    "another major version": b"\x16\x02\x00\x00\x05hello",
    "one byte": b"G",
    "much": b"\xff" * 300000,
}


@pytest.mark.parametrize("name", NOT_TLS)
def test_bytes_that_are_no_tls_end_the_connection_without_a_word(server, name):
    before = time.monotonic()
    assert answer(server.https, NOT_TLS[name]) == b""
    assert time.monotonic() - before < 2, "that was the deadline"


def test_curl_with_plain_http_gets_nothing(server):
    address, port = server.https
    done = run("curl", "-sS", f"http://{address}:{port}/")
    assert (done.returncode, b"Empty reply" in done.stdout) == (52, True)


@pytest.mark.parametrize("cut", [1, 5, 6, 9, 50, -1])
def test_a_hello_that_ends_early_is_the_end(server, cut):
    assert answer(server.https, records(client_hello())[:cut], half_close=True) == b""


def _one_byte_more(hello):
    return b"\1" + (len(hello) - 3).to_bytes(3, "big") + hello[4:] + b"x"


BROKEN = {
    "a certificate instead": b"\x0b" + bytes(50),
    "a length that leads out of it": client_hello(last=b"\x12\x34\0\x64"),
    "a session id of 255 bytes": client_hello()[:38] + b"\xff" + client_hello()[39:],
    "bytes behind the extensions": _one_byte_more(client_hello()),
    "no cipher suites": client_hello(suites=()),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_hello_gets_one_fatal_alert(server, name):
    level, _ = alert(answer(server.https, records(BROKEN[name])))
    assert level == 2


def test_silence_ends_after_five_seconds(server):
    before = time.monotonic()
    assert answer(server.https, records(client_hello())[:-1]) == b""
    assert 4 < time.monotonic() - before < 8


# --- over IPv6, and what it costs

def test_what_is_refused_is_refused_over_ipv6_alike(server):
    address = server.address("https", "[::1]:0")
    twice = client_hello(first=extension(0x1234, b"x"), last=extension(0x1234, b"y"))
    assert refused(address, records(client_hello("mta-sts.example.net"))) == UNRECOGNIZED_NAME
    assert refused(address, records(client_hello(None))) == UNRECOGNIZED_NAME
    assert refused(address, records(twice)) == ILLEGAL_PARAMETER
    assert refused(address, records(client_hello(last=extension(21, bytes(16384))))) == ILLEGAL_PARAMETER
    assert answer(address, NOT_TLS["HTTP"]) == b""


def test_what_is_refused_never_takes_a_place_with_tls_state(serve, site):
    site.install("example.org")
    server = serve(ORG, "[nothing.example]\nmode = none\nmx = mail.example.org\n", server="workers = 1\nmax_tls = 1\nmax_connections_per_ip = 0")
    with connect(server.https) as stream, connect(server.https) as half:
        stream.sendall(records(client_hello()))
        assert stream.recv(1) == b"\x16"  # it has the one place
        half.sendall(records(client_hello())[:-1])
        for name in None, "mta-sts.example.net", "mta-sts.nothing.example":
            assert refused(server.https, records(client_hello(name))) == UNRECOGNIZED_NAME
        stream.settimeout(0.3)
        with pytest.raises(TimeoutError):
            while stream.recv(65536):
                pass
            raise AssertionError("it was put out")
        assert fetch(server).body == ORG_BODY  # which does put it out
        stream.settimeout(5)
        try:
            while stream.recv(65536):
                pass
        except ConnectionResetError:
            pass


# --- shapes of a good hello

@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_hello_byte_by_byte(server, version):
    with shaped(server, every_byte, version=version) as connection:
        assert connection.ask().body == ORG_BODY


SPLITS = [(4,), (5,), (6,), (38,), (39,), (100,), (4, 1), (4, 1, 1, 1), (50, 50, 50), (7,) * 20]


@pytest.mark.parametrize("sizes", SPLITS, ids=lambda sizes: f"{sizes[0]}x{len(sizes)}")
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_hello_in_several_records(server, version, sizes):
    with shaped(server, resplit(*sizes), version=version) as connection:
        assert connection.ask().body == ORG_BODY


def test_a_hello_in_records_and_each_byte_in_its_segment(server):
    with shaped(server, lambda data: every_byte(resplit(*[20] * 8)(data)[0])) as connection:
        assert connection.ask().body == ORG_BODY


@pytest.mark.parametrize("size", [1, 2, 3])
def test_an_unknown_name_is_refused_whatever_the_records(server, size):
    hello = client_hello("mta-sts.example.net")
    assert refused(server.https, records(hello, *[size] * (len(hello) // size))) == UNRECOGNIZED_NAME


def test_a_name_is_read_across_every_split(server):
    hello = client_hello("mta-sts.example.net", versions=())
    for size in range(1, len(hello)):
        assert refused(server.https, records(hello, size)) == UNRECOGNIZED_NAME, size


def test_a_hello_for_tls_1_2_is_told_that_there_is_1_3(server):
    # RFC 8446 section 4.1.3: a client that knows 1.3 sees that somebody made it fall back. RFC 7507's signal, which
    # scanners look for, would say the same once more.
    reply = ServerHello(server.https, records(client_hello(versions=())))
    assert reply.random[-8:] == b"DOWNGRD\1"


# --- key shares

def test_a_post_quantum_share_before_an_x25519_one(server):
    # As OpenSSL 3.5, Go and the browsers send it. On systems whose OpenSSL is that new, every
    # fetch of these tests is one.
    hello = client_hello(groups=(X25519MLKEM768, X25519, P256),
                         shares=[(X25519MLKEM768, bytes(range(256)) * 4 + bytes(192)), x25519_share()])
    assert len(hello) > 1400
    for data in (records(hello), records(hello, 100), records(hello, 1000)):
        reply = ServerHello(server.https, data)
        assert (reply.is_retry, reply.group, reply.suite) == (False, X25519, 0x1301)


def test_only_a_post_quantum_share_earns_a_retry(server):
    hello = client_hello(groups=(X25519MLKEM768, X25519), shares=[(X25519MLKEM768, bytes(1216))])
    reply = ServerHello(server.https, records(hello))
    assert (reply.random, reply.group) == (HELLO_RETRY_REQUEST, X25519)


def test_no_share_at_all_earns_a_retry(server):
    # RFC 8446 section 4.2.8: a client may leave the choice to the server
    reply = ServerHello(server.https, records(client_hello(groups=(P256,), shares=[])))
    assert (reply.is_retry, reply.group) == (True, P256)


@pytest.mark.parametrize("name", ["mta-sts.example.net", "mta-sts.other.example", None])
def test_a_name_that_changes_after_a_retry_is_an_illegal_parameter(server, name):
    # RFC 8446 section 4.1.2: nothing but the share may. The certificate was chosen by the first one.
    with connect(server.https) as stream:
        stream.sendall(records(client_hello(shares=[])))
        said = stream.recv(65536)
        assert said[11:43] == HELLO_RETRY_REQUEST
        stream.sendall(records(client_hello(name), version=0x0303))
        while piece := stream.recv(65536):
            said += piece
    kinds = {}
    while said:
        length = int.from_bytes(said[3:5], "big")
        kinds[said[0]], said = said[5:5 + length], said[5 + length:]
    assert kinds[21] == bytes([2, ILLEGAL_PARAMETER])
    assert set(kinds) <= {20, 21, 22} and kinds[22][:1] == b"\2" and kinds[22][6:38] == HELLO_RETRY_REQUEST


@pytest.mark.parametrize("groups", ["X448:P-256", "X448:X25519", "X448:P-384", "X448:P-521"])
def test_a_fetch_after_a_retry(server, groups):
    # The first group has s_client's only share, and this server does not take it.
    done = s_client(server, "-tls1_3", "-groups", groups, "-msg", "-showcerts",
                    feed=request(headers=["Connection: close"]))
    said = done.stdout.decode()
    assert said.count(", ClientHello") == 2, said
    assert said.count("BEGIN CERTIFICATE") == 2, "leaf and intermediate, once each"
    assert ORG_BODY in done.stdout


def test_openssl_with_its_own_post_quantum_group(server):
    # Where openssl knows it: as the only share, so that a retry follows. Elsewhere the tests above.
    known = b"X25519MLKEM768" in run("openssl", "list", "-tls-groups").stdout
    groups = "X25519MLKEM768:P-256" if known else "X25519:P-256"
    done = s_client(server, "-tls1_3", "-groups", groups, feed=request(headers=["Connection: close"]))
    assert ORG_BODY in done.stdout


# --- after all that

def test_many_clients_that_leave_do_not_matter(server):
    for _ in range(50):
        connect(server.https).close()
        with connect(server.https) as stream:
            stream.sendall(records(client_hello())[:20])
        with connect(server.https) as stream:
            stream.sendall(records(client_hello()))
    assert fetch(server).body == ORG_BODY
