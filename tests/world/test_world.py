"""The world itself: that what the other files stand on is there, and ends at its edge."""

from lib.world import DNS

POLICY = "https://mta-sts.example.org/.well-known/mta-sts.txt"


def test_a_stranger_finds_a_policy_by_name_and_trusts_it(world):
    server = world.host("server", "192.0.2.25", "2001:db8::25")
    stranger = world.host("stranger", "192.0.2.99", "2001:db8::99")
    files = world.ca.issue_files("mta-sts.example.org")
    world.mta_stsd(server, f"""
        [server]
        listen = 0.0.0.0:443
        listen = [::]:443
        [example.org]
        mode = enforce
        mx = mail.example.org
        certificate = {files.certificate}
        key = {files.key}
        """)
    world.dns.set("""
        mta-sts.example.org. CNAME policies.example.net.
        policies.example.net. A 192.0.2.25
        policies.example.net. AAAA 2001:db8::25
        """)
    for family in "-4", "-6":
        assert "mx: mail.example.org" in stranger.run("curl", "-sS", family, POLICY).stdout


def test_a_name_that_nobody_has_set_does_not_exist(world):
    host = world.host("asking", "192.0.2.98")
    assert "NXDOMAIN" in host.run("kdig", f"@{DNS}", "absent.example.org").stdout
    world.dns.set("present.example.org. A 192.0.2.1")
    assert host.run("kdig", "+short", f"@{DNS}", "present.example.org").stdout == "192.0.2.1\n"
    world.dns.remove("present.example.org")
    assert "NXDOMAIN" in host.run("kdig", f"@{DNS}", "present.example.org").stdout


def test_nobody_outside_can_be_reached(world):
    host = world.host("curious", "192.0.2.97")
    assert host.run("curl", "-sS", "--max-time", "3", "http://198.51.100.1/", check=False).returncode == 7
