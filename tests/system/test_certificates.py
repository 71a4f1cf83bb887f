"""Which certificate is served: found when first asked for, looked at again, and never a wrong one."""

import os
import re
import time

import pytest

from lib import pki
from lib.client import fetch, refused_alert, tls
from lib.hello import UNRECOGNIZED_NAME, client_hello, records, refused
from lib.processes import stopped
from lib.server import HOST, ORG, ORG_BODY
from lib.tools import eventually

UNRECOGNIZED = "TLSV1_UNRECOGNIZED_NAME"
ONE = {"server": "workers = 1"}  # so that what one test fetch saw is what the next one sees
ORG_NET = ORG + "\n[example.net]\nmode = enforce\nmx = mail.example.org\n"


def served(server, host=HOST, **options):
    """The DER of the leaf that is served, or None when the host is refused in the proper way."""
    try:
        with tls(server, host, **options) as connection:
            return connection.stream.getpeercert(binary_form=True)
    except OSError as error:  # SSLError is one
        assert getattr(error, "reason", None) == UNRECOGNIZED, error
        return None


def reload_unchanged(server):
    assert server.reload().startswith("reload unchanged")


# --- none is no obstacle

def test_a_host_without_a_certificate_is_refused_and_all_others_are_served(site, serve):
    site.install("example.org")
    server = serve(ORG_NET)
    assert refused_alert(server, "mta-sts.example.net") == UNRECOGNIZED
    assert fetch(server).body == ORG_BODY
    server.wait_for(rf"^mta-sts\.example\.net: certificate file: {site.certs}/mta-sts\.example\.net/fullchain\.pem: No such "
                    r"file or directory; refused until there is a good one$")


def test_the_server_starts_without_any_certificate(serve):
    server = serve(ORG_NET)
    assert served(server) is None
    assert served(server, "mta-sts.example.net") is None


def test_a_new_certificate_is_served_within_two_seconds_without_a_signal(site, serve):
    server = serve(ORG)
    assert served(server) is None
    pair = site.install("example.org")
    # A failure is remembered for a second, in each worker for itself.
    assert eventually(2, lambda: served(server)) == pair.leaf_der()


def test_a_certificate_that_appears_before_anyone_asked_is_served_at_once(site, serve):
    server = serve(ORG)
    pair = site.install("example.org")
    assert served(server) == pair.leaf_der()


def test_any_domain_whose_certificate_can_be_found(site, serve):
    server = serve("[*]\nmode = testing\nmx = mail.%d\n", **ONE)
    pair = site.install("anybody.example")
    assert fetch(server, "mta-sts.anybody.example").certificate == pair.leaf_der()
    assert served(server, "mta-sts.nobody.example") is None
    assert served(server, "anybody.example") is None


@pytest.mark.parametrize("name", ["mta-sts...", "mta-sts...etc.x", "mta-sts./etc/x", "mta-sts.a..b", "mta-sts.com"])
def test_no_name_that_is_no_domain_becomes_a_path(site, serve, name):

    server = serve("[*]\nmode = testing\nmx = mail.%d\n", **ONE)
    assert refused(server.https, records(client_hello(name))) == UNRECOGNIZED_NAME
    assert not server.messages(r"refused until")


def test_the_key_may_be_in_the_certificates_file(site, serve):
    server = serve(ORG, defaults=f"certificate = {site.certs}/%d.pem")
    pair = site.authority.issue(HOST)
    pair.write(site.certs, "example.org.pem", key=None)
    assert fetch(server).certificate == pair.leaf_der()


def test_names_of_a_certificate_of_many_hosts_and_of_a_wildcard(site, serve):
    server = serve(ORG_NET)
    many = site.authority.issue("www.example.org", HOST, "mta-sts.example.net")
    site.install("example.org", many)
    wildcard = site.authority.issue("*.example.net")
    site.install("example.net", wildcard)
    assert fetch(server).certificate == many.leaf_der()
    assert fetch(server, "mta-sts.example.net").certificate == wildcard.leaf_der()


# --- renewed

def test_a_renewed_certificate_is_served_at_once_after_sighup(site, serve):
    site.install("example.org")
    server = serve(ORG)
    assert served(server)
    for kind in ("p384", "rsa2048", "p256"):
        pair = site.install("example.org", kind=kind)
        reload_unchanged(server)
        for _ in range(4):  # in whichever worker
            assert served(server) == pair.leaf_der()


