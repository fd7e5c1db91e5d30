import asyncio
import threading
from typing import Any

import anyio
import pytest
from anyio.abc import TaskGroup
from tests.pausing import pause
from tests.worlds import World

from uat_resilience import Coalesce, Pipeline, TimedOutError, captured, deadline, remaining
from uat_resilience.policies.flights import Flights, Seat
from uat_resilience.testing import FakeClock, disabled
from uat_resilience.testing.settling import settle


class Source:
    """Something slow to ask. It counts how often it is asked, and fails while it is told to."""

    def __init__(self) -> None:
        self.asked = 0
        self.error: Exception | None = None

    async def fetch(self, key: str) -> str:
        self.asked += 1
        answer = f"{key}{self.asked}"
        await pause(1.0)
        if self.error is not None:
            raise self.error
        return answer

    def get(self, key: str) -> str:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return f"{key}{self.asked}"


def by_key(key: str) -> str:
    return key


async def asking(
    group: TaskGroup, answers: list[object], policy: Coalesce, source: Source, key: str
) -> None:
    """Ask from a task of its own, which has joined the flight when this returns."""

    async def ask() -> None:
        try:
            answers.append(await policy.acall(source.fetch, key))
        except ConnectionError as error:
            answers.append(error)

    group.start_soon(ask)
    await settle()


async def test_one_call_serves_all_who_ask_for_the_same_at_the_same_time() -> None:
    source, answers, policy = Source(), [], Coalesce(by_key)

    async with anyio.create_task_group() as group:
        for key in "aaba":
            await asking(group, answers, policy, source, key)
        assert policy.snapshot().flights == 2
        assert policy.in_use

    assert sorted(answers) == ["a1", "a1", "a1", "b2"]
    assert not policy.in_use


async def test_an_error_reaches_followers_as_copies_with_the_error_as_cause() -> None:
    source, answers, policy = Source(), [], Coalesce(by_key)
    source.error = ConnectionError("down")

    async with anyio.create_task_group() as group:
        for _ in range(3):
            await asking(group, answers, policy, source, "a")

    leader, *followers = answers
    assert leader is source.error
    assert [error.__cause__ for error in followers] == [leader, leader]
    assert len({id(error) for error in answers}) == 3


async def test_an_error_that_cannot_be_copied_is_shared_as_it_is() -> None:
    class StubbornError(ConnectionError):
        def __init__(self, code: int, *, why: str) -> None:
            super().__init__(code)
            self.why = why

        def __reduce__(self) -> Any:
            raise TypeError("not to be copied")

    source, answers, policy = Source(), [], Coalesce(by_key)
    source.error = StubbornError(1, why="test")

    async with anyio.create_task_group() as group:
        for _ in range(2):
            await asking(group, answers, policy, source, "a")

    assert answers == [source.error, source.error]


async def test_a_cancelled_leader_hands_over_to_one_follower_and_the_others_wait() -> None:
    source, answers, policy = Source(), [], Coalesce(by_key)

    async with anyio.create_task_group() as group:
        impatient = anyio.CancelScope()

        async def lead() -> None:
            with impatient:
                await policy.acall(source.fetch, "a")

        group.start_soon(lead)
        await settle()
        for _ in range(3):
            await asking(group, answers, policy, source, "a")
        impatient.cancel()

    assert answers == ["a2", "a2", "a2"]
    assert source.asked == 2


async def test_a_leader_cancelled_with_nobody_waiting_leaves_nothing_behind() -> None:
    source, policy = Source(), Coalesce(by_key)

    with anyio.move_on_after(0.5):
        await policy.acall(source.fetch, "a")

    assert policy.snapshot().flights == 0
    assert await policy.acall(source.fetch, "a") == "a2"


async def test_a_follower_that_is_cancelled_leaves_its_seat() -> None:
    source, answers, policy = Source(), [], Coalesce(by_key)

    async with anyio.create_task_group() as group:
        await asking(group, answers, policy, source, "a")
        with anyio.move_on_after(0.5):
            await policy.acall(source.fetch, "a")

    assert answers == ["a1"]


