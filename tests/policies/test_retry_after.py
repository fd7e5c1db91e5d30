from typing import Any

import pytest

from uat_resilience import (
    RateLimitedError,
)
from uat_resilience.policies.retry_after import asked_pause, sane


class Response(Exception):  # noqa: N818 - stands for a response
    def __init__(self, headers: Any) -> None:
        self.headers = headers


class Answered(Exception):  # noqa: N818 - stands for an error with a response
    def __init__(self, headers: Any) -> None:
        self.response = Response(headers)


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (RateLimitedError("api", retry_after=3.0), 3.0),
        (Answered({"Retry-After": "7"}), 7.0),
        (Answered({"retry-after": "7.5"}), 7.5),
        (Response({"Retry-After": "2"}), 2.0),
        (Answered({"Retry-After": "soon"}), None),
        (Answered({"Retry-After": "-1"}), None),
        (Answered({"Retry-After": "nan"}), None),
        (Answered({"Retry-After": "1_0"}), None),
        (Answered({"Retry-After": "\N{ARABIC-INDIC DIGIT THREE}"}), None),
        (Answered({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}), None),
        (Answered({"Retry-After": "Wed, 21 Oct 2015 07:28:00 -0000"}), None),
        (Answered({}), None),
        (Answered(None), None),
        (KeyError(), None),
    ],
    ids=range(14),
)
def test_the_pause_a_server_asks_for_is_read(error: Exception, seconds: float | None) -> None:
    assert asked_pause(error) == seconds


def test_a_date_to_come_is_so_many_seconds_away() -> None:
    pause = asked_pause(Answered({"Retry-After": "Fri, 31 Dec 2100 23:59:59 GMT"}))

    assert pause is not None
    assert pause > 1e9


@pytest.mark.parametrize("value", [True, "3", None, 0, -1, float("inf"), float("nan")])
def test_what_is_no_sane_pause_counts_as_not_said(value: object) -> None:
    assert sane(value) is None
