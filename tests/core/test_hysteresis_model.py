from hypothesis import given
from hypothesis import strategies as st

from uat_resilience._core.hysteresis import HysteresisMachine, Status


def naive(history: list[Status], status: Status, fail_after: int, recover_after: int) -> Status:
    """Look at the whole history again after each result."""
    if len(history) == 1:
        return history[0]
    mildest = min(history[-fail_after:]) if len(history) >= fail_after else Status.HEALTHY
    worst = max(history[-recover_after:]) if len(history) >= recover_after else Status.UNHEALTHY
    if mildest > status:
        return mildest
    return min(worst, status)


@given(
    results=st.lists(st.sampled_from(Status), min_size=1, max_size=50),
    fail_after=st.integers(1, 5),
    recover_after=st.integers(1, 5),
)
def test_machine_agrees_with_looking_at_the_whole_history(
    results: list[Status], fail_after: int, recover_after: int
) -> None:
    machine = HysteresisMachine(fail_after=fail_after, recover_after=recover_after)
    status = results[0]

    for count, result in enumerate(results, start=1):
        change = machine.record(result)
        before, status = status, naive(results[:count], status, fail_after, recover_after)

        assert machine.status is status
        assert (change is None) == (count > 1 and status is before)
