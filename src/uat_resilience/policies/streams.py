"""Streams: generators and async generators under a policy.

A stream is a call that lasts. It is let in when its first item is asked for, and what it holds (a slot, a
breaker's ticket) it holds until it ends. An error in mid-stream counts like that of any call. A consumer that
closes it early says nothing about the source, and the closing always reaches the source. Nothing is set in the
consumer's context: a deadline lies around each step, never around the consumer's own code between two steps.
"""

from abc import abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import aclosing, closing
from enum import Enum, auto
from typing import Any, ParamSpec, TypeVar

from uat_resilience.policies.permit import Permit
from uat_resilience.policies.policy import Guard

__all__ = ["HeldByStreams", "abegun", "astepwise", "begun", "stepwise"]

P = ParamSpec("P")
T = TypeVar("T")


class End(Enum):
    """Stands for the end of a stream where an item is looked for, as None is an item like any other."""

    END = auto()


END = End.END

Begun = tuple[Generator[T, Any, Any], T | End]
"""A generator that was begun, and its first item."""

ABegun = tuple[AsyncGenerator[T, Any], T | End]
"""An async generator that was begun, and its first item."""


class HeldByStreams(Guard):
    """A policy whose permit a stream holds from its first step to its end."""

    __slots__ = ()

    @abstractmethod
    def permit_as(self, name: str) -> Permit:
        """Return a permit that tells under `name`."""

    def condemns(self, result: object) -> bool:  # noqa: ARG002 - most judge no results
        """Return True when the policy counts a result as a failure, for results that are held open."""
        return False

    def wrap_stream(
        self, fn: Callable[P, Generator[T, Any, Any]], name: str
    ) -> Callable[P, Generator[T, Any, Any]]:
        """Return a generator function guarded for sync code."""

        def guarded(*args: P.args, **kwargs: P.kwargs) -> Generator[T, Any, Any]:
            with self.permit_as(name):
                return (yield from fn(*args, **kwargs))

        return guarded

    def awrap_stream(
        self, fn: Callable[P, AsyncGenerator[T, Any]], name: str
    ) -> Callable[P, AsyncGenerator[T, Any]]:
        """Return an async-generator function guarded for async code."""

        async def guarded(*args: P.args, **kwargs: P.kwargs) -> AsyncGenerator[T, Any]:
            async with self.permit_as(name), aclosing(fn(*args, **kwargs)) as source:
                async for item in source:
                    yield item

        return guarded


def stepwise(
    fn: Callable[P, Generator[T, Any, Any]],
    guard: Callable[[Callable[[], T | End]], Callable[[], T | End]],
) -> Callable[P, Generator[T, Any, Any]]:
    """Return a generator function each of whose steps is a guarded call."""

    def guarded(*args: P.args, **kwargs: P.kwargs) -> Generator[T, Any, Any]:
        with closing(fn(*args, **kwargs)) as source:
            step = guard(lambda: next(source, END))
            while (item := step()) is not END:
                yield item

    return guarded


def astepwise(
    fn: Callable[P, AsyncGenerator[T, Any]],
    guard: Callable[[Callable[[], Awaitable[T | End]]], Callable[[], Awaitable[T | End]]],
) -> Callable[P, AsyncGenerator[T, Any]]:
    """Return an async-generator function each of whose steps is a guarded call."""

    async def guarded(*args: P.args, **kwargs: P.kwargs) -> AsyncGenerator[T, Any]:
        async with aclosing(fn(*args, **kwargs)) as source:
            step = guard(lambda: anext(source, END))
            while (item := await step()) is not END:
                yield item

    return guarded


def begun(
    fn: Callable[P, Generator[T, Any, Any]],
    guard: Callable[[Callable[P, Begun[T]]], Callable[P, Begun[T]]],
) -> Callable[P, Generator[T, Any, Any]]:
    """Return a generator function whose beginning, up to its first item, is a guarded call."""

    def begin(*args: P.args, **kwargs: P.kwargs) -> Begun[T]:
        source = fn(*args, **kwargs)
        return source, next(source, END)

    guarded_begin = guard(begin)

    def guarded(*args: P.args, **kwargs: P.kwargs) -> Generator[T, Any, Any]:
        source, first = guarded_begin(*args, **kwargs)
        if first is END:
            return
        with closing(source):
            yield first
            yield from source

    return guarded


def abegun(
    fn: Callable[P, AsyncGenerator[T, Any]],
    guard: Callable[[Callable[P, Awaitable[ABegun[T]]]], Callable[P, Awaitable[ABegun[T]]]],
) -> Callable[P, AsyncGenerator[T, Any]]:
    """Return an async-generator function whose beginning, up to its first item, is a guarded call."""

    async def begin(*args: P.args, **kwargs: P.kwargs) -> ABegun[T]:
        source = fn(*args, **kwargs)
        return source, await anext(source, END)

    guarded_begin = guard(begin)

    async def guarded(*args: P.args, **kwargs: P.kwargs) -> AsyncGenerator[T, Any]:
        source, first = await guarded_begin(*args, **kwargs)
        if first is END:
            return
        async with aclosing(source):
            yield first
            async for item in source:
                yield item

    return guarded
