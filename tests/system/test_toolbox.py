"""What all commands of mta-sts have in common: how they are called, and their help."""

import re
from pathlib import Path

import pytest

from lib.server import run_mta_stsd
from lib.toolbox import commands, help_of, options, run_mta_sts

SOURCES = Path(__file__).resolve().parents[2] / "src/tool"
MANUAL = SOURCES.parents[1] / "docs/mta-sts.1"
COLUMNS = 90
TABLE_ROW = re.compile(r'\{[\s\\]*"([a-z-]+)", (no|required)_argument,')


def known_to_getopt(command):
    """By the source: each option, and whether it has a value."""
    source = (SOURCES / f"{command}.c").read_text()
    letters, = re.findall(r'getopt_long\(argc, argv, ":([^"]*)"', source)
    known = {f"-{letter}": bool(value) for letter, value in re.findall(r"(\w)(:?)", letters)}
    for shared in re.findall(r"\b([A-Z_]+_OPTIONS)_LONG\b", source):
        source += (SOURCES / f"{shared.lower()}.h").read_text()
    return {**known, **{f"--{name}": kind == "required" for name, kind in TABLE_ROW.findall(source)}}


def manual_of(command):
    section, = re.findall(rf"^\.Ss mta-sts {command}\n(.*?)^\.S[sh]", MANUAL.read_text(), re.M | re.S)
    return section


def test_there_are_commands_and_help_of_each():
    assert {"dns", "hosts", "check", "report", "advise"} == set(commands())
    for arguments in ([], *([command] for command in commands())):
        full, brief = run_mta_sts(*arguments, "--help"), run_mta_sts(*arguments, "-h")
        assert (full.returncode, full.stderr) == (0, "") and full.stdout == brief.stdout
        assert full.stdout.startswith(" ".join(["usage: mta-sts", *(arguments or ["COMMAND"])]) + " ")


def test_help_as_a_command_prints_what_the_option_prints():
    assert run_mta_sts("help").stdout == run_mta_sts("help", "--help").stdout == run_mta_sts("--help").stdout
    for command in commands():
        done = run_mta_sts("help", command)
        assert (done.returncode, done.stdout) == (0, help_of(command))
    done = run_mta_sts("help", "dsn")
    assert done.returncode == 2 and done.stdout == "" and 'no command "dsn"' in done.stderr


def test_a_configuration_is_named_by_the_short_and_the_long_option(tmp_path):
    for command in ("dns", "hosts", "check", "advise"):
        domains = [] if command == "hosts" else ["example.org"]
        for option in (["-c", "/none.ini"], ["--config", "/none.ini"], ["--config=/none.ini"]):
            assert "/none.ini" in run_mta_sts(command, *option, *domains).stderr, (command, option)


def test_help_fits_a_narrow_window():
    helps = [run_mta_sts("--help").stdout, run_mta_stsd("-h").stdout, *map(help_of, commands())]
    assert not [line for text in helps for line in text.splitlines() if len(line) > COLUMNS]


def test_help_names_every_option_that_getopt_knows_and_no_other():
    for command in commands():
        known = known_to_getopt(command)
        assert options(command) == set(known), command
        for name, has_value in known.items():
            assert bool(re.search(rf"(?<![\w-]){name} [A-Za-z]", help_of(command))) == has_value, f"{command} {name}"


def test_the_man_page_has_each_command_with_its_options_and_no_other():
    for command in commands():
        synopsis, = re.findall(rf"^\.Cm {command}\n(.*?)^\.Nm", MANUAL.read_text(), re.M | re.S)
        listed = "".join(re.findall(r"^\.It Fl .*\n", manual_of(command), re.M))
        assert {f"-{name}" for name in re.findall(r"\bFl (\S+)", synopsis + listed)} == options(command), command


def test_the_man_page_has_each_word_that_the_json_of_check_is_made_of():
    """The keys, and the words for results, modes, steps, effects and verdicts, by the source."""
    explained = set(" ".join(re.findall(r"^\.(?:It |Pq )?Cm (.*)", manual_of("check"), re.M)).split())
    for name in ("check_json", "check_rules", "check_judge"):
        words = set(re.findall(r'(?<!%)"([a-z][a-z_-]*)"[,;]?', (SOURCES / f"{name}.c").read_text()))
        assert words and words <= explained, name


def test_help_says_what_each_exit_status_is():
    for command in commands():
        said = re.search(r"Exit status: .*", help_of(command), re.S).group()
        assert re.findall(r"\b[0-9]\b", said) == ["0", "1", "2", "3"], command


def test_an_option_without_its_value_is_a_wrong_call():
    for command in commands():
        for name in (name for name, has_value in known_to_getopt(command).items() if has_value):
            done = run_mta_sts(command, name)
            assert (done.returncode, done.stdout) == (2, ""), f"{command} {name}"
            assert done.stderr == (f"mta-sts: {name} lacks what belongs behind it\n"
                                   f"mta-sts: see: mta-sts {command} --help\n")


@pytest.mark.parametrize("option", ["--nonsense", "-z"])
def test_an_unknown_option_is_a_wrong_call(option):
    for command in commands():
        done = run_mta_sts(command, option)
        assert (done.returncode, done.stdout) == (2, "") and f"there is no option {option}\n" in done.stderr, command


def test_no_command_or_another_is_a_wrong_call():
    assert run_mta_sts().returncode == 2
    done = run_mta_sts("dsn")
    assert done.returncode == 2 and 'no command "dsn"' in done.stderr


def test_the_version():
    assert re.fullmatch(r"mta-sts \d+\.\d+\.\d+\n", run_mta_sts("--version").stdout)
    assert run_mta_sts("-V").stdout == run_mta_sts("--version").stdout
