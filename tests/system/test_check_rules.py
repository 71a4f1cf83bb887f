"""The rules of mta-sts check against docs/senders.md, from which they come: neither may move alone."""

import re
from pathlib import Path

import pytest

from lib import sender_rows

TOOL = Path(__file__).resolve().parents[2] / "src/tool"
SOURCE = (TOOL / "check_rules_list.h").read_text()
EFFECTS = re.findall(r"EFFECT_\w+", (TOOL / "check_rules.h").read_text().split("enum check_effect {")[1].split("}")[0])
FIELDS = ("code", "step", "name", "row", "rfc", "strictest", "senders", "advice")
RULE = r'^CHECK_RULE\((\w+), (STEP_\w+), "([^"]*)", "(\w*)", (\w+), (\w+), "([^"]*)",\s+"((?:[^"\\]|\\.)*)"\)$'
RULES = [dict(zip(FIELDS, found)) for found in re.findall(RULE, SOURCE, re.M)]
ROWS = sender_rows.read()
WITH_ROW = [rule for rule in RULES if rule["row"]]

# What a cell begins with, in the column of the RFC and in that of the strictest, and which effects stand for it.
FINE = {"EFFECT_NONE", "EFFECT_NOTE"}
STALE, NO_POLICY, NO_MAIL = {"EFFECT_STALE"}, {"EFFECT_NO_POLICY"}, {"EFFECT_NO_MAIL"}
BY_RFC = {"counts": FINE, "match": FINE, "unclear": set(EFFECTS) - {"EFFECT_NONE"}, "does not count": NO_POLICY,
          "no match": NO_MAIL, "not delivered": NO_MAIL}
BY_STRICTEST = {"counts": FINE | {"EFFECT_RISK"}, "does not count": NO_POLICY, "may not": NO_POLICY,
                "no match": NO_MAIL, "mail waits": NO_MAIL, "not delivered": NO_MAIL, "returned at once": NO_MAIL,
                "the old body": STALE, "a cached policy is lost": STALE}
# What the strictest cell says of those that do so, and what their own cells say.
DOES_SO = {"does not count": ("refuses", "no report"), "no match": ("no match",), "mail waits": ("mail waits",)}

# Rows whose rule is not as strict as the strictest sender.
MILDER = {
    "B31": "a policy of mode none that is refused is no policy either",
    "B32": "likewise; but chasquid keeps the one that it has",
    "M12": "beside a good line, one that matches nothing stops no mail",
}
# Rows that do not count everywhere and have no rule of their own.
WITHOUT_RULE = {
    "L10": "the certificate is for another name: L3",
    "H20": "seen as what it comes to: an answer that is slow, or none in time",
    "B27": "a comment like that of B26",
}


def begins(cell, meanings):
    return next(effects for word, effects in meanings.items() if cell.startswith(word))


def for_reports(effects, row):
    """In the rows R, what does not count is not the policy."""
    return {"EFFECT_NO_REPORTS" if effect == "EFFECT_NO_POLICY" and row.group == "R" else effect for effect in effects}


each_rule = pytest.mark.parametrize("rule", WITH_ROW, ids=lambda rule: rule["name"])


def test_all_rules_were_read():
    assert len(RULES) == SOURCE.count("\nCHECK_RULE(") > 0
    assert len({rule["name"] for rule in RULES}) == len(RULES)
    assert len({rule["row"] for rule in WITH_ROW}) == len(WITH_ROW)


def test_the_name_is_the_code():
    for rule in RULES:
        assert rule["name"] == rule["code"].lower().replace("_", "-")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["name"])
def test_the_strictest_is_not_milder_than_the_rfc_and_named_where_it_is_stricter(rule):
    rfc, strictest = EFFECTS.index(rule["rfc"]), EFFECTS.index(rule["strictest"])
    assert strictest >= rfc
    assert bool(rule["senders"]) == (strictest > rfc)
    assert rule["advice"].endswith((".", "?"))


@each_rule
def test_the_effect_by_the_rfc_is_that_of_the_row(rule):
    row = ROWS[rule["row"]]
    assert rule["rfc"] in for_reports(begins(row.rfc, BY_RFC), row)


@each_rule
def test_the_effect_on_the_strictest_is_that_of_the_row(rule):
    row = ROWS[rule["row"]]
    assert (rule["strictest"] in for_reports(begins(row.strictest, BY_STRICTEST), row)) != (row.name in MILDER)


@pytest.mark.parametrize("rule", [rule for rule in WITH_ROW if rule["senders"]], ids=lambda rule: rule["name"])
def test_the_strictest_senders_are_those_of_the_row(rule):
    row = ROWS[rule["row"]]
    named = {name for what, names in row.strictest_clauses() for name in names
             if row.name in MILDER or rule["strictest"] in for_reports(begins(what, BY_STRICTEST), row)}
    more = {name for name in named if name.endswith(" more")}
    does = row.who(*next((cells for what, cells in DOES_SO.items() if row.strictest.startswith(what)), ()))
    assert set(rule["senders"].split(", ")) == named - more | (does if more else set())


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_the_column_of_the_strictest_sums_up_the_others(row):
    for what, names in row.strictest_clauses():
        does = next((row.who(*cells) for word, cells in DOES_SO.items() if what == word), None)
        if does is None or names == ["all"]:
            continue
        more = [int(name.split()[0]) for name in names if name.endswith(" more")]
        listed = {name for name in names if not name.endswith(" more")}
        assert listed <= does
        assert len(does) == len(listed) + sum(more)


def test_each_row_that_does_not_count_everywhere_has_a_rule():
    ruled = {rule["row"] for rule in WITH_ROW}
    assert ruled <= ROWS.keys()
    lacking = {name for name, row in ROWS.items() if not re.match(r"counts(?!, for)|match", row.strictest)} - ruled
    assert lacking == WITHOUT_RULE.keys()
