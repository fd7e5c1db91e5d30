"""One run of a `Retry`: what has been tried so far, and whether another attempt is worth it.

The same run serves decorated functions and blocks, in sync code and in async code. They differ only in
whether they call `pause` or `apause`.
"""

from collections.abc import Sequence
from contextlib import suppress

from uat_resilience._core.retry import GiveUp, decide
from uat_resilience.ambient import (
    current_deadline,
    current_drain,
    current_ledger,
    remaining,
    retries_owned,
)
from uat_resilience.clock import Clock
from uat_resilience.errors import DrainingError, ResilienceError, TimedOutError
from uat_resilience.policies.discarding import Discarder
from uat_resilience.policies.outcomes import Outcomes
from uat_resilience.policies.retry_after import asked_pause, sane
from uat_resilience.policies.retry_rules import RetryRules
from uat_resilience.switches import switches
from uat_resilience.telemetry.bus import EventBus
from uat_resilience.telemetry.events import RetriesExhausted, RetryScheduled
from uat_resilience.telemetry.listeners import AttemptEnd  # noqa: TC001 - read by those who ask for type hints
from uat_resilience.waiting import threads, world

__all__ = ["RetryRun"]


class RetryRun:
    """Count attempts, judge how they end, say how long to pause.

    A run belongs to one call in one thread or task. It may begin later than its call, which began at `started`.

    Attributes:
        attempts: Attempts made so far, the current one included.
    """

    __slots__ = (
        "_bus",
        "_clock",
        "_ends",
        "_outcomes",
        "_policy",
        "_rules",
        "_started",
        "attempts",
    )

    def __init__(
        self,
        policy: str,
        rules: RetryRules,
        clock: Clock,
        bus: EventBus,
        started: float | None = None,
    ) -> None:
        self._policy = policy
        self._rules = rules
        self._bus = bus
        self._outcomes = Outcomes(policy, bus, clock) if bus.outcomes_wanted else None
        self._started = clock.now() if started is None else started
        self._ends: Sequence[AttemptEnd] = ()
        self.attempts = 1
        self._clock = clock

    def attempting(self) -> None:
        """Tell that an attempt begins."""
        if self._bus.attempts_wanted:
            self._ends = self._bus.attempting(self._policy, self.attempts)

    def attempted(self, error: BaseException | None = None) -> None:
        """Tell that the attempt has ended, before anything is decided about it."""
        if self._ends:
            ends, self._ends = self._ends, ()
            self._bus.attempted(ends, error)

    def after_error(self, error: Exception) -> float | None:
        """Return the seconds to pause before the next attempt, or None when the error must come out."""
        self.attempted(error)
        try:
            if switches.guarding and self._rules.on(error):
                pause = self._decide(error, sane(self._rules.retry_after(error)))
                if pause is not None:
                    return pause
        except BaseException:  # A predicate or backoff raised: nobody has judged the call.
            self.interrupted()
            raise
        if self._outcomes is not None:
            self._outcomes.raised(self._started, error)
        return None

    def after_result(self, result: object) -> float | None:
        """Return the seconds to pause before the next attempt, or None when the result must come out."""
        self.attempted()
        try:
            condemned = self._rules.condemns(result)
        except BaseException:
            self.interrupted()
            raise
        if condemned:
            return self.after_condemned(result)
        self.ended()
        return None

    def after_condemned(self, result: object) -> float | None:
        """Do the same for a result that `on_result` has condemned."""
        try:
            pause = self._decide(None, asked_pause(result))
        except BaseException:
            self.interrupted()
            raise
        if pause is None and self._outcomes is not None:
            self._outcomes.failed(self._started, None)
        return pause

    def ended(self) -> None:
        """Tell that the call has returned."""
        self.attempted()
        if self._outcomes is not None:
            self._outcomes.succeeded(self._started)

    def pause(self, seconds: float, error: Exception | None, *, discarded: object = None) -> bool:
        """Close a result that nobody will see, block for the pause, and say whether the next attempt may start.

        Raises:
            RuntimeError: This thread runs an event loop, which the pause would stop.
            DrainingError, TimedOutError: The pause was the end, and the result is closed already.
        """
        try:
            closed = self._discarder().close(discarded, self._clock)
            full = threads.pause(self._clock, seconds, current_drain.get(), policy=self._policy)
        except BaseException:
            self.interrupted()
            raise
        return self._resumed(error, full=full, closed=closed)

    async def apause(
        self, seconds: float, error: Exception | None, *, discarded: object = None
    ) -> bool:
        """Do the same in async code. A cancelled pause leaves nothing behind."""
        try:
            closed = await self._discarder().aclose(discarded, self._clock)
            full = await world().pause(self._clock, seconds, current_drain.get())
        except BaseException:
            self.interrupted()
            raise
        return self._resumed(error, full=full, closed=closed)

    def interrupted(self) -> None:
        """Tell that the call was cancelled or never judged: it says nothing about what it called."""
        if self._outcomes is not None:
            self._outcomes.abandoned(self._started)

    def _discarder(self) -> Discarder:
        return Discarder(self._policy, self._bus)

    def _resumed(self, error: Exception | None, *, full: bool, closed: bool) -> bool:
        why = self._overslept() if full else GiveUp.DRAINING
        if why is None:
            self.attempts += 1
            return True
        self._give_up(why, error)
        if self._outcomes is not None:
            self._outcomes.failed(self._started, error)
        if closed:
            raise self._nothing_to_return(why)
        return False

    def _nothing_to_return(self, why: GiveUp) -> ResilienceError:
        """Return what comes out in place of a result that was closed for an attempt that is not made."""
        if why is GiveUp.DRAINING:
            return DrainingError(self._policy)
        missed = current_deadline.get() if why is GiveUp.DEADLINE else None
        if missed is not None:
            return TimedOutError(missed.policy, after=missed.after)
        return TimedOutError(self._policy, after=self._rules.plan.time_limit or 0.0)

    def _decide(self, error: Exception | None, retry_after: float | None) -> float | None:
        rules = self._rules
        decision = decide(
            rules.plan,
            attempt=self.attempts,
            elapsed=self._clock.now() - self._started,
            remaining=remaining(),
            retry_after=retry_after,
            single_try=retries_owned.get(),
            draw=self._clock.random,
        )
        if not isinstance(decision, GiveUp) and _draining():
            decision = GiveUp.DRAINING
        if isinstance(decision, GiveUp):
            self._give_up(decision, error)
            return None
        if rules.budget is not None and not rules.budget.withdraw():
            self._give_up(GiveUp.BUDGET, error)
            return None
        if self._bus.wants(RetryScheduled):
            now = self._clock.now()
            self._bus.emit(
                RetryScheduled(self._policy, now, self.attempts, decision.seconds, error)
            )
        return decision.seconds

    def _overslept(self) -> GiveUp | None:
        """Ask again after the pause: it may have taken longer than it should."""
        limit, left = self._rules.plan.time_limit, remaining()
        if limit is not None and self._clock.now() - self._started >= limit:
            return GiveUp.TIME_LIMIT
        return GiveUp.DEADLINE if left is not None and left <= 0 else None

    def _give_up(self, why: GiveUp, error: Exception | None) -> None:
        if error is not None:
            times = "1 attempt" if self.attempts == 1 else f"{self.attempts} attempts"
            _note(error, f"{self._policy} gave up after {times}: {why.value}")
        ledger = current_ledger.get()
        if ledger is not None and why not in _UNSPENT:
            ledger.spent = True
        if self._bus.wants(RetriesExhausted):
            self._bus.emit(
                RetriesExhausted(self._policy, self._clock.now(), self.attempts, why, error)
            )


# Whoever owns the retries may go on, and so may another instance of a service that shuts down.
_UNSPENT = frozenset({GiveUp.SINGLE_TRY, GiveUp.DRAINING})


def _draining() -> bool:
    drain = current_drain.get()
    return drain is not None and drain.is_set


class _Note(str):
    """A note of ours, so that the next one can take its place."""

    __slots__ = ()


def _note(error: Exception, text: str) -> None:
    # An error that lets nobody write to it (a frozen dataclass, say) goes without its note.
    with suppress(AttributeError, TypeError):
        notes = getattr(error, "__notes__", [])
        error.__notes__ = [*(note for note in notes if not isinstance(note, _Note)), _Note(text)]
