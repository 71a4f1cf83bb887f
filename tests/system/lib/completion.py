"""What a shell proposes behind mta-sts and mta-stsd.

Real shells are asked: all that they would propose they put on the line, and in place of the programs there are
functions that tell what stood there.
"""

import os
import re
import shlex
import subprocess
import tempfile
from pathlib import Path

from lib.program import PATIENCE
from lib.toolbox import MTA_STS

COMPLETION = Path(__file__).resolve().parents[3] / "contrib/completion"
INSERT_ALL = "\033*"  # readline's insert-completions

# The programs tell their arguments, one a line; and what completion itself calls is found by PATH.
PROGRAMS = """\
mta-sts() { printf '%s\\n' "$@" >"$TOLD"; }
mta-stsd() { printf '%s\\n' "$@" >"$TOLD"; }
"""


def environment(told, home):
    return {"PATH": f"{Path(MTA_STS).parent}:/usr/bin:/bin", "TERM": "dumb", "HOME": str(home), "TOLD": str(told)}


def proposals(line, told):
    """From the arguments that the program was called with in the end: what the last word on the line became."""
    before = re.split(r"\bmta-stsd? ", line)[-1].split(" ")[:-1]
    return sorted(word for word in told.split("\n")[len(before):] if word)


def bash(line, folder="/"):
    """The words that the last one on the line may become in that folder; it alone where there is none."""
    with tempfile.NamedTemporaryFile("r") as told:
        typed = f"{PROGRAMS}source {shlex.quote(str(COMPLETION))}/mta-sts.bash\n{line}{INSERT_ALL}\n"
        subprocess.run(["bash", "--norc", "--noprofile", "-i"], input=typed.encode(), cwd=folder, timeout=PATIENCE,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True,
                       env={**environment(told.name, folder), "INPUTRC": os.devnull, "HISTFILE": os.devnull})
        return proposals(line, told.read())
