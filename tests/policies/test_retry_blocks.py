"""Blocks that are tried again: `for attempt in retry: with attempt: ...`."""

import gc
import weakref
from collections.abc import Callable, Generator
from typing import Any

import anyio
import pytest
from tests.core.wording import exactly
from tests.policies.script import Script
from tests.worlds import World

from uat_resilience import (
    Attempt,
    CallAbandoned,
    CallFailed,
    CallRefusedError,
    CallSucceeded,
    Constant,
    Jitter,
    RetriesExhausted,
    Retry,
    RetryBudget,
    RetryScheduled,
    captured,
    single_try,
)
from uat_resilience.ambient import DrainSignal, current_drain
from uat_resilience.testing import FakeClock, disabled


def kinds(events: list[Any]) -> list[type]:
    return [type(event) for event in events]


@pytest.mark.usefixtures("clock")
class TestAttempts:
    def test_three_attempts_are_three_blocks(self, world: World) -> None:
        script = Script(ConnectionError("1"), ConnectionError("2"), last := ConnectionError("3"))

        with pytest.raises(ConnectionError) as caught:
            world.loop(Retry(on=ConnectionError), lambda _: script())

        assert script.calls == 3
        assert caught.value is last
        assert last.__notes__ == ["retry gave up after 3 attempts: all attempts are used"]

    def test_a_block_that_ends_well_ends_the_loop(self, world: World) -> None:
        script = Script(ConnectionError, "row")

        world.loop(Retry(on=ConnectionError, attempts=9), lambda _: script())

        assert script.calls == 2

    def test_attempts_are_numbered_from_one_and_know_the_error_before(self, world: World) -> None:
        first, second = ConnectionError("1"), ConnectionError("2")
        script = Script(first, second, "row")
        seen: list[tuple[int, Exception | None]] = []

        def body(attempt: Attempt) -> None:
            seen.append((attempt.number, attempt.previous_error))
            script()

        world.loop(Retry(on=ConnectionError), body)

        assert seen == [(1, None), (2, first), (3, second)]

    def test_each_loop_is_a_call_for_its_budget(self, world: World) -> None:
        budget = RetryBudget()
        retry = Retry(on=ConnectionError, budget=budget)

        world.loop(retry, lambda _: None)
        world.loop(retry, lambda _: None)
        with disabled():
            world.loop(retry, lambda _: None)

        assert budget.snapshot().calls == 2

    def test_each_loop_is_a_run_of_its_own(self, world: World) -> None:
        retry = Retry(on=ConnectionError, attempts=2)
        script = Script(ConnectionError, "row")

        for calls in (2, 3, 4):
            world.loop(retry, lambda _: script())
            assert script.calls == calls

    def test_an_error_that_was_not_named_leaves_the_loop(self, world: World) -> None:
        script = Script(ValueError)

        with pytest.raises(ValueError, match=r"^$"):
            world.loop(Retry(on=ConnectionError), lambda _: script())

        assert script.calls == 1

    @pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
    def test_exit_leaves_the_loop(self, world: World, kind: type[BaseException]) -> None:
        script = Script(kind)

        with captured() as events, pytest.raises(kind):
            world.loop(Retry(on=Exception), lambda _: script())

        assert script.calls == 1
        assert kinds(events) == [CallAbandoned]

    def test_a_refusal_leaves_the_loop(self, world: World) -> None:
        script = Script(CallRefusedError("db"))

        with pytest.raises(CallRefusedError):
            world.loop(Retry(on=Exception), lambda _: script())

        assert script.calls == 1

    def test_blocks_pause_like_calls(self, world: World, clock: FakeClock) -> None:
        retry = Retry(on=ConnectionError, backoff=Constant(2.0), jitter=Jitter.NONE)

        with pytest.raises(ConnectionError):
            world.loop(retry, lambda _: Script(ConnectionError)())

        assert clock.sleeps == [2.0, 2.0]

    def test_the_block_is_left_by_the_time_of_the_pause(
        self, world: World, clock: FakeClock
    ) -> None:
        order: list[str] = []
        clock.pausing = lambda _: order.append("pause") or clock.advance(60.0)

        def body(attempt: Attempt) -> None:
            try:
                if attempt.number < 3:
                    raise ConnectionError
            finally:
                order.append("left")

        world.loop(Retry(on=ConnectionError), body)

        assert order == ["left", "pause", "left", "pause", "left"]

    def test_where_the_caller_owns_the_retries_there_is_one_block(self, world: World) -> None:
        script = Script(ConnectionError)

        with single_try(), pytest.raises(ConnectionError):
            world.loop(Retry(on=ConnectionError), lambda _: script())

        assert script.calls == 1

    def test_a_disabled_retry_gives_one_attempt(self, world: World) -> None:
        script = Script(ConnectionError)

        with disabled(), pytest.raises(ConnectionError):
            world.loop(Retry(on=ConnectionError), lambda _: script())

        assert script.calls == 1


