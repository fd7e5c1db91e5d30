"""Graceful shutdown: say so, go on for a moment, refuse, wait for what runs, close, and tell the truth."""

from collections.abc import Callable
from dataclasses import dataclass

from uat_resilience._core.arguments import seconds, seconds_or_zero
from uat_resilience._core.drain import Account, DrainMachine, Phase, PhaseChange
from uat_resilience._core.hysteresis import Probe, Status
from uat_resilience.ambient import DrainSignal
from uat_resilience.clock import Clock, default_clock
from uat_resilience.errors import DrainingError
from uat_resilience.lifecycle.closers import Closers
from uat_resilience.lifecycle.health import HealthRegistry
from uat_resilience.lifecycle.signals import SignalWatch
from uat_resilience.lifecycle.tracked import Tracked
from uat_resilience.policies.forking import renew_after_fork
from uat_resilience.policies.mailbox import Mailbox
from uat_resilience.telemetry.bus import EventBus, default_bus
from uat_resilience.telemetry.events import CallRefused, ShutdownPhaseChanged
from uat_resilience.waiting import Waiter, refuse_to_block, world
from uat_resilience.waiting.threads import ThreadWaiter

__all__ = ["GracefulShutdown", "ShutdownSnapshot"]

_NAME = "shutdown"
_Moved = tuple[list[PhaseChange], list[Waiter]]
_WAITING = frozenset({Phase.ANNOUNCED, Phase.DRAINING})


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


