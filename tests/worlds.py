"""The three worlds a call can be made in, with one spelling for all of them.

Bodies are written as sync functions; in the async worlds they are called from a coroutine function. Each call runs
on an event loop of its own, so a policy that is used twice has been used on two loops.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

import trio

T = TypeVar("T")


class World(Protocol):
    """Sync code, asyncio or trio."""

    name: str

    def call(self, policy: Any, fn: Callable[..., T], *args: object, **kwargs: object) -> T:
        """Run `fn` by hand: `policy.call` or `policy.acall`."""

    def guard(self, policy: Any, fn: Callable[..., T]) -> Callable[..., T]:
        """Decorate `fn`, as a sync or an async function; what is returned is called from sync code."""

    def block(self, permit: Any, body: Callable[..., T]) -> T:
        """Run `body(entered)` inside `with permit` or `async with permit`."""

    def loop(self, retry: Any, body: Callable[..., None]) -> None:
        """Run `for attempt in retry: with attempt: body(attempt)`, or its async spelling."""


class Sync:
    name = "sync"

    def call(self, policy: Any, fn: Callable[..., T], *args: object, **kwargs: object) -> T:
        return policy.call(fn, *args, **kwargs)

    def guard(self, policy: Any, fn: Callable[..., T]) -> Callable[..., T]:
        return policy(fn)

    def block(self, permit: Any, body: Callable[..., T]) -> T:
        with permit as entered:
            return body(entered)

    def loop(self, retry: Any, body: Callable[..., None]) -> None:
        for attempt in retry:
            with attempt:
                body(attempt)


class OnLoop:
    """An async world; subclasses say which."""

    name: str

    def run(self, main: Callable[[], Awaitable[T]]) -> T:
        """Run a coroutine function on an event loop of its own."""
        raise NotImplementedError

    def call(self, policy: Any, fn: Callable[..., T], *args: object, **kwargs: object) -> T:
        async def body(*args: object, **kwargs: object) -> T:
            return fn(*args, **kwargs)

        async def main() -> T:
            return await policy.acall(body, *args, **kwargs)

        return self.run(main)

    def guard(self, policy: Any, fn: Callable[..., T]) -> Callable[..., T]:
        async def body(*args: object, **kwargs: object) -> T:
            return fn(*args, **kwargs)

        guarded = policy(body)

        def called(*args: object, **kwargs: object) -> T:
            async def main() -> T:
                return await guarded(*args, **kwargs)

            return self.run(main)

        return called

    def block(self, permit: Any, body: Callable[..., T]) -> T:
        async def main() -> T:
            async with permit as entered:
                return body(entered)

        return self.run(main)

    def loop(self, retry: Any, body: Callable[..., None]) -> None:
        async def main() -> None:
            async for attempt in retry:
                with attempt:
                    body(attempt)

        self.run(main)


class OnAsyncio(OnLoop):
    name = "asyncio"

    def run(self, main: Callable[[], Awaitable[T]]) -> T:
        async def coroutine() -> T:
            return await main()

        return asyncio.run(coroutine())


class OnTrio(OnLoop):
    name = "trio"

    def run(self, main: Callable[[], Awaitable[T]]) -> T:
        return trio.run(main)
