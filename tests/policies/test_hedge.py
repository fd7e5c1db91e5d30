from collections.abc import Callable
from typing import Any

import anyio
import pytest
from tests.pausing import pause

from uat_resilience import (
    Bulkhead,
    BulkheadFullError,
    Hedge,
    HedgeStarted,
    HedgeWon,
    Pipeline,
    Quantile,
    RetryBudget,
    TimedOutError,
    Timeout,
    captured,
    deadline,
    single_try,
)
from uat_resilience.testing import disabled


class Copies:
    """A body whose copies do what the script says: seconds to take, below 0 to fail after as many."""

    def __init__(self, *script: float, error: type[Exception] = ConnectionError) -> None:
        self.script = script
        self.error = error
        self.begun: list[float] = []
        self.cancelled: list[int] = []

    async def __call__(self) -> int:
        number = len(self.begun)
        self.begun.append(anyio.current_time())
        try:
            await pause(abs(self.script[number]))
        except BaseException:
            self.cancelled.append(number)
            raise
        if self.script[number] < 0:
            raise self.error(number)
        return number


class Answer:
    """A result that says when it is closed."""

    def __init__(self, number: int, closed: list[int]) -> None:
        self.number = number
        self._closed = closed

    async def aclose(self) -> None:
        self._closed.append(self.number)


async def test_a_healthy_call_is_one_call() -> None:
    copies = Copies(1.0)

    assert await Hedge(2.0).acall(copies) == 0

    assert copies.begun == [0.0]
    assert anyio.current_time() == 1.0


async def test_a_slow_call_gets_a_second_copy_and_the_first_success_wins() -> None:
    copies = Copies(10.0, 1.0)

    with captured() as events:
        assert await Hedge(2.0, name="read").acall(copies) == 1

    assert copies.begun == [0.0, 2.0]
    assert copies.cancelled == [0]
    assert anyio.current_time() == 3.0
    hedges = [event for event in events if isinstance(event, HedgeStarted | HedgeWon)]
    assert hedges == [HedgeStarted("read", 2.0, 2), HedgeWon("read", 3.0, 2)]


async def test_the_first_copy_may_still_win() -> None:
    copies = Copies(3.0, 5.0)

    assert await Hedge(2.0).acall(copies) == 0

    assert copies.cancelled == [1]
    assert anyio.current_time() == 3.0


async def test_a_fast_failure_starts_the_next_copy_at_once() -> None:
    copies = Copies(-0.5, 1.0)

    assert await Hedge(2.0).acall(copies) == 1

    assert copies.begun == [0.0, 0.5]


async def test_a_failure_beside_it_does_not_kill_a_healthy_copy() -> None:
    copies = Copies(5.0, -1.0)

    assert await Hedge(2.0).acall(copies) == 0

    assert anyio.current_time() == 5.0


async def test_a_copy_that_fails_beside_another_is_followed_by_the_next_at_once() -> None:
    copies = Copies(9.0, -1.0, 1.0)

    assert await Hedge(2.0, attempts=3).acall(copies) == 2

    assert copies.begun == [0.0, 2.0, 3.0]


async def test_when_all_copies_fail_the_first_error_in_time_comes_out() -> None:
    copies = Copies(-5.0, -1.0)

    with pytest.raises(ConnectionError) as failed:
        await Hedge(2.0).acall(copies)

    assert failed.value.args == (1,)
    assert anyio.current_time() == 5.0


async def test_an_error_that_is_not_named_is_final() -> None:
    copies = Copies(9.0, -1.0, error=KeyError)

    with pytest.raises(KeyError):
        await Hedge(2.0, on=ConnectionError, attempts=3).acall(copies)

    assert copies.cancelled == [0]
    assert anyio.current_time() == 3.0


async def test_a_cancelled_caller_waits_for_all_copies() -> None:
    copies = Copies(100.0, 100.0)

    with pytest.raises(TimedOutError):
        async with deadline(5.0):
            await Hedge(2.0).acall(copies)

    assert sorted(copies.cancelled) == [0, 1]
    assert anyio.current_time() == 5.0


class SlowToClean(Copies):
    """Copies that take two seconds to clean up when they are cancelled."""

    def __init__(self, *script: float) -> None:
        super().__init__(*script)
        self.cleaned: list[float] = []

    async def __call__(self) -> int:
        try:
            return await super().__call__()
        except anyio.get_cancelled_exc_class():
            with anyio.CancelScope(shield=True):
                await pause(2.0)
            self.cleaned.append(anyio.current_time())
            raise


