"""When calls arrive: evenly, at random, in bursts, or more and more of them.

Each process yields the times of its calls in order, drawn from the random numbers it is given.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count, repeat
from math import log, sqrt
from typing import Protocol

from uat_resilience._core.arguments import at_least, non_negative, positive, seconds

__all__ = ["Arrivals", "Bursts", "Poisson", "Ramp", "Steady"]

Draw = Callable[[], float]


class Arrivals(Protocol):
    """When calls arrive."""

    def times(self, duration: float, draw: Draw) -> Iterator[float]:
        """Yield the seconds at which calls arrive, in order and below `duration`.

        Args:
            duration: Seconds that calls arrive for.
            draw: Returns a number from [0, 1).
        """
        ...


@dataclass(frozen=True, slots=True)
class Steady:
    """One call after the other, evenly spaced.

    Args:
        rate: Calls a second, above 0.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    rate: float

    def __post_init__(self) -> None:
        positive("rate", self.rate)

    def times(self, duration: float, draw: Draw) -> Iterator[float]:  # noqa: ARG002 - nothing is left to chance
        """Yield the times of the calls."""
        # Each time from its number, so that nothing adds up.
        numbers = count()
        while (at := next(numbers) / self.rate) < duration:
            yield at


@dataclass(frozen=True, slots=True)
class Poisson:
    """Calls that know nothing of each other: what many independent users look like.

    Args:
        rate: Calls a second on average, above 0.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    rate: float

    def __post_init__(self) -> None:
        positive("rate", self.rate)

    def times(self, duration: float, draw: Draw) -> Iterator[float]:
        """Yield the times of the calls."""
        at, rate = -log(1.0 - draw()) / self.rate, self.rate
        while at < duration:
            yield at
            at -= log(1.0 - draw()) / rate


@dataclass(frozen=True, slots=True)
class Bursts:
    """Many calls at once, again and again: clients that are woken by the same clock.

    Args:
        size: Calls in a burst, at least 1.
        every: Seconds between two bursts, above 0. The first one is at 0.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    size: int
    every: float

    def __post_init__(self) -> None:
        at_least("size", self.size, 1)
        seconds("every", self.every)

    def times(self, duration: float, draw: Draw) -> Iterator[float]:  # noqa: ARG002 - nothing is left to chance
        """Yield the times of the calls."""
        numbers = count()
        while (at := next(numbers) * self.every) < duration:
            yield from repeat(at, self.size)


@dataclass(frozen=True, slots=True)
class Ramp:
    """Independent calls whose rate goes evenly from one value to another.

    Args:
        first: Calls a second at the beginning, 0 or more.
        last: Calls a second at the end, 0 or more; one of the two is above 0.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    first: float
    last: float

    def __post_init__(self) -> None:
        if not non_negative("first", self.first) + non_negative("last", self.last):
            raise ValueError(f"last must be above 0 when first is 0, not {self.last!r}")

    def times(self, duration: float, draw: Draw) -> Iterator[float]:
        """Yield the times of the calls."""
        # As many calls have come until t as the rate has grown to: first * t + slope * t * t / 2. The calls of
        # a Poisson process of rate 1 are put where this sum reaches their times.
        slope = (self.last - self.first) / duration
        expected = (self.first + self.last) * duration / 2.0
        done = -log(1.0 - draw())
        while done < expected and (at := self._when(done, slope)) < duration:
            yield at
            done -= log(1.0 - draw())

    def _when(self, done: float, slope: float) -> float:
        """Return the time until which this many calls are expected."""
        return 2.0 * done / (self.first + sqrt(self.first**2 + 2.0 * slope * done))
