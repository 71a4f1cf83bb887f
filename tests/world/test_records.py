"""What `mta-sts dns` prints, given to name servers: as lines of a zone, and as updates (RFC 2136)."""

import pytest

from lib.toolbox import run_mta_sts

ADDRESS = "192.0.2.70"
ZONE = "example.org"
LONG_RUA = "".join(f"rua = mailto:tls-{number}-{'x' * 60}@example.org\n" for number in range(9))
APEX = f"""\
{ZONE}. 60 IN SOA ns.{ZONE}. hostmaster.{ZONE}. 1 3600 600 86400 60
{ZONE}. 60 IN NS ns.{ZONE}.
ns.{ZONE}. 60 IN A {ADDRESS}
_mta-sts.delegated.{ZONE}. 60 IN CNAME _mta-sts.{ZONE}.
"""
KNOT = """
server:
    rundir: {folder}
    listen: {address}@53
    user: root
log:
  - target: stdout
    any: info
database:
    storage: {folder}
acl:
  - id: here
    address: {address}
    action: update
zone:
  - domain: {zone}
    storage: {folder}
    file: zone
    acl: here
"""


def write_configuration(path, mode="testing", more="", domain=ZONE):
    path.write_text("[server]\nlisten = 127.0.0.1:443\n[defaults]\ncertificate = /etc/certificates/%h.pem\n"
                    f"[{domain}]\nmode = {mode}\nmx = mail.example.org\n{more}")
    return path


def printed(ini, *arguments):
    done = run_mta_sts("dns", "-c", ini, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


class NameServer:
    """knot with one zone, which takes updates from its own host."""

    def __init__(self, world):
        NameServer.count = getattr(NameServer, "count", 0) + 1
        self.host = world.host(f"ns{self.count}", ADDRESS if self.count == 1 else f"192.0.2.{70 + self.count}")
        self.folder = world.make_folder(f"ns{self.count}")

    def start(self, records=""):
        (self.folder / "zone").write_text(APEX.replace(ADDRESS, self.host.address) + records)
        (self.folder / "knot.conf").write_text(KNOT.format(folder=self.folder, address=self.host.address, zone=ZONE))
        self.host.start("knotd", "-c", self.folder / "knot.conf", ready=r"loaded, serial")
        return self

    def ask(self, name, kind):
        """The records of this name and type, as the zone file has them."""
        done = self.host.run("kdig", f"@{self.host.address}", "+short", "+tcp", "+noidn", name, kind)
        return sorted(done.stdout.splitlines())

    def update(self, program, commands, check=True):
        zone = f"zone {ZONE}\n" if program == "knsupdate" else ""  # which does not look for it
        return self.host.run(program, "-v", input=f"server {self.host.address}\n{zone}{commands}", check=check)


@pytest.fixture
def name_server(world):
    return NameServer(world)


def texts(answers):
    """TXT records, each one's strings joined as a sender joins them."""
    return ["".join(part for part in answer.split('"')[1::2]) for answer in answers]


def test_a_zone_with_the_lines_as_printed_loads_in_knot_and_bind(world, name_server):
    ini = write_configuration(world.folder / "zone.ini", more=LONG_RUA + "alias = alias.example.org\n")
    lines = printed(ini, "--address", "192.0.2.1", "--address", "2001:db8::1")
    name_server.start(lines)
    zone = name_server.folder / "zone"
    assert "OK" in name_server.host.run("named-checkzone", ZONE, zone).stdout
    assert name_server.ask(f"mta-sts.{ZONE}", "A") == ["192.0.2.1"]
    assert name_server.ask(f"mta-sts.{ZONE}", "AAAA") == ["2001:db8::1"]
    for domain in ZONE, f"alias.{ZONE}":
        [policy] = texts(name_server.ask(f"_mta-sts.{domain}", "TXT"))
        assert policy in lines and policy.startswith("v=STSv1; id=")
        [reports] = texts(name_server.ask(f"_smtp._tls.{domain}", "TXT"))
        assert len(reports) > 255 and reports.count("mailto:") == 9


@pytest.mark.parametrize("program", ["nsupdate", "knsupdate"])
def test_updates_replace_what_was_there(world, name_server, program):
    name_server.start()
    ini = write_configuration(world.folder / f"{program}.ini", more=LONG_RUA)
    name_server.update(program, printed(ini, "--format", "nsupdate", "--target", "policies.example.net"))
    [before] = texts(name_server.ask(f"_mta-sts.{ZONE}", "TXT"))
    assert name_server.ask(f"mta-sts.{ZONE}", "CNAME") == ["policies.example.net."]

    write_configuration(ini, mode="enforce", more="rua = mailto:tls@example.org\n")
    name_server.update(program, printed(ini, "--format", "nsupdate", "--address", "192.0.2.1", "--address", "192.0.2.2",
                                        "--address", "2001:db8::1"))
    [after] = texts(name_server.ask(f"_mta-sts.{ZONE}", "TXT"))
    assert after != before and after in printed(ini)
    assert texts(name_server.ask(f"_smtp._tls.{ZONE}", "TXT")) == ["v=TLSRPTv1; rua=mailto:tls@example.org"]
    assert name_server.ask(f"mta-sts.{ZONE}", "CNAME") == []
    assert name_server.ask(f"mta-sts.{ZONE}", "A") == ["192.0.2.1", "192.0.2.2"]
    assert name_server.ask(f"mta-sts.{ZONE}", "AAAA") == ["2001:db8::1"]


@pytest.mark.parametrize("program", ["nsupdate", "knsupdate"])
def test_an_update_beside_a_delegation_fails_instead_of_vanishing(world, name_server, program):
    name_server.start()
    ini = write_configuration(world.folder / f"delegated-{program}.ini", domain=f"delegated.{ZONE}",
                              more="rua = mailto:tls@example.org\n")
    done = name_server.update(program, printed(ini, "--format", "nsupdate"), check=False)
    assert "YXRRSET" in done.stdout + done.stderr
    assert name_server.ask(f"_smtp._tls.delegated.{ZONE}", "TXT") == []
