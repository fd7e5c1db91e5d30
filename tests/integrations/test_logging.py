"""Both logging libraries get the same lines: what is said is tried once, for both."""

import logging
from collections.abc import Callable, Generator
from contextlib import suppress
from typing import Any, Never

import pytest
import structlog
from structlog.testing import LogCapture

from uat_resilience import (
    Bulkhead,
    BulkheadFullError,
    CallbackFailed,
    CallRefused,
    CallSucceeded,
    CircuitBreaker,
    ConsecutiveFailures,
    EventBus,
    Retry,
)
from uat_resilience._core.drain import Phase
from uat_resilience._core.hysteresis import Status
from uat_resilience.integrations import logging as stdlib
from uat_resilience.integrations import structlog as structured
from uat_resilience.integrations.handle import Handle
from uat_resilience.integrations.lines import Line
from uat_resilience.telemetry import HealthChanged, ShutdownPhaseChanged
from uat_resilience.testing import FakeClock

FIELDS = ("policy", "old", "new", "attempts", "reason", "error", "times")

Lines = list[Line]
Start = Callable[..., tuple[Handle, Callable[[], Lines]]]


@pytest.fixture
def bus() -> EventBus:
    return EventBus()


class Records(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


def with_logging(bus: EventBus, **options: Any) -> tuple[Handle, Callable[[], Lines]]:
    # A logger of its own, outside of the tree that other tests share.
    logger, kept = logging.Logger("tests"), Records()  # noqa: LOG001 - see above
    logger.addHandler(kept)

    def lines() -> Lines:
        return [
            Line(
                record.levelno,
                record.getMessage().split(" policy=")[0],
                {name: vars(record)[name] for name in FIELDS if name in vars(record)},
            )
            for record in kept.records
        ]

    return stdlib.instrument(bus, logger=logger, **options), lines


def with_structlog(bus: EventBus, **options: Any) -> tuple[Handle, Callable[[], Lines]]:
    kept = LogCapture()
    logger = structlog.wrap_logger(None, [kept], structlog.make_filtering_bound_logger(0))

    def lines() -> Lines:
        levels = {"info": logging.INFO, "warning": logging.WARNING}
        return [
            Line(
                levels[entry["log_level"]],
                entry["event"],
                {name: entry[name] for name in FIELDS if name in entry},
            )
            for entry in kept.entries
        ]

    return structured.instrument(bus, logger=logger, **options), lines


@pytest.fixture(params=[with_logging, with_structlog], ids=["logging", "structlog"])
def start(request: pytest.FixtureRequest) -> Start:
    return request.param


def fails() -> Never:
    raise ConnectionError("password=hunter2")


def refusal(at: float, policy: str = "slots") -> CallRefused:
    return CallRefused(policy, at, BulkheadFullError(policy))


def test_change_of_state_is_one_line(start: Start, bus: EventBus, clock: FakeClock) -> None:
    _, lines = start(bus)
    breaker = CircuitBreaker("db", trip=ConsecutiveFailures(1), recovery_time=5.0, bus=bus)

    with suppress(ConnectionError):
        breaker.call(fails)
    clock.advance(5.0)
    breaker.call(int)

    said = "breaker state changed"
    assert lines() == [
        Line(logging.WARNING, said, {"policy": "db", "old": "closed", "new": "open"}),
        Line(logging.INFO, said, {"policy": "db", "old": "open", "new": "half_open"}),
        Line(logging.INFO, said, {"policy": "db", "old": "half_open", "new": "closed"}),
    ]


def test_health_and_shutdown_are_told(start: Start, bus: EventBus) -> None:
    _, lines = start(bus)

    bus.emit(HealthChanged("db", 0.0, None, Status.HEALTHY))
    bus.emit(HealthChanged("db", 1.0, Status.HEALTHY, Status.UNHEALTHY))
    bus.emit(ShutdownPhaseChanged("shutdown", 2.0, Phase.RUNNING, Phase.DRAINING))

    assert lines() == [
        Line(logging.INFO, "health changed", {"policy": "db", "old": None, "new": "healthy"}),
        Line(
            logging.WARNING,
            "health changed",
            {"policy": "db", "old": "healthy", "new": "unhealthy"},
        ),
        Line(
            logging.INFO,
            "shutdown phase changed",
            {"policy": "shutdown", "old": "running", "new": "draining"},
        ),
    ]


@pytest.mark.usefixtures("clock")
def test_exhausted_retry_is_one_line_without_the_text_of_its_error(
    start: Start, bus: EventBus
) -> None:
    _, lines = start(bus)

    with suppress(ConnectionError):
        Retry(on=ConnectionError, attempts=2, name="again", bus=bus).call(fails)

    fields = {"policy": "again", "attempts": 2, "reason": "attempts", "error": "ConnectionError"}
    assert lines() == [Line(logging.WARNING, "retries exhausted", fields)]


@pytest.mark.usefixtures("clock")
def test_exhausted_retry_of_a_result_has_no_error(start: Start, bus: EventBus) -> None:
    _, lines = start(bus)

    Retry(on=(), on_result=lambda _: True, attempts=1, bus=bus).call(int)

    assert [line.fields["error"] for line in lines()] == [None]


def test_burst_of_refusals_is_a_line_at_once_and_one_later_with_their_number(
    start: Start, bus: EventBus
) -> None:
    _, lines = start(bus, quiet=10.0)

    for at in (0.0, 1.0, 9.9, 10.0, 11.0):
        bus.emit(refusal(at))

    assert [line.event for line in lines()] == ["calls refused", "calls refused"]
    assert [line.fields["times"] for line in lines()] == [1, 3]
    assert lines()[0].fields["error"] == "BulkheadFullError"


def test_closing_tells_of_the_refusals_not_yet_told(start: Start, bus: EventBus) -> None:
    handle, lines = start(bus)
    for policy, at in [("slots", 0.0), ("slots", 1.0), ("others", 1.0)]:
        bus.emit(refusal(at, policy))

    handle.close()
    handle.close()
    bus.emit(refusal(2.0))

    told = [(line.fields["policy"], line.fields["times"]) for line in lines()]
    assert told == [("slots", 1), ("others", 1), ("slots", 1)]


def test_failing_callback_is_told_like_a_refusal(start: Start, bus: EventBus) -> None:
    _, lines = start(bus)

    for at in (0.0, 1.0):
        bus.emit(CallbackFailed("db", at, "recovery_time", ZeroDivisionError()))

    fields = {"policy": "db", "error": "ZeroDivisionError", "times": 1}
    assert lines() == [Line(logging.WARNING, "callback failed", fields)]


def test_ordinary_calls_make_no_line_and_take_no_time(start: Start, bus: EventBus) -> None:
    _, lines = start(bus)

    Bulkhead(1, bus=bus).call(int)

    assert lines() == []
    assert not bus.wants(CallSucceeded)


def test_kinds_of_refusals_that_are_remembered_are_bounded(start: Start, bus: EventBus) -> None:
    _, lines = start(bus)

    for key in range(1001):
        bus.emit(refusal(0.0, f"tenant-{key}"))
    bus.emit(refusal(0.0, "tenant-0"))
    bus.emit(refusal(0.0, "tenant-1000"))

    assert len(lines()) == 1002


def test_bad_quiet_is_named_with_its_rule(start: Start, bus: EventBus) -> None:
    with pytest.raises(ValueError, match="quiet must be a finite number of seconds, 0 or more"):
        start(bus, quiet=-1.0)


def test_message_of_the_standard_library_says_all(
    bus: EventBus, caplog: pytest.LogCaptureFixture
) -> None:
    handle = stdlib.instrument(bus)

    CircuitBreaker("db", bus=bus).force_open()

    assert caplog.messages == ["breaker state changed policy=db old=closed new=forced_open"]
    handle.close()


def test_line_below_the_level_is_not_made(bus: EventBus, caplog: pytest.LogCaptureFixture) -> None:
    stdlib.instrument(bus)

    with caplog.at_level(logging.ERROR, "uat_resilience"):
        CircuitBreaker("db", bus=bus).force_open()

    assert caplog.messages == []


@pytest.fixture
def entries() -> Generator[list[Any]]:
    with structlog.testing.capture_logs() as kept:
        yield kept


def test_structlog_goes_where_it_is_configured_to(bus: EventBus, entries: list[Any]) -> None:
    structured.instrument(bus)

    CircuitBreaker("db", bus=bus).force_open()

    assert [entry["event"] for entry in entries] == ["breaker state changed"]


@pytest.mark.parametrize("library", [stdlib, structured], ids=["logging", "structlog"])
def test_policy_in_place_of_a_bus_is_refused(library: Any) -> None:
    with pytest.raises(TypeError, match="bus must be an EventBus or None"):
        library.instrument(CircuitBreaker("db"))


@pytest.mark.parametrize("library", [stdlib, structured], ids=["logging", "structlog"])
def test_what_is_no_logger_is_refused(library: Any) -> None:
    with pytest.raises(TypeError, match=r"logger must be a .*, not 5"):
        library.instrument(logger=5)
