from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.core.naive import NaiveWindow
from tests.core.strategies import lags, silences, time_windows, windows

from uat_resilience._core.window import TimeWindow, Window


class RememberedCalls(RuleBasedStateMachine):
    """A tally against a list of every call there ever was."""

    @initialize(window=windows() | time_windows(), start=st.sampled_from([0.0, 1000.0]))
    def begin(self, window: Window, start: float) -> None:
        self.window = window
        self.tally = window.tally()
        self.model = NaiveWindow(window)
        self.now = start
        self.times: list[tuple[float, float]] = []  # When the clock was read, and when it came in.

    @rule(silence=silences(), failed=st.integers(0, 1), slow=st.integers(0, 1), lag=lags())
    def record(self, silence: float, failed: int, slow: int, lag: float) -> None:
        self.now += silence

        self.tally.record(self.now - lag, failed, slow)

        self.model.record(self.now - lag, failed, slow)
        self.times.append((self.now - lag, self.now))

    @rule(silence=silences())
    def read(self, silence: float) -> None:
        self.now += silence

        self.tally.forget(self.now)

        inside = self.model.inside(self.now)
        assert self.tally.calls == len(inside)
        assert self.tally.failures == sum(call.failed for call in inside)
        assert self.tally.slow == sum(call.slow for call in inside)
        self.compare_with_the_promise()

    @rule()
    def replace_the_clock(self) -> None:
        self.now -= 1e6
        self.times.clear()

    def compare_with_the_promise(self) -> None:
        """No call older than the width counts, and all that are younger by a bucket do."""
        if isinstance(self.window, TimeWindow):
            width, bucket = self.window.width, self.window.width / self.window.buckets
            at_most = sum(self.now - came < width for _, came in self.times)
            at_least = sum(self.now - read < width - bucket for read, _ in self.times)
            assert at_least <= self.tally.calls <= at_most

    @invariant()
    def totals_make_sense(self) -> None:
        assert 0 <= self.tally.failures <= self.tally.calls
        assert 0 <= self.tally.slow <= self.tally.calls


TestRememberedCalls = RememberedCalls.TestCase
