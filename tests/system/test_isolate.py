"""isolate = on: one customer's mistake keeps neither the others from being served nor their changes."""

import re

import pytest

from lib.client import fetch, refused_alert
from lib.reloads import reload, status
from lib.server import HOST, ORG, ORG_BODY, Server

ON = "isolate = on"
NEW_BODY = ORG_BODY.replace(b"604800", b"86400")
NEW = ORG + "max_age = 86400\n"
NET, OTHER = "mta-sts.example.net", "mta-sts.other.example"
SECTION = "[example.net]\nmode = testing\nmx = mx.example.net\n"
BEFORE = b"version: STSv1\r\nmode: testing\r\nmx: mx.example.net\r\nmax_age: 604800\r\n"
ALIAS = ORG_BODY  # of an alias in ORG's section
ANY = "[*]\nmode = none\nmx = any.example.com\n"
ANY_BODY = b"version: STSv1\r\nmode: none\r\nmx: any.example.com\r\nmax_age: 604800\r\n"


@pytest.fixture(autouse=True)
def certificates(site):
    for domain in "example.org", "example.net", "other.example":
        site.install(domain)


class Rule:
    """What is good, what is wrong then, at which marked line (<<<) of which file, and what becomes of whom."""

    def __init__(self, good, bad, text, kept, host=NET, left_out=True):
        self.good, self.bad, self.text = good, bad, text
        self.kept, self.host, self.left_out = kept, host, left_out

    def configure(self, site, org, files):
        """Gives the place that is marked, FILE:LINE."""
        place = None
        for name, text in {"mta-stsd.ini": "", **files}.items():
            text = text.replace("ORG\n", org)
            if name == "mta-stsd.ini":
                server = "".join(f"include = {other}\n" for other in ("one.ini", "two.ini") if other in str(files))
                site.configure(text, server=ON + "\n" + server)
                path = site.ini
            else:
                site.write(text, name)
                path = site.folder / name
            lines = path.read_text().split("\n")
            for number, line in enumerate(lines, 1):
                if "<<<" in line:
                    place = f"{path}:{number}"
            site.write(path.read_text().replace("<<<", ""), name)
        return place


MAIN = "mta-stsd.ini"
RULES = {
    "a bad mode": Rule({MAIN: "ORG\n" + SECTION}, {MAIN: "ORG\n" + SECTION.replace("testing", "tseting<<<")},
                       "did you mean testing", BEFORE),
    "an unknown key": Rule({MAIN: "ORG\n" + SECTION}, {MAIN: "ORG\n" + SECTION + "mox = mx.example.net<<<\n"},
                           "unknown key", BEFORE),
    "no mx": Rule({MAIN: "ORG\n" + SECTION}, {MAIN: "ORG\n[example.net]<<<\nmode = testing\n"}, "no mx", BEFORE),
    "an alias with an underscore": Rule({MAIN: "ORG\nalias = example.net\n"},
                                        {MAIN: "ORG\nalias = example.net\nalias = a_b.example<<<\n"}, "a_b.example",
                                        ALIAS, left_out=False),
    "a domain in two files": Rule({MAIN: "ORG\n", "one.ini": SECTION, "two.ini": ""},
                                  {MAIN: "ORG\n", "one.ini": SECTION,
                                   "two.ini": SECTION.replace("]\n", "]<<<\n").replace("testing", "none")},
                                  "already named at .*one.ini:1", BEFORE),
    "a bad header": Rule({MAIN: "ORG\n", "one.ini": SECTION}, {MAIN: "ORG\n", "one.ini": SECTION.replace("]", "<<<")},
                         "", BEFORE),
    "a header that is no domain": Rule({MAIN: "ORG\n" + SECTION},
                                       {MAIN: "ORG\n" + SECTION.replace("example.net]", "exa_mple.net]<<<")},
                                       "exa_mple.net", BEFORE),
    "a wrong [*]": Rule({MAIN: "ORG\n" + ANY}, {MAIN: "ORG\n" + ANY.replace("none", "never<<<")}, "mode", ANY_BODY, OTHER),
}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_what_is_wrong_is_isolated_and_the_rest_is_served_anew(serve, site, rule):
    rule.configure(site, ORG, rule.good)
    with Server(site) as server:
        assert fetch(server).body == ORG_BODY
        assert fetch(server, rule.host).body == rule.kept
        place = rule.configure(site, NEW, rule.bad)
        since = server.mark()
        exit_status, out, err = reload(site)
        assert (exit_status, err) == (0, ""), out + err
        findings = out.splitlines()
        assert re.search(r"^ready: generation 2, .*, [1-9] isolated, 1 listener", findings.pop()), out
        assert [line for line in findings if re.match(rf"{place}: warning: isolated: .*{rule.text}", line)], out
        server.wait_for("^ready: generation 2", since=since)
        assert {line.level for line in server.lines[since:] if "isolated: " in (line.message or "")} == {"warning"}
        assert fetch(server).body == NEW_BODY
        assert fetch(server, rule.host).body == (NEW_BODY if rule.kept == ALIAS else rule.kept)
        assert " isolated, " in status(site)[1]
        rule.configure(site, NEW, rule.good)
        assert "isolated" not in reload(site)[1]


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_start_with_it_serves_the_rest(site, rule):
    place = rule.configure(site, ORG, rule.bad)
    with Server(site) as server:
        assert server.messages(rf"^{place}: .*isolated: .*{rule.text}"), server.log()
        assert fetch(server).body == ORG_BODY
        if rule.left_out:
            assert refused_alert(server, rule.host) == "TLSV1_UNRECOGNIZED_NAME"
        else:
            assert fetch(server, rule.host).body == rule.kept
    exit_status, lines = site.test()
    assert exit_status == 0
    assert [line for line in lines if re.match(rf"{place}: warning: isolated: .*{rule.text}", line)], lines


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_without_isolate_it_is_refused(serve, site, rule):
    rule.configure(site, ORG, rule.good)
    with Server(site) as server:
        server.allow("error: |reload refused")
        place = rule.configure(site, NEW, rule.bad)
        site.write(site.ini.read_text().replace(ON, "isolate = off"))
        exit_status, out, err = reload(site)
        assert exit_status == 1 and f"{place}: error: " in out and err.startswith("reload refused at ")
        assert fetch(server).body == ORG_BODY
        assert fetch(server, rule.host).body == rule.kept


