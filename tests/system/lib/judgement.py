"""What every conftest.py does with the programs that tests start: they are judged, and shown when a test failed."""

import pytest

from lib.program import Program


@pytest.fixture(autouse=True)
def no_surprises():
    """A program that lives longer than one test is judged after each."""
    yield
    for program in Program.known:
        if program.running:
            program.check()


def pytest_runtest_setup(item):
    Program.known[:] = [program for program in Program.known if program.running]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for program in Program.known:
            report.sections.append((f"log of {program.name}", program.log()[-20000:]))
