"""mta-sts check in every set-up of lib/setups: what it finds, and whether postfix-mta-sts-resolver agrees."""

import pytest

from lib import sender_rows, senders
from lib.setups import SETUPS
from lib.site_of_setups import SiteOfSetups

ROWS = sender_rows.read()
NONE_EITHER_WAY = ("B31", "B32")  # a policy of mode none: who refuses it has no policy either

each_setup = pytest.mark.parametrize("setup", SETUPS, ids=lambda setup: setup.name)


@pytest.fixture(scope="module")
def site(world):
    site = SiteOfSetups(world)
    yield site
    site.close()


@pytest.fixture(scope="module")
def taken(site):
    return senders.takes_policy(site.asking, [setup.domain for setup in SETUPS])


@each_setup
def test_the_resolver_takes_what_the_table_says(taken, setup):
    assert taken[setup.domain] == setup.counts_for("resolver")


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
        assert bool(setup.why) == (0 < len(setup.counts.split()) < 3), setup.name
