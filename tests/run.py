#!/usr/bin/python3
"""Runs what `make check` and `make check-sanitized` have built, and adds it up.

Unit tests (cmocka programs), fuzz replays, the layering test, then the system tests (pytest). What passed is only
counted, what failed is shown. The last line is the sum: "N passed, N failed, N skipped"; the exit status is 1 when
anything failed. Output that a test did not announce, and any sanitizer's report, is a failure.
"""

import argparse
import concurrent.futures
import dataclasses
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
SECONDS_FOR_A_PROGRAM = 600
SECONDS_FOR_THE_SYSTEM_TESTS = 1200

SANITIZER_REPORT = re.compile(r"ERROR: (Address|Leak)Sanitizer|: runtime error: |AddressSanitizer:DEADLYSIGNAL")
CMOCKAS_OWN = re.compile(r"\[[ =A-Z-]{10}\] | *\d+ SKIPPED TEST\(S\)$|\s*$")
VALGRIND_FOUND = 99
VALGRIND = ["valgrind", "-q", f"--error-exitcode={VALGRIND_FOUND}", "--leak-check=full"]


@dataclasses.dataclass
class Outcome:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    text: str = ""

    def __add__(self, other):
        return Outcome(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped,
                       self.text + other.text)

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def one(ok, text):
    return Outcome(passed=1) if ok else Outcome(failed=1, text=text)


def run(command):
    """Exit status (or what stopped it) and everything it printed."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=SECONDS_FOR_A_PROGRAM, check=False)
        return done.returncode, done.stdout.decode(errors="backslashreplace")
    except subprocess.TimeoutExpired as stopped:
        return "timeout", (stopped.stdout or b"").decode(errors="backslashreplace")


def headed(command, status, output):
    """What is shown of a failure: all that a program said, but what cmocka says of tests that pass."""
    telling = re.sub(r"(?m)^\[( RUN     |       OK) \].*\n", "", output).rstrip()
    return f"--- {shlex.join(map(str, command))}: exit status {status}\n{telling}\n"


def skips(names):
    """A line for each reason and file, with the names of the tests, from (file, reason, name) of each."""
    together = {}
    for file, reason, name in names:
        together.setdefault(f"{file}: {reason}", {})[name.partition("[")[0]] = True
    return "".join(f"skipped in {why}: {', '.join(tests)}\n" for why, tests in together.items())


def unit_test(program):
    """Each test of a cmocka program counts; the program as one more failure if it says anything else, or dies."""
    status, output = run([program])
    lines = output.splitlines()
    passed = sum(line.startswith("[       OK ]") for line in lines)
    summed_up = {line for line in lines if "test(s)" not in line}  # cmocka names these twice: at the end once more
    skipped = [line[13:] for line in sorted(summed_up) if line.startswith("[  SKIPPED ]")]
    failed = sum(line.startswith("[  FAILED  ]") for line in summed_up)
    if not failed:
        unexpected = [line for line in lines if not CMOCKAS_OWN.match(line)]
        failed = 1 if status != 0 or unexpected or not passed + len(skipped) else 0
    why = "what it needs is missing here" if os.geteuid() == 0 else "needs root"
    return Outcome(passed, failed, len(skipped), headed([program], status, output) if failed else
                   skips((pathlib.Path(program).name, why, name) for name in skipped))


def unit_test_under_valgrind(program):
    command = [*VALGRIND, program]
    status, output = run(command)
    return one(status == 0, headed(command, status, output))


def secrets(program):
    """No error under valgrind but those that the file of its name describes; and one that is put in is seen."""
    suppressed = ROOT / "tests/secrets" / f"{pathlib.Path(program).name}.supp"
    command = [*VALGRIND, f"--suppressions={suppressed}", program]
    (status, output), (control, control_output) = run(command), run([*command, "leak"])
    return (one(status == 0, headed(command, status, output))
            + one(control == VALGRIND_FOUND, headed([*command, "leak"], control, control_output)))


def mutants(script):
    """It counts for itself, and names those that live."""
    status, output = run([sys.executable, script])
    sum_line = re.search(r"^(\d+) passed, (\d+) failed, (\d+) skipped\n\Z", output, re.MULTILINE)
    if not sum_line or (status == 0) != (sum_line[2] == "0"):
        return Outcome(failed=1, text=headed([script], status, output))
    return Outcome(*map(int, sum_line.groups()), text=output[:sum_line.start()] if status else "")


def fuzz_replay(program):
    """Every input of the corpus, through the fuzzer's function."""
    corpus = ROOT / "tests/fuzz/corpus" / pathlib.Path(program).name.removeprefix("replay_")
    command = [program, *sorted(path for path in corpus.rglob("*") if path.is_file())]
    status, output = run(command)
    return one(status == 0 and not SANITIZER_REPORT.search(output),
               headed([program, corpus.relative_to(ROOT)], status, output))


