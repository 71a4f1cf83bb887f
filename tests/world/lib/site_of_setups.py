"""Where all set-ups of lib/setups are: name server, policy hosts, exchangers, and a host that looks at them."""

import json

from lib import pki, postfix
from lib.ca import Files
from lib.hosts import DNS
from lib.setups import SETUPS, mail, places
from lib.senders import PROGRAMS
from lib.toolbox import run_mta_sts

PATIENCE = 120  # seconds for a call with all set-ups
# By their address: what is unusual about the listeners of the wrong policy host.
LISTENERS = {places.WRONG_HOST: "", places.WRONG_HOST6: "", places.SLOW_HOST: "", places.SECOND_HOST: "",
             places.TLS_1_3_HOST: "1.3", places.TLS_1_1_HOST: "1.1", places.NO_TLS_HOST: "none",
             **dict.fromkeys(places.MORE_HOSTS, "")}
SHARED = [f"policies.example.net. A {places.GOOD_HOST}"]


class SiteOfSetups:
    def __init__(self, world):
        self.world = world
        self.folder = world.make_folder("setups")
        self.exchangers = {name: f"192.0.2.{31 + number}" for number, name in enumerate(mail.WRONG_EXCHANGERS)}
        self._set_dns()
        self._start_liar()
        self._start_policy_hosts()
        self._start_mta_stsd()
        self._start_exchangers()
        self.asking = world.host("asking", places.ASKING, places.ASKING6)
        (self.asking.etc / "resolv.conf").write_text(f"nameserver {places.DNS}\noptions timeout:2 attempts:2\n")

    def _set_dns(self):
        lines = [line for setup in SETUPS for line in setup.zone()]
        self.world.dns.set(*dict.fromkeys([*lines, *SHARED, *mail.RECORDS,
                                           *(f"{name}. A {address}" for name, address in self.exchangers.items())]))

    def _start_liar(self):
        tricks = {setup.fill(name): trick for setup in SETUPS for name, trick in setup.dns.items()}
        table = self.folder / "tricks.json"
        table.write_text(json.dumps({**tricks, **mail.DNS}))
        host = self.world.host("liar", places.DNS)
        host.start("/usr/bin/python3", PROGRAMS / "liar.py", places.DNS, DNS, table, ready="^ready$")

    def issue(self, certificate, fill=str):
        """The files of a certificate that a set-up asks for."""
        names = tuple(map(fill, certificate.names))
        options = {"days": certificate.days, "since": certificate.since}
        if certificate.common_name:
            options["common_name"] = fill(certificate.common_name)
        issuer = pki.Authority() if certificate.chain == "stranger" else self.world.ca
        pair = pki.self_signed(*names) if certificate.chain == "self-signed" else issuer.issue(*names, **options)
        if certificate.chain == "leaf":
            pair = pair.with_chain(pair.leaf)
        return Files(self.folder / f"certificate-{len(list(self.folder.iterdir()))}", pair)

    def _start_policy_hosts(self):
        hosts = {}
        for setup in SETUPS:
            if not setup.policy:
                files = self.issue(setup.certificate, setup.fill)
                hosts[setup.policy_host] = {
                    "certificate": str(files.certificate), "key": str(files.key),
                    "answer": setup.answer.decode("latin-1"), "other_answer": setup.other_answer.decode("latin-1"),
                    "delay": setup.delay, "pause": setup.pause}
        table = self.folder / "policy-hosts.json"
        table.write_text(json.dumps({"hosts": hosts, "second": places.SECOND_HOST, "listeners": [
            {"address": address, "tls": tls} for address, tls in LISTENERS.items()]}))
        host = self.world.host("wrong", places.WRONG_HOST, places.WRONG_HOST6)
        for address in LISTENERS:
            if address not in (places.WRONG_HOST, places.WRONG_HOST6):
                host.add_address(address)
        host.start("/usr/bin/python3", "-W", "ignore::DeprecationWarning",  # that is what TLS 1.1 is
                   PROGRAMS / "wrong_policy_host.py", table, ready="^ready$")

    def ini(self, configured=False):
        """mta-stsd's configuration; configured: as whoever checks has it, which differs for some."""
        lines = ["[server]", f"listen = {places.GOOD_HOST}:443"]
        for setup in SETUPS:
            if setup.policy:
                files = self.certificates[setup.name]
                lines += [f"[{setup.domain}]", configured and setup.configured or setup.policy,
                          f"certificate = {files.certificate}", f"key = {files.key}"]
        return "\n".join([*lines, ""])

    def _start_mta_stsd(self):
        self.certificates = {setup.name: self.issue(setup.certificate, setup.fill) for setup in SETUPS if setup.policy}
        self.configuration = self.folder / "configured.ini"
        self.configuration.write_text(self.ini(configured=True))
        self.mta_stsd = self.world.mta_stsd(self.world.host("good", places.GOOD_HOST), self.ini())

    def _start_exchangers(self):
        host = self.world.host("exchangers", places.MX)
        certificates = {places.MX: self.world.ca.issue_files(*mail.GOOD_NAMES)}
        for name, certificate in mail.WRONG_EXCHANGERS.items():
            host.add_address(self.exchangers[name])
            certificates[self.exchangers[name]] = certificate and self.issue(
                certificate, lambda text, host=name: text.replace("mta-sts.@", host))
        self.postfix = postfix.exchangers(host, "exchangers.example.net", certificates)

    def check(self, *arguments, **options):
        """One call of mta-sts check, from the host that looks at the others."""
        return run_mta_sts("check", "--resolver", places.DNS, *arguments, prefix=self.asking.prefix,
                           **{"timeout": PATIENCE, **options})

    def close(self):
        self.postfix.stop()
