"""The gate of a graceful shutdown: its machine under one short lock, who waits for a change, and what is told."""

from collections.abc import Callable
from dataclasses import dataclass

from uat_resilience._core.drain import Account, DrainMachine, Phase, PhaseChange
from uat_resilience.ambient import DrainSignal
from uat_resilience.clock import Clock, default_clock
from uat_resilience.errors import DrainingError
from uat_resilience.policies.mailbox import Mailbox
from uat_resilience.telemetry.bus import EventBus
from uat_resilience.telemetry.events import CallRefused, ShutdownPhaseChanged
from uat_resilience.waiting import Waiter

__all__ = ["DrainGate", "ShutdownSnapshot"]

_Moved = tuple[list[PhaseChange], list[Waiter]]
# To ask an enum for its member takes ten times as long as a name (CPython 3.11).
_RUNNING = Phase.RUNNING


@dataclass(frozen=True, slots=True)
class ShutdownSnapshot:
    """A shutdown at one moment.

    Attributes:
        phase: How far it has come.
        running: Work inside `track()` blocks.
        account: What became of the work since `begin()`.
    """

    phase: Phase
    running: int
    account: Account


class DrainGate:
    """Let work in and out, move from phase to phase, wake who waits for that, and tell.

    Args:
        name: In refusals and events.
        machine: Decides.
        signal: Is set when work had better come to an end.
        clock: The shutdown's clock, or None for the default one.
        bus: Where events go.
    """

    def __init__(
        self,
        name: str,
        machine: DrainMachine,
        signal: DrainSignal,
        *,
        clock: Clock | None,
        bus: EventBus,
    ) -> None:
        self._name = name
        self._clock = clock
        self._bus = bus
        self.machine = machine
        # A note is a move to be made under the lock; what comes of it is told, and those who wait are woken.
        self._mailbox: Mailbox[Callable[[], list[PhaseChange]], _Moved] = Mailbox(
            self._make, self._tell
        )
        self._waiters: dict[Waiter, None] = {}
        self._signal = signal

    def time(self) -> Clock:
        """Return the clock that is gone by."""
        return self._clock or default_clock.clock

    def snapshot(self) -> ShutdownSnapshot:
        """Return the shutdown at this moment."""
        machine = self.machine
        with self._mailbox.lock:
            snapshot = ShutdownSnapshot(machine.phase, machine.running, machine.account)
        self._mailbox.sweep()
        return snapshot

    def enter(self) -> None:
        """Count a piece of work.

        Raises:
            DrainingError: No new work is accepted.
        """
        mailbox, machine = self._mailbox, self.machine
        with mailbox.lock:
            # What `enter` of the machine does while nobody has asked for a shutdown: each request of a service
            # begins and ends here, and need not know what time it is.
            running = machine.phase is _RUNNING
            if running:
                machine.running += 1
        if mailbox.notes:
            mailbox.sweep()
        if not running:
            self._enter_late()

    def leave(self) -> None:
        """End a piece of work. Never blocks, from any thread."""
        mailbox, machine = self._mailbox, self.machine
        lock = mailbox.lock
        if mailbox.notes or not lock.acquire(False):  # noqa: FBT003 - by keyword it takes twice as long
            self._leave_late()
            return
        # What the note would do, without a note.
        try:
            running = machine.phase is _RUNNING
            if running:
                machine.running -= 1
        finally:
            lock.release()
        if mailbox.notes:
            mailbox.sweep()
        if not running:
            self._leave_late()

    def move(self, how: Callable[[float], list[PhaseChange]]) -> None:
        """Make a move of the machine at the time it is now. Never blocks, from any thread."""
        self._mailbox.post(lambda: how(self.time().now()))

    def wait_for_next(self, waiter: Waiter) -> float | None:
        """Register for the next change; return until when to wait, None when it is there."""
        before = self.register(waiter)
        self.move(self.machine.poll)
        return self.machine.until if self.machine.phase is before else None

    def wake(self) -> None:
        """Let those who wait look again. Never blocks, from any thread."""
        self._mailbox.post(_look_again)

    def register(self, waiter: Waiter) -> Phase:
        """Let a waiter be woken at the next change of phase; return the phase until then."""
        with self._mailbox.lock:
            self._waiters[waiter] = None
            phase = self.machine.phase
        self._mailbox.sweep()
        return phase

    def renew(self) -> None:
        """In a forked child: no work runs, and nobody asked it to shut down."""
        self._mailbox.renew()
        self.machine.renew()
        self._waiters.clear()

    def _enter_late(self) -> None:
        now, mailbox = self.time().now(), self._mailbox
        with mailbox.lock:
            accepted, changes = self.machine.enter(now)
            moved = self._moved(changes) if changes else None
        if moved is not None:
            self._tell(moved)
        mailbox.sweep()
        if not accepted:
            raise self._refusal()  # Not by a name in this frame, which the error's traceback keeps.

    def _refusal(self) -> DrainingError:
        error = DrainingError(self._name)
        if self._bus.refusals_wanted:
            self._bus.emit(CallRefused(self._name, self.time().now(), error))
        return error

    def _leave_late(self) -> None:
        now = self.time().now()
        self._mailbox.post(lambda: self.machine.leave(now))

    def _make(self, move: Callable[[], list[PhaseChange]]) -> _Moved | None:
        """Make a move under the lock; return what is to be told, and who is to be woken for it."""
        changes = move()
        return self._moved(changes) if changes or move is _look_again else None

    def _moved(self, changes: list[PhaseChange]) -> _Moved:
        woken = list(self._waiters)
        self._waiters.clear()
        return changes, woken

    def _tell(self, moved: _Moved) -> None:
        changes, woken = moved
        for change in changes:
            if change.new >= Phase.DRAINING:
                self._signal.set()
            if self._bus.wants(ShutdownPhaseChanged):
                self._bus.emit(ShutdownPhaseChanged(self._name, change.at, change.old, change.new))
        for waiter in woken:
            waiter.grant()


def _look_again() -> list[PhaseChange]:
    return []
