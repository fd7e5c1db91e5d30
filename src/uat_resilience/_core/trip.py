"""When a closed breaker opens: rules are frozen settings, judges keep their counts.

Thresholds are inclusive (`>=`) and are judged after every recorded call, successes too: the call that
brings a window to its minimum decides, whichever way it ended.
"""

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar, Protocol

from uat_resilience._core.arguments import at_least, fraction, seconds
from uat_resilience._core.window import TimeWindow, Window

__all__ = ["ConsecutiveFailures", "FailureRate", "Judge", "SlowRate", "TripRule"]


class Judge(Protocol):
    """The counts of one closed era, and the verdict on them."""

    @property
    def quiet(self) -> bool:
        """True when recording one more success would change nothing."""
        ...

    @property
    def calls(self) -> int | None:
        """Calls judged, or None when the rule does not count calls."""
        ...

    @property
    def failures(self) -> int:
        """Failures judged."""
        ...

    @property
    def slow(self) -> int:
        """Slow calls judged."""
        ...

    def record(self, now: float, failed: int, elapsed: float) -> bool:
        """Count one call (`failed` is 0 or 1) and return True when the breaker must open."""
        ...

    def forget(self, now: float) -> None:
        """Drop what no longer counts."""
        ...


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


@dataclass(frozen=True, slots=True)
class ConsecutiveFailures(_Combining):
    """Open after `count` failures in a row; one success starts again from zero.

    Args:
        count: Failures in a row, at least 1. Five forgives a hiccup and is quick to read in a log.
    """

    count: int = 5
    slower_than: ClassVar[None] = None

    def __post_init__(self) -> None:
        at_least("count", self.count, 1)

    def judge(self) -> Judge:
        """Return a streak of zero."""
        return _Streak(self.count)


@dataclass(frozen=True, slots=True)
class FailureRate(_Combining):
    """Open when the share of failures in the window reaches `threshold`.

    Args:
        threshold: Share of failures, above 0 and up to 1.
        window: How much of the past is judged: a `TimeWindow` or a `CountWindow`.
        minimum_calls: Calls needed before the rate means anything, at least 1. Above a
            `CountWindow`'s size it means that size.
    """

    threshold: float = 0.5
    _: KW_ONLY
    window: Window = TimeWindow(60.0)
    minimum_calls: int = 10
    slower_than: ClassVar[None] = None

    def __post_init__(self) -> None:
        fraction("threshold", self.threshold)
        _check_window(self.window)
        at_least("minimum_calls", self.minimum_calls, 1)

    def judge(self) -> Judge:
        """Return an empty window."""
        return _FailureShare(self.threshold, self.window, self.minimum_calls)


@dataclass(frozen=True, slots=True)
class SlowRate(_Combining):
    """Open when the share of slow calls in the window reaches `threshold`.

    A dependency that answers in minutes raises nothing; this rule sees it. Failures are timed too.

    Args:
        threshold: Share of slow calls, above 0 and up to 1.
        slower_than: Seconds from which a call counts as slow (inclusive), above 0.
        window: How much of the past is judged: a `TimeWindow` or a `CountWindow`.
        minimum_calls: Calls needed before the rate means anything, at least 1.
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
        return _SlowShare(self.threshold, self.slower_than, self.window, self.minimum_calls)


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
        return _EitherJudge(self.left.judge(), self.right.judge())


class _Streak:
    """Failures in a row."""

    __slots__ = ("_limit", "failures", "quiet")
    calls: ClassVar[None] = None
    slow: ClassVar[int] = 0

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.failures = 0
        self.quiet = True

    def record(self, now: float, failed: int, elapsed: float) -> bool:  # noqa: ARG002 - a Judge's call
        self.failures = self.failures + 1 if failed else 0
        self.quiet = not self.failures
        return self.failures >= self._limit

    def forget(self, now: float) -> None:
        """Do nothing: a streak does not age."""


class _Share:
    """Counts over a window; subclasses say which share is judged."""

    __slots__ = ("_minimum", "_tally", "_threshold")
    quiet: ClassVar[bool] = False

    def __init__(self, threshold: float, window: Window, minimum_calls: int) -> None:
        self._threshold = threshold
        self._tally = window.tally()
        self._minimum = window.capped(minimum_calls)

    @property
    def calls(self) -> int:
        return self._tally.calls

    @property
    def failures(self) -> int:
        return self._tally.failures

    @property
    def slow(self) -> int:
        return self._tally.slow

    def forget(self, now: float) -> None:
        self._tally.forget(now)


class _FailureShare(_Share):
    __slots__ = ()

    def record(self, now: float, failed: int, elapsed: float) -> bool:  # noqa: ARG002 - a Judge's call
        tally = self._tally
        tally.record(now, failed, 0)
        calls = tally.calls
        return calls >= self._minimum and tally.failures / calls >= self._threshold


class _SlowShare(_Share):
    __slots__ = ("_slower_than",)

    def __init__(
        self, threshold: float, slower_than: float, window: Window, minimum_calls: int
    ) -> None:
        super().__init__(threshold, window, minimum_calls)
        self._slower_than = slower_than

    def record(self, now: float, failed: int, elapsed: float) -> bool:
        tally = self._tally
        tally.record(now, failed, int(elapsed >= self._slower_than))
        calls = tally.calls
        return calls >= self._minimum and tally.slow / calls >= self._threshold


class _EitherJudge:
    """Two judges that see the same calls."""

    __slots__ = ("_left", "_right")

    def __init__(self, left: Judge, right: Judge) -> None:
        self._left = left
        self._right = right

    @property
    def quiet(self) -> bool:
        return self._left.quiet and self._right.quiet

    @property
    def calls(self) -> int | None:
        counts = [j.calls for j in (self._left, self._right) if j.calls is not None]
        return max(counts, default=None)

    @property
    def failures(self) -> int:
        return max(self._left.failures, self._right.failures)

    @property
    def slow(self) -> int:
        return max(self._left.slow, self._right.slow)

    def record(self, now: float, failed: int, elapsed: float) -> bool:
        left = self._left.record(now, failed, elapsed)
        right = self._right.record(now, failed, elapsed)
        return left or right

    def forget(self, now: float) -> None:
        self._left.forget(now)
        self._right.forget(now)


def _check_window(window: object) -> None:
    if not callable(getattr(window, "tally", None)):
        raise TypeError(f"window must be a TimeWindow or a CountWindow, not {window!r}")
