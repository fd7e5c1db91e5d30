"""pytest: fixtures and a marker for the tests of programs that wait, retry and refuse.

    def test_order_survives_a_blip(fake_clock, resilience_events): ...

    @pytest.mark.chaos("shop.prices.fetch", fault=ConnectionError, fault_rate=0.5)
    def test_half_of_the_answers_are_enough(): ...

pytest loads this module by itself wherever the library is installed; `-p no:uat_resilience` keeps it out. The
testing kit is only loaded when a test asks for it.
"""

from collections.abc import Generator
from inspect import getattr_static
from pkgutil import resolve_name
from types import ModuleType
from typing import TYPE_CHECKING, Any

try:
    import pytest
except ImportError as error:
    raise ImportError("pytest is not installed: pip install 'uat-resilience[pytest]'") from error

if TYPE_CHECKING:
    from uat_resilience.telemetry import Event
    from uat_resilience.testing import Chaos, FakeClock

__all__ = [
    "chaos",
    "fake_clock",
    "pytest_configure",
    "resilience_disabled",
    "resilience_events",
    "resilience_instant",
    "virtual_time",
]


def pytest_configure(config: pytest.Config) -> None:
    """Make the markers known."""
    for line in (
        "chaos(*targets, **settings): disturb what the dotted names lead to, as a Chaos with these settings would",
        "fake_clock(**settings): make the clock of the fixture `fake_clock` with these settings",
    ):
        config.addinivalue_line("markers", line)


@pytest.fixture
def fake_clock(request: pytest.FixtureRequest) -> "Generator[FakeClock]":
    """A clock that every policy goes by, and that stands still but for pauses, which move it.

    `@pytest.mark.fake_clock(auto=False, start=100.0, seed=1)` makes it with other settings than `auto=True`.
    """
    from uat_resilience.testing import FakeClock

    marker = request.node.get_closest_marker("fake_clock")
    if marker is not None and marker.args:
        raise pytest.UsageError(
            f"fake_clock takes settings by name, such as start=100.0, not {marker.args[0]!r}"
        )
    settings: dict[str, Any] = {} if marker is None else marker.kwargs
    settings = {"auto": True, **settings}
    with FakeClock(**settings) as clock:
        yield clock


@pytest.fixture
def virtual_time() -> ModuleType:
    """`uat_resilience.testing.virtual_time`: `virtual_time.run(main)` runs an hour in milliseconds."""
    from uat_resilience.testing import virtual_time

    return virtual_time


@pytest.fixture
def resilience_events() -> "Generator[list[Event]]":
    """The events that the default bus carries during the test, in order."""
    from uat_resilience.telemetry import captured

    with captured() as events:
        yield events


@pytest.fixture
def resilience_disabled() -> Generator[None]:
    """Let every call through unguarded during the test: nothing is refused, retried or cut."""
    from uat_resilience.testing import disabled

    with disabled():
        yield


@pytest.fixture
def resilience_instant() -> Generator[None]:
    """Let the pauses of retries take no time during the test; all else is as always."""
    from uat_resilience.testing import instant

    with instant():
        yield


@pytest.fixture
def chaos(_resilience_chaos: "list[Chaos]") -> "Chaos":
    """The `Chaos` of the test's nearest marker: to guard something with, to turn off, to ask what it did."""
    if not _resilience_chaos:
        raise pytest.UsageError(
            "the fixture `chaos` needs a marker: @pytest.mark.chaos(fault=ConnectionError, fault_rate=0.5)"
        )
    return _resilience_chaos[0]


@pytest.fixture(autouse=True)
def _resilience_chaos(request: pytest.FixtureRequest) -> "list[Chaos]":
    """Disturb what the test's markers name."""
    markers = list(request.node.iter_markers("chaos"))
    if not markers:
        return []
    from uat_resilience.testing import Chaos

    patch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
    made: list[Chaos] = []
    for marker in markers:
        settings: dict[str, Any] = {"seed": 0, **marker.kwargs}
        made.append(Chaos(**settings))
        for target in marker.args:
            _disturb(patch, made[-1], target)
    return made


def _disturb(patch: pytest.MonkeyPatch, by: "Chaos", target: object) -> None:
    """Put a disturbed function in the place of what a dotted name leads to, for the length of a test."""
    place, _, name = target.rpartition(".") if isinstance(target, str) else ("", "", "")
    if not place:
        raise pytest.UsageError(
            f"chaos needs a dotted name such as 'shop.prices.fetch', not {target!r}"
        )
    try:
        owner: object = resolve_name(place)
        found: Any = getattr_static(owner, name)
    except (ImportError, AttributeError) as error:
        raise pytest.UsageError(
            f"chaos finds nothing that is called {target!r}: {error}"
        ) from error
    if type(found) in _METHODS:
        patch.setattr(owner, name, type(found)(by(found.__func__)))
    else:
        patch.setattr(owner, name, by(getattr(owner, name)))


_METHODS = (classmethod, staticmethod)  # A policy guards what is underneath.
