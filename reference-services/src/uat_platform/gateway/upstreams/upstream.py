"""One service behind the gateway: what a request goes through on its way to it.

retry, within a budget and a time       another attempt, at another instance, if the request may be sent again
  bulkhead                              so many at once, held until the body of the answer has ended
    the less busy of two instances      none of which has just failed
      breaker of that instance          left alone after failures in a row
        timeout                         until the answer begins
"""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass

from uat_platform.gateway.routes import UpstreamDefinition
from uat_platform.gateway.upstreams.breakers import Breakers
from uat_platform.gateway.upstreams.passing import (
    DIALECT,
    NoInstanceError,
    Passed,
    Passing,
    Running,
    unwell,
)
from uat_platform.gateway.upstreams.whereabouts import Whereabouts
from uat_resilience import (
    Bulkhead,
    CircuitBreaker,
    Exponential,
    Pipeline,
    Retry,
    RetryBudget,
)
from uat_resilience.errors import CircuitOpenError
from uat_resilience.integrations.headers import DEADLINE, RETRY_ATTEMPT
from uat_resilience.integrations.http.call import Call
from uat_resilience.integrations.http.exchange import AsyncExchange
from uat_resilience.integrations.serving.asgi_types import encoded
from uat_resilience.pipeline import PipelineSnapshot
from uat_resilience.policies.permit import Permit
from uat_service.client.instances import Instances
from uat_service.proxy import Arrival, Pools, Target, UnreachableError
from uat_service.resolver import Instance

