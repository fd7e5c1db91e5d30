"""What stands behind an expression and says for when it holds: `[5m]`, `[1h:1m]`, `offset 5m`, `@ 1609746000`."""

from dataclasses import replace
from decimal import Decimal

from uat_platform.metrics_aggregator.promql.durations import duration
from uat_platform.metrics_aggregator.promql.errors import SyntaxIsWrongError
from uat_platform.metrics_aggregator.promql.lexer import Kind
from uat_platform.metrics_aggregator.promql.nodes import (
    Anchor,
    Node,
    RangeSelector,
    Selector,
    Shape,
    Subquery,
    When,
)
from uat_platform.metrics_aggregator.promql.reading import Reading

__all__ = ["moments"]

_LATEST = 2**53


def moments(reading: Reading, node: Node) -> Node:
    """Return the expression with all that stands behind it.

    Raises:
        SyntaxIsWrongError: It makes no sense there.
    """
    while True:
        if reading.token.text == "[":
            node = _ranged(reading, node)
        elif reading.token.lower == "offset" and reading.token.kind is Kind.WORD:
            node = _offset(reading, node)
        elif reading.token.text == "@":
            node = _anchored(reading, node)
        else:
            return node


def _ranged(reading: Reading, node: Node) -> Node:
    at = reading.take().at
    length = _duration(reading)
    if reading.accept(":"):
        step = None if reading.token.text == "]" else _duration(reading)
        reading.expect("]")
        if node.shape not in {Shape.VECTOR, Shape.SCALAR}:
            raise SyntaxIsWrongError("subquery is only allowed on instant vector", at=at)
        if node.shape is Shape.SCALAR:
            raise SyntaxIsWrongError(
                "subquery is only allowed on instant vector, got scalar instead", at=at
            )
        return Subquery(node, length, step)
    reading.expect("]")
    if not isinstance(node, Selector):
        raise SyntaxIsWrongError("ranges only allowed for vector selectors", at=at)
    if node.when != When():
        raise SyntaxIsWrongError("no offset or @ modifiers allowed before range", at=at)
    return RangeSelector(node, length)


def _offset(reading: Reading, node: Node) -> Node:
    at = reading.take().at
    back = not reading.accept("-")
    length = _duration(reading)
    when = _when(node, at)
    if when.offset:
        raise SyntaxIsWrongError("offset may not be set multiple times", at=at)
    return _at(node, replace(when, offset=length if back else -length))


def _anchored(reading: Reading, node: Node) -> Node:
    at = reading.take().at
    when = _when(node, at)
    if when.anchor is not None:
        raise SyntaxIsWrongError("@ <timestamp> may not be set multiple times", at=at)
    return _at(node, replace(when, anchor=_anchor(reading)))


def _anchor(reading: Reading) -> Anchor:
    word = reading.token.lower
    if word in {"start", "end"}:
        reading.take()
        reading.labels()
        return "start" if word == "start" else "end"
    negative = reading.accept("-")
    if not negative:
        reading.accept("+")
    if reading.token.kind is not Kind.NUMBER:
        raise reading.unexpected("a time")
    token = reading.take()
    hexadecimal = token.lower.startswith("0x")
    seconds = Decimal(int(token.text, 16)) if hexadecimal else Decimal(token.text)
    # Half a millisecond goes away from zero, as Go has it.
    milliseconds = int(seconds * 1000 + Decimal("0.5")) if seconds < _LATEST else _LATEST + 1
    if milliseconds > _LATEST:
        raise SyntaxIsWrongError("timestamp out of bounds for @ modifier", at=token.at)
    return -milliseconds if negative else milliseconds


def _duration(reading: Reading) -> int:
    if reading.token.kind is not Kind.DURATION:
        raise reading.unexpected("a duration")
    token = reading.take()
    try:
        length = duration(token.text)
    except ValueError as error:
        raise SyntaxIsWrongError(str(error), at=token.at) from error
    if not length:
        raise SyntaxIsWrongError("duration must be greater than 0", at=token.at)
    return length


def _when(node: Node, at: int) -> When:
    if isinstance(node, Selector | RangeSelector | Subquery):
        return node.when
    raise SyntaxIsWrongError(
        "modifiers must be preceded by an instant vector selector, a range selector or a subquery",
        at=at,
    )


def _at(node: Node, when: When) -> Node:
    if isinstance(node, Selector):
        return replace(node, when=when)
    if isinstance(node, RangeSelector):
        return replace(node, when=when)
    assert isinstance(node, Subquery)  # noqa: S101 - `_when` has refused the rest
    return replace(node, when=when)
