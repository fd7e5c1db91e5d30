"""One request at one host after the other, until one answers.

    pick ──▶ open ──▶ answered ──▶ passed back
     ▲         │          └── 429, 502, 503, 504, and it may be sent again ──┐
     │         ├── no connection: nothing was sent                           │
     │         └── broken, and it may be sent again ─────────────────────────┤
     └──────────────────────── another host, if there is one ◀───────────────┘

What was not sent goes elsewhere for nothing. What was sent goes elsewhere when doing it twice is the same as doing
it once, nobody before us repeats it, and the budget of the service allows it.
"""

from dataclasses import dataclass

from uat_platform.load_balancer.balancing.algorithms import Asked
from uat_platform.load_balancer.balancing.group import Choice
from uat_platform.load_balancer.balancing.host import Ticket
from uat_platform.load_balancer.traffic.path import Address
from uat_platform.load_balancer.traffic.services import Served, Services
from uat_resilience.ambient import current_deadline
from uat_service.proxy import Arrival, Exchange, GoneError, ProxyError, Target, UnreachableError

__all__ = ["Attempts", "NoHostError", "Opened"]

_ERRORS = 500
_NOT_IMPLEMENTED = 501
_TOO_MANY = 429
_ELSEWHERE = frozenset({429, 502, 503, 504})


class NoHostError(Exception):
    """There is no host to send a request to."""


@dataclass(frozen=True, slots=True)
class Opened:
    """An answer that is to be passed back.

    Attributes:
        arrival: The answer.
        ticket: Where it comes from.
        choice: Why from there.
    """

    arrival: Arrival
    ticket: Ticket
    choice: Choice


class Attempts:
    """Send one request.

    Args:
        exchange: The request.
        served: The hosts it may go to.
        address: What they are asked for.
        services: What all services share.
        key: Whose request it is.
        repeatable: Doing it twice is the same as doing it once.
        owned: Somebody before us repeats it.
    """

    def __init__(
        self,
        exchange: Exchange,
        served: Served,
        address: Address,
        services: Services,
        *,
        key: bytes,
        repeatable: bool,
        owned: bool,
    ) -> None:
        self._exchange = exchange
        self._served = served
        self._address = address
        self._services = services
        self._key = key
        self._repeatable = repeatable
        self._owned = owned
        self._tried: list[str] = []

    async def opened(self) -> Opened:
        """Return the first answer that is to be passed back.

        Raises:
            NoHostError: There is no host.
            ProxyError: No host has answered.
        """
        self._served.budget.deposit()
        choice = self._pick()
        if choice is None:
            raise NoHostError
        while True:
            ticket = self._served.begin(choice)
            self._tried.append(ticket.host.id)
            try:
                arrival = await self._open(ticket)
            except ProxyError as error:
                choice = self._another(error)
                if choice is None:
                    raise
                continue
            another = self._instead_of(arrival)
            if another is None:
                return Opened(arrival, ticket, choice)
            await self._drop(arrival, ticket)
            choice = another

    async def _open(self, ticket: Ticket) -> Arrival:
        """Send it to one host, and take note of what comes of it."""
        pool = self._services.pools[ticket.host.instance.url]
        try:
            arrival = await self._exchange.open(pool, self._target(ticket), announce=True)
        except GoneError:
            self._served.over(ticket)
            raise
        except ProxyError as error:
            self._served.failed(ticket, unreachable=isinstance(error, UnreachableError))
            raise
        except BaseException:
            deadline = current_deadline.get()
            if deadline is not None and deadline.remaining() <= 0:
                self._served.failed(ticket)
            else:
                self._served.over(ticket)
            raise
        self._served.answered(ticket, failed=_failed(arrival.status))
        return arrival

    async def _drop(self, arrival: Arrival, ticket: Ticket) -> None:
        try:
            await arrival.aclose()
        finally:
            self._served.over(ticket)

    def _pick(self) -> Choice | None:
        asked = Asked(self._services.now(), self._services.draw, self._key)
        return self._served.group.pick(asked, tried=self._tried, repeatable=self._repeatable)

    def _another(self, error: ProxyError) -> Choice | None:
        """Return where it goes after a failure, or None for nowhere."""
        if isinstance(error, GoneError):
            return None
        if isinstance(error, UnreachableError):
            return self._elsewhere("unreachable", free=True)
        return self._elsewhere("broken") if self._again else None

    def _instead_of(self, arrival: Arrival) -> Choice | None:
        """Return where it goes instead of passing an answer back, or None for nowhere."""
        if arrival.status not in _ELSEWHERE or not self._again or _final(arrival):
            return None
        return self._elsewhere(str(arrival.status))

    @property
    def _again(self) -> bool:
        return self._repeatable and not self._owned

    def _elsewhere(self, reason: str, *, free: bool = False) -> Choice | None:
        choice = self._pick()
        if choice is None or not (free or self._served.budget.withdraw()):
            return None
        self._services.meters.retried(self._served.name, reason)
        return choice

    def _target(self, ticket: Ticket) -> Target:
        headers = [(b"x-forwarded-by", self._services.name)]
        if self._again:
            # Whoever is behind us had better leave repeating to us.
            headers.append((b"x-retry-attempt", str(len(self._tried)).encode()))
        return Target(ticket.host.instance.url, self._address.path, headers=tuple(headers))


def _failed(status: int) -> bool:
    return status == _TOO_MANY or (status >= _ERRORS and status != _NOT_IMPLEMENTED)


def _final(arrival: Arrival) -> bool:
    """Return whether the host says that it has tried enough itself."""
    return any(
        name.lower() == b"x-should-retry" and value.strip().lower() == b"false"
        for name, value in arrival.headers
    )
