from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import anyio
import pytest
from tests.pausing import pause

from uat_resilience import (
    Bulkhead,
    BulkheadFullError,
    CircuitBreaker,
    CircuitOpenError,
    Coalesce,
    ConsecutiveFailures,
    Constant,
    Fallback,
    Hedge,
    Jitter,
    Pipeline,
    RateLimitedError,
    RateLimiter,
    Retry,
    TimedOutError,
    Timeout,
    captured,
    remaining,
)
from uat_resilience.testing import FakeClock


class Tape:
    """A source of three items that can fail at one of them; it remembers how often it was begun and closed."""

    def __init__(self, *, fail_at: int | None = None, good_from: int = 1) -> None:
        self.fail_at = fail_at
        self.good_from = good_from
        self.begun = 0
        self.closed = 0

    def play(self) -> Generator[int, Any, str]:
        self.begun += 1
        try:
            for item in range(3):
                self._wear(item)
                yield item
        finally:
            self.closed += 1
        return "end"

    async def aplay(self) -> AsyncGenerator[int, None]:
        self.begun += 1
        try:
            for item in range(3):
                await pause(0.1)
                self._wear(item)
                yield item
        finally:
            self.closed += 1

    def _wear(self, item: int) -> None:
        if item == self.fail_at and self.begun < self.good_from:
            raise ConnectionError(item)
        if item == self.fail_at and self.good_from == 1:
            raise ConnectionError(item)


def breaker() -> CircuitBreaker:
    return CircuitBreaker("tape", trip=ConsecutiveFailures(1))


def test_a_stream_holds_its_slot_from_the_first_step_to_the_end() -> None:
    bulkhead = Bulkhead(1)
    stream = bulkhead(Tape().play)()

    assert bulkhead.snapshot().running == 0
    assert next(stream) == 0
    assert bulkhead.snapshot().running == 1
    with pytest.raises(BulkheadFullError):
        bulkhead.call(int)
    assert list(stream) == [1, 2]
    assert bulkhead.snapshot().running == 0


async def test_an_async_stream_holds_its_slot_until_it_is_closed() -> None:
    tape, bulkhead = Tape(), Bulkhead(1)
    stream = bulkhead(tape.aplay)()

    assert await anext(stream) == 0
    assert bulkhead.snapshot().running == 1
    await stream.aclose()

    assert bulkhead.snapshot().running == 0
    assert tape.closed == 1


def test_a_failure_in_mid_stream_counts() -> None:
    guard = breaker()

    with pytest.raises(ConnectionError):
        list(guard(Tape(fail_at=1).play)())

    assert guard.state.name == "OPEN"
    with pytest.raises(CircuitOpenError):
        next(guard(Tape().play)())


async def test_a_failure_in_an_async_mid_stream_counts() -> None:
    guard, got = breaker(), []

    with pytest.raises(ConnectionError):
        await collect(guard(Tape(fail_at=1).aplay)(), got)

    assert got == [0]
    assert guard.state.name == "OPEN"


async def test_closing_a_stream_early_says_nothing_about_its_source() -> None:
    guard, tape = breaker(), Tape()

    with captured() as events:
        sync = guard(tape.play)()
        next(sync)
        sync.close()
        stream = guard(tape.aplay)()
        await anext(stream)
        await stream.aclose()

    assert [type(event).__name__ for event in events] == ["CallAbandoned", "CallAbandoned"]
    assert tape.closed == 2


def bulkhead() -> Any:
    return Bulkhead(2)


def timeout() -> Any:
    return Timeout(5.0, thread=False)


def retry() -> Any:
    return Retry(on=OSError)


def pipeline() -> Any:
    return Pipeline(retry(), bulkhead(), timeout())


each_guard = pytest.mark.parametrize("make", [bulkhead, timeout, retry, pipeline])