class Busy:
    """A result that knows whether it was closed."""

    def __init__(self) -> None:
        self.closed = False

    def close(self) -> None:
        self.closed = True


@pytest.mark.usefixtures("clock")
class TestResults:
    def test_a_result_that_is_refused_is_tried_for_again(self, world: World) -> None:
        script = Script(0, 1, 2)

        def body(attempt: Attempt) -> None:
            attempt.result(script())

        world.loop(Retry(on=(), on_result=lambda n: n < 2), body)

        assert script.calls == 3

    def test_refused_results_are_closed_but_for_the_last(self, world: World) -> None:
        results = [Busy(), Busy(), Busy()]
        script = Script(*results)

        def body(attempt: Attempt) -> None:
            attempt.result(script())

        world.loop(Retry(on=(), on_result=lambda _: True), body)

        assert [result.closed for result in results] == [True, True, False]

    def test_none_is_a_result_like_any_other(self, world: World) -> None:
        script = Script(None, 5)

        def body(attempt: Attempt) -> None:
            attempt.result(script())

        world.loop(Retry(on=(), on_result=lambda n: n is None), body)

        assert script.calls == 2

    def test_a_block_that_says_no_result_has_ended_well(self, world: World) -> None:
        script = Script("row")

        world.loop(Retry(on=(), on_result=lambda _: True), lambda _: script())

        assert script.calls == 1

    def test_a_block_whose_result_nobody_could_judge_is_abandoned(self, world: World) -> None:
        def confused(_: object) -> bool:
            raise LookupError

        with captured() as events, pytest.raises(LookupError):
            world.loop(Retry(on=(), on_result=confused), lambda attempt: attempt.result("row"))

        assert kinds(events) == [CallAbandoned]

    def test_a_block_that_raises_after_its_result_has_failed(self, world: World) -> None:
        script = Script(ConnectionError, "row")
        results = [Busy(), Busy()]

        def body(attempt: Attempt) -> None:
            attempt.result(results[attempt.number - 1])
            script()

        world.loop(Retry(on=ConnectionError, on_result=lambda _: False), body)

        assert script.calls == 2
        assert [result.closed for result in results] == [True, False]


@pytest.mark.usefixtures("clock")
class TestMisuse:
    def test_an_attempt_that_guards_no_block_is_refused_by_the_loop(self, world: World) -> None:
        async def loose() -> None:
            async for _ in Retry(on=OSError):
                pass

        def loose_in_sync_code() -> None:
            for _ in Retry(on=OSError):
                pass

        with pytest.raises(RuntimeError, match=r"write `with attempt:` in the loop"):
            loose_in_sync_code() if world.name == "sync" else world.run(loose)

    def test_an_attempt_guards_one_block_only(self) -> None:
        attempt = next(iter(Retry(on=OSError)))
        with attempt:
            pass

        with (
            pytest.raises(
                RuntimeError, match=exactly("an attempt guards one block: the loop gives the next")
            ),
            attempt,
        ):
            pass

    def test_leaving_the_loop_early_is_no_misuse(self) -> None:
        numbers = []

        for attempt in Retry(on=OSError):
            numbers.append(attempt.number)
            with attempt:
                break

        assert numbers == [1]

    def test_the_attempts_of_a_run_can_be_taken_by_hand(self) -> None:
        attempts = iter(Retry(on=OSError))
        assert iter(attempts) is attempts
        with next(attempts):
            raise OSError
        with next(attempts):
            pass

        assert list(attempts) == []
        assert list(attempts) == []

    async def test_an_attempt_may_be_spelled_as_an_async_block(self) -> None:
        numbers: list[int] = []

        async for attempt in Retry(on=OSError, backoff=Constant(0.0)):
            async with attempt:
                numbers.append(attempt.number)
                if attempt.number < 3:
                    raise OSError

        assert numbers == [1, 2, 3]

    async def test_the_attempts_of_an_async_run_are_their_own_iterator(self) -> None:
        attempts = aiter(Retry(on=OSError))

        assert aiter(attempts) is attempts


@pytest.fixture
def drain() -> Generator[DrainSignal]:
    signal = DrainSignal()
    token = current_drain.set(signal)
    yield signal
    current_drain.reset(token)


