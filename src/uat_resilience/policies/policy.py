"""What every policy is: a name, and a way to wrap a function, decided once as sync or async."""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator
from functools import WRAPPER_ASSIGNMENTS, update_wrapper
from typing import Any, ClassVar, ParamSpec, Protocol, TypeVar, cast, runtime_checkable

from uat_resilience._core.arguments import text
from uat_resilience.clock import Clock, default_clock
from uat_resilience.policies.bounds import Bounds
from uat_resilience.policies.callables import (
    Stream,
    awaiting,
    is_async,
    no_streams,
    refuse_stream,
    refuse_unguardable,
    stream_kind,
)
from uat_resilience.telemetry.bus import EventBus, default_bus

__all__ = ["Guard", "Policy", "Wrapper", "decorate"]

P = ParamSpec("P")
T = TypeVar("T")


@runtime_checkable
class Policy(Protocol):
    """Anything that can run a call for you. A `Pipeline` takes any of them and is one."""

    @property
    def name(self) -> str:
        """What it is called in events, errors and metrics."""
        ...

    # One that never gives an answer of its own says `T`.
    def call(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T | Any:  # noqa: ANN401 - `Fallback` answers anything
        """Run a sync function under this policy."""
        ...

    async def acall(
        self, fn: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> T | Any:  # noqa: ANN401 - `Fallback` answers anything
        """Run an async function under this policy."""
        ...


class Wrapper(ABC):
    """A policy that guards a function as one plain closure, so that pipelines nest without cost.

    A policy keeps no per-call state, so one object serves any number of threads, tasks and event loops.

    Attributes:
        name: Name in events, errors and metrics: the given one, else the kind of policy.
    """

    __slots__ = ("__weakref__", "_bus", "_clock", "_given_name", "name")
    kind: ClassVar[str]

    def __init__(
        self, *, name: str | None, clock: Clock | None = None, bus: EventBus | None = None
    ) -> None:
        self._given_name = None if name is None else text("name", name)
        self.name = name or self.kind
        if clock is not None and not isinstance(clock, Clock):
            raise TypeError(f"clock must have now, random, wait and arm, not {clock!r}")
        if bus is not None and not isinstance(bus, EventBus):
            raise TypeError(f"bus must be an EventBus, not {bus!r}")
        self._clock = clock
        self._bus = default_bus if bus is None else bus

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    def name_within(self, pipeline: str | None) -> str:
        """Return the name it goes by in a pipeline: its own, or the pipeline's with its kind."""
        if self._given_name is not None or pipeline is None:
            return self.name
        return f"{pipeline}/{self.kind}"

    @abstractmethod
    def snapshot(self) -> object:
        """Return a frozen picture of the policy at this moment."""

    @abstractmethod
    def wrap(self, fn: Callable[P, T], name: str) -> Callable[P, T]:
        """Return `fn` guarded for sync code, telling under `name`."""

    @abstractmethod
    def awrap(
        self, fn: Callable[P, Awaitable[T]], name: str
    ) -> Callable[P, Coroutine[Any, Any, T]]:
        """Return `fn` guarded for async code, telling under `name`."""

    def wrap_stream(
        self, fn: Callable[P, Generator[T, Any, Any]], name: str
    ) -> Callable[P, Generator[T, Any, Any]]:
        """Return a generator function guarded for sync code, telling under `name`.

        Raises:
            TypeError: The policy means nothing for streams.
        """
        raise no_streams(name, fn)

    def awrap_stream(
        self, fn: Callable[P, AsyncGenerator[T, Any]], name: str
    ) -> Callable[P, AsyncGenerator[T, Any]]:
        """Return an async-generator function guarded for async code, telling under `name`.

        Raises:
            TypeError: The policy means nothing for streams.
        """
        raise no_streams(name, fn)

    @property
    def in_use(self) -> bool:
        """True while dropping the policy would lose something: calls inside, an open breaker."""
        return False

    def bounds(self, inner: Bounds, *, sync: bool) -> Bounds:  # noqa: ARG002 - a wait is a wait
        """Return how long a call can take and how many calls it can become, given the same for inside."""
        return inner

    def describe(self) -> str:
        """Say in a few words what it does."""
        return self.kind

    def _time(self) -> Clock:
        return self._clock or default_clock.clock


class Guard(Wrapper):
    """A policy that hands on what the guarded function returns: most of them."""

    __slots__ = ()

    def call(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a sync function under this policy and return what it returns.

        Raises:
            TypeError: It returned a coroutine (`acall` runs those), or is a generator function.
        """
        refuse_unguardable(self.name, fn)
        refuse_stream(self.name, fn)
        return self.wrap(fn, self.name)(*args, **kwargs)

    async def acall(self, fn: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run an async function under this policy and return what it returns.

        Raises:
            TypeError: It returned nothing that can be awaited, or is a generator function.
        """
        refuse_unguardable(self.name, fn)
        refuse_stream(self.name, fn)
        return await self.awrap(awaiting(fn), self.name)(*args, **kwargs)

    def __call__(self, fn: Callable[P, T], /) -> Callable[P, T]:
        """Guard every call of a function: `def` or `async def`, method, partial or callable object.

        Raises:
            TypeError: `fn` is a generator or async-generator function, a `classmethod` or
                `staticmethod` object, or not callable at all.
        """
        return decorate(self, fn)


def decorate(policy: Wrapper, fn: Callable[P, T]) -> Callable[P, T]:
    """Wrap a function the way it is written: async functions stay async, generators stay generators."""
    refuse_unguardable(policy.name, fn)
    stream = stream_kind(fn)
    if stream is not None:
        # T is the generator that `fn` returns, and what comes out is one of the same items.
        wrap = policy.awrap_stream if stream is Stream.ASYNC else policy.wrap_stream
        guarded = cast("Callable[P, T]", wrap(cast("Callable[P, Any]", fn), policy.name))
    elif is_async(fn):
        # T is the coroutine that `fn` returns, and the wrapper returns one of the same result: true
        # for every `async def`, and more than the type system can say.
        guarded = cast(
            "Callable[P, T]", policy.awrap(cast("Callable[P, Awaitable[object]]", fn), policy.name)
        )
    else:
        guarded = policy.wrap(fn, policy.name)
    if guarded is fn:  # An empty pipeline: there is nothing to dress up.
        return fn
    # A callable object's or partial's own attributes are its state, not marks left on a function.
    kept = ("__dict__",) if hasattr(fn, "__code__") else ()
    return update_wrapper(guarded, fn, WRAPPER_ASSIGNMENTS, kept)
