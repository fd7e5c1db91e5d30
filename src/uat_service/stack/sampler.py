"""Ask processes that run what they are busy with, again and again."""

import asyncio
from collections.abc import Mapping

from uat_service.stack.board import Board
from uat_service.stack.definition import Service
from uat_service.stack.probing import Prober
from uat_service.stack.sockets import Sockets
from uat_service.stack.state import State
from uat_service.stack.traffic import Sample, Traffic, between
from uat_service.stack.waits import first

__all__ = ["Sampler"]

_BETWEEN = 2.0


class Sampler:
    """Know the traffic of each process.

    Replicas that cannot be asked by themselves are left out: their counts would get mixed up.

    Args:
        services: Those to ask, which have a path that says whether they are ready.
        board: Says which of their processes run.
        sockets: Where they are.
        prober: Asks them.
    """

    def __init__(
        self,
        services: Mapping[str, Service],
        *,
        board: Board,
        sockets: Sockets,
        prober: Prober,
    ) -> None:
        self._services = services
        self._board = board
        self._sockets = sockets
        self._prober = prober
        self._samples: dict[str, Sample] = {}
        self._traffic: dict[str, Traffic] = {}

    def traffic(self, instance: str) -> Traffic:
        """Return what a process was busy with when it was last asked."""
        return self._traffic.get(instance, Traffic())

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            running = [each for each in self._board.statuses if each.state is State.RUNNING]
            await asyncio.gather(
                *(
                    self._sample(each.instance, port)
                    for each in running
                    if (port := self._door(self._services[each.service], each.instance))
                )
            )
            await first(asyncio.Event().wait(), within=_BETWEEN)

    def _door(self, service: Service, instance: str) -> int | None:
        if service.ready_path is None or (service.replicas > 1 and not service.owns):
            return None
        return self._sockets.door(service.name, instance)

    async def _sample(self, name: str, port: int) -> None:
        newer = await self._prober.sample(port)
        states = await self._prober.breakers(port)
        older = self._samples.get(name)
        traffic = Traffic() if newer is None or older is None else between(older, newer)
        if newer is not None:
            self._samples[name] = newer
        self._traffic[name] = Traffic(traffic.rate, traffic.p95, states)
