"""mta-stsd -t, -V, -h and a refused start: what is wrong, where, and what to write instead.

What each rule takes and refuses in detail is held by tests/unit/test_config.c; here is the way from the
file to the words on the terminal.
"""

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from lib import pki
from lib.processes import root_only
from lib.server import HOST, MTA_STSD, ORG, ORG_BODY, PATIENCE, Server, run_mta_stsd
from lib.toolbox import run_mta_sts
from lib.tools import run

SAMPLE = Path(__file__).resolve().parents[2] / "etc" / "mta-stsd.ini"
FINDING = re.compile(r"(?P<file>[^:]+)(?::(?P<line>\d+))?: (?P<level>error|warning): (?P<text>.+)")


class Judgement:
    """What -t said: exit status, findings as (level, line, text, file), and the summary."""

    def __init__(self, status, lines):
        self.status = status
        *findings, self.summary = lines
        assert not FINDING.fullmatch(self.summary), "the last line is a summary"
        self.findings = []
        for line in findings:
            match = FINDING.fullmatch(line)
            assert match, f"no finding: {line!r}"
            self.findings.append((match["level"], int(match["line"] or 0), match["text"], match["file"]))

    def of(self, level):
        return [finding for finding in self.findings if finding[0] == level]


def judge(site, text=None, with_certificate=True):
    """-t on a text in which <<< marks the line to be told; gives (Judgement, number of that line)."""
    marked = None
    if text is not None:
        lines = text.split("\n")
        marked = next((number for number, line in enumerate(lines, 1) if "<<<" in line), None)
        site.write("\n".join(line.replace("<<<", "").rstrip(" ") for line in lines))
    if with_certificate and not (site.certs / HOST).exists():
        site.install("example.org")
    return Judgement(*site.test()), marked


def base(site, policy=ORG, server="", defaults=""):
    return (f"[server]\nlisten = 127.0.0.1:0\n{server}\n"
            f"[defaults]\ncertificate = {site.certs}/%h/fullchain.pem\nkey = {site.certs}/%h/privkey.pem\n"
            f"{defaults}\n{policy}")


# --- a good configuration

def test_a_good_configuration_says_one_line_and_exits_0(site):
    judgement, _ = judge(site, base(site))
    assert (judgement.status, judgement.findings) == (0, [])
    assert judgement.summary == "1 domain, 1 policy, 1 listener: 0 errors, 0 warnings"


def test_the_summary_counts_what_there_is_and_what_was_found(site):
    site.install("example.net")
    text = base(site, ORG + "alias = example.net\nmax_age = 60\n[*]\nmode = none\nmx = mail.example.org\n",
                server="listen = 127.0.0.2:0\nlisten_acme = 127.0.0.3:0")
    judgement, _ = judge(site, text)
    assert (judgement.status, judgement.summary) == (
        0, "2 domains and any other, 2 policies, 3 listeners: 0 errors, 2 warnings")
    assert len(judgement.findings) == 2


def test_with_errors_the_summary_counts_them(site):
    judgement, _ = judge(site, base(site, ORG + "mox = a.example\nmax_age = 60\n"))
    assert (judgement.status, judgement.summary) == (1, "1 error, 1 warning")
    judgement, _ = judge(site, base(site, ORG + "mox = a.example\nmax_age = 0\n"))
    assert (judgement.status, judgement.summary) == (1, "2 errors, 0 warnings")


def test_t_says_it_all_on_standard_output(site):
    site.write(base(site, ORG + "mox = a.example\n"))
    done = run_mta_stsd("-t", "-c", str(site.ini))
    assert "mox" in done.stdout and done.stderr == ""


def test_config_only_judges_the_configuration_and_opens_no_certificate(site):
    site.write(base(site, ORG + "max_age = 60\n"))
    site.install("example.org")
    (site.certs / HOST / "fullchain.pem").write_text("nothing")
    whole = Judgement(*site.test())
    assert whole.status == 0 and any("certificate file: " in finding[2] for finding in whole.findings)
    for alone in site.test("--config-only"), site.test("--test", "--config-only"):
        alone = Judgement(*alone)
        assert alone.status == 0 and not any("certificate" in finding[2] for finding in alone.findings)
        assert alone.findings == whole.findings[:-1]
    site.write(base(site, ORG + "mox = a.example\n"))
    assert site.test("--config-only")[0] == 1


