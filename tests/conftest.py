"""What all tests share.

`world` runs a test three times: in sync code, on asyncio and on trio, with one spelling (see `worlds`).
`clock` stands still but for pauses, which move it. Tests that are `async def` run on asyncio and on trio, on
virtual time.

How hard the property tests look: `ci` draws the same examples every time, so a commit that passes keeps
passing. `soak` draws new ones, and many of them: `make soak`. `mutants` does not look for a smaller example
when it has found one: `make mutants`.
"""

import os
import sys
import threading
from collections.abc import Generator
from inspect import iscoroutinefunction
from typing import Any

import anyio
import pytest
import trio.testing
from hypothesis import Phase, settings
from tests.worlds import OnAsyncio, OnTrio, Sync, World

from uat_resilience.clock import SystemClock, default_clock
from uat_resilience.telemetry import default_bus
from uat_resilience.testing import FakeClock, virtual_time

settings.register_profile(
    "ci", deadline=None, derandomize=True, max_examples=100, stateful_step_count=50
)
settings.register_profile(
    "soak", deadline=None, max_examples=2_000, stateful_step_count=100, print_blob=True
)
settings.register_profile(
    "mutants", settings.get_profile("ci"), phases=[Phase.explicit, Phase.generate]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture
def clock() -> Generator[FakeClock]:
    """Install a clock that stands still, but for pauses, which move it."""
    with FakeClock(auto=True) as installed:
        yield installed


@pytest.fixture(params=[Sync(), OnAsyncio(), OnTrio()], ids=["sync", "asyncio", "trio"])
def world(request: pytest.FixtureRequest) -> World:
    """One of the three worlds."""
    return request.param


@pytest.fixture(params=[OnAsyncio(), OnTrio()], ids=["asyncio", "trio"])
def async_world(request: pytest.FixtureRequest) -> World:
    """One of the two worlds where a call can be cut."""
    return request.param


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """Run an async test once on asyncio and once on trio, both on virtual time."""
    if request.param == "trio":
        return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}
    return "asyncio", {"loop_factory": virtual_time.VirtualLoop}


def _put_back() -> Generator[None]:
    """Take off what is left on the bus that all share: a service listens as long as its process lives."""
    bus = default_bus
    before = bus._listeners, dict(bus._put_on), bus._meters, bus._tracers
    yield
    with bus._lock:
        bus._listeners, bus._put_on, bus._meters, bus._tracers = before
        bus._notice()


# Once for what a module's fixtures put there, and once for what a test does.
_bus_as_it_was_before = pytest.fixture(_put_back, scope="module", autouse=True)
_bus_as_it_was = pytest.fixture(_put_back, autouse=True)


# Tests of what the library does by itself, and what it does is less when nobody listens.
_QUIET = {"concurrency", "core", "lifecycle", "policies", "simulate", "telemetry", "waiting"}


@pytest.fixture(autouse=True)
def _nobody_listens_to_the_library(request: pytest.FixtureRequest) -> None:
    if _QUIET.intersection(request.path.relative_to(request.config.rootpath).parts):
        request.getfixturevalue("_nobody_listens")


@pytest.fixture
def _nobody_listens(_bus_as_it_was: None) -> None:
    """Silence the bus that all share: a service that a test has imported listens as long as this process lives."""
    with default_bus._lock:
        default_bus._listeners, default_bus._put_on = {}, {}
        default_bus._meters = default_bus._tracers = ()
        default_bus._notice()


_WHOLE_PROGRAMS = {"benchmarks", "docs", "examples", "reference-services"}


@pytest.fixture(autouse=True)
def _unmeasured(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """Keep coverage out of what runs whole programs: no line is proved by that, and it takes twice as long."""
    if not _WHOLE_PROGRAMS.intersection(request.path.parts):
        yield
        return
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
    trace, trace_of_threads = sys.gettrace(), threading.gettrace()
    sys.settrace(None)
    threading.settrace(None)
    yield
    sys.settrace(trace)
    threading.settrace(trace_of_threads)


class LoopClock(SystemClock):
    """The time of whichever event loop runs where it is asked."""

    def now(self) -> float:
        try:
            return anyio.current_time()
        except RuntimeError:
            return (
                super().now()
            )  # No loop runs here: a thread that an earlier test has left behind.


@pytest.fixture(autouse=True)
def _loop_time(request: pytest.FixtureRequest) -> Generator[None]:
    """Let policies go by their loop's virtual time in async tests."""
    if not iscoroutinefunction(request.function):
        yield
        return
    with default_clock.replaced(LoopClock()):
        yield
