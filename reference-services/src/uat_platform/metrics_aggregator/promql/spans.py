"""Which samples a query needs: for each selector, from when to when."""

from collections.abc import Iterator
from dataclasses import dataclass

from uat_platform.metrics_aggregator.promql.evaluator import moment
from uat_platform.metrics_aggregator.promql.nodes import (
    Aggregation,
    Binary,
    Call,
    Negation,
    Node,
    RangeSelector,
    Selector,
    Subquery,
)

__all__ = ["Needed", "needed"]


@dataclass(frozen=True, slots=True)
class Needed:
    """A selector, and the first and last time that it is asked for, in milliseconds."""

    selector: Selector
    start: int
    end: int


def needed(node: Node, start: int, end: int, *, lookback: int) -> list[Needed]:
    """Return what a query over a span needs."""
    return [*_within(node, start, end, (start, end), lookback)]


def _within(
    node: Node, low: int, high: int, ends: tuple[int, int], lookback: int
) -> Iterator[Needed]:
    if isinstance(node, Selector):
        first, last = moment(node.when, low, *ends), moment(node.when, high, *ends)
        yield Needed(node, first - lookback, last)
    elif isinstance(node, RangeSelector):
        first, last = moment(node.when, low, *ends), moment(node.when, high, *ends)
        yield Needed(node.selector, first - node.range, last)
    elif isinstance(node, Subquery):
        first, last = moment(node.when, low, *ends), moment(node.when, high, *ends)
        yield from _within(node.expression, first - node.range, last, ends, lookback)
    else:
        for each in _inside(node):
            yield from _within(each, low, high, ends, lookback)


def _inside(node: Node) -> tuple[Node, ...]:
    match node:
        case Negation():
            return (node.expression,)
        case Binary():
            return node.left, node.right
        case Aggregation():
            parameter = () if node.parameter is None else (node.parameter,)
            return node.expression, *parameter
        case Call():
            return node.arguments
        case _:
            return ()
