#!/usr/bin/python3
"""What `make lint` does: everything that judges the sources without running them.

    tests/lint.py [STEP...]     all steps, or those named

A step is a list of commands, and each of them one check: it passes if it ends with status 0 and says nothing. As many
run at a time as there are processors. The last line is the sum: "N passed, N failed, N skipped". Nothing is skipped: a
tool that is missing (contrib/build/deps.sh lint gets them) fails its checks.
"""

import concurrent.futures
import os
import pathlib
import shlex
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SECONDS_FOR_A_CHECK = 300

COMPILE = ["-std=c11", "-D_GNU_SOURCE", "-Isrc", "-fno-common"]
MBEDTLS = shlex.split((ROOT / "build/mbedtls/cflags").read_text())  # contrib/build/deps.sh
GMIME = subprocess.run(["pkg-config", "--cflags", "gmime-3.0"], stdout=subprocess.PIPE, check=True).stdout.decode()
LIBRARIES = MBEDTLS + GMIME.replace("-I", "-isystem ").split()

# More than the Makefile asks for, since what warns here stops nobody from building with another compiler. Left out:
# -Wswitch-enum (a default is meant), -Wlogical-op (EAGAIN may be EWOULDBLOCK), -Wredundant-decls (ini_reader.c).
WARNINGS = """-Werror -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wold-style-definition -Wcast-qual
    -Wconversion -Wsign-conversion -Wpointer-arith -Wwrite-strings -Wformat=2 -Wundef -Wvla -Wfloat-equal
    -Wunused-macros -Wnested-externs -Wdate-time -Wnull-dereference -Wno-format-nonliteral""".split()
OF_GCC = """-Wformat-signedness -Wformat-truncation -Wduplicated-cond -Wduplicated-branches -Walloca -Wcast-align=strict
    -Wjump-misses-init -Warith-conversion""".split()
OF_CLANG = """-Wcast-align -Wcomma -Wunreachable-code -Wconditional-uninitialized -Wextra-semi-stmt
    -Wmissing-variable-declarations -Wcovered-switch-default -Wimplicit-fallthrough""".split()


def files(*patterns):
    return sorted(str(path.relative_to(ROOT)) for pattern in patterns for path in ROOT.glob(pattern))


OURS = files("src/*/*.c", "tests/fuzz/*.c", "tests/bench/*.c")
SOURCES = OURS + files("tests/unit/*.c", "tests/system/*/*.c", "tests/secrets/*.c",
                       "tests/sanitized.c")  # coverage.c is for gcov alone
HEADERS = files("src/*/*.h", "tests/*/*.h")
LAID_OUT = SOURCES + HEADERS + ["tests/coverage.c"]
SCRIPTS = [".ci/run", *files("contrib/**/*.sh", "contrib/completion/*.bash", "tests/**/*.sh")]
PYTHON = files("tests/**/*.py")
MANUALS = files("docs/*.[1-8]")


def clang_tidy(source):
    return ["clang-tidy", "--quiet", "--warnings-as-errors=*", source, "--", *COMPILE, *LIBRARIES]


def gcc(source):
    return ["gcc", *COMPILE, *LIBRARIES, *WARNINGS, *OF_GCC, "-O2", "-c", "-o", "/dev/null", source]


def gcc_analyzer(source):
    """Not for the unit tests: it can't know that cmocka's assertions do not return."""
    return ["gcc", *COMPILE, *LIBRARIES, "-Werror", "-fanalyzer", "-O1", "-c", "-o", "/dev/null", source]


def clang(source):
    return ["clang", *COMPILE, *LIBRARIES, *WARNINGS, *OF_CLANG, "-fsyntax-only", source]


STEPS = {
    "tidy": [clang_tidy(source) for source in SOURCES],
    "analyzer": [gcc_analyzer(source) for source in OURS],
    "gcc": [gcc(source) for source in SOURCES],
    "clang": [clang(source) for source in SOURCES],
    "cppcheck": [["cppcheck", "--quiet", "--std=c11", "-D_GNU_SOURCE", "-Isrc", "--inline-suppr",
                  "--enable=warning,portability,performance", "--suppress=missingIncludeSystem",
                  "--suppress=normalCheckLevelMaxBranches", "--error-exitcode=1", "src"]],
    "format": [["clang-format", "--dry-run", "-Werror", name] for name in LAID_OUT],
    "man": [["mandoc", "-T", "lint", "-W", "warning", name] for name in MANUALS],
    "shell": [["shellcheck", name] for name in SCRIPTS],
    "python": [["pyflakes3", name] for name in PYTHON],
    "rules": [[sys.executable, "tests/layering.py"], [sys.executable, "tests/house.py"]],
}


def check(command):
    """What this command has to complain of; nothing if all is well."""
    try:
        done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=SECONDS_FOR_A_CHECK, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{error}\n"
    said = done.stdout.decode(errors="backslashreplace")
    if command[0] == "clang-tidy" and done.returncode == 0:
        return ""  # it counts aloud what it suppressed in system headers
    return said or (f"exit status {done.returncode}\n" if done.returncode else "")


def main():
    wanted = sys.argv[1:] or list(STEPS)
    unknown = [name for name in wanted if name not in STEPS]
    if unknown:
        sys.exit(f"lint: no such step: {' '.join(unknown)}; there are: {' '.join(STEPS)}")

    passed = failed = 0
    since = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = {name: [(command, pool.submit(check, command)) for command in STEPS[name]] for name in wanted}
        for name, checks in results.items():
            complaints = [(command, future.result()) for command, future in checks if future.result()]
            for command, said in complaints:
                print(f"--- {shlex.join(command)}\n{said}", end="")
            passed += len(checks) - len(complaints)
            failed += len(complaints)
            print(f"{name}: {len(checks) - len(complaints)} passed, {len(complaints)} failed "
                  f"({time.monotonic() - since:.1f} s)", flush=True)
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 0 if passed and not failed else 1


sys.exit(main())
