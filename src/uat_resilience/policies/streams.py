"""Streams: generators and async generators under a policy.

A stream is a call that lasts. It is let in when its first item is asked for, and what it holds (a slot, a
breaker's ticket) it holds until it ends. An error in mid-stream counts like that of any call. A consumer that
closes it early says nothing about the source, and the closing always reaches the source, as does what it sends or
throws. Nothing is set in the consumer's context: a deadline lies around each step, never around the consumer's own
code between two steps. Async generators have no `yield from`, so that each of theirs spells out its loop.
"""

from abc import abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import aclosing, closing
from enum import Enum, auto
from typing import Any, Generic, ParamSpec, TypeVar

from uat_resilience.policies.permit import Permit
from uat_resilience.policies.policy import Guard

__all__ = ["HeldByStreams", "abegun", "astepwise", "begun", "stepwise"]

P = ParamSpec("P")
T = TypeVar("T")


class End(Enum):
    """Stands for the end of a stream where an item is looked for, as None is an item like any other."""

    END = auto()


END = End.END


class _Steps(Generic[T]):
    """The steps of a generator: each takes in what the consumer sent or threw, and gives the next item.

    Attributes:
        source: The generator.
        sent: What the consumer sent for the item before, None where it only asked for the next.
        thrown: What the consumer threw instead. A context manager throws what its block raised.
        result: What the generator returned.
    """

    __slots__ = ("result", "sent", "source", "thrown")

    def __init__(self, source: Generator[T, Any, Any]) -> None:
        self.source = source
        self.sent: object = None
        self.thrown: BaseException | None = None
        self.result: object = None

    def next(self) -> T | End:
        """Take a step; `END` when there is no further item."""
        thrown, self.thrown = self.thrown, None
        try:
            return self.source.send(self.sent) if thrown is None else self.source.throw(thrown)
        except StopIteration as end:
            self.result = end.value
            return END
        finally:
            del thrown  # Or the error and this frame would keep each other alive.


class _ASteps(Generic[T]):
    """The steps of an async generator, which returns nothing."""

    __slots__ = ("sent", "source", "thrown")

    def __init__(self, source: AsyncGenerator[T, Any]) -> None:
        self.source = source
        self.sent: object = None
        self.thrown: BaseException | None = None

    async def next(self) -> T | End:
        """Take a step; `END` when there is no further item."""
        thrown, self.thrown = self.thrown, None
        try:
            if thrown is None:
                return await self.source.asend(self.sent)
            return await self.source.athrow(thrown)
        except StopAsyncIteration:
            return END
        finally:
            del thrown  # Or the error and this frame would keep each other alive.


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
                steps = _ASteps(source)
                while (item := await steps.next()) is not END:
                    try:
                        steps.sent = yield item
                    except GeneratorExit:
                        raise
                    except BaseException as error:  # noqa: BLE001 - the source decides what becomes of it
                        steps.thrown = error

        return guarded


def stepwise(
    fn: Callable[P, Generator[T, Any, Any]],
    guard: Callable[[Callable[[], T | End]], Callable[[], T | End]],
) -> Callable[P, Generator[T, Any, Any]]:
    """Return a generator function each of whose steps is a guarded call."""

    def guarded(*args: P.args, **kwargs: P.kwargs) -> Generator[T, Any, Any]:
        with closing(fn(*args, **kwargs)) as source:
            steps = _Steps(source)
            step = guard(steps.next)
            return (yield from _relayed(steps, step, step()))

    return guarded


def astepwise(
    fn: Callable[P, AsyncGenerator[T, Any]],
    guard: Callable[[Callable[[], Awaitable[T | End]]], Callable[[], Awaitable[T | End]]],
) -> Callable[P, AsyncGenerator[T, Any]]:
    """Return an async-generator function each of whose steps is a guarded call."""

    async def guarded(*args: P.args, **kwargs: P.kwargs) -> AsyncGenerator[T, Any]:
        async with aclosing(fn(*args, **kwargs)) as source:
            steps = _ASteps(source)
            step = guard(steps.next)
            while (item := await step()) is not END:
                try:
                    steps.sent = yield item
                except GeneratorExit:
                    raise
                except BaseException as error:  # noqa: BLE001 - the source decides what becomes of it
                    steps.thrown = error

    return guarded


def _relayed(
    steps: _Steps[T], step: Callable[[], T | End], item: T | End
) -> Generator[T, Any, Any]:
    """Yield an item and those after it, and hand on what the consumer sends and throws."""
    while item is not END:
        try:
            steps.sent = yield item
        except GeneratorExit:
            raise
        except BaseException as error:  # noqa: BLE001 - the source decides what becomes of it
            steps.thrown = error
        item = step()
    return steps.result


Begun = tuple[_Steps[T], T | End]
"""A generator that was begun, and its first item."""

ABegun = tuple[_ASteps[T], T | End]
"""An async generator that was begun, and its first item."""


def begun(
    fn: Callable[P, Generator[T, Any, Any]],
    guard: Callable[[Callable[P, Begun[T]]], Callable[P, Begun[T]]],
) -> Callable[P, Generator[T, Any, Any]]:
    """Return a generator function whose beginning, up to its first item, is a guarded call."""

    def begin(*args: P.args, **kwargs: P.kwargs) -> Begun[T]:
        steps = _Steps(fn(*args, **kwargs))
        return steps, steps.next()

    guarded_begin = guard(begin)

    def guarded(*args: P.args, **kwargs: P.kwargs) -> Generator[T, Any, Any]:
        steps, item = guarded_begin(*args, **kwargs)
        with closing(steps.source):
            return (yield from _relayed(steps, steps.next, item))

    return guarded


def abegun(
    fn: Callable[P, AsyncGenerator[T, Any]],
    guard: Callable[[Callable[P, Awaitable[ABegun[T]]]], Callable[P, Awaitable[ABegun[T]]]],
) -> Callable[P, AsyncGenerator[T, Any]]:
    """Return an async-generator function whose beginning, up to its first item, is a guarded call."""

    async def begin(*args: P.args, **kwargs: P.kwargs) -> ABegun[T]:
        steps = _ASteps(fn(*args, **kwargs))
        return steps, await steps.next()

    guarded_begin = guard(begin)

    async def guarded(*args: P.args, **kwargs: P.kwargs) -> AsyncGenerator[T, Any]:
        steps, item = await guarded_begin(*args, **kwargs)
        async with aclosing(steps.source):
            while item is not END:
                try:
                    steps.sent = yield item
                except GeneratorExit:
                    raise
                except BaseException as error:  # noqa: BLE001 - the source decides what becomes of it
                    steps.thrown = error
                item = await steps.next()

    return guarded
