"""What a tree is worth at one moment, given the samples that it asks for."""

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from uat_platform.metrics_aggregator.promql.aggregation import aggregated
from uat_platform.metrics_aggregator.promql.binary import scalars, vector_and_scalar, vectors
from uat_platform.metrics_aggregator.promql.calls import called
from uat_platform.metrics_aggregator.promql.nodes import (
    Aggregation,
    Binary,
    Call,
    Negation,
    Node,
    Number,
    RangeSelector,
    Selector,
    Subquery,
    Text,
    When,
)
from uat_platform.metrics_aggregator.promql.values import (
    RangeVector,
    Value,
    Vector,
    is_ranges,
    is_vector,
    kept_apart,
)
from uat_platform.metrics_aggregator.series.labels import Labels, nameless
from uat_platform.metrics_aggregator.series.samples import Samples, Series, is_stale

__all__ = ["Evaluator", "Sought", "moment", "sought"]


def moment(when: When, time: int, start: int, end: int) -> int:
    """Return for which time something holds that is evaluated for another."""
    match when.anchor:
        case None:
            return time - when.offset
        case "start":
            return start - when.offset
        case "end":
            return end - when.offset
        case anchor:
            return anchor - when.offset


Sought = list[tuple[Series, bool]]
"""Series, and whether there are marks among their samples: few have any, and looking for them takes time."""


def sought(series: list[Series]) -> Sought:
    """Return series with whether they have marks."""
    return [(each, any(map(is_stale, each.samples.values))) for each in series]


@dataclass(frozen=True, slots=True)
class Evaluator:
    """Evaluate a tree. Pure: it may run in any thread.

    Attributes:
        series: What each selector asks for, and of which series that have ended in between.
        start: First moment of the query.
        end: Its last.
        lookback: Milliseconds for which a sample holds when no newer one comes.
        step: Milliseconds between the moments of a subquery that says nothing of them.
        checkpoint: Called now and then; raises when it takes too long.
    """

    series: Mapping[Selector, Sought]
    start: int
    end: int
    lookback: int
    step: int
    checkpoint: Callable[[], None]

    def value(self, node: Node, time: int) -> Value:  # noqa: PLR0911 - one for each kind of node
        """Return what an expression is worth at a time.

        Raises:
            QueryError: It cannot be said.
        """
        match node:
            case Number() | Text():
                return node.value
            case Selector():
                return [(labels, value) for labels, _, value in self.newest(node, time)]
            case RangeSelector():
                at = self._moment(node.when, time)
                return self._range(node.selector, at - node.range, at)
            case Subquery():
                return self._subquery(node, time)
            case Negation():
                return self._negated(node, time)
            case Binary():
                return self._binary(node, time)
            case Aggregation():
                parameter = None if node.parameter is None else self.value(node.parameter, time)
                return aggregated(node, self.vector(node.expression, time), parameter)
            case Call():
                return called(self, node, time)

    def vector(self, node: Node, time: int) -> Vector:
        """Return what an expression is worth that yields a vector."""
        found = self.value(node, time)
        return found if is_vector(found) else []

    def scalar(self, node: Node, time: int) -> float:
        """Return what an expression is worth that yields a scalar."""
        found = self.value(node, time)
        return found if isinstance(found, float) else math.nan

    def text(self, node: Node) -> str:
        """Return what a text says."""
        return node.value if isinstance(node, Text) else ""

    def ranges(self, node: Node, time: int) -> tuple[RangeVector, int, int]:
        """Return the series of an expression that yields ranges, and the ends of their span."""
        assert isinstance(node, RangeSelector | Subquery)  # noqa: S101 - as the parser has checked
        at = self._moment(node.when, time)
        found = self.value(node, time)
        return (found if is_ranges(found) else []), at - node.range, at

    def newest(self, node: Selector, time: int) -> list[tuple[Labels, int, float]]:
        """Return the newest sample of each series, with its own time."""
        at = self._moment(node.when, time)
        found: list[tuple[Labels, int, float]] = []
        self.checkpoint()
        for each, _ in self.series[node]:
            index = bisect_right(each.samples.times, at) - 1
            if index < 0 or each.samples.times[index] < at - self.lookback:
                continue
            value = each.samples.values[index]
            if not is_stale(value):
                found.append((each.labels, each.samples.times[index], value))
        return found

    def _moment(self, when: When, time: int) -> int:
        return moment(when, time, self.start, self.end)

    def _range(self, node: Selector, start: int, end: int) -> RangeVector:
        self.checkpoint()
        found: RangeVector = []
        for each, ended in self.series[node]:
            samples = each.samples.between(start, end)
            if ended:
                samples = _lasting(samples)
            if samples.times:
                found.append(Series(each.labels, samples))
        return found

    def _subquery(self, node: Subquery, time: int) -> RangeVector:
        at = self._moment(node.when, time)
        step = node.step or self.step
        # Moments are multiples of the step, whenever it is asked.
        first = (at - node.range) // step * step
        if first < at - node.range:
            first += step
        found: dict[Labels, Samples] = {}
        for each in range(first, at + 1, step):
            for labels, value in self.vector(node.expression, each):
                found.setdefault(labels, Samples()).append(each, value)
        return [Series(labels, samples) for labels, samples in found.items()]

    def _negated(self, node: Negation, time: int) -> Value:
        found = self.value(node.expression, time)
        if isinstance(found, float):
            return -found
        vector = found if is_vector(found) else []
        return kept_apart([(nameless(labels), -value) for labels, value in vector])

    def _binary(self, node: Binary, time: int) -> Value:
        left, right = self.value(node.left, time), self.value(node.right, time)
        if isinstance(left, float):
            if isinstance(right, float):
                return scalars(node, left, right)
            vector = right if is_vector(right) else []
            return kept_apart(vector_and_scalar(node, vector, left, swapped=True))
        vector = left if is_vector(left) else []
        if isinstance(right, float):
            return kept_apart(vector_and_scalar(node, vector, right, swapped=False))
        return kept_apart(vectors(node, vector, right if is_vector(right) else []))


def _lasting(samples: Samples) -> Samples:
    kept = Samples()
    for time, value in samples:
        if not is_stale(value):
            kept.append(time, value)
    return kept
