"""Functions of each element by itself: logarithms, rounding, the calendar."""

import math
from calendar import monthrange
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

__all__ = ["CALENDAR", "EACH", "clamped", "rounded"]


def _safe(
    function: Callable[[float], float], *, overflow: float = math.inf
) -> Callable[[float], float]:
    """Return a function that yields NaN outside of its domain, and an infinity where it is too large."""

    def compute(value: float) -> float:
        try:
            return function(value)
        except ValueError:
            return math.nan
        except OverflowError:
            return math.copysign(overflow, value) if function is math.sinh else overflow

    return compute


def _logarithm(function: Callable[[float], float]) -> Callable[[float], float]:
    safe = _safe(function)
    return lambda value: -math.inf if value == 0 else safe(value)


def _whole(function: Callable[[float], int]) -> Callable[[float], float]:
    # What is whole already may be infinite, or a negative zero.
    return lambda value: (
        value
        if not math.isfinite(value) or value == 0
        else math.copysign(float(function(value)), value)
    )


def _atanh(value: float) -> float:
    return math.copysign(math.inf, value) if abs(value) == 1 else _safe(math.atanh)(value)


def _sign(value: float) -> float:
    return value if math.isnan(value) or value == 0 else math.copysign(1.0, value)


EACH: dict[str, Callable[[float], float]] = {
    "abs": abs,
    "acos": _safe(math.acos),
    "acosh": _safe(math.acosh),
    "asin": _safe(math.asin),
    "asinh": math.asinh,
    "atan": math.atan,
    "atanh": _atanh,
    "ceil": _whole(math.ceil),
    "cos": _safe(math.cos),
    "cosh": _safe(math.cosh),
    "deg": lambda value: value * 180 / math.pi,
    "exp": _safe(math.exp),
    "floor": _whole(math.floor),
    "ln": _logarithm(math.log),
    "log10": _logarithm(math.log10),
    "log2": _logarithm(math.log2),
    "rad": lambda value: value * math.pi / 180,
    "sgn": _sign,
    "sin": _safe(math.sin),
    "sinh": _safe(math.sinh),
    "sqrt": _safe(math.sqrt),
    "tan": _safe(math.tan),
    "tanh": math.tanh,
}


def rounded(value: float, to: float) -> float:
    """Return the nearest multiple of something; halves go up."""
    if not math.isfinite(value) or not math.isfinite(to):
        return math.nan if math.isnan(value) or not math.isfinite(to) else value
    if to == 0:
        return math.nan
    inverse = 1.0 / to
    scaled = value * inverse + 0.5
    return (float(math.floor(scaled)) if math.isfinite(scaled) else scaled) / inverse


def clamped(value: float, least: float, most: float) -> float:
    """Return the value, or the end that it is beyond."""
    if math.isnan(value) or math.isnan(least) or math.isnan(most):
        return math.nan
    return max(least, min(most, value))


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _date(read: Callable[[datetime], int]) -> Callable[[float], float]:
    def compute(seconds: float) -> float:
        try:
            return float(read(_EPOCH + timedelta(seconds=int(seconds))))
        except (OverflowError, ValueError):
            return math.nan

    return compute


CALENDAR: dict[str, Callable[[float], float]] = {
    "day_of_month": _date(lambda date: date.day),
    "day_of_week": _date(lambda date: date.isoweekday() % 7),
    "day_of_year": _date(lambda date: date.timetuple().tm_yday),
    "days_in_month": _date(lambda date: monthrange(date.year, date.month)[1]),
    "hour": _date(lambda date: date.hour),
    "minute": _date(lambda date: date.minute),
    "month": _date(lambda date: date.month),
    "year": _date(lambda date: date.year),
}
"""Functions of seconds since 1970, in UTC."""
