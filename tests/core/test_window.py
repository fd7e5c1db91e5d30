from math import inf, nan

import pytest
from tests.core.wording import exactly

from uat_resilience._core.window import CountWindow, Tally, TimeWindow


def fill(tally: Tally, outcomes: str, *, at: float = 0.0, slow: int = 0) -> Tally:
    """Record one call for each sign: - for a failure, + for a success."""
    for outcome in outcomes:
        tally.record(at, int(outcome == "-"), slow)
    return tally


def figures(tally: Tally, now: float) -> tuple[int, int, int]:
    tally.forget(now)
    return tally.calls, tally.failures, tally.slow


@pytest.mark.parametrize(
    ("outcomes", "calls", "failures"),
    [
        ("", 0, 0),
        ("-", 1, 1),
        ("+-+++", 5, 1),
        ("-++-++-++", 5, 1),
        ("-----++++", 5, 1),
        ("-----+++++", 5, 0),
        ("+++++-------", 5, 5),
        ("-----+++++-----+++++-", 5, 1),
    ],
)
def test_a_count_window_judges_the_last_calls(outcomes: str, calls: int, failures: int) -> None:
    tally = CountWindow(5).tally()

    fill(tally, outcomes)

    assert (tally.calls, tally.failures) == (calls, failures)


def test_a_count_window_of_one_sees_the_last_call_only() -> None:
    tally = CountWindow(1).tally()

    seen = [(fill(tally, outcome).failures, tally.calls) for outcome in "+--+-"]

    assert seen == [(0, 1), (1, 1), (1, 1), (0, 1), (1, 1)]


def test_a_count_window_forgets_slow_calls_as_they_are_pushed_out() -> None:
    tally = CountWindow(3).tally()
    fill(tally, "+-", slow=1)

    fill(tally, "+")
    at_most = tally.slow
    fill(tally, "+")
    after_one = tally.slow
    fill(tally, "+")

    assert (at_most, after_one, tally.slow) == (2, 1, 0)
    assert tally.failures == 0


def test_a_count_window_does_not_age() -> None:
    tally = CountWindow(3).tally()
    fill(tally, "--")

    assert figures(tally, 1e12) == (2, 2, 0)


def test_calls_of_a_time_window_add_up() -> None:
    tally = TimeWindow(10.0).tally()

    fill(tally, "-++++")
    fill(tally, "+-", at=3.0, slow=1)

    assert figures(tally, 3.0) == (7, 2, 2)


def test_a_time_window_forgets_pair_by_pair() -> None:
    tally = TimeWindow(10.0, buckets=10).tally()
    seen = []

    for n, pair in enumerate(["+-", "+-", "++", "++", "++"]):
        fill(tally, pair, at=2.0 * n)
        seen.append(figures(tally, 2.0 * n + 2.0)[:2])
    seen.append(figures(tally, 12.0)[:2])

    assert seen == [(2, 1), (4, 2), (6, 2), (8, 2), (8, 1), (6, 0)]


def test_of_one_call_a_second_nine_are_left_after_ten_seconds() -> None:
    tally = TimeWindow(10.0, buckets=10).tally()
    for second in range(10):
        fill(tally, "+", at=float(second))

    assert figures(tally, 10.0)[0] == 9
    assert figures(tally, 11.0)[0] == 8


def test_each_bucket_keeps_its_own_failures() -> None:
    tally = TimeWindow(5.0, buckets=5).tally()

    for second in range(7):
        fill(tally, "-" * second, at=float(second))
        fill(tally, "+" * 2 * second, at=float(second), slow=1)

    assert figures(tally, 6.0) == (60, 20, 40)
    assert figures(tally, 9.0) == (33, 11, 22)


@pytest.mark.parametrize("buckets", [1, 2, 10, 60])
@pytest.mark.parametrize("start", [0.0, 0.375, -7.0, 1e6])
def test_a_call_that_opens_a_window_is_remembered_for_exactly_the_width(
    buckets: int, start: float
) -> None:
    tally = TimeWindow(60.0, buckets).tally()
    fill(tally, "-", at=start, slow=1)

    just_before = figures(tally, start + 60.0 - 1e-6)
    exactly = figures(tally, start + 60.0)

    assert just_before == (1, 1, 1)
    assert exactly == (0, 0, 0)


def test_a_later_call_is_forgotten_at_most_one_bucket_early() -> None:
    tally = TimeWindow(10.0, buckets=5).tally()
    fill(tally, "+", at=0.0)
    fill(tally, "-", at=1.75)
    fill(tally, "-", at=7.5)

    assert figures(tally, 9.75) == (3, 2, 0)
    assert figures(tally, 10.0) == (1, 1, 0)
    assert figures(tally, 15.75) == (1, 1, 0)
    assert figures(tally, 16.0) == (0, 0, 0)


def test_the_first_call_after_everything_was_forgotten_opens_the_window_again() -> None:
    tally = TimeWindow(10.0, buckets=10).tally()
    fill(tally, "+", at=0.0)
    tally.forget(5.0)
    tally.forget(10.5)

    fill(tally, "-", at=10.75)

    assert figures(tally, 20.625) == (1, 1, 0)
    assert figures(tally, 20.75) == (0, 0, 0)


