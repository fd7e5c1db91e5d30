"""What limiters and shedders share: let a call in or refuse it, run it, and take note of its end."""

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, Generic, ParamSpec, TypeVar

from uat_resilience.policies.callables import COROUTINE, refuse_coroutine
from uat_resilience.policies.outcomes import Outcomes
from uat_resilience.policies.permit import Permit, Verdict
from uat_resilience.policies.streams import HeldByStreams
from uat_resilience.switches import switches

__all__ = ["Admission", "AdmissionPermit"]

P = ParamSpec("P")
T = TypeVar("T")
Entry = TypeVar("Entry")


class Admission(HeldByStreams, Generic[Entry]):
    """A policy that lets calls in one by one. Subclasses say when, and what is due at the end of a call."""

    __slots__ = ()

    @abstractmethod
    def _admit(self, outcomes: Outcomes) -> Entry:
        """Let a call in, or raise a refusal. May block."""

    @abstractmethod
    async def _aadmit(self, outcomes: Outcomes) -> Entry:
        """Let a call in, or raise a refusal. May suspend."""

    @abstractmethod
    def _release(self, entry: Entry, verdict: Verdict) -> None:
        """Take note of the end of a call that was let in. Must not wait."""

    def permit_as(self, name: str) -> Permit:
        """Return a permit that tells under `name`."""
        outcomes = Outcomes(name, self._bus, self._clock)
        return AdmissionPermit(
            outcomes, partial(self._admit, outcomes), partial(self._aadmit, outcomes), self._release
        )

    def wrap(self, fn: Callable[P, T], name: str) -> Callable[P, T]:
        """Return `fn` guarded for sync code."""
        bus, outcomes = self._bus, Outcomes(name, self._bus, self._clock)

        def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            if not switches.guarding:
                return fn(*args, **kwargs)
            started = outcomes.now() if bus.outcomes_wanted else None
            entry = self._admit(outcomes)
            try:
                result = fn(*args, **kwargs)
                if type(result) is COROUTINE:
                    raise refuse_coroutine(result)
            except BaseException as error:
                self._release(entry, outcomes.verdict(error))
                if started is not None:
                    outcomes.raised(started, error)
                raise
            self._release(entry, Verdict.SUCCESS)
            if started is not None:
                outcomes.succeeded(started)
            return result

        return guarded

    def awrap(
        self, fn: Callable[P, Awaitable[T]], name: str
    ) -> Callable[P, Coroutine[Any, Any, T]]:
        """Return `fn` guarded for async code."""
        bus, outcomes = self._bus, Outcomes(name, self._bus, self._clock)

        async def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            if not switches.guarding:
                return await fn(*args, **kwargs)
            started = outcomes.now() if bus.outcomes_wanted else None
            entry = await self._aadmit(outcomes)
            try:
                result = await fn(*args, **kwargs)
            except BaseException as error:
                self._release(entry, outcomes.verdict(error))
                if started is not None:
                    outcomes.raised(started, error)
                raise
            self._release(entry, Verdict.SUCCESS)
            if started is not None:
                outcomes.succeeded(started)
            return result

        return guarded


class AdmissionPermit(Permit, Generic[Entry]):
    """A block that is let in like a call.

    Args:
        outcomes: Tells how the block ends.
        admit: Lets it in, in sync code.
        aadmit: Lets it in, in async code.
        release: Takes note of its end.
    """

    __slots__ = ("_aadmit", "_admit", "_entries", "_outcomes", "_release", "_started")

    def __init__(
        self,
        outcomes: Outcomes,
        admit: Callable[[], Entry],
        aadmit: Callable[[], Awaitable[Entry]],
        release: Callable[[Entry, Verdict], None],
    ) -> None:
        super().__init__()
        self._outcomes = outcomes
        self._admit = admit
        self._aadmit = aadmit
        self._release = release
        self._entries: list[Entry] = []  # One when it was let in, none while guarding is off.
        self._started: float | None = None

    def _take(self) -> None:
        if switches.guarding:
            self._started = self._outcomes.begin()
            self._entries.append(self._admit())

    async def _atake(self) -> None:
        if switches.guarding:
            self._started = self._outcomes.begin()
            self._entries.append(await self._aadmit())

    def _give_back(self, verdict: Verdict | None, error: BaseException | None) -> None:
        for entry in self._entries:
            self._release(entry, verdict or self._outcomes.verdict(error))
        if self._started is not None:
            self._outcomes.settled(self._started, verdict, error)