@pytest.mark.parametrize(("gone", "begun"), [(1.0, [0.0]), (3.0, [0.0, 2.0])])
async def test_no_copy_joins_those_that_clean_up_after_a_cancelled_caller(
    gone: float, begun: list[float]
) -> None:
    copies = SlowToClean(9.0, 9.0, 9.0)

    with captured() as events, anyio.move_on_after(gone) as scope:
        await Hedge(2.0, attempts=3).acall(copies)

    assert scope.cancelled_caught
    assert copies.begun == begun
    assert len(copies.cleaned) == len(begun)
    assert len([e for e in events if isinstance(e, HedgeStarted)]) == len(begun) - 1


async def test_a_cancelled_caller_waits_at_rest_for_a_copy_that_cleans_up() -> None:
    copies = SlowToClean(-2.5, 9.0)

    # A scope of anyio tells of its end at every turn of the loop, and virtual time moves when there is none.
    with anyio.move_on_after(3.0) as scope:
        await Hedge(2.0).acall(copies)

    assert scope.cancelled_caught
    assert copies.cleaned == [5.0]


async def test_a_cancelled_caller_that_never_gets_the_winners_result_leaves_it_closed() -> None:
    closed: list[int] = []
    copies = SlowToClean(3.0, 9.0)

    async def call() -> Answer:
        return Answer(await copies(), closed)

    with anyio.move_on_after(4.0) as scope:
        await Hedge(2.0).acall(call)

    assert scope.cancelled_caught
    assert closed == [0]


async def test_no_copy_joins_those_that_clean_up_after_the_program_was_stopped() -> None:
    copies = SlowToClean(9.0, 9.0)
    calls: list[float] = []

    async def call() -> int:
        calls.append(anyio.current_time())
        if len(calls) == 1:
            await pause(3.0)
            raise Halt
        return await copies()

    with pytest.raises(Halt):
        await Hedge(2.0, attempts=3).acall(call)

    assert calls == [0.0, 2.0]
    assert copies.cleaned == [5.0]


async def test_a_loser_that_succeeds_all_the_same_has_its_result_closed() -> None:
    closed: list[int] = []
    begun: list[int] = []

    async def stubborn() -> Answer:
        number = len(begun)
        begun.append(number)
        try:
            await pause(10.0 if number == 0 else 1.0)
        except anyio.get_cancelled_exc_class():
            if number:
                raise
            with anyio.CancelScope(shield=True):
                await pause(1.0)
        return Answer(number, closed)

    winner = await Hedge(2.0).acall(stubborn)

    assert winner.number == 1
    assert closed == [0]


async def test_a_loser_that_raises_while_it_is_stopped_disturbs_nobody() -> None:
    begun: list[int] = []

    async def spiteful() -> int:
        number = len(begun)
        begun.append(number)
        try:
            await pause(10.0 if number == 0 else 1.0)
        except anyio.get_cancelled_exc_class():
            raise ZeroDivisionError from None
        return number

    hedge = Hedge(2.0)
    with captured() as events:
        assert await hedge.acall(spiteful) == 1

    assert [type(event).__name__ for event in events][-1] == "CallSucceeded"
    begun.clear()
    assert await hedge.acall(spiteful) == 1


async def test_a_budget_that_is_spent_suppresses_the_copy_and_nothing_else() -> None:
    budget = RetryBudget(0.0, minimum_per_second=0.0)
    copies = Copies(5.0)

    assert await Hedge(2.0, budget=budget).acall(copies) == 0

    assert len(copies.begun) == 1
    assert budget.snapshot().calls == 1


async def test_a_caller_that_owns_the_retries_gets_one_copy() -> None:
    copies = Copies(5.0)

    with single_try():
        assert await Hedge(2.0).acall(copies) == 0


async def test_a_quantile_hedges_only_once_it_has_samples() -> None:
    hedge = Hedge(Quantile(0.5, window=10, minimum=2, times=2.0))
    assert hedge.snapshot().after is None
    for _ in range(2):
        await hedge.acall(pause, 1.0)

    assert hedge.snapshot().after == 2.0
    copies = Copies(9.0, 0.5)
    assert await hedge.acall(copies) == 1

    # A copy that was cancelled counts for as long as it ran.
    assert hedge.snapshot().after == 2.0


