"""Histograms of several instances made into one."""

import math
from collections.abc import Callable, Iterable

from prometheus_client.core import HistogramMetricFamily

from uat_platform.metrics_aggregator.series.samples import Samples

__all__ = ["histogram"]

Row = tuple[dict[str, str], Samples]
Key = tuple[str, ...]


def histogram(
    name: str,
    words: str,
    labels: Key,
    *,
    buckets: Iterable[Row],
    sums: Iterable[Row],
    key: Callable[[dict[str, str]], Key],
) -> HistogramMetricFamily:
    """Return histograms added up by some labels.

    Those that have other buckets than the first of their group are left out: they cannot be added.

    Args:
        name: Of the metric.
        words: What it is.
        labels: Names of its labels.
        buckets: The newest samples of the buckets of all.
        sums: And of their sums.
        key: Returns the values of the labels.
    """
    family = HistogramMetricFamily(name, words, labels=labels)
    counts: dict[Key, dict[float, float]] = {}
    bounds: dict[Key, set[float]] = {}
    for each in _by_series(buckets):
        group, found = key(each[0]), each[1]
        if bounds.setdefault(group, set(found)) == set(found) and math.inf in found:
            merged = counts.setdefault(group, dict.fromkeys(found, 0.0))
            for bound, count in found.items():
                merged[bound] += count
    totals: dict[Key, float] = {}
    for each_labels, samples in sums:
        group = key(each_labels)
        totals[group] = totals.get(group, 0.0) + samples.values[-1]
    for group, merged in counts.items():
        shown = [(_written(bound), merged[bound]) for bound in sorted(merged)]
        family.add_metric(group, shown, totals.get(group, 0.0))
    return family


def _by_series(buckets: Iterable[Row]) -> list[tuple[dict[str, str], dict[float, float]]]:
    found: dict[tuple[tuple[str, str], ...], dict[float, float]] = {}
    for labels, samples in buckets:
        bound = labels.get("le", "")
        rest = tuple(sorted((name, value) for name, value in labels.items() if name != "le"))
        try:
            found.setdefault(rest, {})[float(bound)] = samples.values[-1]
        except ValueError:
            continue
    return [(dict(labels), counts) for labels, counts in found.items()]


def _written(bound: float) -> str:
    return "+Inf" if bound == math.inf else repr(bound)
