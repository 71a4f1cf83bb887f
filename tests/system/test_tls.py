"""Handshakes with every kind of certificate, version, and client."""

import contextlib
import re
import socket
import threading
import time

import pytest

from lib.client import connect, context, fetch, refused_alert, request, tls
from lib.hello import PROTOCOL_VERSION, client_hello, records, refused
from lib.processes import stopped
from lib.server import HOST, ORG, ORG_BODY, PATIENCE, Server
from lib.tools import curl, eventually, gnutls_cli, s_client

KINDS = {"p256": "example.org", "p384": "p384.example", "rsa2048": "rsa.example"}
FETCH = request(headers=["Connection: close"])


@pytest.fixture(scope="module")
def server(make_site):
    site = make_site()
    policies = [ORG] + [f"[{domain}]\nmode = enforce\nmx = mail.example.org\n"
                        for domain in KINDS.values() if domain != "example.org"]
    site.configure(*policies, listen=["127.0.0.1:0", "[::1]:0"])
    with Server(site) as running:
        running.pairs = {kind: site.install(domain, kind=kind) for kind, domain in KINDS.items()}
        yield running


@pytest.mark.parametrize("family", ["127.0.0.1:0", "[::1]:0"], ids=["ipv4", "ipv6"])
@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_certificate_under_each_version(server, kind, version, family):
    response = fetch(server, f"mta-sts.{KINDS[kind]}", version=version,
                     address=server.address("https", family))
    assert (response.status, response.body) == (200, ORG_BODY)
    assert response.certificate == server.pairs[kind].leaf_der()


def test_a_client_that_may_choose_gets_tls_1_3(server):
    with tls(server) as connection:
        assert connection.stream.version() == "TLSv1.3"


def test_the_name_is_asked_for_in_any_case(server):
    # DNS names have no case (RFC 6066 section 3); the certificate is checked by OpenSSL
    with tls(server, HOST.upper()) as connection:
        assert connection.ask().body == ORG_BODY


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_the_whole_chain_is_sent_leaf_first(server, version):
    option = "-tls1_" + version[2]
    said = s_client(server, "-showcerts", option, feed=FETCH).stdout.decode()
    subjects = re.findall(r"^ *\d+ s:(.*)$", said, re.M)
    assert len(subjects) == 2, said
    assert HOST in subjects[0] and "intermediate" in subjects[1]
    assert "Verify return code: 0 (ok)" in said


# --- application protocol

@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("offered", [["http/1.1"], ["h2", "http/1.1"]], ids="-".join)
def test_http_1_1_is_chosen(server, version, offered):
    with tls(server, version=version, alpn=offered) as connection:
        assert connection.stream.selected_alpn_protocol() == "http/1.1"
        assert connection.ask().status == 200


def test_nothing_in_common_is_no_application_protocol(server):
    # RFC 7301 section 3.2
    for option in ("-tls1_2", "-tls1_3"):
        assert "no application protocol" in s_client(server, option, "-alpn", "h2").stdout.decode()


# --- cipher suites

@pytest.mark.parametrize("kind, suite", [
    ("p256", "ECDHE-ECDSA-AES256-GCM-SHA384"), ("p256", "ECDHE-ECDSA-AES128-GCM-SHA256"),
    ("p256", "ECDHE-ECDSA-CHACHA20-POLY1305"), ("rsa2048", "ECDHE-RSA-AES256-GCM-SHA384"),
    ("rsa2048", "ECDHE-RSA-AES128-GCM-SHA256")])
def test_clients_with_one_suite_of_tls_1_2(server, kind, suite):
    host = f"mta-sts.{KINDS[kind]}"
    assert fetch(server, host, version="1.2", ciphers=suite).body == ORG_BODY


@pytest.mark.parametrize("suite", ["TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256",
                                   "TLS_CHACHA20_POLY1305_SHA256"])
@pytest.mark.parametrize("least", ["--tlsv1.2", "--tlsv1.3"])
def test_clients_with_one_suite_of_tls_1_3(server, suite, least):
    # FACTS: a server that knows only SHA-256 suites fails a client that has only AES-256
    done = curl(server, least, "--tls13-ciphers", suite, "--ciphers", "ECDHE-ECDSA-AES256-GCM-SHA384")
    assert (done.returncode, done.stdout) == (0, ORG_BODY)


@pytest.mark.parametrize("version, suite", [("1.2", "ECDHE-ECDSA-AES128-GCM-SHA256"), ("1.3", "TLS_AES_128_GCM_SHA256")])
def test_the_cheaper_suite_is_chosen_where_both_are_offered(server, version, suite):
    # OpenSSL's list begins with AES-256
    with tls(server, version=version) as connection:
        assert connection.stream.cipher()[0] == suite


def test_suites_without_forward_secrecy_are_refused(server):
    assert refused_alert(server, "mta-sts.rsa.example", version="1.2",
                         ciphers="AES128-GCM-SHA256") == "SSLV3_ALERT_HANDSHAKE_FAILURE"


# --- what is not done

@pytest.mark.parametrize("legacy", [0x0300, 0x0301, 0x0302])
def test_versions_before_1_2_are_refused(server, legacy):
    hello = client_hello(legacy=legacy, versions=(), suites=(0xC009, 0xC013, 0x002F))
    assert refused(server.https, records(hello)) == PROTOCOL_VERSION


