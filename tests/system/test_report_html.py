"""mta-sts report --html: that the page is well-formed, asks nobody for anything, and replaces the old one as a whole."""

import html.parser
import json
import pathlib
import re

import pytest

from lib.toolbox import run_mta_sts

REPORTS = pathlib.Path(__file__).resolve().parent.parent / "reports"
VOID = {"meta", "br", "hr", "img", "input", "link", "wbr"}
SVG_ALONE = {"path"}  # may end in />
HOSTILE = ["\"><script>alert(1)</script>", "'--><img src=x>", "</style></title></svg>", "]]>", "\u202egro.elpmaxe", "&amp;",
           "\u0000\u001b[2J", "\u2028"]


class Page(html.parser.HTMLParser):
    """A page whose tags are all opened and closed in order, whose ids are unique, and what it links to."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.ids, self.links, self.words, self.seen = [], [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []
        assert len(self.ids) == len(set(self.ids))

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), (tag, attrs)
        assert not any(name.startswith("on") for name in names), (tag, attrs)
        attributes = dict(attrs)
        self.seen.append((tag, attributes))
        self.ids += [attributes["id"]] if "id" in attributes else []
        self.links += [attributes[name] for name in ("href", "src", "xlink:href", "action", "data") if name in attributes]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        assert tag in SVG_ALONE, tag
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, (tag, self.open, self.getpos())

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data}")

    def unknown_decl(self, data):
        raise AssertionError(f"a declaration: {data}")

    def handle_pi(self, data):
        raise AssertionError(f"an instruction: {data}")

    def tags(self, name):
        return [attributes for tag, attributes in self.seen if tag == name]

    def text(self):
        return "".join(self.words)


def report_of(folder, name, text="example.org", day="2026-11-20", kind="sts"):
    failure = {"result-type": text, "sending-mta-ip": text, "receiving-mx-hostname": text, "receiving-ip": text,
               "additional-information": text, "failure-reason-code": text, "failed-session-count": 1}
    (folder / name).write_text(json.dumps({
        "organization-name": text, "contact-info": text, "report-id": name,
        "date-range": {"start-datetime": f"{day}T00:00:00Z", "end-datetime": f"{day}T23:59:59Z"},
        "policies": [{"policy": {"policy-type": kind, "policy-domain": text, "policy-string": [text], "mx-host": [text]},
                      "summary": {"total-successful-session-count": 4, "total-failure-session-count": 1},
                      "failure-details": [failure]}]}))


def page_of(*paths):
    done = run_mta_sts("report", "--html", "-", *paths)
    assert done.stderr == "" and done.returncode == 0
    return Page(done.stdout)


def holds_what_every_page_holds(page):
    """Asks nobody for anything, and can be read by all."""
    assert all(re.fullmatch(r"#[a-z0-9-]+", link) and link[1:] in page.ids for link in page.links)
    assert not {tag for tag, _ in page.seen} & {"script", "link", "img", "iframe", "object", "embed", "form", "base"}
    policies = [each["content"] for each in page.tags("meta") if each.get("http-equiv") == "Content-Security-Policy"]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"]
    assert page.tags("html") == [{"lang": "en"}]
    assert {"viewport", "color-scheme"} <= {each.get("name") for each in page.tags("meta")}
    levels = [int(tag[1]) for tag, _ in page.seen if re.fullmatch("h[1-6]", tag)]
    assert levels.count(1) == 1 and all(next_ <= level + 1 for level, next_ in zip([0, *levels], levels))
    assert all(each.get("scope") in ("col", "row") for each in page.tags("th"))
    assert all(each["role"] == "img" and each["aria-label"] for each in page.tags("svg"))
    assert len(page.tags("table")) == len(page.tags("caption"))


def test_a_page_of_every_sample_is_well_formed_and_asks_nobody_for_anything(tmp_path):
    report_of(tmp_path, "1.json", day="2026-10-31")  # so that there is a timeline
    done = run_mta_sts("report", "--html", "-", REPORTS, tmp_path)
    page = Page(done.stdout)
    holds_what_every_page_holds(page)
    assert page.tags("svg")


@pytest.mark.parametrize("text", HOSTILE)
def test_what_a_stranger_wrote_is_text(tmp_path, text):
    report_of(tmp_path, "1.json", text)
    report_of(tmp_path, "2.json", text, day="2026-11-21", kind="tlsa")
    page = page_of(tmp_path)
    holds_what_every_page_holds(page)
    assert not re.search("[\0-\t\x0b-\x1f\x7f\u2028\u202e]", page.text())


def test_the_same_reports_make_the_same_page(tmp_path):
    report_of(tmp_path, "1.json")
    first = run_mta_sts("report", "--html", "-", tmp_path).stdout
    assert first == run_mta_sts("report", "--html", "-", tmp_path).stdout


def test_no_reports_make_a_page_that_says_so(tmp_path):
    page = page_of(tmp_path)
    holds_what_every_page_holds(page)
    assert "No reports." in page.text()


def test_a_month_of_a_domain_is_a_small_page(tmp_path):
    for day in range(1, 31):
        for sender in range(10):
            report_of(tmp_path, f"{day}-{sender}.json", day=f"2026-11-{day:02}")
    done = run_mta_sts("report", "--html", "-", tmp_path)
    holds_what_every_page_holds(Page(done.stdout))
    assert len(done.stdout.encode()) < 60_000


def test_a_page_takes_the_place_of_the_old_one(tmp_path):
    reports, page = tmp_path / "reports", tmp_path / "page.html"
    reports.mkdir()
    report_of(reports, "1.json")
    page.write_text("old")
    done = run_mta_sts("report", "--html", page, reports)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert Page(page.read_text()).text().count("2026-11-20") > 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["page.html", "reports"]


def test_a_page_that_cannot_be_written_is_told(tmp_path):
    report_of(tmp_path, "1.json")
    for path, why in [("/dev/full", "No space left on device"), (tmp_path / "no/page.html", "No such file or directory"),
                      (tmp_path, "Is a directory")]:
        done = run_mta_sts("report", "--html", path, tmp_path)
        assert (done.returncode, done.stdout, done.stderr) == (
            3, "", f"mta-sts: {path}: no page could be written there, or beside it: {why}\n")
    with open("/dev/full", "w") as full:
        done = run_mta_sts("report", "--html", "-", tmp_path, stdout=full)
    assert done.returncode == 3 and "No space left on device" in done.stderr


@pytest.mark.parametrize("arguments, words", [
    (["--html"], "--html lacks"), (["--json", "--html", "-"], "not two"), (["--html", "-", "--csv"], "not two"),
    (["--html", "a", "--html", "b"], "one --html"),
])
def test_a_wrong_call_is_told(tmp_path, arguments, words):
    done = run_mta_sts("report", *([*arguments, tmp_path] if len(arguments) > 1 else arguments))
    assert done.returncode == 2 and words in done.stderr
    assert not pathlib.Path("a").exists()
