"""What a scanner says that people run at their servers. Its reports are kept."""

import functools
import xml.etree.ElementTree
from pathlib import Path

import pytest

from lib import many_names
from lib.many_names import policy_host

ARTEFACTS = Path(__file__).resolve().parents[2] / "build/world/artefacts"
NAMES = {"p256": policy_host("one.p256.example"), "p256-other": policy_host("two.p256.example"),
         "rsa": policy_host("one.rsa2048.example")}
each_name = pytest.mark.parametrize("label", NAMES)

SUITES = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"} | {
    f"ECDHE-{key}-{suite}" for key in ("ECDSA", "RSA")
    for suite in ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305")}

PATIENCE = 120  # seconds for a scan, on a machine with much to do


@pytest.fixture(scope="module")
def scanner(world):
    many_names.serve(world)
    return world.host("scanner", "192.0.2.82")


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
