#!/usr/bin/python3
"""usage: tests/upgrade/collect.py RELEASE COMMIT

Collects the configurations of a release and its answers to them: writes tests/upgrade/RELEASE/*.json, which
tests/system/test_upgrade.py compares with the answers of the program of today. Run it once for a release. It builds
COMMIT in a temporary directory, with the packages in this tree's build/deps, and takes a few minutes.

Where the configurations come from, each a file:

    documents   etc/mta-stsd.ini, and each example in README.md, docs/ and contrib/ (an incomplete one is completed)
    rules       the table of tests/unit/config_rules.h
    corpus      tests/fuzz/corpus/config
    system      each that tests/system gives to a program
"""

import collections
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]

PRINT_RULES = r"""
#include <stdio.h>
#include "config_rules.h"
static void print(const char *text)
{
    if (text != NULL)
        fputs(text, stdout);
    putchar(0x1e);
}
int main(void)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        print(rules[i].name);
        print(rules[i].main_ini == NULL ? "\x1d" : rules[i].main_ini);
        print(rules[i].other_ini == NULL ? "\x1d" : rules[i].other_ini);
        print(rules[i].names_txt == NULL ? "\x1d" : rules[i].names_txt);
    }
    return 0;
}
"""
ABSENT, SEPARATOR = "\x1d", "\x1e"
OF_ONE_TEST = 12
FILES = ["main.ini", "other.ini", "names.txt"]


def run(*command, **options):
    return subprocess.run([str(word) for word in command], check=True, **options)


def build(commit, tree):
    run("git", "clone", "-q", ROOT, tree)
    run("git", "-C", tree, "checkout", "-q", commit)
    (tree / "build").mkdir(exist_ok=True)
    if (ROOT / "build/deps").exists():
        shutil.copytree(ROOT / "build/deps", tree / "build/deps", symlinks=True)
    run("make", "-C", tree, "-j2", "all", stdout=subprocess.DEVNULL)


# --- documents

VARIABLES = {"$https": "8443", "$acme": "8080", "$demo": "@DIR@", r"\e": "\\"}
KEY = re.compile(r"\s*\w+\s*= ?\S")
HEADER = re.compile(r"\s*\[(server|defaults|\*|[\w-]+(\.[\w-]+)+)\](\s*;.*)?$")


def examples(text):
    """(line number, text) of each run of lines that look like a configuration."""
    for variable, value in VARIABLES.items():
        text = text.replace(variable, value)
    lines = [*text.split("\n"), "end"]
    start = None
    for number, line in enumerate(lines):
        fits = HEADER.match(line) or KEY.match(line) or not line.strip() or line.lstrip().startswith(";")
        if not fits and start is not None:
            block = lines[start:number]
            if any(map(HEADER.match, block)) or any(re.match(r"\s*(listen|acme)\w* *= \S", line) for line in block):
                yield start + 1, "\n".join(block).strip("\n")
            start = None
        elif fits and line.strip() and start is None:
            start = number


def completed(text):
    """An example with all that a configuration needs."""
    text = textwrap.dedent(text)
    headers = re.findall(r"(?m)^[ \t]*\[(.*?)\]", text)
    if "server" not in headers:
        text = "[server]\nlisten = 0.0.0.0:443\n" + text
    if not any("." in header for header in headers):
        text += "\n[example.org]\nmode = testing\nmx = mail.example.org"
    if "defaults" not in headers:
        text += "\n[defaults]\ncertificate = /certs/%h.pem"
        if not re.search(r"(?m)^[ \t]*mx[ \t]*=", text):
            text += "\nmx = mail.%d"
    return text + "\n"


def documents(tree, case):
    yield case("etc/mta-stsd.ini", {"main.ini": (tree / "etc/mta-stsd.ini").read_text(), "customers.txt": "a.example\n"})
    paths = [tree / "README.md", *sorted((tree / "docs").glob("*.*")), *sorted((tree / "contrib").rglob("*.*"))]
    for path in paths:
        if path.is_file() and path.suffix in (".md", ".1", ".5", ".8", ".sh"):
            for line, text in examples(path.read_text()):
                files = {"main.ini": completed(text)}
                if "alias_file" in text:
                    files["customers.txt"] = "one.customer.example\ntwo.customer.example # the second\n"
                yield case(f"{path.relative_to(tree)}:{line}", files)


# --- the tests' own

def rules(tree, case):
    program = tree / "build/print_rules"
    run(os.environ.get("CC", "cc"), "-x", "c", "-", "-I", tree / "tests/unit", "-o", program, input=PRINT_RULES.encode())
    fields = run(program, stdout=subprocess.PIPE).stdout.decode().split(SEPARATOR)[:-1]
    for at in range(0, len(fields), 1 + len(FILES)):
        name, *texts = fields[at:at + 1 + len(FILES)]
        yield case(name, {file: text for file, text in zip(FILES, texts) if text != ABSENT})


def corpus(tree, case):
    for path in sorted((tree / "tests/fuzz/corpus/config").iterdir()):
        texts = path.read_bytes().decode("utf-8", "surrogateescape").split(SEPARATOR)
        yield case(path.name, dict(zip(FILES, texts)))


def system(tree, case):
    """Each configuration once, with whatever free address, and a few of a test that makes hundreds."""
    seen, count = set(), collections.Counter()
    directory = tree / "build/kept"
    run(tree / "tests/private-net.sh", sys.executable, "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider",
        "-p", "keep_configurations", f"--basetemp={tree}/build/t", tree / "tests/system", stdout=sys.stderr,
        env={**os.environ, "PYTHONPATH": str(HERE), "KEPT": str(directory)})
    for path in sorted(directory.iterdir()):
        kept = json.loads(path.read_text())
        key = re.sub(r"(127\.\d+\.\d+\.\d+|0\.0\.0\.0|\[::1?\]):\d+", "ADDRESS", json.dumps(kept["files"], sort_keys=True))
        count[kept["name"]] += key not in seen
        if key not in seen and count[kept["name"]] <= OF_ONE_TEST:
            seen.add(key)
            yield case(kept["name"], kept["files"], kept["main"])


# --- its answers

def answered(cases, directory):
    from lib import pki, upgrade
    stored = []
    with upgrade.Serving(directory, pki.Authority()) as serving:
        for number, case in enumerate(cases):
            case.answers = upgrade.answers_of(case, directory / f"case-{number}")
            if case.answers["summary"]:
                domains = list(case.answers["ids"])
                if " and any other" in case.answers["summary"]:
                    domains.append(upgrade.ANY)
                case.answers["bodies"] = serving.bodies(case, domains)
            stored.append(case.stored())
    return stored


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__.split("\n", maxsplit=1)[0])
    release, commit = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="mta-sts-collect-") as name:
        tree = pathlib.Path(name) / "tree"
        build(commit, tree)
        os.environ.update(MTA_STSD=str(tree / "build/mta-stsd"), MTA_STS=str(tree / "build/mta-sts"))
        sys.path.insert(0, str(ROOT / "tests/system"))
        from lib.upgrade import Case
        for source in (documents, rules, corpus, system):
            directory = pathlib.Path(name) / source.__name__
            directory.mkdir()
            stored = answered(source(tree, Case), directory)
            out = HERE / release / f"{source.__name__}.json"
            out.parent.mkdir(exist_ok=True)
            out.write_text(json.dumps(stored, indent=1) + "\n")
            print(f"{out.relative_to(ROOT)}: {len(stored)} configurations", flush=True)


if __name__ == "__main__":
    main()
