"""Read what queries ask for."""

import re

__all__ = ["METRIC", "asked_labels", "selectors"]

METRIC = re.compile(r"\buat_[a-z_]+")
_SELECTOR = re.compile(r"\b(uat_[a-z_]+)(?:\{([^}]*)\})?")
_GROUPING = re.compile(r"\b(?:by|on) \(([^)]*)\)")
_MATCHER = re.compile(r"(\w+)\s*=~?|(\w+)\s*!")

ADDED = {"instance", "job"}
"""Labels that Prometheus adds to whatever it scrapes."""


def selectors(query: str) -> list[tuple[str, set[str]]]:
    """Return the metrics that a query names, each with the labels that it is selected by."""
    found = _SELECTOR.findall(query)
    return [(name, {a or b for a, b in _MATCHER.findall(labels)} - ADDED) for name, labels in found]


def asked_labels(query: str) -> set[str]:
    """Return the labels that a query groups or joins by."""
    return {
        label.strip() for names in _GROUPING.findall(query) for label in names.split(",")
    } - ADDED
