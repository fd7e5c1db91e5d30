"""Fallback: another answer, for the errors you name."""

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Generic, ParamSpec, TypeVar, cast, overload

from uat_resilience.clock import Clock
from uat_resilience.policies.callables import (
    COROUTINE,
    awaiting,
    refuse_coroutine,
    refuse_stream,
    refuse_unguardable,
)
from uat_resilience.policies.matching import ExceptionSpec, Matcher
from uat_resilience.policies.outcomes import Outcomes
from uat_resilience.policies.policy import Wrapper, decorate
from uat_resilience.policies.unset import Unset
from uat_resilience.switches import switches
from uat_resilience.telemetry.bus import EventBus
from uat_resilience.telemetry.events import FallbackUsed

__all__ = ["Fallback", "FallbackSnapshot"]

P = ParamSpec("P")
T = TypeVar("T")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class FallbackSnapshot:
    """A fallback, which keeps nothing.

    Attributes:
        calls: True when it calls a function, False when it gives a value.
    """

    calls: bool


class Fallback(Wrapper, Generic[V]):
    """Give another answer, for the errors you name and no others.

    A refusal is an error like any other here: `on=Exception` covers an open breaker too, `on=CallRefusedError`
    nothing but refusals. Cancellation and exit always pass. Keeps nothing; safe to share between threads,
    tasks and event loops.

    Args:
        on: Exceptions to answer in place of: a type, a tuple of types, or a predicate.
        value: What to give. The same object each time.
        call: Called with the exception; what it returns is given. May be async in async code. What it
            raises comes out, with the first exception as its context.
        name: Name in events. Default: `fallback`, or `pipeline/fallback` in a named pipeline.
        clock: Time source of its events. Default: the replaceable system clock.
        bus: Where events go. Default: `default_bus`.

    Raises:
        TypeError: An argument is of the wrong type, or not exactly one of `value` and `call` is given.
    """

    __slots__ = ("_call", "_on", "_value")
    kind = "fallback"

    @overload
    def __init__(
        self,
        *,
        on: ExceptionSpec,
        value: V,
        name: str | None = None,
        clock: Clock | None = None,
        bus: EventBus | None = None,
    ) -> None: ...
    @overload
    def __init__(
        self,
        *,
        on: ExceptionSpec,
        call: Callable[[Exception], Awaitable[V]],
        name: str | None = None,
        clock: Clock | None = None,
        bus: EventBus | None = None,
    ) -> None: ...
    @overload
    def __init__(
        self,
        *,
        on: ExceptionSpec,
        call: Callable[[Exception], V],
        name: str | None = None,
        clock: Clock | None = None,
        bus: EventBus | None = None,
    ) -> None: ...
    def __init__(
        self,
        *,
        on: ExceptionSpec,
        value: object = Unset.UNSET,
        call: Callable[[Exception], object] | None = None,
        name: str | None = None,
        clock: Clock | None = None,
        bus: EventBus | None = None,
    ) -> None:
        super().__init__(name=name, clock=clock, bus=bus)
        self._on = Matcher("on", on, refusals=True)
        if (value is Unset.UNSET) is (call is None):
            given = "neither" if call is None else "both"
            raise TypeError(f"exactly one of value and call must be given, not {given}")
        if call is not None and not callable(call):
            raise TypeError(f"call must be callable, not {call!r}")
        self._value = value
        self._call = call

    def snapshot(self) -> FallbackSnapshot:
        """Return what it does; it keeps nothing."""
        return FallbackSnapshot(calls=self._call is not None)

    def describe(self) -> str:
        """Say in a few words what it does."""
        return "calls another function" if self._call is not None else "gives another value"

    def call(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T | V:
        """Run a sync function; return what it returns, or the fallback's answer.

        Raises:
            TypeError: It returned a coroutine (`acall` runs those), or is a generator function.
        """
        refuse_unguardable(self.name, fn)
        refuse_stream(self.name, fn)
        return self.wrap(fn, self.name)(*args, **kwargs)

    async def acall(
        self, fn: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> T | V:
        """Run an async function; return what it returns, or the fallback's answer.

        Raises:
            TypeError: It returned nothing that can be awaited, or is a generator function.
        """
        refuse_unguardable(self.name, fn)
        refuse_stream(self.name, fn)
        return await self.awrap(awaiting(fn), self.name)(*args, **kwargs)

    # Two signatures, since a fallback changes what comes out: inside the coroutine, or at once.
    @overload
    def __call__(
        self, fn: Callable[P, Coroutine[Any, Any, T]], /
    ) -> Callable[P, Coroutine[Any, Any, T | V]]: ...
    @overload
    def __call__(self, fn: Callable[P, T], /) -> Callable[P, T | V]: ...
    def __call__(self, fn: Callable[P, Any], /) -> Callable[P, Any]:
        """Guard every call of a function, which from then on returns its own answer or the fallback's.

        Raises:
            TypeError: `fn` is a generator or async-generator function, a `classmethod` or
                `staticmethod` object, or not callable at all.
        """
        return decorate(self, fn)

    def wrap(self, fn: Callable[P, T], name: str) -> Callable[P, T]:
        """Return `fn` guarded for sync code. Its T stands for T | V from here on: `__call__` says so."""
        outcomes = Outcomes(name, self._bus, self._clock)

        def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            try:
                return _not_a_coroutine(fn(*args, **kwargs))
            except Exception as error:
                if not self._covers(outcomes, error):
                    raise
                return _not_a_coroutine(cast("T", self._answer_to(error)))

        return outcomes.around(guarded)

    def awrap(
        self, fn: Callable[P, Awaitable[T]], name: str
    ) -> Callable[P, Coroutine[Any, Any, T]]:
        """Return `fn` guarded for async code."""
        outcomes = Outcomes(name, self._bus, self._clock)

        async def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            try:
                return await fn(*args, **kwargs)
            except Exception as error:
                if not self._covers(outcomes, error):
                    raise
                answer = self._answer_to(error)
                if self._call is not None and isinstance(answer, Awaitable):
                    answer = await cast("Awaitable[object]", answer)
                return cast("T", answer)

        return outcomes.aaround(guarded)

    def _answer_to(self, error: Exception) -> object:
        return self._value if self._call is None else self._call(error)

    def _covers(self, outcomes: Outcomes, error: Exception) -> bool:
        """Return True, and tell, when the fallback answers in place of this error."""
        covered = switches.guarding and self._on(error)
        if covered and self._bus.wants(FallbackUsed):
            self._bus.emit(FallbackUsed(outcomes.policy, outcomes.now(), error))
        return covered


def _not_a_coroutine(result: T) -> T:
    if type(result) is COROUTINE:
        raise refuse_coroutine(result)
    return result
