"""What a retry tells, and that telling changes nothing."""

import logging
from contextvars import copy_context
from typing import Any, Never

import pytest
from tests.policies.script import Script
from tests.worlds import World

from uat_resilience import (
    CallAbandoned,
    CallFailed,
    CallRefusedError,
    CallSucceeded,
    Constant,
    EventBus,
    GiveUp,
    Jitter,
    Pipeline,
    RetriesExhausted,
    Retry,
    RetryBudget,
    RetryScheduled,
    captured,
)
from uat_resilience.ambient import RetryLedger, current_ledger
from uat_resilience.testing import FakeClock

pytestmark = pytest.mark.usefixtures("clock")


def steadily(pause: float = 2.0, **settings: Any) -> Retry:
    settings = {"on": ConnectionError, "name": "fetch", **settings}
    return Retry(backoff=Constant(pause), jitter=Jitter.NONE, **settings)


def test_a_run_that_succeeds_late_tells_of_each_pause_and_of_its_end(world: World) -> None:
    first, second = ConnectionError("1"), ConnectionError("2")

    with captured() as events:
        world.call(steadily(), Script(first, second, "row"))

    assert events == [
        RetryScheduled("fetch", 0.0, attempt=1, delay=2.0, error=first),
        RetryScheduled("fetch", 2.0, attempt=2, delay=2.0, error=second),
        CallSucceeded("fetch", 4.0, elapsed=4.0),
    ]


def test_a_run_that_fails_tells_why_it_gave_up(world: World) -> None:
    first, last = ConnectionError("1"), ConnectionError("2")

    with captured() as events, pytest.raises(ConnectionError):
        world.call(steadily(attempts=2), Script(first, last))

    assert events == [
        RetryScheduled("fetch", 0.0, attempt=1, delay=2.0, error=first),
        RetriesExhausted("fetch", 2.0, attempts=2, reason=GiveUp.ATTEMPTS, error=last),
        CallFailed("fetch", 2.0, elapsed=2.0, error=last),
    ]


def test_a_run_whose_results_are_refused_tells_no_error(world: World) -> None:
    with captured() as events:
        world.call(steadily(on=(), attempts=2, on_result=lambda _: True), Script("busy"))

    assert events == [
        RetryScheduled("fetch", 0.0, attempt=1, delay=2.0, error=None),
        RetriesExhausted("fetch", 2.0, attempts=2, reason=GiveUp.ATTEMPTS, error=None),
        CallFailed("fetch", 2.0, elapsed=2.0, error=None),
    ]


@pytest.mark.parametrize("settings", [{}, {"on_result": bool}, {"time_limit": 9.0}])
def test_a_first_success_tells_one_thing(world: World, settings: dict[str, Any]) -> None:
    with captured() as events:
        world.call(steadily(**settings), Script(0))

    assert events == [CallSucceeded("fetch", 0.0, elapsed=0.0)]


def test_time_spent_in_attempts_and_pauses_is_told(world: World, clock: FakeClock) -> None:
    def body() -> Never:
        clock.advance(60.0)
        raise ConnectionError

    with captured() as events, pytest.raises(ConnectionError):
        world.call(steadily(attempts=2), body)

    assert [e.elapsed for e in events if isinstance(e, CallFailed)] == [122.0]


def test_one_event_is_told_for_each_further_attempt(world: World) -> None:
    with captured() as events, pytest.raises(ConnectionError):
        world.call(steadily(attempts=13), Script(ConnectionError))

    scheduled = [event.attempt for event in events if isinstance(event, RetryScheduled)]
    assert scheduled == list(range(1, 13))


def test_an_error_that_is_not_retried_is_a_failure_without_giving_up(world: World) -> None:
    with captured() as events, pytest.raises(ValueError, match=r"^$"):
        world.call(steadily(), Script(ValueError))

    assert [type(event) for event in events] == [CallFailed]


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("failures", [0, 1])
def test_a_call_that_is_left_is_abandoned(
    world: World, kind: type[BaseException], failures: int
) -> None:
    with captured() as events, pytest.raises(kind):
        world.call(steadily(), Script(*[ConnectionError] * failures, kind))

    assert [type(e) for e in events] == [RetryScheduled] * failures + [CallAbandoned]


