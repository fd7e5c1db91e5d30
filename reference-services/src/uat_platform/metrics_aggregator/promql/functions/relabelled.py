"""Functions that change labels."""

import re

from uat_platform.metrics_aggregator.promql.errors import QueryError
from uat_platform.metrics_aggregator.promql.values import Vector
from uat_platform.metrics_aggregator.series.labels import labelled
from uat_platform.metrics_aggregator.series.patterns import compiled

__all__ = ["label_join", "label_replace"]

_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
_REFERENCE = re.compile(r"\$(?:(\$)|(\w+)|\{(\w+)\})", re.ASCII)


def label_replace(
    vector: Vector, target: str, replacement: str, source: str, pattern: str
) -> Vector:
    """Return a vector with a label set to what was made of another one, where that has a certain form.

    Raises:
        QueryError: There is no such label or regular expression.
    """
    _check(target, "destination")
    try:
        expression = compiled(pattern)
    except ValueError as error:
        raise QueryError(f"invalid regular expression in label_replace(): {error}") from error
    found: Vector = []
    for labels, value in vector:
        named = dict(labels)
        match = expression.fullmatch(named.get(source, ""))
        if match is not None:
            named[target] = _expanded(replacement, match)
        found.append((labelled(named), value))
    return found


def label_join(vector: Vector, target: str, separator: str, *sources: str) -> Vector:
    """Return a vector with a label set to the values of others, joined.

    Raises:
        QueryError: There is no such label.
    """
    for source in sources:
        _check(source, "source")
    _check(target, "destination")
    found: Vector = []
    for labels, value in vector:
        named = dict(labels)
        named[target] = separator.join(named.get(source, "") for source in sources)
        found.append((labelled(named), value))
    return found


def _check(label: str, role: str) -> None:
    if _LABEL.fullmatch(label) is None:
        raise QueryError(f"invalid {role} label name: {label}")


def _expanded(template: str, match: re.Match[str]) -> str:
    def meant(reference: re.Match[str]) -> str:
        if reference[1]:
            return "$"
        name = reference[2] or reference[3]
        key = int(name) if name.isdigit() else name
        try:
            return match[key] or ""
        except IndexError:
            return ""

    return _REFERENCE.sub(meant, template)
