"""What the gateway always had besides its routes to others, and its public key."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from litestar import Request, WebSocket, get, post, websocket
from litestar.di import NamedDependency

from uat_platform.gateway.parts import Parts

__all__ = ["routes"]


class Triggered(msgspec.Struct):
    """The checks are under way."""

    message: str
    timestamp: datetime


class Heard(msgspec.Struct):
    """What came through."""

    message: str
    path: str
    method: str


class Keys(msgspec.Struct):
    """A key set (RFC 7517)."""

    keys: list[dict[str, str]]


@post("/health/refresh", status_code=200)
async def refresh(parts: NamedDependency[Parts]) -> Triggered:
    """Ask all upstreams how they are, beside the requests."""
    parts.checking.refresh()
    return Triggered("Health checks triggered", datetime.now(UTC).replace(microsecond=0))


@get("/api/test")
async def heard(request: Request[Any, Any, Any]) -> Heard:
    """Show that requests get here."""
    return Heard("API Gateway is working", request.url.path, request.method)


@get("/api-test")
async def heard_too(request: Request[Any, Any, Any]) -> Heard:
    """Show the same."""
    return Heard("API Gateway is working", request.url.path, request.method)


@get("/.well-known/gateway-jwks.json")
async def jwks(parts: NamedDependency[Parts]) -> Keys:
    """Return the key that identities are signed with."""
    return msgspec.convert(parts.identities.published, Keys)


@websocket("/ws")
async def echo(socket: WebSocket[Any, Any, Any]) -> None:
    """Send every message back."""
    await socket.accept()
    while (heard := await socket.receive())["type"] == "websocket.receive":
        text, data = heard.get("text"), heard.get("bytes")
        if text is None:
            await socket.send_bytes(data or b"")
        else:
            await socket.send_text(text)


routes = [refresh, heard, heard_too, jwks, echo]