def test_renegotiation_is_refused(server):
    # Asked for on a line "R" of its own. What s_client waits for then never comes.
    said = s_client(server, "-tls1_2", feed=b"R\n").stdout.decode()
    assert "RENEGOTIATING" in said
    assert re.search(r"no renegotiation|unexpected eof|alert", said), said
    assert said.count("Server certificate") == 1
    assert fetch(server).status == 200


def test_no_session_is_offered_for_resumption(server):
    # Senders come about daily; a ticket would be one more secret to share
    for option in ("-tls1_2", "-tls1_3"):
        said = s_client(server, option, feed=FETCH).stdout.decode()
        assert "HTTP/1.1 200" in said
        assert "TLS session ticket:" not in said
        assert "Post-Handshake New Session Ticket" not in said


# --- clients that are not OpenSSL's library, and their ways

@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("said", [b"", FETCH[:20], request()], ids=["nothing", "half a request", "a request"])
def test_a_close_notify_is_answered_by_one(server, said, version):
    """RFC 8446 section 6.1, RFC 5246 section 7.2.1: whatever has been said before."""
    with tls(server, version=version) as connection:
        connection.send(said)
        if said == request():
            assert connection.response().status == 200
        connection.stream.unwrap().close()  # an exception without the server's


def test_openssl_s_client_fetches(server):
    for option in ("-tls1_2", "-tls1_3"):
        assert ORG_BODY in s_client(server, option, "-quiet", feed=FETCH).stdout


@pytest.mark.parametrize("priority", ["NORMAL", "NORMAL:-VERS-TLS1.3", "NORMAL:-VERS-ALL:+VERS-TLS1.3",
                                      "NORMAL:-GROUP-ALL:+GROUP-SECP256R1",
                                      "NORMAL:-GROUP-ALL:+GROUP-X25519:-VERS-ALL:+VERS-TLS1.3",
                                      "NORMAL:-GROUP-ALL:+GROUP-SECP384R1"])
@pytest.mark.parametrize("kind", KINDS)
def test_gnutls_fetches(server, kind, priority):
    host = f"mta-sts.{KINDS[kind]}"
    done = gnutls_cli(server, "--priority", priority, host=host,
                      feed=request(host, headers=["Connection: close"]))
    assert ORG_BODY in done.stdout, done.stdout.decode()


# --- one client keeps no other waiting

def test_a_flood_of_records_that_mean_nothing_holds_nobody_up(site, serve):
    # Under TLS 1.3 mbedTLS passes over any number of ChangeCipherSpec records in one call.
    site.install("example.org")
    server = serve(ORG, server="workers = 1")
    under_way, done = threading.Event(), threading.Event()

    def flood(stream):
        try:
            while not done.is_set():
                for _ in range(100):  # 12 MB, more than lie in buffers: the worker is at it
                    stream.sendall(b"\x14\3\3\0\1\1" * 20000)
                under_way.set()
        except ConnectionError:
            pass

    with connect(server.https) as stream:
        stream.sendall(records(client_hello()))
        flooding = threading.Thread(target=flood, args=(stream,))
        flooding.start()
        try:
            assert under_way.wait(20)
            before = time.monotonic()
            assert fetch(server).body == ORG_BODY
            assert time.monotonic() - before < 4
        finally:
            done.set()
            stream.shutdown(socket.SHUT_RDWR)
            flooding.join()


@pytest.mark.parametrize("pieces, most", [
    ([request(method="HEAD") * 200], 20),
    ([bytes([byte]) for byte in request(headers=["X: " + "x" * 1000])], 0),
], ids=["many requests", "a record for each byte"])
def test_what_came_at_once_is_not_done_at_once(site, serve, pieces, most):
    site.install("example.org")
    server = serve(ORG, server="workers = 1")
    with tls(server) as first, tls(server) as busy, tls(server) as last:
        others = first, last  # before and behind it, wherever the loop begins
        with stopped(*server.workers()):
            first.send(request())
            busy.stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
            busy.send(*pieces)
            busy.stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)
            last.send(request())
        assert all(connection.response().body == ORG_BODY for connection in others)
        name, *names = ["%s:%d" % connection.stream.getsockname() for connection in (busy, *others)]
        for client in name, *names:
            server.wait_fetch(client=client)
        clients = [line.fields["client"] for line in server.lines if line.fields]
        assert all(clients[:clients.index(other)].count(name) <= most for other in names)


def test_answers_that_nobody_reads_keep_nobody_out(site, serve):
    site.install("example.org")
    server = serve(ORG, server="workers = 1\nmax_tls = 4")
    answered = [0]

    def stuck():
        answered.append(sum(1 for line in server.lines if line.fields))
        return answered[-1] > 4 * 8 and answered[-1] == answered[-2]

    with contextlib.ExitStack() as open_streams:
        for _ in range(4):
            stream = open_streams.enter_context(socket.socket())
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 500)  # keeps the peer's buffer small too
            stream.bind(("127.0.0.2", 0))
            stream.connect(server.https)
            stream = context(site).wrap_socket(stream, server_hostname=HOST)
            open_streams.enter_context(stream).sendall(request() * 600)
        eventually(PATIENCE, stuck)
        assert fetch(server).body == ORG_BODY
