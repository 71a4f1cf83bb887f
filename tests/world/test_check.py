"""mta-sts check in every set-up of lib/setups: what it finds, and whether postfix-mta-sts-resolver agrees."""

import concurrent.futures
import json
from pathlib import Path

import pytest

from lib import sender_rows, senders
from lib.setups import BY_NAME, SETUPS
from lib.site_of_setups import SiteOfSetups

ARTEFACTS = Path(__file__).resolve().parents[2] / "build" / "world" / "artefacts"
TIMEOUT = 20    # seconds for a policy, so that the slowest that counts does
WHO = ("rfc", "strictest", "resolver")
ROWS = sender_rows.read()
NONE_EITHER_WAY = ("B31", "B32")  # a policy of mode none: who refuses it has no policy either

each_setup = pytest.mark.parametrize("setup", SETUPS, ids=lambda setup: setup.name)


@pytest.fixture(scope="module")
def site(world):
    site = SiteOfSetups(world)
    yield site
    site.close()


def check_all(site, setups, *arguments):
    """Domains to what was found."""
    done = site.check("--json", "--timeout", TIMEOUT, *arguments, *(setup.domain for setup in setups))
    assert (done.returncode, done.stderr) == (1, "")
    return {found["domain"]: found for found in json.loads(done.stdout)}


@pytest.fixture(scope="module")
def outcomes(site):
    """What check found in all set-ups, and what the resolver takes, by the domain."""
    configured = [setup for setup in SETUPS if setup.policy]
    others = [setup for setup in SETUPS if not setup.policy]
    with concurrent.futures.ThreadPoolExecutor() as threads:
        all_others = threads.submit(check_all, site, others)
        known = threads.submit(check_all, site, configured, "-c", site.configuration)
        found = {**all_others.result(), **known.result()}
    taken = senders.takes_policy(site.asking, [setup.domain for setup in SETUPS])
    write_table(ARTEFACTS / "check_setups.md", found, taken)
    return found, taken


def write_table(path, found, taken):
    """For people: what was expected, what came, and why senders differ."""
    def word(counts):
        return "counts" if counts else "–"

    lines = ["# What `mta-sts check` and `mta-sts-query` make of each set-up", "",
             "Does a policy count: as expected by the RFC and for the strictest sender, as `mta-sts check` says of",
             "both, and as `mta-sts-query` (postfix-mta-sts-resolver) does.", "",
             "| set-up | what is unusual | rows | RFC | strictest | check: RFC | check: strictest | mta-sts-query "
             "| found | who differs |", "|" + "---|" * 10]
    for setup in SETUPS:
        seen = found[setup.domain]
        codes = ", ".join(finding["code"] for finding in seen["findings"])
        lines.append("| " + " | ".join([
            setup.name, setup.how, setup.rows, word(setup.counts_for("rfc")), word(setup.counts_for("strictest")),
            word(seen["counts"]["rfc"]), word(seen["counts"]["strictest"]), word(taken[setup.domain]), codes,
            setup.why]) + " |")
    path.write_text("\n".join([*lines, ""]))


# --- Every set-up

@each_setup
def test_check_finds_what_is_wrong_and_nothing_else(outcomes, setup):
    found, _ = outcomes
    findings = found[setup.domain]["findings"]
    assert {finding["code"] for finding in findings} == set(setup.codes.split())
    assert len(findings) == len({(finding["code"], finding["where"], finding["evidence"]) for finding in findings})


@each_setup
def test_check_says_for_whom_the_policy_counts(outcomes, setup):
    found, _ = outcomes
    assert found[setup.domain]["counts"] == {"rfc": setup.counts_for("rfc"), "strictest": setup.counts_for("strictest")}


@each_setup
def test_the_resolver_takes_what_the_table_says(outcomes, setup):
    _, taken = outcomes
    assert taken[setup.domain] == setup.counts_for("resolver")


@pytest.mark.parametrize("name", ["good", "two-records", "bad-id", "expired", "html-type", "blank-line"])
def test_so_does_the_command_that_people_have(site, name):
    seen = senders.mta_sts_query(site.asking, BY_NAME[name].domain)
    assert bool(seen.policy) == BY_NAME[name].counts_for("resolver")


# --- The table itself

@each_setup
def test_the_table_says_what_is_written_of_its_rows(setup):
    """docs/senders.md; "unclear" and "?" say nothing, and rows R are not about the policy."""
    for row in (ROWS[name] for name in setup.rows.split() if not name.startswith("R")):
        for who, cell in ("rfc", row.rfc), ("resolver", row.senders.get("resolver", "?")):
            if cell.startswith(("counts", "refuses", "does not count")):
                assert setup.counts_for(who) == cell.startswith("counts"), f"{row.name}: {cell}"
        if row.strictest.startswith(("does not count", "may not count")) and row.name not in NONE_EITHER_WAY:
            assert not setup.counts_for("strictest"), row.name


def test_every_row_has_a_set_up_and_every_disagreement_its_reason():
    assert {row for setup in SETUPS for row in setup.rows.split()} == ROWS.keys()
    for setup in SETUPS:
        assert bool(setup.why) == (0 < len(setup.counts.split()) < len(WHO)), setup.name
