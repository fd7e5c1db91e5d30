"""What requests for one service need, and what those for all services share."""

from collections.abc import Callable

from uat_platform.load_balancer.balancing.group import Choice, Group
from uat_platform.load_balancer.balancing.host import Ticket
from uat_platform.load_balancer.fleet import Fleet
from uat_platform.load_balancer.traffic.meters import Meters
from uat_resilience import RetryBudget
from uat_service.proxy import Pools

__all__ = ["Served", "Services", "Suspect"]

Suspect = Callable[[str, str], object]
"""Is told of a host that could not be reached, by service and id; has it checked at once."""

Tell = Callable[[str], object]
"""Is told of a service whose hosts are in another state than before."""


class Served:
    """One service that requests go to.

    Args:
        name: Of the service.
        group: Its hosts.
        budget: Its retries.
        services: What all services share.
    """

    __slots__ = ("_services", "budget", "group", "name")

    def __init__(self, name: str, group: Group, budget: RetryBudget, services: "Services") -> None:
        self.name = name
        self.group = group
        self.budget = budget
        self._services = services

    def begin(self, choice: Choice) -> Ticket:
        """Take note of a request that goes to a host."""
        return choice.host.begin(self._services.now(), probe=choice.probe)

    def answered(self, ticket: Ticket, *, failed: bool) -> None:
        """Take note of an answer."""
        if self.group.answered(ticket, self._services.now(), failed=failed):
            if ticket.host.outlier.out:
                self._services.meters.ejected(self.name)
            self._services.tell(self.name)

    def failed(self, ticket: Ticket, *, unreachable: bool = False) -> None:
        """Take note that there is no answer, and that the request does not run there any more."""
        self.answered(ticket, failed=True)
        ticket.host.over(ticket)
        if unreachable:
            self._services.suspect(self.name, ticket.host.id)

    def broke(self, ticket: Ticket) -> None:
        """Take note that an answer broke off after it had begun."""
        ticket.host.broke(self._services.now())

    def over(self, ticket: Ticket) -> None:
        """Take note that a request does not run there any more."""
        ticket.host.over(ticket)


class Services:
    """All services that requests go to. Belongs to one event loop.

    Args:
        fleet: The hosts.
        pools: Connections to them.
        meters: What is counted.
        draw: Returns a uniform number from [0, 1).
        budget: Makes the retry budget of a service.
        suspect: Has a host checked.
        tell: Is told when hosts change their state.
        name: Of this service, as hosts and clients are told it.
        absence: Seconds that a service is waited for whose last host has just gone.

    Attributes:
        now: Returns the time.
    """

    def __init__(
        self,
        fleet: Fleet,
        *,
        pools: Pools,
        meters: Meters,
        draw: Callable[[], float],
        budget: Callable[[], RetryBudget],
        suspect: Suspect,
        tell: Tell,
        name: str,
        absence: float,
    ) -> None:
        self.now = fleet.now
        self.pools = pools
        self.meters = meters
        self.draw = draw
        self.suspect = suspect
        self.tell = tell
        self.name = name.encode("ascii", "replace")
        self._fleet = fleet
        self._absence = absence
        self._budget = budget
        self._budgets: dict[str, RetryBudget] = {}

    async def find(self, service: str) -> Served | None:
        """Return a service, or None when it has no host, even after a wait for one that has just gone."""
        group = self._fleet.group(service)
        if group is None:
            group = await self._fleet.arrival(service, within=self._absence)
        if group is None:
            return None
        budget = self._budgets.get(service)
        if budget is None:
            budget = self._budgets[service] = self._budget()
        return Served(service, group, budget, self)

    def forget(self, service: str) -> None:
        """Drop what is kept for a service that is gone."""
        self._budgets.pop(service, None)
