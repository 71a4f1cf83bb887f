#!/usr/bin/python3
"""Runs the tests with the programs of build/coverage and tells which lines of src/ they reached.

A table, a row a file and a sum a folder: lines, covered, percent, functions that were never entered. Fails when the
tests do, or when a folder is covered by less than it must be. The last line sums it up.
"""

import argparse
import collections
import dataclasses
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
MUST = {"src/common": 85, "src/wire": 85, "src/server": 85}  # percent of the lines


@dataclasses.dataclass
class Source:
    lines: dict = dataclasses.field(default_factory=lambda: collections.defaultdict(int))
    functions: dict = dataclasses.field(default_factory=lambda: collections.defaultdict(int))


def make_counts(build, programs):
    """A file for each program's counters (tests/coverage.c), which any user may write to."""
    for stale in build.rglob("*.gcda"):
        stale.unlink()
    counts = build / "counts"
    counts.mkdir(exist_ok=True)
    for program in programs:
        file = counts / pathlib.Path(program).name
        file.write_bytes(b"")
        file.chmod(0o666)


def write_gcda(programs):
    """One after the other: libgcov adds what a program has counted to what is there of the same object."""
    for program in programs:
        subprocess.run([program], env={**os.environ, "COVERAGE_WRITE": "1"}, check=True)


def read_sources(build):
    """What gcov says of each file below src/, headers too."""
    notes = sorted(map(str, (build / "src").rglob("*.gcno")))
    told = subprocess.run(["gcov", "--json-format", "--stdout", *notes], cwd=ROOT, stdout=subprocess.PIPE, text=True,
                          check=True).stdout
    sources = collections.defaultdict(Source)
    for unit in map(json.loads, told.splitlines()):
        for file in unit["files"]:
            if not file["file"].startswith("src/"):
                continue
            source = sources[file["file"]]
            for line in file["lines"]:
                source.lines[line["line_number"]] += line["count"]
            for function in file["functions"]:
                source.functions[function["name"]] += function["execution_count"]
    return sources


def covered(lines):
    return sum(count > 0 for count in lines)


def percent(lines):
    return 100 * covered(lines) / max(1, len(lines))


def row(name, lines, never=""):
    print(f"{name:32} {len(lines):5} {covered(lines):7} {percent(lines):6.1f} %  {never}".rstrip())


def report(sources, show_lines):
    """Prints the table; returns the folders that miss their mark."""
    missed = []
    print(f"{'':32} lines covered           never entered")
    for folder, must in MUST.items():
        files = {name: source for name, source in sorted(sources.items()) if name.startswith(folder + "/")}
        for name, source in files.items():
            row(name, source.lines.values(), ", ".join(sorted(f for f, n in source.functions.items() if not n)))
            if show_lines and (never := [str(number) for number, count in sorted(source.lines.items()) if not count]):
                print("    " + " ".join(never))
        lines = [count for source in files.values() for count in source.lines.values()]
        row(folder, lines)
        print()
        if percent(lines) < must:
            missed.append(f"{folder} is below {must} %")
    lines = [count for source in sources.values() for count in source.lines.values()]
    sums = f"coverage: {covered(lines)} of {len(lines)} lines, {percent(lines):.1f} %"
    print("; ".join([sums, *missed]))
    return missed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, required=True, help="the folder of the programs")
    parser.add_argument("--lines", action="store_true", help="show the numbers of the lines that were not reached")
    parser.add_argument("--programs", nargs="+", required=True)
    parser.add_argument("--run", nargs=argparse.REMAINDER, required=True, help="the command that runs the tests")
    options = parser.parse_args()

    make_counts(options.build, options.programs)
    tests = subprocess.run(options.run, check=False)
    write_gcda(options.programs)
    missed = report(read_sources(options.build), options.lines)
    return 1 if missed or tests.returncode else 0


sys.exit(main())
