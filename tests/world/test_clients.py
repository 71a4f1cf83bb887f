"""Every TLS client at hand fetches, with every kind of certificate, under both versions of TLS."""

import functools

import pytest

from lib import many_names
from lib.clients import KINDS as CLIENTS
from lib.clients import Refused
from lib.many_names import ADDRESS, KEYS, UNKNOWN, body, policy_host

HOST, OTHER = policy_host("one.p256.example"), policy_host("two.p256.example")
RSA = policy_host("one.rsa2048.example")  # TLS 1.2 ties the group of an ECDSA certificate to its curve, and RSA's to none

UNRECOGNIZED = {
    "curl": "tlsv1 unrecognized name", "openssl-3.5": "SSL alert number 112", "openssl-3.0": "SSL alert number 112",
    "gnutls": r"Received alert \[112\]: The server name sent was not recognized",
    "nss": "SSL_ERROR_UNRECOGNIZED_NAME_ALERT", "python": "TLSV1_UNRECOGNIZED_NAME", "node": "SSL alert number 112",
    "java": r"SSLHandshakeException: \(unrecognized_name\)"}
UNTRUSTED = {
    "curl": "SSL certificate problem", "openssl-3.5": "certificate verify failed",
    "openssl-3.0": "certificate verify failed", "gnutls": "issuer is unknown", "nss": "SEC_ERROR_UNKNOWN_ISSUER",
    "python": "CERTIFICATE_VERIFY_FAILED", "node": "UNABLE_TO_|SELF_SIGNED", "java": "PKIX path"}


def that_take(attribute):
    return pytest.mark.parametrize("client", [name for name, kind in CLIENTS.items() if getattr(kind, attribute)],
                                   indirect=True)


each_client = pytest.mark.parametrize("client", CLIENTS, indirect=True)
each_version = pytest.mark.parametrize("version", ["1.2", "1.3"])


@pytest.fixture(scope="module")
def server(world):
    return many_names.serve(world)


@pytest.fixture(scope="module")
def make_client(world):
    """Each client is made once, on first use: some take their time."""
    host = world.host("client", "192.0.2.81")
    return functools.cache(lambda name: CLIENTS[name](host, world.make_folder(name)))


@pytest.fixture
def client(request, make_client):
    return make_client(request.param)


# --- what a sender does

@each_client
@each_version
@pytest.mark.parametrize("key", KEYS)
def test_each_name_has_its_own_certificate_and_policy(server, client, version, key):
    for host in (policy_host(f"one.{key}.example"), policy_host(f"two.{key}.example")):
        fetched = client.fetch(host, version)
        assert fetched.version == version
        assert fetched.names == [host]
        assert fetched.answers == [(200, body(host))]


@each_client
@each_version
def test_requests_follow_each_other_in_one_connection(server, client, version):
    host, since, clients = policy_host("two.p384.example"), server.mark(), []

    def third(line):
        if line.fields and line.fields["host"] == host:
            clients.append(line.fields["client"])
        return len(clients) == 3

    assert client.fetch(host, version, times=3).answers == [(200, body(host))] * 3
    server.wait(third, since=since)
    assert len(set(clients)) == 1


# --- the key exchange

@that_take("groups")
@each_version
@pytest.mark.parametrize("group", ["X25519", "P-256", "P-384"])
def test_a_client_with_one_group_gets_it(server, client, version, group):
    fetched = client.fetch(RSA, version, groups=[group])
    assert (fetched.group, fetched.retried) == (group, client.retried and False)
    assert fetched.answers == [(200, body(RSA))]


@that_take("retry")
def test_a_share_of_a_group_that_the_server_lacks_is_asked_for_again(server, client):
    fetched = client.fetch(RSA, "1.3", groups=client.retry)
    assert (fetched.group, fetched.retried) == ("X25519", client.retried and True)
    assert fetched.answers == [(200, body(RSA))]


@pytest.mark.parametrize("client", ["curl", "openssl-3.5"], indirect=True)
def test_who_offers_ml_kem_first_goes_on_with_x25519_at_once(server, client):
    # Both send a share of X25519 beside that of X25519MLKEM768
    fetched = client.fetch(HOST, "1.3")
    assert (fetched.group, fetched.retried) == ("X25519", False)


@pytest.mark.parametrize("client", ["curl", "openssl-3.5", "nss"], indirect=True)
def test_who_sends_a_share_of_ml_kem_alone_is_asked_for_x25519(server, client):
    fetched = client.fetch(HOST, "1.3", groups=["X25519MLKEM768", "X25519"])
    assert (fetched.group, fetched.retried) == ("X25519", client.retried and True)
    assert fetched.answers == [(200, body(HOST))]


# --- what is refused, and how clients put it

@each_client
@each_version
@pytest.mark.parametrize("name", [UNKNOWN, ADDRESS], ids=["unknown", "none"])
def test_a_hello_for_no_name_of_ours_is_unrecognized(server, client, version, name):
    with pytest.raises(Refused, match=UNRECOGNIZED[client.name]):
        client.fetch(name, version)


@each_client
@each_version
def test_a_host_other_than_the_name_in_the_hello_is_misdirected(server, client, version):
    fetched = client.fetch(HOST, version, header=OTHER)
    assert fetched.names == [HOST]
    assert [status for status, _ in fetched.answers] == [421]


@each_client
def test_clients_do_check_whom_they_trust(server, client):
    # Else nothing of the above would say that a certificate was verified
    with pytest.raises(Refused, match=UNTRUSTED[client.name]):
        client.fetch(policy_host(many_names.UNTRUSTED), "1.3")
