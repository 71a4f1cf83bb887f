"""Certificates from an ACME CA, by the clients that people run: the server needs no signal, hook or restart."""

import os
import re
import stat
from pathlib import Path

import pytest

from lib import acme, clock

PATH = "/.well-known/mta-sts.txt"
UNRECOGNIZED_NAME = 35  # curl's exit status for a handshake that failed
A_MINUTE = 61           # after which the server looks at files again


@pytest.fixture(scope="module")
def ca(world):
    return acme.Pebble(world, "acme.example.net", "192.0.2.14", "2001:db8::14")


@pytest.fixture(scope="module")
def clock_library(world):
    return clock.build(world.make_folder("clock-library"))


class Site:
    """A policy host of its own, without a certificate, and its server; curl trusts the CA alone."""

    count = 0

    def __init__(self, world, ca, clock_library, settings, certificate, key, families="46"):
        Site.count += 1
        number = 30 + Site.count
        self.name = f"mta-sts.customer{number}.example"
        self._ca = ca
        self.host = world.host(f"site{number}", f"192.0.2.{number}", f"2001:db8::{number}")
        world.dns.set(*[record for family, record in {
            "4": f"{self.name}. A {self.host.address}",
            "6": f"{self.name}. AAAA {self.host.address6}"}.items() if family in families])
        self.clock = clock.Clock(clock_library, world.make_folder(self.host.name))
        Path(acme.CHALLENGES).mkdir(parents=True, exist_ok=True)
        self.server = world.mta_stsd(self.host, f"""
            [server]
            listen      = 0.0.0.0:443
            listen      = [::]:443
            listen_acme = 0.0.0.0:80
            listen_acme = [::]:80
            {settings}
            [customer{number}.example]
            mode = enforce
            mx   = mail.example.net
            certificate = {certificate}
            key         = {key}
            """, env=self.clock.environment())
        self.server.allow("refused until there is a good one")

    def curl(self, url, *options, check=True):
        return self.host.run("curl", "-sS", "--cacert", self._ca.root, *options, url, check=check)

    def assert_refused(self):
        done = self.curl(f"https://{self.name}{PATH}", check=False)
        assert done.returncode == UNRECOGNIZED_NAME and "unrecognized name" in done.stderr

    def assert_served(self):
        """The policy, to someone who trusts the CA; gives the certificate's serial number."""
        done = self.curl(f"https://{self.name}{PATH}", "--write-out", "%{certs}")
        assert done.stdout.startswith("version: STSv1\nmode: enforce\nmx: mail.example.net\n")
        return re.search(r"(?i)serial number:\s*(\w+)", done.stdout)[1]


@pytest.fixture
def make_site(world, ca, clock_library):
    return lambda *settings, **options: Site(world, ca, clock_library, *settings, **options)


@pytest.mark.parametrize("kind", [acme.Certbot, acme.Dehydrated, acme.Lego, acme.Uacme])
def test_a_first_certificate_and_its_renewal_are_served_by_themselves(make_site, ca, kind):
    site = make_site(kind.acme, kind.certificate, kind.key)
    client = kind(site.host, ca)
    site.assert_refused()  # a machine that is new

    client.issue(site.name)
    site.clock.advance(A_MINUTE)
    first = site.assert_served()

    client.renew(site.name)
    site.clock.advance(A_MINUTE)
    assert site.assert_served() != first


def test_links_into_folders_that_only_root_may_enter_are_served_by_workers_that_are_not_root(make_site, ca):
    site = make_site(acme.Certbot.acme, acme.Certbot.certificate, acme.Certbot.key)
    acme.Certbot(site.host, ca).issue(site.name)
    live = Path("/etc/letsencrypt/live") / site.name

    for folder in live.parent, Path("/etc/letsencrypt/archive"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert live.joinpath("privkey.pem").is_symlink()
    assert stat.S_IMODE(live.joinpath("privkey.pem").stat().st_mode) == 0o600
    assert all("0" not in worker.status()["Uid"].split() for worker in site.server.workers())
    site.assert_served()


@pytest.mark.parametrize("families", ["4", "6"])
def test_the_ca_validates_over_either_family(make_site, ca, families):
    site = make_site(acme.Lego.acme, acme.Lego.certificate, acme.Lego.key, families=families)
    acme.Lego(site.host, ca).issue(site.name)
    site.assert_served()
    came_from = {"4": r"192\.0\.2\.14:", "6": r"\[2001:db8::14\]:"}[families]
    site.server.wait_for_line(rf'fetch listener=\S+:80"? client="?{came_from}')


def test_the_thumbprint_of_the_account_is_enough(make_site, ca):
    """certbot as it is with hooks that do nothing: no file is shared."""
    folder = "/etc/letsencrypt-stateless"
    options = ["--config-dir", folder, "--server", ca.directory, "--non-interactive"]
    ca.host.run("certbot", "register", *options, "--agree-tos", "--register-unsafely-without-email", timeout=120)
    account = ca.host.run("certbot", "show_account", *options, timeout=120).stdout
    thumbprint = re.search(r"Account Thumbprint: ([\w-]{43})", account)[1]

    site = make_site(f"acme_thumbprint = {thumbprint}", f"{folder}/live/%h/fullchain.pem",
                     f"{folder}/live/%h/privkey.pem")
    site.host.run("certbot", "certonly", *options, "--manual", "--preferred-challenges", "http",
                  "--manual-auth-hook", "/bin/true", "-d", site.name, timeout=120)
    site.assert_served()


def test_a_token_that_nobody_has_left_is_not_found(make_site):
    site = make_site(acme.Certbot.acme, "/nowhere/%h", "/nowhere/%h")
    url = f"http://{site.name}/.well-known/acme-challenge/"
    Path(acme.CHALLENGES, "left").write_text("left.thumbprint")
    try:
        assert site.curl(url + "left", "--fail").stdout == "left.thumbprint"
        status = ["--output", os.devnull, "--write-out", "%{http_code}"]
        for name in "wrong", "../acme-challenge/left", "left.txt":
            assert site.curl(url + name, "--path-as-is", *status).stdout == "404"
    finally:
        Path(acme.CHALLENGES, "left").unlink()