def test_config_only_goes_with_t(site):
    site.configure(ORG)
    done = run_mta_stsd("-c", str(site.ini), "--config-only")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("mta-stsd: --config-only goes with -t\nusage: mta-stsd ")


def test_the_findings_of_certificates_do_not_depend_on_the_number_of_cpus(site):
    domains = [f"d{number:02}.example" for number in range(30)]
    site.configure(ORG, *(f"[{domain}]\nmode = none\nmx = a.example\n" for domain in domains))
    site.install("example.org", days=60)
    shared = site.authority.issue(*(f"mta-sts.{domain}" for domain in domains[:10]), since=-80, days=5.5)
    for domain in domains[:12]:
        site.install(domain, pair=shared)
    for domain in domains[12:20]:
        site.install(domain, days=-1, since=-9)
    (site.certs / f"mta-sts.{domains[13]}" / "privkey.pem").write_text("nothing\n")
    by_all = site.test()
    assert by_all[1][-1].endswith(": 0 errors, 30 warnings")
    places = [int(line.split(":")[1]) for line in by_all[1][:-1]]
    assert places == sorted(places)
    one = subprocess.run(["taskset", "-c", str(min(os.sched_getaffinity(0))), *shlex.split(MTA_STSD), "-t", "-c", str(site.ini)],
                         stdout=subprocess.PIPE, text=True, timeout=PATIENCE, check=False)
    assert (one.returncode, one.stdout.splitlines()) == by_all


def test_t_that_nobody_can_read_has_not_succeeded(site):
    site.write(base(site, ORG))
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([*shlex.split(MTA_STSD), "-t", "-c", str(site.ini)], stdout=full, stderr=subprocess.PIPE, text=True,
                              timeout=PATIENCE, check=False)
    assert (done.returncode, done.stderr) == (1, "mta-stsd: standard output: No space left on device\n")


def test_without_c_it_is_the_configuration_in_etc():
    named = run_mta_stsd("-t", "-c", "/etc/mta-sts/mta-stsd.ini")
    unnamed = run_mta_stsd("-t")
    assert (unnamed.returncode, unnamed.stdout) == (named.returncode, named.stdout)
    assert "/etc/mta-sts/mta-stsd.ini" in unnamed.stdout or named.returncode == 0


def test_t_binds_nothing(site, serve):
    server = serve(ORG)
    address = "%s:%d" % server.https
    judgement, _ = judge(site, base(site).replace("127.0.0.1:0", address))
    assert judgement.status == 0


def test_the_sample_configuration_has_no_error(site):
    done = run_mta_stsd("-t", "-c", str(SAMPLE))
    judgement = Judgement(done.returncode, done.stdout.splitlines())
    assert done.returncode == 0, done.stdout
    # neither its certificates nor its directory of ACME tokens are here; nothing else is to be said about it
    other = [finding for finding in judgement.findings
             if "certificate" not in finding[2] and not finding[2].startswith("acme_webroot = ")]
    assert not judgement.of("error") and not other


# --- every rule, once

POLICY = "mode = enforce\nmx = mail.example.org\n"
DEEP = ".".join(["d" * 60, "o" * 60, "m" * 60, "n" * 60, "ex"])  # 246 bytes: one too long

