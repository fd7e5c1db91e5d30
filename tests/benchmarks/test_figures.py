"""The arithmetic of the benchmarks, on made-up figures."""

from collections.abc import Callable, Iterator
from itertools import chain, repeat
from typing import ClassVar, TypeVar

import pytest
from benchmarks.contenders import OURS, Call, World
from benchmarks.figures import Figure, Figures, ratio
from benchmarks.measure import Plan, Subject, calibrated, measured
from benchmarks.rows import ROWS
from benchmarks.targets import TARGETS, Judgement, Target, judged

T = TypeVar("T")


def test_best_round_counts_and_best_bare_round_is_subtracted_from_it() -> None:
    guarded, bare = [900.0, 350.0, 400.0], [120.0, 50.0, 70.0]

    figure = Figure.of("retry", World.SYNC, "somebody", guarded, bare)

    assert (figure.best, figure.middle, figure.bare) == (350.0, 400.0, 50.0)
    assert figure.over == 300.0


def test_ratio_needs_two_figures_and_something_to_divide_by() -> None:
    assert ratio(300.0, 400.0) == 0.75
    assert ratio(None, 400.0) is None
    assert ratio(300.0, None) is None
    assert ratio(300.0, 0.0) is None
    assert ratio(300.0, -5.0) is None


def test_costs_are_found_by_row_world_and_contender() -> None:
    figures = Figures(
        [costing("retry", World.SYNC, OURS, 7.0), costing("retry", World.ASYNC, OURS, 9.0)]
    )

    assert figures.over("retry", World.SYNC, OURS) == 7.0
    assert figures.over("retry", World.ASYNC, OURS) == 9.0
    assert figures.over("breaker", World.SYNC, OURS) is None
    assert [figure.over for figure in figures.within("retry")] == [7.0, 9.0]


@pytest.mark.parametrize(
    ("ours", "theirs", "reached"),
    [(70.0, 100.0, True), (70.1, 100.0, False), (None, 100.0, None), (70.0, None, None)],
)
def test_target_is_reached_up_to_the_ratio_itself(
    *, ours: float | None, theirs: float | None, reached: bool | None
) -> None:
    judgement = Judgement(Target("breaker", World.ASYNC, "somebody", 0.7), ours, theirs)

    assert judgement.reached is reached


def test_instrumented_calls_are_held_against_the_peers_plain_ones() -> None:
    figures = Figures(
        [
            costing("three-instrumented", World.ASYNC, OURS, 900.0),
            costing("three", World.ASYNC, OURS, 100.0),
            costing("three", World.ASYNC, "nopanic", 1000.0),
        ]
    )

    ratios = {each.target.row: each.ratio for each in judged(figures) if each.ratio is not None}

    assert ratios == {"three-instrumented": 0.9, "three": 0.1}


def test_targets_are_about_rows_that_are_measured() -> None:
    keys = {row.key for row in ROWS}

    assert {target.row for target in TARGETS} <= keys
    assert {target.peer_row for target in TARGETS if target.peer_row} <= keys
    assert len({row.key for row in ROWS}) == len(ROWS)


def test_every_round_times_every_subject_once() -> None:
    steady, rising = Scripted(repeat(100.0)), Scripted(chain([100.0], iter(range(1, 4))))

    times = measured(
        {"steady": steady.subject(), "rising": rising.subject()}, A_CALL_A_BURST, ignore
    )

    assert times == {"steady": [100.0] * 3, "rising": [1.0, 2.0, 3.0]}


def test_order_is_shuffled_by_the_seed() -> None:
    def order(seed: int) -> list[str]:
        visits: list[str] = []
        subjects = {name: Scripted(repeat(100.0), name, visits).subject() for name in "abcdef"}
        measured(subjects, Plan(rounds=2, burst=1e-7, seed=seed), ignore)
        return visits[len(subjects) :]

    assert order(1) == order(1)
    assert order(1) != order(2)
    assert sorted(order(1)) == sorted("abcdef" * 2)
    assert order(1)[:6] != order(1)[6:]


@pytest.mark.parametrize(("cost", "calls"), [(100.0, 10_000), (3.0, 333_333), (5e6, 1)])
def test_burst_is_as_long_as_asked_for_but_never_empty(cost: float, calls: int) -> None:
    assert calibrated(lambda _: cost, seconds=1e-3) == calls


A_CALL_A_BURST = Plan(rounds=3, burst=1e-7)


class Scripted:
    """A driver whose bursts take what a script says."""

    world: ClassVar[World] = World.SYNC

    def __init__(
        self, costs: Iterator[float], name: str = "", visits: list[str] | None = None
    ) -> None:
        self._costs = costs
        self._name = name
        self._visits = [] if visits is None else visits

    def subject(self) -> Subject:
        return Subject(self, never, raising=False)

    def build(self, make: Callable[[], T]) -> T:
        return make()

    def once(self, call: Call) -> object:
        return call(1)

    def time(self, call: Call, calls: int, *, raising: bool) -> float:
        self._visits.append(self._name)
        return next(self._costs)

    def occupy(self, guard: Callable[[Call], Call]) -> Call:
        return guard(never)


def never(order: int) -> int:
    raise AssertionError(order)


def ignore(number: int) -> None:
    assert number > 0


def costing(row: str, world: World, contender: str, over: float) -> Figure:
    return Figure(row, world, contender, best=over + 50.0, middle=over + 60.0, bare=50.0)
