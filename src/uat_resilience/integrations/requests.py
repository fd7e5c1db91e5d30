"""requests: an adapter that guards every request of a session.

    session = requests.Session()
    session.mount("https://", ResilientAdapter())

Each host has a breaker, slots, timeouts and retries of its own; what must not be sent twice is not. Refusals and
missed deadlines are errors of this library and of requests both.
"""

from collections.abc import Callable, Generator
from operator import attrgetter
from typing import Any, cast
from urllib.parse import urlsplit

from uat_resilience.ambient import Deadline, current_deadline
from uat_resilience.integrations.http.answer import Answer
from uat_resilience.integrations.http.body import read
from uat_resilience.integrations.http.call import Call
from uat_resilience.integrations.http.deadlines import capped, within
from uat_resilience.integrations.http.dialect import Dialect
from uat_resilience.integrations.http.exchange import Exchange
from uat_resilience.integrations.http.hosts import Hosts
from uat_resilience.integrations.http.kin import Kinship
from uat_resilience.integrations.http.repeating import Repeat, repeat_of
from uat_resilience.policies.policy import Policy

try:
    import requests
    import urllib3.exceptions
    from requests.adapters import HTTPAdapter
except ImportError as error:
    raise ImportError(
        "requests is not installed: pip install 'uat-resilience[requests]'"
    ) from error

from uat_resilience.integrations.requests_pools import POOLS, fresh, keys_of

__all__ = ["ResilientAdapter", "per_host"]


class ResilientAdapter(HTTPAdapter):
    """Guard every request of a `requests.Session`, wherever it is mounted.

    The slot and the verdict of a request end with the body of its answer, not with its headers. The deadline
    around a request covers its body too, and is told to the server; so is the request that is being served here.

    Thread-safe. Nothing is cut: every wait is bounded by what is left of the deadline. Only headers that come in
    drop by drop can draw a call out, as there is no way in between.

    Args:
        policy: One policy for all requests, or a function that picks one for each. Default: `per_host()`. Retries
            are left out, or narrowed, for requests that must not be sent twice.
        **settings: Of `requests.adapters.HTTPAdapter`, such as `pool_maxsize`.

    Raises:
        TypeError: `policy` is none of these.
    """

    def __init__(
        self,
        policy: Policy | Callable[[requests.PreparedRequest], Policy] | None = None,
        **settings: Any,  # noqa: ANN401 - the library's
    ) -> None:
        super().__init__(**settings)
        self._exchange = Exchange(policy, _DIALECT, self._send)
        self._latest: tuple[object, Any] = None, None
        # A subclass may tell requests to one host apart by what is in them.
        self._has_keys_of_its_own = keys_of(type(self)) is not keys_of(HTTPAdapter)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the library's
        """Make the pools."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def get_connection_with_tls_context(
        self,
        request: requests.PreparedRequest,
        verify: Any,  # noqa: ANN401 - the library's
        proxies: Any = None,  # noqa: ANN401 - the library's
        cert: Any = None,  # noqa: ANN401 - the library's
    ) -> Any:  # noqa: ANN401 - the library's
        """Return the pool for a request. That of the host asked last is at hand: the library looks for long."""
        if proxies or self._has_keys_of_its_own:
            return super().get_connection_with_tls_context(request, verify, proxies, cert)
        asked, (latest, pool) = (urlsplit(request.url or "")[:2], verify, cert), self._latest
        if asked != latest:
            pool = super().get_connection_with_tls_context(request, verify, proxies, cert)
            self._latest = asked, pool
        return pool

    def close(self) -> None:
        """Close all connections."""
        self._latest = None, None
        super().close()

    def send(
        self,
        request: requests.PreparedRequest,
        *args: Any,  # noqa: ANN401 - the library's
        **kwargs: Any,  # noqa: ANN401 - the library's
    ) -> requests.Response:
        """Send a request under its policy.

        Raises:
            CallRefusedError: It was not sent; also a `requests.RequestException`.
            TimedOutError: A deadline has passed; also a `requests.Timeout`.
        """
        given = dict(zip(("stream", "timeout", "verify", "cert", "proxies"), args, strict=False))
        return self._exchange.send(request, given | kwargs)

    def _send(self, call: Call[requests.PreparedRequest]) -> requests.Response:
        deadline = current_deadline.get()
        request = _copy(call.request)
        request.headers.update(call.attempt(deadline, request.headers))
        settings = {**call.using, "timeout": _timeouts(call.using.get("timeout"), deadline)}
        token = fresh.set(call.repeat is not Repeat.FREELY)
        try:
            response = within(deadline, _LATE, super().send, request, **settings)
        finally:
            fresh.reset(token)
        response.raw = _Body(response.raw, Answer(deadline))
        return response


class _Body:
    """A body, and what is held for it. Everything else is the library's."""

    def __init__(self, raw: Any, answer: Answer) -> None:  # noqa: ANN401 - the library's
        self._raw = raw
        self.answer = answer

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - the library's
        return getattr(self._raw, name)

    def stream(
        self,
        amt: int | None = 65536,
        decode_content: bool | None = None,  # noqa: FBT001 - the library's
    ) -> Generator[bytes]:
        """Read the body in parts, as they come in."""
        parts = self._parts(amt, decode_content)
        try:
            yield from read(parts, self.answer, _KINSHIP, late=_LATE)
        except Exception:
            # As urllib3 does for errors of its own. requests leaves an answer that it fails to read as it is.
            self._raw.close()
            raise

    def close(self) -> None:
        """Close the connection."""
        try:
            self._raw.close()
        finally:
            self.answer.leave()

    def release_conn(self) -> None:
        """Give the connection back."""
        try:
            self._raw.release_conn()
        finally:
            self.answer.leave()

    def _parts(self, amt: int | None, decode_content: bool | None) -> Generator[bytes]:  # noqa: FBT001 - the library's
        while True:
            socket = getattr(self._raw.connection, "sock", None)
            if socket is not None and self.answer.deadline is not None:
                socket.settimeout(capped(socket.gettimeout(), self.answer.deadline))
            part = self._raw.read1(amt, decode_content)
            if not part:
                return
            yield part