def test_a_renewed_certificate_is_served_within_a_minute_without_a_signal(site, serve, clock):
    old = site.install("example.org")
    server = serve(ORG, env=clock.environment(), **ONE)
    assert served(server) == old.leaf_der()
    new = site.install("example.org")
    clock.advance(55)
    assert served(server) == old.leaf_der(), "a pair is looked at again after a minute, not for each fetch"
    clock.advance(6)
    assert served(server) == new.leaf_der()
    server.wait_for(r"mta-sts\.example\.org: a renewed certificate is in use")


def test_connections_made_before_a_renewal_go_on(site, serve):
    site.install("example.org")
    server = serve(ORG, **ONE)
    with tls(server) as connection:
        connection.ask()
        site.install("example.org")
        reload_unchanged(server)
        assert served(server)
        assert connection.ask().body == ORG_BODY


@pytest.mark.parametrize("names", [["privkey.pem", "fullchain.pem"], ["fullchain.pem"]],
                         ids=["with a new key", "with the same key"])
def test_files_with_an_older_time_are_taken_too(site, serve, names):
    old = site.install("example.org")
    server = serve(ORG, **ONE)
    served(server)
    new = site.authority.issue(HOST, key=old.key if len(names) == 1 else None)
    new.write(site.folder / "new")
    for name in names:
        os.utime(site.folder / "new" / name, (1000000000, 1000000000))
        os.replace(site.folder / "new" / name, site.certs / HOST / name)
    reload_unchanged(server)
    assert served(server) == new.leaf_der()


def test_files_overwritten_with_the_same_size_and_time_are_taken_too(site, serve):
    def overwrite(pair):
        for name, content in ("privkey.pem", pair.key_pem()), ("fullchain.pem", pair.chain_pem()):
            path = site.certs / HOST / name
            path.write_bytes(content.ljust(4096, b"\n"))
            os.utime(path, (1_700_000_000, 1_700_000_000))

    site.install("example.org")
    old, new = site.authority.issue(HOST), site.authority.issue(HOST)
    overwrite(old)
    server = serve(ORG, **ONE)
    assert served(server) == old.leaf_der()
    overwrite(new)
    reload_unchanged(server)
    assert served(server) == new.leaf_der()


def link(path, target):
    """ln -sfn in one step."""
    new = path.with_name(path.name + ".new")
    new.symlink_to(target)
    os.replace(new, path)


def test_certbots_links_are_followed_and_their_change_is_seen(site, serve):
    # live/HOST/fullchain.pem -> ../../archive/HOST/fullchain1.pem
    archive, live = site.folder / "archive" / HOST, site.certs / HOST
    live.mkdir(parents=True)
    server = serve(ORG, **ONE)
    for number in (1, 2, 3):
        pair = site.authority.issue(HOST)
        pair.write(archive, f"fullchain{number}.pem", f"privkey{number}.pem")
        for name in ("privkey", "fullchain"):
            link(live / f"{name}.pem", f"../../archive/{HOST}/{name}{number}.pem")
        reload_unchanged(server)
        assert served(server) == pair.leaf_der()


def test_kubernetes_links_are_followed_and_their_change_is_seen(site, serve):
    # tls.crt -> ..data/tls.crt, ..data -> ..2026_11_24, and only ..data is swapped
    volume = site.certs / HOST
    volume.mkdir(parents=True)
    for name in ("tls.crt", "tls.key"):
        (volume / name).symlink_to(f"..data/{name}")
    server = serve(ORG, defaults=f"certificate = {site.certs}/%h/tls.crt\nkey = {site.certs}/%h/tls.key", **ONE)
    for number in (1, 2):
        pair = site.authority.issue(HOST)
        pair.write(volume / f"..{number}", "tls.crt", "tls.key")
        link(volume / "..data", f"..{number}")
        reload_unchanged(server)
        assert served(server) == pair.leaf_der()


# --- never a wrong one