@each_guard
def test_what_is_sent_and_returned_goes_through(make: Callable[[], Any]) -> None:
    def echo() -> Generator[str, str, str]:
        first = yield "ready"
        second = yield first
        return f"{first}, {second}, over"

    guarded: Callable[[], Generator[str, str, str]] = make()(echo)

    def talk() -> Generator[str, str, str]:
        return (yield from guarded())

    stream = talk()
    next(stream)
    assert stream.send("roger") == "roger"
    with pytest.raises(StopIteration) as ended:
        stream.send("wilco")

    assert ended.value.value == "roger, wilco, over"


@each_guard
async def test_what_is_sent_to_an_async_stream_goes_through(make: Callable[[], Any]) -> None:
    async def echo() -> AsyncGenerator[str, str]:
        first = yield "ready"
        yield first
        yield "over"

    stream = make()(echo)()

    assert await anext(stream) == "ready"
    assert await stream.asend("roger") == "roger"
    assert [item async for item in stream] == ["over"]


@each_guard
def test_what_a_block_raises_reaches_the_source_that_is_its_context_manager(
    make: Callable[[], Any],
) -> None:
    ends: list[object] = []

    def transaction() -> Generator[str]:
        try:
            yield "session"
        except LookupError as error:
            ends.append(error)
            raise
        ends.append("committed")

    session = contextmanager(make()(transaction))
    with session():
        pass
    with pytest.raises(LookupError) as raised, session() as entered:
        raise LookupError(entered)

    assert ends == ["committed", raised.value]


@each_guard
async def test_what_an_async_block_raises_reaches_its_context_manager(
    make: Callable[[], Any],
) -> None:
    ends: list[object] = []

    async def transaction() -> AsyncGenerator[str]:
        try:
            yield "session"
        except LookupError as error:
            await pause(0.1)
            ends.append(error)
            raise
        ends.append("committed")

    session = asynccontextmanager(make()(transaction))
    async with session():
        pass
    with pytest.raises(LookupError) as raised:
        async with session() as entered:
            raise LookupError(entered)

    assert ends == ["committed", raised.value]


@each_guard
async def test_closing_a_stream_early_reaches_its_source(make: Callable[[], Any]) -> None:
    guard, tape = make(), Tape()
    stream, astream = guard(tape.play)(), guard(tape.aplay)()
    next(stream)
    await anext(astream)

    stream.close()
    await astream.aclose()

    assert tape.closed == 2


@each_guard
async def test_a_source_may_go_on_after_what_was_thrown(make: Callable[[], Any]) -> None:
    def patient() -> Generator[str]:
        try:
            yield "first"
        except LookupError:
            yield "caught"

    async def apatient() -> AsyncGenerator[str]:
        try:
            yield "first"
        except LookupError:
            yield "caught"

    guard = make()
    stream, astream = guard(patient)(), guard(apatient)()
    next(stream)
    await anext(astream)

    assert stream.throw(LookupError()) == "caught"
    assert await astream.athrow(LookupError()) == "caught"
    assert list(stream) == []
    assert [item async for item in astream] == []


def test_a_rate_limiter_counts_a_stream_as_one_call(clock: FakeClock) -> None:
    limiter = RateLimiter(1.0)
    assert list(limiter(Tape().play)()) == [0, 1, 2]

    with pytest.raises(RateLimitedError):
        next(limiter(Tape().play)())


async def test_each_item_has_the_timeout_to_itself() -> None:
    async def slow() -> AsyncGenerator[float | None, None]:
        for _ in range(3):
            await pause(0.75)
            yield remaining()

    got: list[object] = []
    async for left in Timeout(1.0)(slow)():
        await pause(5.0)  # The consumer's own time is not the source's.
        got.append((left, remaining()))

    assert got == [(0.25, None)] * 3


async def test_an_item_that_is_late_ends_the_stream() -> None:
    closed: list[bool] = []

    async def stuck() -> AsyncGenerator[int, None]:
        try:
            yield 1
            await pause(60.0)
            yield 2
        finally:
            closed.append(True)

    got: list[int] = []
    with pytest.raises(TimedOutError):
        await collect(Timeout(1.0)(stuck)(), got)

    assert (got, closed, anyio.current_time()) == ([1], [True], 1.0)


