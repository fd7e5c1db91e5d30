"""The gate of a circuit breaker: its machine under one short lock, and what it tells.

Letting a call in may wait for the lock; taking its outcome never does (see `mailbox`). What users
supply (predicates, a callable recovery time, listeners) always runs with the lock free.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from uat_resilience._core.era import BreakerState, Probe, Refusal, Ticket, Transition
from uat_resilience._core.ramp import Ramp
from uat_resilience._core.straggling import STRAGGLING
from uat_resilience._core.transitions import Move
from uat_resilience.clock import Clock, default_clock
from uat_resilience.errors import CircuitOpenError
from uat_resilience.policies.breaker_news import BreakerNews
from uat_resilience.policies.breaker_settings import BreakerSettings
from uat_resilience.policies.mailbox import Mailbox
from uat_resilience.policies.matching import Judgement
from uat_resilience.policies.outcomes import Outcomes
from uat_resilience.switches import switches
from uat_resilience.telemetry.bus import EventBus

__all__ = ["BreakerGate"]

_OPEN = BreakerState.OPEN  # Looking a member up on its class takes as long as a call.
# The ticket of a call that passes without being let in: never running.
_UNCOUNTED = Probe(-1.0, -1.0)


class BreakerGate:
    """Let calls in, take their outcomes, tell what changed.

    What follows from the settings is kept in attributes, read at each use: `timed`, whether the trip rule times
    calls, `judging`, whether results matter or times do, and `on_result`.

    Args:
        name: The breaker's name, in errors and events.
        settings: What it goes by; `update` replaces them.
        ramp: How the load is given back after a recovery, or None for all at once.
        clock: The breaker's clock, or None for the default one.
        bus: Where events go.
    """

    __slots__ = (
        "_clock",
        "_judge",
        "_name",
        "_news",
        "_settings",
        "bus",
        "judging",
        "machine",
        "mailbox",
        "on_result",
        "outcomes",
        "timed",
    )

    def __init__(
        self,
        name: str,
        settings: BreakerSettings,
        *,
        ramp: Ramp | None,
        clock: Clock | None,
        bus: EventBus,
    ) -> None:
        self._name = name
        self._clock = clock
        self.bus = bus
        self._news = BreakerNews(name, bus)
        self.outcomes = Outcomes(name, bus, clock)
        self.machine = settings.machine(ramp)
        self._go_by(settings)
        self.mailbox: Mailbox[tuple[Ticket, int | None, float, float], Transition] = Mailbox(
            self._apply, self._tell
        )

    def now(self) -> float:
        """Return the time on the breaker's clock."""
        return (self._clock or default_clock.clock).now()

    def admit(self) -> Ticket:
        """Let a call in, or refuse it.

        Raises:
            CircuitOpenError: The call must not be made.
        """
        if not switches.guarding:
            return _UNCOUNTED
        clock = self._clock or default_clock.clock
        now = clock.now()
        era = self.machine.era
        if era.state is _OPEN and era.since - STRAGGLING <= now < era.until:
            # Most refusals need no lock: an era is immutable, and this one says when it is over. They are the
            # busiest path of an outage, so its question `is_open` and the error's keywords are spelled out.
            refused = CircuitOpenError(self._name)
            refused.retry_after = era.until - now
        else:
            answer = self._ask_machine(now, clock.random())
            if not isinstance(answer, Refusal):
                return answer
            state, retry_after = answer
            refused = CircuitOpenError(self._name, state=state, retry_after=retry_after)
        if self.bus.refusals_wanted:
            self.outcomes.refused(refused)
        if self._settings.observe:
            return _UNCOUNTED
        try:
            raise refused
        finally:
            del refused  # Or this frame and the error's traceback would keep each other alive.

    def _ask_machine(self, now: float, draw: float) -> Ticket | Refusal:
        with self.mailbox.lock:
            answer, moved = self.machine.admit(now, draw)
        self.mailbox.sweep()
        if moved is not None:
            self._tell(moved)
        return answer

    def returned(self, ticket: Ticket, started: float | None, result: object) -> None:
        """Take the outcome of a call that returned."""
        if self.on_result is None:
            self.succeeded(ticket, started)
            return
        try:
            failed = bool(self.on_result(result))
        except BaseException:
            self.abandoned(ticket, started)
            raise
        if failed:
            self.failed(ticket, started, None)
        else:
            self.succeeded(ticket, started)

    def raised(self, ticket: Ticket, started: float | None, error: BaseException) -> None:
        """Take the outcome of a call that raised."""
        try:
            failed = self._judge(error)
        except BaseException:
            self.abandoned(ticket, started)
            raise
        if failed is None or not isinstance(error, Exception):
            self.abandoned(ticket, started)
        elif failed:
            self.failed(ticket, started, error)
        else:
            self.succeeded(ticket, started)

    def succeeded(self, ticket: Ticket, started: float | None) -> None:
        """Count a success."""
        self.record(ticket, 0, started)
        if started is not None:
            self.outcomes.succeeded(started)

    def failed(self, ticket: Ticket, started: float | None, error: Exception | None) -> None:
        """Count a failure; without an error it was the result."""
        self.record(ticket, 1, started)
        if started is not None:
            self.outcomes.failed(started, error)

    def abandoned(self, ticket: Ticket, started: float | None) -> None:
        """Take back the ticket of a call that says nothing about the dependency."""
        if isinstance(ticket, Probe):
            self.mailbox.post((ticket, None, 0.0, 0.0))
        if started is not None:
            self.outcomes.abandoned(started)

    def record(self, ticket: Ticket, failed: int, started: float | None) -> None:
        """Count a success (`failed` is 0) or a failure (1), and tell what came of it. Never blocks."""
        if not switches.guarding:
            return
        now = (self._clock or default_clock.clock).now()
        elapsed = 0.0 if started is None else now - started
        mailbox = self.mailbox
        lock = mailbox.lock
        if mailbox.notes or not lock.acquire(False):  # noqa: FBT003 - by keyword it takes twice as long
            mailbox.post((ticket, failed, elapsed, now))
            return
        # What the mailbox would do for this note, spelled out: every judged call comes here.
        try:
            moved = self.machine.record(ticket, failed, elapsed, now)
        finally:
            lock.release()
        if moved is not None:
            self._tell(moved)
        if mailbox.notes:
            mailbox.sweep()

    def force(self, move: Move) -> None:
        """Carry out what an operator asked for."""
        with self.mailbox.lock:
            moved = self.machine.force(move, self.now())
        self.mailbox.sweep()
        if moved is not None:
            self._tell(moved)

    def update(self, changes: Mapping[str, Any]) -> None:
        """Go by other settings from now on.

        Raises:
            TypeError, ValueError: One is of the wrong type or out of range. Nothing has changed then.
        """
        with self.mailbox.lock:
            settings = replace(self._settings, **changes)
            if settings.trip is not self._settings.trip:
                self.machine.retrip(settings.trip)
            settings.govern(self.machine)
            self._go_by(settings)
        self.mailbox.sweep()

    def follow(self, open_for: float) -> None:
        """Be open for `open_for` seconds because another process found out."""
        with self.mailbox.lock:
            moved = self.machine.follow(self.now(), open_for)
        self.mailbox.sweep()
        if moved is not None:
            self._news.moved(moved)

    def _go_by(self, settings: BreakerSettings) -> None:
        self._settings = settings
        self._judge = Judgement(on=settings.on, ignore=settings.ignore)
        self.on_result = settings.on_result
        self.timed = settings.trip.slower_than is not None
        self.judging = self.timed or self.on_result is not None

    def _apply(self, note: tuple[Ticket, int | None, float, float]) -> Transition | None:
        ticket, failed, elapsed, now = note
        if failed is None:
            self.machine.abandon(ticket)
            return None
        return self.machine.record(ticket, failed, elapsed, now)

    def _tell(self, moved: Transition) -> None:
        recovery_time = self._settings.recovery_time
        if moved.new is _OPEN and callable(recovery_time):
            open_for = self._news.opening(recovery_time, moved)
            with self.mailbox.lock:
                self.machine.amend(moved.generation, open_for)
            self.mailbox.sweep()
        self._news.moved(moved)
