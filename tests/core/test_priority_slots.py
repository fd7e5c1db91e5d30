import pytest

from uat_resilience._core.priority_slots import Priority, PrioritySlotMachine

IMPORTANCE = [
    Priority.CRITICAL,
    Priority.HIGH,
    Priority.NORMAL,
    Priority.LOW,
    Priority.BACKGROUND,
]


def full(size: int = 1, queue: int = 10) -> PrioritySlotMachine[str]:
    slots: PrioritySlotMachine[str] = PrioritySlotMachine(size, queue)
    for _ in range(size):
        slots.enter()
    return slots


def test_priorities_compare_by_importance() -> None:
    assert list(Priority) == IMPORTANCE
    assert sorted(Priority, reverse=True) == IMPORTANCE


def test_slots_are_handed_out_until_all_are_taken() -> None:
    slots: PrioritySlotMachine[str] = PrioritySlotMachine(2, 0)

    entered = [slots.enter() for _ in range(3)]

    assert entered == [True, True, False]
    assert slots.running == 2


def test_slot_given_back_with_nobody_waiting_is_free() -> None:
    slots = full()

    granted = slots.leave()

    assert granted is None
    assert slots.enter()


def test_freed_slots_go_to_the_most_important_waiter_first() -> None:
    slots = full()
    for priority in reversed(IMPORTANCE):
        slots.queue(priority.name, priority)

    order = [slots.leave() for _ in IMPORTANCE]

    assert order == [priority.name for priority in IMPORTANCE]
    assert (slots.running, slots.waiting) == (1, 0)


def test_equals_are_served_first_come_first_served() -> None:
    slots = full()
    for name in ("first", "second", "third"):
        slots.queue(name)

    assert [slots.leave() for _ in range(3)] == ["first", "second", "third"]


def test_newcomer_does_not_take_a_slot_that_was_handed_on() -> None:
    slots = full()
    slots.queue("waiter", Priority.BACKGROUND)

    slots.leave()

    assert not slots.enter()
    assert slots.claim("waiter")


def test_full_queue_takes_nobody() -> None:
    slots = full(queue=1)

    queued = [slots.queue("first", Priority.LOW), slots.queue("second", Priority.CRITICAL)]

    assert queued == [True, False]
    assert slots.waiting == 1


def test_more_important_newcomer_sheds_the_last_of_the_least_important() -> None:
    slots = full(queue=4)
    slots.queue("low", Priority.LOW)
    slots.queue("old batch", Priority.BACKGROUND)
    slots.queue("new batch", Priority.BACKGROUND)
    slots.queue("person", Priority.HIGH)

    shed = [slots.shed(Priority.NORMAL) for _ in range(4)]

    assert shed == ["new batch", "old batch", "low", None]
    assert slots.leave() == "person"


@pytest.mark.parametrize("priority", IMPORTANCE)
def test_equals_are_not_shed_for_each_other(priority: Priority) -> None:
    slots = full(queue=1)
    slots.queue("waiter", priority)

    assert slots.shed(priority) is None


def test_empty_queue_has_nobody_to_shed() -> None:
    assert full(queue=0).shed(Priority.CRITICAL) is None


def test_waiter_that_was_shed_has_no_slot_to_claim() -> None:
    slots = full()
    slots.queue("batch", Priority.BACKGROUND)
    slots.shed(Priority.HIGH)

    claimed = slots.claim("batch")

    assert not claimed
    assert slots.leave() is None


def test_more_slots_are_granted_to_waiters_at_once_and_the_rest_are_free() -> None:
    slots = full(size=1)
    slots.queue("low", Priority.LOW)
    slots.queue("high", Priority.HIGH)

    granted = slots.resize(4)

    assert granted == ["high", "low"]
    assert (slots.running, slots.size) == (3, 4)
    assert [slots.enter(), slots.enter()] == [True, False]


def test_fewer_slots_throw_nobody_out_and_hand_none_on_until_enough_are_gone() -> None:
    slots = full(size=3)
    slots.queue("waiter")
    at_once = slots.resize(1)

    handed_on = [slots.leave() for _ in range(3)]

    assert at_once == []
    assert handed_on == [None, None, "waiter"]
    assert slots.running == 1


def test_waiter_that_gives_up_leaves_the_queue() -> None:
    slots = full()
    slots.queue("gone", Priority.HIGH)
    slots.queue("next", Priority.LOW)

    claimed = slots.claim("gone")

    assert not claimed
    assert slots.leave() == "next"


def test_slot_granted_to_a_waiter_that_is_gone_moves_on() -> None:
    slots = full()
    slots.queue("gone", Priority.HIGH)
    slots.queue("next", Priority.LOW)
    slots.leave()

    moved_on = slots.abandon("gone")
    again = slots.abandon("gone")

    assert (moved_on, again) == ("next", None)
    assert slots.running == 1


def test_slot_granted_before_the_size_shrank_is_not_handed_on_by_a_waiter_that_is_gone() -> None:
    slots = full(size=2)
    slots.queue("gone")
    slots.queue("next")
    slots.leave()
    slots.resize(1)

    assert slots.abandon("gone") is None
    assert (slots.running, slots.waiting) == (1, 1)


def test_forked_child_starts_empty() -> None:
    slots = full(size=2)
    slots.queue("granted")
    slots.queue("waiting", Priority.LOW)
    slots.leave()

    slots.clear()

    assert (slots.running, slots.waiting) == (0, 0)
    assert not slots.claim("granted")


def test_queue_that_has_shrunk_gives_nobody_up_for_a_newcomer() -> None:
    slots: PrioritySlotMachine[str] = PrioritySlotMachine(1, 2)
    slots.enter()
    slots.queue("first", Priority.LOW)
    slots.queue("second", Priority.LOW)

    slots.queue_limit = 1

    assert slots.shed(Priority.CRITICAL) is None
    assert slots.waiting == 2


def test_call_from_before_a_fork_makes_no_slot_when_it_leaves_in_the_child() -> None:
    slots = full(size=1)
    slots.clear()

    slots.leave()

    assert slots.running == 0
    assert (slots.enter(), slots.enter()) == (True, False)