# name: (policy part of the file, what the message says)
IN_POLICIES = {
    "unknown key": (ORG + "mox = mail.example.org <<<", r"mox.*did you mean mx\?"),
    "repeated section": (ORG + "[Example.ORG.] <<<\n" + POLICY, r"already.*:\d+"),
    "repeated key": (ORG + "mode = testing <<<", r"mode is already set at .*:\d+"),
    "domain named as alias too": (ORG + "[example.net]\n" + POLICY + "alias = example.org <<<", r"example\.org.*already.*:\d+"),
    "alias named twice": (ORG + "alias = a.example\nalias = b.example A.example <<<", r"a\.example.*already.*:\d+"),
    "mode": (ORG.replace("enforce", "enforced <<<"), r"enforced.*did you mean enforce\?"),
    "no mode": ("[example.org] <<<\nmx = mail.example.org", r"mode"),
    "no mx": ("[example.org] <<<\nmode = enforce", r"mx"),
    "no mx for none": ("[example.org] <<<\nmode = none", r"mx"),
    "mx star": (ORG + "mx = mail.*.example.org <<<", r"\*"),
    "mx twice": (ORG + "mx = MAIL.example.org <<<", r"mail\.example\.org.*already.*:\d+"),
    "two mx in a line": (ORG + "mx = a.example.org b.example.org <<<", r"repeat the key"),
    "mx address": (ORG + "mx = 192.0.2.1 <<<", r"192\.0\.2\.1"),
    "mx U-label": (ORG + "mx = b\u00fccher.example <<<", r"xn--|A-label"),
    "mx %": (ORG + "mx = mail.%h <<<", r"%"),
    "unknown %x": (ORG + "certificate = /x/%x.pem <<<", r"%x.*%h.*%d"),
    "max_age 0": (ORG + "max_age = 0 <<<", r"1 to 31557600"),
    "max_age too long": (ORG + "max_age = 31557601 <<<", r"1 to 31557600"),
    "max_age word": (ORG + "max_age = 1 week <<<", r"max_age"),
    "id": (ORG + "id = 2026-11-24 <<<", r"id"),
    "rua": (ORG + "rua = tls-reports@example.org <<<", r"mailto:"),
    "key: value": (ORG + "max_age: 86400 <<<", r"="),
    "neither": (ORG + "nonsense <<<", r"nonsense|section"),
    "junk behind ]": (ORG + "[example.net] junk <<<\n" + POLICY, r"section header"),
    "no ]": (ORG + "[example.net <<<\n" + POLICY, r"\]"),
    "NUL": (ORG + "mx = a\0b.example <<<", r"NUL"),
    "line too long": (ORG + "rua = mailto:" + "x" * 8000 + " <<<", r"8000"),
    "one label": (ORG + "[org] <<<\n" + POLICY, r"org.*no dot|no domain"),
    "no domain": (ORG + "[exa_mple.org] <<<\n" + POLICY, r"no domain"),
    "policy host": (ORG + "[mta-sts.example.net] <<<\n" + POLICY, r"did you mean \[example\.net\]\?"),
    "U-label": (ORG + "[b\u00fccher.example] <<<\n" + POLICY, r"A-label|xn--"),
    "246 bytes": (ORG + f"[{DEEP}] <<<\n" + POLICY, r"245"),
    "listen in a policy": (ORG + "listen = 127.0.0.1:0 <<<", r"\[server\]"),
    "alias file missing": (ORG + "alias_file = nothing.txt <<<", r"nothing\.txt.*No such file"),
    "quotes": (ORG + 'mx = "a.example.org" <<<', r"quote"),
    "no value": (ORG + "mx = <<<", r"mx"),
}

IN_SERVER = {
    "unknown key": ("max_connection = 5 <<<", r"did you mean max_connections\?"),
    "number": ("max_tls = many <<<", r"max_tls"),
    "out of range": ("workers = 0 <<<", r"workers"),
    "truncated": ("workers = 4294967297 <<<", r"workers"),
    "address": ("listen = 443 <<<", r"did you mean 0\.0\.0\.0:443"),
    "port": ("listen = 127.0.0.1:65536 <<<", r"65536"),
    "IPv6 without brackets": ("listen = ::1:443 <<<", r"\["),
    "same listener": ("listen = 127.0.0.1:4430\nlisten = 127.0.0.1:4430 <<<", r"already.*:\d+"),
    "thumbprint": ("acme_thumbprint = short <<<", r"acme_thumbprint"),
    "webroot and dir": ("acme_webroot = /a\nacme_dir = /b <<<", r"acme_webroot"),
    "switch": ("access_log = maybe <<<", r"on or off"),
    "include missing": ("include = nothing.ini <<<", r"nothing\.ini.*No such file"),
    "mx in [server]": ("mx = mail.example.org <<<", r"\[server\]"),
    "user": ("user = a b <<<", r"user"),
}


