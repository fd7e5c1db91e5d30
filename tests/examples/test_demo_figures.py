"""The figures that the demo shows are computed from its records, and fit where they are shown."""

from itertools import pairwise

import pytest
from examples.demo.load import arrivals
from examples.demo.phases import Story
from examples.demo.score import Outcome, Record, Score
from examples.demo.table import Cell, Paint, Row, percent, row


def score_of(*records: tuple[float, float, Outcome]) -> Score:
    return Score([Record(*record) for record in records])


def test_success_counts_the_calls_begun_in_the_stretch() -> None:
    score = score_of(
        (0.5, 0.1, Outcome.IN_TIME), (1.0, 0.1, Outcome.FAILED), (1.5, 3.0, Outcome.LATE)
    )

    assert score.success(0.0, 1.0) == 1.0
    assert score.success(1.0, 2.0) == 0.0
    assert score.success() == pytest.approx(1 / 3)
    assert score.success(9.0) is None


def test_latency_leaves_refusals_out_and_waiting_in_vain_leaves_answers_out() -> None:
    score = score_of(
        (0.0, 0.2, Outcome.IN_TIME), (0.0, 1.0, Outcome.FAILED), (0.0, 0.001, Outcome.REFUSED)
    )

    assert score.latency(0.0) == 0.2
    assert score.latency(0.99) == 1.0
    assert score.waited_in_vain() == pytest.approx(1.001)
    assert Score().latency(0.5) is None


def test_well_again_is_the_moment_after_which_it_stays_well() -> None:
    outcomes = [Outcome.FAILED, Outcome.IN_TIME, Outcome.FAILED, Outcome.IN_TIME, Outcome.IN_TIME]
    score = score_of(*((10.0 + 0.5 * i, 0.1, outcome) for i, outcome in enumerate(outcomes)))

    assert score.well_again(10.0, 12.5) == 1.5
    assert score.well_again(10.0, 11.5) is None


def test_phases_follow_each_other_without_a_gap_and_the_last_has_no_end() -> None:
    story = Story(20.0)

    spans = story.spans()

    assert spans[0].since == 0.0
    assert spans[-1].until == 20.0
    assert all(earlier.until == later.since for earlier, later in pairwise(spans))
    assert story.at(99.0) == spans[-1]


def test_arrivals_are_the_same_for_the_same_seed() -> None:
    first = list(arrivals(rate=50.0, seconds=10.0, seed=3))

    assert first == list(arrivals(rate=50.0, seconds=10.0, seed=3))
    assert first != list(arrivals(rate=50.0, seconds=10.0, seed=4))
    assert 400 < len(first) < 600


@pytest.mark.parametrize("width", [20, 40, 80, 140])
def test_no_row_is_wider_than_it_may_be(width: int) -> None:
    wide = row("a label that is longer than its place", "x" * 100, "y" * 100)

    assert len(wide.render(width, painted=False)) <= width
    assert len(Row(Cell("t" * 200)).render(width, painted=False)) <= width


def test_paint_does_not_change_the_width() -> None:
    cell = Cell("OPEN", Paint.RED)

    assert cell.render(6, painted=True) == "\x1b[31mOPEN  \x1b[0m"
    assert cell.render(6, painted=False) == "OPEN  "


def test_a_share_of_nothing_is_a_dash() -> None:
    assert percent(None) == "-"
    assert percent(0.5) == "50 %"
