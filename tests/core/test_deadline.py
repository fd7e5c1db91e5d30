from dataclasses import dataclass

import pytest

from uat_resilience._core.deadline import DeadlineQueue, tightest


@dataclass(frozen=True, eq=False)
class Call:
    until: float


def queue(*calls: Call) -> DeadlineQueue[Call]:
    running: DeadlineQueue[Call] = DeadlineQueue()
    for call in calls:
        running[call] = None
    return running


def test_nothing_is_due_when_nothing_runs() -> None:
    running = queue()

    assert running.next_due() is None
    assert running.due(1e9) == []
    assert len(running) == 0


def test_the_first_call_says_when_to_look_again() -> None:
    running = queue(Call(2.0), Call(3.0), Call(3.0))

    assert running.next_due() == 2.0
    assert len(running) == 3


def test_a_call_is_due_from_its_deadline_on() -> None:
    first, second, third = Call(2.0), Call(3.0), Call(4.0)
    running = queue(first, second, third)

    assert running.due(1.875) == []
    assert running.due(3.0) == [first, second]
    assert running.next_due() == 4.0
    assert len(running) == 1


def test_a_call_falls_due_once() -> None:
    call = Call(2.0)
    running = queue(call)

    assert running.due(5.0) == [call]
    assert running.due(5.0) == []


def test_calls_with_the_same_deadline_fall_due_in_the_order_they_came() -> None:
    calls = [Call(2.0) for _ in range(5)]

    assert queue(*calls).due(2.0) == calls


def test_a_call_that_has_ended_does_not_fall_due() -> None:
    first, second, third = Call(2.0), Call(3.0), Call(4.0)
    running = queue(first, second, third)

    running.pop(first, None)
    after_the_first = running.next_due()
    running.pop(second, None)

    assert after_the_first == 3.0
    assert running.due(9.0) == [third]


def test_ending_twice_or_after_the_deadline_is_no_error() -> None:
    call = Call(2.0)
    running = queue(call)
    running.due(2.0)

    running.pop(call, None)
    running.pop(call, None)

    assert len(running) == 0


def test_a_queue_is_reused_after_it_was_empty() -> None:
    running = queue(Call(2.0))
    running.due(2.0)

    running[Call(1.0)] = None

    assert running.next_due() == 1.0


@pytest.mark.parametrize(
    ("limits", "answer"),
    [
        ((), None),
        ((None,), None),
        ((None, None), None),
        ((2.0,), 2.0),
        ((2.0, None), 2.0),
        ((None, 2.0, 1.0), 1.0),
        ((0.0, 1.0), 0.0),
        ((-1.0, None, 0.0), -1.0),
    ],
)
def test_the_tightest_of_some_limits(
    limits: tuple[float | None, ...], answer: float | None
) -> None:
    assert tightest(*limits) == answer
