"""What a server's processes cost, as /proc tells it.

CPU time is the run time of schedstat, in ns: what the scheduler has counted at each switch. utime and stime are that
same time in ticks of 10 ms, which is 30 fetches. It is exact for a thread that sleeps, as a server's do between runs.
"""

import os
from pathlib import Path

PROC = Path("/proc")


def tree(pid):
    """This process and all that descend from it."""
    parents = {}
    for name in os.listdir(PROC):
        if name.isdigit():
            try:
                # The name in parentheses may hold anything, so what counts stands behind the last of them.
                stat = (PROC / name / "stat").read_text(errors="replace").rpartition(")")[2].split()
            except OSError:
                continue  # it has just gone
            parents.setdefault(int(stat[1]), []).append(int(name))
    found = [pid]
    for process in found:
        found += parents.get(process, [])
    return found


def cpu_ns(pids):
    """The time that all threads of these processes have run."""
    return sum(int((task / "schedstat").read_text().split()[0])
               for pid in pids for task in (PROC / str(pid) / "task").iterdir())


def memory(pids, key="Pss"):
    """Bytes of these processes together: Pss (a page that n processes share counts 1/n in each), Rss, Private_Dirty."""
    total = 0
    for pid in pids:
        lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()[1:]
        total += next(int(line.split()[1]) for line in lines if line.startswith(f"{key}:"))
    return total * 1024


def descriptors(pids):
    """How many descriptors they hold open."""
    return sum(len(os.listdir(PROC / str(pid) / "fd")) for pid in pids)