async def test_a_copy_that_is_refused_does_not_kill_a_healthy_one() -> None:
    copies, slots = Copies(5.0), Bulkhead(1)

    assert await Pipeline(Hedge(2.0), slots).acall(copies) == 0

    assert copies.begun == [0.0]
    assert slots.snapshot().running == 0


async def test_a_copy_that_is_refused_does_not_keep_the_next_from_its_turn() -> None:
    copies, slots = Copies(9.0, 1.0), Bulkhead(1)

    async def call() -> int:
        if anyio.current_time() == 4.0:
            return await copies()
        return await slots.acall(copies)

    assert await Hedge(2.0, attempts=3).acall(call) == 1

    assert copies.begun == [0.0, 4.0]


async def test_a_real_error_goes_before_an_earlier_refusal() -> None:
    copies, slots = Copies(-5.0), Bulkhead(1)

    with pytest.raises(ConnectionError):
        await Pipeline(Hedge(2.0), slots).acall(copies)


async def test_when_the_only_copy_is_refused_the_refusal_comes_out_at_once() -> None:
    copies, slots = Copies(1.0), Bulkhead(1)

    async with slots.permit():
        with pytest.raises(BulkheadFullError):
            await Pipeline(Hedge(2.0), slots).acall(copies)

    assert anyio.current_time() == 0.0
    assert copies.begun == []


async def test_a_refusal_that_is_named_is_a_failure_like_any_other() -> None:
    copies, slots = Copies(9.0, 1.0), Bulkhead(1)
    asked: list[float] = []

    async def call() -> int:
        asked.append(anyio.current_time())
        return await (copies() if len(asked) == 3 else slots.acall(copies))

    assert await Hedge(2.0, attempts=3, on=BulkheadFullError).acall(call) == 1

    assert asked == [0.0, 2.0, 2.0]


class Halt(BaseException):
    """Stands for what stops a program."""


@pytest.mark.parametrize("copy", [1, 2])
async def test_what_stops_the_program_comes_out_itself(copy: int) -> None:
    numbers = iter([1, 2])

    async def call() -> None:
        if next(numbers) == copy:
            raise Halt from KeyError("why")
        await pause(9.0)

    with pytest.raises(Halt) as stopped:
        await Hedge(2.0).acall(call)

    assert isinstance(stopped.value.__cause__, KeyError)


async def test_each_copy_has_its_own_timeout_further_in() -> None:
    copies = Copies(9.0, 1.0)
    guarded = Pipeline(Hedge(2.0), Timeout(3.0), name="read")(copies)

    assert await guarded() == 1


async def test_disabled_makes_one_copy() -> None:
    copies = Copies(5.0)

    with disabled():
        assert await Hedge(2.0).acall(copies) == 0


@pytest.mark.parametrize(
    "spell", [lambda hedge: hedge(int), lambda hedge: hedge.call(int)], ids=["decorated", "called"]
)
def test_sync_functions_are_refused(spell: Callable[[Hedge], object]) -> None:
    with pytest.raises(TypeError, match="async function"):
        spell(Hedge(1.0))


async def test_outcomes_of_the_whole_are_told() -> None:
    async def fail() -> None:
        raise ConnectionError

    with captured() as events, pytest.raises(ConnectionError):
        await Hedge(1.0, attempts=1, name="read").acall(fail)

    assert [type(event).__name__ for event in events] == ["CallFailed"]


def test_a_description_says_copies_and_delay() -> None:
    assert Hedge(0.5).describe() == "up to 2 copies, the next after 0.5 s"
    assert Hedge(Quantile(0.95)).describe() == "up to 2 copies, the next after the 0.95-quantile"
    assert "2 calls" in Pipeline(Hedge(0.5)).describe()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"after": 0}, "after"),
        ({"after": -1.0}, "after"),
        ({"after": True}, "after"),
        ({"after": "1"}, "after"),
        ({"after": 1.0, "attempts": 0}, "attempts"),
        ({"after": 1.0, "on": BaseException}, "on"),
        ({"after": 1.0, "budget": 3}, "budget"),
    ],
)
def test_a_bad_argument_is_refused_by_name(arguments: dict[str, Any], named: str) -> None:
    with pytest.raises((TypeError, ValueError), match=named):
        Hedge(**arguments)
