"""The adaptive limiter: find out how many calls a dependency can take at once, and keep to that."""

from dataclasses import dataclass

from uat_resilience._core.adaptive import Algorithm
from uat_resilience._core.arguments import at_least, wait_or_none
from uat_resilience._core.gradient import Gradient2
from uat_resilience._core.priority_slots import Priority
from uat_resilience.ambient import current_priority
from uat_resilience.clock import Clock
from uat_resilience.errors import OverloadedError
from uat_resilience.policies.bounds import Bounds
from uat_resilience.policies.forking import renew_after_fork
from uat_resilience.policies.outcomes import Outcomes
from uat_resilience.policies.permit import Verdict
from uat_resilience.policies.prioritised import Prioritised
from uat_resilience.policies.priority_gate import PriorityGate, Resized
from uat_resilience.policies.unset import Unset
from uat_resilience.telemetry.bus import EventBus
from uat_resilience.telemetry.events import LimitChanged

__all__ = ["AdaptiveLimiter", "AdaptiveLimiterSnapshot"]


@dataclass(frozen=True, slots=True)
class AdaptiveLimiterSnapshot:
    """An adaptive limiter at one moment.

    Attributes:
        running: Calls inside.
        waiting: Calls in the queue.
        limit: Calls that may be inside at once, as found so far.
        queue: Places in the queue.
    """

    running: int
    waiting: int
    limit: int
    queue: int


class AdaptiveLimiter(Prioritised[float]):
    """Find out from latency how many calls a dependency can take at once, and keep to that.

    Where a bulkhead's size is a guess, this one is measured: while more calls do not make each of them slower the
    limit grows, and when they queue up on the other side it shrinks. Failures and timeouts count as drops, so a
    dependency that fails fast never raises the limit. Calls beyond it wait in a queue by importance, if there is
    one, or are refused with `OverloadedError`; when the queue is full the least important waiter makes room.

    Safe to share between threads, tasks and event loops. A cancelled call gives its slot back and teaches nothing.
    A wait never outlives the ambient deadline.

    Args:
        algorithm: `Gradient2`, `Vegas` or `AIMD`, with where the limit begins and what it stays between.
        name: Name in events and errors. Default: `adaptive_limiter`, or `pipeline/adaptive_limiter` in a named
            pipeline.
        queue: Places in the queue, 0 or more. None waits by default: a queue only adds its length to every answer.
        max_wait: Seconds a call waits at most, 0 or more, or None for no limit but the ambient deadline.
        clock: Time source. Default: the replaceable system clock.
        bus: Where events go. Default: `default_bus`.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    __slots__ = ("_max_wait", "_queue", "_tuner")
    kind = "adaptive_limiter"

    def __init__(
        self,
        algorithm: Algorithm = Gradient2(),  # noqa: B008 - frozen
        *,
        name: str | None = None,
        queue: int = 0,
        max_wait: float | None = None,
        clock: Clock | None = None,
        bus: EventBus | None = None,
    ) -> None:
        super().__init__(name=name, clock=clock, bus=bus)
        if isinstance(algorithm, type) or not callable(getattr(algorithm, "tuner", None)):
            raise TypeError(f"algorithm must be Gradient2(), Vegas() or AIMD(), not {algorithm!r}")
        self._tuner = algorithm.tuner()
        self._gate = PriorityGate(
            self._tuner.limit,
            queue=at_least("queue", queue, 0),
            max_wait=wait_or_none("max_wait", max_wait),
            bus=self._bus,
            tell=self._tell,
        )
        renew_after_fork(self)

    def snapshot(self) -> AdaptiveLimiterSnapshot:
        """Return the limiter at this moment."""
        slots, mailbox = self._gate.slots, self._gate.mailbox
        with mailbox.lock:
            snapshot = AdaptiveLimiterSnapshot(
                slots.running, slots.waiting, slots.size, self._gate.queue
            )
        mailbox.sweep()
        return snapshot

    def update(
        self,
        *,
        minimum: int | Unset = Unset.UNSET,
        maximum: int | Unset = Unset.UNSET,
        queue: int | Unset = Unset.UNSET,
        max_wait: float | Unset | None = Unset.UNSET,
    ) -> None:
        """Go by other settings from now on; what is not given stays. Functions already wrapped see them too.

        What was learned is kept. A limit outside of its new bounds moves inside at once, which is told as
        `LimitChanged`: new slots go to those who wait, and no slot is taken from a call that runs. Who waits keeps
        its place when the queue shrinks, and waits for as long as it was to when it came.

        Thread-safe, all or nothing. Not for signal handlers, which may run while the lock is held.

        Args:
            minimum: Lowest limit, at least 1.
            maximum: Highest limit, at least `minimum`.
            queue: Places in the queue, 0 or more.
            max_wait: Seconds a call waits at most, 0 or more, or None for no limit but the ambient deadline.

        Raises:
            TypeError, ValueError: As for the constructors. Nothing has changed then.
        """
        low = None if isinstance(minimum, Unset) else at_least("minimum", minimum, 1)
        high = None if isinstance(maximum, Unset) else at_least("maximum", maximum, 1)
        self._gate.update(
            queue=queue if isinstance(queue, Unset) else at_least("queue", queue, 0),
            max_wait=max_wait
            if isinstance(max_wait, Unset)
            else wait_or_none("max_wait", max_wait),
            size=lambda: self._tuner.bound(low, high),
        )

    def bounds(self, inner: Bounds, *, sync: bool) -> Bounds:  # noqa: ARG002 - a wait is a wait
        """Return how long a call can take, and how many calls it can become."""
        return inner.delayed(self._gate.max_wait if self._gate.queue else 0.0)

    def describe(self) -> str:
        """Say in a few words what it does."""
        return f"at most {self._gate.slots.size} at once now, as found by measuring"

    def _admit(self, outcomes: Outcomes, priority: Priority | None = None) -> float:
        clock, gate = self._time(), self._gate
        if not gate.try_enter():
            level = current_priority() if priority is None else priority
            self._check(outcomes, admitted=gate.wait(outcomes.policy, clock, level))
        return clock.now()

    async def _aadmit(self, outcomes: Outcomes, priority: Priority | None = None) -> float:
        clock, gate = self._time(), self._gate
        if not gate.try_enter():
            level = current_priority() if priority is None else priority
            admitted = await gate.await_slot(outcomes.policy, clock, level)
            self._check(outcomes, admitted=admitted)
        return clock.now()

    def _release(self, entry: float, verdict: Verdict) -> None:
        now = self._time().now()

        def learned() -> int | None:
            if verdict is Verdict.ABANDONED:
                return None
            return self._tuner.record(
                now, now - entry, self._gate.slots.running, dropped=verdict is Verdict.FAILURE
            )

        self._gate.leave(learned)

    def _tell(self, resized: Resized) -> None:
        if self._bus.wants(LimitChanged):
            now = self._time().now()
            self._bus.emit(LimitChanged(self.name, now, resized.old, resized.new))

    @staticmethod
    def _check(outcomes: Outcomes, *, admitted: bool) -> None:
        if not admitted:
            raise outcomes.refused(OverloadedError(outcomes.policy))
