"""Completion in zsh, with its own words for what to offer in place of the editor's."""

import re
import subprocess
from pathlib import Path

import pytest

from lib.toolbox import MTA_STS, run_mta_sts

SCRIPT = Path(__file__).resolve().parents[2] / "contrib/completion/_mta-sts"
COMMANDS = re.findall(r"^  (\w+)  ", run_mta_sts("--help").stdout, re.M)
ASKED = 'compadd() { shift; print -l -- "$@" }; _files() { print FILES }; _message() { }; ' \
        'words=("$@"); CURRENT=$#; PREFIX=$words[-1]; source "$0"'


def complete(*words):
    """What zsh is given to choose from."""
    done = subprocess.run(["zsh", "-f", "-c", ASKED, SCRIPT, MTA_STS, *words],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30, check=True)
    assert done.stderr == ""
    return done.stdout.split()


def test_commands():
    assert sorted(complete("")) == sorted([*COMMANDS, "--help", "--version"])


@pytest.mark.parametrize("command", COMMANDS)
def test_options_are_those_of_the_help(command):
    text = run_mta_sts(command, "--help").stdout
    expected = set(re.findall(r"^  (--?[a-z-]+)", text, re.M)) | set(re.findall(r"^  -[a-z], (--[a-z-]+)", text, re.M))
    assert set(complete(command, "-")) == expected | {"--help"}


def test_what_belongs_behind_an_option():
    assert complete("dns", "--format", "") == ["zone", "nsupdate", "json"]
    assert complete("check", "--ca", "") == ["FILES"]
    assert complete("dns", "--ttl", "") == []


def test_files_where_a_path_is_wanted():
    assert complete("report", "") == ["FILES"]
