from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.core.naive import NaiveWindow
from tests.core.strategies import lags, silences

from uat_resilience._core.budget import BudgetMachine
from uat_resilience._core.window import TimeWindow


class Spending(RuleBasedStateMachine):
    """A budget against two lists: of every call, and of every extra attempt."""

    @initialize(
        ratio=st.sampled_from([0.0, 0.125, 0.5, 2.0]),
        minimum_per_second=st.sampled_from([0.0, 0.125, 1.0]),
    )
    def begin(self, ratio: float, minimum_per_second: float) -> None:
        self.ratio, self.floor = ratio, minimum_per_second * 10.0
        self.machine = BudgetMachine(
            ratio=ratio, minimum_per_second=minimum_per_second, window=10.0
        )
        self.calls = NaiveWindow(TimeWindow(10.0))
        self.extras = NaiveWindow(TimeWindow(10.0))
        self.now = 0.0

    @rule(silence=silences())
    def wait(self, silence: float) -> None:
        self.now += silence

    @rule(calls=st.integers(1, 10), lag=lags())
    def call(self, calls: int, lag: float) -> None:
        for _ in range(calls):
            self.machine.deposit(self.now - lag)
            self.calls.record(self.now - lag, 0, 0)

    @rule(lag=lags())
    def retry(self, lag: float) -> None:
        now = self.now - lag
        affordable = self.affordable(now)

        granted = self.machine.withdraw(now)

        assert granted == (affordable >= 1)
        if granted:
            self.extras.record(now, 0, 0)

    @rule(
        ratio=st.sampled_from([0.0, 0.125, 0.5, 2.0]),
        minimum_per_second=st.sampled_from([0.0, 0.125, 1.0]),
    )
    def change_the_settings(self, ratio: float, minimum_per_second: float) -> None:
        self.ratio, self.floor = ratio, minimum_per_second * 10.0
        self.machine.ratio, self.machine.minimum_per_second = ratio, minimum_per_second

    @invariant()
    def extra_attempts_are_paid_for(self) -> None:
        assert self.machine.available(self.now) == self.affordable(self.now)
        assert self.machine.counts(self.now) == (
            len(self.calls.inside(self.now)),
            len(self.extras.inside(self.now)),
        )

    def affordable(self, now: float) -> float:
        """Return the right-hand side of the formula less the left-hand side."""
        calls, extras = len(self.calls.inside(now)), len(self.extras.inside(now))
        return self.ratio * calls + self.floor - extras


TestSpending = Spending.TestCase
