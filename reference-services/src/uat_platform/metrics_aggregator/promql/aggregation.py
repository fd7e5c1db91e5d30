"""Many elements made into fewer: `sum by (job) (...)` and its like."""

import math
from collections.abc import Callable, Sequence

from uat_platform.metrics_aggregator.promql.errors import QueryError
from uat_platform.metrics_aggregator.promql.nodes import Aggregation
from uat_platform.metrics_aggregator.promql.statistics import moving_mean, quantile
from uat_platform.metrics_aggregator.promql.values import Value, Vector, number
from uat_platform.metrics_aggregator.series.labels import NAME, Labels, labelled

__all__ = ["aggregated"]


def aggregated(node: Aggregation, vector: Vector, parameter: Value | None) -> Vector:
    """Return the groups of a vector, each made into one element, or into its first few.

    Raises:
        QueryError: The parameter makes no sense.
    """
    group = _grouping(node)
    if node.operator == "count_values":
        return _counted(node, vector, parameter)
    groups: dict[Labels, Vector] = {}
    for labels, value in vector:
        groups.setdefault(group(labels), []).append((labels, value))
    if node.operator in {"topk", "bottomk"}:
        return _first(node.operator, groups, _whole(parameter))
    if node.operator == "quantile":
        rank = parameter if isinstance(parameter, float) else math.nan
        return [(labels, quantile(rank, _values(each))) for labels, each in groups.items()]
    compute = _SIMPLE[node.operator]
    return [(labels, compute(_values(each))) for labels, each in groups.items()]


def _grouping(node: Aggregation) -> Callable[[Labels], Labels]:
    if node.by:
        kept = frozenset(node.labels)
        return lambda labels: tuple(pair for pair in labels if pair[0] in kept)
    gone = frozenset(node.labels) | {NAME}
    return lambda labels: tuple(pair for pair in labels if pair[0] not in gone)


def _values(vector: Vector) -> list[float]:
    return [value for _, value in vector]


def _sum(values: Sequence[float]) -> float:
    # Not the built-in one, which from Python 3.12 on is more exact than what is compared with.
    found = 0.0
    for value in values:
        found += value
    return found


def _smallest(values: Sequence[float]) -> float:
    found = values[0]
    for value in values[1:]:
        if value < found or math.isnan(found):
            found = value
    return found


def _largest(values: Sequence[float]) -> float:
    return -_smallest([-value for value in values])


def _variance(values: Sequence[float]) -> float:
    centre, squares = values[0], 0.0
    for count, value in enumerate(values[1:], 2):
        off = value - centre
        centre += off / count
        squares += off * (value - centre)
    return squares / len(values)


_SIMPLE: dict[str, Callable[[Sequence[float]], float]] = {
    "sum": _sum,
    "avg": moving_mean,
    "min": _smallest,
    "max": _largest,
    "count": lambda values: float(len(values)),
    "group": lambda _: 1.0,
    "stdvar": _variance,
    "stddev": lambda values: math.sqrt(_variance(values)),
}


def _whole(parameter: Value | None) -> int:
    if not isinstance(parameter, float) or not -(2.0**63) <= parameter < 2.0**63:
        raise QueryError(f"Scalar value {parameter} overflows int64")
    return int(parameter)


def _first(operator: str, groups: dict[Labels, Vector], count: int) -> Vector:
    if count < 1:
        return []
    sign = -1.0 if operator == "topk" else 1.0

    def place(sample: tuple[Labels, float]) -> tuple[bool, float]:
        return math.isnan(sample[1]), sign * sample[1]

    return [each for vector in groups.values() for each in sorted(vector, key=place)[:count]]


def _counted(node: Aggregation, vector: Vector, parameter: Value | None) -> Vector:
    name = parameter if isinstance(parameter, str) else ""
    if not (name.isascii() and name.replace("_", "a").isalnum()) or name[0].isdigit():
        raise QueryError(f"invalid label name {name!r}")
    group = _grouping(node)
    counts: dict[Labels, int] = {}
    for labels, value in vector:
        kept = {**dict(group(labels)), name: number(value)}
        key = labelled(kept)
        counts[key] = counts.get(key, 0) + 1
    return [(labels, float(count)) for labels, count in counts.items()]
