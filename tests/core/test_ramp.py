from typing import Any

import pytest

from uat_resilience._core.ramp import Ramp


@pytest.mark.parametrize(
    ("since", "share"),
    [(-1.0, 0.1), (0.0, 0.1), (5.0, 0.55), (10.0, 1.0), (15.0, 1.0), (1e9, 1.0)],
)
def test_share_grows_in_a_straight_line_from_start_to_everything(
    since: float, share: float
) -> None:
    assert Ramp(10.0).share(since) == pytest.approx(share)


@pytest.mark.parametrize(
    ("draw", "admitted"), [(0.0, True), (0.249, True), (0.25, False), (0.9, False)]
)
def test_call_passes_when_its_draw_is_below_the_share(draw: float, *, admitted: bool) -> None:
    assert Ramp(10.0, start=0.25).admits(0.0, draw) is admitted


def test_every_call_passes_once_the_ramp_is_over() -> None:
    assert Ramp(10.0).admits(10.0, draw=1 - 1e-16)


def test_start_of_one_admits_everybody_at_once() -> None:
    assert Ramp(10.0, start=1.0).share(0.0) == 1.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seconds": 0.0}, "seconds must be a finite number of seconds above 0, not 0.0"),
        ({"start": 0.0}, "start must be a fraction above 0 and at most 1, not 0.0"),
        ({"start": 1.5}, "start must be a fraction above 0 and at most 1, not 1.5"),
    ],
)
def test_bad_settings_are_refused_with_their_rule(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Ramp(**{"seconds": 10.0, **arguments})
