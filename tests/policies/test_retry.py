"""How many calls a retry makes, of what, and what comes out in the end."""

import asyncio
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Never

import pytest
from tests.core.wording import exactly
from tests.policies.script import Script
from tests.worlds import World

from uat_resilience import (
    BulkheadFullError,
    CallRefusedError,
    CircuitOpenError,
    Retry,
    RetryBudget,
    RetrySnapshot,
    single_try,
)
from uat_resilience.testing import FakeClock, disabled, instant

pytestmark = pytest.mark.usefixtures("clock")


def test_three_attempts_are_three_calls(world: World) -> None:
    script = Script(ConnectionError)

    with pytest.raises(ConnectionError):
        world.call(Retry(on=ConnectionError, attempts=3), script)

    assert script.calls == 3


def test_the_last_error_comes_out_itself_with_its_cause(world: World) -> None:
    last, cause = ConnectionError("third"), OSError("no route")
    last.__cause__ = cause
    script = Script(ConnectionError("first"), ConnectionError("second"), last)

    with pytest.raises(ConnectionError) as caught:
        world.call(Retry(on=ConnectionError), script)

    assert caught.value is last
    assert last.__cause__ is cause
    assert last.__context__ is None


def test_a_first_success_is_one_call_and_no_pause(world: World, clock: FakeClock) -> None:
    script = Script("row")

    result = world.call(Retry(on=ConnectionError), script)

    assert (result, script.calls, clock.sleeps) == ("row", 1, [])


def test_a_later_success_ends_the_run(world: World) -> None:
    script = Script(ConnectionError, ConnectionError, "row")

    result = world.call(Retry(on=ConnectionError, attempts=9), script)

    assert (result, script.calls) == ("row", 3)


def test_a_guarded_function_is_retried_with_the_same_arguments(world: World) -> None:
    seen: list[tuple[object, ...]] = []

    def fetch(*args: object, **kwargs: object) -> None:
        seen.append((args, kwargs))
        if len(seen) < 3:
            raise ConnectionError

    world.guard(Retry(on=ConnectionError), fetch)(1, key="k")

    assert seen == [((1,), {"key": "k"})] * 3


@pytest.mark.parametrize("outcomes", [(ValueError,), (ConnectionError, ValueError)])
def test_an_error_that_was_not_named_comes_out_at_once_and_without_a_note(
    world: World, outcomes: tuple[type[Exception], ...]
) -> None:
    script = Script(*outcomes)

    with pytest.raises(ValueError, match=r"^$") as caught:
        world.call(Retry(on=ConnectionError, attempts=5), script)

    assert script.calls == len(outcomes)
    assert not hasattr(caught.value, "__notes__")


def test_one_attempt_is_one_call_and_no_pause(world: World, clock: FakeClock) -> None:
    script = Script(ConnectionError)

    with pytest.raises(ConnectionError):
        world.call(Retry(on=ConnectionError, attempts=1), script)

    assert (script.calls, clock.sleeps) == (1, [])


def test_without_a_number_of_attempts_it_goes_on_until_it_succeeds(world: World) -> None:
    script = Script(*[ConnectionError] * 300, "row")
    patient = Retry(on=ConnectionError, attempts=None, time_limit=1e6)

    result = world.call(patient, script)

    assert (result, script.calls) == ("row", 301)


def test_each_call_is_a_run_of_its_own(world: World) -> None:
    guarded = world.guard(Retry(on=ConnectionError, attempts=3), script := Script(ConnectionError))

    for expected in (3, 6, 9):
        with pytest.raises(ConnectionError):
            guarded()

        assert script.calls == expected


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit])
@pytest.mark.parametrize("failures", [0, 1])
def test_exit_is_never_retried_and_never_replaced(
    world: World, kind: type[BaseException], failures: int
) -> None:
    leaving = kind()
    script = Script(*[ConnectionError] * failures, leaving)

    with pytest.raises(kind) as caught:
        world.call(Retry(on=Exception), script)

    assert caught.value is leaving
    assert script.calls == failures + 1


