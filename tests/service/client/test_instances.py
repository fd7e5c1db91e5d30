"""Which instance is chosen, by what is known of them."""

from collections import Counter

from uat_resilience.testing import FakeClock
from uat_service.client.instances import Instances
from uat_service.resolver import Instance

A, B, C = (Instance(f"http://10.0.0.{number}:80") for number in (1, 2, 3))


def test_the_less_busy_of_two_gets_the_next_request(clock: FakeClock) -> None:
    instances = Instances()

    shares = Counter(instances.pick([A, B]).id for _ in range(100))

    assert shares == {A.id: 50, B.id: 50}


def test_of_two_that_are_idle_the_lot_decides_by_their_weights(clock: FakeClock) -> None:
    instances, heavy = Instances(), Instance("http://10.0.0.9:80", weight=2)
    shares = Counter[str]()

    for _ in range(600):
        chosen = instances.pick([A, heavy])
        instances.over(chosen)
        shares[chosen.id] += 1

    assert 1.5 <= shares[heavy.id] / shares[A.id] <= 2.7


def test_an_instance_of_twice_the_weight_gets_about_twice_the_requests(clock: FakeClock) -> None:
    instances, heavy = Instances(), Instance("http://10.0.0.9:80", weight=2)

    shares = Counter(instances.pick([A, heavy]).id for _ in range(600))

    assert 1.5 <= shares[heavy.id] / shares[A.id] <= 2.7


def test_an_instance_that_cannot_be_reached_comes_back_after_a_while(clock: FakeClock) -> None:
    instances = Instances()
    instances.failed(A, unreachable=True)

    at_once = {instances.pick([A, B, C]).id for _ in range(50)}
    clock.advance(1.1)
    later = {instances.pick([A, B, C]).id for _ in range(50)}

    assert at_once == {B.id, C.id}
    assert A.id in later


def test_an_instance_that_fails_again_is_left_alone_for_longer(clock: FakeClock) -> None:
    instances = Instances()
    instances.failed(A, unreachable=True)
    clock.advance(1.1)
    instances.failed(A, unreachable=True)

    clock.advance(1.1)

    assert A.id not in {instances.pick([A, B, C]).id for _ in range(50)}


def test_when_most_of_them_fail_none_is_left_alone(clock: FakeClock) -> None:
    instances = Instances()
    instances.failed(A, unreachable=True)
    instances.failed(B, unreachable=True)

    assert {instances.pick([A, B, C]).id for _ in range(100)} == {A.id, B.id, C.id}


def test_one_that_was_tried_gets_another_go_only_when_there_is_no_other(clock: FakeClock) -> None:
    instances = Instances()

    assert {instances.pick([A, B], tried=[A.id]).id for _ in range(20)} == {B.id}
    assert instances.pick([A], tried=[A.id]) == A


def test_what_is_remembered_of_instances_that_are_gone_is_bounded(clock: FakeClock) -> None:
    instances = Instances()

    for number in range(3000):
        gone = Instance(f"http://10.0.0.1:{number + 1}")
        instances.over(instances.pick([gone]))

    assert len(instances._records) <= 1002
