"""One hedged call: its copies, and which of them decides."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from uat_resilience.ambient import retries_owned
from uat_resilience.clock import Clock
from uat_resilience.errors import CallRefusedError
from uat_resilience.policies.adaptive_delay import AdaptiveDelay
from uat_resilience.policies.discarding import Discarder
from uat_resilience.policies.matching import Matcher
from uat_resilience.policies.retry_budget import RetryBudget
from uat_resilience.telemetry.bus import EventBus
from uat_resilience.telemetry.events import HedgeStarted, HedgeWon
from uat_resilience.waiting import AsyncRace, world

__all__ = ["HedgeRules", "HedgeRun"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class HedgeRules:
    """What a hedge was told, checked."""

    after: AdaptiveDelay
    attempts: int
    on: Matcher
    budget: RetryBudget | None


class HedgeRun(Generic[T]):
    """The copies of one call. Belongs to one task, and to those that its race starts."""

    __slots__ = (
        "_bus",
        "_clock",
        "_delay",
        "_disarm",
        "_error",
        "_failures",
        "_final",
        "_name",
        "_refusal",
        "_results",
        "_rules",
        "_running",
        "_started",
    )

    def __init__(self, name: str, rules: HedgeRules, clock: Clock, bus: EventBus) -> None:
        self._name = name
        self._rules = rules
        self._clock = clock
        self._bus = bus
        self._started = 1
        self._running = 0
        self._delay = None if retries_owned.get() else rules.after.seconds()
        self._results: list[T] = []  # The winner's, once there is one.
        self._error: Exception | None = None
        self._refusal: CallRefusedError | None = None
        self._failures = 0
        self._final = False
        self._disarm: Callable[[], object] | None = None
        if rules.budget is not None:
            rules.budget.deposit()

    async def win(self, call: Callable[[], Awaitable[T]]) -> T:
        """Run copies until one decides, and all have ended; return the result, or raise the first error."""
        try:
            async with world().race() as race:
                self._arm(race, call)
                await race.inline(lambda: self._run(race, call, 1))
        except BaseException:
            # The caller was cancelled while the losers cleaned up: nobody gets the winner's result.
            for result in self._results:
                await self._discarder.aclose(result, self._clock)
            raise
        if self._results:
            return self._results[0]
        error = self._error or self._refusal
        assert error is not None, "a copy that ended has a result or an error"  # noqa: S101
        try:
            raise error
        finally:
            # Or this frame and the error's traceback would keep each other alive.
            del error
            self._error = self._refusal = None

    @property
    def _discarder(self) -> Discarder:
        return Discarder(self._name, self._bus)

    @property
    def _decided(self) -> bool:
        return self._final or bool(self._results)

    async def _copy(self, race: AsyncRace, call: Callable[[], Awaitable[T]], number: int) -> None:
        began = self._clock.now()
        try:
            result = await call()
        except Exception as error:  # noqa: BLE001 - kept: it comes out when no copy succeeds
            self._failed(race, error)
        else:
            await self._succeeded(race, result, number)
        finally:
            # A copy that was cancelled would have taken at least this long.
            self._rules.after.record(self._clock.now() - began)

    async def _run(self, race: AsyncRace, call: Callable[[], Awaitable[T]], number: int) -> None:
        """Run a copy; when it fails, the next one takes its place."""
        attempt: int | None = number
        self._running += 1
        try:
            while attempt is not None:
                errors_before = self._failures
                await self._copy(race, call, attempt)
                attempt = self._next(race, call) if self._failures > errors_before else None
        finally:
            self._running -= 1
            if not self._running or self._decided:
                self._call_off()

    def _failed(self, race: AsyncRace, error: Exception) -> None:
        named = self._rules.on(error)
        if isinstance(error, CallRefusedError) and not named:
            # A copy that was never made says nothing about those that run, and the next would be refused, too.
            self._refusal = self._refusal or error
            return
        self._failures += 1
        if self._error is None:
            self._error = error
        if not named and not self._decided:
            self._error, self._final = error, True
            race.stop()

    async def _succeeded(self, race: AsyncRace, result: T, number: int) -> None:
        if self._results:
            await self._discarder.aclose(result, self._clock)
            return
        self._results.append(result)
        if number > 1 and self._bus.wants(HedgeWon):
            self._bus.emit(HedgeWon(self._name, self._clock.now(), number))
        race.stop()

    def _next(self, race: AsyncRace, call: Callable[[], Awaitable[T]]) -> int | None:
        """Return the number of a further copy to start now, or None when there must be none."""
        rules = self._rules
        if self._decided or self._delay is None or self._started >= rules.attempts:
            return None
        if rules.budget is not None and not rules.budget.withdraw():
            return None
        self._started += 1
        if self._bus.wants(HedgeStarted):
            self._bus.emit(HedgeStarted(self._name, self._clock.now(), self._started))
        self._arm(race, call)
        return self._started

    def _arm(self, race: AsyncRace, call: Callable[[], Awaitable[T]]) -> None:
        """Set the timer for the copy after this one."""
        self._call_off()
        if self._delay is not None and self._started < self._rules.attempts:
            self._disarm = race.later(self._clock, self._delay, lambda: self._due(race, call))

    def _due(self, race: AsyncRace, call: Callable[[], Awaitable[T]]) -> None:
        number = self._next(race, call)
        if number is not None:
            race.spawn(lambda: self._run(race, call, number))

    def _call_off(self) -> None:
        if self._disarm is not None:
            self._disarm()
            self._disarm = None
