"""How a call gets a slot of the fleet, or a slot of this process while Redis is away, and gives it back."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from uuid import uuid4

from uat_resilience._core.deadline import tightest
from uat_resilience.ambient import current_deadline
from uat_resilience.clock import Clock
from uat_resilience.errors import BulkheadFullError
from uat_resilience.integrations.redis.away import HurriedError, RedisAwayError
from uat_resilience.integrations.redis.leases import Leases, micros
from uat_resilience.integrations.redis.link import RedisLink
from uat_resilience.integrations.redis.scripts import ENTER
from uat_resilience.policies.outcomes import Outcomes
from uat_resilience.policies.slot_gate import SlotGate, Slots
from uat_resilience.telemetry.bus import EventBus
from uat_resilience.telemetry.events import FallbackUsed, SlotQueued
from uat_resilience.waiting import world
from uat_resilience.waiting.threads import ThreadWaiter

__all__ = ["Entrance", "Slot"]

_SILENCE = 1.0  # Seconds after which somebody in the queue who no longer asks is taken for dead.
_FULL, _IN, _WAITS = 0, 1, 2  # What Redis answers to a call.


@dataclass(frozen=True, slots=True)
class Slot:
    """What a call holds: a lease of the fleet's, and a slot of this process, or one of them."""

    lease: str | None
    here: Slots | None


class Wait:
    """The questions of one call: a name for it, and how long it goes on asking."""

    __slots__ = ("_poll", "_until", "clock", "queued", "token")

    def __init__(self, clock: Clock, *, patience: float | None, poll: float) -> None:
        self.clock = clock
        self.token = uuid4().hex
        self.queued = False
        self._poll = poll
        self._until = None if patience is None else clock.now() + patience

    def next_at(self) -> float | None:
        """Return when to ask again, or None when it has waited long enough."""
        now = self.clock.now()
        if self._until is None:
            return now + self._poll
        return min(self._until, now + self._poll) if now < self._until else None


