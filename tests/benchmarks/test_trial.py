"""A contender is timed at what the row says, or not at all."""

from collections.abc import Callable, Iterator

import pytest
from benchmarks.bodies import Body
from benchmarks.compare import compared
from benchmarks.contenders import Call, Contender, NotOffered, World
from benchmarks.drivers import AsyncDriver, Driver, SyncDriver
from benchmarks.measure import Plan
from benchmarks.rows import Ending, Row
from benchmarks.trial import Unfit, prepare

TINY = Plan(rounds=1, burst=1e-6)

RETURNING = Row("returning", "returning", lambda who, fn: who.retry(fn))
FAILING = Row("failing", "failing", lambda who, fn: who.retry(fn), Body.FAILS, Ending.RAISES)
OPENING = Row("opening", "opening", lambda who, fn: who.breaker(fn), Body.FAILS, Ending.OPEN)
FULL = Row("full", "full", lambda who, fn: who.bulkhead(fn, size=1), ending=Ending.FULL)


class Refused(Exception):  # noqa: N818 - as libraries name them
    pass


class Made(Contender):
    """A contender of one guard, for sync code."""

    name = "made"
    worlds = frozenset({World.SYNC})

    def __init__(self, guard: Callable[[Call], Call]) -> None:
        self._guard = guard

    def retry(self, call: Call, *, pauses: bool = True) -> Call:
        return self._guard(call)

    def breaker(self, call: Call, *, threshold: int = 5, recovery: float = 30.0) -> Call:
        return self._guard(call)

    def bulkhead(self, call: Call, *, size: int = 100) -> Call:
        return self._guard(call)


def as_it_is(call: Call) -> Call:
    return call


def other_answer(call: Call) -> Call:
    return lambda order: call(order) + 1


def twice(call: Call) -> Call:
    return lambda order: (call(order), call(order))[0]


def raising(call: Call) -> Call:
    def guarded(order: int) -> object:
        call(order)
        raise Refused

    return guarded


def swallowing(call: Call) -> Call:
    def guarded(order: int) -> object:
        try:
            return call(order)
        except ConnectionError:
            return None

    return guarded


def replacing(call: Call) -> Call:
    def guarded(order: int) -> object:
        try:
            return call(order)
        except ConnectionError as error:
            raise Refused from error

    return guarded


def opening_after(failures: int) -> Callable[[Call], Call]:
    def guard(call: Call) -> Call:
        left = [failures]

        def guarded(order: int) -> object:
            left[0] -= 1
            if left[0] < 0:
                raise Refused
            return call(order)

        return guarded

    return guard


def single(call: Call) -> Call:
    inside: list[int] = []

    def guarded(order: int) -> object:
        if inside:
            raise Refused
        inside.append(order)
        return call(order)

    return guarded


@pytest.fixture
def sync() -> Iterator[Driver]:
    with SyncDriver() as driver:
        yield driver


@pytest.mark.parametrize(
    ("row", "guard"),
    [(RETURNING, as_it_is), (FAILING, as_it_is), (OPENING, opening_after(5)), (FULL, single)],
    ids=lambda given: getattr(given, "key", None),
)
def test_who_does_what_the_row_says_is_timed(row: Row, guard: Callable[[Call], Call]) -> None:
    figures, rejections = compared([row], [Made(guard)], TINY, lambda _: None)

    assert rejections == []
    assert [(figure.row, figure.contender) for figure in figures] == [(row.key, "made")]


@pytest.mark.parametrize(
    ("row", "guard", "reason"),
    [
        (RETURNING, other_answer, "returned 2 instead of what the body returned"),
        (RETURNING, twice, "ran the body 2 times instead of 1"),
        (RETURNING, raising, "raised Refused()"),
        (FAILING, swallowing, "returned None instead of raising"),
        (FAILING, replacing, "raised Refused() instead of what the body raised"),
        (OPENING, as_it_is, "refuses nothing after 200 calls"),
    ],
)
def test_who_does_something_else_is_reported_and_not_timed(
    row: Row, guard: Callable[[Call], Call], reason: str
) -> None:
    figures, rejections = compared([row], [Made(guard)], TINY, lambda _: None)

    assert figures == []
    assert [(each.row, each.contender, each.reason) for each in rejections] == [
        (row.key, "made", reason)
    ]


def test_breaker_is_open_when_it_is_timed(sync: Driver) -> None:
    call = prepare(OPENING, Made(opening_after(7)), sync)

    with pytest.raises(Refused):
        call(1)


def test_who_changes_while_being_timed_is_reported_and_its_figures_dropped() -> None:
    # Two calls are spent on the trial, and the rounds take more than the one that is left.
    figures, rejections = compared([FAILING], [Made(opening_after(2))], TINY, lambda _: None)

    assert figures == []
    assert [each.reason for each in rejections] == [
        "after the rounds: raised Refused() instead of what the body raised"
    ]


def test_who_cannot_be_built_is_reported(sync: Driver) -> None:
    def broken(call: Call) -> Call:
        raise RuntimeError(f"no {call.__name__}")

    with pytest.raises(Unfit, match=r"raised RuntimeError\('no answer'\)"):
        prepare(RETURNING, Made(broken), sync)


def test_what_is_not_offered_is_left_out_without_a_word() -> None:
    def missing(_: Call) -> Call:
        raise NotOffered

    assert compared([RETURNING], [Made(missing)], TINY, lambda _: None) == ([], [])


def test_timeouts_of_the_guard_are_not_taken_for_calls_that_hang() -> None:
    def late(order: int) -> object:
        raise TimeoutError(order)

    async def alate(order: int) -> object:
        raise TimeoutError(order)

    with SyncDriver() as sync, AsyncDriver() as loop:
        for driver, call in ((sync, late), (loop, alate)):
            with pytest.raises(TimeoutError, match="1"):
                driver.once(call)


def test_limiter_is_spent_when_it_is_timed(sync: Driver) -> None:
    spent = Row("spent", "spent", lambda who, fn: who.breaker(fn), ending=Ending.SPENT)

    call = prepare(spent, Made(opening_after(1)), sync)

    with pytest.raises(Refused):
        call(1)


def test_limiter_that_is_never_spent_is_reported(sync: Driver) -> None:
    spent = Row("spent", "spent", lambda who, fn: who.breaker(fn), ending=Ending.SPENT)

    with pytest.raises(Unfit, match="refuses nothing after 200 calls"):
        prepare(spent, Made(as_it_is), sync)
