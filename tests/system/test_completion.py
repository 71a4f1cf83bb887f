"""What bash proposes behind mta-sts and mta-stsd (contrib/completion); zsh is in tests/world."""

import os
import re

import pytest

from lib.completion import bash
from lib.server import ORG, run_mta_stsd
from lib.toolbox import commands, options

HELP = ["-h", "--help"]
REPEATABLE = {"--address", "--connect-to", "--reports"}


@pytest.fixture
def folder(tmp_path):
    """With a configuration, and files to be named."""
    (tmp_path / "mta-stsd.ini").write_text(
        f"[server]\nlisten = 127.0.0.1:443\ninclude = more/*.ini\n[defaults]\ncertificate = /none/%h.pem\n{ORG}")
    (tmp_path / "more").mkdir()
    (tmp_path / "more/customers.ini").write_text(
        "[example.com]\nmode = testing\nmx = mail.example.com\nalias = shop.example.com\nalias_file = names\n")
    (tmp_path / "more/names").write_text("example.net\nsub.example.org\n")
    return tmp_path


def test_the_commands():
    assert bash("mta-sts ") == sorted(commands())
    assert bash("mta-sts h") == ["hosts"]
    assert bash("mta-sts -") == sorted(["-V", "--version", *HELP])


def test_every_option_that_the_help_of_a_command_lists_and_no_other():
    for command in commands():
        assert bash(f"mta-sts {command} -") == sorted({*options(command), *HELP}), command


def test_the_options_of_the_server():
    listed = re.findall(r"^  (-\w|  )(?:, |  )(--[a-z-]+) ", run_mta_stsd("-h").stdout, re.M)
    assert bash("mta-stsd -") == sorted(word for both in listed for word in both if word != "  ")
    remaining = sorted(word for both in listed for word in both if "-c" not in both and word != "  ")
    assert bash("mta-stsd -c x -") == bash("mta-stsd --config x -") == remaining


def test_no_option_twice_unless_it_is_repeatable():
    for command in commands():
        for name in options(command):
            proposed = bash(f"mta-sts {command} {name} x -")
            assert (name in proposed) == (name in REPEATABLE), f"{command} {name}"


@pytest.mark.parametrize("said, excluded", [
    ("dns --target a", ["--address"]), ("dns --address 192.0.2.1", ["--target"]), ("dns --target=a", ["--address"]),
    ("hosts --missing", ["--expiring"]), ("hosts --expiring 3", ["--missing"]),
    ("report --json", ["--csv", "--html"]), ("report --html x", ["--json", "--csv"]), ("check -v", ["--verbose"]), ("advise example.org", ["--all"]),
    ("check example.org", ["--all"]), ("check -cx", ["-c"]), ("check -h", ["--help"]),
])
def test_of_options_that_exclude_each_other_one_alone(said, excluded):
    proposed = bash(f"mta-sts {said} -")
    assert len(proposed) > 1 and not set(excluded) & set(proposed)


def test_values_that_can_be_listed():
    assert bash("mta-sts dns --format ") == ["json", "nsupdate", "zone"]
    assert bash("mta-sts dns --format=n") == ["--format=nsupdate"]


@pytest.mark.parametrize("before", [
    "mta-stsd -c ", "mta-stsd --config=", "mta-sts check --config ", "mta-sts check --ca ", "mta-sts check --ca=", "mta-sts report --html ",
    "mta-sts report ", "mta-sts report --json some ",
])
def test_files(folder, before):
    (folder / "more/a b").touch()
    proposed = bash(f"{before}more/", folder)
    assert [word.split("=")[-1] for word in proposed] == ["more/a b", "more/customers.ini", "more/names"]


@pytest.mark.parametrize("command", ["dns -c", "check --config", "check --no-smtp -c", "dns --config="])
def test_the_domains_of_the_configuration_aliases_and_included_files_too(folder, command):
    def propose(beginning):
        return bash(f"mta-sts {command} mta-stsd.ini {beginning}".replace("= ", "="), folder)

    assert propose("") == ["example.com", "example.net", "example.org", "shop.example.com", "sub.example.org"]
    assert propose("s") == ["shop.example.com", "sub.example.org"]
    assert propose("example.org ex") == ["example.com", "example.net", "example.org"]
    assert propose("nobody") == ["nobody"]


def test_a_configuration_below_the_home_folder(folder):
    assert bash("mta-sts dns -c ~/mta-stsd.ini example.o", folder) == ["example.org"]


def test_all_and_domains_exclude_each_other(folder):
    assert bash("mta-sts check -c mta-stsd.ini --all example.o", folder) == ["example.o"]


@pytest.mark.parametrize("config", ["missing.ini", "wrong.ini", "pipe", "more"])
def test_no_domains_without_a_configuration_that_can_be_read(folder, config):
    (folder / "wrong.ini").write_text("[example.org]\nmode = enfroce\n")
    os.mkfifo(folder / "pipe")
    assert bash(f"mta-sts dns -c {config} ex", folder) == ["ex"]


def test_what_cannot_be_proposed():
    for line in ("check --resolver x", "dns --ttl 3", "hosts x", "check --connect-to a:25:", "nothing -", "-x x"):
        assert bash(f"mta-sts {line}") == [line.split(" ")[-1]], line


def test_the_line_that_bash_splits_at_colons_and_equals_signs():
    proposed = bash("mta-sts check --connect-to :443:[::1]:8443 --ca=/x --jobs=3 -")
    assert "--connect-to" in proposed and "--no-smtp" in proposed
    assert not {"--ca", "--jobs"} & set(proposed)


def test_a_command_that_is_not_the_first_word_on_the_line():
    assert bash("true; NO_COLOR=1 mta-sts dns --fo") == ["--format"]