@pytest.mark.parametrize("name", IN_POLICIES)
def test_an_error_in_a_policy_is_told_with_its_line(site, name):
    policy, words = IN_POLICIES[name]
    judgement, line = judge(site, base(site, policy))
    assert judgement.status == 1
    (_, told, text, file), *more = judgement.of("error")
    assert (told, file) == (line, str(site.ini))
    assert re.search(words, text), text
    assert not more, "one slip is one error"


@pytest.mark.parametrize("name", IN_SERVER)
def test_an_error_in_server_is_told_with_its_line(site, name):
    server, words = IN_SERVER[name]
    judgement, line = judge(site, base(site, server=server))
    assert judgement.status == 1
    (_, told, text, file), *more = judgement.of("error")
    assert (told, file) == (line, str(site.ini))
    assert re.search(words, text), text
    assert not more, "one slip is one error"


@pytest.mark.parametrize("text, words", [
    (f"[server] <<<\naccess_log = on\n{ORG}", r"listen"),
    ("[server]\nlisten = 127.0.0.1:0\n", r"policy"),
    ("", r"\[server\]|policy"),
    ("mode = enforce\n[server]\nlisten = 127.0.0.1:0\n" + ORG, r"above"),
], ids=["no listener", "no policy", "empty", "key above sections"])
def test_what_is_missing_is_told(site, text, words):
    judgement, line = judge(site, text)
    assert judgement.status == 1
    found = [finding for finding in judgement.of("error") if re.search(words, finding[2])]
    assert found, judgement.findings
    assert line is None or found[0][1] == line


def test_all_errors_are_told_at_once(site):
    judgement, _ = judge(site, base(site, "[example.org]\nmode = x\nmx = *\nmax_age = 0\nid = -\n"))
    assert len(judgement.of("error")) == 4
    lines = [finding[1] for finding in judgement.findings]
    assert lines == sorted(lines)


def test_errors_in_an_include_have_its_name_and_line(site):
    site.write("[example.net]\nmode = enforce\nmx = mail.example.net\n\nmax_ag = 1d\n", "net.ini")
    judgement, _ = judge(site, base(site, server="include = net.ini"))
    (_, line, text, file), *more = judgement.of("error")
    assert (line, Path(file).name, more) == (5, "net.ini", [])
    assert "did you mean max_age?" in text


@pytest.mark.parametrize("section", ["[server]\nworkers = 1\n", "[defaults]\nmode = testing\n", f"[*]\n{POLICY}"],
                         ids=["server", "defaults", "any"])
def test_what_is_for_the_whole_stands_in_the_main_file_only(site, section):
    site.write(section, "more.ini")
    judgement, _ = judge(site, base(site, server="include = *more.ini"))
    assert judgement.of("error")[0][1] == 1
    assert "main file" in judgement.of("error")[0][2]


def test_a_domain_in_two_files_is_told_with_both_places(site):
    site.write(ORG, "a.ini")
    judgement, line = judge(site, base(site, server="include = a.ini"))
    error = judgement.of("error")[0]
    places = {f"{error[3]}:{error[1]}"} | set(re.findall(r"\S+:\d+", error[2]))
    assert len(places) == 2 and any("a.ini:2" in place for place in places)


def test_an_empty_glob_is_fine(site):
    judgement, _ = judge(site, base(site, server="include = nothing-here-*.ini"))
    assert judgement.status == 0 and not judgement.of("error")


def test_alias_files_are_judged_by_line(site):
    site.write("good.example\n# fine\nnot a domain\n", "aliases.txt")
    judgement, _ = judge(site, base(site, ORG + "alias_file = aliases.txt"))
    (_, line, _, file), *_ = judgement.of("error")
    assert (line, Path(file).name) == (3, "aliases.txt")


def test_an_indented_line_is_a_line_of_its_own(site):
    judgement, _ = judge(site, base(site, "[example.org]\n  mode = enforce\n    mx = mail.example.org\n\t max_age = 1d\n"))
    assert (judgement.status, judgement.findings) == (0, [])


