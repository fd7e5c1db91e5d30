"""The bulkhead: cap the calls that run at once."""

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from uat_resilience._core.arguments import at_least, wait_or_none
from uat_resilience._core.slots import SlotMachine
from uat_resilience.clock import Clock
from uat_resilience.errors import BulkheadFullError
from uat_resilience.policies.bounds import Bounds
from uat_resilience.policies.callables import COROUTINE, refuse_coroutine
from uat_resilience.policies.forking import renew_after_fork
from uat_resilience.policies.outcomes import Outcomes
from uat_resilience.policies.permit import Permit
from uat_resilience.policies.slot_gate import SlotGate
from uat_resilience.policies.slot_permit import SlotPermit
from uat_resilience.policies.streams import HeldByStreams
from uat_resilience.policies.unset import Unset
from uat_resilience.switches import switches
from uat_resilience.telemetry.bus import EventBus

__all__ = ["Bulkhead", "BulkheadSnapshot"]

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class BulkheadSnapshot:
    """A bulkhead at one moment.

    Attributes:
        running: Calls that hold a slot.
        waiting: Calls in the queue.
        size: Slots.
        queue: Places in the queue.
    """

    running: int
    waiting: int
    size: int
    queue: int


class Bulkhead(HeldByStreams):
    """Cap the calls that run at once, so that one slow dependency cannot take every thread or task.

    One count for threads, tasks and event loops together. When all slots are taken a call waits in a
    first-come, first-served queue, if there is one, or is refused with `BulkheadFullError`. A freed slot
    goes to the head of the queue, never to a newcomer.

    Safe to share between threads, tasks and event loops. A cancelled call gives its slot back, and a waiter
    that is cancelled just after it was granted a slot hands it on. A wait never outlives the ambient deadline:
    in async code the deadline's own `TimedOutError` comes out, in sync code `BulkheadFullError`.

    Args:
        size: Slots, at least 1.
        name: Name in events and errors. Default: `bulkhead`, or `pipeline/bulkhead` in a named pipeline.
        queue: Places in the queue, 0 or more. None waits by default: a queue in front of something slow
            only adds its length to every answer.
        max_wait: Seconds a call waits at most, 0 or more, or None for no limit but the ambient deadline.
        clock: Time source. Default: the replaceable system clock.
        bus: Where events go. Default: `default_bus`.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    __slots__ = ("_gate", "_own", "_told")
    kind = "bulkhead"

    def __init__(
        self,
        size: int,
        *,
        name: str | None = None,
        queue: int = 0,
        max_wait: float | None = None,
        clock: Clock | None = None,
        bus: EventBus | None = None,
    ) -> None:
        super().__init__(name=name, clock=clock, bus=bus)
        self._own = self._told = Outcomes(self.name, self._bus, self._clock)
        self._gate = SlotGate(
            SlotMachine(at_least("size", size, 1), at_least("queue", queue, 0)),
            queue=queue,
            max_wait=wait_or_none("max_wait", max_wait),
            bus=self._bus,
        )
        renew_after_fork(self)

    @property
    def in_use(self) -> bool:
        """True while calls hold slots or wait for one."""
        return self._gate.slots.running > 0 or self._gate.slots.waiting > 0

    def snapshot(self) -> BulkheadSnapshot:
        """Return the bulkhead at this moment."""
        slots = self._gate.slots
        with self._gate.mailbox.lock:
            snapshot = BulkheadSnapshot(slots.running, slots.waiting, slots.size, self._gate.queue)
        self._gate.mailbox.sweep()
        return snapshot

    def update(
        self,
        *,
        size: int | Unset = Unset.UNSET,
        queue: int | Unset = Unset.UNSET,
        max_wait: float | Unset | None = Unset.UNSET,
    ) -> None:
        """Go by other settings from now on; what is not given stays. Functions already wrapped see them too.

        Slots that come with a larger size go to those who wait. A smaller one takes no slot from a call that runs:
        `running` may exceed `size` until enough of them have ended, and nobody is let in before. Who waits keeps
        its place when the queue shrinks, and waits for as long as it was to when it came.

        Thread-safe, all or nothing. Not for signal handlers, which may run while the lock is held.

        Args:
            size: Slots, at least 1.
            queue: Places in the queue, 0 or more.
            max_wait: Seconds a call waits at most, 0 or more, or None for no limit but the ambient deadline.

        Raises:
            TypeError, ValueError: As for the constructor. Nothing has changed then.
        """
        self._gate.update(
            size=size if isinstance(size, Unset) else at_least("size", size, 1),
            queue=queue if isinstance(queue, Unset) else at_least("queue", queue, 0),
            max_wait=max_wait
            if isinstance(max_wait, Unset)
            else wait_or_none("max_wait", max_wait),
        )

    def permit(self) -> Permit:
        """Guard a block: `with bulkhead.permit(): ...`, or `async with`. Taken on entering.

        Raises:
            BulkheadFullError: On entering, when there is no slot and no place in the queue, or the wait is over.
        """
        return SlotPermit(self._gate, self._own, self._full)

    def permit_as(self, name: str) -> Permit:
        """Return a permit that tells under `name`."""
        told = self._told
        if told.policy != name:
            # Kept for the next one: it goes by the same name nearly always.
            told = self._told = Outcomes(name, self._bus, self._clock)
        return SlotPermit(self._gate, told, self._full)

    def bounds(self, inner: Bounds, *, sync: bool) -> Bounds:  # noqa: ARG002 - a wait is a wait
        """Return how long a call can take, and how many calls it can become."""
        return inner.delayed(self._gate.max_wait if self._gate.queue else 0.0)

    def describe(self) -> str:
        """Say in a few words what it does."""
        gate = self._gate
        if not gate.queue:
            return f"at most {gate.slots.size} at once, no queue"
        wait = "without limit" if gate.max_wait is None else f"up to {gate.max_wait:g} s"
        return f"at most {gate.slots.size} at once, {gate.queue} wait {wait}"

    def wrap(self, fn: Callable[P, T], name: str) -> Callable[P, T]:
        """Return `fn` guarded for sync code."""
        gate, bus, outcomes = self._gate, self._bus, Outcomes(name, self._bus, self._clock)

        def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            if not switches.guarding:
                return fn(*args, **kwargs)
            started = outcomes.now() if bus.outcomes_wanted else None
            slots = gate.slots
            if not slots.enter() and not gate.wait(name, self._time()):
                raise self._full(outcomes)
            try:
                result = fn(*args, **kwargs)
                if type(result) is COROUTINE:
                    raise refuse_coroutine(result)
            except BaseException as error:
                if started is not None:
                    outcomes.raised(started, error)
                raise
            finally:
                gate.leave(slots)
            if started is not None:
                outcomes.succeeded(started)
            return result

        return guarded

    def awrap(
        self, fn: Callable[P, Awaitable[T]], name: str
    ) -> Callable[P, Coroutine[Any, Any, T]]:
        """Return `fn` guarded for async code."""
        gate, bus, outcomes = self._gate, self._bus, Outcomes(name, self._bus, self._clock)

        async def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            if not switches.guarding:
                return await fn(*args, **kwargs)
            started = outcomes.now() if bus.outcomes_wanted else None
            slots = gate.slots
            if not slots.enter() and not await gate.await_slot(name, self._time()):
                raise self._full(outcomes)
            try:
                result = await fn(*args, **kwargs)
            except BaseException as error:
                if started is not None:
                    outcomes.raised(started, error)
                raise
            finally:
                gate.leave(slots)
            if started is not None:
                outcomes.succeeded(started)
            return result

        return guarded

    def renew(self) -> None:
        """In a forked child: a free lock, and nobody inside."""
        self._gate.renew()

    def _full(self, outcomes: Outcomes) -> BulkheadFullError:
        return outcomes.refused(
            BulkheadFullError(outcomes.policy, size=self._gate.slots.size, queue=self._gate.queue)
        )
