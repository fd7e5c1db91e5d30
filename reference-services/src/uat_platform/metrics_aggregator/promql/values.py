"""What an expression is worth at one moment, and how numbers are written."""

from decimal import Decimal
from math import isinf, isnan
from typing import TypeGuard

from uat_platform.metrics_aggregator.promql.errors import QueryError
from uat_platform.metrics_aggregator.series.labels import Labels
from uat_platform.metrics_aggregator.series.samples import Series

__all__ = [
    "RangeVector",
    "Sample",
    "Value",
    "Vector",
    "is_ranges",
    "is_vector",
    "kept_apart",
    "number",
]

Sample = tuple[Labels, float]
Vector = list[Sample]
RangeVector = list[Series]
Value = float | str | Vector | RangeVector


def is_vector(value: Value) -> TypeGuard[Vector]:
    """Return whether a value is a vector; an empty list is one as well as it is ranges."""
    return isinstance(value, list) and not (value and isinstance(value[0], Series))


def is_ranges(value: Value) -> TypeGuard[RangeVector]:
    """Return whether a value is made of ranges; an empty list is."""
    return isinstance(value, list) and not (value and not isinstance(value[0], Series))


def kept_apart(vector: Vector) -> Vector:
    """Return a vector whose elements all have other labels.

    Raises:
        QueryError: Two have the same.
    """
    if len({labels for labels, _ in vector}) < len(vector):
        raise QueryError("vector cannot contain metrics with the same labelset")
    return vector


def number(value: float) -> str:
    """Return a number with as few digits as tell it apart from all others, and without an exponent."""
    if isnan(value):
        return "NaN"
    if isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    text = repr(value)
    if "e" in text:
        text = format(Decimal(text), "f")
    return text.removesuffix(".0")
