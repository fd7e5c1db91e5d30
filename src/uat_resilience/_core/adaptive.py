"""Concurrency limits that find themselves: what the algorithms have in common.

An algorithm is a frozen setting; its tuner keeps the limit and learns from every call that ends. A call is dropped
when it failed or timed out: it says that the dependency could not, however fast it said so, and its time
is never taken for a latency. No algorithm raises its limit because calls fail fast.

Three rules hold for all:

*   A call that began before the last change of the limit says nothing about the limit now. One burst of failures
    is therefore one reason to shrink, not as many as there were calls in it.
*   A limit that is not used is not raised: when fewer than half of the slots are taken, latency does not
    tell what would happen if they were. (The rule of Netflix's concurrency-limits.)
*   A limit never leaves the range from `minimum` to `maximum`.
"""

from dataclasses import dataclass, replace
from typing import Protocol, Self

from uat_resilience._core.arguments import at_least, number

__all__ = ["ROUNDING", "Algorithm", "Limits", "Tuner"]

ROUNDING = 1e-9
"""Seconds forgiven when a call's beginning, its end less its duration, is compared with a moment."""

_HALVING = 0.5  # TCP's own backoff, for loss that is certain to be congestion.


class Tuner(Protocol):
    """One limit, and what it learns. Not thread-safe: its owner locks."""

    limit: int
    """Calls that may run at once."""

    def record(self, now: float, rtt: float, inflight: int, *, dropped: bool) -> int:
        """Take a call that ended, and return the limit from now on.

        Args:
            now: When it ended.
            rtt: Seconds it took, the wait for a slot left out.
            inflight: Calls that were running when it ended, itself included.
            dropped: True when it failed or timed out. Say nothing of calls that were cancelled.
        """
        ...

    def bound(self, minimum: int | None, maximum: int | None) -> int:
        """Keep the limit between other bounds from now on (None: as it was); return it, moved inside if need be.

        Raises:
            TypeError, ValueError: They are none. Nothing has changed then.
        """
        ...


class Algorithm(Protocol):
    """A frozen setting that makes tuners."""

    def tuner(self) -> Tuner:
        """Return a limit at its beginning."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What every algorithm is told: the range of its limit, and what a drop costs.

    Args:
        initial: Where the limit begins. Twenty is enough to learn from and little enough to survive.
        minimum: Lowest limit, at least 1. Without a call there is nothing to learn from.
        maximum: Highest limit: what this side can bear, whatever the other one can.
        backoff: Factor after drops, at least 0.5 and below 1. Netflix's 0.9 costs little when it is wrong,
            and halves the limit in seven round trips when it is right.
    """

    initial: int = 20
    minimum: int = 1
    maximum: int = 200
    backoff: float = 0.9

    def __post_init__(self) -> None:
        at_least("minimum", self.minimum, 1)
        at_least("maximum", self.maximum, self.minimum)
        if at_least("initial", self.initial, self.minimum) > self.maximum:
            raise ValueError(
                f"initial must be at most maximum ({self.maximum}), not {self.initial}"
            )
        rule = "a number of at least 0.5 and below 1"
        if not _HALVING <= number("backoff", self.backoff, rule) < 1:
            raise ValueError(f"backoff must be {rule}, not {self.backoff!r}")

    def within(self, minimum: int | None, maximum: int | None) -> Self:
        """Return the same settings with other bounds; None leaves a bound as it is.

        Raises:
            TypeError, ValueError: As for the constructor.
        """
        low = at_least("minimum", self.minimum if minimum is None else minimum, 1)
        high = at_least("maximum", self.maximum if maximum is None else maximum, low)
        initial = min(max(self.initial, low), high)
        return replace(self, minimum=low, maximum=high, initial=initial)