def test_a_refusal_further_in_is_abandoned(world: World) -> None:
    with captured() as events, pytest.raises(CallRefusedError):
        world.call(steadily(), Script(CallRefusedError("db")))

    assert [type(event) for event in events] == [CallAbandoned]


class Leaving(FakeClock):
    """A clock on which the process is told to end in the first pause."""

    def pausing(self, seconds: float) -> Never:
        raise KeyboardInterrupt


def test_a_pause_that_is_left_is_abandoned(world: World) -> None:
    with captured() as events, pytest.raises(KeyboardInterrupt):
        world.call(steadily(clock=Leaving()), Script(ConnectionError))

    assert [type(event) for event in events] == [RetryScheduled, CallAbandoned]


def confused(_: object) -> Never:
    raise LookupError


@pytest.mark.parametrize(
    ("settings", "outcome"),
    [
        ({"on": confused}, ConnectionError),
        ({"retry_after": confused}, ConnectionError),
        ({"on_result": confused}, "row"),
    ],
    ids=["on", "retry_after", "on_result"],
)
def test_a_call_that_nobody_could_judge_is_abandoned(
    world: World, settings: dict[str, Any], outcome: Any
) -> None:
    with captured() as events, pytest.raises(LookupError):
        world.call(steadily(**settings), Script(outcome))

    assert [type(event) for event in events] == [CallAbandoned]


def test_a_call_whose_pause_nobody_could_tell_is_abandoned(world: World) -> None:
    with captured() as events, pytest.raises(LookupError):
        world.call(Retry(on_result=bool, on=(), backoff=confused), Script("row"))

    assert [type(event) for event in events] == [CallAbandoned]


def test_a_spent_budget_is_told(world: World) -> None:
    budget = RetryBudget(0.0, minimum_per_second=0.0)

    with captured() as events, pytest.raises(ConnectionError):
        world.call(steadily(budget=budget), Script(ConnectionError))

    assert [e.reason for e in events if isinstance(e, RetriesExhausted)] == [GiveUp.BUDGET]


def test_nothing_is_built_when_nobody_listens(world: World) -> None:
    bus = EventBus()

    result = world.call(steadily(bus=bus), Script(ConnectionError, "row"))

    assert result == "row"
    assert not bus.outcomes_wanted


def test_a_call_left_while_nobody_listens_is_left_all_the_same(world: World) -> None:
    with pytest.raises(KeyboardInterrupt):
        world.call(steadily(bus=EventBus()), Script(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        world.call(steadily(bus=EventBus(), clock=Leaving()), Script(ConnectionError))


def test_events_go_to_the_bus_that_was_given(world: World) -> None:
    bus = EventBus()

    with captured() as others, captured(bus) as events:
        world.call(steadily(bus=bus), Script("row"))

    assert others == []
    assert len(events) == 1


def test_without_a_name_it_goes_by_its_kind_and_in_a_pipeline_by_both(world: World) -> None:
    retry = Retry(on=ConnectionError)

    with captured() as alone:
        world.call(retry, Script("row"))
    with captured() as inside:
        world.call(Pipeline(retry, name="orders"), Script("row"))

    assert [event.policy for event in (*alone, *inside)] == ["retry", "orders/retry"]


def test_a_listener_may_call_back_in(world: World, clock: FakeClock) -> None:
    bus = EventBus()
    retry = steadily(bus=bus)
    inner = Script("inner")
    unsubscribe = bus.subscribe(lambda _: retry.replace(bus=None).call(inner), RetryScheduled)

    result = world.call(retry, Script(ConnectionError, "row"))

    unsubscribe()
    assert (result, inner.calls, clock.sleeps) == ("row", 1, [2.0])


def test_a_listener_that_raises_is_logged_and_hurts_nobody(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    bus = EventBus()
    bus.subscribe(confused)

    with caplog.at_level(logging.ERROR, "uat_resilience"):
        result = world.call(steadily(bus=bus), Script(ConnectionError, ConnectionError, "row"))

    assert result == "row"
    assert bus.listener_errors == 3
    assert len(caplog.records) == 1


def test_run_that_gives_up_says_so_to_whoever_asked_for_the_call(world: World) -> None:
    ledger = RetryLedger()

    def exhaust() -> None:
        current_ledger.set(ledger)
        with pytest.raises(ConnectionError):
            world.call(steadily(attempts=2), Script(ConnectionError("1"), ConnectionError("2")))

    copy_context().run(exhaust)

    assert ledger.spent
