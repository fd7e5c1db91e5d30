"""Labels of a series: what it measures, and of whom."""

from collections.abc import Collection, Iterable, Mapping

__all__ = ["NAME", "Labels", "labelled", "nameless", "value_of", "without"]

Labels = tuple[tuple[str, str], ...]
"""Names with their values, by name; none is empty, because an empty value means that the label is not there."""

NAME = "__name__"
"""The label that holds the name of the metric."""


def labelled(given: Mapping[str, str] | Iterable[tuple[str, str]]) -> Labels:
    """Return labels in the one form that two equal sets share."""
    pairs = dict(given).items()
    return tuple(sorted((name, value) for name, value in pairs if value))


def value_of(labels: Labels, name: str) -> str:
    """Return the value of a label, or an empty text."""
    for each, value in labels:
        if each == name:
            return value
    return ""


def nameless(labels: Labels) -> Labels:
    """Return the labels without the metric's name: what was computed is another metric."""
    return tuple(pair for pair in labels if pair[0] != NAME)


def without(labels: Labels, names: Collection[str]) -> Labels:
    """Return the labels but for these."""
    return tuple(pair for pair in labels if pair[0] not in names)
