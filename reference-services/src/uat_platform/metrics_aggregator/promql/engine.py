"""A query, and a query over a span: from a text to values."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from uat_platform.metrics_aggregator.promql.errors import QueryError, SyntaxIsWrongError
from uat_platform.metrics_aggregator.promql.evaluator import Evaluator, sought
from uat_platform.metrics_aggregator.promql.nodes import Node, Selector, Shape
from uat_platform.metrics_aggregator.promql.parser import parsed
from uat_platform.metrics_aggregator.promql.spans import Needed, needed
from uat_platform.metrics_aggregator.promql.values import RangeVector, Value, Vector, is_vector
from uat_platform.metrics_aggregator.series.labels import Labels
from uat_platform.metrics_aggregator.series.samples import Samples, Series

__all__ = ["Limits", "Query"]

_MOST_STEPS = 11_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What holds for all queries.

    Attributes:
        lookback: Milliseconds for which a sample holds when no newer one comes.
        subquery_step: Milliseconds between the moments of a subquery that says nothing of them.
        samples: In an answer at most.
    """

    lookback: int = 300_000
    subquery_step: int = 60_000
    samples: int = 5_000_000


@dataclass(frozen=True, slots=True)
class Query:
    """A query for one moment, or for the moments of a span.

    Attributes:
        node: What is asked.
        start: First moment, in milliseconds since 1970.
        end: Last moment.
        step: Milliseconds between moments, or 0 for a single one.
        limits: What holds for all queries.
    """

    node: Node
    start: int
    end: int
    step: int
    limits: Limits

    @classmethod
    def instant(cls, text: str, time: int, *, limits: Limits) -> "Query":
        """Return a query for one moment.

        Raises:
            SyntaxIsWrongError: The text is no query.
        """
        return cls(parsed(text), time, time, 0, limits)

    @classmethod
    def over(cls, text: str, start: int, end: int, step: int, *, limits: Limits) -> "Query":
        """Return a query for a span.

        Raises:
            SyntaxIsWrongError: The text is no query, or the span makes no sense.
        """
        if end < start:
            raise SyntaxIsWrongError(
                'invalid parameter "end": end timestamp must not be before start time'
            )
        if step <= 0:
            raise SyntaxIsWrongError(
                'invalid parameter "step": zero or negative query resolution step widths are not '
                "accepted. Try a positive integer"
            )
        if (end - start) // step > _MOST_STEPS:
            raise SyntaxIsWrongError(
                "exceeded maximum resolution of 11,000 points per timeseries. "
                "Try decreasing the query resolution (?step=XX)"
            )
        node = parsed(text)
        if node.shape not in {Shape.SCALAR, Shape.VECTOR}:
            raise SyntaxIsWrongError(
                f'invalid expression type "{node.shape.value}" for range query, '
                "must be Scalar or instant Vector"
            )
        return cls(node, start, end, step, limits)

    @property
    def needed(self) -> list[Needed]:
        """Which samples it takes."""
        return needed(self.node, self.start, self.end, lookback=self.limits.lookback)

    def answer(
        self, series: Mapping[Selector, list[Series]], *, checkpoint: Callable[[], None]
    ) -> Value:
        """Return the values. Pure, so that it may run in any thread.

        Args:
            series: What was needed.
            checkpoint: Called now and then; raises when it takes too long.

        Raises:
            QueryError: They cannot be told.
        """
        evaluator = Evaluator(
            {selector: sought(found) for selector, found in series.items()},
            self.start,
            self.end,
            self.limits.lookback,
            self.limits.subquery_step,
            checkpoint,
        )
        if not self.step:
            return evaluator.value(self.node, self.start)
        return self._matrix(evaluator)

    def _matrix(self, evaluator: Evaluator) -> RangeVector:
        found = dict[Labels, Samples]()
        count = 0
        for time in range(self.start, self.end + 1, self.step):
            value = evaluator.value(self.node, time)
            for labels, each in _elements(value):
                found.setdefault(labels, Samples()).append(time, each)
                count += 1
            if count > self.limits.samples:
                raise QueryError(
                    "query processing would load too many samples into memory in query execution"
                )
        return [Series(labels, found[labels]) for labels in sorted(found)]


def _elements(value: Value) -> Vector:
    if isinstance(value, float):
        return [((), value)]
    return value if is_vector(value) else []