def cut(content, where):
    """The first part of a PEM file, for a place in it that is no end of a block."""
    blocks = [match.end() for match in re.finditer(rb"-----END [A-Z ]+-----\n", content)]
    return content[:{"nothing": 0, "a line": 28, "half a leaf": blocks[0] // 2, "before END": blocks[0] - 26,
                     "in END": blocks[0] - 8, "intermediate begun": blocks[0] + 10,
                     "half an intermediate": (blocks[0] + blocks[-1]) // 2, "in the last END": blocks[-1] - 8}[where]]


CUTS = ["nothing", "a line", "half a leaf", "before END", "in END", "intermediate begun", "half an intermediate",
        "in the last END"]


def refused_then_served(site, server, break_it, why):
    """A bad pair where there is none is refused, where there was a good one that goes on serving;
    the log says why, once each; a good one heals both."""
    break_it(site.authority.issue(HOST))
    assert served(server) is None
    server.wait_for(rf"^mta-sts\.example\.org: {why}.*; refused until there is a good one")
    good = site.install("example.org")
    assert eventually(2, lambda: served(server)) == good.leaf_der()
    since = server.mark()
    break_it(site.authority.issue(HOST))
    reload_unchanged(server)
    assert served(server) == good.leaf_der()
    # the same again, and from a file that has been read and found wanting
    assert served(server) == good.leaf_der()
    newer = site.install("example.org")
    reload_unchanged(server)
    assert served(server) == newer.leaf_der()
    return since


@pytest.mark.parametrize("where", CUTS)
def test_a_half_written_certificate_is_never_served(site, serve, where):
    def break_it(pair):
        pair.write(site.certs / HOST)
        (site.certs / HOST / "fullchain.pem").write_bytes(cut(pair.chain_pem(), where))

    refused_then_served(site, serve(ORG, **ONE), break_it, "certificate file")


@pytest.mark.parametrize("where", ["nothing", "a line", "before END", "in END"])
def test_a_half_written_key_is_never_used(site, serve, where):
    def break_it(pair):
        pair.write(site.certs / HOST)
        (site.certs / HOST / "privkey.pem").write_bytes(cut(pair.key_pem(), where))

    refused_then_served(site, serve(ORG, **ONE), break_it, "key file")


def test_a_certificate_of_another_host_is_never_served(site, serve):
    refused_then_served(site, serve(ORG, **ONE),
                        lambda _: site.install("example.org", site.authority.issue("mta-sts.example.net")),
                        r".*does not cover mta-sts\.example\.org")


@pytest.mark.parametrize("name", ["example.org", "*.org", "*.mta-sts.example.org", "m*.example.org", "*",
                                  "xmta-sts.example.org"])
def test_a_name_that_only_looks_like_the_hosts_does_not_cover_it(site, serve, name):
    server = serve(ORG, **ONE)
    site.install("example.org", site.authority.issue(name))
    assert served(server) is None
    server.wait_for(r"mta-sts\.example\.org: .*does not cover")


def test_a_common_name_alone_covers_nothing(site, serve):
    # RFC 8461 section 3.3: DNS-ID, so subjectAltName only
    server = serve(ORG, **ONE)
    site.install("example.org", site.authority.issue(common_name=HOST))
    assert served(server) is None
    server.wait_for(r"mta-sts\.example\.org: .*subjectAltName")


@pytest.mark.parametrize("kind", ["p256", "p384", "rsa2048", "ed25519"])
def test_a_certificate_with_another_key_is_never_served(site, serve, kind):
    refused_then_served(site, serve(ORG, **ONE),
                        lambda pair: site.install("example.org", pair.with_key(pki.new_key(kind))),
                        r".*(key is not the certificate's|Ed25519)")


def test_a_key_that_only_its_file_says_to_be_the_certificates_is_never_used(site, serve):
    def break_it(pair):
        pair.write(site.certs / HOST)
        (site.certs / HOST / "privkey.pem").write_bytes(pair.mixed_key_pem())

    refused_then_served(site, serve(ORG, **ONE), break_it, ".*key is not the certificate's")


def test_a_renewal_caught_between_its_two_files_does_not_matter(site, serve):
    old = site.install("example.org")
    server = serve(ORG, **ONE)
    assert served(server) == old.leaf_der()
    new = site.authority.issue(HOST)
    pki.replace(site.certs / HOST / "fullchain.pem", new.chain_pem())
    reload_unchanged(server)
    assert served(server) == old.leaf_der()
    server.wait_for(r"mta-sts\.example\.org: .*key.*; the last good certificate goes on serving")
    pki.replace(site.certs / HOST / "privkey.pem", new.key_pem(), 0o600)
    assert eventually(2, lambda: served(server) == new.leaf_der())


def test_a_certificate_that_is_removed_goes_on_serving(site, serve):
    old = site.install("example.org")
    server = serve(ORG, **ONE)
    assert served(server) == old.leaf_der()
    (site.certs / HOST / "fullchain.pem").unlink()
    reload_unchanged(server)
    assert served(server) == old.leaf_der()
    server.wait_for(r"certificate file: .*No such file.*; the last good certificate goes on serving")


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo, lambda path: os.symlink("nothing", path),
                                  lambda path: os.symlink(path, path), lambda path: os.symlink("/dev/zero", path)],
                         ids=["folder", "fifo", "dangling", "circle", "device"])
