"""How long to pause before the next attempt: functions of the attempt number alone.

A backoff is any callable `attempt -> seconds`, where attempt 1 is the call that failed first. Those
here are overflow-proof at any attempt number and never exceed their maximum. Jitter comes after,
inside the cap (see `jitter`).
"""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass

from uat_resilience._core.arguments import number, seconds_or_zero

__all__ = ["Backoff", "Constant", "Exponential", "Linear"]

Backoff = Callable[[int], float]
"""Seconds to pause after the given attempt (counted from 1)."""


@dataclass(frozen=True, slots=True)
class Constant:
    """Pause the same time after every attempt.

    Frozen, and safe to share.

    Args:
        delay: Seconds, 0 or more.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    delay: float

    def __post_init__(self) -> None:
        seconds_or_zero("delay", self.delay)

    def __call__(self, attempt: int) -> float:  # noqa: ARG002 - a Backoff's call
        """Return the same pause whatever the attempt."""
        return self.delay

    @property
    def longest(self) -> float:
        """Seconds that no pause exceeds."""
        return self.delay


@dataclass(frozen=True, slots=True)
class Linear:
    """Pause `initial` seconds longer after every attempt: `initial * attempt`.

    Frozen, and safe to share.

    Args:
        initial: Seconds after the first attempt, and the step, 0 or more.
        maximum: Cap in seconds, 0 or more. Half a minute is as long as most callers still wait.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    initial: float
    _: KW_ONLY
    maximum: float = 30.0

    def __post_init__(self) -> None:
        seconds_or_zero("initial", self.initial)
        seconds_or_zero("maximum", self.maximum)

    def __call__(self, attempt: int) -> float:
        """Return the pause after `attempt`."""
        return min(self.initial * attempt, self.maximum)

    @property
    def longest(self) -> float:
        """Seconds that no pause exceeds."""
        return self.maximum


@dataclass(frozen=True, slots=True)
class Exponential:
    """Pause `factor` times longer after every attempt: `initial * factor ** (attempt - 1)`.

    Frozen, and safe to share.

    Args:
        initial: Seconds after the first attempt, 0 or more. A blip is over in 0.1 s.
        factor: Growth, at least 1.
        maximum: Cap in seconds, 0 or more. Half a minute is as long as most callers still wait.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    initial: float = 0.1
    _: KW_ONLY
    factor: float = 2.0
    maximum: float = 30.0

    def __post_init__(self) -> None:
        seconds_or_zero("initial", self.initial)
        rule = "a number of at least 1"
        if number("factor", self.factor, rule) < 1:
            raise ValueError(f"factor must be {rule}, not {self.factor!r}")
        seconds_or_zero("maximum", self.maximum)

    def __call__(self, attempt: int) -> float:
        """Return the pause after `attempt`."""
        try:
            # A whole number to a high power would be exact, and take the memory of a machine.
            return min(self.initial * float(self.factor) ** (attempt - 1), self.maximum)
        except OverflowError:
            return self.maximum if self.initial else 0.0

    @property
    def longest(self) -> float:
        """Seconds that no pause exceeds."""
        return self.maximum
