"""What the gateway answers by itself: problem details (RFC 9457), with the id of the request."""

from uat_platform.gateway.callers.caller import API_KEY
from uat_resilience.integrations.headers import current_correlation
from uat_resilience.integrations.serving.asgi_types import RawHeaders, Scope, Send, encoded
from uat_resilience.integrations.serving.problem import MEDIA_TYPE, Problem

__all__ = [
    "UNKNOWN",
    "give",
    "insufficient",
    "not_allowed",
    "unauthorized",
]

UNKNOWN = Problem(
    401,
    "unauthorized",
    "Unauthorized",
    "A token or an API key is needed.",
    (("WWW-Authenticate", "Bearer"),),
)


def unauthorized() -> Problem:
    """Return the answer to a token or key that is not valid. Why it is not is no business of strangers."""
    told = (("WWW-Authenticate", 'Bearer error="invalid_token"'),)
    return Problem(
        401, "unauthorized", "Unauthorized", "The token, or the API key, is not valid.", told
    )


def insufficient(scopes: tuple[str, ...], *, kind: str) -> Problem:
    """Return the answer to a token, or an API key, that is good for less."""
    needed = " ".join(scopes)
    told = (("WWW-Authenticate", f'Bearer error="insufficient_scope", scope="{needed}"'),)
    words = f"The token must be good for: {needed}."
    if kind == API_KEY:
        words = f"An API key is not enough here: show a token that is good for: {needed}."
    return Problem(403, "forbidden", "Forbidden", words, told)


def not_allowed(methods: tuple[str, ...]) -> Problem:
    """Return the answer to a method that there is no route for."""
    return Problem(
        405, "method-not-allowed", "Method Not Allowed", headers=(("Allow", ", ".join(methods)),)
    )


async def give(problem: Problem, scope: Scope, send: Send, more: RawHeaders) -> None:
    """Answer a request, or refuse a WebSocket, with a problem.

    Args:
        problem: The answer.
        scope: What is answered.
        send: Where it goes.
        more: Headers that go along.
    """
    correlation = current_correlation.get()
    body = problem.body(None if correlation is None else correlation.request_id)
    headers = encoded(
        [
            ("Content-Type", MEDIA_TYPE),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            *problem.headers,
        ]
    )
    kind = "http" if scope["type"] == "http" else "websocket.http"
    if kind == "websocket.http" and "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008})
        return
    await send(
        {"type": f"{kind}.response.start", "status": problem.status, "headers": headers + more}
    )
    await send({"type": f"{kind}.response.body", "body": body})
