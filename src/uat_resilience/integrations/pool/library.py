"""What the pools of httpcore2 and the library they work for know of each other."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from ssl import SSLContext
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

try:
    import httpcore2
except ImportError as error:
    raise ImportError(
        "httpcore2 is not installed: pip install 'uat-resilience[httpx]' (or [httpx2])"
    ) from error

from uat_resilience.integrations.http.answer import Answer
from uat_resilience.integrations.http.dialect import Dialect
from uat_resilience.integrations.http.kin import Kinship
from uat_resilience.integrations.http.repeating import Repeat, repeat_of
from uat_resilience.integrations.pool.held_body import AsyncHeldBody, HeldBody

__all__ = ["ERRORS", "Library", "LibraryLimits", "Limits", "library_of"]

ERRORS: tuple[type[Exception], ...] = (
    httpcore2.ConnectError,
    httpcore2.ConnectTimeout,
    httpcore2.LocalProtocolError,
    httpcore2.NetworkError,
    httpcore2.PoolTimeout,
    httpcore2.ProtocolError,
    httpcore2.ProxyError,
    httpcore2.ReadError,
    httpcore2.ReadTimeout,
    httpcore2.RemoteProtocolError,
    httpcore2.TimeoutException,
    httpcore2.UnsupportedProtocol,
    httpcore2.WriteError,
    httpcore2.WriteTimeout,
)
"""What httpcore2 raises, and httpx by the same names."""

FRESH = 0.5
"""Seconds a connection may have been idle to carry what must not be sent twice."""

Q = TypeVar("Q")
R = TypeVar("R")


@runtime_checkable
class LibraryLimits(Protocol):
    """Limits, as httpx and httpx2 have them."""

    max_connections: int | None
    max_keepalive_connections: int | None
    keepalive_expiry: float | None


@dataclass(frozen=True, slots=True)
class Limits:
    """How many connections, and for how long they are kept.

    Attributes:
        total: Connections at most, or None for no limit.
        idle: Idle connections kept at most, or None for no limit.
        expiry: Seconds that an idle connection is kept, or None for no limit.
    """

    total: int | None = None
    idle: int | None = None
    expiry: float | None = 4.0

    @classmethod
    def given(
        cls, inner: object, limits: "LibraryLimits | None", verify: object, *, sends: str
    ) -> "Limits":
        """Return the limits of the built-in pool, from the arguments of a transport.

        Args:
            inner: A transport of the user's, or None.
            limits: Those that the user gave, or None.
            verify: How certificates are checked.
            sends: The method by which a transport sends.

        Raises:
            TypeError: One of them is of the wrong type.
            ValueError: There are some, beside a transport that has its own.
        """
        if inner is not None and (isinstance(inner, type) or not hasattr(inner, sends)):
            raise TypeError(f"inner must be a transport with {sends}, or None, not {inner!r}")
        if limits is not None and not isinstance(limits, LibraryLimits):
            raise TypeError(f"limits must be the library's Limits, or None, not {limits!r}")
        if not isinstance(verify, bool | str | SSLContext):
            raise TypeError(f"verify must be True, False or an SSLContext, not {verify!r}")
        if inner is not None and (limits is not None or verify is not True):
            raise ValueError(
                "limits and verify must be given to inner itself when inner is given, "
                f"not limits={limits!r}, verify={verify!r}"
            )
        if limits is None:
            return cls()
        return cls(
            limits.max_connections, limits.max_keepalive_connections, limits.keepalive_expiry
        )

    @property
    def unlimited(self) -> bool:
        """True when there may be any number of connections, and any number of idle ones."""
        return self.total is None and self.idle is None

    @property
    def fresh(self) -> float:
        """Seconds that a connection is kept for requests that must not be sent twice."""
        return FRESH if self.expiry is None else min(FRESH, self.expiry)


@dataclass(frozen=True, slots=True)
class Library(Generic[Q, R]):
    """The library that the connections work for: httpx or httpx2, which have the same names.

    Attributes:
        dialect: Its requests, answers and errors.
        request: Makes a request.
        response: Makes a response.
        context: Makes an SSL context of what `verify` says.
        body: Holds the body of an answer in sync code.
        abody: Holds the body of an answer in async code.
        errors: Its errors, by those of httpcore2, which bear the same names.
    """

    dialect: Dialect[Q, R]
    request: Callable[..., Q]
    response: Callable[..., R]
    context: Callable[[SSLContext | str | bool], SSLContext]
    body: type[HeldBody]
    abody: type[AsyncHeldBody]
    errors: Mapping[type[Exception], type[Exception]]

    def translated(self, error: Exception) -> Exception:
        """Return the library's error in place of one of httpcore2."""
        kind = next(kind for kind in type(error).__mro__ if kind in self.errors)
        return self.errors[kind](str(error))


def library_of(
    module: Any,  # noqa: ANN401 - httpx or httpx2
    *,
    body: type[HeldBody],
    abody: type[AsyncHeldBody],
) -> Library[Any, Any]:
    """Return what connections need of a library.

    Args:
        module: The library.
        body: A `HeldBody` that is also its `SyncByteStream`.
        abody: An `AsyncHeldBody` that is also its `AsyncByteStream`.
    """
    unsent = (module.ConnectError, module.ConnectTimeout, module.PoolTimeout)
    unwell = (
        module.TimeoutException,
        module.NetworkError,
        module.RemoteProtocolError,
        module.ProxyError,
    )

    def repeat(request: Any) -> Repeat:  # noqa: ANN401 - the library's
        replayable = isinstance(request.stream, module.ByteStream)
        return repeat_of(request.method, request.headers.get, replayable=replayable)

    dialect: Dialect[Any, Any] = Dialect(
        host=lambda request: request.url.netloc.decode("ascii"),
        repeat=repeat,
        status=attrgetter("status_code"),
        header=lambda response, name: response.headers.get(name),
        answer=_answer,
        unwell=lambda error: (
            isinstance(error, unwell) and not isinstance(error, module.PoolTimeout)
        ),
        unsent=lambda error: isinstance(error, unsent),
        kinship=Kinship(
            refused=module.TransportError,
            timed_out=module.TimeoutException,
            attributes={"_request": None},
        ),
        nowhere=module.UnsupportedProtocol,
    )
    return Library(
        dialect=dialect,
        request=module.Request,
        response=module.Response,
        context=module.create_ssl_context,
        body=body,
        abody=abody,
        errors={kind: getattr(module, kind.__name__) for kind in ERRORS},
    )


def _answer(response: Any) -> Answer | None:  # noqa: ANN401 - the library's
    body = response.stream
    return body.answer if isinstance(body, _HELD) else None


_HELD = (HeldBody, AsyncHeldBody)
