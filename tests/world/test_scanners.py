"""What the scanners say that people run at their servers: testssl.sh and sslscan. Their reports are kept."""

import functools
import json
import xml.etree.ElementTree
from pathlib import Path

import pytest

from lib import many_names
from lib.ca import TRUSTED
from lib.many_names import policy_host

ARTEFACTS = Path(__file__).resolve().parents[2] / "build/world/artefacts"
NAMES = {"p256": policy_host("one.p256.example"), "p256-other": policy_host("two.p256.example"),
         "rsa": policy_host("one.rsa2048.example")}
each_name = pytest.mark.parametrize("label", NAMES)

SUITES = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"} | {
    f"ECDHE-{key}-{suite}" for key in ("ECDSA", "RSA")
    for suite in ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305")}

# Findings of testssl.sh that stay, with the reason. Whatever else is worse than INFO fails.
ACCEPTED = {
    "engine_problem": "of the scanner's own OpenSSL, which has no GOST",
    "cert_revocation": "the world's CA names neither CRL nor OCSP; it is not the server's to say",
    "DNS_CAArecord": "who may issue certificates for a domain is the business of its DNS",
    "HSTS": "a header for browsers; senders of mail ask over HTTPS alone (RFC 8461 section 3.3), and keep none",
}

PATIENCE = 900  # seconds for a scan, on a machine with much to do


@pytest.fixture(scope="module")
def scanner(world):
    many_names.serve(world)
    return world.host("scanner", "192.0.2.82")


# --- sslscan: short, and so for every name

@pytest.fixture(scope="module")
def sslscan(scanner):
    """sslscan(label): what it found out about one of NAMES, as XML; each is scanned once."""
    @functools.cache
    def scan(label):
        report = ARTEFACTS / f"sslscan-{label}.xml"
        scanner.run("sslscan", "--no-colour", "--show-certificate", f"--xml={report}", NAMES[label], timeout=PATIENCE)
        return xml.etree.ElementTree.parse(report).find("ssltest")
    return scan


@each_name
def test_tls_1_2_and_1_3_are_all_that_is_spoken(sslscan, label):
    spoken = {(protocol.get("type"), protocol.get("version")): protocol.get("enabled")
              for protocol in sslscan(label).iter("protocol")}
    assert spoken == {("ssl", "2"): "0", ("ssl", "3"): "0", ("tls", "1.0"): "0", ("tls", "1.1"): "0",
                      ("tls", "1.2"): "1", ("tls", "1.3"): "1"}


@each_name
def test_every_suite_is_aead_with_forward_secrecy(sslscan, label):
    found = {cipher.get("cipher") for cipher in sslscan(label).iter("cipher")}
    key = "RSA" if label == "rsa" else "ECDSA"
    assert found == {suite for suite in SUITES if suite.startswith(("TLS_", f"ECDHE-{key}-"))}


@each_name
def test_groups_are_no_weaker_than_x25519_and_p_256(sslscan, label):
    groups = {group.get("name").split()[0] for group in sslscan(label).iter("group")}
    assert groups == {"x25519", "secp256r1", "secp384r1", "secp521r1"}


@each_name
def test_no_renegotiation_and_no_compression(sslscan, label):
    assert sslscan(label).find("renegotiation").get("supported") == "0"
    assert sslscan(label).find("compression").get("supported") == "0"


@each_name
def test_a_scan_for_a_name_shows_its_certificate(sslscan, label):
    assert [names.text for names in sslscan(label).iter("altnames")] == [f"DNS:{NAMES[label]}"]


# --- testssl.sh: long, and so everything for one name, and what depends on the key for the RSA one

def run_testssl(scanner, label, *checks):
    """Its findings by their ids."""
    report = ARTEFACTS / f"testssl-{label}"
    scanner.run("testssl", "--quiet", "--warnings", "off", "--color", "0", "--overwrite", "--add-ca", TRUSTED,
                "--jsonfile", f"{report}.json", "--htmlfile", f"{report}.html", "--logfile", f"{report}.txt",
                *checks, f"https://{NAMES[label]}/.well-known/mta-sts.txt",
                timeout=PATIENCE, check=False)  # its exit status counts findings
    return {finding["id"]: finding for finding in json.loads(Path(f"{report}.json").read_text())}


@pytest.fixture(scope="module")
def p256(scanner):
    """All checks but the simulated browsers."""
    return run_testssl(scanner, "p256", "-p", "-s", "-P", "-f", "-S", "-h", "-U")


@pytest.fixture(scope="module")
def rsa(scanner):
    """Protocols, kinds of suites, defaults, and what only a server with an RSA key can have."""
    return run_testssl(scanner, "rsa", "-p", "-s", "-S", "--robot", "--drown")


def refused_findings(findings):
    return [finding for name, finding in findings.items()
            if finding["severity"] not in ("OK", "INFO") and name not in ACCEPTED]


def test_testssl_flags_nothing_but_what_is_accepted(p256):
    assert refused_findings(p256) == []


def test_testssl_flags_nothing_but_what_is_accepted_with_an_rsa_key(rsa):
    assert refused_findings(rsa) == []


@pytest.mark.parametrize("vulnerability", [
    "heartbleed", "CCS", "ticketbleed", "ROBOT", "secure_client_renego", "CRIME_TLS", "BREACH", "POODLE_SSL", "SWEET32",
    "FREAK", "DROWN", "LOGJAM", "BEAST", "LUCKY13", "winshock", "RC4"])
def test_not_vulnerable(p256, vulnerability):
    assert p256[vulnerability]["severity"] == "OK"


def test_renegotiation_is_indicated_as_secure(p256):
    # RFC 5746: it is refused all the same; without the indication, clients would suspect that it is not
    assert p256["secure_renego"]["finding"] == "supported"


def test_no_session_is_resumed(p256):
    assert p256["sessionresumption_ticket"]["finding"] == "not supported"
    assert p256["sessionresumption_ID"]["finding"] == "not supported"


def test_the_server_has_an_order_of_suites(p256):
    assert p256["cipher_order"]["finding"] == "server"


def test_the_chain_is_whole_and_leads_to_a_trusted_root(p256, rsa):
    for findings in p256, rsa:
        assert findings["cert_chain_of_trust"]["severity"] == "OK"
        assert findings["certs_list_ordering_problem"]["finding"] == "no"


def test_the_grade_is_the_best_without_hsts(p256):
    reasons = [finding["finding"] for name, finding in p256.items() if name.startswith("grade_cap_reason")]
    assert (p256["overall_grade"]["finding"], reasons) == ("A", ["Grade capped to A. HSTS is not offered"])
