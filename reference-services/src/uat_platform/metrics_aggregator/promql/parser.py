"""Tokens become a tree: operators by precedence, everything else by its first token."""

import math

from uat_platform.metrics_aggregator.promql.checking import check
from uat_platform.metrics_aggregator.promql.errors import SyntaxIsWrongError
from uat_platform.metrics_aggregator.promql.lexer import Kind, unquoted
from uat_platform.metrics_aggregator.promql.moments import moments
from uat_platform.metrics_aggregator.promql.nodes import (
    Aggregation,
    Binary,
    Call,
    Matching,
    Negation,
    Node,
    Number,
    Selector,
    Shape,
    Text,
)
from uat_platform.metrics_aggregator.promql.reading import Reading
from uat_platform.metrics_aggregator.promql.signatures import SIGNATURES
from uat_platform.metrics_aggregator.series.labels import NAME
from uat_platform.metrics_aggregator.series.matchers import Matcher, Sign

__all__ = ["AGGREGATIONS", "parsed", "selector"]

AGGREGATIONS = {
    "sum": None,
    "avg": None,
    "min": None,
    "max": None,
    "count": None,
    "group": None,
    "stddev": None,
    "stdvar": None,
    "topk": Shape.SCALAR,
    "bottomk": Shape.SCALAR,
    "quantile": Shape.SCALAR,
    "count_values": Shape.STRING,
}
"""Names of aggregations, with the shape of their parameter."""

_PRECEDENCE = {
    "or": 1,
    **dict.fromkeys(("and", "unless"), 2),
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), 3),
    **dict.fromkeys(("+", "-"), 4),
    **dict.fromkeys(("*", "/", "%", "atan2"), 5),
    "^": 6,
}
_POWER = _PRECEDENCE["^"]
_DEPTH = 100
_LONGEST = 10_000


def parsed(text: str) -> Node:
    """Return the tree of a query.

    Raises:
        SyntaxIsWrongError: It is none.
    """
    if len(text) > _LONGEST:
        raise SyntaxIsWrongError(f"a query must have at most {_LONGEST} letters")
    reading = Reading(text)
    node = _expression(reading, 0, 0)
    reading.expect_end()
    return node


def selector(text: str) -> tuple[Matcher, ...]:
    """Return the conditions of a text that is nothing but a selector, as in `match[]`.

    Raises:
        SyntaxIsWrongError: It is none.
    """
    node = parsed(text)
    if not isinstance(node, Selector) or node.when.offset or node.when.anchor is not None:
        raise SyntaxIsWrongError(f"{text!r} must be a selector of series")
    return node.matchers


def _expression(reading: Reading, least: int, depth: int) -> Node:
    """Return an expression whose operators bind at least so tightly."""
    if depth > _DEPTH:
        raise SyntaxIsWrongError("the query is nested too deeply", at=reading.token.at)
    left = _operand(reading, depth)
    while (binding := _PRECEDENCE.get(reading.token.lower, 0)) >= max(least, 1):
        token = reading.take()
        as_bool = reading.accept("bool")
        matching = _matching(reading)
        # Only the power groups from the right.
        right = _expression(reading, binding if binding == _POWER else binding + 1, depth + 1)
        left = Binary(token.lower, left, right, as_bool=as_bool, matching=matching)
        check(left, at=token.at)
    return left


def _operand(reading: Reading, depth: int) -> Node:
    token = reading.token
    if token.text in {"+", "-"}:
        reading.take()
        inner = _expression(reading, _POWER, depth + 1)
        if token.text == "+":
            node: Node = inner
        elif isinstance(inner, Number):
            node = Number(-inner.value)
        else:
            node = Negation(inner)
        check(Negation(inner), at=token.at)
        return node
    return moments(reading, _atom(reading, depth))


