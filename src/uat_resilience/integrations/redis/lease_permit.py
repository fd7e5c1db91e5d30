"""A permit that is a lease: taken in Redis, and given back there."""

import asyncio
from types import TracebackType

from uat_resilience.integrations.redis.entry import Entrance, Slot
from uat_resilience.policies.outcomes import Outcomes
from uat_resilience.policies.permit import Permit, Verdict
from uat_resilience.switches import switches

__all__ = ["LeasePermit"]


class LeasePermit(Permit):
    """A block that holds a slot of the fleet."""

    __slots__ = ("_entrance", "_outcomes", "_slot", "_started")

    def __init__(self, entrance: Entrance, outcomes: Outcomes) -> None:
        super().__init__()
        self._entrance = entrance
        self._outcomes = outcomes
        self._slot: Slot | None = None
        self._started: float | None = None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, trace)
        # A block that is torn down (an interrupt, an abandoned generator) leaves that to the next exchange.
        if self._leased() and (error is None or isinstance(error, Exception)):
            self._entrance.settle()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await super().__aexit__(kind, error, trace)
        if not self._leased():
            return
        settling = self._entrance.settling()
        if settling is not None and (error is None or isinstance(error, Exception)):
            await asyncio.shield(settling)  # A cancelled caller goes; Redis is told all the same.

    def _leased(self) -> bool:
        return self._slot is not None and self._slot.lease is not None

    def _take(self) -> None:
        if switches.guarding:
            self._started = self._outcomes.begin()
            self._slot = self._entrance.enter(self._outcomes)

    async def _atake(self) -> None:
        if switches.guarding:
            self._started = self._outcomes.begin()
            self._slot = await self._entrance.aenter(self._outcomes)

    def _give_back(self, verdict: Verdict | None, error: BaseException | None) -> None:
        if self._slot is not None:
            self._entrance.leave(self._slot)
        if self._started is not None:
            self._outcomes.settled(self._started, verdict, error)