@pytest.mark.parametrize("policy, words", [
    (ORG + "max_age = 3600 <<<", r"max_age"),
    ("[example.org] <<<\nmode = enforce\n" + "".join(
        f"mx = {'m' * 60}.{'a' * 60}.{number:03}.example.org\n" for number in range(80)), r"policy of \d+ bytes"),
], ids=["max_age", "body over 10 KiB"])
def test_what_some_senders_refuse_is_a_warning(site, policy, words):
    judgement, line = judge(site, base(site, policy))
    assert judgement.status == 0
    (level, told, text, _), *more = judgement.findings
    assert (level, told, more) == ("warning", line, [])
    assert re.search(words, text)


def test_a_body_over_64_kilobytes_is_an_error(site):
    mx = "".join(f"mx = {'m' * 60}.{'a' * 60}.{'b' * 60}.{number:03}.example.org\n" for number in range(400))
    judgement, line = judge(site, base(site, f"[example.org] <<<\nmode = enforce\n{mx}"))
    assert judgement.status == 1
    assert judgement.of("error")[0][1] == line


def test_a_user_that_does_not_exist_is_told_at_its_line(site):
    # Fatal for a server that root starts; to any other, user means nothing.
    judgement, marked = judge(site, base(site, server="user = no-such-user <<<"))
    level = "error" if os.geteuid() == 0 else "warning"
    (line, text), = [finding[1:3] for finding in judgement.of(level)]
    assert line == marked and "no-such-user" in text and "useradd" in text


def test_a_configuration_that_cannot_be_read_is_told(site):
    nothing = site.folder / "nothing.ini"
    missing = f"{nothing}: error: cannot open the configuration: No such file or directory"
    done = run_mta_stsd("-t", "-c", str(nothing))
    assert (done.returncode, done.stdout) == (1, f"{missing}\n1 error, 0 warnings\n")
    done = run_mta_sts("hosts", "-c", str(nothing))
    assert (done.returncode, done.stderr) == (1, f"{missing}\n")
    done = run_mta_stsd("-c", str(nothing))
    assert done.returncode == 1 and f'level=error from=keeper.1 msg="{missing}"' in done.stderr.splitlines()[0]
    done = run_mta_stsd("-t", "-c", str(site.folder))
    assert (done.returncode, done.stdout) == (
        1, f"{site.folder}: error: the configuration is no regular file\n1 error, 0 warnings\n")


def test_what_is_about_the_whole_file_has_no_line(site):
    site.write("[defaults]\n")
    assert site.test()[1][0] == f"{site.ini}: error: there is no [server]"


# --- certificates

def judge_certificate(site, prepare=None):
    """The findings about example.org's certificate, all at the line of its section."""
    text = base(site).replace("[example.org]", "[example.org] <<<")
    if prepare:
        prepare(site.certs / HOST)
    judgement, line = judge(site, text, with_certificate=False)
    assert {finding[1] for finding in judgement.findings} <= {line}
    assert judgement.status == 0, "a bad certificate is a warning: all else is served"
    assert not judgement.of("error")
    return [finding[2] for finding in judgement.findings]


@pytest.mark.parametrize("kind", ["p256", "p384", "rsa2048", "rsa3072"])
def test_a_good_certificate_is_nothing_to_tell(site, kind):
    site.install("example.org", kind=kind)
    assert judge_certificate(site) == []


