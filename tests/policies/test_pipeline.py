from typing import Any

import pytest
from tests.worlds import World

from uat_resilience import (
    Bulkhead,
    BulkheadFullError,
    CallRefusedError,
    CircuitBreaker,
    CircuitOpenError,
    Coalesce,
    Constant,
    Fallback,
    Hedge,
    Keyed,
    Pipeline,
    PipelineWarning,
    RateLimiter,
    Retry,
    RetryBudget,
    TimedOutError,
    Timeout,
    captured,
)
from uat_resilience.testing import FakeClock, instant


class Plain:
    """A policy that is only its protocol."""

    name = "plain"

    def call(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        return f"<{fn(*args, **kwargs)}>"

    async def acall(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        return f"<{await fn(*args, **kwargs)}>"


SLOTS, RATE = Bulkhead(9, name="slots"), RateLimiter(9.0, name="rate")
FLIGHTS, PLAIN = Coalesce(lambda: None, name="flights"), Plain()
PER_HOST = Keyed[str, Bulkhead](lambda _: Bulkhead(1))
BUDGET = RetryBudget()


def test_policies_stand_in_the_order_they_are_read(world: World) -> None:
    outer, inner = Bulkhead(1, name="outer"), Bulkhead(1, name="inner")

    with inner.permit(), pytest.raises(BulkheadFullError, match="inner"):
        world.call(Pipeline(outer, inner), int)
    with outer.permit(), pytest.raises(BulkheadFullError, match="outer"):
        world.call(Pipeline(outer, inner), int)


def test_unnamed_policies_go_by_the_name_of_their_pipeline(world: World) -> None:
    pipeline = Pipeline(Bulkhead(2), Pipeline(Bulkhead(1), name="inner"), name="orders")

    with captured() as events:
        world.call(pipeline, int)

    assert [event.policy for event in events] == ["inner/bulkhead", "orders/bulkhead"]


def test_a_pipeline_without_a_name_lends_none(world: World) -> None:
    with captured() as events:
        world.call(Pipeline(Bulkhead(1)), int)

    assert [event.policy for event in events] == ["bulkhead"]


def test_any_policy_of_ones_own_fits_in(world: World) -> None:
    assert world.call(Pipeline(Plain(), Bulkhead(1)), int) == "<0>"
    assert world.guard(Pipeline(Bulkhead(1), Plain()), int)() == "<0>"


def test_an_empty_pipeline_changes_nothing(world: World) -> None:
    assert world.call(Pipeline(), int) == 0


@pytest.mark.parametrize(
    "on",
    [ConnectionError, (ConnectionError,), lambda error: isinstance(error, ConnectionError)],
    ids=["type", "tuple", "predicate"],
)
def test_the_standard_pipeline_retries_what_is_named_and_what_timed_out(
    async_world: Any, on: Any
) -> None:
    pipeline = Pipeline.standard("db", on=on, bulkhead=5, attempts=2)
    calls: list[Exception] = []

    def fail(error: Exception) -> None:
        calls.append(error)
        raise error

    with instant():
        for error in (ConnectionError(), TimedOutError("each"), KeyError()):
            with pytest.raises(type(error)):
                async_world.call(pipeline, fail, error)

    assert len(calls) == 5
    kinds = [type(policy).__name__ for policy in pipeline.policies]
    assert kinds == ["Timeout", "Retry", "CircuitBreaker", "Bulkhead", "Timeout"]
    assert len(Pipeline.standard("db", on=on).policies) == 4


def test_an_empty_pipeline_returns_what_it_is_given() -> None:
    method = Plain().call

    guarded = Pipeline()(method)

    assert guarded is method


def test_the_standard_pipeline_keeps_its_retries_to_a_budget(async_world: Any) -> None:
    budget = RetryBudget(0.0, minimum_per_second=0.1, window=10.0)
    pipeline = Pipeline.standard("db", on=ConnectionError, budget=budget)
    calls: list[int] = []

    def fail() -> None:
        calls.append(1)
        raise ConnectionError

    with instant():
        for _ in range(2):
            with pytest.raises(ConnectionError):
                async_world.call(pipeline, fail)

    assert len(calls) == 3


def test_a_description_says_order_duration_and_calls() -> None:
    pipeline = Pipeline(
        Timeout(10.0), Retry(KeyError, time_limit=5.0), CircuitBreaker("db"), Plain(), Timeout(2.0)
    )

    lines = pipeline.describe().splitlines()

    assert [line.split()[1] for line in lines[1:6]] == [
        "timeout",
        "retry",
        "db",
        "plain",
        "timeout",
    ]
    assert lines[-2:] == [
        "worst case: 7 s, 3 calls",
        "worst case in sync code: unbounded, 3 calls",
    ]


@pytest.mark.parametrize(
    ("pipeline", "worst"),
    [
        (Pipeline(), "unbounded, 1 call"),
        (
            Pipeline(Retry(KeyError, attempts=None, time_limit=9.0), Timeout(1.0)),
            "10 s, any number of calls",
        ),
        (Pipeline(Retry(KeyError, backoff=lambda _: 1.0), Timeout(1.0)), "unbounded, 3 calls"),
        (Pipeline(Retry(KeyError, attempts=1), Timeout(1.0)), "1 s, 1 call"),
        (
            Pipeline(Retry(KeyError, retry_after_max=2.0, backoff=Constant(1.0)), Timeout(1.0)),
            "7 s, 3 calls",
        ),
        (Pipeline(Bulkhead(1, queue=1, max_wait=4.0), Timeout(1.0)), "5 s, 1 call"),
        (Pipeline(Bulkhead(1, queue=1), Timeout(1.0)), "unbounded, 1 call"),
    ],
    ids=[
        "bare",
        "time limit",
        "own backoff",
        "one attempt",
        "retry-after",
        "queue",
        "endless queue",
    ],
)
def test_the_worst_case_is_added_up(pipeline: Pipeline, worst: str) -> None:
    assert f"worst case: {worst}" in pipeline.describe()


@pytest.mark.parametrize(
    ("policies", "advice"),
    [
        ((Timeout(2.0), Retry(KeyError), Timeout(2.0)), "make the inner one shorter"),
        ((CircuitBreaker("db"), Retry(KeyError)), "put the breaker inside the retry"),
        ((Timeout(2.0), CircuitBreaker("db")), "put a shorter timeout inside the breaker"),
        ((Retry(KeyError), Fallback(on=KeyError, value=1)), "put the fallback outside the retry"),
        ((Retry(OSError), Retry(ConnectionError, attempts=4)), r"up to 12\. Leave one of them"),
        ((Retry(KeyError, attempts=None, time_limit=9.0), Retry(KeyError)), "up to any number of"),
        ((Retry(KeyError), Retry(lambda _: True)), "give both the same budget"),
        ((Retry(CallRefusedError), Retry(CircuitOpenError)), "give both the same budget"),
        ((Retry((), on_result=bool), Retry(KeyError, on_result=bool)), "give both the same budget"),
        ((SLOTS, SLOTS), "'slots' is there twice, so each call asks it twice"),
        ((RATE, Retry(KeyError), RATE), "'rate' is there twice, so each call asks it twice"),
        ((FLIGHTS, FLIGHTS), "'flights' is there twice, so each call waits for ever for itself"),
    ],
    ids=[
        "attempt outlasts the whole",
        "breaker sees runs",
        "breaker sees no hang",
        "fallback hides",
        "retries multiply",
        "retries multiply without end",
        "retries of who knows what",
        "retries of refusals",
        "retries of results",
        "same bulkhead twice",
        "same limiter twice",
        "same flights twice",
    ],
)
def test_a_doubtful_order_warns_and_says_what_to_do(policies: Any, advice: str) -> None:
    with pytest.warns(PipelineWarning, match=advice) as warned:
        Pipeline(*policies[:1], Pipeline(*policies[1:]))

    assert warned[0].filename == __file__


def test_the_warning_of_the_preset_names_the_line_that_asks_for_it() -> None:
    with pytest.warns(PipelineWarning, match="not shorter") as warned:
        Pipeline.standard("orders", on=KeyError, total=5.0)

    assert {each.filename for each in warned} == {__file__}


@pytest.mark.parametrize(
    "policies",
    [
        (Retry(KeyError), Retry((ValueError, TypeError))),
        (Retry(Exception), Retry(CircuitOpenError)),
        (Retry(KeyError), Retry((), on_result=bool)),
        (Retry(KeyError, budget=BUDGET), Retry(KeyError, budget=BUDGET)),
        (Retry(KeyError), Retry(KeyError, attempts=1)),
        (Retry(KeyError, attempts=1), Retry(KeyError)),
        (Hedge(1.0), Retry(KeyError)),
        (Bulkhead(3), Bulkhead(3)),
        (PER_HOST["one"], PER_HOST["two"]),
        (PLAIN, PLAIN),
    ],
    ids=[
        "retries of different errors",
        "retries of errors and of refusals",
        "retries of errors and of results",
        "retries with one budget",
        "one attempt inside",
        "one attempt outside",
        "hedge around a retry",
        "bulkheads that are alike",
        "bulkheads of two keys",
        "somebody's own policy twice",
    ],
)
def test_a_meaningful_order_draws_no_warning(
    policies: Any, recwarn: pytest.WarningsRecorder
) -> None:
    Pipeline(*policies[:1], Pipeline(*policies[1:]))

    assert recwarn.list == []


def test_a_snapshot_shows_all_policies() -> None:
    shown = Pipeline(Bulkhead(3), Plain(), name="p").snapshot().policies

    assert [name for name, _ in shown] == ["p/bulkhead", "plain"]
    assert shown[1][1] is None


def test_a_retry_inside_goes_on_while_the_breaker_lets_it(world: World, clock: FakeClock) -> None:
    breaker = CircuitBreaker("db")
    pipeline = Pipeline(Retry(ConnectionError, attempts=9), breaker)

    def fail() -> None:
        raise ConnectionError

    with pytest.raises(CircuitOpenError):
        world.call(pipeline, fail)

    assert len(clock.sleeps) == 5


@pytest.mark.parametrize("policy", [3, Bulkhead, "retry"], ids=["number", "class", "text"])
def test_what_is_no_policy_is_refused(policy: Any) -> None:
    with pytest.raises(TypeError, match="policies"):
        Pipeline(policy)
