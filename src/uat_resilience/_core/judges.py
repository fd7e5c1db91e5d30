"""What the rules in `trip` make for each closed era: something that counts calls and says when to open."""

from typing import Protocol

from uat_resilience._core.window import Window

__all__ = ["EitherJudge", "FailureShare", "Judge", "SlowShare", "Streak"]


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


class Streak:
    """Failures in a row."""

    __slots__ = ("_limit", "failures", "quiet")
    calls: None = None
    slow: int = 0

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
    quiet: bool = False

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


class FailureShare(_Share):
    __slots__ = ()

    def record(self, now: float, failed: int, elapsed: float) -> bool:  # noqa: ARG002 - a Judge's call
        tally = self._tally
        tally.record(now, failed)
        failures = tally.failures
        if not failures:  # The usual case, and the one that has to be quick.
            return False
        calls = tally.calls
        return calls >= self._minimum and failures / calls >= self._threshold


class SlowShare(_Share):
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


class EitherJudge:
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
