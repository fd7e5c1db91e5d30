"""Operators between scalars and vectors, and which elements of two vectors belong together."""

from collections.abc import Callable

from uat_platform.metrics_aggregator.promql.arithmetic import ARITHMETIC, COMPARED
from uat_platform.metrics_aggregator.promql.errors import QueryError
from uat_platform.metrics_aggregator.promql.nodes import Binary, Matching
from uat_platform.metrics_aggregator.promql.values import Vector
from uat_platform.metrics_aggregator.series.labels import NAME, Labels, nameless

__all__ = ["scalars", "vector_and_scalar", "vectors"]

Signature = Callable[[Labels], Labels]

# Prometheus forgot about it, and keeps the name of the metric.
_KEEPS_NAME = "atan2"


def scalars(node: Binary, left: float, right: float) -> float:
    """Return what is between two scalars; comparisons of those yield 0 or 1."""
    if node.operator in COMPARED:
        return float(COMPARED[node.operator](left, right))
    return ARITHMETIC[node.operator](left, right)


def vector_and_scalar(node: Binary, vector: Vector, scalar: float, *, swapped: bool) -> Vector:
    """Return what is between each element and a scalar.

    Args:
        node: Says what.
        vector: The elements.
        scalar: The other side.
        swapped: Whether the scalar is on the left.
    """
    compare = COMPARED.get(node.operator)
    if compare is None:
        compute = ARITHMETIC[node.operator]
        keeps = node.operator == _KEEPS_NAME
        return [
            (
                labels if keeps else nameless(labels),
                compute(scalar, value) if swapped else compute(value, scalar),
            )
            for labels, value in vector
        ]
    # A comparison keeps the element's value, on whichever side it stands.
    found = [
        (labels, value, compare(scalar, value) if swapped else compare(value, scalar))
        for labels, value in vector
    ]
    if node.as_bool:
        return [(nameless(labels), float(holds)) for labels, _, holds in found]
    return [(labels, value) for labels, value, holds in found if holds]


def vectors(node: Binary, left: Vector, right: Vector) -> Vector:
    """Return what is between the elements that belong together.

    Raises:
        QueryError: It is not clear which those are.
    """
    matching = node.matching or Matching()
    signature = _signature(matching)
    if node.operator == "and":
        there = {signature(labels) for labels, _ in right}
        return [each for each in left if signature(each[0]) in there]
    if node.operator == "unless":
        there = {signature(labels) for labels, _ in right}
        return [each for each in left if signature(each[0]) not in there]
    if node.operator == "or":
        there = {signature(labels) for labels, _ in left}
        return [*left, *(each for each in right if signature(each[0]) not in there)]
    return _matched(node, matching, signature, left, right)


def _signature(matching: Matching) -> Signature:
    labels = frozenset(matching.labels)
    if matching.on:
        return lambda found: tuple(pair for pair in found if pair[0] in labels)
    ignored = labels | {NAME}
    return lambda found: tuple(pair for pair in found if pair[0] not in ignored)


def _matched(
    node: Binary, matching: Matching, signature: Signature, left: Vector, right: Vector
) -> Vector:
    swapped = matching.group == "right"
    many, one = (right, left) if swapped else (left, right)
    if not many or not one:
        return []
    ones = _ones(one, signature, "left" if swapped else "right")
    compare = COMPARED.get(node.operator)
    compute = ARITHMETIC.get(node.operator)
    found: Vector = []
    seen: set[tuple[Labels, Labels]] = set()
    for labels, value in many:
        key = signature(labels)
        if key not in ones:
            continue
        partner, other = ones[key]
        first, second = (other, value) if swapped else (value, other)
        if compare is not None:
            holds = compare(first, second)
            if not holds and not node.as_bool:
                continue
            result = float(holds) if node.as_bool else first
        else:
            assert compute is not None  # noqa: S101 - sets were answered above
            result = compute(first, second)
        drop = node.operator != _KEEPS_NAME if compare is None else node.as_bool
        metric = _metric(labels, partner, matching, drop=drop)
        _once(seen, key, () if matching.group is None else metric, matching)
        found.append((metric, result))
    return found


def _ones(one: Vector, signature: Signature, side: str) -> dict[Labels, tuple[Labels, float]]:
    ones: dict[Labels, tuple[Labels, float]] = {}
    for labels, value in one:
        key = signature(labels)
        if key in ones:
            raise QueryError(
                f"found duplicate series for the match group {_shown(key)} on the {side} hand-side of the "
                "operation;many-to-many matching not allowed: matching labels must be unique on one side"
            )
        ones[key] = labels, value
    return ones


def _once(
    seen: set[tuple[Labels, Labels]], key: Labels, metric: Labels, matching: Matching
) -> None:
    if (key, metric) in seen:
        if matching.group is None:
            raise QueryError(
                "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
            )
        raise QueryError("multiple matches for labels: grouping labels must ensure unique matches")
    seen.add((key, metric))


def _metric(labels: Labels, partner: Labels, matching: Matching, *, drop: bool) -> Labels:
    if drop:
        labels = nameless(labels)
    if matching.group is None:
        named = frozenset(matching.labels)
        return tuple(pair for pair in labels if (pair[0] in named) is matching.on)
    if not matching.include:
        return labels
    included = frozenset(matching.include)
    taken = [pair for pair in partner if pair[0] in included]
    return tuple(sorted([*(pair for pair in labels if pair[0] not in included), *taken]))


def _shown(labels: Labels) -> str:
    return "{" + ", ".join(f'{name}="{value}"' for name, value in labels) + "}"
