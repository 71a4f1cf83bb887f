#!/usr/bin/python3
"""What `make bench` does, in the namespaces that tests/bench.sh has made: measures, and prints it as Markdown."""

import argparse
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "system")]

import fetches  # noqa: E402 (the path comes first)
import result  # noqa: E402
import scale  # noqa: E402

PARTS = [fetches, scale]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, and only what takes seconds")
    options = parser.parse_args()

    rows, tables = [], []
    for part in PARTS:
        some_rows, some_tables = part.measure(options.quick)
        rows += some_rows
        tables += some_tables
    print(result.of_rows(rows))
    for table in tables:
        print(result.of_table(table))


if __name__ == "__main__":
    main()
