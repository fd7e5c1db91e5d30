"""Two answers to one query: whether they say the same."""

import math
from typing import Any

Json = Any
_NEAR = 1e-12


def same(ours: Json, theirs: Json, *, ordered: bool) -> bool:
    """Return whether two bodies of `/api/v1/query` or `query_range` say the same.

    Numbers may differ in their last digits, because sums over series have no order, and logarithms differ
    between libraries. Messages of errors may differ; the kind of error may not.
    """
    if ours["status"] != theirs["status"]:
        return False
    if ours["status"] == "error":
        return bool(ours["errorType"] == theirs["errorType"])
    left, right = ours["data"], theirs["data"]
    if left["resultType"] != right["resultType"]:
        return False
    kind = left["resultType"]
    if kind in {"scalar", "string"}:
        return _point(left["result"], right["result"])
    lefts, rights = left["result"], right["result"]
    if not (ordered and kind == "vector"):
        lefts, rights = sorted(lefts, key=_metric), sorted(rights, key=_metric)
    return len(lefts) == len(rights) and all(map(_series, lefts, rights))


def _metric(series: Json) -> list[tuple[str, str]]:
    return sorted(series["metric"].items())


def _series(left: Json, right: Json) -> bool:
    if left["metric"] != right["metric"]:
        return False
    if "value" in left:
        return _point(left["value"], right["value"])
    ours, theirs = left["values"], right["values"]
    return len(ours) == len(theirs) and all(map(_point, ours, theirs))


def _point(left: Json, right: Json) -> bool:
    if left[0] != right[0]:
        return False
    if left[1] == right[1]:
        return True
    try:
        one, other = float(left[1]), float(right[1])
    except ValueError:
        return False
    return math.isclose(one, other, rel_tol=_NEAR, abs_tol=1e-15)
