"""Put policies around the sending of requests, and keep what they hold until the answer has ended.

A policy that holds something for a call (`HeldByStreams`: a breaker, a bulkhead, a limiter) is asked for a permit,
which the answer keeps. All others are wrapped around as they are. What would send a request again that must not be
sent again is left out, or narrowed to the errors after which nothing was sent.
"""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from uat_resilience.clock import default_clock
from uat_resilience.integrations.http.call import Call
from uat_resilience.integrations.http.dialect import Dialect
from uat_resilience.integrations.http.repeating import Repeat
from uat_resilience.pipeline import Pipeline
from uat_resilience.policies.bounds import Bounds
from uat_resilience.policies.coalesce import Coalesce
from uat_resilience.policies.discarding import Discarder
from uat_resilience.policies.hedge import Hedge
from uat_resilience.policies.policy import Policy, Wrapper
from uat_resilience.policies.retry import Retry
from uat_resilience.policies.streams import HeldByStreams
from uat_resilience.telemetry.bus import default_bus

__all__ = ["Guarding", "repeats"]

Q = TypeVar("Q")
R = TypeVar("R")
Send = Callable[[Call[Q]], R]
ASend = Callable[[Call[Q]], Awaitable[R]]


def repeats(policy: Policy) -> bool:
    """Return True when a policy may send a request more than once."""
    return isinstance(policy, Wrapper) and policy.bounds(Bounds(), sync=False).calls != 1


class Guarding(Generic[Q, R]):
    """Guard the requests of one kind.

    Args:
        dialect: The library's answers and errors.
        repeat: When these requests may be sent again.
    """

    __slots__ = ("_dialect", "_repeat")

    def __init__(self, dialect: Dialect[Q, R], repeat: Repeat) -> None:
        self._dialect = dialect
        self._repeat = repeat

    def wrap(self, policy: Policy, send: Send[Q, R], prefix: str | None = None) -> Send[Q, R]:
        """Return a sync function that sends under a policy."""
        if isinstance(policy, Pipeline):
            within = _lent(policy, prefix)
            for each in reversed(policy.policies):
                send = self.wrap(each, send, within)
            return send
        fitting = self._fitting(policy)
        if fitting is None:
            return send
        if isinstance(fitting, HeldByStreams):
            return self._held(fitting, fitting.name_within(prefix), send)
        if isinstance(fitting, Wrapper):
            return fitting.wrap(send, fitting.name_within(prefix))
        return _called_by(fitting, send)

    def awrap(self, policy: Policy, send: ASend[Q, R], prefix: str | None = None) -> ASend[Q, R]:
        """Return an async function that sends under a policy."""
        if isinstance(policy, Pipeline):
            within = _lent(policy, prefix)
            for each in reversed(policy.policies):
                send = self.awrap(each, send, within)
            return send
        fitting = self._fitting(policy)
        if fitting is None:
            return send
        if isinstance(fitting, HeldByStreams):
            return self._aheld(fitting, fitting.name_within(prefix), send)
        if isinstance(fitting, Wrapper):
            return fitting.awrap(send, fitting.name_within(prefix))
        return _acalled_by(fitting, send)

    def _fitting(self, policy: Policy) -> Policy | None:
        """Return the policy as far as these requests may have it, or None."""
        if isinstance(policy, Coalesce):
            raise TypeError(f"{policy.name} cannot guard requests: a response is read once")
        if self._repeat is Repeat.FREELY or not isinstance(policy, Retry | Hedge):
            return policy
        if self._repeat is Repeat.UNSENT and isinstance(policy, Retry):
            return policy.narrowed(self._dialect.unsent)
        return None

    def _held(self, policy: HeldByStreams, name: str, send: Send[Q, R]) -> Send[Q, R]:
        answer_of = self._dialect.answer

        def held(call: Call[Q]) -> R:
            permit = policy.permit_as(name)
            permit.__enter__()
            try:
                response = send(call)
                try:
                    if policy.condemns(response):
                        permit.failure()
                except BaseException:
                    Discarder(name, default_bus).close(response, default_clock.clock)
                    raise
            except BaseException as error:
                permit.__exit__(type(error), error, error.__traceback__)
                raise
            answer = answer_of(response)
            if answer is None:  # A response that a fallback made: its body is there already.
                permit.__exit__(None, None, None)
            else:
                answer.hold(permit)
            return response

        return held

    def _aheld(self, policy: HeldByStreams, name: str, send: ASend[Q, R]) -> ASend[Q, R]:
        answer_of = self._dialect.answer

        async def held(call: Call[Q]) -> R:
            permit = policy.permit_as(name)
            await permit.__aenter__()
            try:
                response = await send(call)
                try:
                    if policy.condemns(response):
                        permit.failure()
                except BaseException:
                    await Discarder(name, default_bus).aclose(response, default_clock.clock)
                    raise
            except BaseException as error:
                permit.__exit__(type(error), error, error.__traceback__)
                raise
            answer = answer_of(response)
            if answer is None:  # A response that a fallback made: its body is there already.
                permit.__exit__(None, None, None)
            else:
                answer.hold(permit)
            return response

        return held


def _called_by(policy: Policy, send: Send[Q, R]) -> Send[Q, R]:
    def guarded(call: Call[Q]) -> R:
        return policy.call(send, call)

    return guarded


def _acalled_by(policy: Policy, send: ASend[Q, R]) -> ASend[Q, R]:
    async def guarded(call: Call[Q]) -> R:
        return await policy.acall(send, call)

    return guarded


def _lent(pipeline: Pipeline, prefix: str | None) -> str | None:
    """Return the name a pipeline lends to its policies; one without a name lends none."""
    name = pipeline.name_within(prefix)
    return None if name == pipeline.kind else name