def test_what_is_no_file_is_refused_and_blocks_nobody(site, serve, make):
    site.install("example.org")
    site.install("example.net")
    path = site.certs / "mta-sts.example.net" / "fullchain.pem"
    path.unlink()
    make(path)
    server = serve(ORG_NET, **ONE)
    assert served(server, "mta-sts.example.net") is None
    assert fetch(server).status == 200


@pytest.mark.parametrize("content", [b"x" * 200000, b"\x30\x82" + bytes(100), b"no PEM\n" * 3], ids=["large", "DER", "text"])
def test_what_is_no_certificate_is_refused(site, serve, content):
    site.install("example.org")
    (site.certs / HOST / "fullchain.pem").write_bytes(content)
    server = serve(ORG, **ONE)
    assert served(server) is None
    server.wait_for(r"mta-sts\.example\.org: certificate file")


# --- served, and told

def told(server, pattern):
    """Says how often the log has told it, once it has."""
    server.wait_for(pattern)
    return len(server.messages(pattern))


def test_an_expired_certificate_is_served_and_told_daily(site, serve, clock):
    # The sender judges. Anything else would make an outage of a warning.
    pair = site.install("example.org", since=-90, days=-3)
    server = serve(ORG, env=clock.environment(), **ONE)
    expired = r"^mta-sts\.example\.org: the certificate expired \d+ days? ago"
    for _ in range(3):
        assert served(server, verify=False) == pair.leaf_der()
    assert told(server, expired) == 1
    since = server.mark()
    clock.advance(24 * 3600 + 1)
    assert served(server, verify=False) == pair.leaf_der()
    server.wait_for(expired, since=since)


def test_a_leaf_without_its_intermediate_is_served_and_told(site, serve):
    pair = site.authority.issue(HOST)
    site.install("example.org", pair.with_chain(pair.leaf))
    server = serve(ORG, **ONE)
    assert served(server, verify=False) == pair.leaf_der()
    server.wait_for(r"^mta-sts\.example\.org: the certificate file holds the leaf without its intermediate, though its name "
                    r"is fullchain\.pem: append the CA's intermediate certificate, or issue it again$")


def test_a_leaf_in_a_file_of_its_own_is_served_and_told_where_the_chain_is(site, serve):
    pair = site.authority.issue(HOST)
    pair.with_chain(pair.leaf).write(site.certs, "cert.pem", "privkey.pem")
    server = serve(ORG, defaults=f"certificate = {site.certs}/cert.pem\nkey = {site.certs}/privkey.pem", **ONE)
    assert served(server, verify=False) == pair.leaf_der()
    server.wait_for(r"^mta-sts\.example\.org: .*without its intermediate; did you mean fullchain\.pem\?$")


def test_a_certificate_not_yet_valid_is_served_and_told(site, serve):
    pair = site.install("example.org", since=3)
    server = serve(ORG, **ONE)
    assert served(server, verify=False) == pair.leaf_der()
    server.wait_for(r"^mta-sts\.example\.org: the certificate is not valid for another")


def test_a_chain_out_of_order_is_served_and_told(site, serve):
    pair = site.authority.issue(HOST)
    site.install("example.org", pair.with_chain(pair.leaf, site.authority.root.certificate,
                                                site.authority.intermediate.certificate))
    server = serve(ORG, **ONE)
    assert served(server, verify=False) == pair.leaf_der()
    server.wait_for(r"^mta-sts\.example\.org: the chain is out of order")


