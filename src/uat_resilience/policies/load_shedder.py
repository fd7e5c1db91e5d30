"""The load shedder: serve what can be served in time, and refuse the rest at once. For servers."""

from dataclasses import dataclass

from uat_resilience._core.arguments import at_least, seconds
from uat_resilience._core.codel import INTERVAL, TARGET, CoDelMachine
from uat_resilience._core.priority_slots import Priority
from uat_resilience.ambient import current_priority
from uat_resilience.clock import Clock
from uat_resilience.errors import OverloadedError
from uat_resilience.policies.forking import renew_after_fork
from uat_resilience.policies.outcomes import Outcomes
from uat_resilience.policies.permit import Verdict
from uat_resilience.policies.prioritised import Prioritised
from uat_resilience.policies.priority_gate import PriorityGate
from uat_resilience.policies.unset import Unset, given
from uat_resilience.telemetry.bus import EventBus

__all__ = ["LoadShedder", "LoadShedderSnapshot"]


@dataclass(frozen=True, slots=True)
class LoadShedderSnapshot:
    """A load shedder at one moment.

    Attributes:
        running: Calls inside.
        waiting: Calls in the queue.
        size: Calls that may be inside at once.
        queue: Places in the queue.
        shedding: True while a queue stands and what waited too long is refused.
    """

    running: int
    waiting: int
    size: int
    queue: int
    shedding: bool


class LoadShedder(Prioritised[None]):
    """Serve what can be served in time, the most important first, and refuse the rest at once.

    A queue absorbs bursts. When it no longer drains, everybody in it is served late, and mostly for nobody, as
    callers have given up. So the wait of each call is judged as it leaves the queue (CoDel, RFC 8289): while even
    the luckiest of the last `interval` waited longer than `target`, calls that waited over twice that are refused
    with `OverloadedError` instead of served. Each priority is judged by its own waits. When the queue is full the
    least important waiter makes room for a more important one.

    Safe to share between threads, tasks and event loops. A cancelled call gives its slot or its place in the queue
    back. A wait never outlives the ambient deadline.

    Args:
        size: Calls inside at once, at least 1: what keeps the machine busy.
        queue: Places in the queue, 0 or more: a burst, at about ten for each slot.
        target: Seconds of waiting that are no sign of anything, above 0. RFC 8289's 5 ms.
        interval: Seconds for which a queue must stand before calls are shed, above 0. RFC 8289's 0.1 s lets a
            burst drain.
        name: Name in events and errors. Default: `load_shedder`, or `pipeline/load_shedder` in a named pipeline.
        clock: Time source. Default: the replaceable system clock.
        bus: Where events go. Default: `default_bus`.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    __slots__ = ("_codels",)
    kind = "load_shedder"

    def __init__(
        self,
        size: int,
        *,
        queue: int = 100,
        target: float = TARGET,
        interval: float = INTERVAL,
        name: str | None = None,
        clock: Clock | None = None,
        bus: EventBus | None = None,
    ) -> None:
        super().__init__(name=name, clock=clock, bus=bus)
        target, interval = seconds("target", target), seconds("interval", interval)
        self._codels = {level: CoDelMachine(target=target, interval=interval) for level in Priority}
        self._gate = PriorityGate(
            at_least("size", size, 1),
            queue=at_least("queue", queue, 0),
            max_wait=None,
            bus=self._bus,
            tell=lambda _: None,  # its size is what it was told
        )
        renew_after_fork(self)

    def snapshot(self) -> LoadShedderSnapshot:
        """Return the shedder at this moment."""
        slots, mailbox = self._gate.slots, self._gate.mailbox
        with mailbox.lock:
            shedding = any(codel.standing for codel in self._codels.values())
            snapshot = LoadShedderSnapshot(
                slots.running, slots.waiting, slots.size, self._gate.queue, shedding
            )
        mailbox.sweep()
        return snapshot

    def update(
        self,
        *,
        size: int | Unset = Unset.UNSET,
        queue: int | Unset = Unset.UNSET,
        target: float | Unset = Unset.UNSET,
        interval: float | Unset = Unset.UNSET,
    ) -> None:
        """Go by other settings from now on; what is not given stays. Functions already wrapped see them too.

        Slots that come with a larger size go to those who wait, the most important first. A smaller one takes no
        slot from a call that runs: `running` may exceed `size` until enough of them have ended. Who waits keeps
        its place when the queue shrinks.

        Thread-safe, all or nothing. Not for signal handlers, which may run while the lock is held.

        Args:
            size: Calls inside at once, at least 1.
            queue: Places in the queue, 0 or more.
            target: Seconds of waiting that are no sign of anything, above 0.
            interval: Seconds for which a queue must stand before calls are shed, above 0. The one that runs ends
                when it was to.

        Raises:
            TypeError, ValueError: As for the constructor. Nothing has changed then.
        """
        wanted = size if isinstance(size, Unset) else at_least("size", size, 1)
        queue = queue if isinstance(queue, Unset) else at_least("queue", queue, 0)
        target = target if isinstance(target, Unset) else seconds("target", target)
        interval = interval if isinstance(interval, Unset) else seconds("interval", interval)

        def changed() -> int:
            for codel in self._codels.values():
                codel.target = given(target, codel.target)
                codel.interval = given(interval, codel.interval)
            return given(wanted, self._gate.slots.size)

        self._gate.update(queue=queue, size=changed)

    def describe(self) -> str:
        """Say in a few words what it does."""
        gate = self._gate
        return f"at most {gate.slots.size} at once, {gate.queue} wait while the queue drains"

    def _admit(self, outcomes: Outcomes, priority: Priority | None = None) -> None:
        clock, gate = self._time(), self._gate
        level = current_priority() if priority is None else priority
        came = clock.now()
        admitted = gate.try_enter() or gate.wait(outcomes.policy, clock, level)
        self._judge(outcomes, level, came, admitted=admitted)

    async def _aadmit(self, outcomes: Outcomes, priority: Priority | None = None) -> None:
        clock, gate = self._time(), self._gate
        level = current_priority() if priority is None else priority
        came = clock.now()
        admitted = gate.try_enter() or await gate.await_slot(outcomes.policy, clock, level)
        self._judge(outcomes, level, came, admitted=admitted)

    def _judge(self, outcomes: Outcomes, level: Priority, came: float, *, admitted: bool) -> None:
        """Refuse a call that got no slot, or got one after waiting for too long in a queue that stands."""
        if admitted:
            now = self._time().now()
            with self._gate.mailbox.lock:
                late = self._codels[level].sheds(now, now - came)
            self._gate.mailbox.sweep()
            if not late:
                return
            self._release(None, Verdict.ABANDONED)
        raise outcomes.refused(OverloadedError(outcomes.policy))

    def _release(self, entry: None, verdict: Verdict) -> None:  # noqa: ARG002 - however it ended
        self._gate.leave(lambda: None)
