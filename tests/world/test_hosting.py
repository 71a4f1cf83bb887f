"""A hosting provider: 50,000 domains, changes all the time, and mistakes in them. No customer notices those of another.

HOSTING_SECONDS is how long it goes on: a minute, or five with `make soak`. It needs nothing of the world, and runs on
any machine. The table of what was done, served and reported is build/world/artefacts/hosting.txt.
"""

import os
import shutil
import time
from pathlib import Path

from lib import pki
from lib.feeder import Feeder
from lib.hosting import ALIASES, SECTIONS, Client, Hosting

SECONDS = int(os.environ.get("HOSTING_SECONDS", "60"))
CHANGE_EVERY = 1  # second
LIVE_WITHIN = 2   # seconds from the write to the first fetch that shows it

TABLE = Path(__file__).resolve().parents[2] / "build/world/artefacts/hosting.txt"


def feed(feeder):
    """A change each second, and after each a mistake or an accident; each kind at least once."""
    began = time.monotonic()
    due = began
    while time.monotonic() - began < SECONDS or not feeder.all_kinds_done():
        feeder.change()
        feeder.disturb()
        due = max(due + CHANGE_EVERY, time.monotonic())
        time.sleep(max(0, due - time.monotonic()))


def test_no_customer_notices_the_mistakes_of_another(tmp_path):
    hosting = Hosting(tmp_path, pki.Authority())
    assert hosting.domain_count() == SECTIONS + ALIASES
    feeder, fetching = Feeder(hosting), None
    try:
        feeder.start()
        fetching = Client(hosting, feeder.untouched)
        feed(feeder)
    finally:
        if fetching:
            feeder.add_client(fetching.stop())
        TABLE.parent.mkdir(parents=True, exist_ok=True)
        TABLE.write_text(feeder.table())
        print(feeder.table())
        feeder.stop()
    assert feeder.client["failures"] == []
    assert feeder.client["fetches"] > 20 * SECONDS  # else the client would have proved little
    assert feeder.slowest() < LIVE_WITHIN
    shutil.rmtree(tmp_path)  # thousands of files that nothing needs any more
