"""mta-sts dns: from the configuration to what is printed, and what is said of it. tests/world gives it to name servers."""

import json
import re

import pytest

from lib import client
from lib.server import ORG, ORG_BODY
from lib.toolbox import run_mta_sts

NET = "[example.net]\nmode = testing\nmx = mail.example.net\n"
RUA = "rua = mailto:tls@example.org\n"
ID = r"[0-9A-Za-z]{1,32}"


def dns(site, *arguments):
    """Exit status, lines, and what was told."""
    done = run_mta_sts("dns", "-c", site.ini, *arguments)
    return done.returncode, done.stdout.splitlines(), done.stderr


def ids(lines):
    """The id of each domain."""
    return dict(re.match(rf'_mta-sts\.(\S+)\. .*"v=STSv1; id=({ID});"$', line).groups()
                for line in lines if line.startswith("_mta-sts."))


# --- What is printed

def test_each_domain_has_a_line_a_record(site):
    site.configure(ORG + RUA, NET + "alias = alias.example\n" + RUA)
    status, lines, told = dns(site)
    assert (status, told) == (0, "")
    assert [line.split()[0] for line in lines] == [
        f"{label}.{domain}." for domain in ("example.org", "example.net", "alias.example")
        for label in ("_mta-sts", "_smtp._tls")]
    assert all(re.fullmatch(rf'\S+\. 3600 IN TXT "v=(STSv1; id={ID};|TLSRPTv1; rua=mailto:tls@example.org)"', line)
               for line in lines)


def test_the_id_changes_when_and_only_when_the_policy_does(site):
    site.configure(ORG + RUA, NET + RUA)
    before = ids(dns(site)[1])
    site.configure("; another comment\n" + NET + "rua = mailto:another@example.org\n", ORG + RUA)
    assert ids(dns(site)[1]) == before
    site.configure(ORG + "mx = second.example.org\n" + RUA, NET + RUA)
    after = ids(dns(site)[1])
    assert after["example.net"] == before["example.net"]
    assert after["example.org"] != before["example.org"]
    site.configure(ORG + "id = 20261124\n" + RUA, NET + RUA)
    assert ids(dns(site)[1])["example.org"] == "20261124"


def test_the_same_policy_has_the_same_id_under_any_name_unless_its_body_names_the_domain(site):
    site.configure(ORG + "alias = a.example\n" + RUA, "[b.example]\nmode = none\nmx = mx.%d\nalias = c.example\n" + RUA)
    of = ids(dns(site)[1])
    assert of["example.org"] == of["a.example"]
    assert of["b.example"] != of["c.example"]


@pytest.mark.parametrize("arguments, expected", [
    (["--target", "policies.example."], ["CNAME policies.example."]),
    (["--target", "münchen.example"], ["CNAME xn--mnchen-3ya.example."]),
    (["--address", "192.0.2.1", "--address", "2001:db8::1"], ["A 192.0.2.1", "AAAA 2001:db8::1"]),
], ids=["target", "u-label", "addresses"])
def test_a_policy_host_is_where_one_says(site, arguments, expected):
    site.configure(ORG + RUA)
    status, lines, told = dns(site, *arguments)
    assert (status, told) == (0, "")
    assert [line for line in lines if line.startswith("mta-sts.")] == [
        f"mta-sts.example.org. 3600 IN {record}" for record in expected]


def test_a_host_that_is_the_target_is_told_to_need_addresses(site):
    site.configure(ORG + "alias = example.net\n" + RUA)
    status, lines, told = dns(site, "--target", "mta-sts.example.org")
    assert status == 0
    assert [line for line in lines if "CNAME" in line] == ["mta-sts.example.net. 3600 IN CNAME mta-sts.example.org."]
    assert "example.org: its policy host is the target" in told


def test_named_domains_alone_are_printed_as_they_are_typed(site):
    site.configure(ORG + RUA, NET + RUA, "[xn--mnchen-3ya.example]\nmode = none\nmx = mx.example.org\n" + RUA)
    status, lines, told = dns(site, "MÜNCHEN.example", "Example.NET.")
    assert (status, told) == (0, "")
    assert list(ids(lines)) == ["xn--mnchen-3ya.example", "example.net"]


def test_any_domain_has_the_records_of_the_section_for_any(site):
    site.configure(ORG + RUA, "[*]\nmode = testing\nmx = mx.%d\n" + RUA)
    assert list(ids(dns(site)[1])) == ["example.org"]
    assert list(ids(dns(site, "customer.example")[1])) == ["customer.example"]


def test_long_texts_are_strings_of_255_bytes(site):
    rua = [f"mailto:tls-{number}-{'x' * 60}@example.org" for number in range(9)]
    site.configure(ORG + "".join(f"rua = {one}\n" for one in rua))
    record = next(line for line in dns(site)[1] if line.startswith("_smtp._tls."))
    strings = re.findall(r'"([^"]*)"', record)
    assert [len(string) for string in strings[:-1]] == [255] * (len(strings) - 1) and len(strings) == 4
    assert "".join(strings) == "v=TLSRPTv1; rua=" + ",".join(rua)