CERTIFICATES = {
    "missing": (lambda site, pair: None, r"No such file"),
    "another host's": (lambda site, pair: site.install("example.org", site.authority.issue("www.example.org")),
                       r"does not cover mta-sts\.example\.org.*www\.example\.org"),
    "another key": (lambda site, pair: site.install("example.org", pair.with_key(pki.new_key("p256"))),
                    r"key is not the certificate's"),
    "expired": (lambda site, pair: site.install("example.org", since=-90, days=-3), r"expired 3 days ago"),
    "expires soon": (lambda site, pair: site.install("example.org", since=-80, days=10), r"expires in (9|10) days"),
    "not yet valid": (lambda site, pair: site.install("example.org", since=5), r"not valid for another"),
    "no intermediate": (lambda site, pair: site.install("example.org", pair.with_chain(pair.leaf)),
                        r"leaf without its intermediate, though its name is fullchain\.pem: append"),
    "out of order": (lambda site, pair: site.install("example.org", pair.with_chain(
        pair.leaf, site.authority.root.certificate, site.authority.intermediate.certificate)), r"out of order"),
    "leaf last": (lambda site, pair: site.install("example.org", pair.with_chain(*reversed(pair.chain))),
                  r"first certificate|order|does not cover|key is not"),
    "key for all to read": (lambda site, pair: pair.write(site.certs / HOST, key_mode=0o644), r"read the key"),
    "Ed25519": (lambda site, pair: site.install("example.org", kind="ed25519"), r"Ed25519.*P-256"),
    "short RSA": (lambda site, pair: site.install("example.org", kind="rsa1024"), r"1024"),
    "a folder": (lambda site, pair: (site.certs / HOST / "fullchain.pem").mkdir(parents=True), r"."),
    "a loop of links": (lambda site, pair: ((site.certs / HOST).mkdir(parents=True), (site.certs / HOST / "fullchain.pem")
                                            .symlink_to("fullchain.pem")), r"symbolic links"),
    "cut short": (lambda site, pair: (pair.write(site.certs / HOST), (site.certs / HOST / "fullchain.pem")
                                      .write_bytes(pair.chain_pem()[:-60])), r"cut short|broken"),
    "no key": (lambda site, pair: (pair.write(site.certs / HOST), (site.certs / HOST / "privkey.pem").unlink()),
               r"privkey\.pem.*No such file|key.*No such file"),
}


@pytest.mark.parametrize("name", CERTIFICATES)
def test_a_certificates_finding_is_a_warning_at_its_section(site, name):
    prepare, words = CERTIFICATES[name]
    prepare(site, site.authority.issue(HOST))
    told = judge_certificate(site)
    assert len(told) == 1 and re.search(words, told[0]), told


def test_a_certificate_good_for_15_days_is_nothing_to_tell(site):
    site.install("example.org", since=-75, days=15)
    assert judge_certificate(site) == []


def test_the_certificate_of_each_alias_is_judged(site):
    site.install("example.org")
    site.install("good.example")
    judgement, line = judge(site, base(site, ORG + "alias = good.example bad.example"))
    warnings = judgement.of("warning")
    assert len(warnings) == 1 and "bad.example" in warnings[0][2]


# --- the command line

def test_v_tells_versions(site):
    done = run_mta_stsd("-V")
    assert done.returncode == 0
    assert re.search(r"mta-stsd \d|mta-stsd .*\d", done.stdout)
    assert re.search(r"(?i)mbed ?tls (3\.6\.[6-9]|3\.6\.\d\d|4)", done.stdout)
    assert "curves" in done.stdout


def test_v_tells_which_libraries_are_linked_in_and_which_are_shared():
    lines = dict(line.split(": ", 1) for line in run_mta_stsd("-V").stdout.splitlines()[1:])
    *_, program = shlex.split(MTA_STSD)
    loaded = run("ldd", program).stdout.decode()
    files = {"mbedTLS": "libmbedtls", "Nettle": "libnettle", "GMP": "libgmp", "libsodium": "libsodium",
             "libev": "libev", "inih": "libinih"}
    for name, file in files.items():
        assert (name in lines.get("shared", "")) == (f"{file}.so" in loaded), name
        assert not (name in lines.get("shared", "") and re.search(rf"\b{name} ", lines.get("linked in", ""))), name
    assert re.search(r"mbedTLS (3\.6|4)\.\d+", "".join(lines.values()))
    assert re.search(r"libev 4\.\d+", lines["shared"])


def test_the_server_is_linked_with_nothing_of_the_toolbox():
    *_, program = shlex.split(MTA_STSD)
    linked = run("ldd", program).stdout.decode()
    assert "libev" in linked
    assert not re.search(r"lib(curl|cares|gmime|glib|json|jansson|yajl|z|idn2|ssl|crypto|gnutls)\b", linked), linked


@pytest.mark.parametrize("brief, full", [("-h", "--help"), ("-V", "--version")])
def test_a_long_option_prints_what_the_short_one_prints(brief, full):
    done = run_mta_stsd(full)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout and done.stdout == run_mta_stsd(brief).stdout


