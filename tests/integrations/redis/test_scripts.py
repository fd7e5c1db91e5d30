"""The script of the rate limiter against the bucket of this process, on times that the test chooses."""

import json
from collections.abc import Callable

import pytest
import redis
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.integrations.redis.servers import Server

from uat_resilience._core.gcra import GcraMachine
from uat_resilience.integrations.redis.scripts import GIVE_BACK, TAKE

MICRO = 1_000_000

# Microseconds since the last call, weight, and how long it would wait (below 0: as long as it takes).
CALLS = st.lists(
    st.tuples(
        st.integers(0, 3 * MICRO),
        st.integers(1, 3),
        st.sampled_from([-1, 0, MICRO // 3, MICRO, 3 * MICRO]),
    ),
    max_size=30,
)


@pytest.fixture(scope="module")
def take(shared_server: Server) -> Callable[..., list[int]]:
    """Run the script at a time of the test's own."""
    client = redis.Redis(port=shared_server.port)
    source = TAKE.source.replace("redis.call('TIME')", "{0, ARGV[5]}")
    assert source != TAKE.source
    return lambda now, *terms: client.eval(source, 1, "bucket", *terms, now)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rate=st.sampled_from([0.5, 1, 3, 7, 1000]),
    burst=st.integers(3, 6),
    calls=CALLS,
)
@example(rate=3, burst=3, calls=[(0, 3, 0), (333_333, 1, 0), (1, 1, 0), (0, 1, -1), (0, 1, 0)])
def test_script_decides_as_the_bucket_of_this_process_does(
    take: Callable[..., list[int]],
    server: Server,
    rate: float,
    burst: int,
    calls: list[tuple[int, int, int]],
) -> None:
    with server.admin() as admin:
        admin.delete("bucket")
    model = GcraMachine[object](rate=rate, per=1.0, burst=burst)
    now = 0

    for passed, weight, patience in calls:
        now += passed
        due = model.wait_for(now / MICRO, weight)
        until = model.reserve(
            object(),
            now / MICRO,
            weight,
            patience=float("inf") if patience < 0 else patience / MICRO,
        )
        taken, wait, *_ = take(now, burst, repr(MICRO / rate), weight, patience)

        assert bool(taken) == (until is not None), json.dumps([now, weight, patience])
        assert wait / MICRO == pytest.approx(due, abs=2e-6)


def test_clock_that_is_set_back_changes_nothing(
    take: Callable[..., list[int]], server: Server
) -> None:
    terms = (2, MICRO, 1, 0)
    later = 3_600 * MICRO
    assert [take(later, *terms)[0] for _ in range(3)] == [1, 1, 0]

    earlier = [take(now, *terms)[0] for now in (0, MICRO // 2, MICRO + 1, MICRO + 2)]

    assert earlier == [0, 0, 1, 0]


def test_reservation_is_given_back_once(take: Callable[..., list[int]], server: Server) -> None:
    take(0, 1, MICRO, 1, -1)
    *_, since, spent = take(0, 1, MICRO, 1, -1)
    with server.admin() as admin:
        answers = [admin.eval(GIVE_BACK.source, 1, "bucket", since, spent, 1) for _ in range(2)]

    assert answers == [[1], [0]]
    assert take(0, 1, MICRO, 1, -1)[1] == MICRO