def test_nsupdate_replaces_what_is_there_in_an_update_a_domain(site):
    site.configure(ORG + RUA, NET + RUA)
    _, lines, _ = dns(site, "--format", "nsupdate", "--ttl", "60", "--address", "192.0.2.1", "--address", "192.0.2.2")
    updates = "\n".join(lines).strip().split("\nsend\n")
    assert len(updates) == 2 and lines.count("send") == 2
    assert [line for line in updates[0].splitlines() if "mta-sts.example.org." in line and "_mta-sts" not in line] == [
        "update delete mta-sts.example.org. IN CNAME", "update delete mta-sts.example.org. IN A",
        "update delete mta-sts.example.org. IN AAAA", "update add mta-sts.example.org. 60 IN A 192.0.2.1",
        "update add mta-sts.example.org. 60 IN A 192.0.2.2"]
    for label in "_mta-sts", "_smtp._tls":
        assert f"prereq nxrrset {label}.example.org. IN CNAME" in updates[0]
        assert f"update delete {label}.example.org. IN TXT" in updates[0]


def test_json_is_an_array_of_records(site):
    site.configure(ORG + RUA)
    records = json.loads("\n".join(dns(site, "--format", "json", "--address", "2001:db8::1")[1]))
    assert [set(record) for record in records] == [{"name", "type", "ttl", "data"}] * 3
    assert records[1] == {"name": "mta-sts.example.org", "type": "AAAA", "ttl": 3600, "data": "2001:db8::1"}
    assert records[2]["data"] == "v=TLSRPTv1; rua=mailto:tls@example.org"
    assert json.loads("\n".join(dns(site, "--format", "json", "nobody.example")[1])) == []


def test_what_is_printed_belongs_to_what_is_served(site, serve):
    """A changed policy has another id, and the one that is served under it is the changed one."""
    site.install("example.org")
    server = serve(ORG + RUA)
    before = ids(dns(site)[1])["example.org"]
    assert client.fetch(server).body == ORG_BODY
    site.configure(ORG.replace("enforce", "testing") + RUA)
    assert server.reload().startswith("ready")
    assert client.fetch(server).body == ORG_BODY.replace(b"enforce", b"testing")
    assert ids(dns(site)[1])["example.org"] != before


# --- What is told

def test_domains_without_rua_are_counted(site):
    site.configure(ORG, NET)
    status, lines, told = dns(site)
    assert status == 0 and len(lines) == 2
    assert told.startswith("mta-sts: 2 domains without rua") and told.count("\n") == 1


def test_an_error_in_the_configuration_prints_no_record(site):
    site.configure(ORG + "mod = testing\n")
    status, lines, told = dns(site)
    assert status == 1 and not lines
    assert re.match(r".*mta-stsd\.ini:\d+: error: ", told)


@pytest.mark.parametrize("name, words", [
    ("nobody.example", "has no such domain"), ("example", "example "), ("ex ample.org", "ex ample.org "),
])
def test_a_domain_that_is_not_there_is_told_and_the_others_are_printed(site, name, words):
    site.configure(ORG + RUA)
    status, lines, told = dns(site, name, "example.org")
    assert status == 1 and len(lines) == 2
    assert words in told


def test_a_domain_too_long_for_a_record_is_told(site):
    domain = ".".join(["a" * 60] * 4)  # 243 bytes: _mta-sts. has room, _smtp._tls. has not
    site.configure(f"[{domain}]\nmode = none\nmx = mx.example.org\n{RUA}")
    status, lines, told = dns(site)
    assert status == 1 and len(lines) == 1
    assert f"mta-sts: {domain}: too long" in told


@pytest.mark.parametrize("arguments, words", [
    (["--format", "bind"], "zone, nsupdate or json"),
    (["--ttl", "1h"], "--ttl is 0 to 2147483647"), (["--ttl", "-1"], "--ttl is"), (["--ttl", "2147483648"], "--ttl is"),
    (["--target", "192.0.2.1"], "write --address 192.0.2.1"), (["--target", "a b.example"], "--target a b.example"),
    (["--target", "a.example", "--target", "b.example"], "not two"), (["--address", "a.example"], "an IP address"),
    (["--target", "a.example", "--address", "192.0.2.1"], "not both"),
    (["--no-such"], "--no-such"), (["--ttl"], "--ttl"),
])
def test_a_wrong_call_is_told_with_where_help_is(site, arguments, words):
    site.configure(ORG)
    status, lines, told = dns(site, *arguments)
    assert status == 2 and not lines
    assert words in told and told.endswith("mta-sts: see: mta-sts dns --help\n")


def test_output_that_goes_nowhere_is_told(site):
    site.configure(ORG + RUA)
    with open("/dev/full", "w", encoding="ascii") as full:
        done = run_mta_sts("dns", "-c", site.ini, stdout=full)
    assert done.returncode == 3 and "standard output" in done.stderr