async def test_an_heir_that_is_cancelled_before_it_flies_hands_over_again() -> None:
    source, answers, policy = Source(), [], Coalesce(by_key)

    async with anyio.create_task_group() as group:
        leader, heir = anyio.CancelScope(), anyio.CancelScope()

        async def ask_in(scope: anyio.CancelScope) -> None:
            with scope:
                await policy.acall(source.fetch, "a")

        group.start_soon(ask_in, leader)
        await settle()
        group.start_soon(ask_in, heir)
        await settle()
        await asking(group, answers, policy, source, "a")
        leader.cancel()
        heir.cancel()

    assert answers == ["a2"]


async def test_a_flight_does_not_see_its_leaders_deadline() -> None:
    seen: list[float | None] = []

    async def fetch(key: str) -> None:
        seen.append(remaining())

    async with deadline(5.0):
        await Coalesce(by_key).acall(fetch, "a")
        assert remaining() == 5.0

    assert seen == [None]


async def test_a_follower_leaves_at_its_own_deadline() -> None:
    source, answers, policy = Source(), [], Coalesce(by_key)

    async with anyio.create_task_group() as group:
        await asking(group, answers, policy, source, "a")
        with pytest.raises(TimedOutError):
            async with deadline(0.5):
                await policy.acall(source.fetch, "a")
        assert anyio.current_time() == 0.5

    assert answers == ["a1"]


async def test_a_deadline_that_nothing_enforces_is_kept_by_the_wait_itself() -> None:
    source, answers, policy = Source(), [], Coalesce(by_key)

    async with anyio.create_task_group() as group:
        await asking(group, answers, policy, source, "a")
        with deadline(0.5), pytest.raises(TimedOutError):
            await policy.acall(source.fetch, "a")

    assert answers == ["a1"]


def test_a_value_is_kept_for_its_time(world: World, clock: FakeClock) -> None:
    source, policy = Source(), Coalesce(by_key, ttl=10.0)

    first = [world.call(policy, source.get, "a") for _ in range(3)]
    clock.advance(10.0)

    assert first == ["a1", "a1", "a1"]
    assert world.call(policy, source.get, "a") == "a2"


def test_a_stale_value_stands_in_for_an_error_for_a_while(world: World, clock: FakeClock) -> None:
    source, policy = Source(), Coalesce(by_key, ttl=1.0, stale_if_error=10.0)
    world.call(policy, source.get, "a")
    source.error = ConnectionError()

    clock.advance(5.0)
    assert world.call(policy, source.get, "a") == "a1"

    clock.advance(6.0)
    with pytest.raises(ConnectionError):
        world.call(policy, source.get, "a")


def test_a_value_that_is_dropped_is_asked_for_again(world: World, clock: FakeClock) -> None:
    source, policy = Source(), Coalesce(by_key, ttl=10.0)
    world.call(policy, source.get, "a")

    policy.invalidate("a")
    policy.invalidate("never there")

    assert world.call(policy, source.get, "a") == "a2"


def test_the_least_recently_used_value_makes_room(clock: FakeClock) -> None:
    source, policy = Source(), Coalesce(by_key, ttl=10.0, maximum=2)

    for key in "abac":
        policy.call(source.get, key)

    assert policy.snapshot().kept == 2
    assert [policy.call(source.get, key) for key in "ab"] == ["a1", "b4"]


def test_threads_wait_for_one_flight() -> None:
    answers: list[str] = []
    flying, may_land = threading.Event(), threading.Event()
    joined = threading.Semaphore(0)

    class Joining(FakeClock):
        """Tells when a follower has joined."""

        def wait(self, event: threading.Event, until: float | None) -> bool:
            joined.release()
            return event.wait()

    policy = Coalesce(by_key, clock=Joining())

    def fetch(key: str) -> str:
        flying.set()
        may_land.wait()
        return key

    def ask() -> None:
        answers.append(policy.call(fetch, "a"))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    threads[0].start()
    flying.wait()
    for follower in threads[1:]:
        follower.start()
        joined.acquire()
    flying.clear()
    may_land.set()
    for thread in threads:
        thread.join()

    assert answers == ["a"] * 4
    assert not flying.is_set()


def test_a_sync_follower_keeps_its_deadline_and_its_interrupts() -> None:
    clock = FakeClock(auto=True)
    policy = Coalesce(by_key, clock=clock)

    def nested(key: str) -> str:
        with deadline(1.0, clock=clock):
            return policy.call(str, key)

    with pytest.raises(TimedOutError):
        policy.call(nested, "a")

    assert policy.snapshot().flights == 0