class Entrance:
    """Let calls in.

    Args:
        link: The way to Redis.
        leases: Where the leases are kept.
        gate: The slots of this process, or None to refuse while Redis is away.
        keys: Of the holders, of the queue, and of those heard of in it.
        size: Slots of the fleet.
        queue: Places in its queue.
        max_wait: Seconds a call waits at most, or None.
        lease: Seconds of a lease.
        poll: Seconds between two questions.
        bus: Where events go.
    """

    def __init__(
        self,
        link: RedisLink,
        leases: Leases,
        gate: SlotGate | None,
        *,
        keys: list[str],
        size: int,
        queue: int,
        max_wait: float | None,
        lease: float,
        poll: float,
        bus: EventBus,
    ) -> None:
        self._link = link
        self.leases = leases
        self._gate = gate
        self._keys = keys
        self._size = size
        self._queue = queue
        self._max_wait = max_wait
        self._poll = poll
        self._terms = (size, queue, micros(lease), micros(max(_SILENCE, 5 * poll)))
        self._bus = bus

    def enter(self, outcomes: Outcomes) -> Slot:
        """Let a call of sync code in, or raise a refusal."""
        wait = self._wait(outcomes)
        try:
            while True:
                answer = self._link.ask(
                    outcomes.policy, ENTER, self._keys, wait.token, *self._terms
                )
                if self._inside(outcomes, wait, answer):
                    break
                ThreadWaiter().wait(wait.clock, self._again(outcomes, wait))
        except RedisAwayError as away:
            self._give_up(outcomes, wait, away)
            return self._enter_alone(outcomes, away)
        except BaseException as error:
            if self._to_settle(wait, error):
                self.leases.settle()
            raise
        self.leases.hold(wait.token)
        return Slot(wait.token, self._count())

    async def aenter(self, outcomes: Outcomes) -> Slot:
        """Let a call of a task in, or raise a refusal."""
        wait = self._wait(outcomes)
        try:
            while True:
                answer = await self._link.aask(
                    outcomes.policy, ENTER, self._keys, wait.token, *self._terms
                )
                if self._inside(outcomes, wait, answer):
                    break
                await world().waiter().wait(wait.clock, self._again(outcomes, wait))
        except RedisAwayError as away:
            self._give_up(outcomes, wait, away)
            return await self._aenter_alone(outcomes, away)
        except BaseException as error:
            if self._to_settle(wait, error):
                self._link.later(self.leases.asettle())
            raise
        self.leases.ahold(wait.token)
        return Slot(wait.token, self._count())

    def leave(self, slot: Slot) -> None:
        """Give back what a call held, as far as that takes no time."""
        if slot.here is not None and self._gate is not None:
            self._gate.leave(slot.here)
        if slot.lease is not None:
            self.leases.drop(slot.lease)

    def settle(self) -> None:
        """Let the fleet know, from sync code."""
        self.leases.settle()

    def settling(self) -> Awaitable[None] | None:
        """Let the fleet know, beside the running task."""
        return self._link.later(self.leases.asettle())

    def _wait(self, outcomes: Outcomes) -> Wait:
        deadline = current_deadline.get()
        patience = tightest(self._max_wait, None if deadline is None else deadline.remaining())
        return Wait(outcomes.clock(), patience=patience, poll=self._poll)

    def _inside(self, outcomes: Outcomes, wait: Wait, answer: Sequence[int]) -> bool:
        """Return True when a call was let in, False when it is to wait.

        Raises:
            BulkheadFullError: There is no place for it.
        """
        inside, self.leases.running, self.leases.waiting = answer
        if inside == _FULL:
            raise self._full(outcomes)
        if inside == _WAITS and not wait.queued:
            wait.queued = True
            if self._bus.wants(SlotQueued):
                now = wait.clock.now()
                self._bus.emit(SlotQueued(outcomes.policy, now, self.leases.waiting))
        return inside == _IN

    def _again(self, outcomes: Outcomes, wait: Wait) -> float:
        """Return when to ask again.

        Raises:
            BulkheadFullError: It has waited long enough.
        """
        until = wait.next_at()
        if until is None:
            raise self._full(outcomes)
        return until

    def _give_up(self, outcomes: Outcomes, wait: Wait, away: RedisAwayError) -> None:
        """Drop what Redis may have given a call that it could not tell.

        Raises:
            BulkheadFullError: Redis is there, but in the queue the call has run out of time to ask.
        """
        self.leases.drop(wait.token)
        if wait.queued and isinstance(away.error, HurriedError):
            raise self._full(outcomes)

    def _to_settle(self, wait: Wait, error: BaseException) -> bool:
        """Drop what a call may have in Redis that comes to nothing; True when there may be something."""
        nothing = isinstance(error, BulkheadFullError) and not wait.queued
        if not nothing:
            self.leases.drop(wait.token)
        return not nothing

    def _count(self) -> Slots | None:
        """Count a lease in this process as well, for the time when Redis is away; None when that is full."""
        if self._gate is None:
            return None
        slots = self._gate.slots
        return slots if slots.enter() else None

    def _enter_alone(self, outcomes: Outcomes, away: RedisAwayError) -> Slot:
        gate = self._alone(outcomes, away)
        slots = gate.slots
        if not slots.enter() and not gate.wait(outcomes.policy, outcomes.clock()):
            raise self._full(outcomes)
        return Slot(None, here=slots)

    async def _aenter_alone(self, outcomes: Outcomes, away: RedisAwayError) -> Slot:
        gate = self._alone(outcomes, away)
        slots = gate.slots
        if not slots.enter() and not await gate.await_slot(outcomes.policy, outcomes.clock()):
            raise self._full(outcomes)
        return Slot(None, here=slots)

    def _alone(self, outcomes: Outcomes, away: RedisAwayError) -> SlotGate:
        if self._bus.wants(FallbackUsed):
            self._bus.emit(FallbackUsed(outcomes.policy, outcomes.now(), away.error))
        if self._gate is None:
            raise outcomes.refused(away.refusal(outcomes.policy)) from away.error
        return self._gate

    def _full(self, outcomes: Outcomes) -> BulkheadFullError:
        return outcomes.refused(
            BulkheadFullError(outcomes.policy, size=self._size, queue=self._queue)
        )
