"""Sums, means and quantiles, added up in the very order and way of Prometheus."""

import math
from collections.abc import Iterable, Sequence

__all__ = ["Sum", "mean", "moving_mean", "quantile", "total", "trend", "variance"]


class Sum:
    """A sum that does not lose small parts (Kahan's, as improved by Neumaier).

    Attributes:
        plain: The sum.
        lost: What is still to be added.
    """

    __slots__ = ("lost", "plain")

    def __init__(self) -> None:
        self.plain = self.lost = 0.0

    def add(self, part: float) -> None:
        """Add a part."""
        before = self.plain
        after = before + part
        if abs(before) >= abs(part):
            self.lost += (before - after) + part
        else:
            self.lost += (part - after) + before
        self.plain = after

    @property
    def value(self) -> float:
        """All together."""
        return self.plain + self.lost


def total(values: Iterable[float]) -> float:
    """Return the sum."""
    sum_ = Sum()
    for value in values:
        sum_.add(value)
    return sum_.plain if math.isinf(sum_.plain) else sum_.value


def mean(values: Iterable[float]) -> float:
    """Return the mean; no sum of all is made, which might be too large to be a number."""
    sum_ = Sum()
    for count, value in enumerate(values, 1):
        if math.isinf(sum_.plain) and _stays(sum_.plain, value):
            continue
        sum_.add(value / count - sum_.plain / count)
    return sum_.plain if math.isinf(sum_.plain) else sum_.value


def moving_mean(values: Iterable[float]) -> float:
    """Return the mean as `avg` computes it over series, without care for small parts."""
    found = 0.0
    for count, value in enumerate(values, 1):
        if count == 1:
            found = value
        elif not (math.isinf(found) and _stays(found, value)):
            found += value / count - found / count
    return found


def _stays(infinite: float, value: float) -> bool:
    """Return whether a mean that is infinite is not changed by a value."""
    if math.isinf(value):
        return (infinite > 0) == (value > 0)
    return not math.isnan(value)


def variance(values: Iterable[float]) -> float:
    """Return the variance of all, as `stdvar_over_time` computes it."""
    centre, squares = Sum(), Sum()
    count = 0
    for count, value in enumerate(values, 1):
        off = value - centre.value
        centre.add(off / count)
        squares.add(off * (value - centre.value))
    return squares.value / count


def quantile(rank: float, values: Sequence[float]) -> float:
    """Return the value that a share of all are not above, between two of them if need be."""
    if not values or math.isnan(rank):
        return math.nan
    if rank < 0:
        return -math.inf
    if rank > 1:
        return math.inf
    ordered = sorted(values, key=lambda value: (not math.isnan(value), value))
    place = rank * (len(ordered) - 1)
    lower = max(0, math.floor(place))
    upper = min(len(ordered) - 1, lower + 1)
    weight = place - math.floor(place)
    return ordered[lower] * (1 - weight) + ordered[upper] * weight


def trend(samples: Sequence[tuple[int, float]], origin: int) -> tuple[float, float]:
    """Return slope per second and height at a time of the line through samples, by least squares."""
    first = samples[0][1]
    if all(value == first for _, value in samples[1:]):
        return (math.nan, math.nan) if math.isinf(first) else (0.0, first)
    xs, ys, products, squares = Sum(), Sum(), Sum(), Sum()
    for time, y in samples:
        x = (time - origin) / 1000
        xs.add(x)
        ys.add(y)
        products.add(x * y)
        squares.add(x * x)
    count = float(len(samples))
    covariance = products.value - xs.value * ys.value / count
    spread = squares.value - xs.value * xs.value / count
    slope = covariance / spread if spread else math.nan
    return slope, ys.value / count - slope * xs.value / count