@pytest.mark.parametrize("name, kept", [("one.ini", BEFORE), ("customers.txt", NEW_BODY)], ids=["include", "alias_file"])
@pytest.mark.parametrize("breakage", ["missing", "directory"])
def test_the_domains_of_a_file_that_cannot_be_read_keep_their_policies(serve, site, name, kept, breakage):
    included = name == "one.ini"
    site.write(SECTION if included else "example.net\n", name)
    server = ON + ("\ninclude = one.ini" if included else "")
    alias = "" if included else "alias_file = customers.txt\n"
    running = serve(ORG + alias, server=server)
    before = fetch(running, NET).body
    (site.folder / name).unlink()
    if breakage == "directory":
        (site.folder / name).mkdir()
    site.configure(NEW + alias, server=server)
    exit_status, out, _ = reload(site)
    assert exit_status == 0 and ", 2 domains, 1 isolated," in out
    line = site.ini.read_text().splitlines().index("include = one.ini" if included else alias.strip()) + 1
    assert re.match(rf"{site.ini}:{line}: warning: isolated: .*{name}.*"
                    r"1 domain that is not found now keeps the last good policy", out), out
    assert fetch(running).body == NEW_BODY
    assert fetch(running, NET).body == before


@pytest.mark.parametrize("where, line", [("server", "max_conections = 100"), ("defaults", "mode = tseting")])
def test_server_and_defaults_stay_strict(serve, site, where, line):
    server = serve(ORG, server=ON).allow("error: |reload refused")
    if where == "server":
        site.configure(NEW, server=ON + "\n" + line)
    else:
        site.configure(NEW, server=ON, defaults=line)
    exit_status, out, err = reload(site)
    at = site.ini.read_text().splitlines().index(line) + 1
    assert exit_status == 1 and f"{site.ini}:{at}: error: " in out
    assert err.startswith(f"reload refused at {site.ini}:{at}; generation 1")
    assert fetch(server).body == ORG_BODY


def test_when_nothing_is_left_the_reload_is_refused(serve, site):
    server = serve(ORG, server=ON).allow("error: |reload refused")
    site.configure("[example.com]\nmode = never\nmx = mx.example.com\n", server=ON)
    exit_status, out, _ = reload(site)
    assert exit_status == 1 and "there is no policy left: everything is isolated" in out
    assert fetch(server).body == ORG_BODY
    assert fetch(server, HOST).body == ORG_BODY
