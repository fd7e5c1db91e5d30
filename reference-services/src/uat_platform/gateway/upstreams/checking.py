"""How upstreams are, as their instances say when they are asked."""

import asyncio
from collections.abc import Callable, Collection

import httpx2
import structlog

from uat_platform.gateway.upstreams.upstream import Upstream
from uat_resilience import BreakerState
from uat_resilience.ambient import DrainSignal
from uat_resilience.clock import default_clock
from uat_resilience.integrations.cookies import no_cookies
from uat_resilience.lifecycle import Status
from uat_resilience.waiting import world

__all__ = ["UNKNOWN", "Checking"]

UNKNOWN = "unknown"
"""The state of an upstream that was not asked yet, or that has no instance."""

_PATIENCE = 5.0
_OK = 200


class Checking:
    """Ask the instances of all upstreams in turns. Belongs to one event loop.

    Args:
        upstreams: Returns the upstreams.
        interval: Seconds between two rounds, above 0.
    """

    def __init__(self, upstreams: Callable[[], Collection[Upstream]], *, interval: float) -> None:
        self._upstreams = upstreams
        self._interval = interval
        self._states: dict[str, str] = {}
        self._wanted = DrainSignal()

    def states(self) -> dict[str, str]:
        """Return the state of each upstream: `healthy`, `degraded`, `unhealthy` or `unknown`."""
        return {each.name: self._states.get(each.name, UNKNOWN) for each in self._upstreams()}

    def status(self) -> Status:
        """Return how they are together: degraded at worst, as the gateway serves the others.

        Before the first round nothing is known to be wrong.
        """
        if not self._states:
            return Status.HEALTHY
        states = set(self.states().values())
        return Status.HEALTHY if states <= {"healthy"} else Status.DEGRADED

    def refresh(self) -> None:
        """Let the next round begin now; however often that is asked for, it is one round."""
        self._wanted.set()

    async def run(self) -> None:
        """Ask again and again, until cancelled."""
        client = httpx2.AsyncClient(trust_env=False, cookies=no_cookies(), timeout=_PATIENCE)
        async with client:
            while True:
                self._wanted = DrainSignal()
                await self.round(client)
                await world().pause(default_clock.clock, self._interval, self._wanted)

    async def round(self, client: httpx2.AsyncClient) -> None:
        """Ask all of them once, at the same time."""
        upstreams = [*self._upstreams()]
        found = await asyncio.gather(*(_state(each, client) for each in upstreams))
        for upstream, state in zip(upstreams, found, strict=True):
            before = self._states.get(upstream.name)
            if before != state:
                _logger.info("upstream", name=upstream.name, state=state, before=before)
        self._states = {each.name: state for each, state in zip(upstreams, found, strict=True)}


async def _state(upstream: Upstream, client: httpx2.AsyncClient) -> str:
    known = await upstream.find()
    if not known:
        return UNKNOWN
    path = upstream.definition.health
    if path:
        well = await asyncio.gather(*(_well(client, each.url + path) for each in known))
    else:
        well = [upstream.breakers.of(each).state is BreakerState.CLOSED for each in known]
    if all(well):
        return "healthy"
    return "degraded" if any(well) else "unhealthy"


async def _well(client: httpx2.AsyncClient, url: str) -> bool:
    try:
        answer = await client.get(url)
    except httpx2.HTTPError:
        return False
    return answer.status_code == _OK


_logger = structlog.get_logger("uat_platform.gateway")