def _copy(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Copy what an attempt writes to: the library's own copy copies the cookies too, which takes longer."""
    copied = requests.PreparedRequest()
    copied.__dict__.update(request.__dict__)
    copied.headers = request.headers.copy()
    return copied


def _timeouts(given: Any, deadline: Deadline | None) -> Any:  # noqa: ANN401 - a number, a pair, or the library's own
    if isinstance(given, tuple):
        connect, read_ = cast("tuple[float | None, float | None]", given)
        return capped(connect, deadline), capped(read_, deadline)
    if given is None or isinstance(given, int | float):
        return capped(given, deadline)
    return given


def _repeat(request: requests.PreparedRequest) -> Repeat:
    replayable = request.body is None or isinstance(request.body, bytes | str)
    return repeat_of(
        request.method or "",
        lambda name: "said" if name in request.headers else None,
        replayable=replayable,
    )


def _answer(response: requests.Response) -> Answer | None:
    raw: object = response.raw
    return raw.answer if isinstance(raw, _Body) else None


def _unsent(error: Exception) -> bool:
    if isinstance(error, requests.ConnectTimeout):
        return True
    inner: object = error.args[0] if error.args else None
    reason = inner.reason if isinstance(inner, urllib3.exceptions.MaxRetryError) else None
    return isinstance(reason, urllib3.exceptions.NewConnectionError)


_LATE = (requests.Timeout, urllib3.exceptions.TimeoutError)
_UNWELL = (requests.ConnectionError, requests.Timeout, urllib3.exceptions.HTTPError)
_KINSHIP = Kinship(
    refused=requests.RequestException,
    timed_out=requests.Timeout,
    attributes={"request": None, "response": None},
)
_DIALECT: Dialect[requests.PreparedRequest, requests.Response] = Dialect(
    host=lambda request: urlsplit(request.url or "").netloc.rpartition("@")[2],
    repeat=_repeat,
    status=attrgetter("status_code"),
    header=lambda response, name: response.headers.get(name),
    answer=_answer,
    unwell=lambda error: isinstance(error, _UNWELL),
    unsent=_unsent,
    kinship=_KINSHIP,
    nowhere=requests.exceptions.InvalidURL,
)


def per_host(
    *,
    total: float = 30.0,
    each: float = 10.0,
    attempts: int = 3,
    slots: int = 100,
    hosts: int = 1000,
) -> Hosts[requests.PreparedRequest, requests.Response]:
    """Return the policy of requests when none is given, with other numbers: `policy=per_host(total=5.0)`.

    See `uat_resilience.integrations.http.hosts.Hosts` for what they mean.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """
    return Hosts(_DIALECT, total=total, each=each, attempts=attempts, slots=slots, hosts=hosts)
