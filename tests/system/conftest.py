"""Fixtures of the system tests, and the judgement of what servers said while a test ran."""

import contextlib

import pytest

pytest_plugins = ["lib.judgement"]
pytest.register_assert_rewrite("lib.program", "lib.server", "lib.client", "lib.hello", "lib.tools")

from lib import clock as test_clock  # noqa: E402 (asserts in lib are rewritten only when told before)
from lib import inspection, pki  # noqa: E402
from lib.hand_over import hand_over_to  # noqa: E402
from lib.server import MTA_STSD, ORG, Server, Site  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--every-allocation", action="store_true",
                     help="in test_memory.py, each allocation fails once, not only each kind of them")


@pytest.fixture(scope="session", autouse=True)
def no_capability_for_what_a_test_starts():
    inspection.drop_ambient()


def pytest_configure(config):
    config.addinivalue_line("markers", "address_space: limits the address space, all of which AddressSanitizer needs")


def pytest_collection_modifyitems(config, items):
    """Leaves out of a sanitized run what cannot be run there; `make check` runs it."""
    left_out = [item for item in items if "sanitized" in MTA_STSD and item.get_closest_marker("address_space")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def authority():
    return pki.Authority()


@pytest.fixture(scope="session")
def make_site(tmp_path_factory, authority):
    """Makes empty sites, for fixtures of a wider scope and tests that need two."""
    return lambda: Site(tmp_path_factory.mktemp("site"), authority)


@pytest.fixture
def site(make_site):
    return make_site()


@pytest.fixture
def serve(site):
    """serve(*policies, **options of Site.configure): a ready server, stopped and judged after the test.

    env: for its environment.
    """
    with contextlib.ExitStack() as running:
        def serve(*policies, env=None, **options):
            site.configure(*policies, **options)
            return running.enter_context(Server(site, env=env))

        yield serve


@pytest.fixture
def hand_over(site):
    """hand_over({name: socket or list of them}, *policies, **options of Site.configure): a running server."""
    with contextlib.ExitStack() as running:
        def start(sockets, *policies, **options):
            pairs = [(name, one) for name, some in sockets.items()
                     for one in (some if isinstance(some, list) else [some])]
            for _, one in pairs:
                running.enter_context(one)
            fds = [(name, one.fileno()) for name, one in pairs]
            site.configure(*policies or [ORG], **options)
            return running.enter_context(Server(site, **hand_over_to(fds)))

        yield start


@pytest.fixture(scope="session")
def clock_library(tmp_path_factory):
    return test_clock.build(tmp_path_factory.mktemp("clock"))


@pytest.fixture
def clock(site, clock_library):
    """A clock that the test moves, for serve(env=clock.environment())."""
    return test_clock.Clock(clock_library, site.folder)
