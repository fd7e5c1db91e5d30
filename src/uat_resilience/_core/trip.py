"""When a closed breaker opens: rules are frozen settings, judges keep their counts.

Thresholds are inclusive (`>=`) and are judged after every recorded call, successes too: the call that
brings a window to its minimum decides, whichever way it ended.
"""

from dataclasses import KW_ONLY, dataclass
from typing import Protocol

from uat_resilience._core.arguments import at_least, fraction, seconds
from uat_resilience._core.judges import EitherJudge, FailureShare, Judge, SlowShare, Streak
from uat_resilience._core.window import TimeWindow, Window

__all__ = ["ConsecutiveFailures", "FailureRate", "Judge", "SlowRate", "TripRule"]


class TripRule(Protocol):
    """A frozen setting that makes judges. Rules combine with `|`: either opens."""

    @property
    def slower_than(self) -> float | None:
        """Seconds from which a call is slow, or None when the rule does not time calls."""
        ...

    def judge(self) -> Judge:
        """Return fresh counts for a new closed era."""
        ...


class _Combining:
    __slots__ = ()

    def __or__(self: TripRule, other: TripRule) -> "Either":
        return Either(self, other)


class _Untimed(_Combining):
    __slots__ = ()

    @property
    def slower_than(self) -> float | None:
        """None: this rule does not time calls."""
        return None


@dataclass(frozen=True, slots=True)
class ConsecutiveFailures(_Untimed):
    """Open after `count` failures in a row; one success starts again from zero.

    Frozen, and safe to share.

    Args:
        count: Failures in a row, at least 1. Five forgives a hiccup and is quick to read in a log.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    count: int = 5

    def __post_init__(self) -> None:
        at_least("count", self.count, 1)

    def judge(self) -> Judge:
        """Return a streak of zero."""
        return Streak(self.count)


@dataclass(frozen=True, slots=True)
class FailureRate(_Untimed):
    """Open when the share of failures in the window reaches `threshold`, judged after every recorded call.

    For many calls at once: between two failures there is then nearly always a success, and no streak.

    Frozen, and safe to share: each breaker counts for itself.

    Args:
        threshold: Share of failures, above 0 and up to 1. Half, as in resilience4j.
        window: How much of the past is judged: a `TimeWindow` or a `CountWindow`.
        minimum_calls: Calls needed before the rate means anything, at least 1. With fewer than ten a single
            failure is a large share. Above a `CountWindow`'s size it means that size.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    threshold: float = 0.5
    _: KW_ONLY
    window: Window = TimeWindow(60.0)
    minimum_calls: int = 10

    def __post_init__(self) -> None:
        fraction("threshold", self.threshold)
        _check_window(self.window)
        at_least("minimum_calls", self.minimum_calls, 1)

    def judge(self) -> Judge:
        """Return an empty window."""
        return FailureShare(self.threshold, self.window, self.minimum_calls)


@dataclass(frozen=True, slots=True)
class SlowRate(_Combining):
    """Open when the share of slow calls in the window reaches `threshold`.

    A dependency that answers in minutes raises nothing; this rule sees it. Failures are timed too.

    Frozen, and safe to share: each breaker counts for itself.

    Args:
        threshold: Share of slow calls, above 0 and up to 1.
        slower_than: Seconds from which a call counts as slow (inclusive), above 0.
        window: How much of the past is judged: a `TimeWindow` or a `CountWindow`.
        minimum_calls: Calls needed before the rate means anything, at least 1. Above a `CountWindow`'s size it
            means that size.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    threshold: float = 0.5
    _: KW_ONLY
    slower_than: float
    window: Window = TimeWindow(60.0)
    minimum_calls: int = 10

    def __post_init__(self) -> None:
        fraction("threshold", self.threshold)
        seconds("slower_than", self.slower_than)
        _check_window(self.window)
        at_least("minimum_calls", self.minimum_calls, 1)

    def judge(self) -> Judge:
        """Return an empty window."""
        return SlowShare(self.threshold, self.slower_than, self.window, self.minimum_calls)


@dataclass(frozen=True, slots=True)
class Either(_Combining):
    """Open as soon as one of two rules says so: what `rule | rule` makes."""

    left: TripRule
    right: TripRule

    def __post_init__(self) -> None:
        for side, rule in (("left", self.left), ("right", self.right)):
            if not callable(getattr(rule, "judge", None)):
                raise TypeError(f"{side} must be a trip rule, not {rule!r}")

    @property
    def slower_than(self) -> float | None:
        """The smaller of the two limits: from there on one of the rules counts a call as slow."""
        limits = [r.slower_than for r in (self.left, self.right) if r.slower_than is not None]
        return min(limits, default=None)

    def judge(self) -> Judge:
        """Return both judges as one."""
        return EitherJudge(self.left.judge(), self.right.judge())


def _check_window(window: object) -> None:
    if not callable(getattr(window, "tally", None)):
        raise TypeError(f"window must be a TimeWindow or a CountWindow, not {window!r}")
