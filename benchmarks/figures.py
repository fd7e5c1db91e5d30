"""What a run found, and the arithmetic: best of the rounds, less the bare call, divided by another's."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.contenders import World

__all__ = ["Figure", "Figures", "Rejection", "ratio"]


@dataclass(frozen=True, slots=True)
class Figure:
    """What one call costs, in nanoseconds.

    Attributes:
        row: Key of the row.
        world: Where the calls were made.
        contender: Name of the contender.
        best: Of the best round, guarded.
        middle: Of the median round, guarded: how far it is from the best shows how noisy the run was.
        bare: Of the best round, without a guard.
    """

    row: str
    world: World
    contender: str
    best: float
    middle: float
    bare: float

    @classmethod
    def of(
        cls,
        row: str,
        world: World,
        contender: str,
        guarded: Sequence[float],
        bare: Sequence[float],
    ) -> "Figure":
        """Sum up the rounds of a guarded call and of the bare one."""
        return cls(row, world, contender, min(guarded), median(guarded), min(bare))

    @property
    def over(self) -> float:
        """Nanoseconds that the guard adds to the bare call."""
        return self.best - self.bare


@dataclass(frozen=True, slots=True)
class Rejection:
    """A contender that was not timed in a row, because it does not do what the row says."""

    row: str
    world: World
    contender: str
    reason: str


class Figures:
    """All figures of a run, to be looked up."""

    def __init__(self, figures: Sequence[Figure]) -> None:
        self._by_place = {(each.row, each.world, each.contender): each for each in figures}

    def over(self, row: str, world: World, contender: str) -> float | None:
        """Return the nanoseconds over bare, or None when that was not measured."""
        figure = self._by_place.get((row, world, contender))
        return None if figure is None else figure.over

    def within(self, row: str) -> list[Figure]:
        """Return the figures of one row."""
        return [each for each in self._by_place.values() if each.row == row]


def ratio(one: float | None, other: float | None) -> float | None:
    """Divide one cost by another; None when either is missing, or the other is nothing to divide by."""
    if one is None or other is None or other <= 0.0:
        return None
    return one / other
