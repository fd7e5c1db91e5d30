"""Keyed policies: one for each host, tenant or model, made when first asked for, and never too many."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from threading import Lock
from typing import Generic, TypeVar

from uat_resilience._core.arguments import at_least, callback, seconds
from uat_resilience.clock import Clock, default_clock
from uat_resilience.policies.forking import renew_after_fork
from uat_resilience.policies.policy import Policy, Wrapper
from uat_resilience.telemetry.bus import EventBus, default_bus
from uat_resilience.telemetry.events import KeyOverflowed

__all__ = ["Keyed"]

K = TypeVar("K", bound=Hashable)
Guarding = TypeVar("Guarding", bound=Policy)

_LOOKED_AT = (
    8  # Idle entries dropped at each new key: all at once would make one unlucky caller wait.
)


class _Entry(Generic[Guarding]):
    """A policy, and when it was last asked for."""

    __slots__ = ("policy", "used")

    def __init__(self, policy: Guarding, used: float) -> None:
        self.policy = policy
        self.used = used


class Keyed(Generic[K, Guarding]):
    """Keep one policy for each host, tenant or model: `hosts[name].acall(fetch)`.

    A policy is made when its key is first asked for. At most `maximum` are kept; those idle for `idle` seconds
    go, and when there is no room the least recently used goes. One that is in use is never dropped: an open,
    half-open or forced breaker, a bulkhead or limiter with calls inside, a rate limiter that is not rested. When
    all are in use, a new key gets a policy that is not kept, and `KeyOverflowed` is told.

    Thread-safe. Two threads that ask for a new key at the same moment get the same policy.

    Args:
        factory: Called with the key, makes its policy. Never called under a lock.
        maximum: Policies kept at most, at least 1: memory and metrics stay bounded, whatever clients send.
        idle: Seconds after which a policy nobody asked for may go, above 0.
        name: Name in events.
        clock: Time source. Default: the replaceable system clock.
        bus: Where events go. Default: `default_bus`.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    __slots__ = (
        "__weakref__",
        "_bus",
        "_clock",
        "_entries",
        "_factory",
        "_idle",
        "_lock",
        "_maximum",
        "name",
    )

    def __init__(
        self,
        factory: Callable[[K], Guarding],
        *,
        maximum: int = 1000,
        idle: float = 600.0,
        name: str = "keyed",
        clock: Clock | None = None,
        bus: EventBus | None = None,
    ) -> None:
        _refuse_policy(factory)
        self._factory = callback("factory", factory, "a callable of the key")
        self._maximum = at_least("maximum", maximum, 1)
        self._idle = seconds("idle", idle)
        self.name = name
        self._clock = clock
        self._bus = default_bus if bus is None else bus
        self._entries: OrderedDict[K, _Entry[Guarding]] = OrderedDict()
        self._lock = Lock()
        renew_after_fork(self)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: object) -> bool:
        return key in self._entries

    def __iter__(self) -> Iterator[K]:
        """Iterate over the keys kept at this moment, the least recently used first."""
        # Without this, Python would ask for the keys 0, 1, 2 and so on, and each would be made.
        with self._lock:
            return iter(tuple(self._entries))

    def __getitem__(self, key: K) -> Guarding:
        """Return the policy of a key, made now if need be.

        Raises:
            TypeError: The factory returned something that is no policy.
        """
        now = (self._clock or default_clock.clock).now()
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None:
                entry.used = now
                self._entries.move_to_end(key)
                return entry.policy
        made = self._factory(key)
        if not _is_policy(made):
            raise TypeError(f"factory must return a policy, not {made!r}")
        with self._lock:
            self._evict(now)
            entry = self._entries.get(key)
            if entry is None and len(self._entries) < self._maximum:
                entry = self._entries[key] = _Entry(made, now)
        if entry is not None:
            return entry.policy
        if self._bus.wants(KeyOverflowed):
            self._bus.emit(KeyOverflowed(self.name, now, str(key)))
        return made

    def snapshot(self) -> dict[K, object]:
        """Return the snapshot of each policy kept, by key; None for one that has none."""
        with self._lock:
            kept = [(key, entry.policy) for key, entry in self._entries.items()]
        return {key: _snapshot(policy) for key, policy in kept}

    def renew(self) -> None:
        """In a forked child: a free lock."""
        self._lock = Lock()

    def _evict(self, now: float) -> None:
        """Drop the oldest that are idle, and if there is still no room the oldest that is not in use."""
        for _ in range(_LOOKED_AT):
            oldest = next(iter(self._entries), None)
            if oldest is None or now - self._entries[oldest].used < self._idle:
                break
            if _in_use(self._entries[oldest].policy):
                self._entries.move_to_end(oldest)  # So that the next look is at another.
            else:
                del self._entries[oldest]
        if len(self._entries) >= self._maximum:
            spare = (key for key, entry in self._entries.items() if not _in_use(entry.policy))
            victim = next(spare, None)
            if victim is not None:
                del self._entries[victim]


def _is_policy(made: object) -> bool:
    return isinstance(made, Policy) and not isinstance(
        made, type
    )  # A class of policies has it all.


def _snapshot(policy: Policy) -> object:
    return policy.snapshot() if isinstance(policy, Wrapper) else None


def _in_use(policy: Policy) -> bool:
    return isinstance(policy, Wrapper) and policy.in_use


def _refuse_policy(factory: object) -> None:
    # Policies can be called too: to decorate.
    if isinstance(factory, Policy) and not isinstance(factory, type):
        raise TypeError(
            f"factory must be a callable of the key, not the policy {factory.name!r}: "
            "it makes one for each key, as in Keyed(lambda key: CircuitBreaker(key))"
        )
