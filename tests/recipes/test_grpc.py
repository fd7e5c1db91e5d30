"""The recipe of docs/how-to/grpc.md, against a real server in the same process."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any, TypeVar

import grpc
import pytest
from grpc import StatusCode
from tests.recipes.pages import recipe

from uat_resilience import (
    CircuitOpenError,
    RetryScheduled,
    TimedOutError,
    deadline,
    remaining,
)
from uat_resilience.testing import FakeClock, captured

T = TypeVar("T")
Context = grpc.aio.ServicerContext

prices = recipe("grpc.md", "prices.py")
serving = recipe("grpc.md", "server.py").serving


class Service:
    """A price service whose answers a test decides. It counts the calls that arrive."""

    def __init__(
        self,
        get: Callable[[int, Context], Awaitable[bytes]] | None = None,
        watch: Callable[[int, Context], AsyncGenerator[bytes]] | None = None,
    ) -> None:
        self.calls = 0
        self._answer = get
        self._stream = watch

    async def get(self, _: bytes, context: Context) -> bytes:
        self.calls += 1
        assert self._answer is not None
        return await self._answer(self.calls, context)

    async def watch(self, _: bytes, context: Context) -> AsyncGenerator[bytes]:
        self.calls += 1
        assert self._stream is not None
        async with aclosing(self._stream(self.calls, context)) as items:
            async for item in items:
                yield item


@asynccontextmanager
async def client_of(service: Service) -> AsyncGenerator[Any]:
    """Serve on a free loopback port, and connect the client of the recipe."""
    server = grpc.aio.server()
    handlers = {
        "Get": grpc.unary_unary_rpc_method_handler(service.get),
        "Watch": grpc.unary_stream_rpc_method_handler(service.watch),
    }
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("shop.Prices", handlers),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield prices.Prices(channel)
    finally:
        await server.stop(None)


def play(service: Service, scene: Callable[[Any], Awaitable[T]]) -> T:
    """Run a scene with a client of the service, on a clock that only pauses move."""

    async def main() -> T:
        async with client_of(service) as client:
            return await scene(client)

    with FakeClock(auto=True):
        return asyncio.run(main())


def test_unavailable_service_is_asked_again() -> None:
    async def third_time(call: int, context: Context) -> bytes:
        if call < 3:
            await context.abort(StatusCode.UNAVAILABLE, "not yet")
        return b"3 EUR"

    service = Service(third_time)

    answer = play(service, lambda client: client.get(b"soap"))

    assert answer == b"3 EUR"
    assert service.calls == 3


@pytest.mark.parametrize(
    "code", [StatusCode.INVALID_ARGUMENT, StatusCode.NOT_FOUND, StatusCode.PERMISSION_DENIED]
)
def test_answer_that_will_be_the_same_next_time_is_neither_repeated_nor_counted(
    code: StatusCode,
) -> None:
    async def refuse(_: int, context: Context) -> bytes:
        await context.abort(code, "no")
        return b""

    service = Service(refuse)

    async def scene(client: Any) -> int:
        with pytest.raises(grpc.aio.AioRpcError):
            await client.get(b"soap")
        return int(client.breaker.snapshot().failures)

    failures = play(service, scene)

    assert service.calls == 1
    assert failures == 0


def test_breaker_opens_on_a_service_that_stays_unavailable() -> None:
    async def down(_: int, context: Context) -> bytes:
        await context.abort(StatusCode.UNAVAILABLE, "down")
        return b""

    service = Service(down)

    async def scene(client: Any) -> str:
        with pytest.raises(grpc.aio.AioRpcError):
            await client.get(b"soap")
        with pytest.raises(CircuitOpenError):
            await client.get(b"soap")
        return str(client.breaker.state.name)

    state = play(service, scene)

    assert state == "OPEN"
    assert service.calls == 5


def test_deadline_of_the_attempt_arrives_at_the_server() -> None:
    seen: list[float | None] = []

    async def look(_: int, context: Context) -> bytes:
        seen.append(context.time_remaining())
        return b""

    play(Service(look), lambda client: client.get(b"soap"))

    assert seen[0] is not None
    assert 0 < seen[0] < 3.0  # gRPC rounds up when it writes the header


def test_deadline_of_the_caller_becomes_that_of_the_handlers_work() -> None:
    seen: list[float | None] = []

    @serving
    async def work(_: bytes, __: Context) -> bytes:
        seen.append(remaining())
        return b""

    async def scene(client: Any) -> None:
        async with deadline(0.5):
            await client.get(b"soap")

    play(Service(lambda _, context: work(b"", context)), scene)

    assert seen[0] is not None
    assert 0 < seen[0] < 1.0  # gRPC rounds up when it writes the header


def test_handler_without_a_callers_deadline_has_none() -> None:
    seen: list[float | None] = []

    @serving
    async def work(_: bytes, __: Context) -> bytes:
        seen.append(remaining())
        return b"done"

    class NoDeadline:
        def time_remaining(self) -> None:
            return None

    answer = asyncio.run(work(b"", NoDeadline()))

    assert answer == b"done"
    assert seen == [None]


def test_retry_comes_back_when_the_server_says_and_not_earlier() -> None:
    async def busy(call: int, context: Context) -> bytes:
        if call == 1:
            hint = (("grpc-retry-pushback-ms", "4000"),)
            await context.abort(StatusCode.RESOURCE_EXHAUSTED, "busy", hint)
        return b"3 EUR"

    async def scene(client: Any) -> list[float]:
        with captured() as events:
            await client.get(b"soap")
        return [event.delay for event in events if isinstance(event, RetryScheduled)]

    delays = play(Service(busy), scene)

    assert [delay >= 4.0 for delay in delays] == [True]


def test_call_that_is_cut_is_cancelled_on_the_server_and_counts() -> None:
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def hang(_: int, __: Context) -> bytes:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return b""

    async def main(clock: FakeClock) -> int:
        async with client_of(Service(hang)) as client:
            call = asyncio.create_task(client.get(b"soap"))
            await begun.wait()
            clock.advance(2.0)
            with pytest.raises(TimedOutError):
                await call
            await cancelled.wait()
            return int(client.breaker.snapshot().failures)

    with FakeClock() as clock:
        failures = asyncio.run(main(clock))

    assert failures == 1


def test_cancelled_call_is_cancelled_on_the_server_and_counts_as_nothing() -> None:
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def hang(_: int, __: Context) -> bytes:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return b""

    async def scene(client: Any) -> tuple[bool, int]:
        call = asyncio.create_task(client.get(b"soap"))
        await begun.wait()
        call.cancel()
        await asyncio.wait([call])
        await cancelled.wait()
        return call.cancelled(), client.breaker.snapshot().failures

    was_cancelled, failures = play(Service(hang), scene)

    assert was_cancelled
    assert failures == 0


async def read(client: Any) -> tuple[list[bytes], StatusCode | None]:
    """Read a stream to its end; return its items, and the code it failed with."""
    items: list[bytes] = []
    try:
        async with aclosing(client.watch(b"soap")) as stream:
            async for item in stream:
                items.append(item)  # noqa: PERF401 - those before a failure are kept
    except grpc.aio.AioRpcError as error:
        return items, error.code()
    return items, None


def test_stream_that_fails_before_its_first_item_is_begun_again() -> None:
    async def second_time(call: int, context: Context) -> AsyncGenerator[bytes]:
        if call == 1:
            await context.abort(StatusCode.UNAVAILABLE, "not yet")
        yield b"3 EUR"
        yield b"4 EUR"

    service = Service(watch=second_time)

    items, code = play(service, read)

    assert items == [b"3 EUR", b"4 EUR"]
    assert code is None
    assert service.calls == 2


def test_stream_that_fails_later_is_not_begun_again_and_counts() -> None:
    async def breaks(_: int, context: Context) -> AsyncGenerator[bytes]:
        yield b"3 EUR"
        await context.abort(StatusCode.UNAVAILABLE, "gone")

    service = Service(watch=breaks)

    async def scene(client: Any) -> tuple[list[bytes], StatusCode | None, int]:
        items, code = await read(client)
        return items, code, client.breaker.snapshot().failures

    items, code, failures = play(service, scene)

    assert items == [b"3 EUR"]
    assert code is StatusCode.UNAVAILABLE
    assert service.calls == 1
    assert failures == 1


def test_reader_who_leaves_ends_the_stream_on_the_server_and_counts_as_nothing() -> None:
    ended = asyncio.Event()

    async def endless(_: int, __: Context) -> AsyncGenerator[bytes]:
        try:
            yield b"3 EUR"
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def scene(client: Any) -> int:
        async with aclosing(client.watch(b"soap")) as stream:
            await anext(stream)
        await ended.wait()
        return int(client.breaker.snapshot().failures)

    failures = play(Service(watch=endless), scene)

    assert failures == 0
