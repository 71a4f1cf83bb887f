#!/usr/bin/python3
"""What `make bench` does, in the namespaces that tests/bench.sh has made: measures, and prints it as Markdown.

All parts, measured with all rounds, are docs/benchmarks.md behind its mark.
"""

import argparse
import os
import re
import ssl
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "system")]

import fetches  # noqa: E402 (the path comes first)
import idle  # noqa: E402
import latency  # noqa: E402
import many  # noqa: E402
import result  # noqa: E402
import scale  # noqa: E402
import siege  # noqa: E402
import servers  # noqa: E402

PARTS = {"fetches": fetches, "latency": latency, "idle": idle, "many": many, "scale": scale, "siege": siege}
DOCUMENT = HERE.parents[1] / "docs" / "benchmarks.md"
MARK = "<!-- From here on, make bench writes. -->\n"


def circumstances():
    """On what, and of what, all this was measured."""
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())[1]
    system = re.search(r'PRETTY_NAME="(.*)"', Path("/etc/os-release").read_text())[1]
    peers = [f"{kind.name} {kind.version()}" for kind in (servers.Nginx, servers.Caddy, servers.Apache)]
    return (f"- Machine: {os.cpu_count()} processors, {cpu}; Linux {os.uname().release}, {system}; load average at the end: "
            f"{os.getloadavg()[1]:.1f}\n"
            f"- Server: {servers.Ours.version()}\n- Others, of Debian {os.environ['BENCH_SUITE']}: {', '.join(peers)}\n"
            f"- Client: {ssl.OPENSSL_VERSION}\n")


def report(parts, quick):
    rows, sections = [], []
    for name in parts:
        some, tables = PARTS[name].measure(quick)
        rows += some
        if tables:
            sections += [f"## {PARTS[name].__doc__.splitlines()[0].rstrip('.')}\n\nAlone: `make bench PARTS={name}`\n",
                         *map(result.of_table, tables)]
    return "\n".join([circumstances(), "## Targets\n", result.of_rows(rows), *sections])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds, and only what takes seconds")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all when none is named")
    options = parser.parse_args()
    if not set(options.parts) <= set(PARTS):
        parser.error(f"the parts are {', '.join(PARTS)}")

    text = report(options.parts or PARTS, options.quick)
    print(text, end="")
    if not options.quick and not options.parts:
        kept = DOCUMENT.read_text().partition(MARK)[0]
        DOCUMENT.write_text(f"{kept}{MARK}\n{text}")


if __name__ == "__main__":
    main()
