"""Fixtures for all tests, and how a run goes: tests/README.md tells why."""

import asyncio
import functools
import gc
import importlib.util
import inspect
import os
import time
from pathlib import Path

import anyio
import pytest
from hypothesis import HealthCheck, settings

from fastsession import SessionEvent
from fastsession.testing import Clock
from tests.shop import START, browser, shop

# The part of a test's time (`timeout` in pyproject.toml) after which it is cancelled if it awaits something. The rest
# is for its fixtures, and for the report, which must not be interrupted.
ASYNC_PART = 0.5
# What the conftest.py of a folder imports besides what every test needs.
FOLDERS_NEED = {"browser": "playwright", "server_side": "redis", "stores": "redis"}
OWN_PACKAGES = {"example_app", "fastsession", "tests"}

# How long an example takes, or is made, depends on what else the machine does.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """One process more than cores: a third of a run is spent waiting for servers and browsers."""
    return min(4, (os.cpu_count() or 1) + 1)


def pytest_collection_finish(session):
    # A full collection of the heap of eight thousand tests holds an event loop for half a second (fleet.md G-11).
    # What is there now stays until the end: no collection need look at it.
    gc.collect()
    gc.freeze()
    if not session.config.option.collectonly:
        time.sleep(float(os.environ.get("FASTSESSION_TEST_SLEEP_AFTER_COLLECTION", "0")))


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem):
    """Cancel an async test that does not end: then it fails alone, and its fixtures end what they have begun."""
    test, seconds = pyfuncitem.obj, ASYNC_PART * float(pyfuncitem.config.getini("timeout"))
    if inspect.iscoroutinefunction(test):

        @functools.wraps(test)
        async def ending_test(**arguments):
            with anyio.fail_after(seconds):
                await test(**arguments)

        pyfuncitem.obj = ending_test
    return (yield)


def pytest_ignore_collect(collection_path):
    """Leave out a folder whose fixtures need a package that is not installed."""
    package = FOLDERS_NEED.get(collection_path.name)
    if collection_path.parent != Path(__file__).parent or not package or importlib.util.find_spec(package) or in_ci():
        return None
    missing_packages.append(missing(package, collection_path.name))
    return True


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    """Skip a module that needs a package that is not installed, and say so loudly; in CI it is an error."""
    report = yield
    cause = report.call.excinfo.value.__cause__ if report.failed else None
    package = cause.name.partition(".")[0] if isinstance(cause, ModuleNotFoundError) else "fastsession"
    if package not in OWN_PACKAGES and not in_ci():
        message = missing(cause.name, collector.name)
        missing_packages.append(message)
        report.outcome, report.longrepr = "skipped", (str(collector.path), 1, f"Skipped: {message}")
    return report


missing_packages = []


def missing(package, where):
    return f"PYTHON PACKAGE {package} IS NOT INSTALLED: the tests of {where} were not run"


def in_ci():
    return os.environ.get("CI") == "true"


def pytest_sessionfinish(session):
    # What a worker of pytest-xdist tells the process that writes the summary.
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["missing_packages"] = missing_packages


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    missing_packages.extend(getattr(node, "workeroutput", {}).get("missing_packages", []))


def pytest_terminal_summary(terminalreporter):
    for message in sorted(set(missing_packages)):
        terminalreporter.write_line(message, red=True)


@pytest.fixture
def clock() -> Clock:
    return Clock(START)


@pytest.fixture
def events() -> list[SessionEvent]:
    return []


@pytest.fixture
def client(clock, events):
    return browser(shop(clock=clock, on_event=events.append))


@pytest.fixture
def figure(record_property):
    """Tell a measured figure: in the report, and with -s on the screen."""

    def figure(text):
        record_property("figures", text)
        print(text)

    return figure


@pytest.fixture
def event_loop():
    """The loop that mangum looks for in the main thread; it would make one and leave it open."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()
