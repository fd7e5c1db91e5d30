"""Checked by mypy and pyright, never run: what is guarded keeps its signature and its types."""

from collections.abc import Awaitable, Callable
from typing import assert_type

from uat_resilience import (
    Bulkhead,
    CircuitBreaker,
    Coalesce,
    Fallback,
    Hedge,
    Pipeline,
    Policy,
    RateLimiter,
    Retry,
    Timeout,
)

breaker = CircuitBreaker("orders-db")
retry = Retry(on=ConnectionError)
orders = Pipeline(Timeout(10.0), retry, breaker, Bulkhead(100), Timeout(2.0), name="orders")


@orders
async def fetch(order: int, *, fresh: bool = False) -> str:
    return f"{order} {fresh}"


@breaker
def read(path: str) -> bytes:
    return path.encode()


class Client:
    @retry
    def get(self, key: str) -> float:
        return float(len(key))

    @retry
    async def aget(self, key: str) -> float:
        return float(len(key))


@Fallback(on=ConnectionError, value=None)
def look_up(key: str) -> int:
    return len(key)


async def calls_keep_their_types() -> None:
    assert_type(await fetch(1, fresh=True), str)
    assert_type(read("x"), bytes)
    assert_type(Client().get("x"), float)
    assert_type(await Client().aget("x"), float)
    assert_type(look_up("x"), int | None)
    assert_type(orders.call(read, "x"), bytes)
    assert_type(await orders.acall(fetch, 1, fresh=True), str)


def every_policy_is_one() -> None:
    policies: list[Policy] = [
        orders,
        Hedge(0.1),
        RateLimiter(5),
        Coalesce(str),
        Fallback(on=ConnectionError, value=None),
        Fallback(on=ConnectionError, call=str),
    ]
    # What it falls back to is not what the function returns.
    Pipeline(Fallback(on=ConnectionError, value=None), *policies)
    returned: bytes = policies[0].call(read, "x")
    del returned


def functions_keep_their_signatures() -> None:
    accepted: Callable[[int], Awaitable[str]] = fetch
    refused: Callable[[bytes], Awaitable[str]] = fetch  # type: ignore[assignment] # pyright: ignore[reportAssignmentType] - `order` is an int
    del accepted, refused


async def blocks_have_types() -> None:
    async for attempt in retry:
        with attempt:
            assert_type(attempt.number, int)
    for attempt in retry:
        with attempt:
            pass
    with breaker.permit() as permit:
        permit.success()
