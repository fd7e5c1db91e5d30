"""What a function yields."""

import math
from collections.abc import Callable
from typing import Protocol

from uat_platform.metrics_aggregator.promql.absent import labels_of
from uat_platform.metrics_aggregator.promql.buckets import histogram_quantile
from uat_platform.metrics_aggregator.promql.functions.each import CALENDAR, EACH, clamped, rounded
from uat_platform.metrics_aggregator.promql.functions.ranges import RANGES, Span
from uat_platform.metrics_aggregator.promql.functions.relabelled import label_join, label_replace
from uat_platform.metrics_aggregator.promql.nodes import Call, Node, Selector
from uat_platform.metrics_aggregator.promql.values import RangeVector, Value, Vector, kept_apart
from uat_platform.metrics_aggregator.series.labels import Labels, nameless

__all__ = ["Evaluating", "called"]


class Evaluating(Protocol):
    """What a function asks for its arguments."""

    def vector(self, node: Node, time: int) -> Vector:
        """Return what an expression is worth that yields a vector."""
        ...

    def scalar(self, node: Node, time: int) -> float:
        """Return what an expression is worth that yields a scalar."""
        ...

    def text(self, node: Node) -> str:
        """Return what a text says."""
        ...

    def ranges(self, node: Node, time: int) -> tuple[RangeVector, int, int]:
        """Return series, and the ends of their span."""
        ...

    def newest(self, node: Selector, time: int) -> list[tuple[Labels, int, float]]:
        """Return the newest sample of each series, with its own time."""
        ...


def called(evaluator: Evaluating, node: Call, time: int) -> Value:
    """Return what a function yields at a time.

    Raises:
        QueryError: It cannot be said.
    """
    name, arguments = node.function, node.arguments
    if name in EACH:
        return kept_apart(_each(evaluator.vector(arguments[0], time), EACH[name]))
    if name in CALENDAR:
        if not arguments:
            return _alone(CALENDAR[name](time / 1000))
        return kept_apart(_each(evaluator.vector(arguments[0], time), CALENDAR[name]))
    return _SPECIAL.get(name, _over_time)(evaluator, node, time)


def _alone(value: float) -> Vector:
    return [((), value)]


def _each(vector: Vector, compute: Callable[[float], float]) -> Vector:
    return [(nameless(labels), compute(value)) for labels, value in vector]


def _over_time(evaluator: Evaluating, node: Call, time: int) -> Value:
    """Functions that take a range, and perhaps numbers before or behind it."""
    name, arguments = node.function, node.arguments
    subject = arguments[-1] if name == "quantile_over_time" else arguments[0]
    numbers = [evaluator.scalar(each, time) for each in arguments if each is not subject]
    series, start, end = evaluator.ranges(subject, time)
    compute = RANGES[name]
    found: Vector = []
    for each in series:
        value = compute(Span(each.samples, start, end, time), numbers)
        if value is not None:
            keeps = name == "last_over_time"
            found.append((each.labels if keeps else nameless(each.labels), value))
    return kept_apart(found)


def _absent(evaluator: Evaluating, node: Call, time: int) -> Value:
    subject = node.arguments[0]
    return [] if evaluator.vector(subject, time) else [(labels_of(subject), 1.0)]


def _absent_over_time(evaluator: Evaluating, node: Call, time: int) -> Value:
    subject = node.arguments[0]
    return [] if evaluator.ranges(subject, time)[0] else [(labels_of(subject), 1.0)]


def _timestamp(evaluator: Evaluating, node: Call, time: int) -> Value:
    subject = node.arguments[0]
    if isinstance(subject, Selector):
        newest = evaluator.newest(subject, time)
        return kept_apart([(nameless(labels), at / 1000) for labels, at, _ in newest])
    return kept_apart(_each(evaluator.vector(subject, time), lambda _: time / 1000))


def _histogram_quantile(evaluator: Evaluating, node: Call, time: int) -> Value:
    rank, vector = node.arguments
    return kept_apart(
        histogram_quantile(evaluator.scalar(rank, time), evaluator.vector(vector, time))
    )


def _clamp(evaluator: Evaluating, node: Call, time: int) -> Value:
    vector = evaluator.vector(node.arguments[0], time)
    limits = [evaluator.scalar(each, time) for each in node.arguments[1:]]
    least = -math.inf if node.function == "clamp_max" else limits[0]
    most = math.inf if node.function == "clamp_min" else limits[-1]
    if most < least:
        return []
    return kept_apart(_each(vector, lambda value: clamped(value, least, most)))


def _round(evaluator: Evaluating, node: Call, time: int) -> Value:
    subject, *multiple = node.arguments
    to = evaluator.scalar(multiple[0], time) if multiple else 1.0
    vector = evaluator.vector(subject, time)
    return kept_apart(_each(vector, lambda value: rounded(value, to)))


def _sort(evaluator: Evaluating, node: Call, time: int) -> Value:
    sign = -1.0 if node.function == "sort_desc" else 1.0
    vector = evaluator.vector(node.arguments[0], time)
    return sorted(vector, key=lambda sample: (math.isnan(sample[1]), sign * sample[1]))


def _relabelled(evaluator: Evaluating, node: Call, time: int) -> Value:
    change = label_replace if node.function == "label_replace" else label_join
    texts = [evaluator.text(each) for each in node.arguments[1:]]
    return kept_apart(change(evaluator.vector(node.arguments[0], time), *texts))


def _scalar(evaluator: Evaluating, node: Call, time: int) -> Value:
    vector = evaluator.vector(node.arguments[0], time)
    return vector[0][1] if len(vector) == 1 else math.nan


def _vector(evaluator: Evaluating, node: Call, time: int) -> Value:
    return _alone(evaluator.scalar(node.arguments[0], time))


_SPECIAL: dict[str, Callable[[Evaluating, Call, int], Value]] = {
    "absent": _absent,
    "absent_over_time": _absent_over_time,
    "clamp": _clamp,
    "clamp_max": _clamp,
    "clamp_min": _clamp,
    "histogram_quantile": _histogram_quantile,
    "label_join": _relabelled,
    "label_replace": _relabelled,
    "pi": lambda _evaluator, _node, _time: math.pi,
    "round": _round,
    "scalar": _scalar,
    "sort": _sort,
    "sort_desc": _sort,
    "time": lambda _evaluator, _node, time: time / 1000,
    "timestamp": _timestamp,
    "vector": _vector,
}
