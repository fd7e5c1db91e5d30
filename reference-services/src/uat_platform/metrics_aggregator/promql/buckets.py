"""Quantiles of what was counted in buckets."""

import math
from bisect import bisect_left
from itertools import accumulate, groupby

from uat_platform.metrics_aggregator.promql.values import Vector
from uat_platform.metrics_aggregator.series.labels import NAME, Labels, without

__all__ = ["histogram_quantile"]

_BOUND = "le"
_FEWEST = 2


def histogram_quantile(rank: float, vector: Vector) -> Vector:
    """Return a quantile of each histogram, as its buckets tell it; series that are no bucket are left out."""
    histograms: dict[Labels, list[tuple[float, float]]] = {}
    for labels, count in vector:
        bound = _bound(labels)
        if bound is not None:
            key = without(labels, (NAME, _BOUND))
            histograms.setdefault(key, []).append((bound, count))
    return [(labels, _quantile(rank, buckets)) for labels, buckets in histograms.items()]


def _bound(labels: Labels) -> float | None:
    for name, value in labels:
        if name == _BOUND:
            try:
                return float(value)
            except ValueError:
                return None
    return None


def _quantile(rank: float, buckets: list[tuple[float, float]]) -> float:
    if math.isnan(rank):
        return math.nan
    if not 0 <= rank <= 1:
        return math.copysign(math.inf, rank)
    buckets.sort(key=lambda bucket: bucket[0])
    if buckets[-1][0] != math.inf:
        return math.nan
    merged = [
        (bound, sum(count for _, count in same))
        for bound, same in groupby(buckets, key=lambda bucket: bucket[0])
    ]
    bounds = [bound for bound, _ in merged]
    # Scrapes are no snapshots, and rates are floats: a bucket may seem to hold less than the one below it.
    counts = [*accumulate((count for _, count in merged), max)]
    if len(bounds) < _FEWEST or counts[-1] == 0 or math.isnan(counts[-1]):
        return math.nan
    return _within(rank * counts[-1], bounds, counts)


def _within(place: float, bounds: list[float], counts: list[float]) -> float:
    at = bisect_left(counts, place, hi=len(counts) - 1)
    if at == len(counts) - 1:
        return bounds[-2]
    if at == 0 and bounds[0] <= 0:
        return bounds[0]
    start, count = 0.0, counts[at]
    if at > 0:
        start = bounds[at - 1]
        count -= counts[at - 1]
        place -= counts[at - 1]
    if count == 0:
        return math.nan
    return start + (bounds[at] - start) * (place / count)
