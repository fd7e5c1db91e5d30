"""One run: try everybody in every row, time who passed, and see afterwards that nothing has changed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.bodies import BODIES, Body
from benchmarks.contenders import Contender, NotOffered, World
from benchmarks.drivers import AsyncDriver, Driver, SyncDriver
from benchmarks.figures import Figure, Rejection
from benchmarks.measure import Plan, Subject, measured
from benchmarks.rows import Ending, Row
from benchmarks.trial import Unfit, check, prepare

__all__ = ["compared"]


@dataclass(frozen=True, slots=True)
class _Guarded:
    """One contender in one row and world."""

    row: Row
    world: World
    contender: str


@dataclass(frozen=True, slots=True)
class _Bare:
    """The same call without a guard."""

    world: World
    body: Body


def compared(
    rows: Sequence[Row],
    contenders: Sequence[Contender],
    plan: Plan,
    progress: Callable[[int], object],
) -> tuple[list[Figure], list[Rejection]]:
    """Time every contender in every row, and say who could not be timed and why."""
    with SyncDriver() as sync, AsyncDriver() as loop:
        drivers: dict[World, Driver] = {World.SYNC: sync, World.ASYNC: loop}
        guarded, rejected = _prepared(rows, contenders, drivers)
        bare = {place: _bare(place, drivers) for place in map(_bare_of, guarded)}
        times = measured({**guarded, **bare}, plan, progress)
        # A breaker that opened, or closed, half-way through has been timed at something else.
        changed = list(_changed(guarded))
    spoiled = {(each.row, each.world, each.contender) for each in changed}
    figures = [
        Figure.of(place.row.key, place.world, place.contender, times[place], times[_bare_of(place)])
        for place in guarded
        if (place.row.key, place.world, place.contender) not in spoiled
    ]
    return figures, rejected + changed


def _prepared(
    rows: Sequence[Row], contenders: Sequence[Contender], drivers: dict[World, Driver]
) -> tuple[dict[_Guarded, Subject], list[Rejection]]:
    guarded: dict[_Guarded, Subject] = {}
    rejected: list[Rejection] = []
    places = ((row, who, world) for row in rows for who in contenders for world in row.worlds(who))
    for row, who, world in places:
        driver = drivers[world]
        try:
            call = prepare(row, who, driver)
        except NotOffered:
            continue
        except Unfit as finding:
            rejected.append(Rejection(row.key, world, who.name, str(finding)))
        else:
            raising = row.ending is not Ending.RETURNS
            guarded[_Guarded(row, world, who.name)] = Subject(driver, call, raising)
    return guarded, rejected


def _changed(guarded: dict[_Guarded, Subject]) -> Iterator[Rejection]:
    for place, subject in guarded.items():
        try:
            check(place.row, subject.driver, subject.call)
        except Unfit as finding:
            reason = f"after the rounds: {finding}"
            yield Rejection(place.row.key, place.world, place.contender, reason)


def _bare_of(place: _Guarded) -> _Bare:
    return _Bare(place.world, place.row.bare)


def _bare(place: _Bare, drivers: dict[World, Driver]) -> Subject:
    call = BODIES[place.world][place.body]
    return Subject(drivers[place.world], call, raising=place.body is Body.FAILS)
