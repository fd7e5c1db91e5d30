"""Checks for constructor arguments: each error names the argument, the rule and the value."""

from collections.abc import Callable
from inspect import iscoroutinefunction
from sys import float_info
from typing import TypeVar, cast

__all__ = [
    "at_least",
    "callback",
    "callback_or_none",
    "flag",
    "fraction",
    "non_negative",
    "number",
    "positive",
    "seconds",
    "seconds_or_zero",
    "text",
    "wait_or_none",
]

F = TypeVar("F", bound=Callable[..., object])


def number(argument: str, value: object, rule: str) -> float:
    """Return `value` as a finite float, or raise an error that states `rule`."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{argument} must be {rule}, not {value!r}")
    # False for NaN too, and `math.isfinite` would overflow on a whole number that is beyond floats.
    if not abs(value) <= float_info.max:
        raise ValueError(f"{argument} must be {rule}, not {value!r}")
    return float(value)


def non_negative(argument: str, value: object) -> float:
    """Return a number of zero or more."""
    rule = "a finite number, 0 or more"
    amount = number(argument, value, rule)
    if amount < 0:
        raise ValueError(f"{argument} must be {rule}, not {value!r}")
    return amount


def positive(argument: str, value: object) -> float:
    """Return a number above zero."""
    rule = "a finite number above 0"
    amount = number(argument, value, rule)
    if amount <= 0:
        raise ValueError(f"{argument} must be {rule}, not {value!r}")
    return amount


def seconds(argument: str, value: object) -> float:
    """Return a duration above zero."""
    rule = "a finite number of seconds above 0"
    duration = number(argument, value, rule)
    if duration <= 0:
        raise ValueError(f"{argument} must be {rule}, not {value!r}")
    return duration


def seconds_or_zero(argument: str, value: object) -> float:
    """Return a duration of zero or more, where zero is a meaning of its own."""
    rule = "a finite number of seconds, 0 or more"
    duration = number(argument, value, rule)
    if duration < 0:
        raise ValueError(f"{argument} must be {rule}, not {value!r}")
    return duration


def wait_or_none(argument: str, value: object) -> float | None:
    """Return a duration of zero or more, or None for no limit."""
    return None if value is None else seconds_or_zero(argument, value)


def fraction(argument: str, value: object) -> float:
    """Return a share above 0 and up to 1."""
    rule = "a fraction above 0 and at most 1"
    share = number(argument, value, rule)
    if not 0 < share <= 1:
        raise ValueError(f"{argument} must be {rule}, not {value!r}")
    return share


def at_least(argument: str, value: object, minimum: int) -> int:
    """Return a whole number of `minimum` or more."""
    rule = f"a whole number of at least {minimum}"
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{argument} must be {rule}, not {value!r}")
    if value < minimum:
        raise ValueError(f"{argument} must be {rule}, not {value!r}")
    return value


def text(argument: str, value: object) -> str:
    """Return a name that is not empty."""
    if not isinstance(value, str):
        raise TypeError(f"{argument} must be a string, not {value!r}")
    if not value:
        raise ValueError(f"{argument} must not be empty")
    return value


def flag(argument: str, value: object) -> bool:
    """Return True or False, and nothing that merely looks like it."""
    if not isinstance(value, bool):
        raise TypeError(f"{argument} must be True or False, not {value!r}")
    return value


def callback(argument: str, value: F, rule: str = "callable") -> F:
    """Return something that can be called and answers at once, or raise an error that states `rule`."""
    if not callable(value):
        raise TypeError(f"{argument} must be {rule}, not {value!r}")
    called = cast("Callable[..., object]", type(value).__call__)
    # Nobody awaits the answer, and a coroutine is as good as True: such a predicate would name every error.
    if iscoroutinefunction(value) or iscoroutinefunction(called):
        raise TypeError(
            f"{argument} must be a plain function, not the coroutine function {value!r}: "
            "its answer is needed at once"
        )
    return value


def callback_or_none(argument: str, value: F | None) -> F | None:
    """Return something that can be called and answers at once, or None."""
    return None if value is None else callback(argument, value, "callable or None")
