"""The bulkhead of a fleet: cap the calls that all processes together run at once."""

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from uat_resilience._core.arguments import at_least, flag, seconds, seconds_or_zero, text
from uat_resilience._core.slots import SlotMachine
from uat_resilience.clock import Clock
from uat_resilience.integrations.redis.entry import Entrance
from uat_resilience.integrations.redis.lease_permit import LeasePermit
from uat_resilience.integrations.redis.leases import Leases
from uat_resilience.integrations.redis.link import Client, RedisLink, linked
from uat_resilience.policies.bounds import Bounds
from uat_resilience.policies.bulkhead import BulkheadSnapshot
from uat_resilience.policies.callables import COROUTINE, refuse_coroutine
from uat_resilience.policies.forking import renew_after_fork
from uat_resilience.policies.outcomes import Outcomes
from uat_resilience.policies.permit import Permit
from uat_resilience.policies.slot_gate import SlotGate
from uat_resilience.policies.streams import HeldByStreams
from uat_resilience.telemetry.bus import EventBus

__all__ = ["RedisBulkhead", "RedisBulkheadSnapshot"]

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RedisBulkheadSnapshot(BulkheadSnapshot):
    """A shared bulkhead at one moment, as this process last heard of it. Reading it asks nobody.

    Attributes:
        held: Slots that this process holds.
        lost: Leases that ran out while their calls went on, because they could not be renewed in time.
        degraded: True while Redis is left alone and this process decides for itself.
    """

    held: int
    lost: int
    degraded: bool


class RedisBulkhead(HeldByStreams):
    """Cap the calls that all processes together run at once.

    A slot is a lease in Redis. It is renewed while its call runs and ended when the call does, so a process that
    dies gives its slots back within `lease` seconds. When all slots are taken a call waits in one first-come,
    first-served queue for the fleet, if there is one, or is refused with `BulkheadFullError`. Those who wait ask
    again every `poll` seconds: Redis wakes nobody.

    A call takes one round trip to get in and one to leave. While Redis is away each process keeps to the cap by
    itself, counting the leases it has, so a fleet of M runs up to M times as many; `local=False` refuses
    instead, with `RedisUnavailableError`. Each call that was let in or refused without Redis is told as
    `FallbackUsed`. What runs then is not counted by Redis when it is back.

    Safe to share between threads and tasks of one event loop. A cancelled call leaves at once and its lease is
    ended beside it. In trio it raises RuntimeError: redis-py has none.

    Args:
        size: Slots of the fleet, at least 1. All processes must agree on it.
        client: Where the slots are: a client of redis-py, or a `RedisLink` that policies share.
        name: What all processes call this bulkhead; part of its keys in Redis.
        queue: Places in the fleet's queue, 0 or more.
        max_wait: Seconds a call waits at most, 0 or more, or None for no limit but the ambient deadline.
        lease: Seconds after which a slot is free that nobody renewed, above 0. Renewed three times as often. Ten
            seconds outlive a pause of the process, and do not keep a dead one's slots for long.
        poll: Seconds between two questions of one who waits, above 0.
        local: False to refuse calls while Redis is away, in place of deciding in this process.
        clock: Time source of waits. Default: the replaceable system clock. Leases go by the clock of Redis.
        bus: Where events go. Default: `default_bus`.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    __slots__ = ("_entrance", "_gate", "_leases", "_link", "_max_wait", "_queue", "_size")
    kind = "bulkhead"

    def __init__(
        self,
        size: int,
        *,
        client: Client | RedisLink,
        name: str,
        queue: int = 0,
        max_wait: float | None = None,
        lease: float = 10.0,
        poll: float = 0.02,
        local: bool = True,
        clock: Clock | None = None,
        bus: EventBus | None = None,
    ) -> None:
        super().__init__(name=text("name", name), clock=clock, bus=bus)
        self._size = at_least("size", size, 1)
        self._queue = at_least("queue", queue, 0)
        self._max_wait = None if max_wait is None else seconds_or_zero("max_wait", max_wait)
        self._link = linked(client, name=name, clock=clock, bus=self._bus)
        self._gate = SlotGate(
            SlotMachine(self._size, self._queue),
            queue=self._queue,
            max_wait=self._max_wait,
            bus=self._bus,
        )
        keys = [self._link.key(name, part) for part in ("held", "queue", "heard")]
        lease = seconds("lease", lease)
        self._leases = Leases(self._link, name=name, keys=keys, size=self._size, seconds=lease)
        self._entrance = Entrance(
            self._link,
            self._leases,
            self._gate if flag("local", local) else None,
            keys=keys,
            size=self._size,
            queue=self._queue,
            max_wait=self._max_wait,
            lease=lease,
            poll=seconds("poll", poll),
            bus=self._bus,
        )
        renew_after_fork(self)

    @property
    def in_use(self) -> bool:
        """True while calls of this process hold slots or wait for one."""
        return self._leases.held + self._gate.slots.running + self._gate.slots.waiting > 0

    def snapshot(self) -> RedisBulkheadSnapshot:
        """Return the bulkhead as this process last heard of it, without asking Redis."""
        slots, leases, degraded = self._gate.slots, self._leases, self._link.away
        with self._gate.mailbox.lock:
            running, waiting = slots.running, slots.waiting
        self._gate.mailbox.sweep()
        return RedisBulkheadSnapshot(
            running=running if degraded else leases.running,
            waiting=waiting if degraded else leases.waiting,
            size=self._size,
            queue=self._queue,
            held=leases.held,
            lost=leases.lost,
            degraded=degraded,
        )

    def permit(self) -> Permit:
        """Guard a block: `with bulkhead.permit(): ...`, or `async with`. Taken on entering.

        Raises:
            BulkheadFullError: On entering, when there is no slot and no place in the queue, or the wait is over.
        """
        return self.permit_as(self.name)

    def permit_as(self, name: str) -> Permit:
        """Return a permit that tells under `name`."""
        return LeasePermit(self._entrance, Outcomes(name, self._bus, self._clock))

    def bounds(self, inner: Bounds, *, sync: bool) -> Bounds:  # noqa: ARG002 - a wait is a wait
        """Return how long a call can take, and how many calls it can become."""
        return inner.delayed(self._max_wait if self._queue else 0.0)

    def describe(self) -> str:
        """Say in a few words what it does."""
        if not self._queue:
            return f"at most {self._size} at once in the fleet, no queue"
        wait = "without limit" if self._max_wait is None else f"up to {self._max_wait:g} s"
        return f"at most {self._size} at once in the fleet, {self._queue} wait {wait}"

    def wrap(self, fn: Callable[P, T], name: str) -> Callable[P, T]:
        """Return `fn` guarded for sync code."""

        def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            with self.permit_as(name):
                result = fn(*args, **kwargs)
                if type(result) is COROUTINE:
                    raise refuse_coroutine(result)
                return result

        return guarded

    def awrap(
        self, fn: Callable[P, Awaitable[T]], name: str
    ) -> Callable[P, Coroutine[Any, Any, T]]:
        """Return `fn` guarded for async code."""

        async def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            async with self.permit_as(name):
                return await fn(*args, **kwargs)

        return guarded

    def renew(self) -> None:
        """In a forked child: a free lock, and nobody inside; the leases are those of the parent."""
        self._gate.renew()
        self._leases.forget()
