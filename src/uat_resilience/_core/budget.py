"""A retry budget: extra attempts as a share of calls, so that retries cannot multiply an outage.

    extra attempts in the window  <=  ratio * calls in the window + minimum_per_second * window

The form is the one of Finagle and tower (a share of requests, and a floor for quiet clients); the window
is a ring of buckets instead of a leaky bucket, so that a long quiet time saves nothing up.
"""

from uat_resilience._core.window import TimeWindow

__all__ = ["BudgetMachine"]

_ROUNDING = 1e-9  # 0.29 * 100 is a little less than 29; an extra attempt must not be lost to that.


class BudgetMachine:
    """Count calls and extra attempts, and say whether one more extra attempt is affordable.

    Not thread-safe: its owner locks.

    Attributes:
        ratio: Extra attempts per call. May be changed: what was counted stays.
        minimum_per_second: Extra attempts a second that are always affordable. May be changed.
    """

    __slots__ = ("_calls", "_extras", "_window", "minimum_per_second", "ratio")

    def __init__(self, *, ratio: float, minimum_per_second: float, window: float) -> None:
        self.ratio = ratio
        self.minimum_per_second = minimum_per_second
        self._window = window
        self._calls = TimeWindow(window).tally()
        self._extras = TimeWindow(window).tally()

    def deposit(self, now: float) -> None:
        """Count one call."""
        self._calls.record(now)

    def withdraw(self, now: float) -> bool:
        """Charge one extra attempt; False, and no charge, when the budget is spent."""
        if self.available(now) < 1 - _ROUNDING:
            return False
        self._extras.record(now)
        return True

    def available(self, now: float) -> float:
        """Return how many extra attempts could be charged now; below 0 after calls were forgotten."""
        self._calls.forget(now)
        self._extras.forget(now)
        floor = self.minimum_per_second * self._window
        return self.ratio * self._calls.calls + floor - self._extras.calls

    def counts(self, now: float) -> tuple[int, int]:
        """Return the calls and the extra attempts inside the window."""
        self._calls.forget(now)
        self._extras.forget(now)
        return self._calls.calls, self._extras.calls
