"""Functions of one series over a span: what it was at most, how often it changed, where it is going."""

import math
from collections.abc import Callable

from uat_platform.metrics_aggregator.promql.errors import QueryError
from uat_platform.metrics_aggregator.promql.statistics import mean, quantile, total, trend, variance
from uat_platform.metrics_aggregator.series.samples import Samples

__all__ = ["OVER_TIME", "deriv", "holt_winters", "predict_linear", "quantile_over_time"]

_FEWEST = 2


def _largest(samples: Samples) -> float:
    found = samples.values[0]
    for value in samples.values:
        if value > found or math.isnan(found):
            found = value
    return found


def _smallest(samples: Samples) -> float:
    found = samples.values[0]
    for value in samples.values:
        if value < found or math.isnan(found):
            found = value
    return found


def _pairs(samples: Samples) -> list[tuple[float, float]]:
    return [*zip(samples.values, samples.values[1:], strict=False)]


def _changes(samples: Samples) -> float:
    return float(
        sum(
            after != before and not (math.isnan(before) and math.isnan(after))
            for before, after in _pairs(samples)
        )
    )


def _resets(samples: Samples) -> float:
    return float(sum(after < before for before, after in _pairs(samples)))


OVER_TIME: dict[str, Callable[[Samples], float]] = {
    "avg_over_time": lambda samples: mean(samples.values),
    "changes": _changes,
    "count_over_time": lambda samples: float(len(samples)),
    "last_over_time": lambda samples: samples.values[-1],
    "max_over_time": _largest,
    "min_over_time": _smallest,
    "present_over_time": lambda _: 1.0,
    "resets": _resets,
    "stddev_over_time": lambda samples: math.sqrt(variance(samples.values)),
    "stdvar_over_time": lambda samples: variance(samples.values),
    "sum_over_time": lambda samples: total(samples.values),
}


def quantile_over_time(samples: Samples, rank: float) -> float:
    """Return the value that a share of all samples are not above."""
    return quantile(rank, samples.values)


def deriv(samples: Samples) -> float | None:
    """Return the slope, each second, of the line through the samples; None with fewer than two."""
    if len(samples) < _FEWEST:
        return None
    return trend([*samples], samples.times[0])[0]


def predict_linear(samples: Samples, at: int, seconds: float) -> float | None:
    """Return where the line through the samples is some seconds after a time; None with fewer than two."""
    if len(samples) < _FEWEST:
        return None
    slope, height = trend([*samples], at)
    return slope * seconds + height


def holt_winters(samples: Samples, level: float, slope: float) -> float | None:
    """Return the last sample, smoothed by level and slope; None with fewer than two.

    Raises:
        QueryError: A factor is not between 0 and 1.
    """
    for name, factor in (("smoothing", level), ("trend", slope)):
        if not 0 < factor < 1:
            raise QueryError(f"invalid {name} factor. Expected: 0 < tf < 1, got: {factor:f}")
    values = samples.values
    if len(values) < _FEWEST:
        return None
    before, now, tendency = 0.0, values[0], values[1] - values[0]
    for index, value in enumerate(values[1:]):
        if index:
            tendency = slope * (now - before) + (1 - slope) * tendency
        before, now = now, level * value + (1 - level) * (now + tendency)
    return now
