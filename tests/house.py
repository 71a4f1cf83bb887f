#!/usr/bin/python3
"""Holds what CONTRIBUTING.md says of files, as far as no tool does. Prints each place that breaks a rule."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LINES_MAX = 900

# Modules without a unit test of their own, and what holds them instead.
WITHOUT_UNIT_TEST = {
    "acceptor": "tests/system: needs a worker's loop",
    "advise": "test_advise_step, _evidence, _see, _state, tests/system/test_advise.py: it prints",
    "certopen": "test_opener, through opener",
    "certificate": "test_certpair, through certpair, and test_chain",
    "certfile": "test_certpair, through certpair",
    "check": "test_check_judge, tests/system/test_check.py, tests/world/test_check.py",
    "command": "tests/system/test_toolbox.py: it prints",
    "conn": "tests/system: needs real sockets and clients",
    "crew": "tests/system: forks",
    "dns": "tests/system/test_dns.py: it prints",
    "file_replace": "test_advise_state and test_report_html, through these",
    "domain_list": "tests/system/test_check.py: what is typed",
    "generation": "tests/system: forks",
    "hosts": "tests/system/test_hosts.py: it prints",
    "keeper": "tests/system: forks",
    "main": "tests/system: the command line",
    "master": "tests/system: signals and forks",
    "outside": "test_resolver and test_visit, in its loop",
    "packet": "test_message and test_control, through these",
    "pem": "test_certpair, through certpair",
    "testconf": "tests/system: -t prints",
    "tls": "tests/system: needs real TLS clients",
    "buffer": "test_unpack and test_mbox, through these",
    "progress": "tests/system/test_check.py: needs a terminal",
    "report": "tests/system/test_report.py: it prints",
    "utf8": "test_printable, through printable",
    "versions": "tests/system/test_config.py: -V prints",
    "worker": "tests/system: a process of its own",
}

# Headers that are included more than once on purpose: lists of macros.
LISTS = {"src/tool/check_rules_list.h"}

# Where packages come from is the system's affair.
REGISTRY = re.compile(r"\b(pypi\.org|files\.pythonhosted\.org|registry\.npmjs\.org|crates\.io|proxy\.golang\.org"
                      r"|rubygems\.org|repo\.maven\.apache\.org|deb\.debian\.org)\b")


def committed():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout.decode()
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def of_any_file(name, text):
    if name != "tests/house.py":
        for number, line in enumerate(text.splitlines(), 1):
            if REGISTRY.search(line):
                yield number, "names a package registry"


def of_c(name, text):
    for number, line in enumerate(text.splitlines(), 1):
        if "\t" in line:
            yield number, "a tab"
        if "NOLINT" in line and "NOLINTEND" not in line and not re.search(r"NOLINT\w*\([^)]+\): \S", line):
            yield number, "NOLINT without its check or its reason: NOLINT(check): why"
    lines = text.count("\n")
    if name.startswith("src/") and lines > LINES_MAX:
        yield lines, f"over {LINES_MAX} lines"


def of_header(name, text):
    """A contract on top, then the guard: FOLDER_NAME_H."""
    path = pathlib.PurePath(name)
    if not re.match(r"/\*\s+(\* )?" + path.stem + r": \S", text):
        yield 1, f'does not begin with its contract, "{path.stem}: ..."'
    if name in LISTS:
        return
    guard = f"{path.parent.name}_{path.stem}_H".upper()
    if f"\n#ifndef {guard}\n#define {guard}\n" not in text or not text.rstrip().endswith("#endif"):
        yield 1, f"its guard is not {guard}"


def of_module(name):
    """What is named after another module (conn_states) is a part of it."""
    stem = pathlib.PurePath(name).stem
    whole = stem.rpartition("_")[0]
    while whole:
        if (ROOT / name).with_stem(whole).exists():
            return
        whole = whole.rpartition("_")[0]
    tested = (ROOT / f"tests/unit/test_{stem}.c").exists()
    if tested and stem in WITHOUT_UNIT_TEST:
        yield 1, "has a unit test: take it out of WITHOUT_UNIT_TEST in tests/house.py"
    if not tested and stem not in WITHOUT_UNIT_TEST:
        yield 1, f"no tests/unit/test_{stem}.c, and no reason in tests/house.py"


def broken_rules(name):
    try:
        text = (ROOT / name).read_text()
    except UnicodeDecodeError:
        return  # an input of a fuzzer, or a DER file
    yield from of_any_file(name, text)
    if name.endswith((".c", ".h")):
        yield from of_c(name, text)
    if re.fullmatch(r"src/.*\.h", name):
        yield from of_header(name, text)
    if re.fullmatch(r"src/.*\.c", name):
        yield from of_module(name)


def main():
    names = committed()
    broken = [f"{name}:{number}: {why}" for name in names for number, why in broken_rules(name)]
    modules = {pathlib.PurePath(name).stem for name in names if re.fullmatch(r"src/.*\.c", name)}
    broken += [f"tests/house.py: lists {stem}, which is no more" for stem in sorted(WITHOUT_UNIT_TEST.keys() - modules)]
    for line in broken:
        print(line)
    return 1 if broken else 0


sys.exit(main())
