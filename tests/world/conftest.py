"""Fixtures of the tests in the world, and the judgement of what servers said while a test ran."""

import pytest

pytest.register_assert_rewrite("lib.server", "lib.hosts", "lib.world")

from lib.ca import WorldCA  # noqa: E402 (asserts in lib are rewritten only when told before)
from lib.hosts import Process  # noqa: E402
from lib.server import Server  # noqa: E402
from lib.world import World  # noqa: E402


@pytest.fixture(scope="session")
def world_ca(tmp_path_factory):
    return WorldCA(tmp_path_factory.mktemp("issued"))


@pytest.fixture(scope="module")
def world(tmp_path_factory, world_ca):
    """The tests of a file share a world; no other file is in it."""
    folder = tmp_path_factory.mktemp("world")
    folder.chmod(0o755)
    world = World(world_ca, folder)
    yield world
    world.close()


@pytest.fixture(autouse=True)
def no_surprises():
    """A server that lives longer than one test is judged after each."""
    yield
    for server in Server.known:
        if server.running:
            server.check()


def pytest_runtest_setup(item):
    for kind in (Server, Process):
        kind.known[:] = [process for process in kind.known if process.running]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for server in Server.known:
            report.sections.append((f"log of mta-stsd on {server.host.name}", server.log()[-20000:]))
        for process in Process.known:
            report.sections.append((f"log of {process.name}", process.log()[-20000:]))
