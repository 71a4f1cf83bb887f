"""Fixtures of the tests in the world, and the judgement of what servers said while a test ran."""

import pytest

pytest_plugins = ["lib.judgement"]
pytest.register_assert_rewrite("lib.program", "lib.server", "lib.hosts", "lib.world")

from lib.ca import WorldCA  # noqa: E402 (asserts in lib are rewritten only when told before)
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
