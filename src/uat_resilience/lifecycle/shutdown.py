"""Graceful shutdown: say so, go on for a moment, refuse, wait for what runs, close, and tell the truth."""

from collections.abc import Callable, Generator
from contextlib import contextmanager

from uat_resilience._core.arguments import seconds, seconds_or_zero
from uat_resilience._core.drain import DrainMachine, Phase
from uat_resilience._core.hysteresis import Probe, Status
from uat_resilience.ambient import DrainSignal
from uat_resilience.clock import Clock
from uat_resilience.lifecycle.closers import Closers
from uat_resilience.lifecycle.drain_gate import DrainGate, ShutdownSnapshot
from uat_resilience.lifecycle.health import HealthRegistry
from uat_resilience.lifecycle.signals import SignalWatch
from uat_resilience.lifecycle.tracked import Tracked
from uat_resilience.policies.forking import renew_after_fork
from uat_resilience.telemetry.bus import EventBus, default_bus
from uat_resilience.waiting import Waiter, refuse_to_block, world
from uat_resilience.waiting.threads import ThreadWaiter

__all__ = ["GracefulShutdown", "ShutdownSnapshot"]

_NAME = "shutdown"
_RUNNING = Phase.RUNNING
_ENDING = frozenset({Phase.ANNOUNCED, Phase.DRAINING, Phase.CLOSING})


