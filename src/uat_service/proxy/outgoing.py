"""The head of a request, as it goes to the upstream."""

from uat_resilience.integrations.serving.asgi_types import RawHeaders, Scope
from uat_service.proxy.errors import RefusedRequestError
from uat_service.proxy.headers import FORWARDED, ambient, end_to_end, forwarded
from uat_service.proxy.target import Target
from uat_service.spelling import Heard

__all__ = ["Framing", "framing", "raw_target", "request_head", "request_headers"]

Framing = bytes | None
"""How the body is delimited: a length, `b"chunked"`, or None where there is no body."""


def framing(headers: RawHeaders) -> Framing:
    """Return how the body of a request is delimited.

    Raises:
        RefusedRequestError: In a way that others could read in another way.
    """
    lengths = [value for name, value in headers if name == b"content-length"]
    codings = [value for name, value in headers if name == b"transfer-encoding"]
    if (lengths and codings) or len(lengths) > 1:
        raise RefusedRequestError("the request says its length in two ways")
    if codings:
        if [coding.strip().lower() for coding in codings] != [b"chunked"]:
            raise RefusedRequestError("the body is coded in a way that is not known")
        return b"chunked"
    if lengths:
        if not lengths[0].isdigit():
            raise RefusedRequestError("the length is no number")
        return lengths[0]
    return None


def raw_target(scope: Scope, target: Target) -> bytes:
    """Return path and query, byte for byte as the client wrote them unless the target has another path."""
    path = target.path if target.path is not None else scope["raw_path"]
    query: bytes = scope["query_string"]
    return path + b"?" + query if query else path


def request_headers(scope: Scope, target: Target, *, announce: bool) -> RawHeaders:
    """Return the headers of a request: the client's, and what is known here.

    Args:
        scope: The request.
        target: Where it goes.
        announce: Tell the upstream who the client is.
    """
    told = [*(forwarded(scope) if announce else ()), *ambient()]
    names = {name for name, _ in target.headers}
    told = [each for each in told if each[0] not in names] + list(target.headers)
    replaced = target.without | _ANSWERED | {name for name, _ in told}
    if announce:
        replaced |= FORWARDED
    return end_to_end(scope["headers"], without=replaced) + told


def request_head(scope: Scope, target: Target, *, announce: bool) -> bytes:
    """Return the head of a request, ready to be sent.

    Raises:
        RefusedRequestError: It would be read as something else than one request.
    """
    headers = request_headers(scope, target, announce=announce)
    if framing(scope["headers"]) == b"chunked":
        headers.append((b"transfer-encoding", b"chunked"))
    lines = [b"%b %b HTTP/1.1" % (scope["method"].encode("ascii"), raw_target(scope, target))]
    lines += [
        b"%b: %b" % (name.spelled if isinstance(name, Heard) else name, value)
        for name, value in headers
    ]
    head = b"\r\n".join(lines) + b"\r\n\r\n"
    # A line break inside of a path or header would let it end early.
    if head.count(b"\n") != len(lines) + 1 or head.count(b"\r") != len(lines) + 1:
        raise RefusedRequestError("the request has a line break where none may be")
    if lines[0].count(b" ") != _SPACES or not lines[0].partition(b" ")[2].startswith((b"/", b"* ")):
        raise RefusedRequestError("the request names no path")
    return head


# `Expect: 100-continue` has been answered by the server that read the request.
_ANSWERED = frozenset({b"expect"})
_SPACES = 2
