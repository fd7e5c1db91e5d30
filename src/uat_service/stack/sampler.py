"""Ask services that run what they are busy with, again and again."""

import asyncio
from collections.abc import Mapping

from uat_service.stack.board import Board
from uat_service.stack.definition import Service
from uat_service.stack.probing import Prober
from uat_service.stack.state import State
from uat_service.stack.traffic import Sample, Traffic, between
from uat_service.stack.waits import first

__all__ = ["Sampler"]

_BETWEEN = 2.0


class Sampler:
    """Know the traffic of each service.

    Args:
        services: Those to ask, which have a path that says whether they are ready.
        board: Says which of them run.
        ports: Where they are.
        prober: Asks them.
    """

    def __init__(
        self,
        services: Mapping[str, Service],
        *,
        board: Board,
        ports: Mapping[str, int],
        prober: Prober,
    ) -> None:
        self._services = services
        self._board = board
        self._ports = ports
        self._prober = prober
        self._samples: dict[str, Sample] = {}
        self._traffic: dict[str, Traffic] = {}

    def traffic(self, service: str) -> Traffic:
        """Return what a service was busy with when it was last asked."""
        return self._traffic.get(service, Traffic())

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            states = self._board.by_service()
            running = [
                name
                for name, service in self._services.items()
                if service.ready_path is not None
                and any(each.state is State.RUNNING for each in states[name])
            ]
            await asyncio.gather(*(self._sample(name, self._ports[name]) for name in running))
            await first(asyncio.Event().wait(), within=_BETWEEN)

    async def _sample(self, name: str, port: int) -> None:
        newer = await self._prober.sample(port)
        states = await self._prober.breakers(port)
        older = self._samples.get(name)
        traffic = Traffic() if newer is None or older is None else between(older, newer)
        if newer is not None:
            self._samples[name] = newer
        self._traffic[name] = Traffic(traffic.rate, traffic.p95, states)
