"""A block under a breaker that a fleet shares."""

from types import TracebackType

from uat_resilience.integrations.redis.fleet import Fleet
from uat_resilience.policies.permit import Permit, Verdict

__all__ = ["SharedPermit"]


class SharedPermit(Permit):
    """A block under a shared breaker."""

    __slots__ = ("_fleet", "_inner", "_probe")

    def __init__(self, fleet: Fleet, inner: Permit) -> None:
        super().__init__()
        self._fleet = fleet
        self._inner = inner
        self._probe: str | None = None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, trace)
        # A block that is torn down (an interrupt, an abandoned generator) must not wait: its lease runs out.
        if error is None or isinstance(error, Exception):
            self._fleet.report(self._probe)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await super().__aexit__(kind, error, trace)
        await self._fleet.areport(self._probe, error)

    def _take(self) -> None:
        self._probe = self._fleet.consult()
        try:
            self._inner.__enter__()
        except BaseException:
            self._fleet.report(self._probe)
            raise

    async def _atake(self) -> None:
        self._probe = await self._fleet.aconsult()
        try:
            await self._inner.__aenter__()
        except BaseException as error:
            await self._fleet.areport(self._probe, error)
            raise

    def _give_back(self, verdict: Verdict | None, error: BaseException | None) -> None:
        inner = self._inner
        words = {
            Verdict.SUCCESS: inner.success,
            Verdict.FAILURE: inner.failure,
            Verdict.ABANDONED: inner.abandon,
        }
        if verdict is not None:
            words[verdict]()
        inner.__exit__(None if error is None else type(error), error, None)
