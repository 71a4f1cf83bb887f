"""mta-sts, the operator's toolbox, run to its end."""

import os
import re
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


def commands():
    """As --help lists them."""
    return re.findall(r"^  (\S+)  ", run_mta_sts("--help").stdout, re.M)


def help_of(command):
    return run_mta_sts(command, "--help").stdout


def options(command):
    """All that its help has, in the usage and in the list of them."""
    usage, *rest = help_of(command).split("\n\n")
    listed = re.findall(r"^  (-.*?)(?:   *\S.*)?$", "\n".join(rest), re.M)
    return set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", "\n".join([usage, *listed])))
