from collections.abc import Callable
from dataclasses import replace
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.strategies import attempts, backoffs, draws
from tests.core.wording import exactly

from uat_resilience._core.backoff import Backoff, Constant, Exponential
from uat_resilience._core.jitter import Jitter
from uat_resilience._core.retry import GiveUp, Pause, RetryPlan, decide

PLAN = RetryPlan(
    attempts=3, backoff=Constant(2.0), jitter=Jitter.NONE, retry_after_max=300.0, time_limit=None
)


def decision(
    plan: RetryPlan = PLAN,
    *,
    attempt: int = 1,
    elapsed: float = 0.0,
    remaining: float | None = None,
    retry_after: float | None = None,
    single_try: bool = False,
    draw: Callable[[], float] = lambda: 0.5,
) -> Pause | GiveUp:
    return decide(
        plan,
        attempt=attempt,
        elapsed=elapsed,
        remaining=remaining,
        retry_after=retry_after,
        single_try=single_try,
        draw=draw,
    )


def never_drawn() -> float:
    raise AssertionError("a decision to give up needs no luck")


def test_three_attempts_are_three_calls() -> None:
    answers = [decision(attempt=attempt) for attempt in (1, 2, 3, 4)]

    assert answers == [Pause(2.0), Pause(2.0), GiveUp.ATTEMPTS, GiveUp.ATTEMPTS]


def test_one_attempt_is_never_followed_by_another() -> None:
    assert decision(replace(PLAN, attempts=1)) is GiveUp.ATTEMPTS


@pytest.mark.parametrize("attempt", [1, 3, 1000, 10**6])
def test_without_a_number_of_attempts_there_is_no_last_one(attempt: int) -> None:
    unlimited = replace(PLAN, attempts=None, backoff=Exponential(8.0))

    answer = decision(unlimited, attempt=attempt)

    assert answer == Pause(min(8.0 * 2 ** min(attempt - 1, 10), 30.0))


def test_the_backoff_is_asked_with_the_number_of_the_attempt_that_failed() -> None:
    asked: list[int] = []

    def backoff(attempt: int) -> float:
        asked.append(attempt)
        return attempt * 0.25

    answers = [decision(replace(PLAN, backoff=backoff), attempt=attempt) for attempt in (1, 2)]

    assert asked == [1, 2]
    assert answers == [Pause(0.25), Pause(0.5)]


@pytest.mark.parametrize(
    ("jitter", "pause"), [(Jitter.NONE, 2.0), (Jitter.FULL, 0.5), (Jitter.EQUAL, 1.25)]
)
def test_the_pause_is_spread_by_one_draw(jitter: Jitter, pause: float) -> None:
    drawn: list[float] = []

    def draw() -> float:
        drawn.append(0.25)
        return 0.25

    answer = decision(replace(PLAN, jitter=jitter), draw=draw)

    assert answer == Pause(pause)
    assert drawn == [0.25]


@pytest.mark.parametrize("pause", [0, 0.0, 0.125, 7])
def test_any_finite_number_of_seconds_is_a_pause(pause: float) -> None:
    assert decision(replace(PLAN, backoff=lambda _: pause)) == Pause(pause)


@pytest.mark.parametrize("nonsense", [-0.1, nan, inf, 10**400, True, "1", None])
def test_a_backoff_that_returns_nonsense_is_named(nonsense: object) -> None:
    plan = replace(PLAN, backoff=lambda _: nonsense)
    expected = f"backoff must be a finite number of seconds, 0 or more, not {nonsense!r}"

    with pytest.raises((TypeError, ValueError), match=exactly(expected)):
        decision(plan)


@pytest.mark.parametrize(
    ("asked", "pause"),
    [(None, 2.0), (0.5, 2.0), (2.0, 2.0), (2.5, 2.5), (300.0, 300.0)],
)
def test_what_the_server_asks_for_is_never_undercut(asked: float | None, pause: float) -> None:
    assert decision(retry_after=asked) == Pause(pause)


def test_jitter_does_not_undercut_what_the_server_asks_for() -> None:
    plan = replace(PLAN, backoff=Constant(100.0), jitter=Jitter.FULL)

    assert decision(plan, retry_after=7.0, draw=lambda: 0.01) == Pause(7.0)


