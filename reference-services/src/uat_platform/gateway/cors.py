"""Pages of other origins that may ask the gateway (CORS, as the Fetch standard has it).

    OPTIONS with Access-Control-Request-Method ──▶ answered here: browsers ask before they send
    any other request ──▶ the application ──▶ its answer, with our word on who may read it

What services say about it does not get through: two words on one answer are none.
"""

from collections.abc import Collection

from uat_platform.gateway.answers import give
from uat_resilience.integrations.serving.asgi_types import (
    App,
    Message,
    RawHeaders,
    Receive,
    Scope,
    Send,
    encoded,
)
from uat_resilience.integrations.serving.problem import problem

__all__ = ["ANY", "Cors"]

ANY = "*"
_ORIGIN, _VARY = b"origin", (b"vary", b"origin")
_METHOD, _HEADERS = b"access-control-request-method", b"access-control-request-headers"
_OURS = b"access-control-"
_METHODS = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"
_SHOWN = "ETag, Location, RateLimit, RateLimit-Policy, Retry-After, X-Request-ID"
_REMEMBERED = "600"  # Seconds, which is what most browsers believe at most.


class Cors:
    """Let pages of some origins read answers. Belongs to one event loop.

    Cookies are let through for origins that are named, and not for `*`: then any page could act for whoever looks
    at it.

    Args:
        app: The application.
        origins: Such as `https://shop.example`, or `*` for all.
    """

    def __init__(self, app: App, origins: Collection[str]) -> None:
        self._app = app
        self._any = ANY in origins
        self._origins = frozenset(origin.encode("latin-1") for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, as ASGI has it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = dict(scope["headers"])
        told = self._told(asked.get(_ORIGIN))
        if scope["method"] == "OPTIONS" and _ORIGIN in asked and _METHOD in asked:
            await _answer(told, asked.get(_HEADERS, b""), send)
            return
        started = False

        async def with_word(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                kept = [
                    each for each in message["headers"] if not each[0].lower().startswith(_OURS)
                ]
                message = {**message, "headers": [*kept, *told]}
            await send(message)

        try:
            await self._app(scope, receive, with_word)
        except Exception as error:
            # Whoever is around us would answer it without our word, and the page would not learn why.
            found = problem(error)
            if found is None or started or not told:
                raise
            await give(found, scope, with_word, [])

    def _told(self, origin: bytes | None) -> RawHeaders:
        """Return what an answer says about who may read it."""
        if self._any:
            return [] if origin is None else [(b"access-control-allow-origin", b"*"), *_EXPOSED]
        if origin not in self._origins:
            return [_VARY]
        credentials = (b"access-control-allow-credentials", b"true")
        return [_VARY, (b"access-control-allow-origin", origin or b""), credentials, *_EXPOSED]


_EXPOSED = encoded([("Access-Control-Expose-Headers", _SHOWN)])


async def _answer(told: RawHeaders, headers: bytes, send: Send) -> None:
    """Answer a browser that asks whether it may send a request."""
    more: RawHeaders = []
    if len(told) > 1:
        more = encoded([("Access-Control-Allow-Methods", _METHODS)])
        more += encoded([("Access-Control-Max-Age", _REMEMBERED)])
        if headers:
            more.append((b"access-control-allow-headers", headers))
    await send({"type": "http.response.start", "status": 204, "headers": [*told, *more]})
    await send({"type": "http.response.body", "body": b""})
