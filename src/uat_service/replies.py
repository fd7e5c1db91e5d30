"""What a handler returns, as an answer: the common case without what only others need.

Most answers are a body with a type and a length. Litestar makes each by way of a multi-dictionary, cookies and
merged headers, which takes a quarter of its time for a short one. An answer with more than that is made as ever.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from functools import lru_cache
from typing import Any, TypeVar

from litestar import Litestar, Request, Response
from litestar.background_tasks import BackgroundTask, BackgroundTasks
from litestar.datastructures import Cookie, MutableScopeHeaders
from litestar.enums import MediaType, OpenAPIMediaType
from litestar.response.base import ASGIResponse
from litestar.serialization import get_serializer
from litestar.types import (
    HTTPResponseBodyEvent,
    HTTPResponseStartEvent,
    Receive,
    ResponseCookies,
    ResponseHeaders,
    Scope,
    Send,
)

__all__ = ["Reply"]

T = TypeVar("T")

_OK = 200
_BODILESS = frozenset({204, 205, 304})


class Reply(Response[T]):
    """The answer of a handler that returns data: for `Litestar(response_class=Reply)`."""

    def __init__(
        self,
        content: T,
        *,
        background: BackgroundTask | BackgroundTasks | None = None,
        cookies: "ResponseCookies | None" = None,
        encoding: str = "utf-8",
        headers: "ResponseHeaders | None" = None,
        media_type: MediaType | OpenAPIMediaType | str | None = None,
        status_code: int | None = None,
        type_encoders: Mapping[Any, Callable[[Any], Any]] | None = None,
    ) -> None:
        if cookies or headers or self.type_encoders:
            super().__init__(
                content,
                background=background,
                cookies=cookies,
                encoding=encoding,
                headers=headers,
                media_type=media_type,
                status_code=status_code,
                type_encoders=type_encoders,
            )
            return
        # The same, for an answer that has none of these.
        self.content = content
        self.background = background
        self.cookies = []
        self.encoding = encoding
        self.headers = {}
        self.media_type = media_type
        self.status_code = status_code
        self.response_type_encoders = {**type_encoders} if type_encoders else {}

    def to_asgi_response(
        self,
        app: Litestar | None,
        request: Request[Any, Any, Any],
        *,
        background: BackgroundTask | BackgroundTasks | None = None,
        cookies: Iterable[Cookie] | None = None,
        encoded_headers: Iterable[tuple[bytes, bytes]] | None = None,
        headers: dict[str, str] | None = None,
        is_head_response: bool = False,
        media_type: MediaType | str | None = None,
        status_code: int | None = None,
        type_encoders: Mapping[Any, Callable[[Any], Any]] | None = None,
    ) -> ASGIResponse:
        """Make what is sent, as Litestar calls it."""
        own: Any = self  # Not all of its types are known.
        status = self.status_code or status_code or _OK
        if (
            self.headers
            or headers
            or self.cookies
            or cookies
            or encoded_headers
            or is_head_response
            or type_encoders
            or status < _OK
            or status in _BODILESS
        ):
            ever: Any = super()
            made: ASGIResponse = ever.to_asgi_response(
                app,
                request,
                background=background,
                cookies=cookies,
                encoded_headers=encoded_headers,
                headers=headers,
                is_head_response=is_head_response,
                media_type=media_type,
                status_code=status_code,
                type_encoders=type_encoders,
            )
            return made
        text, header = _kind(self.media_type or media_type or MediaType.JSON, self.encoding)
        body = self.render(self.content, text, get_serializer(own.response_type_encoders))
        return _Whole(body, header, status, self.background or background)


class _Whole(ASGIResponse):
    """An answer that is a body, its type and its length."""

    __slots__ = ()
    # All that the class promises is there; its own way of making it is what takes the time.
    encoding = "utf-8"
    is_head_response = False
    _encoded_cookies = ()

    def __init__(
        self,
        body: bytes,
        kind: tuple[bytes, bytes],
        status: int,
        background: BackgroundTask | BackgroundTasks | None,
    ) -> None:
        self.background = background
        self.body = body
        self.content_length = len(body)
        self.headers = MutableScopeHeaders()
        self.headers.headers = [kind, (b"content-length", b"%d" % len(body))]
        self.status_code = status

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - as ASGI has it
        """Send it."""
        start: HTTPResponseStartEvent = {
            "type": "http.response.start",
            "status": self.status_code,
            "headers": self.headers.headers,
        }
        body: HTTPResponseBodyEvent = {
            "type": "http.response.body",
            "body": self.body,
            "more_body": False,
        }
        await send(start)
        await send(body)
        if self.background is not None:
            await self.background()


@lru_cache(64)
def _kind(given: Enum | str, encoding: str) -> tuple[str, tuple[bytes, bytes]]:
    """Return a media type, and the header that tells it."""
    kind = str(given.value if isinstance(given, Enum) else given)
    written = f"{kind}; charset={encoding}" if kind.startswith("text/") else kind
    return kind, (b"content-type", written.encode("latin-1"))
