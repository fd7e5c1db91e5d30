"""The two worlds that redis-py knows, with one spelling for both."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

import redis
import redis.asyncio

from uat_resilience import deadline, remaining

T = TypeVar("T")


class Driver(Protocol):
    """Sync code, or asyncio."""

    def client(self, port: int) -> Any:
        """Return a client as redis-py makes it, with the defaults that take up to a minute."""

    def call(self, policy: Any, fn: Callable[[], T], *, within: float | None = None) -> T:
        """Run `fn` under a policy, and under a deadline."""

    def left(self, policy: Any, *, within: float) -> float:
        """Return what a call leaves of its deadline, that was let in."""

    def block(self, permit: Any, body: Callable[[Any], T]) -> T:
        """Run `body(entered)` inside `with permit` or `async with permit`."""

    def close(self) -> None:
        """Close what was opened."""


class Threads:
    """Sync code."""

    def __init__(self) -> None:
        self._clients: list[redis.Redis] = []

    def client(self, port: int) -> redis.Redis:
        self._clients.append(redis.Redis(port=port))
        return self._clients[-1]

    def call(self, policy: Any, fn: Callable[[], T], *, within: float | None = None) -> T:
        with deadline(within):
            return policy.call(fn)

    def left(self, policy: Any, *, within: float) -> float:
        with deadline(within):
            policy.call(int)
            return remaining() or 0.0

    def block(self, permit: Any, body: Callable[[Any], T]) -> T:
        with permit as entered:
            return body(entered)

    def close(self) -> None:
        for client in self._clients:
            client.close()


class Tasks:
    """One event loop, which runs while it is asked to."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._clients: list[redis.asyncio.Redis] = []

    def client(self, port: int) -> redis.asyncio.Redis:
        self._clients.append(redis.asyncio.Redis(port=port))
        return self._clients[-1]

    def run(self, main: Callable[[], Awaitable[T]]) -> T:
        async def coroutine() -> T:
            return await main()

        return self._runner.run(coroutine())

    def call(self, policy: Any, fn: Callable[[], T], *, within: float | None = None) -> T:
        async def body() -> T:
            return fn()

        async def main() -> T:
            async with deadline(within):
                return await policy.acall(body)

        return self.run(main)

    def left(self, policy: Any, *, within: float) -> float:
        async def body() -> None:
            pass

        async def main() -> float:
            async with deadline(within):
                await policy.acall(body)
                return remaining() or 0.0

        return self.run(main)

    def block(self, permit: Any, body: Callable[[Any], T]) -> T:
        async def main() -> T:
            async with permit as entered:
                return body(entered)

        return self.run(main)

    def close(self) -> None:
        for client in self._clients:
            self._runner.run(client.aclose())
        self._runner.close()
