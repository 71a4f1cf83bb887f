"""Completion in bash: what is offered is what the program's help has."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from lib.server import ORG
from lib.toolbox import MTA_STS, run_mta_sts

SCRIPT = Path(__file__).resolve().parents[2] / "contrib/completion/mta-sts.bash"
COMMANDS = re.findall(r"^  (\w+)  ", run_mta_sts("--help").stdout, re.M)


def complete(*words, folder="/"):
    """What bash has for the last of the words of a line."""
    done = subprocess.run(
        ["bash", "--norc", "-c", 'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _mta_sts; '
         'printf "%s\\n" "${COMPREPLY[@]}"', SCRIPT, MTA_STS, *map(str, words)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30, check=True, cwd=folder,
        env={**os.environ, "LC_ALL": "C"})
    assert done.stderr == ""
    return done.stdout.split()


def test_commands():
    assert set(COMMANDS) >= {"dns", "hosts", "check", "report"}
    assert sorted(complete("")) == sorted([*COMMANDS, "--help", "--version"])
    assert complete("ch") == ["check"]


@pytest.mark.parametrize("command", COMMANDS)
def test_options_are_those_of_the_help(command):
    text = run_mta_sts(command, "--help").stdout
    expected = set(re.findall(r"^  (--?[a-z-]+)", text, re.M)) | set(re.findall(r"^  -[a-z], (--[a-z-]+)", text, re.M))
    assert len(expected) >= 3
    assert set(complete(command, "-")) == expected | {"--help"}


def test_an_option_that_has_begun():
    assert complete("check", "--no") == ["--no-smtp"]


def test_words_that_are_listed():
    assert complete("dns", "--format", "") == ["zone", "nsupdate", "json"]
    assert complete("dns", "--format", "n") == ["nsupdate"]


def test_nothing_where_anything_may_stand():
    assert complete("dns", "--ttl", "") == []
    assert complete("unknown", "-") == []


def test_files(tmp_path):
    (tmp_path / "ca.pem").touch()
    assert complete("check", "--ca", "c", folder=tmp_path) == ["ca.pem"]
    assert complete("report", "c", folder=tmp_path) == ["ca.pem"]


def test_domains_of_the_configuration(site):
    site.configure(ORG + "alias = other.example\n")
    assert complete("dns", "-c", site.ini, "") == ["example.org", "other.example"]
    assert complete("check", "-c", site.ini, "o") == ["other.example"]