class GracefulShutdown:
    """End a service without losing work: everything begun before, and all that is accepted on the way.

    First `ready` turns False, so that load balancers look elsewhere; work is still accepted for `delay` seconds.
    Then new work is refused with `DrainingError`, pauses of retries inside `track()` wake up, and what runs is
    waited for. Then the closers run, the last registered first. All of it within `grace` seconds. A second signal
    gives up.

    Serves threads, asyncio and trio from one object. `begin()` and `force()` may be called from anywhere.

    Args:
        grace: Seconds for everything, above 0. Half a minute is what Kubernetes gives.
        delay: Seconds in which work is still accepted, from 0 to `grace`: what a load balancer takes to notice.
        health: Registry whose readiness turns unhealthy when the shutdown begins, or None.
        clock: Time source. Default: the replaceable system clock.
        bus: Where `ShutdownPhaseChanged` goes. Default: `default_bus`.

    Attributes:
        signal: Is set when work had better come to an end.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    def __init__(
        self,
        *,
        grace: float = 30.0,
        delay: float = 0.0,
        health: HealthRegistry | None = None,
        clock: Clock | None = None,
        bus: EventBus | None = None,
    ) -> None:
        grace = seconds("grace", grace)
        if seconds_or_zero("delay", delay) > grace:
            raise ValueError(f"delay must be at most grace ({grace:g} s), not {delay!r}")
        self._clock = clock
        self._bus = default_bus if bus is None else bus
        self._machine = DrainMachine(delay=delay, grace=grace)
        # A note is a move to be made under the lock; what comes of it is told, and those who wait are woken.
        self._mailbox: Mailbox[Callable[[], list[PhaseChange]], _Moved] = Mailbox(
            self._make, self._tell
        )
        self._waiters: dict[Waiter, None] = {}
        self.signal = DrainSignal()
        self._closers = Closers(clock, self._bus)
        if health is not None:
            health.watch(
                _NAME,
                lambda: Status.HEALTHY if self.ready else Status.UNHEALTHY,
                kind=Probe.READINESS,
            )
        renew_after_fork(self)

    @property
    def ready(self) -> bool:
        """False from the moment a shutdown begins."""
        return self._machine.phase is Phase.RUNNING

    @property
    def running(self) -> int:
        """Work inside `track()` blocks now."""
        return self._machine.running

    def snapshot(self) -> ShutdownSnapshot:
        """Return the shutdown at this moment."""
        with self._mailbox.lock:
            snapshot = ShutdownSnapshot(
                self._machine.phase, self._machine.running, self._machine.account
            )
        self._mailbox.sweep()
        return snapshot

    def track(self) -> Tracked:
        """Count a block as work: `with shutdown.track(): ...`, or `async with`.

        Raises:
            DrainingError: On entering, when no new work is accepted.
        """
        return Tracked(self.enter, self.leave, self.signal)

    def enter(self) -> None:
        """Count a piece of work that is no block, and does not set the signal by itself: `leave()` ends it.

        Raises:
            DrainingError: No new work is accepted.
        """
        mailbox, machine = self._mailbox, self._machine
        with mailbox.lock:
            # What `enter` of the machine does while nobody has asked for a shutdown: each request of a service
            # begins and ends here, and need not know what time it is.
            running = machine.phase is Phase.RUNNING
            if running:
                machine.running += 1
        if mailbox.notes:
            mailbox.sweep()
        if not running:
            self._enter_late()

    def leave(self) -> None:
        """End a piece of work that was begun by `enter()`. Never blocks, from any thread."""
        mailbox, machine = self._mailbox, self._machine
        lock = mailbox.lock
        if mailbox.notes or not lock.acquire(False):  # noqa: FBT003 - by keyword it takes twice as long
            self._leave_late()
            return
        # What the note would do, without a note.
        try:
            running = machine.phase is Phase.RUNNING
            if running:
                machine.running -= 1
        finally:
            lock.release()
        if mailbox.notes:
            mailbox.sweep()
        if not running:
            self._leave_late()

    def on_close(self, fn: Callable[[], object], *, timeout: float = 5.0) -> None:
        """Run a sync or async function at the end, the last registered first.

        Args:
            fn: What to run. What it raises is told (`CallbackFailed`) and does not stop the others.
            timeout: Seconds it is given, above 0, and never past `grace`.
        """
        self._closers.add(fn, seconds("timeout", timeout))

    def begin(self) -> None:
        """Begin to shut down; beginning again changes nothing. Never blocks, from any thread."""
        self._mailbox.post(lambda: self._machine.begin(self._now()))

    def force(self) -> None:
        """Give up waiting and closing. Never blocks, from any thread."""
        self._mailbox.post(lambda: self._machine.force(self._now()))

    def drained(self) -> bool:
        """Wait in a thread until all is over, beginning it if need be; True when no work was cut off.

        Raises:
            RuntimeError: This thread runs an event loop, which waiting would stop.
        """
        refuse_to_block(_NAME, "use adrained()")
        self.begin()
        clock = self._time()
        while self._machine.phase in _WAITING:
            waiter = ThreadWaiter()
            until = self._wait_for_next(waiter)
            if until is not None:
                waiter.wait(clock, until)
        if self._machine.phase is Phase.CLOSING:
            self._closers.run(self._machine.until)
        return self._over()

    async def adrained(self) -> bool:
        """Wait in a task until all is over, beginning it if need be; True when no work was cut off."""
        self.begin()
        clock, here = self._time(), world()
        while self._machine.phase in _WAITING:
            waiter = here.waiter()
            until = self._wait_for_next(waiter)
            if until is not None:
                await waiter.wait(clock, until)
        if self._machine.phase is Phase.CLOSING:
            await self._closers.arun(self._machine.until)
        return self._over()

    def requested(self) -> None:
        """Wait in a thread until somebody begins a shutdown: what a main program does.

        Raises:
            RuntimeError: This thread runs an event loop, which waiting would stop.
        """
        refuse_to_block(_NAME, "use arequested()")
        waiter = ThreadWaiter()
        if self._register(waiter) is Phase.RUNNING:
            waiter.wait(self._time(), None)

    async def arequested(self) -> None:
        """Wait in a task until somebody begins a shutdown: what a main program does."""
        waiter = world().waiter()
        if self._register(waiter) is Phase.RUNNING:
            await waiter.wait(self._time(), None)

    def install(self) -> Callable[[], None]:
        """Begin at the first SIGTERM or SIGINT, and force at the second; return what undoes this.

        Handlers that were there before are called too, except Python's own that raises KeyboardInterrupt. After
        the second signal they are back in place, so a third one ends the process.

        Raises:
            RuntimeError: This is not the main thread, the only one that may handle signals.
        """
        return SignalWatch(self.begin, self.force).undo

    def renew(self) -> None:
        """In a forked child: no work runs, and nobody asked it to shut down."""
        self._mailbox.renew()
        self._machine.renew()
        self._waiters.clear()

    def _enter_late(self) -> None:
        now, mailbox = self._now(), self._mailbox
        with mailbox.lock:
            accepted, changes = self._machine.enter(now)
            moved = self._moved(changes) if changes else None
        if moved is not None:
            self._tell(moved)
        mailbox.sweep()
        if not accepted:
            raise self._refusal()  # Not by a name in this frame, which the error's traceback keeps.

    def _refusal(self) -> DrainingError:
        error = DrainingError(_NAME)
        if self._bus.refusals_wanted:
            self._bus.emit(CallRefused(_NAME, self._now(), error))
        return error

    def _leave_late(self) -> None:
        now = self._now()
        self._mailbox.post(lambda: self._machine.leave(now))

    def _wait_for_next(self, waiter: Waiter) -> float | None:
        """Register for the next change; return until when to wait, None when it is there."""
        before = self._register(waiter)
        self._mailbox.post(lambda: self._machine.poll(self._now()))
        return self._machine.until if self._machine.phase is before else None

    def _register(self, waiter: Waiter) -> Phase:
        """Let a waiter be woken at the next change of phase; return the phase until then."""
        with self._mailbox.lock:
            self._waiters[waiter] = None
            phase = self._machine.phase
        self._mailbox.sweep()
        return phase

    def _over(self) -> bool:
        self._mailbox.post(lambda: self._machine.close(self._now()))
        return self._machine.phase is not Phase.FORCED and not self._machine.account.cut

    def _make(self, move: Callable[[], list[PhaseChange]]) -> "_Moved | None":
        """Make a move under the lock; return what is to be told, and who is to be woken for it."""
        changes = move()
        return self._moved(changes) if changes else None

    def _moved(self, changes: list[PhaseChange]) -> "_Moved":
        woken = list(self._waiters)
        self._waiters.clear()
        return changes, woken

    def _tell(self, moved: "_Moved") -> None:
        changes, woken = moved
        for change in changes:
            if change.new >= Phase.DRAINING:
                self.signal.set()
            if self._bus.wants(ShutdownPhaseChanged):
                self._bus.emit(ShutdownPhaseChanged(_NAME, change.at, change.old, change.new))
        for waiter in woken:
            waiter.grant()

    def _now(self) -> float:
        return self._time().now()

    def _time(self) -> Clock:
        return self._clock or default_clock.clock
