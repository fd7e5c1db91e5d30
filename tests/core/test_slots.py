import pytest

from uat_resilience._core.slots import SlotMachine


def loaded(size: int, queue: int, load: int) -> tuple[SlotMachine[str], list[str]]:
    """Throw the whole load at a machine at once; return it with what became of each."""
    machine: SlotMachine[str] = SlotMachine(size, queue)
    fates = []
    for n in range(load):
        if machine.enter():
            fates.append("runs")
        else:
            fates.append("waits" if machine.queue(f"w{n}") else "refused")
    return machine, fates


@pytest.mark.parametrize(
    ("size", "queue", "load", "running", "waiting", "refused"),
    [
        (5, 0, 3, 3, 0, 0),
        (3, 0, 4, 3, 0, 1),
        (3, 1, 5, 3, 1, 1),
        (6, 3, 9, 6, 3, 0),
        (5, 3, 8, 5, 3, 0),
        (1, 6, 5, 1, 4, 0),
        (1, 0, 3, 1, 0, 2),
        (20, 0, 3, 3, 0, 0),
    ],
)
def test_a_load_fills_the_slots_first_and_the_queue_second(
    *, size: int, queue: int, load: int, running: int, waiting: int, refused: int
) -> None:
    machine, fates = loaded(size, queue, load)

    assert fates == ["runs"] * running + ["waits"] * waiting + ["refused"] * refused
    assert (machine.running, machine.waiting) == (running, waiting)


def test_slots_and_places_are_counted_down_and_up_again() -> None:
    machine, _ = loaded(2, 2, 0)
    walk = []

    for waiter in ("a", "b", "c", "d"):
        if not machine.enter():
            machine.queue(waiter)
        walk.append((machine.running, machine.waiting))
    for _ in range(4):
        machine.leave()
        walk.append((machine.running, machine.waiting))

    assert walk == [(1, 0), (2, 0), (2, 1), (2, 2), (2, 1), (2, 0), (1, 0), (0, 0)]


def test_freed_slots_go_to_those_who_wait_in_the_order_they_came() -> None:
    machine, _ = loaded(2, 3, 5)

    granted = [machine.leave() for _ in range(5)]

    assert granted == ["w2", "w3", "w4", None, None]


def test_a_newcomer_does_not_overtake_the_queue() -> None:
    machine, _ = loaded(1, 2, 2)

    granted = machine.leave()

    assert granted == "w1"
    assert machine.enter() is False
    assert machine.running == 1


def test_a_newcomer_does_not_overtake_those_who_wait_for_a_slot_that_is_free_already() -> None:
    machine, _ = loaded(1, 2, 2)
    somebody_waits = machine.put_back()

    overtaken = machine.enter()

    assert (somebody_waits, overtaken) == (True, False)
    assert machine.heir() == "w1"
    assert machine.running == 1


def test_a_slot_put_back_when_nobody_waits_is_free() -> None:
    machine, _ = loaded(2, 2, 2)

    assert machine.put_back() is False
    assert machine.heir() is None
    assert machine.running == 1
    assert machine.enter() is True


def test_whoever_joins_just_after_a_slot_was_put_back_finds_it() -> None:
    machine, _ = loaded(1, 2, 1)
    machine.put_back()
    machine.queue("late")

    granted = machine.heir()

    assert granted == "late"
    assert machine.claim("late") is True
    assert machine.running == 1


def test_there_is_no_heir_without_a_free_slot() -> None:
    machine, _ = loaded(1, 2, 2)

    assert machine.heir() is None
    assert (machine.running, machine.waiting) == (1, 1)


def test_a_granted_waiter_claims_its_slot_once() -> None:
    machine, _ = loaded(1, 2, 2)
    machine.leave()

    assert machine.claim("w1") is True
    assert machine.claim("w1") is False
    assert machine.running == 1


def test_a_waiter_that_gives_up_leaves_the_queue_and_its_place() -> None:
    machine, _ = loaded(1, 2, 3)

    assert machine.claim("w1") is False
    assert machine.waiting == 1
    assert machine.queue("late") is True
    assert [machine.leave(), machine.leave(), machine.leave()] == ["w2", "late", None]


def test_a_stranger_has_nothing_to_claim_or_to_abandon() -> None:
    machine, _ = loaded(1, 1, 2)

    assert machine.claim("stranger") is False
    assert machine.abandon("stranger") is None
    assert (machine.running, machine.waiting) == (1, 1)


