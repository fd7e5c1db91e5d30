"""What the rules in `trip` make for each closed era: something that counts calls and says when to open.

When a rule is replaced while calls are judged, the judge adopts the limits of the new one if that counts alike,
and keeps its counts. Otherwise the new one starts counting.
"""

from typing import Protocol

from uat_resilience._core.window import Window

__all__ = ["EitherJudge", "FailureShare", "Judge", "SlowShare", "Streak", "adopted"]


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


def adopted(judge: Judge, new: Judge) -> bool:
    """Give a judge the limits of a new one and keep its counts; False when they do not count alike.

    Then the new one is to take its place. So are judges of users' own rules.
    """
    return isinstance(judge, Streak | _Share | EitherJudge) and judge.adopt(new)


class Streak:
    """Failures in a row."""

    __slots__ = ("failures", "limit", "quiet")
    calls: None = None
    slow: int = 0

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.failures = 0
        self.quiet = True

    def record(self, now: float, failed: int, elapsed: float) -> bool:  # noqa: ARG002 - a Judge's call
        self.failures = self.failures + 1 if failed else 0
        self.quiet = not self.failures
        return self.failures >= self.limit

    def forget(self, now: float) -> None:
        """Do nothing: a streak does not age."""

    def adopt(self, other: object) -> bool:
        if not isinstance(other, Streak):
            return False
        self.limit = other.limit
        return True


class _Share:
    """Counts over a window; subclasses say which share is judged."""

    __slots__ = ("_tally", "minimum", "threshold", "window")
    quiet: bool = False

    def __init__(self, threshold: float, window: Window, minimum_calls: int) -> None:
        self.threshold = threshold
        self.window = window
        self._tally = window.tally()
        self.minimum = window.capped(minimum_calls)

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

    def adopt(self, other: object) -> bool:
        if not isinstance(other, type(self)) or other.window != self.window:
            return False
        self.threshold, self.minimum = other.threshold, other.minimum
        return True


class FailureShare(_Share):
    __slots__ = ()

    def record(self, now: float, failed: int, elapsed: float) -> bool:  # noqa: ARG002 - a Judge's call
        tally = self._tally
        tally.record(now, failed)
        failures = tally.failures
        if not failures:  # The usual case, and the one that has to be quick.
            return False
        calls = tally.calls
        return calls >= self.minimum and failures / calls >= self.threshold


class SlowShare(_Share):
    __slots__ = ("slower_than",)

    def __init__(
        self, threshold: float, slower_than: float, window: Window, minimum_calls: int
    ) -> None:
        super().__init__(threshold, window, minimum_calls)
        self.slower_than = slower_than

    def record(self, now: float, failed: int, elapsed: float) -> bool:
        tally = self._tally
        tally.record(now, failed, int(elapsed >= self.slower_than))
        calls = tally.calls
        return calls >= self.minimum and tally.slow / calls >= self.threshold

    def adopt(self, other: object) -> bool:
        if not isinstance(other, SlowShare) or not super().adopt(other):
            return False
        self.slower_than = other.slower_than
        return True


class EitherJudge:
    """Two judges that see the same calls."""

    __slots__ = ("left", "right")

    def __init__(self, left: Judge, right: Judge) -> None:
        self.left = left
        self.right = right

    @property
    def quiet(self) -> bool:
        return self.left.quiet and self.right.quiet

    @property
    def calls(self) -> int | None:
        counts = [j.calls for j in (self.left, self.right) if j.calls is not None]
        return max(counts, default=None)

    @property
    def failures(self) -> int:
        return max(self.left.failures, self.right.failures)

    @property
    def slow(self) -> int:
        return max(self.left.slow, self.right.slow)

    def record(self, now: float, failed: int, elapsed: float) -> bool:
        left = self.left.record(now, failed, elapsed)
        right = self.right.record(now, failed, elapsed)
        return left or right

    def forget(self, now: float) -> None:
        self.left.forget(now)
        self.right.forget(now)

    def adopt(self, other: object) -> bool:
        return (
            isinstance(other, EitherJudge)
            and adopted(self.left, other.left)
            and adopted(self.right, other.right)
        )
