"""An upgrade: the configurations of earlier releases are read as before, or CHANGELOG.md says what is different.

tests/upgrade/RELEASE holds configurations of a release with its answers (tests/upgrade/collect.py wrote them): the
findings of mta-stsd -t, the id of each domain by mta-sts dns, and the policy body of each domain.
"""

import os
import re
from pathlib import Path

import pytest

from lib.upgrade import Serving, answers_of, cases_of

ROOT = Path(__file__).resolve().parents[2]
SOURCES = {f"{path.parent.name}-{path.stem}": path for path in sorted((ROOT / "tests/upgrade").glob("*/*.json"))}


class Difference:
    """A finding that has become another one (now, with the groups of was), or none (now=None).

    changelog: words of the line in CHANGELOG.md about it.
    """

    def __init__(self, was, now, changelog):
        self.was = re.compile(was)
        self.now = now
        self.changelog = changelog


class Addition:
    """A finding that there was not before. case: the name of one that has it."""

    def __init__(self, pattern, case, changelog):
        self.pattern = re.compile(pattern)
        self.case = case
        self.changelog = changelog


# All that may differ from the answers of an earlier release.
NO_LINE = "what is wrong with a file as a whole with its name alone"
DIFFERENCES = [
    Difference(r"^(.+):0: error: cannot open \1: ", r"\1: error: cannot open the configuration: ", NO_LINE),
    Difference(r"^(.+):0: (?=error: )", r"\1: ", NO_LINE),
    Difference(r"(max_tls is a number from 1 to 1000000)(?=, not \"(?!\d+\"$))", r"\1 or auto", "`max_tls = auto`"),
]
ADDITIONS = [
    Addition(r": warning: acme_(webroot|dir) = .+: No such file or directory$", "etc/mta-stsd.ini",
             "the start and `-t` warn of one, and of a missing directory"),
]


def as_this_user(finding):
    """The answers were collected as root. Another user does not change its workers' user, so a wrong one is a warning."""
    return finding if os.geteuid() == 0 else re.sub(r": error: (?=user '.+' is root,)", ": warning: ", finding)


def expected(findings):
    """What the program of today is to report where a release reported this."""
    for finding in map(as_this_user, findings):
        for difference in DIFFERENCES:
            if difference.was.search(finding):
                finding = difference.was.sub(difference.now, finding) if difference.now is not None else None
                break
        if finding is not None:
            yield finding


def without_additions(findings, before):
    return [finding for finding in findings
            if finding in before or not any(addition.pattern.search(finding) for addition in ADDITIONS)]


def compared(case, directory):
    """A line for each answer that differs."""
    before = {key: value for key, value in case.answers.items() if key != "bodies"}
    after = answers_of(case, directory)
    before["findings"] = list(expected(before["findings"]))
    after["findings"] = without_additions(after["findings"], before["findings"])
    for key in sorted(before.keys() | after.keys()):
        if before.get(key) != after.get(key):
            yield f"{case.name}: {key}\n    was {before.get(key)}\n    is  {after.get(key)}"


def all_cases():
    return [case for path in SOURCES.values() for case in cases_of(path)]


@pytest.mark.parametrize("source", SOURCES)
def test_findings_and_ids_are_those_of_the_release(source, tmp_path):
    different = [line for number, case in enumerate(cases_of(SOURCES[source]))
                 for line in compared(case, tmp_path / str(number))]
    assert not different, "\n".join(different)


@pytest.mark.parametrize("source", SOURCES)
def test_bodies_are_those_of_the_release(source, tmp_path, authority):
    different = []
    # One server reads them all. Its max_removed is for one site that grows, not for another site with each reload.
    with Serving(tmp_path, authority, server_lines="max_removed = 100%") as serving:
        for case in cases_of(SOURCES[source]):
            before = case.answers.get("bodies", {})
            after = serving.bodies(case, before) if before else {}
            different += [f"{case.name}: {domain} was {before[domain]!r}, is {after[domain]!r}"
                          for domain in before if before[domain] != after[domain]]
    assert not different, "\n".join(different)


def test_each_source_has_configurations_that_load_and_configurations_that_do_not():
    assert len(SOURCES) >= 4
    cases = all_cases()
    assert sum(bool(case.answers["summary"]) for case in cases) > 150
    assert sum(not case.answers["summary"] for case in cases) > 150
    assert all(bool(case.answers["summary"]) == bool(case.answers.get("bodies")) for case in cases)


def test_each_accepted_difference_occurs_and_is_in_the_changelog(tmp_path):
    changelog = " ".join((ROOT / "CHANGELOG.md").read_text().split())
    findings = [finding for case in all_cases() for finding in case.answers["findings"]]
    for difference in DIFFERENCES:
        assert difference.changelog in changelog
        assert any(map(difference.was.search, findings)), difference.was
    for number, addition in enumerate(ADDITIONS):
        assert addition.changelog in changelog
        case = next(case for case in all_cases() if case.name == addition.case)
        assert any(map(addition.pattern.search, answers_of(case, tmp_path / str(number))["findings"]))