def test_a_sync_stream_sees_its_budget_at_each_step(clock: FakeClock) -> None:
    def budgets() -> Generator[float | None, None, None]:
        for _ in range(2):
            yield remaining()
            clock.advance(0.5)

    assert list(Timeout(2.0, thread=False)(budgets)()) == [2.0, 1.5]


def test_a_stream_is_begun_again_only_until_its_first_item(clock: FakeClock) -> None:
    retry = Retry(ConnectionError, attempts=3)
    late = Tape(fail_at=0, good_from=3)
    broken = Tape(fail_at=1)

    assert list(retry(late.play)()) == [0, 1, 2]
    with pytest.raises(ConnectionError):
        list(retry(broken.play)())

    assert (late.begun, late.closed) == (3, 3)
    assert (broken.begun, broken.closed) == (1, 1)


async def test_an_async_stream_is_begun_again_only_until_its_first_item() -> None:
    retry = Retry(ConnectionError, attempts=3, backoff=Constant(1.0), jitter=Jitter.NONE)
    late = Tape(fail_at=0, good_from=3)

    assert [item async for item in retry(late.aplay)()] == [0, 1, 2]
    stream = retry(Tape().aplay)()
    await anext(stream)
    await stream.aclose()

    assert (late.begun, late.closed) == (3, 3)


async def test_an_empty_stream_stays_empty() -> None:
    def empty() -> Generator[int, None, None]:
        yield from ()

    async def aempty() -> AsyncGenerator[int, None]:
        for item in ():
            yield item

    pipeline = Pipeline(Retry(ConnectionError), breaker(), Bulkhead(1), Timeout(1.0, thread=False))

    assert list(pipeline(empty)()) == []
    assert [item async for item in pipeline(aempty)()] == []


async def test_a_pipeline_guards_a_stream_under_its_own_names() -> None:
    bulkhead = Bulkhead(1)
    pipeline = Pipeline(bulkhead, Timeout(5.0, thread=False), name="tape")

    with captured() as events:
        assert list(pipeline(Tape().play)()) == [0, 1, 2]
        assert [item async for item in pipeline(Tape().aplay)()] == [0, 1, 2]

    assert {event.policy for event in events} == {"tape/bulkhead", "tape/timeout"}


@pytest.mark.parametrize(
    "policy",
    [Fallback(on=KeyError, value=1), Hedge(1.0), Coalesce(str), Retry(on=(), on_result=bool)],
    ids=["fallback", "hedge", "coalesce", "retry on results"],
)
def test_where_a_policy_means_nothing_for_streams_it_says_so(policy: Any) -> None:
    for fn in (Tape().play, Tape().aplay):
        with pytest.raises(TypeError, match="generator"):
            policy(fn)
        with pytest.raises(TypeError, match="cannot guard"):
            Pipeline(policy)(fn)


def test_a_policy_of_ones_own_has_no_streams() -> None:
    class Own:
        name = "own"

        def call(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
            return fn(*args, **kwargs)

        async def acall(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
            return await fn(*args, **kwargs)

    with pytest.raises(TypeError, match="own cannot guard"):
        Pipeline(Own())(Tape().play)


def test_a_generator_cannot_be_called_by_hand() -> None:
    with pytest.raises(TypeError, match="decorate it"):
        Bulkhead(1).call(Tape().play)


async def collect(stream: AsyncGenerator[int, None], into: list[int]) -> None:
    async for item in stream:
        into.append(item)  # noqa: PERF401 - what came before an error is kept


def test_only_a_breaker_with_a_rule_for_results_condemns_one() -> None:
    breaker = CircuitBreaker("db", on_result=lambda result: result == "bad")

    assert [breaker.condemns(result) for result in ("bad", "good")] == [True, False]
    assert not CircuitBreaker("db").condemns("bad")
    assert not Bulkhead(1).condemns("bad")
