"""Models for the property tests: they keep everything that ever happened, and count it when asked."""

from dataclasses import dataclass, field
from math import floor

from uat_resilience._core.straggling import STRAGGLING
from uat_resilience._core.trip import ConsecutiveFailures, Either, FailureRate, SlowRate, TripRule
from uat_resilience._core.window import CountWindow, TimeWindow, Window


@dataclass(frozen=True)
class Call:
    """One recorded call, and the bucket it fell into."""

    failed: int
    slow: int
    bucket: int


@dataclass
class NaiveWindow:
    """Every call since the beginning; those inside the window are picked at each question."""

    window: Window
    calls: list[Call] = field(default_factory=list)
    origin: float = 0.0
    newest: int = 0

    def record(self, now: float, failed: int, slow: int) -> None:
        """Remember a call."""
        if not self.inside(now):
            self.calls, self.origin, self.newest = [], now, 0
        self.calls.append(Call(failed, slow, self.newest))

    def inside(self, now: float) -> list[Call]:
        """Return the calls that are inside the window now."""
        if isinstance(self.window, CountWindow):
            return self.calls[-self.window.size :]
        assert isinstance(self.window, TimeWindow)
        width = self.window.width / self.window.buckets
        if self.calls and now < self.origin + self.newest * width - STRAGGLING:
            self.calls = []
        self.newest = max(self.newest, floor((now - self.origin) / width))
        return [call for call in self.calls if call.bucket > self.newest - self.window.buckets]


@dataclass
class NaiveJudge:
    """Every call of one closed era; the rule is applied to them at each question."""

    rule: TripRule
    outcomes: list[int] = field(default_factory=list)
    window: NaiveWindow = field(init=False)
    sides: "list[NaiveJudge]" = field(init=False)

    def __post_init__(self) -> None:
        windowed = isinstance(self.rule, FailureRate | SlowRate)
        self.window = NaiveWindow(self.rule.window if windowed else CountWindow())
        joined = isinstance(self.rule, Either)
        self.sides = [NaiveJudge(r) for r in (self.rule.left, self.rule.right)] if joined else []

    def trips(self, now: float, failed: int, elapsed: float) -> bool:
        """Remember a call and say whether the rule is broken."""
        self.outcomes.append(failed)
        limit = self.rule.slower_than
        self.window.record(now, failed, int(limit is not None and elapsed >= limit))
        calls, failures, slow = self.figures(now)
        match self.rule:
            case ConsecutiveFailures(count):
                return failures >= count
            case FailureRate(threshold):
                return calls >= self.minimum() and failures >= threshold * calls
            case SlowRate(threshold):
                return calls >= self.minimum() and slow >= threshold * calls
        verdicts = [side.trips(now, failed, elapsed) for side in self.sides]  # Both see every call.
        return any(verdicts)

    def replace(self, rule: TripRule) -> bool:
        """Apply another rule to the calls from now on; False when it needs other counts."""
        if type(rule) is not type(self.rule):
            return False
        if isinstance(rule, Either):
            rules = (rule.left, rule.right)
            if not all(side.replace(r) for side, r in zip(self.sides, rules, strict=True)):
                return False
        elif isinstance(rule, FailureRate | SlowRate) and rule.window != self.rule.window:
            return False
        self.rule = rule
        return True

    def minimum(self) -> int:
        """Return the calls that are needed for a verdict."""
        if isinstance(self.rule.window, CountWindow):
            return min(self.rule.minimum_calls, self.rule.window.size)
        return self.rule.minimum_calls

    def figures(self, now: float) -> tuple[int | None, int, int]:
        """Return calls, failures and slow calls as a judge counts them."""
        if isinstance(self.rule, ConsecutiveFailures):
            return None, len("".join(map(str, self.outcomes)).rpartition("0")[2]), 0
        if self.sides:
            figures = [side.figures(now) for side in self.sides]
            calls = max((n for n, _, _ in figures if n is not None), default=None)
            return calls, max(n for _, n, _ in figures), max(n for _, _, n in figures)
        inside = self.window.inside(now)
        return len(inside), sum(c.failed for c in inside), sum(c.slow for c in inside)