@pytest.mark.parametrize(
    "on", [Exception, OSError, lambda _: True], ids=["all", "some", "predicate"]
)
@pytest.mark.parametrize(
    "refusal", [CircuitOpenError("db", retry_after=1.0), CallRefusedError("db")]
)
def test_a_refusal_is_not_retried_unless_named(
    world: World, on: Any, refusal: CallRefusedError
) -> None:
    script = Script(refusal)

    with pytest.raises(CallRefusedError) as caught:
        world.call(Retry(on), script)

    assert caught.value is refusal
    assert script.calls == 1


@pytest.mark.parametrize("on", [CallRefusedError, (OSError, BulkheadFullError)])
def test_a_refusal_that_is_named_is_retried(world: World, on: Any) -> None:
    script = Script(BulkheadFullError("db", size=1), "row")

    assert world.call(Retry(on), script) == "row"


def test_a_predicate_decides_and_is_asked_once_an_attempt(world: World) -> None:
    asked: list[Exception] = []

    def is_busy(error: Exception) -> bool:
        asked.append(error)
        return str(error) == "busy"

    script = Script(busy := OSError("busy"), gone := OSError("gone"))

    with pytest.raises(OSError, match="gone"):
        world.call(Retry(is_busy, attempts=5), script)

    assert asked == [busy, gone]


def broken(_: object) -> Never:
    raise LookupError("mine")


@pytest.mark.parametrize(
    "settings",
    [
        {"on": broken},
        {"on": OSError, "backoff": broken},
        {"on": OSError, "retry_after": broken},
    ],
    ids=["on", "backoff", "retry_after"],
)
def test_what_a_callback_raises_comes_out_and_ends_the_run(
    world: World, settings: dict[str, Any]
) -> None:
    script = Script(cause := ConnectionError())

    with pytest.raises(LookupError, match=exactly("mine")) as caught:
        world.call(Retry(**settings), script)

    assert caught.value.__context__ is cause
    assert script.calls == 1


@pytest.mark.parametrize("pause", [-1.0, float("nan"), float("inf"), "1", None, True])
def test_a_backoff_that_returns_nonsense_is_an_error_that_names_it(
    world: World, pause: object
) -> None:
    script = Script(ConnectionError)
    confused: Any = lambda _: pause  # noqa: E731

    with pytest.raises((TypeError, ValueError), match=rf"^backoff must be .*, not {pause!r}$"):
        world.call(Retry(on=ConnectionError, backoff=confused), script)

    assert script.calls == 1


@pytest.mark.parametrize(("attempts", "times"), [(1, "1 attempt"), (3, "3 attempts")])
def test_the_error_says_in_a_note_why_nothing_was_tried_any_more(
    world: World, attempts: int, times: str
) -> None:
    retry = Retry(on=ConnectionError, attempts=attempts, name="fetch")

    with pytest.raises(ConnectionError) as caught:
        world.call(retry, Script(ConnectionError))

    assert caught.value.__notes__ == [f"fetch gave up after {times}: all attempts are used"]


def test_an_error_that_comes_by_again_has_one_note_of_ours_and_keeps_its_own(world: World) -> None:
    error = ConnectionError()
    error.add_note("a note of its own")
    guarded = world.guard(Retry(on=ConnectionError, attempts=2), Script(error))

    for _ in range(3):
        with pytest.raises(ConnectionError):
            guarded()

    assert error.__notes__ == [
        "a note of its own",
        "retry gave up after 2 attempts: all attempts are used",
    ]


@dataclass(frozen=True)
class FrozenError(Exception):
    """Lets nobody write to it."""

    code: int


class NumberedError(Exception):
    """Has made something else of its notes."""

    __notes__: Any = 5


@pytest.mark.parametrize("error", [FrozenError(7), NumberedError()])
def test_an_error_that_takes_no_note_comes_out_without_one(error: Exception) -> None:
    with pytest.raises(type(error)) as caught:
        Retry(on=type(error), attempts=1).call(Script(error))

    assert caught.value is error


def test_where_the_caller_owns_the_retries_one_call_is_made(world: World) -> None:
    guarded = world.guard(Retry(on=ConnectionError), script := Script(ConnectionError))

    with single_try(), pytest.raises(ConnectionError) as caught:
        guarded()

    assert script.calls == 1
    assert caught.value.__notes__ == [
        "retry gave up after 1 attempt: the caller owns the retries (single_try)"
    ]


