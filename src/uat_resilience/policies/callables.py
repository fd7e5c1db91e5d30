"""What kind of function a policy is given: sync, async, a stream, or one that no policy could guard."""

from collections.abc import Awaitable, Callable
from enum import Enum, auto
from functools import partial
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from types import CoroutineType
from typing import ParamSpec, TypeVar, cast

from uat_resilience.errors import MisusedCallError

__all__ = [
    "COROUTINE",
    "Stream",
    "awaiting",
    "is_async",
    "no_streams",
    "refuse_coroutine",
    "refuse_stream",
    "refuse_unguardable",
    "stream_kind",
]

COROUTINE: type = CoroutineType
"""What calling an `async def` function returns: in sync code the sign of a wrong call."""

P = ParamSpec("P")
T = TypeVar("T")

_PARTIAL: type = partial
_COROUTINE = 0x80  # inspect.CO_COROUTINE
_GENERATOR = 0x20 | 0x200  # inspect.CO_GENERATOR, inspect.CO_ASYNC_GENERATOR


class Stream(Enum):
    """The two kinds of function whose body runs step by step."""

    SYNC = auto()
    ASYNC = auto()


def is_async(fn: Callable[..., object]) -> bool:
    """Return True for coroutine functions, also as partials, methods or callable objects."""
    return iscoroutinefunction(fn) or iscoroutinefunction(_call_method(fn))


def awaiting(fn: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    """Return `fn`, with a check on what it returns unless it can only return a coroutine."""
    code = getattr(fn, "__code__", None)
    if code is not None and code.co_flags & _COROUTINE:
        return fn

    async def awaited(*args: P.args, **kwargs: P.kwargs) -> T:
        result = fn(*args, **kwargs)
        if not isinstance(result, Awaitable):
            raise MisusedCallError(
                f"{_describe(fn)} returned {type(result).__name__}, which cannot be awaited: "
                "use call() for sync functions"
            )
        return await result

    return awaited


def refuse_coroutine(result: object) -> MisusedCallError:
    """Close a coroutine that a sync call returned, and return the error to raise for it."""
    coroutine = cast("CoroutineType[object, object, object]", result)
    coroutine.close()
    return MisusedCallError(
        f"a sync call returned the coroutine {coroutine.__qualname__}: "
        "use acall(), or guard an async function"
    )


def refuse_unguardable(policy: str, fn: object) -> None:
    """Raise for what a policy could not protect, instead of not protecting it in silence."""
    if isinstance(fn, classmethod | staticmethod):
        kind = type(cast("object", fn)).__name__
        raise TypeError(f"{policy} cannot guard a {kind} object: put it underneath @{kind}")
    if not callable(fn):
        raise TypeError(f"{policy} can guard functions and callables, not {fn!r}")


def refuse_stream(policy: str, fn: object) -> None:
    """Raise for a generator function that is to be called by hand, where its body would run later, unguarded."""
    if callable(fn) and stream_kind(fn) is not None:
        raise TypeError(
            f"{policy} cannot call the generator function {_describe(fn)}: its body runs later, where the "
            "policy would not see it; decorate it, and iterate over what the guarded function returns"
        )


def stream_kind(fn: Callable[..., object]) -> Stream | None:
    """Return what kind of generator function it is, or None for any other."""
    code = getattr(fn, "__code__", None)
    if code is not None and not code.co_flags & _GENERATOR:
        return None
    target: object = fn if isinstance(fn, _PARTIAL) or code is not None else _call_method(fn)
    if isasyncgenfunction(target):
        return Stream.ASYNC
    return Stream.SYNC if isgeneratorfunction(target) else None


def no_streams(policy: str, fn: object) -> TypeError:
    """Return the error of a policy that means nothing for streams."""
    return TypeError(
        f"{policy} cannot guard the generator function {_describe(fn)}: for a stream this policy has no "
        "meaning; guard a function that consumes it"
    )


def _call_method(fn: Callable[..., object]) -> Callable[..., object]:
    # Calling a class makes an instance; what its instances do when called is another matter.
    return fn if isinstance(fn, type) else cast("Callable[..., object]", type(fn).__call__)


def _describe(fn: object) -> str:
    return getattr(fn, "__qualname__", None) or repr(fn)