def _atom(reading: Reading, depth: int) -> Node:
    token = reading.token
    if token.text == "(":
        reading.take()
        node = _expression(reading, 0, depth + 1)
        reading.expect(")")
        return node
    if token.text == "{":
        return _selector(reading, None)
    if token.kind is Kind.NUMBER:
        reading.take()
        hexadecimal = token.lower.startswith("0x")
        return Number(float(int(token.text, 16)) if hexadecimal else float(token.text))
    if token.kind is Kind.STRING:
        return Text(unquoted(reading.take()))
    if token.kind is Kind.WORD:
        return _word(reading, depth)
    raise reading.unexpected("an expression")


def _word(reading: Reading, depth: int) -> Node:
    token = reading.take()
    following = reading.token
    if token.lower in AGGREGATIONS and (
        following.text == "(" or following.lower in {"by", "without"}
    ):
        return _aggregation(reading, token.lower, token.at, depth)
    if following.text == "(":
        return _call(reading, token.text, token.at, depth)
    if following.text != "{" and token.lower in {"inf", "nan"}:
        return Number(math.inf if token.lower == "inf" else math.nan)
    return _selector(reading, token.text)


def _selector(reading: Reading, metric: str | None) -> Node:
    at = reading.token.at
    matchers = [] if metric is None else [Matcher(NAME, Sign.EQUAL, metric)]
    if reading.accept("{"):
        while not reading.accept("}"):
            matchers.append(_matcher(reading, named=metric is not None))
            if not reading.accept(","):
                reading.expect("}")
                break
    if all(each.accepts("") for each in matchers):
        raise SyntaxIsWrongError(
            "vector selector must contain at least one non-empty matcher", at=at
        )
    return Selector(tuple(matchers))


def _matcher(reading: Reading, *, named: bool) -> Matcher:
    label = reading.label()
    if named and label == NAME:
        raise SyntaxIsWrongError("metric name must not be set twice", at=reading.token.at)
    sign = reading.take()
    if sign.text not in {each.value for each in Sign}:
        raise SyntaxIsWrongError(f"unexpected {sign.text!r} in label matching", at=sign.at)
    if reading.token.kind is not Kind.STRING:
        raise reading.unexpected("a string")
    value = reading.take()
    try:
        return Matcher(label, Sign(sign.text), unquoted(value))
    except ValueError as error:
        raise SyntaxIsWrongError(str(error), at=value.at) from error


def _aggregation(reading: Reading, name: str, at: int, depth: int) -> Node:
    grouping = _grouping(reading)
    arguments = _arguments(reading, depth)
    grouping = grouping or _grouping(reading) or (True, ())
    takes = 1 if AGGREGATIONS[name] is None else 2
    if len(arguments) != takes:
        raise SyntaxIsWrongError(f"wrong number of arguments for aggregate {name!r}", at=at)
    parameter = arguments[0] if takes > 1 else None
    by, labels = grouping
    node = Aggregation(name, arguments[-1], by=by, labels=labels, parameter=parameter)
    check(node, at=at, parameter=AGGREGATIONS[name])
    return node


def _grouping(reading: Reading) -> tuple[bool, tuple[str, ...]] | None:
    if reading.token.lower not in {"by", "without"}:
        return None
    return reading.take().lower == "by", reading.labels()


def _call(reading: Reading, name: str, at: int, depth: int) -> Node:
    signature = SIGNATURES.get(name)
    if signature is None:
        raise SyntaxIsWrongError(f"unknown function with name {name!r}", at=at)
    node = Call(name, tuple(_arguments(reading, depth)), signature.yields)
    check(node, at=at)
    return node


def _arguments(reading: Reading, depth: int) -> list[Node]:
    reading.expect("(")
    found: list[Node] = []
    while not reading.accept(")"):
        found.append(_expression(reading, 0, depth + 1))
        if not reading.accept(","):
            reading.expect(")")
            break
    return found


def _matching(reading: Reading) -> Matching | None:
    if reading.token.lower not in {"on", "ignoring"}:
        return None
    on = reading.take().lower == "on"
    labels = reading.labels()
    if reading.token.lower not in {"group_left", "group_right"}:
        return Matching(on, labels)
    left = reading.take().lower == "group_left"
    include = reading.labels() if reading.token.text == "(" else ()
    return Matching(on, labels, "left" if left else "right", include)
