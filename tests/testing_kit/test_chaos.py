from typing import Any

import anyio
import pytest
from tests.worlds import World

from uat_resilience import CircuitBreaker, Pipeline, Retry, TimedOutError, deadline
from uat_resilience.testing import Chaos, FakeClock, disabled


def ends(world: World, chaos: Chaos, calls: int) -> list[str]:
    found = []
    for _ in range(calls):
        try:
            world.call(chaos, int)
        except ConnectionError:
            found.append("fault")
        else:
            found.append("made")
    return found


def test_by_default_it_disturbs_nothing(world: World, clock: FakeClock) -> None:
    chaos = Chaos(seed=1)

    assert ends(world, chaos, 50) == ["made"] * 50
    assert clock.sleeps == []


def test_a_share_of_the_calls_fails_the_same_ones_for_the_same_seed(world: World) -> None:
    first, second, other = (
        ends(world, Chaos(fault=ConnectionError, fault_rate=0.3, seed=seed), 100)
        for seed in (1, 1, 2)
    )

    assert first == second != other
    assert 15 <= first.count("fault") <= 45


def test_latency_and_hangs_move_the_clock(world: World, clock: FakeClock) -> None:
    world.call(Chaos(latency=0.5, latency_rate=1.0), int)
    world.call(Chaos(hang_rate=1.0, hang_for=60.0), int)

    assert clock.sleeps == [0.5, 60.0]


async def test_a_hang_is_cut_by_a_deadline() -> None:
    with pytest.raises(TimedOutError):
        async with deadline(2.0):
            await Chaos(hang_rate=1.0).acall(anyio.lowlevel.checkpoint)

    assert anyio.current_time() == 2.0


def test_each_fault_is_a_fresh_exception() -> None:
    chaos = Chaos(fault=lambda: ConnectionError("made to order"), fault_rate=1.0)
    raised = []

    for _ in range(2):
        with pytest.raises(ConnectionError, match="made to order") as fault:
            chaos.call(int)
        raised.append(fault.value)

    assert raised[0] is not raised[1]


def test_only_the_named_keys_are_disturbed() -> None:
    chaos = Chaos(fault=ConnectionError, fault_rate=1.0, key=lambda host: host, only={"b"})

    assert chaos.call(str, "a") == "a"
    with pytest.raises(ConnectionError):
        chaos.call(str, "b")


def test_arguments_may_have_any_name() -> None:
    assert Chaos().call(dict, self=1, fn=2) == {"self": 1, "fn": 2}


def test_the_keys_may_change_while_the_program_runs() -> None:
    ill = set[str]()
    chaos = Chaos(fault=ConnectionError, fault_rate=1.0, key=lambda host: host, only=ill)

    assert chaos.call(str, "a") == "a"
    ill.add("a")
    with pytest.raises(ConnectionError):
        chaos.call(str, "a")


def test_it_can_be_turned_off_and_on_and_says_what_it_did() -> None:
    chaos = Chaos(fault=ConnectionError, fault_rate=1.0, enabled=False)
    assert chaos.call(int) == 0

    chaos.enabled = True
    with pytest.raises(ConnectionError):
        chaos.call(int)
    with disabled():
        assert chaos.call(int) == 0

    assert chaos.snapshot().calls == 1
    assert chaos.snapshot().faults == 1


def test_in_a_pipeline_it_stands_for_the_dependency(clock: FakeClock) -> None:
    breaker = CircuitBreaker("db")
    pipeline = Pipeline(
        Retry(ConnectionError, attempts=5), breaker, Chaos(fault=ConnectionError, fault_rate=1.0)
    )

    with pytest.raises(ConnectionError):
        pipeline.call(int)

    assert breaker.state.name == "OPEN"
    assert "on purpose, 100% of calls fail" in pipeline.describe()


def test_a_coroutine_from_a_sync_call_is_refused() -> None:
    async def fetch() -> None: ...

    with pytest.raises(TypeError, match="acall"):
        Chaos().call(lambda _: fetch(), 0)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"fault_rate": 0.5}, "fault"),
        ({"fault": ConnectionError, "fault_rate": 1.5}, "fault_rate"),
        ({"fault": 3}, "fault"),
        ({"latency": -1.0}, "latency"),
        ({"latency_rate": True}, "latency_rate"),
        ({"hang_rate": -0.1}, "hang_rate"),
        ({"hang_for": 0.0}, "hang_for"),
        ({"key": 3}, "key"),
        ({"key": str}, "only must be given with key"),
        ({"only": {"a"}}, "key must be given with only"),
        ({"key": str, "only": "db"}, "only must be a container of keys, such as a set, not 'db'"),
        ({"key": str, "only": 3}, "only must be a container of keys"),
    ],
)
def test_a_bad_argument_is_refused_by_name(arguments: dict[str, Any], named: str) -> None:
    with pytest.raises((TypeError, ValueError), match=named):
        Chaos(**arguments)