class Stopping(FakeClock):
    """A clock on which the service shuts down in the first pause."""

    def __init__(self, drain: DrainSignal) -> None:
        super().__init__(auto=True)
        self._drain = drain

    def pausing(self, seconds: float) -> None:
        self._drain.set()
        super().pausing(seconds)


class TestShutdown:
    def test_the_error_comes_out_of_the_loop(self, world: World, drain: DrainSignal) -> None:
        error = ConnectionError()
        script = Script(error)

        with pytest.raises(ConnectionError) as caught:
            world.loop(Retry(on=ConnectionError, clock=Stopping(drain)), lambda _: script())

        assert caught.value is error
        assert script.calls == 1
        assert error.__notes__ == ["retry gave up after 1 attempt: the service is shutting down"]

    def test_a_refused_result_ends_the_loop(self, world: World, drain: DrainSignal) -> None:
        script = Script(0)

        def body(attempt: Attempt) -> None:
            attempt.result(script())

        world.loop(Retry(on=(), on_result=lambda _: True, clock=Stopping(drain)), body)

        assert script.calls == 1


@pytest.mark.usefixtures("clock")
class TestEvents:
    def test_a_run_of_blocks_tells_what_a_run_of_calls_tells(self, world: World) -> None:
        script = Script(ConnectionError, "row")

        with captured() as events:
            world.loop(Retry(on=ConnectionError, name="rows"), lambda _: script())

        assert kinds(events) == [RetryScheduled, CallSucceeded]
        assert {event.policy for event in events} == {"rows"}

    def test_a_run_of_blocks_that_fails_tells_so_once(self, world: World) -> None:
        with captured() as events, pytest.raises(ConnectionError):
            world.loop(Retry(on=ConnectionError, attempts=2), lambda _: Script(ConnectionError)())

        assert kinds(events) == [RetryScheduled, RetriesExhausted, CallFailed]

    def test_refused_results_to_the_end_are_a_failure(self, world: World) -> None:
        with captured() as events:
            world.loop(
                Retry(on=(), attempts=1, on_result=lambda _: True),
                lambda attempt: attempt.result(5),
            )

        assert kinds(events) == [RetriesExhausted, CallFailed]


class Payload:
    """Something big that a frame holds on to."""


def remember(payloads: list["weakref.ref[Payload]"]) -> Payload:
    payload = Payload()
    payloads.append(weakref.ref(payload))
    return payload


@pytest.fixture
def no_collector() -> Generator[None]:
    """Only reference counts free anything: a frame in a cycle stays."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def failing_twice(retry: Retry, payloads: list[Any]) -> None:
    payload = remember(payloads)
    for attempt in retry:
        with attempt:
            if attempt.number < 3:
                raise ConnectionError
    del payload


def failing(retry: Retry, payloads: list[Any]) -> None:
    payload = remember(payloads)
    try:
        for attempt in retry:
            with attempt:
                raise ConnectionError
    except ConnectionError:
        return
    del payload


@pytest.mark.usefixtures("no_collector")
class TestFrames:
    @pytest.mark.usefixtures("clock")
    @pytest.mark.parametrize("loop", [failing_twice, failing])
    def test_a_loop_keeps_no_frame_alive(self, loop: Callable[[Retry, list[Any]], None]) -> None:
        payloads: list[weakref.ref[Payload]] = []

        loop(Retry(on=ConnectionError), payloads)

        assert payloads[0]() is None

    def test_a_loop_ended_by_a_shutdown_keeps_no_frame_alive(self, drain: DrainSignal) -> None:
        payloads: list[weakref.ref[Payload]] = []

        failing(Retry(on=ConnectionError, clock=Stopping(drain)), payloads)

        assert payloads[0]() is None

    async def test_an_async_loop_keeps_no_frame_alive(self) -> None:
        payloads: list[weakref.ref[Payload]] = []

        async def work() -> None:
            payload = remember(payloads)
            async for attempt in Retry(on=ConnectionError):
                with attempt:
                    if attempt.number < 3:
                        raise ConnectionError
            del payload

        await work()

        assert payloads[0]() is None

    async def test_an_async_loop_ended_by_a_shutdown_keeps_no_frame_alive(self) -> None:
        payloads: list[weakref.ref[Payload]] = []
        drain = DrainSignal()

        async def work() -> None:
            payload = remember(payloads)
            current_drain.set(drain)
            try:
                async for attempt in Retry(on=ConnectionError, clock=Stopping(drain)):
                    with attempt:
                        raise ConnectionError
            except ConnectionError:
                return
            del payload

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(work)

        assert payloads[0]() is None
