"""Samples: a time, a value, and the mark that says that a series has ended."""

import struct
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from uat_platform.metrics_aggregator.series.labels import Labels

__all__ = ["STALE", "Samples", "Series", "is_stale"]

_MARK = b"\x7f\xf0\x00\x00\x00\x00\x00\x02"
STALE: Final[float] = struct.unpack(">d", _MARK)[0]
"""Not a number, of the one kind that Prometheus uses: from here on the series is not there any more."""


def is_stale(value: float) -> bool:
    """Return whether a value is that mark."""
    return value != value and struct.pack(">d", value) == _MARK  # noqa: PLR0124 - the test for NaN


def _times() -> "array[int]":
    return array("q")


def _values() -> "array[float]":
    return array("d")


@dataclass(slots=True)
class Samples:
    """Samples of one series, by time.

    Attributes:
        times: In milliseconds since 1970, rising.
        values: As many.
    """

    times: "array[int]" = field(default_factory=_times)
    values: "array[float]" = field(default_factory=_values)

    def __len__(self) -> int:
        return len(self.times)

    def __iter__(self) -> Iterator[tuple[int, float]]:
        """Return times with their values."""
        return zip(self.times, self.values, strict=True)

    def append(self, time: int, value: float) -> bool:
        """Add a sample; return False for one that is not newer than the last."""
        if self.times and time <= self.times[-1]:
            return False
        self.times.append(time)
        self.values.append(value)
        return True

    def between(self, start: int, end: int) -> "Samples":
        """Return a copy of what lies in a span, both ends included."""
        low, high = bisect_left(self.times, start), bisect_right(self.times, end)
        return Samples(self.times[low:high], self.values[low:high])


@dataclass(frozen=True, slots=True)
class Series:
    """Samples, and what they are of."""

    labels: Labels
    samples: Samples