def test_a_follower_on_an_event_loop_thread_is_told_the_async_spelling() -> None:
    policy = Coalesce(by_key)

    async def lead(key: str) -> str:
        return policy.call(str, key)

    with pytest.raises(RuntimeError, match="acall"):
        asyncio.run(policy.acall(lead, "a"))


def test_a_coroutine_from_a_sync_call_is_refused() -> None:
    async def fetch(key: str) -> str:
        return key

    def get(key: str) -> object:
        return fetch(key)

    with pytest.raises(TypeError, match="acall"):
        Coalesce(by_key).call(get, "a")


def test_outcomes_are_told(world: World) -> None:
    source, policy = Source(), Coalesce(by_key, name="cache")

    with captured() as events:
        world.call(policy, source.get, "a")
        source.error = ConnectionError()
        with pytest.raises(ConnectionError):
            world.call(policy, source.get, "a")

    assert [type(event).__name__ for event in events] == ["CallSucceeded", "CallFailed"]


def test_disabled_shares_nothing(world: World) -> None:
    source, policy = Source(), Coalesce(by_key, ttl=10.0)

    with disabled():
        assert [world.call(policy, source.get, "a") for _ in range(2)] == ["a1", "a2"]


def test_a_description_says_what_it_does() -> None:
    assert "one call at a time for each key" in Pipeline(Coalesce(by_key)).describe()


async def later(key: str) -> str:
    return key


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"key": "a"}, "key"),
        ({"key": later}, "key must be a plain function"),
        ({"key": by_key, "ttl": -1.0}, "ttl"),
        ({"key": by_key, "stale_if_error": float("inf")}, "stale_if_error"),
        ({"key": by_key, "maximum": 0}, "maximum"),
    ],
)
def test_a_bad_argument_is_refused_by_name(arguments: dict[str, Any], named: str) -> None:
    with pytest.raises((TypeError, ValueError), match=named):
        Coalesce(**arguments)


@pytest.mark.parametrize("spell", ["call", "acall"])
def test_a_flight_that_lands_while_somebody_joins_is_looked_at_again(spell: str) -> None:
    class Landing(Flights[str]):
        """Lets another caller lead, and land, in the moment in which this one asks."""

        def lead(self, key: Any) -> bool:
            self.land(key, "theirs", 0.0)
            return False

    policy = Coalesce(by_key, ttl=10.0, clock=FakeClock())
    policy._flights = Landing(ttl=10.0, stale_if_error=0.0, maximum=1)

    async def fetch(key: str) -> str:
        return key

    if spell == "call":
        assert policy.call(str, "a") == "theirs"
    else:
        assert asyncio.run(policy.acall(fetch, "a")) == "theirs"


def test_a_follower_whose_loop_is_gone_does_not_lead() -> None:
    class Gone:
        def grant(self) -> bool:
            return False

    flights: Flights[str] = Flights(ttl=0.0, stale_if_error=0.0, maximum=1)
    flights.lead("a")
    seat: Seat[str] = Seat("a", Gone())
    flights.join(seat)

    flights.hand_over("a")

    assert seat.leads
    assert flights.counts() == (0, 0)


def test_a_thread_takes_over_from_a_leader_that_is_interrupted() -> None:
    policy, answers = Coalesce(by_key), []
    flying, may_fail = threading.Event(), threading.Event()

    class Interrupted(BaseException):
        pass

    def fetch(key: str) -> str:
        flying.set()
        may_fail.wait()
        raise Interrupted

    def lead() -> None:
        with pytest.raises(Interrupted):
            policy.call(fetch, "a")

    class Joined(FakeClock):
        """Lets the leader fail once the follower waits."""

        def wait(self, event: threading.Event, until: float | None) -> bool:
            may_fail.set()
            return event.wait()

    leader = threading.Thread(target=lead)
    leader.start()
    flying.wait()
    with Joined():
        answers.append(policy.call(str, "a"))
    leader.join()

    assert answers == ["a"]


def test_a_thread_whose_wait_is_interrupted_leaves_its_seat() -> None:
    class Interrupting(FakeClock):
        def wait(self, event: threading.Event, until: float | None) -> bool:
            raise KeyboardInterrupt

    policy = Coalesce(by_key, clock=Interrupting())

    def nested(key: str) -> str:
        return policy.call(str, key)

    with pytest.raises(KeyboardInterrupt):
        policy.call(nested, "a")

    assert policy.snapshot().flights == 0