# --- what the log says of those refused

def test_a_refused_host_is_told_once_a_minute(serve, clock):
    server = serve(ORG, env=clock.environment(), **ONE)
    line = r"^mta-sts\.example\.org: "
    for _ in range(20):
        assert served(server) is None
        clock.advance(2)  # so that each is a new look at the files
    server.wait_for(line)
    assert len(server.messages(line)) == 1
    clock.advance(61)
    since = server.mark()
    assert served(server) is None
    server.wait_for(line, since=since)


def test_another_reason_is_told_at_once(site, serve):
    server = serve(ORG, **ONE)
    pair = site.authority.issue(HOST)
    assert served(server) is None
    server.wait_for(r"certificate file: .*/fullchain\.pem: No such file")
    pair.write(site.certs / HOST)
    (site.certs / HOST / "privkey.pem").unlink()
    reload_unchanged(server)
    assert served(server) is None
    server.wait_for(r"^mta-sts\.example\.org: key file: .*/privkey\.pem: No such file")
    site.install("example.org", site.authority.issue("www.example.org"))
    reload_unchanged(server)
    assert served(server) is None
    server.wait_for(r"^mta-sts\.example\.org: the certificate does not cover")


def test_all_refusals_together_are_limited_and_counted(serve, clock):
    # With [*] any stranger can ask for names without number.
    server = serve("[*]\nmode = testing\nmx = mail.example.org\n", env=clock.environment(), **ONE)
    for number in range(150):
        assert served(server, f"mta-sts.d{number}.example") is None
    assert len(server.messages(r"refused until")) <= 60
    clock.advance(61)
    assert served(server, "mta-sts.last.example") is None
    server.wait_for(r"^90 more lines about certificates were left out")


def test_a_crowd_of_bad_names_pushes_no_good_pair_out(site, serve):
    pair = site.install("example.org")
    server = serve("[*]\nmode = testing\nmx = mail.example.org\n", ORG, server="workers = 1\ncert_cache = 1")
    assert served(server) == pair.leaf_der()
    for number in range(300):
        served(server, f"mta-sts.d{number}.example")
    (site.certs / HOST / "fullchain.pem").unlink()
    assert served(server) == pair.leaf_der(), "from memory: the file is no more"


def test_more_hosts_than_the_cache_holds_are_all_served(site, serve):
    domains = [f"d{number}.example" for number in range(12)]
    server = serve(*(f"[{domain}]\nmode = enforce\nmx = mail.example.org\n" for domain in domains),
                   server="workers = 1\ncert_cache = 4")
    pairs = {domain: site.install(domain) for domain in domains}
    for _ in range(2):
        for domain in domains:
            assert served(server, f"mta-sts.{domain}") == pairs[domain].leaf_der()


def test_the_cache_holds_no_more_than_it_may_and_the_longest_unused_goes(site, serve):
    server = serve(*(f"[{name}.example]\nmode = enforce\nmx = mail.example.org\n" for name in "abc"),
                   server="workers = 1\ncert_cache = 2")
    pairs = {name: site.install(f"{name}.example") for name in "abc"}
    for name in "abac":
        assert served(server, f"mta-sts.{name}.example") == pairs[name].leaf_der()
    for name in "abc":
        (site.certs / f"mta-sts.{name}.example" / "fullchain.pem").unlink()
    assert [served(server, f"mta-sts.{name}.example") is not None for name in "abc"] == [True, False, True]


# --- a keeper that does not answer

def test_a_keeper_that_stands_still_is_waited_for_for_a_second(site, serve):
    pair = site.install("example.org")
    site.install("example.net")
    server = serve(ORG_NET, **ONE)
    assert served(server) == pair.leaf_der()
    with stopped(*server.children()):
        before = time.monotonic()
        assert served(server, "mta-sts.example.net") is None
        assert 0.8 < time.monotonic() - before < 2.5
        before = time.monotonic()
        assert served(server) == pair.leaf_der(), "from memory"
        assert time.monotonic() - before < 0.8
    server.wait_for(r"^mta-sts\.example\.net: the keeper did not answer in time")
    eventually(3, lambda: served(server, "mta-sts.example.net"))  # a failure is remembered for a second
