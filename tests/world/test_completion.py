"""What zsh proposes behind mta-sts and mta-stsd (contrib/completion); bash is in tests/system."""

import os
import pty
import re
import shlex
import subprocess
import tempfile

import pytest

from lib.completion import COMPLETION, PROGRAMS, environment, proposals
from lib.program import PATIENCE
from lib.server import ORG, run_mta_stsd
from lib.toolbox import commands, options

HELP = ["-h", "--help"]
INSERT_ALL = "\030a"  # ^Xa, bound below
SETUP = f"""\
fpath=({shlex.quote(str(COMPLETION))} $fpath)
autoload -Uz compinit && compinit -D -u
zle -C insert-all complete-word _generic
zstyle ':completion:insert-all::::' completer _all_matches _complete
zstyle ':completion:insert-all:*' insert yes
bindkey '^Xa' insert-all
unsetopt nomatch
{PROGRAMS}"""


def run_on_terminal(typed, *command, **options):
    """Runs a program that finds this typed already."""
    ours, theirs = pty.openpty()
    os.write(ours, typed.encode())
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
                          **options) as process:
        os.close(theirs)
        try:
            while os.read(ours, 65536):
                pass
        except OSError:
            pass  # how a terminal says that nobody has it any more
        os.close(ours)
        process.wait(PATIENCE)


def zsh(line, folder="/"):
    """The words that the last one on the line may become in that folder; it alone where there is none."""
    with tempfile.NamedTemporaryFile("r") as told, tempfile.NamedTemporaryFile("w") as setup:
        setup.write(SETUP)
        setup.flush()
        run_on_terminal(f"source {setup.name}\n{line}{INSERT_ALL}\nexit\n", "zsh", "-f", "-i",
                        cwd=folder, env=environment(told.name, folder))
        return proposals(line, told.read())


def test_the_commands():
    assert zsh("mta-sts ") == sorted(commands())
    assert zsh("mta-sts h") == ["hosts"]
    assert zsh("mta-sts -") == sorted(["-V", "--version", *HELP])


def test_every_option_that_the_help_of_a_command_lists_and_no_other():
    for command in commands():
        assert zsh(f"mta-sts {command} -") == sorted({*options(command), *HELP}), command


def test_the_options_of_the_server():
    listed = re.findall(r"^  (-\w|  )(?:, |  )(--[a-z-]+) ", run_mta_stsd("-h").stdout, re.M)
    assert zsh("mta-stsd -") == sorted(word for both in listed for word in both if word != "  ")
    remaining = sorted(word for both in listed for word in both if "-c" not in both and word != "  ")
    assert zsh("mta-stsd -c x -") == zsh("mta-stsd --config x -") == remaining


@pytest.mark.parametrize("said, excluded, open_still", [
    ("dns --target a", ["--target", "--address"], "--ttl"), ("dns --address 192.0.2.1", ["--target"], "--address"),
    ("hosts --missing", ["--missing", "--expiring"], "-c"), ("report --html=x", ["--json", "--csv"], "--since"),
    ("check -v", ["-v", "--verbose"], "--all"), ("check example.org", ["--all"], "--ca"),
    ("check --connect-to :443:[::1]:8443 --ca=/x", ["--ca"], "--connect-to"),
])
def test_nothing_twice_and_of_options_that_exclude_each_other_one_alone(said, excluded, open_still):
    proposed = zsh(f"mta-sts {said} -")
    assert open_still in proposed and not set(excluded) & set(proposed)


def test_values_that_can_be_listed():
    assert zsh("mta-sts dns --format ") == ["json", "nsupdate", "zone"]
    assert zsh("mta-sts dns --format=n") == ["--format=nsupdate"]


@pytest.mark.parametrize("before", ["mta-stsd -c ", "mta-sts check --ca ", "mta-sts report --html=", "mta-sts report "])
def test_files(tmp_path, before):
    for name in ("ab", "ac d"):
        (tmp_path / name).touch()
    assert [word.split("=")[-1] for word in zsh(f"{before}a", tmp_path)] == ["ab", "ac d"]


def test_the_domains_of_the_configuration(tmp_path):
    (tmp_path / "mta-stsd.ini").write_text("[server]\nlisten = 127.0.0.1:443\n[defaults]\ncertificate = /none/%h.pem\n"
                                           f"{ORG}alias = example.net other.example\n")
    assert zsh("mta-sts dns -c mta-stsd.ini ", tmp_path) == ["example.net", "example.org", "other.example"]
    assert zsh("mta-sts check -c ~/mta-stsd.ini --no-smtp o", tmp_path) == ["other.example"]
    assert zsh("mta-sts check -c mta-stsd.ini --all o", tmp_path) == ["o"]
    assert zsh("mta-sts check -c missing.ini o", tmp_path) == ["o"]