__all__ = ["Defaults", "Upstream"]


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds for an upstream that the routes file says nothing else of."""

    attempts: int
    failures: int
    slots: int
    timeout: float


class Upstream:
    """Pass requests on to one service. Belongs to one event loop.

    Args:
        name: What the routes call it.
        definition: What the routes file says of it.
        defaults: What holds otherwise.
        whereabouts: Where its instances are.

    Attributes:
        name: Its name.
        sockets: Bounds its WebSockets.
        instances: Chooses among its instances.
        breakers: Theirs, one each.
        pools: Connections to them.
    """

    def __init__(
        self,
        name: str,
        definition: UpstreamDefinition,
        *,
        defaults: Defaults,
        whereabouts: Whereabouts,
    ) -> None:
        self.name = name
        self.budget = RetryBudget()
        self.instances = Instances()
        self._defaults = defaults
        self._whereabouts = whereabouts
        self.breakers = Breakers(name)
        self.slots = Bulkhead(1, name=f"{name}/bulkhead")
        self.sockets = Bulkhead(1, name=f"{name}/sockets")
        self.pools = Pools()
        self.update(definition)

    def update(self, definition: UpstreamDefinition) -> None:
        """Go by another definition from now on. What is known of instances stays."""
        defaults = self._defaults
        self.definition = definition
        self.timeout = definition.timeout or defaults.timeout
        self.attempts = definition.attempts or defaults.attempts
        self.slots.update(
            size=definition.slots or defaults.slots,
            queue=definition.queue,
            max_wait=definition.queue_wait,
        )
        self.sockets.update(size=definition.sockets)
        self.breakers.update(
            failures=definition.failures or defaults.failures, recovery_time=definition.recovery
        )
        self.pipeline = Pipeline(
            Retry(
                unwell,
                attempts=self.attempts,
                backoff=Exponential(0.01, factor=2.0, maximum=0.25),
                on_result=DIALECT.worth_another,
                time_limit=self.timeout,
                budget=self.budget,
                name=f"{self.name}/retry",
            ),
            self.slots,
            name=self.name,
        )
        self._exchange = AsyncExchange[Passing, Passed](self.pipeline, DIALECT, self._attempt)
        self.pools.close()
        self.pools = Pools(
            connect_timeout=min(5.0, definition.attempt_timeout), patience=definition.silence
        )

    async def send(self, passing: Passing) -> Passed:
        """Send a request, again if need be; return when an answer has begun.

        Raises:
            ResilienceError: It was refused: too much is going on, or nobody is there who is well.
            ProxyError: There is no answer.
        """
        return await self._exchange.send(passing)

    async def find(self) -> list[Instance]:
        """Return its instances as they are known now."""
        return await self._whereabouts.find(self.name, self.definition)

    def snapshot(self) -> PipelineSnapshot:
        """Return its policies and the breakers of its instances at this moment."""
        return PipelineSnapshot(
            (
                *self.pipeline.snapshot().policies,
                (self.sockets.name, self.sockets.snapshot()),
                *self.breakers.snapshots(),
            )
        )

    def close(self) -> None:
        """Close the connections that wait for a request."""
        self.pools.close()

    async def choose(
        self, tried: list[str], *, refused: Collection[str] = ()
    ) -> tuple[Instance, CircuitBreaker, bool] | None:
        """Return where the next attempt goes, its breaker, and whether there would be others; None for nowhere.

        Args:
            tried: Ids of those that had a go at it, or were left alone: another one is better. The one that is
                chosen is added.
            refused: Ids of those that do not come into question.

        Raises:
            NoInstanceError: Nobody knows of any.
        """
        known = await self.find()
        if not known:
            raise NoInstanceError(self.name, retry_after=1.0)
        self.breakers.forget(known)
        fresh = [each for each in known if each.id not in tried]
        among = fresh or [each for each in known if each.id not in refused]
        if not among:
            return None
        instance = self.instances.pick(among)
        tried.append(instance.id)
        return instance, self.breakers.of(instance), len(fresh) > 1

    async def _attempt(self, call: Call[Passing]) -> Passed:
        """Make one attempt."""
        passing = call.request
        instance, permit = await self._admitted(passing)
        try:
            arrival = await self._opened(call, instance)
            passed = Passed(arrival, passing)
        except BaseException as error:
            self.instances.over(instance)
            permit.__exit__(type(error), error, error.__traceback__)
            raise
        if DIALECT.failed(passed):
            permit.failure()
            self.instances.failed(instance)
        else:
            self.instances.succeeded(instance)
        passed.answer.hold(Running(lambda: self.instances.over(instance)))
        passed.answer.hold(permit)
        return passed

    async def _admitted(self, passing: Passing) -> tuple[Instance, Permit]:
        """Return an instance whose breaker lets the attempt in."""
        refused: list[str] = []
        refusal: CircuitOpenError | None = None
        while True:
            chosen = await self.choose(passing.tried, refused=refused)
            if chosen is None:
                raise refusal or NoInstanceError(self.name, retry_after=1.0)
            instance, breaker, passing.more = chosen
            permit = breaker.permit()
            try:
                permit.__enter__()
            except CircuitOpenError as error:
                self.instances.over(instance)
                refused.append(instance.id)
                refusal = error
            except BaseException:
                self.instances.over(instance)
                raise
            else:
                return instance, permit

    async def _opened(self, call: Call[Passing], instance: Instance) -> Arrival:
        passing, loop = call.request, asyncio.get_running_loop()
        if passing.began is None:
            passing.began = loop.time()
        told = call.attempt(None, ())
        target = Target(
            instance.url,
            path=passing.path,
            headers=(*passing.told, *encoded(_repeated(told))),
            without=passing.without,
        )
        left = self.timeout - (loop.time() - passing.began)
        limit = max(0.001, min(self.definition.attempt_timeout, left))
        pool = self.pools[instance.url]
        try:
            return await passing.exchange.open(pool, target, announce=True, within=limit)
        except UnreachableError:
            self.instances.failed(instance, unreachable=True)
            raise
        except Exception as error:
            if unwell(error):
                self.instances.failed(instance)
            raise


def _repeated(told: dict[str, str]) -> list[tuple[str, str]]:
    """Return what a gateway adds by itself: the proxy tells the rest."""
    return [(name, value) for name, value in told.items() if name in {RETRY_ATTEMPT, DEADLINE}]
