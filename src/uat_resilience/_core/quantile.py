"""A live quantile of recent durations: how long calls take lately, for delays and limits that follow it.

Exact order statistics over the last `window` samples, kept sorted beside the order they came in. At a few hundred
samples a binary search and a shift of the list cost less than a sketch does, and the answer is a duration
that a call really took.
"""

from bisect import bisect_left, insort
from collections import deque
from dataclasses import KW_ONLY, dataclass
from math import ceil

from uat_resilience._core.arguments import (
    at_least,
    fraction,
    positive,
    seconds,
    seconds_or_zero,
)

__all__ = ["Quantile", "QuantileTracker"]

_ROUNDING = 1e-9  # 0.07 * 100 is a little more than 7; the rank must not be one too high for that.


@dataclass(frozen=True, slots=True)
class Quantile:
    """A duration taken from how long calls took lately: `times` the q-quantile, between two bounds.

    Stands where seconds are asked for: `Hedge(Quantile(0.95))`, `Timeout(Quantile(0.99, times=3.0, ceiling=5.0))`.

    Frozen, and safe to share: each policy measures for itself.

    Args:
        q: Share of calls that are at most this long, above 0 and up to 1 (the longest).
        window: Number of the latest calls that count. A hundred is the fewest that have a 0.99 quantile.
        minimum: Calls needed before there is an answer at all, at most `window`.
        times: What the quantile is multiplied with, above 0.
        floor: Seconds that the answer never falls below, 0 or more.
        ceiling: Seconds that the answer never exceeds, or None. Without one, a dependency that slows down
            pulls the answer along.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    q: float
    _: KW_ONLY
    window: int = 100
    minimum: int = 20
    times: float = 1.0
    floor: float = 0.0
    ceiling: float | None = None

    def __post_init__(self) -> None:
        fraction("q", self.q)
        at_least("window", self.window, 1)
        at_least("minimum", self.minimum, 1)
        if self.minimum > self.window:
            raise ValueError(f"minimum must be at most window ({self.window}), not {self.minimum}")
        positive("times", self.times)
        seconds_or_zero("floor", self.floor)
        if self.ceiling is not None and seconds("ceiling", self.ceiling) < self.floor:
            raise ValueError(f"ceiling must be at least floor ({self.floor}), not {self.ceiling!r}")

    def tracker(self) -> "QuantileTracker":
        """Return an empty window for this quantile."""
        return QuantileTracker(self)


class QuantileTracker:
    """The latest durations, and what the quantile of them says. Not thread-safe: its owner locks."""

    __slots__ = ("_arrived", "_setting", "_sorted")

    def __init__(self, setting: Quantile) -> None:
        self._setting = setting
        self._arrived: deque[float] = deque()
        self._sorted: list[float] = []

    @property
    def samples(self) -> int:
        """Durations in the window."""
        return len(self._sorted)

    def record(self, duration: float) -> None:
        """Add a finite number of seconds; the oldest one makes room when the window is full."""
        if len(self._sorted) == self._setting.window:
            del self._sorted[bisect_left(self._sorted, self._arrived.popleft())]
        self._arrived.append(duration)
        insort(self._sorted, duration)

    def value(self) -> float | None:
        """Return the seconds that the setting asks for, or None before `minimum` samples."""
        setting = self._setting
        samples = len(self._sorted)
        if samples < setting.minimum:
            return None
        rank = max(1, ceil(setting.q * samples - _ROUNDING))
        duration = max(setting.floor, setting.times * self._sorted[rank - 1])
        return duration if setting.ceiling is None else min(duration, setting.ceiling)
