"""Headers on their way through a proxy: all of them pass as they are, but for those of one hop (RFC 9110, 7.6.1).

What a client says about itself in `X-Forwarded-...` is not believed: it is replaced by what the server knows. A
server that stands behind another proxy reads these headers itself, and then knows the client from them.
"""

from uat_resilience.ambient import current_deadline
from uat_resilience.integrations.headers import DEADLINE, current_correlation, written_deadline
from uat_resilience.integrations.serving.asgi_types import RawHeaders, Scope

__all__ = ["ambient", "end_to_end", "endless", "forwarded"]

HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authentication-info",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
FORWARDED = frozenset({b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto"})
# What nobody may have removed by naming it in `Connection`: the message would be read as another one.
_KEPT = frozenset({b"content-length", b"host"})


def end_to_end(headers: RawHeaders, *, without: frozenset[bytes] = frozenset()) -> RawHeaders:
    """Return the headers that go further, in their order, case and number.

    Args:
        headers: As they came in.
        without: Names, in lower case, that do not go further either.
    """
    dropped = HOP_BY_HOP | without if without else HOP_BY_HOP
    named = [value for name, value in headers if name.lower() == b"connection"]
    if named and named != [b"keep-alive"]:
        names = {name.strip().lower() for value in named for name in value.split(b",")}
        dropped = dropped | (names - _KEPT)
    return [each for each in headers if each[0].lower() not in dropped]


def endless(headers: RawHeaders) -> bool:
    """Return whether nothing but the closing of the connection says where an answer ends."""
    return not any(name.lower() in _FRAMING for name, _ in headers)


def forwarded(scope: Scope) -> RawHeaders:
    """Return what the next server is told of the client."""
    client: tuple[str, int] | None = scope.get("client")
    told = [(b"x-forwarded-proto", _PROTOCOLS[scope.get("scheme", "http")])]
    if client is not None:
        told.append((b"x-forwarded-for", client[0].encode("latin-1")))
    told += [(b"x-forwarded-host", value) for name, value in scope["headers"] if name == b"host"]
    return told


def ambient() -> RawHeaders:
    """Return what the request inherits here: the time it has left, and which request it is."""
    told: dict[str, str] = {}
    deadline, correlation = current_deadline.get(), current_correlation.get()
    if deadline is not None:
        told[DEADLINE] = written_deadline(deadline.remaining())
    if correlation is not None:
        told |= correlation.headers()
    return [(name.lower().encode("ascii"), value.encode("latin-1")) for name, value in told.items()]


_FRAMING = frozenset({b"content-length", b"transfer-encoding"})
_PROTOCOLS = {"http": b"http", "https": b"https", "ws": b"http", "wss": b"https"}
