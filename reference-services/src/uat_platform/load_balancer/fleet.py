"""The registry and the balancing, kept in step: what is registered is balanced, and nothing else is."""

import asyncio
from collections.abc import Callable

from uat_platform.load_balancer.balancing.group import Group
from uat_platform.load_balancer.registry.registration import Registration
from uat_platform.load_balancer.registry.registry import Change, Registry

__all__ = ["Fleet"]

_REMEMBERED = 1_000

Heard = Callable[[list[Change]], object]
"""Is told of changes, at once; must not wait."""

Followed = Callable[[Registration], object]
"""Is told of each lease that begins, also anew; must not wait."""


class Fleet:
    """All services, their instances, and how those are doing. Belongs to one event loop.

    Leases are looked at whenever somebody asks for a service, so none that is over is ever used.

    Args:
        registry: Who is there.
        make: Makes the group of a service from its name.
        now: Returns the time.
    """

    def __init__(
        self, registry: Registry, make: Callable[[str], Group], now: Callable[[], float]
    ) -> None:
        self.registry = registry
        self.now = now
        self._make = make
        self._groups: dict[str, Group] = {}
        self._gone: dict[str, float] = {}
        self._arrivals: dict[str, asyncio.Event] = {}
        self._hear: list[Heard] = []
        self._follow: list[Followed] = []

    def listen(self, hear: Heard) -> None:
        """Tell somebody of all changes from now on."""
        self._hear.append(hear)

    def follow(self, follow: Followed) -> None:
        """Tell somebody of all leases that begin from now on, also of those that change nothing."""
        self._follow.append(follow)

    def group(self, service: str) -> Group | None:
        """Return the hosts of a service, or None where it has none."""
        self.sweep()
        return self._groups.get(service)

    @property
    def groups(self) -> dict[str, Group]:
        """The hosts of all services, by name."""
        self.sweep()
        return self._groups

    @property
    def existing(self) -> dict[str, Group]:
        """The same, without a look at leases: for other threads, which must not change anything."""
        return self._groups

    def register(self, new: Registration, *, lasts: float | None = None) -> list[Change]:
        """Take an instance in, or renew it.

        Raises:
            RegistryFullError: There are too many.
        """
        self.sweep()
        changes = self.registry.register(new, self.now(), lasts=lasts)
        self._begun(new)
        return self._applied(changes)

    def renew(self, service: str, id_: str) -> bool:
        """Begin a lease anew; False when there is none."""
        self.sweep()
        changes = self.registry.renew(service, id_, self.now())
        if changes is None:
            return False
        renewed = self.registry.find(service, id_)
        if renewed is not None:
            self._begun(renewed)
        self._applied(changes)
        return True

    def remove(self, service: str, id_: str) -> bool:
        """Forget an instance; False when there is none."""
        self.sweep()
        return bool(self._applied(self.registry.remove(service, id_)))

    def sweep(self) -> None:
        """Forget those whose leases are over."""
        changes = self.registry.expire(self.now())
        if changes:
            self._applied(changes)

    async def arrival(self, service: str, *, within: float) -> Group | None:
        """Return the hosts of a service that has none, once it has; None when it has none in time.

        Only one that had some a moment ago is waited for: it restarts. Others do not exist.

        Args:
            service: Its name.
            within: Seconds from the moment its last instance was gone.
        """
        gone = self._gone.get(service)
        if gone is None:
            return None
        left = gone + within - self.now()
        arrived = self._arrivals.setdefault(service, asyncio.Event())
        try:
            async with asyncio.timeout(max(0.0, left)):
                await arrived.wait()
        except TimeoutError:
            return None
        return self.group(service)

    def _begun(self, one: Registration) -> None:
        for follow in self._follow:
            follow(one)

    def _applied(self, changes: list[Change]) -> list[Change]:
        now = self.now()
        for each in changes:
            if each.gone:
                self._drop(each.registration, now)
            else:
                self._put(each.registration, now)
        if changes:
            for hear in self._hear:
                hear(changes)
        return changes

    def _put(self, registration: Registration, now: float) -> None:
        service = registration.service
        group = self._groups.get(service)
        if group is None:
            group = self._groups[service] = self._make(service)
            self._arrived(service)
        group.put(registration.instance, now)

    def _drop(self, registration: Registration, now: float) -> None:
        service = registration.service
        group = self._groups.get(service)
        if group is not None:
            group.drop(registration.instance.id)
            if not group.hosts:
                self._left(service, now)

    def _left(self, service: str, now: float) -> None:
        del self._groups[service]
        self._gone[service] = now
        while len(self._gone) > _REMEMBERED:
            self._arrived(next(iter(self._gone)))

    def _arrived(self, service: str) -> None:
        self._gone.pop(service, None)
        arrived = self._arrivals.pop(service, None)
        if arrived is not None:
            arrived.set()
