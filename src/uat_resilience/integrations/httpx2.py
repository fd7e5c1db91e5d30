"""httpx2: transports that guard every request of a client.

    client = httpx2.AsyncClient(transport=AsyncResilientTransport())

Each host has a breaker, slots, timeouts and retries of its own; what must not be sent twice is not. Refusals and
missed deadlines are errors of this library and of httpx2 both.

What it does is in `pool.transports`, for both lines of the library.
"""

from collections.abc import Callable
from ssl import SSLContext

from uat_resilience.integrations.http.hosts import Hosts
from uat_resilience.integrations.pool.held_body import AsyncHeldBody, HeldBody
from uat_resilience.policies.policy import Policy

try:
    import httpx2
except ImportError as error:
    raise ImportError("httpx2 is not installed: pip install 'uat-resilience[httpx2]'") from error

from uat_resilience.integrations.pool.library import Library, library_of
from uat_resilience.integrations.pool.transports import AsyncTransport, Transport

__all__ = ["AsyncResilientTransport", "ResilientTransport", "per_host"]


class _Body(HeldBody, httpx2.SyncByteStream):
    """A body that httpx2 takes for one of its own."""


class _AsyncBody(AsyncHeldBody, httpx2.AsyncByteStream):
    """A body that httpx2 takes for one of its own."""


_LIBRARY: Library[httpx2.Request, httpx2.Response] = library_of(
    httpx2, body=_Body, abody=_AsyncBody
)


class ResilientTransport(Transport[httpx2.Request, httpx2.Response], httpx2.BaseTransport):
    """Guard every request of an `httpx2.Client`.

    The slot and the verdict of a request end with the body of its answer, not with its headers. The deadline
    around a request covers its body too, and is told to the server; so is the request that is being served here.

    Thread-safe. In sync code nothing is cut: every wait for the network is bounded by what is left of the deadline
    (with a transport of your own: by httpx2's timeouts, each of them no longer than what is left).

    Args:
        policy: One policy for all requests, or a function that picks one for each. Default: `per_host()`. Retries
            and hedges are left out, or narrowed, for requests that must not be sent twice.
        inner: What sends the requests. Default: connections of httpcore2, which survive cancelled calls.
        limits: How many of these. Default: as many as are asked for, as slots are counted for each host;
            idle ones are kept for 4 s, which is less than the 5 s after which many servers close them.
        verify: How they check certificates: True for the usual authorities, or an `ssl.SSLContext`.

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: `limits` or `verify` are given beside `inner`, which has its own.
    """

    def __init__(
        self,
        policy: Policy | Callable[[httpx2.Request], Policy] | None = None,
        *,
        inner: httpx2.BaseTransport | None = None,
        limits: httpx2.Limits | None = None,
        verify: SSLContext | str | bool = True,
    ) -> None:
        super().__init__(_LIBRARY, policy, inner=inner, limits=limits, verify=verify)


class AsyncResilientTransport(
    AsyncTransport[httpx2.Request, httpx2.Response], httpx2.AsyncBaseTransport
):
    """Guard every request of an `httpx2.AsyncClient`, on asyncio and trio.

    The slot and the verdict of a request end with the body of its answer, not with its headers. The deadline
    around a request covers its body too, and is told to the server; so is the request that is being served here.

    A request, and the reading of a body, is cut at its deadline. A cancelled one leaves nothing behind.

    Args and errors are those of `ResilientTransport`.
    """

    def __init__(
        self,
        policy: Policy | Callable[[httpx2.Request], Policy] | None = None,
        *,
        inner: httpx2.AsyncBaseTransport | None = None,
        limits: httpx2.Limits | None = None,
        verify: SSLContext | str | bool = True,
    ) -> None:
        super().__init__(_LIBRARY, policy, inner=inner, limits=limits, verify=verify)


def per_host(
    *,
    total: float = 30.0,
    each: float = 10.0,
    attempts: int = 3,
    slots: int = 100,
    hosts: int = 1000,
) -> Hosts[httpx2.Request, httpx2.Response]:
    """Return the policy of requests when none is given, with other numbers: `policy=per_host(total=5.0)`.

    See `uat_resilience.integrations.http.hosts.Hosts` for what they mean.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """
    return Hosts(
        _LIBRARY.dialect, total=total, each=each, attempts=attempts, slots=slots, hosts=hosts
    )
