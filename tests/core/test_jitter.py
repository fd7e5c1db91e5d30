from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.strategies import draws

from uat_resilience._core.backoff import Exponential
from uat_resilience._core.jitter import Jitter

HUNDRED_CLIENTS = [n / 100 for n in range(100)]


@pytest.mark.parametrize(
    ("jitter", "pauses"),
    [
        (Jitter.NONE, [8.0, 8.0, 8.0, 8.0]),
        (Jitter.FULL, [0.0, 2.0, 4.0, 6.0]),
        (Jitter.EQUAL, [4.0, 5.0, 6.0, 7.0]),
    ],
)
def test_the_draw_decides_where_in_its_range_a_pause_lies(
    jitter: Jitter, pauses: list[float]
) -> None:
    assert [jitter.spread(8.0, draw) for draw in (0.0, 0.25, 0.5, 0.75)] == pauses


@pytest.mark.parametrize("jitter", Jitter)
def test_no_jitter_makes_a_pause_out_of_none(jitter: Jitter) -> None:
    assert jitter.spread(0.0, 0.5) == 0.0


@given(delay=st.floats(0.0, 1e9), draw=draws())
def test_a_spread_pause_stays_between_its_floor_and_the_pause(delay: float, draw: float) -> None:
    assert Jitter.NONE.spread(delay, draw) == delay
    assert 0 <= Jitter.FULL.spread(delay, draw) <= delay
    assert delay / 2 <= Jitter.EQUAL.spread(delay, draw) <= delay


@pytest.mark.parametrize(("jitter", "floor"), [(Jitter.FULL, 0.0), (Jitter.EQUAL, 15.0)])
def test_clients_are_as_spread_at_the_cap_as_anywhere(jitter: Jitter, floor: float) -> None:
    capped = Exponential(0.1, maximum=30.0)(10**6)

    pauses = [jitter.spread(capped, draw) for draw in HUNDRED_CLIENTS]

    gaps = {round(later - earlier, 9) for earlier, later in pairwise(pauses)}
    assert pauses[0] == floor
    assert gaps == {(30.0 - floor) / 100}


def test_small_first_pauses_are_not_swamped_by_the_spread() -> None:
    first = Exponential(0.1)(1)

    pauses = [Jitter.FULL.spread(first, draw) for draw in HUNDRED_CLIENTS]

    assert max(pauses) < 0.1
