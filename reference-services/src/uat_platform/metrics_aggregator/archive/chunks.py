"""Fewer samples, and how they are packed."""

import sys
from array import array
from dataclasses import dataclass

from uat_platform.metrics_aggregator.series.samples import Samples

__all__ = ["Tier", "packed", "thinned", "unpacked"]

_SIZE = 8


@dataclass(frozen=True, slots=True)
class Tier:
    """How finely samples are kept, and for how long; all in milliseconds.

    Attributes:
        step: One sample is kept of each such time.
        every: How often they are written.
        span: For how long they are kept.
    """

    step: int
    every: int
    span: int


def thinned(samples: Samples, *, after: int, until: int, step: int) -> Samples:
    """Return the last sample of each step that lies between two times, the first one excluded.

    The last one is right for counters and gauges alike, and a mark that a series has ended is one.
    """
    found = Samples()
    for time, value in samples.between(after + 1, until):
        if found.times and found.times[-1] // step == time // step:
            found.times[-1], found.values[-1] = time, value
        else:
            found.append(time, value)
    return found


def packed(samples: Samples) -> bytes:
    """Return samples as bytes: all times, then all values."""
    times, values = array("q", samples.times), array("d", samples.values)
    if sys.byteorder == "big":
        times.byteswap()
        values.byteswap()
    return times.tobytes() + values.tobytes()


def unpacked(points: bytes) -> Samples:
    """Return the samples that were packed."""
    half = len(points) // 2 // _SIZE * _SIZE
    samples = Samples()
    samples.times.frombytes(points[:half])
    samples.values.frombytes(points[half:])
    if sys.byteorder == "big":
        samples.times.byteswap()
        samples.values.byteswap()
    return samples