class GracefulShutdown:
    """End a service without losing work: everything begun before, and all that is accepted on the way.

    First `ready` turns False, so that load balancers look elsewhere; work is still accepted for `delay` seconds.
    Then new work is refused with `DrainingError`, pauses of retries inside `track()` wake up, and what runs is
    waited for. Then the closers run, the last one first. All within `grace` seconds; a second signal gives up.

    Safe to share between threads, asyncio and trio; `begin()` and `force()` may be called from anywhere. Where
    one who waits in `adrained()` is cancelled, another goes on.

    Args:
        grace: Seconds for everything, above 0. Half a minute is what Kubernetes gives.
        delay: Seconds in which work is still accepted, from 0 to `grace`: what a load balancer takes to notice.
        reserve: Seconds of the grace that are kept for closers when work hangs, from 0 to what `delay` leaves.
            Default: what their timeouts come to, of a long grace 5 at most and of a short one a quarter.
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
        reserve: float | None = None,
        health: HealthRegistry | None = None,
        clock: Clock | None = None,
        bus: EventBus | None = None,
    ) -> None:
        grace = seconds("grace", grace)
        if seconds_or_zero("delay", delay) > grace:
            raise ValueError(f"delay must be at most grace ({grace:g} s), not {delay!r}")
        rest = grace - delay
        if reserve is not None and seconds_or_zero("reserve", reserve) > rest:
            raise ValueError(f"reserve must be at most grace - delay ({rest:g} s), not {reserve!r}")
        bus = default_bus if bus is None else bus
        self.signal = DrainSignal()

        def kept() -> float:
            return self._closers.reserve(rest) if reserve is None else reserve

        def gate() -> DrainGate:
            machine = DrainMachine(delay=delay, grace=grace, reserve=kept())
            return DrainGate(_NAME, machine, self.signal, clock=clock, bus=bus)

        self._closers = Closers(clock, bus)
        self._reserve, self._new_gate = kept, gate
        self._gate = gate()
        self._machine = self._gate.machine
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
        return self._machine.phase is _RUNNING

    @property
    def running(self) -> int:
        """Work inside `track()` blocks now."""
        return self._machine.running

    def snapshot(self) -> ShutdownSnapshot:
        """Return the shutdown at this moment."""
        return self._gate.snapshot()

    def track(self) -> Tracked:
        """Count a block as work: `with shutdown.track(): ...`, or `async with`.

        Raises:
            DrainingError: On entering, when no new work is accepted.
        """
        return Tracked(self._gate.enter, self._gate.leave, self.signal)

    def enter(self) -> None:
        """Count a piece of work that is no block, and does not set the signal by itself: `leave()` ends it.

        Raises:
            DrainingError: No new work is accepted.
        """
        self._gate.enter()

    def leave(self) -> None:
        """End a piece of work that was begun by `enter()`. Never blocks, from any thread."""
        self._gate.leave()

    def on_close(self, fn: Callable[[], object], *, timeout: float = 5.0) -> None:
        """Run a sync or async function at the end, the last registered first.

        Args:
            fn: What to run. What it raises is told (`CallbackFailed`) and does not stop the others.
            timeout: Seconds it is given, above 0, and never past `grace`.

        Raises:
            TypeError, ValueError: An argument is of the wrong type or out of range.
        """
        if not callable(fn):
            raise TypeError(
                f"fn must be a function, not {fn!r}: pass the function itself, uncalled"
            )
        self._closers.add(fn, seconds("timeout", timeout))
        self._machine.reserve = self._reserve()
        if not self.ready:
            self._gate.wake()  # Those who wait for the end of the drain do so until a later time.

    def begin(self) -> None:
        """Begin to shut down; beginning again changes nothing. Never blocks, from any thread."""
        self._gate.move(self._machine.begin)

    def force(self) -> None:
        """Give up waiting and closing. Never blocks, from any thread."""
        self._gate.move(self._machine.force)

    def drained(self) -> bool:
        """Wait in a thread until all is over, beginning it if need be; True when no work was cut off.

        Raises:
            RuntimeError: This thread runs an event loop, which waiting would stop.
        """
        refuse_to_block(_NAME, "use adrained()")
        self.begin()
        clock = self._gate.time()
        while self._machine.phase in _ENDING:
            if self._may_close():
                with self._closing():
                    self._closers.run(self._machine.until)
                break
            waiter = ThreadWaiter()
            until = self._wait_for_next(waiter)
            if until is None:
                continue
            if not waiter.wait(clock, until) and self._machine.phase is Phase.CLOSING:
                break
        return self._over()

    async def adrained(self) -> bool:
        """Wait in a task until all is over, beginning it if need be; True when no work was cut off."""
        self.begin()
        clock, here = self._gate.time(), world()
        while self._machine.phase in _ENDING:
            if self._may_close():
                with self._closing():
                    await self._closers.arun(self._machine.until)
                break
            waiter = here.waiter()
            until = self._wait_for_next(waiter)
            if until is None:
                continue
            if not await waiter.wait(clock, until) and self._machine.phase is Phase.CLOSING:
                break
        return self._over()

    def requested(self) -> None:
        """Wait in a thread until somebody begins a shutdown: what a main program does.

        Raises:
            RuntimeError: This thread runs an event loop, which waiting would stop.
        """
        refuse_to_block(_NAME, "use arequested()")
        waiter = ThreadWaiter()
        if self._gate.register(waiter) is Phase.RUNNING:
            waiter.wait(self._gate.time(), None)

    async def arequested(self) -> None:
        """Wait in a task until somebody begins a shutdown: what a main program does."""
        waiter = world().waiter()
        if self._gate.register(waiter) is Phase.RUNNING:
            await waiter.wait(self._gate.time(), None)

    def install(self) -> Callable[[], None]:
        """Begin at the first SIGTERM or SIGINT, and force at the second; return what undoes this.

        Handlers that were there before are called too, except Python's own that raises KeyboardInterrupt. After
        the second signal they are back in place, so a third one ends the process.

        Raises:
            RuntimeError: This is not the main thread, the only one that may handle signals.
        """
        return SignalWatch(self.begin, self.force).undo

    def renew(self) -> None:
        """In a forked child: no work runs, and nobody asked it to shut down.

        Blocks that began before leave the gate that they entered, which nobody uses any more.
        """
        self.signal.renew()
        self._gate.renew()
        self._gate = self._new_gate()
        self._machine = self._gate.machine

    def _may_close(self) -> bool:
        return self._machine.phase is Phase.CLOSING and self._closers.take()

    @contextmanager
    def _closing(self) -> Generator[None]:
        """Run the closers inside, while others who drain wait; should this end early, one of them goes on."""
        try:
            yield
        finally:
            self._closers.give_back()
            self._gate.wake()

    def _wait_for_next(self, waiter: Waiter) -> float | None:
        """Register for the next change; return until when to wait, None when there is something to do."""
        until = self._gate.wait_for_next(waiter)
        closable = self._machine.phase is Phase.CLOSING and not self._closers.taken
        return None if closable else until

    def _over(self) -> bool:
        self._gate.move(self._machine.close)
        return self._machine.phase is not Phase.FORCED and not self._machine.account.cut