@pytest.mark.parametrize("silence", [10.0, 10.125, 11.0, 25.0, 1e3, 1e15])
def test_a_silence_as_long_as_the_window_leaves_nothing_whether_read_or_written(
    silence: float,
) -> None:
    read = TimeWindow(10.0).tally()
    written = TimeWindow(10.0).tally()
    for tally in (read, written):
        fill(tally, "----", slow=1)

    fill(written, "+", at=silence)

    assert figures(read, silence) == (0, 0, 0)
    assert figures(written, silence) == (1, 0, 0)


def test_reading_twice_forgets_once() -> None:
    tally = TimeWindow(10.0, buckets=10).tally()
    fill(tally, "--", at=0.0)
    fill(tally, "+", at=5.0)

    first = figures(tally, 12.0)

    assert first == (1, 0, 0)
    assert figures(tally, 12.0) == first
    assert figures(tally, 14.875) == first
    assert figures(tally, 15.0) == (0, 0, 0)


def test_many_calls_need_no_more_room_than_a_few() -> None:
    tally = TimeWindow(10.0, buckets=10).tally()

    for n in range(10_000):
        tally.record(n / 1024, 0, 0)

    assert tally.calls == 10_000
    assert len(tally._ring) == 10


@pytest.mark.parametrize("behind", [1e-9, 0.125, 1.0])
def test_a_thread_that_comes_late_with_its_reading_clears_nothing(behind: float) -> None:
    tally = TimeWindow(10.0, buckets=10).tally()
    fill(tally, "--", at=0.0)
    fill(tally, "-", at=5.0)

    fill(tally, "-", at=5.0 - behind)

    assert figures(tally, 5.0 - behind) == (4, 4, 0)
    assert figures(tally, 10.0) == (2, 2, 0)


@pytest.mark.parametrize("earlier", [104.875, 101.0, 100.0, 0.0, -1e9])
def test_a_clock_with_an_earlier_epoch_starts_the_window_again(earlier: float) -> None:
    read = TimeWindow(10.0, buckets=5).tally()
    written = TimeWindow(10.0, buckets=5).tally()
    for tally in (read, written):
        fill(tally, "---", at=100.0)
        fill(tally, "-", at=106.0)

    fill(written, "+", at=earlier)

    assert figures(read, earlier) == (0, 0, 0)
    assert figures(written, earlier) == (1, 0, 0)
    assert figures(written, earlier + 9.875) == (1, 0, 0)
    assert figures(written, earlier + 10.0) == (0, 0, 0)


@pytest.mark.parametrize("window", [CountWindow(3), TimeWindow(10.0)])
def test_a_call_of_which_nothing_more_is_said_went_well(window: CountWindow | TimeWindow) -> None:
    tally = window.tally()

    tally.record(0.0)

    assert (tally.calls, tally.failures, tally.slow) == (1, 0, 0)


@pytest.mark.parametrize(
    ("window", "minimum", "capped"),
    [
        (CountWindow(5), 3, 3),
        (CountWindow(5), 5, 5),
        (CountWindow(5), 6, 5),
        (TimeWindow(1.0), 1000, 1000),
    ],
)
def test_only_a_count_window_limits_how_many_calls_can_be_waited_for(
    window: CountWindow | TimeWindow, minimum: int, capped: int
) -> None:
    assert window.capped(minimum) == capped


def test_windows_have_the_sizes_that_nobody_has_to_ask_for() -> None:
    assert CountWindow() == CountWindow(100)
    assert TimeWindow() == TimeWindow(60.0, buckets=10)


@pytest.mark.parametrize("size", [0, -1, 2.5, True, nan, "5"])
def test_a_count_window_needs_a_size(size: object) -> None:
    expected = f"size must be a whole number of at least 1, not {size!r}"

    with pytest.raises((TypeError, ValueError), match=exactly(expected)):
        CountWindow(size)


@pytest.mark.parametrize("width", [0, -1.0, nan, inf, True, "60"])
def test_a_time_window_needs_a_width(width: object) -> None:
    expected = f"width must be a finite number of seconds above 0, not {width!r}"

    with pytest.raises((TypeError, ValueError), match=exactly(expected)):
        TimeWindow(width)


@pytest.mark.parametrize("buckets", [0, -1, 2.5, True, "10"])
def test_a_time_window_needs_buckets(buckets: object) -> None:
    expected = f"buckets must be a whole number of at least 1, not {buckets!r}"

    with pytest.raises((TypeError, ValueError), match=exactly(expected)):
        TimeWindow(60.0, buckets)


@pytest.mark.parametrize("window", [CountWindow(5), TimeWindow(5.0, buckets=5)])
def test_call_of_which_nothing_is_said_was_neither_failed_nor_slow(
    window: CountWindow | TimeWindow,
) -> None:
    tally = window.tally()

    tally.record(0.0)

    assert figures(tally, 0.0) == (1, 0, 0)
