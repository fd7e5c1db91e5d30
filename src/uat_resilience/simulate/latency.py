"""How long a dependency works on a call: always the same, or drawn from a distribution."""

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, log
from random import Random  # noqa: TID251 - drawn from a seed
from typing import Protocol

from uat_resilience._core.arguments import seconds, seconds_or_zero

__all__ = ["Fixed", "Latency", "LogNormal", "Memoryless", "Uniform"]


class Latency(Protocol):
    """How long a dependency works on a call."""

    def sampler(self, lots: Random) -> Callable[[], float]:
        """Return a function that draws the seconds of one call after the other."""
        ...


@dataclass(frozen=True, slots=True)
class Fixed:
    """The same time for every call.

    Args:
        seconds: Seconds of each call, above 0.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    seconds: float

    def __post_init__(self) -> None:
        seconds("seconds", self.seconds)

    def sampler(self, lots: Random) -> Callable[[], float]:  # noqa: ARG002 - nothing is left to chance
        """Return a function that returns the seconds of one call after the other."""
        return lambda: self.seconds


@dataclass(frozen=True, slots=True)
class Memoryless:
    """Exponentially distributed, as in the textbook's M/M/c queue: as noisy as most dependencies get.

    Args:
        mean: Seconds of a call on average, above 0.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    mean: float

    def __post_init__(self) -> None:
        seconds("mean", self.mean)

    def sampler(self, lots: Random) -> Callable[[], float]:
        """Return a function that draws the seconds of one call after the other."""
        draw, mean = lots.random, self.mean
        return lambda: -mean * log(1.0 - draw())


@dataclass(frozen=True, slots=True)
class LogNormal:
    """Most calls near the median and a long tail: what latency histograms of services look like.

    Args:
        median: Seconds that half of the calls stay below, above 0.
        p99: Seconds that 99 % of the calls stay below, above `median`.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    median: float
    p99: float

    def __post_init__(self) -> None:
        seconds("median", self.median)
        if seconds("p99", self.p99) <= self.median:
            raise ValueError(f"p99 must be above median ({self.median!r}), not {self.p99!r}")

    def sampler(self, lots: Random) -> Callable[[], float]:
        """Return a function that draws the seconds of one call after the other."""
        mu, sigma, gauss = log(self.median), log(self.p99 / self.median) / _Z99, lots.gauss
        return lambda: exp(gauss(mu, sigma))


@dataclass(frozen=True, slots=True)
class Uniform:
    """Anything between two limits, equally likely.

    Args:
        low: Seconds at least, 0 or more.
        high: Seconds at most, above `low`.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if seconds("high", self.high) <= seconds_or_zero("low", self.low):
            raise ValueError(f"high must be above low ({self.low!r}), not {self.high!r}")

    def sampler(self, lots: Random) -> Callable[[], float]:
        """Return a function that draws the seconds of one call after the other."""
        return lambda: lots.uniform(self.low, self.high)


_Z99 = 2.3263478740408408  # 99 % of a standard normal distribution lie below.