def test_after_the_caller_s_block_retries_are_back(world: World) -> None:
    guarded = world.guard(Retry(on=ConnectionError), script := Script(ConnectionError))

    with single_try():
        with single_try():
            pass
        with pytest.raises(ConnectionError):
            guarded()
    with pytest.raises(ConnectionError):
        guarded()

    assert script.calls == 1 + 3


async def test_the_caller_s_block_may_be_spelled_as_an_async_one() -> None:
    calls: list[int] = []

    async def fail() -> None:
        calls.append(1)
        raise ConnectionError

    with pytest.raises(ConnectionError):
        async with single_try():
            await Retry(on=ConnectionError).acall(fail)

    assert len(calls) == 1


def test_a_disabled_retry_makes_one_call(world: World, clock: FakeClock) -> None:
    script = Script(ConnectionError)

    with disabled(), pytest.raises(ConnectionError):
        world.call(Retry(on=ConnectionError), script)

    assert (script.calls, clock.sleeps) == (1, [])


def test_a_disabled_retry_does_not_judge_results(world: World) -> None:
    script = Script("busy")

    with disabled():
        result = world.call(Retry(on=(), on_result=lambda _: True), script)

    assert (result, script.calls) == ("busy", 1)


def test_instant_pauses_take_no_time_and_change_nothing_else(
    world: World, clock: FakeClock
) -> None:
    script = Script(ConnectionError)

    with instant(), pytest.raises(ConnectionError):
        world.call(Retry(on=ConnectionError), script)

    assert (script.calls, clock.sleeps) == (3, [])


def test_one_retry_serves_many_threads_and_each_has_its_own_run() -> None:
    budget = RetryBudget(window=1e6)
    retry = Retry(on=ConnectionError, attempts=3, budget=budget)
    calls: list[int] = []

    def work() -> None:
        for _ in range(50):
            script = Script(ConnectionError, ConnectionError, "row")
            retry.call(script)
            calls.append(script.calls)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert calls == [3] * 400
    assert (budget.snapshot().calls, budget.snapshot().extra_attempts) == (400, 800)


def test_it_can_be_built_at_import_and_used_on_one_loop_after_another() -> None:
    retry = Retry(on=ConnectionError)

    async def fetch() -> str:
        return str(script())

    for _ in range(2):
        script = Script(ConnectionError, "row")
        assert asyncio.run(retry.acall(fetch)) == "row"


def test_replace_changes_what_is_named_and_nothing_else() -> None:
    budget = RetryBudget()
    retry = Retry(on=ConnectionError, attempts=5, time_limit=9.0, budget=budget, name="fetch")

    changed = retry.replace(attempts=2)

    assert changed.name == "fetch"
    assert changed.snapshot() == RetrySnapshot(2, 9.0, budget.snapshot())
    assert retry.snapshot() == RetrySnapshot(5, 9.0, budget.snapshot())


def test_a_replaced_setting_is_checked_like_any_other() -> None:
    with pytest.raises(ValueError, match=r"^attempts must be a whole number of at least 1, not 0$"):
        Retry(on=ConnectionError).replace(attempts=0)
    with pytest.raises(TypeError, match="tries"):
        Retry(on=ConnectionError).replace(tries=3)


def test_a_subclass_stays_what_it_is_when_replaced() -> None:
    class Patient(Retry):
        """A retry with a name of its own."""

    assert type(Patient(on=OSError).replace(attempts=9)) is Patient


def test_a_snapshot_of_a_retry_without_a_budget_has_none() -> None:
    assert Retry(on=OSError).snapshot() == RetrySnapshot(attempts=3, time_limit=None, budget=None)


@pytest.mark.parametrize(
    ("outcome", "calls"),
    [(ConnectionError(), 2), (TimeoutError(), 1), (KeyError(), 1), ("bad", 1)],
    ids=repr,
)
def test_a_narrowed_retry_repeats_only_what_both_name_and_no_results(
    world: World, outcome: Any, calls: int
) -> None:
    script = Script(outcome, "good")
    retry = Retry(on=(ConnectionError, TimeoutError), on_result=lambda result: result == "bad")
    narrowed = retry.narrowed(lambda error: isinstance(error, ConnectionError | KeyError))

    with suppress(TimeoutError, KeyError):
        world.call(narrowed, script)

    assert script.calls == calls