def layering(script):
    status, output = run([sys.executable, script])
    return one(status == 0, output)


def system_tests(server, tests, arguments):
    """All that pytest finds in the folder or file tests, with this server. What they leave is kept when one fails."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="mta-sts-"))
    folder.chmod(0o755)  # the server's workers are somebody else
    outcome = run_pytest(server, tests, arguments, folder)
    if outcome.failed:
        outcome.text += f"what they left is in {folder}\n"
    else:
        shutil.rmtree(folder)
    return outcome


def run_pytest(server, tests, arguments, folder):
    if (ROOT / tests).is_dir() and not list((ROOT / tests).glob("test_*.py")):
        return Outcome()
    report = folder / "system.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--basetemp={folder}/t",
               f"--junitxml={report}", *shlex.split(arguments), str(ROOT / tests)]
    sys.stdout.flush()
    try:
        status = subprocess.run(command, stdin=subprocess.DEVNULL, check=False, timeout=SECONDS_FOR_THE_SYSTEM_TESTS,
                                env={**os.environ, "MTA_STSD": shlex.quote(str(pathlib.Path(server).resolve())),
                                     "MTA_STS": str(pathlib.Path(server).resolve().with_name("mta-sts")),
                                     "PYTHONDONTWRITEBYTECODE": "1"}).returncode
    except subprocess.TimeoutExpired:
        return Outcome(failed=1, text=f"--- the system tests took over {SECONDS_FOR_THE_SYSTEM_TESTS} s\n")
    if not report.exists():
        return Outcome(failed=1, text=f"--- pytest ended with status {status} and without a report\n")
    root = xml.etree.ElementTree.parse(report)
    outcome = Outcome(text=skips((case.get("classname").rpartition(".")[2], skip.get("message"), case.get("name"))
                                 for case in root.iter("testcase") for skip in case.iter("skipped")))
    for suite in root.iter("testsuite"):
        failed, skipped = int(suite.get("failures")) + int(suite.get("errors")), int(suite.get("skipped"))
        outcome += Outcome(max(0, int(suite.get("tests")) - failed - skipped), failed, skipped)
    if status != 0 and not outcome.failed:
        outcome += Outcome(failed=1, text=f"--- pytest ended with status {status}\n")
    return outcome


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--unit", nargs="*", default=[], help="cmocka programs")
    parser.add_argument("--valgrind", nargs="*", default=[], help="cmocka programs to run once more under valgrind")
    parser.add_argument("--secrets", nargs="*", default=[], help="programs that mark secrets for valgrind")
    parser.add_argument("--mutants", nargs="*", default=[], help="the script")
    parser.add_argument("--replay", nargs="*", default=[], help="fuzz replay programs")
    parser.add_argument("--layering", nargs="*", default=[], help="the script")
    parser.add_argument("--server", help="the mta-stsd that the system tests run")
    parser.add_argument("--tests", default="tests/system", metavar="PATH", help="what pytest runs")
    parser.add_argument("--pytest", default="", metavar="ARGUMENTS", help="more arguments for pytest")
    options = parser.parse_args()

    os.environ["ASAN_OPTIONS"] = "detect_leaks=1:abort_on_error=0"
    os.environ["UBSAN_OPTIONS"] = "print_stacktrace=1"

    total = Outcome()

    def account(what, outcome, since):
        nonlocal total
        total += outcome
        if outcome.text:
            print(outcome.text, end="")
        if outcome.passed + outcome.failed + outcome.skipped:
            print(f"{what}: {outcome} ({time.monotonic() - since:.1f} s)", flush=True)

    for what, test, programs in (("unit tests", unit_test, options.unit),
                                 ("unit tests under valgrind", unit_test_under_valgrind, options.valgrind),
                                 ("secrets under valgrind", secrets, options.secrets),
                                 ("mutants", mutants, options.mutants),
                                 ("fuzz replays", fuzz_replay, options.replay),
                                 ("layering", layering, options.layering)):
        since = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            account(what, sum(pool.map(test, programs), Outcome()), since)
    if options.server:
        since = time.monotonic()
        account(f"{pathlib.Path(options.tests).stem} tests",
                system_tests(options.server, options.tests, options.pytest), since)
    print(total)
    return 0 if total.passed and not total.failed else 1


sys.exit(main())
