"""The keys that tokens are checked with."""

from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency

from uat_platform.auth.parts import Parts
from uat_platform.auth.routes.answers import answers

__all__ = ["routes"]

_SECONDS = 300
"""For which anybody may keep the set. New keys are published for longer than that before they sign."""


@get("/.well-known/jwks.json", responses=answers())
async def jwks(parts: NamedDependency[Parts]) -> Response[dict[str, list[dict[str, Any]]]]:
    """Return the key set (RFC 7517)."""
    return Response(
        parts.keys.published(), headers={"Cache-Control": f"public, max-age={_SECONDS}"}
    )


routes = [jwks]