def test_a_slot_granted_to_a_waiter_that_is_gone_moves_on() -> None:
    machine, _ = loaded(1, 3, 3)
    granted = machine.leave()

    heir = machine.abandon("w1")

    assert (granted, heir) == ("w1", "w2")
    assert machine.claim("w2") is True
    assert (machine.running, machine.waiting) == (1, 0)


def test_a_slot_granted_to_the_last_waiter_that_is_gone_is_free() -> None:
    machine, _ = loaded(1, 1, 2)
    machine.leave()

    assert machine.abandon("w1") is None
    assert machine.running == 0
    assert machine.enter() is True


def test_a_waiter_that_is_gone_before_it_was_granted_passes_nothing_on() -> None:
    machine, _ = loaded(1, 2, 3)

    assert machine.abandon("w1") is None
    assert (machine.running, machine.waiting) == (1, 1)
    assert machine.leave() == "w2"


def test_abandoning_twice_gives_one_slot_back() -> None:
    machine, _ = loaded(2, 3, 5)
    machine.leave()

    heirs = [machine.abandon("w2"), machine.abandon("w2")]

    assert heirs == ["w3", None]
    assert (machine.running, machine.waiting) == (2, 1)


def test_a_slot_passes_through_a_whole_queue_of_the_gone() -> None:
    machine, _ = loaded(1, 50, 51)

    holder = machine.leave()
    passed = 0
    while holder is not None:
        holder = machine.abandon(holder)
        passed += 1

    assert passed == 50
    assert (machine.running, machine.waiting) == (0, 0)


def test_fifty_rounds_of_grant_and_cancel_lose_no_slot_and_make_none() -> None:
    machine, _ = loaded(3, 2, 3)

    for n in range(50):
        machine.queue(f"first {n}")
        machine.queue(f"second {n}")
        granted = machine.leave()
        heir = machine.abandon(granted)
        assert (granted, heir) == (f"first {n}", f"second {n}")
        assert machine.claim(heir) is True

    assert (machine.running, machine.waiting) == (3, 0)


def test_new_slots_go_to_those_who_wait_in_their_order() -> None:
    machine, _ = loaded(2, 3, 5)

    granted = machine.resize(4)

    assert granted == ["w2", "w3"]
    assert (machine.running, machine.waiting) == (4, 1)


def test_new_slots_that_nobody_waits_for_are_free() -> None:
    machine, _ = loaded(1, 0, 1)

    granted = machine.resize(3)

    assert granted == []
    assert [machine.enter() for _ in range(3)] == [True, True, False]


def test_shrinking_takes_no_slot_from_a_call_that_runs() -> None:
    machine, _ = loaded(4, 1, 3)

    machine.resize(1)

    assert (machine.running, machine.size) == (3, 1)
    assert not machine.enter()


def test_slots_put_back_while_some_are_owed_are_taken_away_before_anybody_is_granted_one() -> None:
    machine, _ = loaded(4, 1, 5)
    machine.resize(2)

    granted = [machine.leave() for _ in range(4)]

    assert granted == [None, None, "w4", None]
    assert machine.running == 1


def test_whoever_puts_a_slot_back_is_sent_for_the_heir_while_some_are_owed() -> None:
    machine, _ = loaded(3, 0, 3)
    machine.resize(1)

    sent = [machine.put_back(), machine.heir(), machine.put_back(), machine.heir()]

    assert sent == [True, None, True, None]
    assert machine.put_back() is False
    assert [machine.enter(), machine.enter()] == [True, False]


def test_whoever_comes_while_others_still_wait_does_not_overtake_them() -> None:
    machine, _ = loaded(1, 2, 3)
    machine.claim("w1")  # It gives up.

    sent = machine.put_back()

    assert (sent, machine.enter(), machine.heir()) == (True, False, "w2")


def test_a_slot_put_back_but_not_yet_taken_away_is_no_way_in() -> None:
    machine, _ = loaded(3, 0, 3)
    machine.resize(1)

    machine.put_back()

    assert not machine.enter()


def test_growing_again_forgives_what_is_owed_before_it_makes_slots() -> None:
    machine, _ = loaded(4, 0, 4)
    machine.resize(1)

    machine.resize(5)

    assert [machine.enter() for _ in range(2)] == [True, False]


def test_who_has_a_place_keeps_it_when_the_queue_shrinks() -> None:
    machine, _ = loaded(1, 2, 3)

    machine.queue_limit = 0

    assert not machine.queue("late")
    assert [machine.leave(), machine.leave()] == ["w1", "w2"]