def test_a_server_that_asks_for_more_than_the_maximum_is_not_asked_again() -> None:
    assert decision(retry_after=300.125, draw=never_drawn) is GiveUp.RETRY_AFTER


@pytest.mark.parametrize(
    ("elapsed", "answer"),
    [
        (0.0, Pause(2.0)),
        (7.875, Pause(2.0)),
        (8.0, GiveUp.TIME_LIMIT),
        (8.125, GiveUp.TIME_LIMIT),
        (11.0, GiveUp.TIME_LIMIT),
    ],
)
def test_no_attempt_starts_at_or_after_the_time_limit(elapsed: float, answer: object) -> None:
    assert decision(replace(PLAN, time_limit=10.0), elapsed=elapsed) == answer


@pytest.mark.parametrize(
    ("remaining", "answer"),
    [
        (None, Pause(2.0)),
        (2.125, Pause(2.0)),
        (2.0, GiveUp.DEADLINE),
        (1.875, GiveUp.DEADLINE),
        (0.0, GiveUp.DEADLINE),
        (-1.0, GiveUp.DEADLINE),
    ],
)
def test_no_pause_ends_at_or_after_the_deadline(remaining: float | None, answer: object) -> None:
    assert decision(remaining=remaining) == answer


@pytest.mark.parametrize("remaining", [0.0, -0.125])
def test_no_time_is_left_for_an_attempt_without_a_pause_either(remaining: float) -> None:
    assert decision(replace(PLAN, backoff=Constant(0)), remaining=remaining) is GiveUp.DEADLINE


def test_a_server_that_asks_for_more_than_the_time_left_ends_the_run() -> None:
    assert decision(retry_after=60.0, remaining=30.0) is GiveUp.DEADLINE
    assert decision(replace(PLAN, time_limit=30.0), retry_after=60.0) is GiveUp.TIME_LIMIT


def test_inside_single_try_there_is_one_attempt() -> None:
    assert decision(single_try=True, draw=never_drawn) is GiveUp.SINGLE_TRY


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"attempt": 3}, GiveUp.ATTEMPTS),
        ({"attempt": 2}, GiveUp.SINGLE_TRY),
        ({"attempt": 2, "single_try": False}, GiveUp.RETRY_AFTER),
        ({"attempt": 2, "single_try": False, "retry_after": None}, GiveUp.TIME_LIMIT),
        ({"attempt": 2, "single_try": False, "retry_after": None, "elapsed": 0.0}, GiveUp.DEADLINE),
    ],
)
def test_of_several_reasons_the_first_in_the_list_is_given(
    changes: dict[str, object], reason: GiveUp
) -> None:
    hopeless = {"elapsed": 9.0, "remaining": 1.0, "retry_after": 301.0, "single_try": True}

    answer = decision(replace(PLAN, time_limit=10.0), **{**hopeless, **changes})

    assert answer is reason


@given(
    backoff=backoffs(),
    jitter=st.sampled_from(Jitter),
    attempt=attempts(),
    elapsed=st.floats(0.0, 1e6),
    remaining=st.none() | st.floats(-10.0, 1e6),
    retry_after=st.none() | st.floats(0.0, 400.0),
    draw=draws(),
)
def test_a_pause_fits_into_the_time_there_is_and_respects_the_server(
    *,
    backoff: Backoff,
    jitter: Jitter,
    attempt: int,
    elapsed: float,
    remaining: float | None,
    retry_after: float | None,
    draw: float,
) -> None:
    plan = RetryPlan(None, backoff, jitter, retry_after_max=300.0, time_limit=1e6)

    answer = decision(
        plan,
        attempt=attempt,
        elapsed=elapsed,
        remaining=remaining,
        retry_after=retry_after,
        draw=lambda: draw,
    )

    if isinstance(answer, Pause):
        assert elapsed + answer.seconds < 1e6
        assert remaining is None or answer.seconds < remaining
        assert (retry_after or 0.0) <= answer.seconds <= max(backoff(attempt), retry_after or 0.0)