def test_the_help_lists_every_option_in_both_forms_and_the_program_takes_each(site):
    listed = re.findall(r"^  (-\w), (--[a-z-]+) ", run_mta_stsd("--help").stdout, re.M)
    assert {("-c", "--config"), ("-t", "--test"), ("-H", "--health"), ("-V", "--version"), ("-h", "--help")} <= {*listed}
    for option in (word for both in listed for word in both):
        argument = [str(site.ini)] if option in ("-c", "--config") else []
        assert run_mta_stsd(option, *argument, "-h").stdout.startswith(("usage:", "mta-stsd ")), option


def test_the_long_forms_of_an_option_with_an_argument(site):
    site.configure(ORG)
    for arguments in (["--config", str(site.ini), "--test"], [f"--config={site.ini}", "-t"]):
        done = run_mta_stsd(*arguments)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        assert ": 0 errors" in done.stdout


@pytest.mark.parametrize("arguments", [["-x"], ["-c"], ["word"], ["-t", "word"], ["--nothing"], ["--config"],
                                       ["--test=x"]], ids=" ".join)
def test_a_usage_error_exits_2_and_says_how(arguments):
    done = run_mta_stsd(*arguments)
    assert done.returncode == 2
    assert "usage: mta-stsd" in done.stderr
    assert done.stdout == ""


# --- a refused start

def test_a_bad_configuration_refuses_the_start_and_the_log_says_why(site):
    site.write(base(site, ORG + "mox = a.example\nmax_age = 0"))
    with_errors = Server(site).allow(r"mox|max_age|refused|configuration|generation|error")
    assert with_errors.wait_end() == 1
    with_errors.check()
    lines = site.ini.read_text().split("\n")
    for word in ("mox", "max_age"):
        number = next(n for n, line in enumerate(lines, 1) if line.startswith(word))
        assert with_errors.messages(rf"{re.escape(str(site.ini))}:{number}: (error: )?.*{word}"), with_errors.log()
    assert not with_errors.messages("^ready")


def test_a_listener_that_cannot_be_had_refuses_the_start(site, make_site, serve):
    taken = "%s:%d" % serve(ORG).https
    other = make_site().configure(ORG, listen=[taken])
    refused = Server(other).allow(".")
    assert refused.wait_end() == 1
    refused.check()
    assert refused.messages(rf"{re.escape(taken)}.*(in use|taken)"), refused.log()


# As containers and VPS often are: the kernel knows IPv6, and no interface may have it.
WITHOUT_IPV6 = ["unshare", "--net", "sh", "-c",
                'ip link set lo up && echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6 && exec "$@"', "sh"]


@root_only
def test_a_server_that_is_for_ipv6_alone_does_not_start_without(site):
    site.configure(ORG, listen=["[::1]:8443"], acme=["127.0.0.2:0"], server=f"acme_thumbprint = {'A' * 43}")
    server = Server(site, prefix=WITHOUT_IPV6).allow("no HTTPS listener is left|cannot start")
    assert server.wait_end() == 1
    server.check()
    assert server.messages("no HTTPS listener is left on this machine")


@root_only
def test_a_machine_without_ipv6_serves_all_else_and_is_a_warning(site):
    listen = ["[::1]:8443", "[::]:8444", "127.0.0.1:8443"]
    site.install("example.org")
    site.configure(ORG, listen=listen)
    with Server(site, prefix=WITHOUT_IPV6) as server:
        line = site.ini.read_text().split("\n").index("listen = [::1]:8443") + 1
        skipped = rf"^{re.escape(str(site.ini))}:{line}: warning: \[::1\]:8443 is skipped: this machine has no IPv6$"
        assert len(server.messages(skipped)) == 1

        def inside(*command):
            return run("nsenter", "-t", server.pid, "-n", *command)

        done = inside("curl", "-sS", "--resolve", f"{HOST}:8443:127.0.0.1", "--cacert", site.ca,
                      f"https://{HOST}:8443/.well-known/mta-sts.txt")
        assert (done.returncode, done.stdout) == (0, ORG_BODY)
        assert inside(*shlex.split(MTA_STSD), "-H", "-c", site.ini).returncode == 0  # the next listener is asked
        site.configure(ORG + "max_age = 86400\n", listen=listen)
        assert server.reload().startswith("ready: generation 2")


def test_warnings_do_not_hinder_the_start(serve):
    server = serve(ORG + "max_age = 60\n")
    assert server.messages(r"max_age is below a day")
