"""aiohttp: a middleware that guards every request of a session.

    session = aiohttp.ClientSession(middlewares=(ResilienceMiddleware(),))

Each host has a breaker, slots, timeouts and retries of its own; what must not be sent twice is not. Refusals and
missed deadlines are errors of this library and of aiohttp both.
"""

from collections.abc import Callable
from operator import attrgetter

from uat_resilience.ambient import Deadline, current_deadline
from uat_resilience.errors import TimedOutError
from uat_resilience.integrations.http.answer import Answer
from uat_resilience.integrations.http.call import Call
from uat_resilience.integrations.http.deadlines import awithin
from uat_resilience.integrations.http.dialect import Dialect
from uat_resilience.integrations.http.exchange import AsyncExchange
from uat_resilience.integrations.http.hosts import Hosts
from uat_resilience.integrations.http.kin import Kinship
from uat_resilience.integrations.http.repeating import Repeat, repeat_of
from uat_resilience.policies.policy import Policy

try:
    import aiohttp
    from aiohttp.payload import BytesPayload
except ImportError as error:
    raise ImportError("aiohttp is not installed: pip install 'uat-resilience[aiohttp]'") from error

__all__ = ["ResilienceMiddleware", "per_host"]


class ResilienceMiddleware:
    """Guard every request of an `aiohttp.ClientSession`.

    The slot and the verdict of a request end when the body of its answer has come in, not with its headers. The
    deadline around a request covers its body too, and is told to the server; so is the request that is being
    served here.

    A request is cut at its deadline, and so is a body that is still coming in. A cancelled one leaves nothing.

    When a server closes the connection of an idempotent request without a reply, aiohttp sends it once more by
    itself, through the middleware again: that makes up to twice the attempts of the policy.

    Args:
        policy: One policy for all requests, or a function that picks one for each. Default: `per_host()`. Retries
            and hedges are left out, or narrowed, for requests that must not be sent twice.

    Raises:
        TypeError: `policy` is none of these.
    """

    def __init__(
        self, policy: Policy | Callable[[aiohttp.ClientRequest], Policy] | None = None
    ) -> None:
        self._exchange = AsyncExchange(policy, _DIALECT, _send)

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Send a request under its policy.

        Raises:
            CallRefusedError: It was not sent; also an `aiohttp.ClientError`.
            TimedOutError: A deadline has passed; also an `aiohttp.ServerTimeoutError`.
        """
        return await self._exchange.send(request, handler)


async def _send(call: Call[aiohttp.ClientRequest]) -> aiohttp.ClientResponse:
    deadline, request = current_deadline.get(), call.request
    handler: aiohttp.ClientHandlerType = call.using
    request.headers.update(call.attempt(deadline, request.headers))
    response = await awithin(deadline, lambda: handler(request))
    answer = Answer(deadline)
    setattr(response, _HELD, answer)
    connection = response.connection
    if connection is None:  # All of it is there, or it has no body.
        answer.end(response.content.exception())
        return response
    disarm = _cut_at(deadline, response)

    def over() -> None:
        disarm()
        broken = response.content.exception()
        # The bare type is what aiohttp says when we close; what the server does has types of its own.
        if type(broken) is aiohttp.ClientConnectionError:
            answer.leave()
        else:
            answer.end(broken)

    connection.add_callback(over)
    return response


def _cut_at(deadline: Deadline | None, response: aiohttp.ClientResponse) -> Callable[[], object]:
    """Break a body off at the deadline; return what calls that off."""
    if deadline is None:
        return lambda: None

    def cut() -> None:
        late = TimedOutError(deadline.policy, after=deadline.after)
        response.content.set_exception(_KINSHIP.adopt(late))
        response.close()

    return deadline.clock.arm(deadline.until, cut)


def _answer(response: aiohttp.ClientResponse) -> Answer | None:
    return getattr(response, _HELD, None)


_HELD = "_uat_answer"  # An attribute of the response: a weak dictionary takes ten times as long.
_KINSHIP = Kinship(refused=aiohttp.ClientError, timed_out=aiohttp.ServerTimeoutError)
_UNSENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
_UNWELL = (
    aiohttp.ClientConnectionError,
    aiohttp.ClientPayloadError,
    aiohttp.ClientResponseError,
    TimeoutError,
)


def _repeat(request: aiohttp.ClientRequest) -> Repeat:
    replayable = not request.body or isinstance(request.body, bytes | BytesPayload)
    return repeat_of(request.method, request.headers.get, replayable=replayable)


_DIALECT: Dialect[aiohttp.ClientRequest, aiohttp.ClientResponse] = Dialect(
    host=lambda request: request.url.authority,
    repeat=_repeat,
    status=attrgetter("status"),
    header=lambda response, name: response.headers.get(name),
    answer=_answer,
    unwell=lambda error: isinstance(error, _UNWELL),
    unsent=lambda error: isinstance(error, _UNSENT),
    kinship=_KINSHIP,
    nowhere=aiohttp.InvalidURL,
)


def per_host(
    *,
    total: float = 30.0,
    each: float = 10.0,
    attempts: int = 3,
    slots: int = 100,
    hosts: int = 1000,
) -> Hosts[aiohttp.ClientRequest, aiohttp.ClientResponse]:
    """Return the policy of requests when none is given, with other numbers: `policy=per_host(total=5.0)`.

    See `uat_resilience.integrations.http.hosts.Hosts` for what they mean.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """
    return Hosts(_DIALECT, total=total, each=each, attempts=attempts, slots=slots, hosts=hosts)
