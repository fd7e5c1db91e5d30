"""How fast something changes: between the ends of a span that samples do not quite reach."""

from uat_platform.metrics_aggregator.series.samples import Samples

__all__ = ["extrapolated", "instantaneous"]

_FEWEST = 2
_NEAR = 1.1
"""Mean distances of samples within which a series is taken to reach the end of the span."""


def extrapolated(
    samples: Samples, start: int, end: int, *, counter: bool, seconds: float | None
) -> float | None:
    """Return what was added within a span, or how much each second.

    The ends of the span are seldom where samples are, so what lies between is guessed: as far as the end, when it
    is not much further than samples are from each other, and half such a distance otherwise. A counter is not
    followed back below zero.

    Args:
        samples: Those within the span.
        start: Of the span, in milliseconds.
        end: Of the span, in milliseconds.
        counter: Whether a value below the one before means that it began again.
        seconds: What to divide by, or None for the whole.

    Returns:
        The increase, or None with fewer than two samples.
    """
    times, values = samples.times, samples.values
    if len(times) < _FEWEST:
        return None
    result = values[-1] - values[0]
    if counter:
        before = values[0]
        for value in values[1:]:
            if value < before:
                result += before
            before = value
    to_start, to_end = (times[0] - start) / 1000, (end - times[-1]) / 1000
    sampled = (times[-1] - times[0]) / 1000
    mean = sampled / (len(times) - 1)
    if counter and result > 0 and values[0] >= 0:
        to_start = min(to_start, sampled * (values[0] / result))
    threshold = mean * _NEAR
    whole = sampled
    whole += to_start if to_start < threshold else mean / 2
    whole += to_end if to_end < threshold else mean / 2
    factor = whole / sampled
    if seconds is not None:
        factor /= seconds
    return result * factor


def instantaneous(samples: Samples, *, rate: bool) -> float | None:
    """Return the change between the last two samples, for a counter each second; None with fewer than two."""
    times, values = samples.times, samples.values
    if len(times) < _FEWEST:
        return None
    last, before = values[-1], values[-2]
    result = last if rate and last < before else last - before
    return result / ((times[-1] - times[-2]) / 1000) if rate else result
