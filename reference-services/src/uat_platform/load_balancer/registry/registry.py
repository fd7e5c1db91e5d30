"""Who is there: each instance has a lease, says again and again that it is there, and is forgotten when it stops.

    register ──▶ known ── renew ──▶ known           leases run on the caller's time, which comes in as an argument
                   ├── remove ──▶ gone
                   └── lease over ──▶ gone

An address belongs to whoever registered it last: ports are used again, and a request must never reach the service
that had one before.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from enum import Enum
from heapq import heappop, heappush
from math import inf

from uat_platform.load_balancer.registry.registration import Registration

__all__ = ["Change", "Kind", "Registry", "RegistryFullError"]


class Kind(Enum):
    """What has changed."""

    REGISTERED = "registered"
    CHANGED = "changed"
    HEARD = "heard"
    REMOVED = "removed"
    EXPIRED = "expired"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True)
class Change:
    """One change.

    Attributes:
        kind: What.
        registration: Of which instance.
    """

    kind: Kind
    registration: Registration

    @property
    def gone(self) -> bool:
        """Whether the instance is not there any more."""
        return self.kind in {Kind.REMOVED, Kind.EXPIRED, Kind.REPLACED}


class RegistryFullError(Exception):
    """There are as many instances as may be."""


class Registry:
    """Keep leases. Not thread-safe.

    Args:
        most: Instances at most, so that nobody can fill the memory.
    """

    def __init__(self, *, most: int = 10_000) -> None:
        self._most = most
        self._known: dict[tuple[str, str], Registration] = {}
        self._services: dict[str, dict[str, Registration]] = {}
        self._owners: dict[str, str] = {}
        self._until: dict[tuple[str, str], float] = {}
        self._queued: dict[tuple[str, str], float] = {}
        self._ends: list[tuple[float, str, str]] = []

    def __len__(self) -> int:
        return len(self._known)

    @property
    def services(self) -> Collection[str]:
        """Names of services that have an instance, in the order in which they came."""
        return self._services.keys()

    def instances(self, service: str) -> list[Registration]:
        """Return what is registered of a service, in the order in which it came."""
        return list(self._services.get(service, {}).values())

    def find(self, service: str, id_: str) -> Registration | None:
        """Return one registration, or None."""
        return self._known.get((service, id_))

    def left(self, service: str, id_: str, now: float) -> float | None:
        """Return the seconds its lease has left, or None where it has none."""
        until = self._until.get((service, id_))
        return None if until is None else max(0.0, until - now)

    def register(
        self, new: Registration, now: float, *, lasts: float | None = None
    ) -> list[Change]:
        """Take an instance in, or renew it. Says who had its address before.

        Args:
            new: What it says of itself.
            now: The time.
            lasts: Seconds of this lease, where they are not those it asks for.

        Raises:
            RegistryFullError: There are too many.
        """
        key = new.service, new.instance.id
        before = self._known.get(key)
        if before is None and len(self._known) >= self._most:
            raise RegistryFullError(f"there are {self._most} instances already")
        changes = self._displaced(new)
        self._put(key, new)
        self._prolong(key, None if new.lease is None else now + (lasts or new.lease))
        if before != new:
            kind = Kind.REGISTERED if before is None else _difference(before, new)
            changes.append(Change(kind, new))
        return changes

    def renew(self, service: str, id_: str, now: float) -> list[Change] | None:
        """Begin the lease anew; None when there is none."""
        found = self._known.get((service, id_))
        return None if found is None else self.register(replace(found, stale=False), now)

    def remove(self, service: str, id_: str) -> list[Change]:
        """Forget an instance. Says nothing when there is none."""
        found = self._take((service, id_))
        return [] if found is None else [Change(Kind.REMOVED, found)]

    def expire(self, now: float) -> list[Change]:
        """Forget those whose leases are over."""
        changes: list[Change] = []
        while self._ends and self._ends[0][0] <= now:
            end, service, id_ = heappop(self._ends)
            key = service, id_
            if self._queued.get(key) != end:
                continue  # It was removed; what has its id now is in the queue once more.
            if self._until[key] > now:  # It was renewed.
                self._queued[key] = self._until[key]
                heappush(self._ends, (self._until[key], *key))
                continue
            found = self._take(key)
            if found is not None:
                changes.append(Change(Kind.EXPIRED, found))
        return changes

    def _put(self, key: tuple[str, str], new: Registration) -> None:
        before = self._known.get(key)
        if before is not None and before.instance.url != new.instance.url:
            self._take(key)
        self._known[key] = new
        self._services.setdefault(new.service, {})[new.instance.id] = new
        self._owners[new.instance.url] = new.service

    def _prolong(self, key: tuple[str, str], until: float | None) -> None:
        if until is None:
            self._until.pop(key, None)
            self._queued.pop(key, None)
            return
        self._until[key] = until
        # A lease that ends later is found when the earlier end comes; one that ends sooner has to be put in.
        if until < self._queued.get(key, inf):
            self._queued[key] = until
            heappush(self._ends, (until, *key))

    def _take(self, key: tuple[str, str]) -> Registration | None:
        found = self._known.pop(key, None)
        if found is None:
            return None
        self._prolong(key, None)
        siblings = self._services[found.service]
        del siblings[found.instance.id]
        if not siblings:
            del self._services[found.service]
        if all(each.instance.url != found.instance.url for each in siblings.values()):
            self._owners.pop(found.instance.url, None)
        return found

    def _displaced(self, new: Registration) -> list[Change]:
        """Take the address from another service that has it."""
        owner = self._owners.get(new.instance.url)
        if owner is None or owner == new.service:
            return []
        theirs = [
            each.instance.id
            for each in self._services.get(owner, {}).values()
            if each.instance.url == new.instance.url
        ]
        return [Change(Kind.REPLACED, each) for each in self._all_taken(owner, theirs)]

    def _all_taken(self, service: str, ids: Iterable[str]) -> list[Registration]:
        return [found for id_ in ids if (found := self._take((service, id_))) is not None]


def _difference(before: Registration, new: Registration) -> Kind:
    return Kind.HEARD if replace(before, stale=new.stale) == new else Kind.CHANGED
