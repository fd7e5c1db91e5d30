"""Times and durations as Prometheus takes them."""

import math
from datetime import datetime

from uat_platform.metrics_aggregator.promql.durations import duration
from uat_platform.metrics_aggregator.promql.errors import SyntaxIsWrongError

__all__ = ["span", "time_of"]

_LATEST = 2**53


def time_of(name: str, value: str | None, default: int) -> int:
    """Return a time in milliseconds: from seconds since 1970, or a date as of RFC 3339.

    Raises:
        SyntaxIsWrongError: It is none.
    """
    if value is None or not value:
        return default
    seconds = _number(value)
    if seconds is None:
        try:
            date = datetime.fromisoformat(value)
        except ValueError:
            date = None
        if date is None or date.tzinfo is None:
            raise _invalid(name, f"cannot parse {value!r} to a valid timestamp")
        seconds = date.timestamp()
    if not abs(seconds) * 1000 < _LATEST:
        raise _invalid(name, f"cannot parse {value!r} to a valid timestamp")
    return round(seconds * 1000)


def span(name: str, value: str) -> int:
    """Return a duration in milliseconds: from seconds, or as it is written in queries.

    Raises:
        SyntaxIsWrongError: It is none.
    """
    seconds = _number(value)
    if seconds is None:
        try:
            return duration(value)
        except ValueError as error:
            raise _invalid(name, f"cannot parse {value!r} to a valid duration") from error
    if not abs(seconds) * 1000 < _LATEST:
        raise _invalid(name, f"cannot parse {value!r} to a valid duration. It overflows int64")
    return int(seconds * 1000)


def _number(value: str) -> float | None:
    try:
        found = float(value)
    except ValueError:
        return None
    return found if math.isfinite(found) and "_" not in value else None


def _invalid(name: str, message: str) -> SyntaxIsWrongError:
    return SyntaxIsWrongError(f'invalid parameter "{name}": {message}')
