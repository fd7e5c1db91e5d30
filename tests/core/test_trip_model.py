from hypothesis import given
from hypothesis import strategies as st
from tests.core.naive import NaiveJudge
from tests.core.strategies import eighths, lags, silences, trip_rules

from uat_resilience._core.trip import TripRule

CALLS = st.lists(st.tuples(silences(), lags(), st.integers(0, 1), eighths(0, 3)), max_size=60)


@given(rule=trip_rules(), calls=CALLS)
def test_a_judge_decides_as_one_that_keeps_every_call(
    rule: TripRule, calls: list[tuple[float, float, int, float]]
) -> None:
    judge, model = rule.judge(), NaiveJudge(rule)
    now = 0.0

    for silence, lag, failed, elapsed in calls:
        now += silence
        was_quiet, before = judge.quiet, (judge.calls, judge.failures, judge.slow)

        tripped = judge.record(now - lag, failed, elapsed)

        assert tripped == model.trips(now - lag, failed, elapsed)
        judge.forget(now)
        assert (judge.calls, judge.failures, judge.slow) == model.figures(now)
        if was_quiet and not failed:
            assert not tripped
            assert (judge.calls, judge.failures, judge.slow) == before
