"""mta-sts, the operator's toolbox, run to its end."""

import os
import subprocess
from pathlib import Path

from lib.program import PATIENCE
from lib.server import SANITIZER

MTA_STS = os.environ.get("MTA_STS", str(Path(__file__).resolve().parents[3] / "build/mta-sts"))


def run_mta_sts(*arguments, prefix=(), **options):
    """prefix: a command before it, as `ip netns exec`. Its output is text."""
    done = subprocess.run([*prefix, MTA_STS, *map(str, arguments)],
                          **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
                             "text": True, "timeout": PATIENCE, **options})
    assert not SANITIZER.search(done.stderr or ""), done.stderr
    return done
